"""The run's own rows in the Hub's layout: both formats alike, readable, and no person's name in any byte."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet
import pytest

from alif import store
from alif.errors import DataError
from alif.records import Example, Message
from alif.report import dataset
from tests import made_up


def build(folder: Path) -> Path:
    """A run whose mixture holds every seventh row out."""
    run = made_up.build(folder)
    rows = rows_of(run / "blend" / "examples.jsonl")
    store.write_rows(run / "blend" / "held_out.jsonl", ({"id": row["id"]} for row in rows[::7]))
    return run


def rows_of(path: Path) -> list[dict[str, object]]:
    return [row for _, row in store.read_rows(path)]


def test_both_formats_hold_the_rows_that_the_run_made_split_as_it_was_trained(tmp_path: Path) -> None:
    run = build(tmp_path)
    folder = dataset.write_dataset(run)
    held_out = {row["id"] for row in rows_of(run / "blend" / "held_out.jsonl")}
    made = [row for row in rows_of(run / "blend" / "examples.jsonl") if row["origin"]["kind"] in dataset.MADE]  # type: ignore[index]
    found = {name: rows_of(folder / "jsonl" / f"{name}.jsonl") for name in ("train", "validation")}
    assert [row["id"] for row in found["train"]] == [row["id"] for row in made if row["id"] not in held_out]
    assert {row["id"] for row in found["validation"]} == {row["id"] for row in made if row["id"] in held_out}
    for name, rows in found.items():
        table = pyarrow.parquet.read_table(folder / "data" / f"{name}-00000-of-00001.parquet")
        assert table.to_pylist() == rows
        assert tuple(table.column_names) == dataset.COLUMNS


def test_the_card_names_what_a_hub_reads_and_where_the_rows_come_from(tmp_path: Path) -> None:
    text = (dataset.write_dataset(build(tmp_path)) / "README.md").read_text(encoding="utf-8")
    assert text.startswith('---\nlanguage: ["ur"]\nlicense: "')
    for part in (
        "  - split: train\n    path: data/train-*.parquet",
        "Arabic script, right to left",
        "| scripted |",
        "not reviewed by a native speaker",
        "rows in",
        "paid to providers",
        "| qa | 1 |",
    ):
        assert part in text, part


def test_no_person_and_no_ledger_is_in_any_file(tmp_path: Path) -> None:
    run = build(tmp_path)
    path = run / "blend" / "examples.jsonl"
    rows = rows_of(path)
    first = next(row for row in rows if row["origin"]["kind"] == "teacher")  # type: ignore[index]
    first["origin"] |= {
        "author": "Ayesha Khan",
        "reviewed_by": "Bilal Ahmed",
        "request": "9f31c0ffee",
        "model": "/home/ayesha/urdu",
    }  # type: ignore[operator]
    store.write_rows(path, rows)
    folder = dataset.write_dataset(run)
    whole = b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())
    for word in (b"Ayesha", b"Bilal", b"9f31c0ffee", b"ledger", b"home/ayesha", str(tmp_path).encode()):
        assert word not in whole, word
    published = [
        row for name in ("train", "validation") for row in rows_of(folder / "jsonl" / f"{name}.jsonl")
    ]
    assert [row["id"] for row in published if row["written_by"] == "a person" and row["reviewed"]] == [
        first["id"]
    ]


def test_a_question_to_a_native_text_is_told_apart_from_what_a_model_wrote(tmp_path: Path) -> None:
    run = build(tmp_path)
    for step in ("generate", "blend"):
        rows = rows_of(run / step / "examples.jsonl")
        first = next(row for row in rows if row["origin"]["kind"] == "teacher")  # type: ignore[index]
        first["origin"] |= {
            "strategy": "reverse",
            "source": "wiki#7",
            "licence": "CC BY-SA 4.0",
            "author": "Ayesha Khan",
        }  # type: ignore[operator]
        store.write_rows(run / step / "examples.jsonl", rows)
    folder = dataset.write_dataset(run)
    published = [
        row for name in ("train", "validation") for row in rows_of(folder / "jsonl" / f"{name}.jsonl")
    ]
    (reverse,) = [row for row in published if row["strategy"] == "reverse"]
    assert reverse["written_by"] == "a model, its output the source"
    assert (reverse["source"], reverse["licence"]) == ("wiki#7", "CC BY-SA 4.0")
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "| ur | teacher, reverse, scripted | CC BY-SA 4.0 | 1 |" in card
    assert "the output is the passage, word for word" in card
    assert "word for word" not in (dataset.write_dataset(build(tmp_path / "plain")) / "README.md").read_text(
        encoding="utf-8"
    )


def test_a_split_that_is_gone_leaves_no_file_behind(tmp_path: Path) -> None:
    run = build(tmp_path)
    dataset.write_dataset(run)
    store.write_rows(run / "blend" / "held_out.jsonl", ())
    left = {path.name for path in dataset.write_dataset(run).rglob("*") if path.is_file()}
    assert left == {"README.md", "train.jsonl", "train-00000-of-00001.parquet"}


def test_a_run_without_a_mixture_is_told_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="blend is not done"):
        dataset.write_dataset(made_up.build(tmp_path, until="review"))


def test_writing_again_gives_the_same_bytes(tmp_path: Path) -> None:
    run = build(tmp_path)
    files = [
        {path: path.read_bytes() for path in sorted(dataset.write_dataset(run).rglob("*")) if path.is_file()}
        for _ in range(2)
    ]
    assert files[0] == files[1]


def test_earlier_turns_are_published_in_both_formats(tmp_path: Path) -> None:
    run = build(tmp_path)
    path = run / "blend" / "examples.jsonl"
    turns = (Message(role="system", content="مختصر جواب دیں۔"), Message(role="user", content="سلام"))
    rows = [row.with_turns(turns) for row in store.read_models(path, Example)]
    store.write_rows(path, rows)
    folder = dataset.write_dataset(run)
    table = pyarrow.parquet.read_table(folder / "data" / "train-00000-of-00001.parquet")
    expected = [{"role": message.role, "content": message.content} for message in turns]
    assert table.to_pylist()[0]["turns"] == rows_of(folder / "jsonl" / "train.jsonl")[0]["turns"] == expected
