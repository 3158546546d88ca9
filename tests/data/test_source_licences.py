"""A source whose licence nobody knows is told before the run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from alif.data.source_check import SourceSample, sample_sources
from alif.data.source_licences import licence_notes
from alif.recipe import validate_recipe

ROW = {"instruction": "Name two uses of a rope.", "output": "Tie a boat, pull a cart."}


def notes(folder: Path, *rows: dict[str, Any], **tables: Any) -> list[str]:
    (folder / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    recipe = validate_recipe({"name": "r", "sources": {"folder": str(folder)}, **tables}, "test")
    samples = [one for one in sample_sources(recipe) if isinstance(one, SourceSample)]
    return list(licence_notes(recipe, samples))


def test_rows_without_a_licence_are_told_with_the_key_that_names_it(tmp_path: Path) -> None:
    for table in ("replay", "translate"):
        [said] = notes(
            tmp_path, ROW, {**ROW, "licence": "MIT"}, **{table: {"source": "rows.jsonl", "rows": 2}}
        )
        assert said.startswith(f"{table}.source: {tmp_path / 'rows.jsonl'}: 1 of 2 rows name no licence")
        assert f"set {table}.licence" in said
    [said] = notes(tmp_path, ROW, blend={"mine": {"source": "rows.jsonl"}})
    assert "set blend.mine.licence" in said


def test_a_named_or_known_licence_is_no_note(tmp_path: Path) -> None:
    asked = {"source": "rows.jsonl", "rows": 1}
    assert notes(tmp_path, ROW, replay={**asked, "licence": "CC BY-NC 4.0"}) == []
    assert notes(tmp_path, ROW, replay={**asked, "licence": {"rows": "cc-by-sa-3.0"}}) == []
    assert notes(tmp_path, {**ROW, "license": "apache-2.0"}, translate=asked) == []
    assert notes(tmp_path, ROW, replay={"rows": 5}) == [], "the pack's rows have the pack's licence"


def test_a_licence_that_nobody_knows_and_a_hub_set_without_one_are_told(tmp_path: Path) -> None:
    [said] = notes(tmp_path, {**ROW, "licence": "my own terms"}, replay={"source": "rows.jsonl", "rows": 1})
    assert "is no licence that alif knows" in said
    hub = {"source": "hub:o/n@abc", "rows": 1}
    [said] = notes(tmp_path, ROW, translate=hub)
    assert said.startswith("translate.source: the licence of o/n is not known here")
    assert notes(tmp_path, ROW, translate={**hub, "licence": {"o/n": "MIT"}}) == []
