"""What a model is made of, under which licences, and which claim they forbid."""

from __future__ import annotations

from pathlib import Path

import pytest

from alif import store
from alif.report.licence_chain import (
    LicencePart,
    TeacherTerms,
    find_licence_conflicts,
    licence_chain,
    list_teacher_terms,
)
from alif.report.snapshot import read_run
from tests import made_up

LLAMA = LicencePart("base", "meta-llama/Llama-3.1-8B", "llama3.1")
NC_ROWS = LicencePart("rows", "replay, dolly", "CC BY-NC 4.0", 250)


def test_rows_and_texts_are_counted_by_licence(tmp_path: Path) -> None:
    root = made_up.build(tmp_path)
    parts = licence_chain(read_run(root))
    assert {part.kind for part in parts} == {"rows", "texts"}, "tiny has no base of another's"
    rows = store.read_rows(root / "blend" / "examples.jsonl")
    assert sum(part.n for part in parts if part.kind == "rows") == len(list(rows))
    assert list_teacher_terms(read_run(root)) == [], "a scripted teacher has no terms"


@pytest.mark.parametrize(
    ("parts", "teachers", "claimed", "name", "said"),
    [
        ([NC_ROWS], [], "apache-2.0", "Urdu", "rows replay, dolly (250): CC BY-NC 4.0 allows no commercial"),
        ([NC_ROWS], [], "cc-by-nc-4.0", "Urdu", ""),
        ([LLAMA], [], "llama3.1", "Urdu-8B", 'must begin with "Llama", because it is made of llama3.1'),
        ([LLAMA], [], "llama3.1", "Llama-Urdu-8B", ""),
        ([LLAMA], [], "mit", "Llama-Urdu-8B", "its own licence"),
        ([LicencePart("base", "x", "")], [], "other", "Urdu", "not stated in its files: name it with"),
        ([LicencePart("texts", "wiki", "")], [], "other", "Urdu", ""),
        ([], [TeacherTerms("t", "Llama-3.3-70B", "h", "")], "other", "Urdu", "made of Llama-3.3-70B"),
    ],
)
def test_a_conflict_is_a_sentence(
    parts: list[LicencePart], teachers: list[TeacherTerms], claimed: str, name: str, said: str
) -> None:
    found = find_licence_conflicts(parts, teachers, claimed, name)
    assert (said in found[0]) if said else found == []
