"""What there is to translate: the shapes, the licences, and what is too long to be a row."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from alif.data import published_row
from alif.data.translation.translation_items import TranslationItem, read_items, sample_items
from alif.language.pack import load_pack
from alif.records import Dropped
from alif.settings import Translate

EN, UR = load_pack("en"), load_pack("ur")
ROW = {"instruction": "Name two uses of a rope.", "input": "", "output": "Tie a boat, pull a cart."}


def read(folder: Path, *rows: Any, **settings: Any) -> list[TranslationItem | Dropped]:
    (folder / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    asked = Translate.model_validate({"source": "rows.jsonl", "rows": 9} | settings)
    return list(read_items(UR, EN, str(folder), asked))


def test_a_licence_goes_with_every_row(tmp_path: Path) -> None:
    rows = (
        ROW,
        {**ROW, "license": "MIT"},
        {"en": "The bridge is closed."},
        {"en": "Tea is hot.", "licence": "CC0"},
    )
    for licence in ("CC BY 4.0", {"rows": "CC BY 4.0", "other": "MIT"}):
        items = read(tmp_path, *rows, licence=licence)
        found = [item.row.origin.licence for item in items if isinstance(item, TranslationItem)]
        assert found == ["CC BY 4.0", "MIT", "CC BY 4.0", "CC0"]
    assert {item.row.origin.licence for item in read(tmp_path, ROW) if isinstance(item, TranslationItem)} == {
        ""
    }


def test_a_row_of_megabytes_is_dropped_and_kept_beside(tmp_path: Path) -> None:
    long = "The bridge is closed today. " * (published_row.MAX_ROW_CHARS // 20)
    whole, sentence, right = read(tmp_path, {**ROW, "output": long}, {"en": long}, ROW)
    for one in (whole, sentence):
        assert isinstance(one, Dropped)
        assert one.reason == "too_long"
        assert "a row has at most 200,000" in one.evidence
        assert "rows.jsonl:" in one.evidence
    assert isinstance(right, TranslationItem)


def test_a_short_title_is_no_other_language(tmp_path: Path) -> None:
    title, other = read(
        tmp_path, {"en": "Chicken and Millipede"}, {"en": "Le pont est fermé pour des travaux."}
    )
    assert isinstance(title, TranslationItem)
    assert isinstance(other, Dropped)
    assert other.reason == "wrong_language"


def test_a_sample_is_the_same_again(tmp_path: Path) -> None:
    rows = [{**ROW, "output": f"Tie boat number {number}."} for number in range(40)]
    items = [one for one in read(tmp_path, *rows) if isinstance(one, TranslationItem)]
    asked = Translate(rows=5)
    assert sample_items(items, asked) == sample_items(items, asked)
    assert len(sample_items(items, asked)) == 5
