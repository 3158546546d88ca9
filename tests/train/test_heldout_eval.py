"""Looking at held-out texts while a stage trains, and stopping by what is seen."""

from __future__ import annotations

import pytest
import torch

from alif import store
from alif.records import Document
from alif.runs.splits import heldout_rows
from alif.settings import Adapter, Finetune, Language, Pretrain
from alif.student.base import open_base
from alif.student.device import setup_torch
from alif.train import finetune, heldout_eval, pretrain
from alif.train.loss import ChunkedLossModel
from alif.train.packing import split_segments
from tests.train.conftest import RUNTIME

ADAPTER = Adapter(rank=4, alpha=8)
STAGE = Pretrain(
    epochs=2,
    lr=3e-3,
    embedding_lr=1e-3,
    max_seq_length=128,
    batch_size=4,
    micro_batch_size=2,
    eval_steps=2,
    eval_texts=4,
)


def train(house, runtime=RUNTIME, *, clear=True, **changes):
    context = house.context("pretrain", "base", "corpus", runtime=runtime)
    counts = pretrain.train_pretrain(context, Language(), ADAPTER, STAGE.model_copy(update=changes))
    if clear:
        house.clear(context)
    rows = [row for _, row in store.read_rows(context.scratch / "curve.jsonl")]
    return counts, rows, (context.folder / "adapter" / "adapter_model.safetensors").read_bytes()


def test_a_look_tells_bits_per_byte_of_both_languages_and_what_is_written(house):
    _, rows, _ = train(house)
    seen = [row for row in rows if "bits_per_byte" in row]
    assert [row["step"] for row in seen] == list(range(2, len(rows) + 1, 2))
    assert all(set(row["bits_per_byte"]) == {"ur", "en"} for row in seen)
    assert seen[-1]["bits_per_byte"]["ur"] < seen[0]["bits_per_byte"]["ur"]
    assert all(sample["prompt"] and "text" in sample for row in seen for sample in row["samples"])
    assert all(row["gradient_norm"] > 0 for row in rows)


def test_looking_changes_nothing_that_is_trained(house):
    with_looks, without = train(house), train(house, eval_steps=0)
    assert with_looks[2] == without[2]
    assert [row["loss"] for row in with_looks[1]] == [row["loss"] for row in without[1]]


def test_the_bits_of_a_look_are_those_of_each_document_alone(house):
    where = setup_torch(RUNTIME)
    bare = open_base(house.root / "base", where)
    held_out = heldout_rows(house.root / "corpus", Document)
    model = bare.model.eval()
    found = heldout_eval.evaluate_heldout(
        ChunkedLossModel(model), heldout_eval.heldout_documents(held_out, "ur", STAGE, bare), where
    )["bits_per_byte"]
    for document in held_out:
        *tokens, _ = bare.tokenizer(document.text)["input_ids"] + [0]
        nats = 0.0
        for piece in split_segments("x", tokens, STAGE.max_seq_length):
            with torch.inference_mode():
                context = torch.tensor([piece.tokens])
                nats += float(model(input_ids=context, labels=context).loss) * (len(piece.tokens) - 1)
        assert found[document.language] == pytest.approx(
            nats / 0.6931472 / len(document.text.encode()), abs=2e-4
        )


def test_stage_two_looks_at_answers(house):
    context = house.context("pretrain", "base", "corpus")
    pretrain.train_pretrain(context, Language(), ADAPTER, Pretrain(epochs=0, max_seq_length=128))
    house.finish(context)
    stage = Finetune(epochs=1, max_seq_length=768, batch_size=2, eval_steps=1)
    context = house.context("finetune", "base", "pretrain", "blend")
    finetune.train_finetune(context, Language(pack="en", source="ur"), ADAPTER, stage)
    rows = [row for _, row in store.read_rows(context.scratch / "curve.jsonl")]
    assert all(row["bits_per_byte"]["en"] > 0 for row in rows)
    assert "### Response:" in rows[0]["samples"][0]["prompt"]


def test_nothing_is_held_out(house):
    bare = open_base(house.root / "base", setup_torch(RUNTIME))
    seen = heldout_eval.evaluate_heldout(
        ChunkedLossModel(bare.model),
        heldout_eval.heldout_documents([], "ur", STAGE, bare),
        setup_torch(RUNTIME),
    )
    assert seen == {"bits_per_byte": {}, "samples": []}
