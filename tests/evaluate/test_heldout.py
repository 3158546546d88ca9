"""Bits per byte of documents: whole documents, sources alike, one overall row a language."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from alif import store
from alif.evaluate import heldout
from alif.evaluate.likelihood import LikelihoodInput, target_bits
from alif.records import Document
from alif.student import Student, encode_documents


def test_only_held_out_documents_by_language_and_source(needs: Mapping[str, Path]) -> None:
    found = heldout.sample_documents(needs["corpus"], ("ur", "en"), 0, 1)
    names = {row["id"] for _, row in store.read_rows(needs["corpus"] / "held_out.jsonl")}
    assert {one.id for one in found} == names
    assert [(one.language, one.source) for one in found] == sorted(
        ((one.language, one.source) for one in found), key=lambda key: (key[0] != "ur", key)
    )


def test_a_limit_counts_for_each_source_and_is_drawn_by_lot(needs: Mapping[str, Path]) -> None:
    found = heldout.sample_documents(needs["corpus"], ("ur", "en"), 1, 1)
    assert [(one.language, one.source) for one in found] == [
        ("ur", "first"),
        ("ur", "second"),
        ("en", "first"),
        ("en", "second"),
    ]
    assert heldout.sample_documents(needs["corpus"], ("ur", "en"), 1, 1) == found


def test_bits_per_byte_equal_a_hand_computation(student: Student, needs: Mapping[str, Path]) -> None:
    chosen = heldout.sample_documents(needs["corpus"], ("ur",), 0, 1)
    found = {one.benchmark: one for one in heldout.measure_bits_per_byte(student, chosen, 2048, "en")}
    rates: dict[str, tuple[float, int]] = {}
    for one in chosen:
        tokens = student.tokenizer(one.text, add_special_tokens=False)["input_ids"]
        cost = target_bits(
            student, [LikelihoodInput([student.tokenizer.bos_token_id], tokens)], 2048, "test"
        )[0]
        spent, size = rates.get(one.source, (0.0, 0))
        rates[one.source] = spent + cost, size + len(one.text.encode())
    for source, (spent, size) in rates.items():
        assert found[f"heldout/{source}"].items.value == pytest.approx(spent / size, rel=1e-6)
    assert found["heldout"].items.value == pytest.approx(
        sum(spent / size for spent, size in rates.values()) / 2, rel=1e-6
    )
    assert found["heldout"].lower_is_better


def test_one_overall_row_a_language_and_a_margin_for_the_known_one(
    student: Student, needs: Mapping[str, Path]
) -> None:
    chosen = heldout.sample_documents(needs["corpus"], ("ur", "en"), 0, 1)
    found = heldout.measure_bits_per_byte(student, chosen, 256, "en")
    overall = [(one.metric, one.language, one.margin is None) for one in found if one.benchmark == "heldout"]
    assert overall == [("bits_per_byte", "ur", True), ("bits_per_byte", "en", False)]
    assert {one.benchmark for one in found} == {"heldout", "heldout/first", "heldout/second"}


def test_a_window_loses_no_text(student: Student, needs: Mapping[str, Path]) -> None:
    """Shorter windows only make the text dearer."""
    chosen = heldout.sample_documents(needs["corpus"], ("ur",), 0, 1)
    long, short = (
        heldout.measure_bits_per_byte(student, chosen, window, "en")[0].items for window in (2048, 16)
    )
    assert (long.sizes == short.sizes).all()
    assert short.value == pytest.approx(long.value, rel=0.05)


def test_special_tokens_in_a_text_are_text(student: Student) -> None:
    document = Document.make("ur", "پانی <|end|> پانی", source="x")
    (tokens,) = encode_documents([document.text], student.tokenizer)
    assert tokens.count(student.tokenizer.eos_token_id) == 1
    assert heldout.measure_bits_per_byte(student, [document], 64, "en")[0].items.sizes[0] == len(
        document.text.encode()
    )
