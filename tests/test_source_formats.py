"""Files of every kind, and conversations under both names of their fields."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from alif.errors import DataError
from alif.source_formats import file_kind, read_file, read_messages

ROWS = [{"instruction": "a", "output": "b"}, {"instruction": "c\u2028d", "output": "e"}]


def values(path: Path) -> list[object]:
    return [row for _, _, row in read_file(path, {"instruction"})]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("a.en-ur.jsonl.gz", ("a.en-ur", "jsonl")),
        ("A.JSONL", ("A", "jsonl")),
        ("alpaca_data.json", ("alpaca_data", "json")),
        ("a.json.txt", ("a.json", "txt")),
        ("page.html", ("page", "html")),
        ("urwiki.xml.bz2", ("urwiki", "xml")),
        ("page.png", ("page.png", "")),
        (".jsonl", (".jsonl", "")),
    ],
)
def test_a_kind_is_the_ending_of_a_name(name: str, found: tuple[str, str]) -> None:
    assert file_kind(Path(name)) == found


@pytest.mark.parametrize("name", ["a.jsonl", "a.JSONL", "a.ndjson", "a.JSONL.GZ"])
def test_lines_of_objects(tmp_path: Path, name: str) -> None:
    data = "".join(json.dumps(row, ensure_ascii=False) + "\n\n" for row in ROWS).encode()
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith("GZ") else data)
    assert values(tmp_path / name) == ROWS


@pytest.mark.parametrize("indent", [None, 4])
def test_an_array_of_objects_comes_with_the_line_of_each(tmp_path: Path, indent: int | None) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps([*ROWS, 3, {"x": float("nan")}], indent=indent), encoding="utf-8")
    found = list(read_file(path, ()))
    assert [row for _, _, row in found] == [*ROWS, "not a JSON object", "NaN is not JSON"]
    assert [number for number, _, _ in found] == ([1] * 4 if indent is None else [2, 6, 10, 11])
    path.write_text('[\n{"a": 1},\n{"a": \n', encoding="utf-8")
    with pytest.raises(DataError, match=r"a\.json:3: not JSON"):
        list(read_file(path, ()))
    path.write_text("[]", encoding="utf-8")
    assert values(path) == []


def test_a_json_file_may_hold_lines(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    assert values(tmp_path / "a.json") == ROWS


def test_parquet_is_read_row_by_row_and_another_file_is_none(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    table = pytest.importorskip("pyarrow").Table.from_pylist(ROWS)
    parquet.write_table(table, tmp_path / "a.parquet")
    assert values(tmp_path / "a.parquet") == ROWS
    (tmp_path / "b.parquet").write_text("no")
    with pytest.raises(DataError, match=r"b\.parquet: not a Parquet file"):
        values(tmp_path / "b.parquet")


def test_other_files_are_refused_with_what_is_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no reader for \.docx files") as caught:
        values(tmp_path / "a.docx")
    assert ".parquet" in caught.value.hint


def test_messages_are_read_by_the_names_of_both_formats() -> None:
    for role, content, user, assistant in (
        ("role", "content", "user", "assistant"),
        ("from", "value", "human", "gpt"),
    ):
        turns = read_messages([{role: user, content: "a"}, {role: assistant, content: "b"}])
        assert turns is not None
        assert [(turn.role, turn.content) for turn in turns] == [("user", "a"), ("assistant", "b")]
    assert read_messages([{"role": "user", "content": "a"}]) is None
    assert read_messages([{"role": "user", "content": "a"}, 3]) is None
