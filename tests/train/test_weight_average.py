from __future__ import annotations

import pytest
import torch

from alif.settings import Language
from alif.student import load_student
from alif.student.adapter import trainable_parameters
from alif.train import pretrain, stage_trainer, training_callback
from alif.train.weight_average import WeightAverage
from tests.train.conftest import RUNTIME
from tests.train.test_trainer import ADAPTER, STAGE

AVERAGED = STAGE.model_copy(update={"ema_decay": 0.6, "eval_steps": 2, "eval_samples": 0})


def run(house, stage=AVERAGED, runtime=RUNTIME):
    context = house.context("pretrain", "base", "corpus", runtime=runtime)
    pretrain.train_pretrain(context, Language(), ADAPTER, stage)
    house.clear(context)
    weights = (context.folder / "adapter" / "adapter_model.safetensors").read_bytes()
    curve = (context.scratch / "curve.jsonl").read_text(encoding="utf-8")
    return weights, [line.partition('"tokens_per_s"')[0] for line in curve.splitlines()]


def test_the_average_as_counted_by_hand():
    model = torch.nn.Linear(1, 1, bias=False)
    model.weight.data.fill_(1.0)
    average = WeightAverage(model, 0.5)
    expected = 1.0
    for step in range(1, 12):
        model.weight.data.fill_(step)
        average.update(step)
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * step
    assert average.values["weight"].item() == pytest.approx(expected, rel=1e-6)
    with average.applied():
        assert model.weight.item() == pytest.approx(expected, rel=1e-6)
    assert model.weight.item() == 11
    average.apply()
    assert model.weight.item() == pytest.approx(expected, rel=1e-6)


def test_without_a_decay_there_is_none():
    model = torch.nn.Linear(2, 2)
    before = model.weight.detach().clone()
    average = WeightAverage(model, 0.0)
    average.update(1)
    average.apply()
    assert average.values == {}
    assert torch.equal(model.weight, before)


def test_an_average_of_bfloat16_weights_moves_by_less_than_they_can():
    model = torch.nn.Linear(1, 1, bias=False).to(torch.bfloat16)
    model.weight.data.fill_(1.0)
    average = WeightAverage(model, 0.999)
    model.weight.data.fill_(1.0078125)  # the next number in bfloat16
    average.update(100_000)
    assert 1.0 < average.values["weight"].item() < 1.0001


def test_the_saved_adapter_is_the_average_of_the_weights_after_each_step(house, monkeypatch):
    seen = []
    real = training_callback.TrainingCallback.on_step_end

    def watch(self, args, state, control, **kwargs):
        seen.append({name: one.detach().double() for name, one in trainable_parameters(kwargs["model"])})
        return real(self, args, state, control, **kwargs)

    monkeypatch.setattr(training_callback.TrainingCallback, "on_step_end", watch)
    stage = AVERAGED.model_copy(update={"eval_steps": 0})
    context = house.context("pretrain", "base", "corpus")
    pretrain.train_pretrain(context, Language(), ADAPTER, stage)
    fresh = load_student(house.root / "base", None, RUNTIME)
    start = pretrain.adapters.add_adapter(fresh.model, ADAPTER)
    expected = {f"model.{name}": one.detach().double() for name, one in trainable_parameters(start)}
    for step, weights in enumerate(seen, 1):
        decay = min(0.6, (1 + step) / (10 + step))
        expected = {name: decay * expected[name] + (1 - decay) * one for name, one in weights.items()}
    saved = load_student(house.root / "base", context.folder / "adapter", RUNTIME).model
    own = {f"model.{name}": one for name, one in saved.named_parameters()}
    assert len(expected) > 20
    for name, one in expected.items():
        torch.testing.assert_close(own[name].double(), one, atol=1e-6, rtol=1e-5)
        assert "lora_A" in name or not torch.equal(one, seen[-1][name])


def test_killed_and_resumed_the_average_is_the_same_to_the_byte(house, monkeypatch):
    expected = run(house)
    real, left = stage_trainer.StageTrainer.training_step, 0

    def stopping(self, *args, **kwargs):
        nonlocal left
        left -= 1
        if left < 0:
            raise KeyboardInterrupt
        return real(self, *args, **kwargs)

    for left in (18, 5):  # noqa: B007 - read by `stopping`
        monkeypatch.setattr(stage_trainer.StageTrainer, "training_step", stopping)
        with pytest.raises(KeyboardInterrupt):
            run(house)
    monkeypatch.undo()
    assert list((house.root / "runtime/pretrain/checkpoints").glob(f"step-*/{stage_trainer.AVERAGE}"))
    assert run(house) == expected


def test_it_changes_nothing_that_is_trained(house):
    _, averaged = run(house)
    _, plain = run(house, AVERAGED.model_copy(update={"ema_decay": 0.0}))

    def trained(lines):
        return [line.partition('"bits_per_byte"')[0] for line in lines]

    assert trained(averaged) == trained(plain)


def test_the_best_weights_of_an_early_stop_are_averages(house):
    stage = AVERAGED.model_copy(update={"early_stopping_patience": 1, "eval_steps": 1, "ema_decay": 0.9})
    context = house.context("pretrain", "base", "corpus")
    facts = pretrain.train_pretrain(context, Language(), ADAPTER, stage)
    best = sorted((context.scratch / "best").glob("*.safetensors"), key=lambda path: int(path.stem))[-1]
    saved = load_student(house.root / "base", context.folder / "adapter", RUNTIME).model
    own = {f"model.{name}": one for name, one in saved.named_parameters()}
    for name, one in stage_trainer.weights.read_weights(best).items():
        assert torch.equal(own[name], one)
    assert int(best.stem) <= facts.steps
