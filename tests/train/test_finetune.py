from __future__ import annotations

import numpy as np
import pytest
import torch

from alif import store
from alif.errors import DataError
from alif.records import Example
from alif.runs.splits import training_rows
from alif.settings import Adapter, Finetune, Language, Pretrain
from alif.student import adapter as adapters
from alif.student import load_student
from alif.train import finetune, pretrain
from alif.train.packing import (
    IGNORE,
    PackedRows,
    Segment,
    collate,
    collate_trimmed,
    pack_segments,
    pad_segments,
)
from tests.train.conftest import RUNTIME

ADAPTER = Adapter(rank=4, alpha=8)
STAGE = Finetune(epochs=2, lr=3e-3, embedding_lr=1e-3, max_seq_length=768, batch_size=2, micro_batch_size=2)


@pytest.fixture
def ready(house):
    """A run with stage 1 behind it, which has trained nothing."""
    context = house.context("pretrain", "base", "corpus")
    pretrain.train_pretrain(context, Language(), ADAPTER, Pretrain(epochs=0, max_seq_length=128))
    house.finish(context)
    return house


def train(house, **changes):
    context = house.context("finetune", "base", "pretrain", "blend")
    with context.output:
        counts = finetune.train_finetune(context, Language(), ADAPTER, STAGE.model_copy(update=changes))
    house.clear(context)
    return context, counts


def test_the_labels_of_a_real_batch_are_the_answers_and_nothing_else(house):
    tokenizer = load_student(house.root / "base", None, RUNTIME).tokenizer
    examples = training_rows(house.root / "blend", Example)
    pieces = [finetune.encode_example(example, "auto", tokenizer) for example in examples]
    packs = pack_segments(pieces, 768, tokenizer.eos_token_id)
    batch = collate([PackedRows(packs, np.arange(len(packs)))[row] for row in range(len(packs))])
    answers = {example.id: example.output for example in examples}
    found = []
    for row, names in enumerate(packs.names):
        labels = batch["labels"][row]
        text = tokenizer.decode(labels[labels != IGNORE])
        found += text.split("<|end|>")[:-1]
        assert text == "".join(answers[name] + "<|end|>" for name in names)
        assert (labels == IGNORE).logical_or(labels == batch["input_ids"][row]).all()
    assert sorted(found) == sorted(answers.values())


def test_it_learns_answers_and_goes_on_with_stage_ones_adapter(ready):
    context, counts = train(ready)
    assert context.output.rows_in == context.output.kept == 11  # of twelve rows one is held out
    assert counts.template == "alpaca"
    assert counts.last_loss < counts.first_loss
    before = load_student(ready.root / "base", ready.root / "pretrain" / "adapter", RUNTIME).model
    after = load_student(ready.root / "base", context.folder / "adapter", RUNTIME).model
    assert adapters.count_parameters(before).total == adapters.count_parameters(after).total


def test_it_begins_where_stage_one_ended(ready):
    context, _ = train(ready, epochs=0)
    name = "adapter/adapter_model.safetensors"
    assert (context.folder / name).read_bytes() == (ready.root / "pretrain" / name).read_bytes()


def test_the_held_out_row_is_not_read(ready):
    held_out = {row["id"] for _, row in store.read_rows(ready.root / "blend" / "held_out.jsonl")}
    rows = training_rows(ready.root / "blend", Example)
    assert held_out
    assert not held_out & {row.id for row in rows}


def test_a_row_that_does_not_fit_is_dropped_with_the_reason(ready):
    tokenizer = load_student(ready.root / "base", None, RUNTIME).tokenizer
    sizes = sorted(
        len(finetune.encode_example(row, "auto", tokenizer).tokens)
        for row in training_rows(ready.root / "blend", Example)
    )
    context, _ = train(ready, max_seq_length=sizes[-2])
    assert context.output.dropped == {"too_many_tokens": 1}
    assert context.output.kept == 10
    (dropped,) = [row for _, row in store.read_rows(context.folder / "dropped.jsonl")]
    assert dropped["evidence"] == f"{sizes[-1]} tokens, a row has {sizes[-2]}"


def test_no_row_that_fits_is_told(ready):
    with pytest.raises(DataError, match="no training row of at most 16 tokens among 11"):
        train(ready, max_seq_length=16)


def test_on_the_merged_model_a_new_adapter_is_trained_and_joined_to_the_first(house):
    """The result is one adapter for the base, equivalent to the merged model with the second adapter."""
    context = house.context("pretrain", "base", "corpus")
    stage = Pretrain(epochs=1, lr=3e-3, embedding_lr=1e-3, max_seq_length=128, batch_size=4)
    pretrain.train_pretrain(context, Language(), ADAPTER, stage)
    house.finish(context)
    seen = {}

    def logits(model):
        model = model.eval()
        with torch.inference_mode():
            return model(input_ids=torch.arange(20).reshape(1, 20)).logits

    real = finetune.train_stage

    def work(context, base, model, *rest, **more):
        facts = real(context, base, model, *rest, **more)
        seen["before"] = logits(model)
        return facts

    finetune.train_stage = work
    try:
        context, counts = train(house, init_from="merged")
    finally:
        finetune.train_stage = real
    assert counts.last_loss < counts.first_loss
    joined = load_student(house.root / "base", context.folder / "adapter", RUNTIME)
    torch.testing.assert_close(logits(joined.model), seen["before"], atol=1e-4, rtol=1e-4)
    assert store.read_json(context.folder / "adapter" / "adapter_config.json")["r"] == 2 * ADAPTER.rank


def test_the_originals_way_pads_cuts_and_learns_prompts_too(ready):
    tokenizer = load_student(ready.root / "base", None, RUNTIME).tokenizer
    examples = training_rows(ready.root / "blend", Example)
    context, counts = train(ready, packing="padded", loss_on="all", max_seq_length=128)
    sizes = [
        min(128, len(finetune.encode_example(example, "auto", tokenizer).tokens)) for example in examples
    ]
    assert max(sizes) == 128
    assert context.output.kept == counts.rows == len(examples)
    assert counts.labelled == sum(size - 1 for size in sizes)


def test_padded_batches_are_as_long_as_their_longest_text():
    packs = pad_segments(
        [Segment("a", (5, 6, 7)), Segment("b", tuple(range(40)), labelled=((4, 40),))], 32, 1
    )
    rows = PackedRows(packs, np.arange(2))
    assert collate_trimmed([rows[0]])["input_ids"].tolist() == [[5, 6, 7]]
    both = collate_trimmed([rows[0], rows[1]])
    assert both["input_ids"].shape == (2, 32)
    assert both["labels"][0].tolist() == [IGNORE, 6, 7] + [IGNORE] * 29
