from __future__ import annotations

import numpy as np
import pytest
import torch

from alif import store
from alif.errors import DataError, RecipeError
from alif.records import Document
from alif.runs.splits import training_rows
from alif.settings import Adapter, Language, Pretrain
from alif.student import adapter as adapters
from alif.student import load_student
from alif.train import pretrain
from tests.train.conftest import RUNTIME, articles

ADAPTER = Adapter(rank=4, alpha=8)
STAGE = Pretrain(epochs=1, lr=3e-3, embedding_lr=1e-3, max_seq_length=128, batch_size=4, micro_batch_size=2)


def train(house, **changes):
    context = house.context("pretrain", "base", "corpus")
    counts = pretrain.train_pretrain(context, Language(), ADAPTER, STAGE.model_copy(update=changes))
    house.clear(context)
    return context, counts


def weights(folder):
    return (folder / "adapter" / "adapter_model.safetensors").read_bytes()


def test_it_learns_and_tells_what_it_trained(house, capsys):
    context, counts = train(house)
    facts = counts
    output = context.output
    assert output.kept == 7  # of eight articles one is held out
    assert output.rows_in == output.kept + output.left_out == 12  # the English ones are not replayed
    assert facts.last_loss < facts.first_loss
    assert 0 < facts.trainable < facts.parameters
    assert f"{facts.trainable:,} of {facts.parameters:,} parameters" in capsys.readouterr().err
    assert sorted(path.name for path in (context.folder / "adapter").iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
    ]


def test_its_adapter_loads_and_changes_the_base(house):
    context, _ = train(house)
    tokens = torch.arange(20).reshape(1, 20)
    with torch.inference_mode():
        before = load_student(house.root / "base", None, RUNTIME).model(input_ids=tokens).logits
        after = (
            load_student(house.root / "base", context.folder / "adapter", RUNTIME)
            .model(input_ids=tokens)
            .logits
        )
    assert not torch.allclose(before, after)


def test_every_trained_weight_has_moved(house):
    context, _ = train(house)
    student = load_student(house.root / "base", None, RUNTIME)
    fresh = dict(adapters.add_adapter(student.model, ADAPTER).named_parameters())
    trained = load_student(house.root / "base", context.folder / "adapter", RUNTIME)
    for name, parameter in trained.model.named_parameters():
        if "lora_" in name or "modules_to_save" in name:
            assert not torch.equal(parameter, fresh[name]), name


def test_the_curve_has_a_line_for_each_step(house):
    context, counts = train(house)
    curve = [row for _, row in store.read_rows(context.scratch / "curve.jsonl")]
    assert [row["step"] for row in curve] == list(range(1, counts.steps + 1))
    assert curve[-1]["tokens"] == counts.tokens
    assert set(curve[0]) == {"step", "loss", "lr", "gradient_norm", "tokens", "tokens_per_s"}


def test_held_out_documents_are_not_read(house):
    rows = training_rows(house.root / "corpus", Document)
    assert articles("ur", 1)[0].id not in {row.id for row in rows}
    assert len(rows) == 12


def test_known_text_is_replayed_by_its_share_of_tokens(house):
    _, counts = train(house, replay=0.3)
    assert counts.replay_documents >= 1
    assert 0.3 <= counts.replay_share < 0.5


@pytest.mark.parametrize("packing", ["packed", "padded"])
def test_replay_may_be_more_at_the_start_and_less_at_the_end(house, packing, monkeypatch):
    seen = []
    real = pretrain.train_stage
    monkeypatch.setattr(
        pretrain,
        "train_stage",
        lambda context, base, model, dataset, stage, **keys: (
            seen.append((dataset, keys["order"])) or real(context, base, model, dataset, stage, **keys)
        ),
    )
    changes = {"replay": 0.6, "replay_end": 0.0, "max_seq_length": 64, "packing": packing, "epochs": 2}
    _, counts = train(house, **changes)
    ((dataset, order),) = seen
    english = {row.id for row in training_rows(house.root / "corpus", Document) if row.language == "en"}
    kinds = [{name in english for name in names} for names in dataset.names]
    assert all(len(kind) == 1 for kind in kinds)  # no row holds both
    is_replay = np.array([kind == {True} for kind in kinds])[order]
    half = len(order) // 2
    assert is_replay[:half].sum() >= 2 * is_replay[half:].sum()
    assert np.bincount(order).tolist() == [2] * counts.rows
    assert counts.tokens == 2 * dataset.used.sum()
    assert 0.3 <= counts.replay_share < 0.5  # of all tokens, as with 0.3 throughout
    assert counts.replay_first > 0.4
    assert counts.replay_last < 0.15


def test_the_same_share_at_both_ends_is_told_and_counted_once(house):
    _, even = train(house, replay=0.3)
    _, ends = train(house, replay=0.3, replay_end=0.3)
    assert (even.replay_documents, even.replay_share) == (ends.replay_documents, ends.replay_share)
    assert even.replay_first is None
    assert "replay_first" not in even.model_dump()


def test_small_changes_of_the_embeddings_are_taken_back_after_the_stage(house, capsys):
    _, counts = train(house, embedding_keep_share=0.25)
    assert counts.reverted > 0
    assert (
        f"{counts.reverted:,} weights of the embedding copies are the base's again" in capsys.readouterr().err
    )


def test_too_little_to_replay_is_told(house, capsys):
    _, counts = train(house, replay=0.9)
    assert counts.replay_documents == 5
    assert "all are used" in capsys.readouterr().err


def test_no_epochs_train_nothing(house):
    context, counts = train(house, epochs=0)
    assert counts.steps == 0
    tokens = torch.arange(20).reshape(1, 20)
    with torch.inference_mode():
        before = load_student(house.root / "base", None, RUNTIME).model(input_ids=tokens).logits
        after = (
            load_student(house.root / "base", context.folder / "adapter", RUNTIME)
            .model(input_ids=tokens)
            .logits
        )
    assert torch.equal(before, after)


def test_less_text_than_one_row_is_enough(house):
    corpus = house.root / "bare"
    store.write_rows(corpus / "examples.jsonl", [Document.make("ur", "پانی")])
    store.write_rows(corpus / "held_out.jsonl", [])
    (house.root / "corpus").unlink()
    (house.root / "corpus").symlink_to(corpus)
    _, counts = train(house)
    assert counts.rows == counts.steps == 1


def test_no_text_at_all_is_told(house):
    corpus = house.root / "bare"
    store.write_rows(corpus / "examples.jsonl", articles("en", 2))
    store.write_rows(corpus / "held_out.jsonl", [])
    (house.root / "corpus").unlink()
    (house.root / "corpus").symlink_to(corpus)
    with pytest.raises(DataError, match="no training document of ur"):
        train(house)


def test_rows_longer_than_the_base_reads_are_refused(house):
    with pytest.raises(RecipeError, match="reads at most 2048 tokens"):
        train(house, max_seq_length=4096)


def test_a_step_is_whole_forward_passes(house):
    with pytest.raises(RecipeError, match="not a multiple of micro_batch_size"):
        train(house, micro_batch_size=3)


def test_how_a_step_is_split_changes_only_the_rounding(house):
    _, whole = train(house, micro_batch_size=4)
    _, parts = train(house, micro_batch_size=1)
    assert whole.first_loss == pytest.approx(parts.first_loss, rel=1e-6)
    assert whole.last_loss == pytest.approx(parts.last_loss, rel=1e-4)
