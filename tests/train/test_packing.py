from __future__ import annotations

import gzip
import itertools
import json
from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import LlamaConfig, LlamaForCausalLM

from alif.train.packing import (
    IGNORE,
    PackedRows,
    Segment,
    collate,
    collate_trimmed,
    fill_rows,
    fit_rows,
    pack_segments,
    sample_order,
    split_segments,
)

LENGTH = 16
FILLER = 1

documents = st.lists(st.lists(st.integers(2, 99), min_size=2, max_size=60), min_size=1, max_size=30)


def packed(texts):
    pieces = [
        piece for number, text in enumerate(texts) for piece in split_segments(str(number), text, LENGTH)
    ]
    return pieces, pack_segments(pieces, LENGTH, FILLER)


def segments(packs):
    """Return the texts of all rows, as positions tell them apart: (tokens, labels)."""
    found = []
    for tokens, labels, positions, used in zip(
        packs.tokens, packs.labels, packs.positions, packs.used, strict=True
    ):
        starts = [*np.flatnonzero(positions[:used] == 0), used]
        for start, end in itertools.pairwise(starts):
            assert list(positions[start:end]) == list(range(end - start))
            found.append((tuple(tokens[start:end].tolist()), tuple(labels[start:end].tolist())))
    return found


@given(documents)
def test_every_token_after_a_texts_first_is_predicted_exactly_once(texts):
    _, packs = packed(texts)
    predicted = Counter(label for label in packs.labels.ravel().tolist() if label != IGNORE)
    assert predicted == Counter(token for text in texts for token in text[1:])


@given(documents)
def test_pieces_stand_whole_in_rows_and_none_is_lost(texts):
    pieces, packs = packed(texts)
    assert Counter(tokens for tokens, _ in segments(packs)) == Counter(
        tuple(piece.tokens) for piece in pieces
    )
    assert all(labels[0] == IGNORE for _, labels in segments(packs))
    assert Counter(name for names in packs.names for name in names) == Counter(piece.name for piece in pieces)


@given(documents)
def test_what_stays_free_is_filler_without_labels(texts):
    _, packs = packed(texts)
    for tokens, labels, positions, used in zip(
        packs.tokens, packs.labels, packs.positions, packs.used, strict=True
    ):
        assert set(tokens[used:].tolist()) <= {FILLER}
        assert set(labels[used:].tolist()) <= {IGNORE}
        assert positions[used:].tolist() == list(range(LENGTH - used))


@given(documents)
def test_no_two_rows_would_fit_into_one(texts):
    _, packs = packed(texts)
    used = sorted(packs.used.tolist())
    assert len(used) < 2 or used[0] + used[1] > LENGTH


def test_ten_thousand_articles_fill_their_rows():
    sizes = np.random.default_rng(1).lognormal(5.5, 1.2, 10_000).astype(int) + 2
    pieces = [piece for size in sizes for piece in split_segments("x", range(size), 1024)]
    assert pack_segments(pieces, 1024, FILLER).fill > 0.995


def test_rows_in_files_are_the_rows_in_memory(tmp_path):
    pieces = [
        piece
        for n, text in enumerate(TEXTS)
        for piece in split_segments(str(n), np.array(text, dtype=np.int32), LENGTH)
    ]
    one, other = pack_segments(pieces, LENGTH, FILLER), pack_segments(pieces, LENGTH, FILLER, tmp_path)
    assert isinstance(other.tokens, np.memmap)
    assert one.digest() == other.digest()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["labels.npy", "positions.npy", "tokens.npy"]


@pytest.mark.shared
def test_real_corpora_fill_their_rows(shared_data):
    """Urdu and English text, from sentences to whole books, in rows of 4,096 tokens of about three bytes."""
    texts = []
    for path in sorted([*shared_data.glob("ur_raw/*.jsonl.gz"), *shared_data.glob("en_raw/*.jsonl.gz")]):
        with gzip.open(path, "rt", encoding="utf-8") as file:
            texts += [max(2, len(json.loads(line)["text"].encode()) // 3) for line in file]
    assert len(texts) > 500
    pieces = [piece for size in texts for piece in split_segments("x", np.zeros(size, dtype=np.int32), 4096)]
    packs = pack_segments(pieces, 4096, FILLER)
    assert packs.fill >= 0.995
    assert packs.used.sum() == sum(len(piece.tokens) for piece in pieces) >= sum(texts)


def test_silent_tokens_carry_no_label():
    packs = pack_segments([Segment("row", (5, 6, 7, 8), labelled=((3, 4),))], LENGTH, FILLER)
    assert packs.labels[0].tolist() == [IGNORE] * 3 + [8] + [IGNORE] * 12


@given(st.integers(1, 40), st.floats(0.1, 4), st.integers(0, 5))
def test_each_epoch_sees_each_row_once(rows, epochs, seed):
    sequence = sample_order(rows, epochs, seed)
    assert len(sequence) == max(1, round(rows * epochs))
    for start in range(0, len(sequence) - rows + 1, rows):
        assert sorted(sequence[start : start + rows]) == list(range(rows))


def test_no_epochs_and_no_rows_are_no_work():
    assert len(sample_order(5, 0, 1)) == len(sample_order(0, 3, 1)) == 0


@pytest.fixture
def model():
    torch.set_num_threads(1)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=100,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        initializer_range=0.3,
        attn_implementation="sdpa",
    )
    return LlamaForCausalLM(config).eval()


def batch(texts):
    _, packs = packed(texts)
    return packs, collate([PackedRows(packs, np.arange(len(packs)))[row] for row in range(len(packs))])


TEXTS = [
    list(range(2, 9)),
    list(range(10, 15)),
    list(range(20, 24)),
    list(range(30, 46)),
    list(range(50, 60)),
]


@pytest.mark.parametrize(("dtype", "most"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
@torch.inference_mode()
def test_packed_logits_equal_those_of_each_text_alone(model, dtype, most):
    model = model.to(dtype)
    packs, inputs = batch(TEXTS)
    assert max(len(names) for names in packs.names) > 1
    together = model(
        input_ids=inputs["input_ids"], position_ids=inputs["position_ids"], use_cache=False
    ).logits
    for row, positions in enumerate(packs.positions):
        starts = [*np.flatnonzero(positions == 0), LENGTH]
        for start, end in itertools.pairwise(starts):
            alone = model(input_ids=inputs["input_ids"][row : row + 1, start:end]).logits[0]
            assert (together[row, start:end] - alone).abs().max() <= most


@torch.inference_mode()
def test_another_first_text_leaves_the_second_as_it_is_to_the_bit(model):
    _, inputs = batch([[2, 3, 4, 5, 6, 7], [10, 11, 12, 13]])

    def second(first):
        tokens = inputs["input_ids"].clone()
        tokens[0, :6] = torch.tensor(first)
        return model(input_ids=tokens, position_ids=inputs["position_ids"], use_cache=False).logits[0, 6:10]

    assert torch.equal(second([2, 3, 4, 5, 6, 7]), second([90, 91, 92, 93, 94, 95]))


@torch.inference_mode()
def test_why_there_is_never_a_mask(model):
    """A mask of ones lets the second text see the first: the trap that the collator must keep shut."""
    _, inputs = batch([[2, 3, 4, 5, 6, 7], [10, 11, 12, 13]])
    assert not [key for key in inputs if "mask" in key]
    given = {"input_ids": inputs["input_ids"], "position_ids": inputs["position_ids"], "use_cache": False}
    without = model(**given).logits[0, 6:10]
    leaked = model(**given, attention_mask=torch.ones_like(inputs["input_ids"])).logits[0, 6:10]
    assert (without - leaked).abs().max() > 0.1


def test_a_group_stays_together_in_a_row_and_padded_its_texts_have_a_row_each():
    groups = [
        (Segment(f"{n}a", tuple(range(1, size + 1))), Segment(f"{n}b", (7, 8, 9)))
        for n, size in enumerate((9, 4, 5))
    ]
    rows = fit_rows(groups, 16)
    assert [[one.name for one in row] for row in rows] == [["0a", "0b"], ["2a", "2b", "1a", "1b"]]
    filled = fill_rows(groups, 16, 1)
    batch = collate_trimmed([PackedRows(filled, np.arange(3))[at] for at in (1, 0)])
    assert batch["input_ids"].shape == (4, 9)
    assert batch["input_ids"][1].tolist() == [7, 8, 9, 1, 1, 1, 1, 1, 1]
    assert batch["labels"][1].tolist() == [IGNORE, 8, 9] + [IGNORE] * 6
    assert batch["position_ids"][1].tolist() == [0, 1, 2, 0, 1, 2, 3, 4, 5]
