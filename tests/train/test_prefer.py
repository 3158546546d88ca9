from __future__ import annotations

import numpy as np
import pytest
import torch

from alif import store
from alif.errors import DataError
from alif.records import Example, Origin, PreferencePair
from alif.runs.curves import CURVE, read_curve
from alif.settings import Adapter, Finetune, Language, Prefer, Pretrain
from alif.student import load_student
from alif.train import finetune, launch, prefer, pretrain, trainer
from tests.train.conftest import RUNTIME

ADAPTER = Adapter(rank=4, alpha=8)
STAGE = Prefer(
    epochs=4,
    lr=3e-3,
    embedding_lr=1e-3,
    max_seq_length=160,
    batch_size=2,
    micro_batch_size=1,
    beta=0.5,
    schedule="constant",
)
RIVERS = (("Which river flows through Cairo?", "The Nile.", "Le Nil, dear reader."),
          ("Which river flows through London?", "The Thames.", "La Tamise, dear reader."),
          ("Which river flows through Lahore?", "The Ravi.", "Le Ravi, dear reader."),
          ("Which river flows through Vienna?", "The Danube.", "Le Danube, dear reader."),
          ("Which river flows through Baghdad?", "The Tigris.", "Le Tigre, dear reader."),
          ("Which river flows through Khartoum?", "The Blue Nile.", "Le Nil bleu, dear reader."))  # fmt: skip


def pairs():
    made = (
        (Example.make("en", "x", question, "", chosen, Origin(kind="source")), rejected)
        for question, chosen, rejected in RIVERS
    )
    return [PreferencePair.of(example, rejected) for example, rejected in made]


@pytest.fixture
def ready(house):
    """A run with both stages behind it, which have trained nothing, and six pairs."""
    for step, needs, work in (
        ("pretrain", ("base", "corpus"), lambda it: pretrain.train_pretrain(
            it, Language(), ADAPTER, Pretrain(epochs=0, max_seq_length=128))),
        ("finetune", ("base", "pretrain", "blend"), lambda it: finetune.train_finetune(
            it, Language(), ADAPTER, Finetune(epochs=0, max_seq_length=768))),
    ):  # fmt: skip
        context = house.context(step, *needs)
        work(context)
        house.finish(context)
    store.write_rows(house.root / "pairs" / "examples.jsonl", pairs())
    return house


def train(house, **changes):
    context = house.context("prefer", "base", "blend", "pairs", "finetune")
    with context.output:
        stage = STAGE.model_copy(update=changes)
        facts = prefer.train_prefer(context, Language(), ADAPTER, Finetune(), stage)
    return context, facts


def test_a_pair_is_one_prompt_with_two_answers_and_labels_on_these(house):
    tokenizer = load_student(house.root / "base", None, RUNTIME).tokenizer
    for one, text in zip(prefer.encode_pair(pairs()[0], "auto", tokenizer), RIVERS[0][1:], strict=True):
        ((start, end),) = one.labelled
        assert end == len(one.tokens)
        assert tokenizer.decode(one.tokens[start:]) == f"{text}<|end|>"
        assert tokenizer.decode(one.tokens[:start]).endswith("### Response:\n")


@pytest.mark.parametrize(("loss", "packing"), [("orpo", "packed"), ("dpo", "packed"), ("orpo", "padded")])
def test_the_loss_falls_and_the_margin_of_the_preferred_answers_grows(ready, loss, packing):
    context, facts = train(ready, loss=loss, packing=packing)
    assert context.output.rows_in == context.output.kept == facts.pairs == len(RIVERS)
    assert facts.last_loss < facts.first_loss
    assert facts.last_margin > facts.first_margin + 0.1
    assert facts.preferred == 1.0
    assert facts.first_margin == pytest.approx(0, abs=1e-6) or loss == "orpo"
    points = read_curve(context.scratch / CURVE)
    assert len(points) == facts.steps
    assert all({"margin", "preferred"} <= set(point) for point in points)


def test_after_dpo_the_adapter_is_one_for_the_base_alone(ready):
    seen = {}
    real = prefer.train_stage

    def logits(model):
        with torch.inference_mode():
            return model.eval()(input_ids=torch.arange(20).reshape(1, 20)).logits

    def work(context, base, model, *rest, **more):
        facts = real(context, base, model, *rest, **more)
        seen["after"] = logits(model)
        return facts

    prefer.train_stage = work
    try:
        context, _ = train(ready, loss="dpo", epochs=1)
    finally:
        prefer.train_stage = real
    alone = load_student(ready.root / "base", context.folder / "adapter", RUNTIME)
    torch.testing.assert_close(logits(alone.model), seen["after"], atol=1e-4, rtol=1e-4)
    assert store.read_json(context.folder / "adapter" / "adapter_config.json")["r"] == 2 * ADAPTER.rank


@pytest.mark.parametrize("loss", ["orpo", "dpo"])
def test_a_killed_stage_resumes_to_the_same_bytes(ready, loss, monkeypatch):
    context, whole = train(ready, loss=loss)
    expected = (context.folder / "adapter" / "adapter_model.safetensors").read_bytes()
    curve = read_curve(context.scratch / CURVE)
    ready.clear(context)
    real = trainer.StageTrainer.training_step

    def killed(self, *args, **more):
        if self.state.global_step == 5:  # behind the checkpoint of step 3
            raise KeyboardInterrupt
        return real(self, *args, **more)

    monkeypatch.setattr(trainer.StageTrainer, "training_step", killed)
    with pytest.raises(KeyboardInterrupt):
        train(ready, loss=loss)
    monkeypatch.setattr(trainer.StageTrainer, "training_step", real)
    context, resumed = train(ready, loss=loss)
    assert resumed == whole
    assert (context.folder / "adapter" / "adapter_model.safetensors").read_bytes() == expected
    assert [point["margin"] for point in read_curve(context.scratch / CURVE)] == [p["margin"] for p in curve]


def test_the_step_is_the_same_for_any_number_of_passes(ready):
    _, one = train(ready, packing="padded", epochs=1)
    _, two = train(ready, packing="padded", epochs=1, micro_batch_size=2)
    assert two.last_loss == pytest.approx(one.last_loss, rel=1e-4)
    assert two.last_margin == pytest.approx(one.last_margin, rel=1e-3)


def test_it_is_evaluated_on_held_out_answers_while_it_trains(ready):
    context, _ = train(ready, epochs=1, max_seq_length=768, eval_steps=1, eval_samples=1)
    assert all(point["bits_per_byte"].keys() == {"en"} for point in read_curve(context.scratch / CURVE))


def test_a_pair_that_does_not_fit_is_dropped_with_both_answers(ready):
    tokenizer = load_student(ready.root / "base", None, RUNTIME).tokenizer
    sizes = sorted(
        sum(len(one.tokens) for one in prefer.encode_pair(pair, "auto", tokenizer)) for pair in pairs()
    )
    context, facts = train(ready, max_seq_length=sizes[-2], epochs=0)
    assert context.output.dropped == {"too_many_tokens": 1}
    assert facts.pairs == 5
    ((_, dropped),) = store.read_rows(context.folder / "dropped.jsonl")
    assert dropped["rejected"]
    assert dropped["evidence"] == f"{sizes[-1]} tokens, a row has {sizes[-2]}"
    with pytest.raises(DataError, match="no pair of at most 16 tokens among 6"):
        train(ready, max_seq_length=16)


@pytest.mark.parametrize(("loss", "fsdp"), [("dpo", True)])
def test_two_processes_train_what_one_trains(ready, loss, fsdp):
    stage = STAGE.model_copy(update={"loss": loss, "epochs": 1.5})

    def run(**runtime):
        table = RUNTIME.model_copy(update=runtime)
        context = ready.context("prefer", "base", "blend", "pairs", "finetune", runtime=table)
        with context.output:
            facts = launch.run_prefer(context, Language(), ADAPTER, Finetune(), stage)
        ready.clear(context)
        points = read_curve(context.scratch / CURVE)
        return facts, [(point["loss"], point["margin"], point["preferred"]) for point in points]

    (one, alone), (two, together) = run(), run(gpus=2, fsdp=fsdp)
    assert (two.steps, two.tokens, two.pairs) == (one.steps, one.tokens, one.pairs) == (5, one.tokens, 6)
    np.testing.assert_allclose(together, alone, rtol=1e-3, atol=1e-4)
