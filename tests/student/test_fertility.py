"""What a tokenizer makes of a text, counted."""

from __future__ import annotations

from pathlib import Path

from alif import store
from alif.language.pack import load_pack
from alif.student import fertility
from alif.student.tiny import train_tokenizer

UR, EN = load_pack("ur"), load_pack("en")
URDU = [row["text"] for _, row in store.read_rows(UR.folder / "demo" / "articles.jsonl")]
ENGLISH = [row["text"] for _, row in store.read_rows(EN.folder / "demo" / "articles.jsonl")]


def test_a_tokenizer_that_never_saw_the_language_costs_more() -> None:
    blind, both = train_tokenizer(ENGLISH, 1000), train_tokenizer([*ENGLISH, *URDU], 1000)
    compared = [fertility.compare_fertility(one, {UR: URDU, EN: ENGLISH}) for one in (blind, both)]
    assert compared[0].tokenizer_cost > 2 * compared[1].tokenizer_cost
    told, mixed = (one.tokenizer for one in compared)
    assert told["ur"].part_of_a_letter > 0.8
    assert told["en"].part_of_a_letter < 0.1
    assert mixed["ur"].part_of_a_letter < told["ur"].part_of_a_letter
    assert told["ur"].unknown == 0
    assert told["ur"].bytes_per_token < mixed["ur"].bytes_per_token


def test_the_sums_are_exact() -> None:
    tokenizer = train_tokenizer(["ab ab ab ab"], 300)
    told = fertility.measure_fertility(tokenizer, ["ab ab", "ab"], EN)
    assert told.words == 3
    assert told.tokens == len(tokenizer.encode("ab ab", add_special_tokens=False)) + len(
        tokenizer.encode("ab", add_special_tokens=False)
    )
    assert told.bytes_per_token == round(7 / told.tokens, 3)
    assert fertility.measure_fertility(tokenizer, [], EN).tokens_per_word == 0


def test_a_tokenizer_on_this_machine_is_read_by_the_packs_articles(tmp_path: Path) -> None:
    assert fertility.fertility_of_folder(tmp_path, UR, EN) is None
    train_tokenizer(ENGLISH, 400).save_pretrained(tmp_path)
    found = fertility.fertility_of_folder(tmp_path, UR, EN)
    assert found is not None
    assert found.tokenizer_cost > 1
