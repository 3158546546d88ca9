"""Data files of all kinds: good rows are read, bad rows are named, unreadable files are refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from alif import sources
from alif.errors import DataError
from alif.language.pack import load_pack
from alif.records import Document, Dropped, Example, Kind

KIND: Kind = "source"


def write(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text, encoding="utf-8")
    return name


def read(folder: Path, name: str) -> list[Example | Dropped]:
    return list(
        sources.read_examples((name,), str(folder), language="xx", task="t", kind=KIND, licence="MIT")
    )


@pytest.mark.parametrize(
    "line",
    [
        '{"instruction": "a", "input": "b", "output": "c"}',
        '{"instruction": "a", "context": "b", "response": "c"}',
        '{"prompt": "a", "input": "b", "completion": "c"}',
        '{"id": "s", "instruction": "a", "instances": [{"input": "b", "output": "c"}]}',
    ],
)
def test_the_usual_names_of_the_three_fields_are_read(tmp_path: Path, line: str) -> None:
    (row,) = read(tmp_path, write(tmp_path, "rows.jsonl", line + "\n"))
    assert isinstance(row, Example)
    assert (row.instruction, row.input, row.output, row.language, row.task) == ("a", "b", "c", "xx", "t")
    assert row.origin.licence == "MIT"
    assert row.origin.source.startswith("rows#")


def test_a_bad_row_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    lines = [
        '{"instruction": "a", "output": "b"}',
        "{",
        '{"instruction": "a"}',
        '{"instruction": 3, "output": "b"}',
    ]
    first, *bad = read(tmp_path, write(tmp_path, "rows.jsonl", "\n".join(lines)))
    assert isinstance(first, Example)
    assert [row.reason for row in bad if isinstance(row, Dropped)] == [
        "unparsable",
        "missing_field",
        "missing_field",
    ]
    assert all(
        f"rows.jsonl:{number}" in row.evidence
        for number, row in enumerate(bad, 2)
        if isinstance(row, Dropped)
    )


def test_a_pattern_that_matches_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\*.jsonl: no such file"):
        sources.resolve_paths(("none*.jsonl",), str(tmp_path))


def test_a_path_may_hold_the_signs_of_a_pattern_and_the_home_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "data[1]"
    folder.mkdir()
    for name in ("a[1].txt", "a1.txt", "b.txt"):
        write(folder, name, name)
    monkeypatch.setenv("HOME", str(tmp_path))

    def names(pattern: str, folder: str) -> list[str]:
        return [path.name for path in sources.resolve_paths((pattern,), folder)]

    assert names("a[1].txt", str(folder)) == names("~/data[1]/a[1].txt", "/nowhere") == ["a[1].txt"]
    assert names("a*.txt", str(folder)) == names("a*.txt", "~/data[1]") == ["a1.txt", "a[1].txt"]
    assert names("[b].txt", str(folder)) == ["b.txt"]
    found = sources.list_sources(("a*.txt",), str(folder))
    rows = sources.read_rows(sum(found.values(), ()), "")
    assert [row.name for row in rows if isinstance(row, sources.Row)] == ["a1", "a[1]"]


def test_sources_keep_their_names_and_order(tmp_path: Path) -> None:
    for name in ("b.txt", "a.txt"):
        write(tmp_path, name, f"{name} one\n\n{name} two\n")
    found = list(sources.read_documents(("*.txt",), str(tmp_path), language="xx"))
    assert [(row.source, row.text) for row in found if isinstance(row, Document)] == [
        ("a", "a.txt one"), ("a", "a.txt two"), ("b", "b.txt one"), ("b", "b.txt two"),
    ]  # fmt: skip


def test_a_local_data_set_folder_is_read_as_the_hub_would(tmp_path: Path) -> None:
    pytest.importorskip("datasets")
    folder = tmp_path / "set"
    folder.mkdir()
    write(folder, "train.jsonl", '{"text": "ایک"}\n{"text": "دو"}\n')
    found = list(sources.read_documents((f"hub:{folder}",), "", language="xx"))
    assert [row.text for row in found if isinstance(row, Document)] == ["ایک", "دو"]
    (second,) = sources.read_documents((f"hub:{folder}#train[1:]",), "", language="xx")
    assert isinstance(second, Document)
    assert second.text == "دو"
    for missing in (f"hub:{tmp_path / 'nothing'}", f"hub:{folder}#test"):
        with pytest.raises(DataError, match="cannot be loaded"):
            list(sources.read_documents((missing,), "", language="xx"))


@pytest.mark.shared
def test_broken_rows_of_the_messy_file_are_reported_by_number(shared_data: Path) -> None:
    found = list(sources.read_rows(("messy_dev/broken.jsonl",), str(shared_data)))
    good = [row for row in found if isinstance(row, sources.Row)]
    bad = [row for row in found if isinstance(row, Dropped)]
    assert len(good) + len(bad) == 59
    assert len(bad) == 9
    assert all("broken.jsonl:" in row.evidence for row in bad)


@pytest.mark.shared
def test_a_csv_with_mark_and_line_breaks_has_its_forty_records(shared_data: Path) -> None:
    found = list(sources.read_rows(("messy_dev/csv_bom_multiline.csv",), str(shared_data)))
    assert len(found) == 40
    assert all(isinstance(row, sources.Row) for row in found)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("win1256.txt", "win1256.txt:1: not UTF-8"),
        ("invalid_utf8_bytes.txt", "invalid_utf8_bytes.txt:1: not UTF-8"),
        ("page.html", "no reader for .html files"),
    ],
)
def test_files_that_are_not_readable_yet_are_refused_with_a_sentence(
    shared_data: Path, name: str, sentence: str
) -> None:
    with pytest.raises(DataError, match=sentence):
        list(sources.read_documents((f"messy_dev/{name}",), str(shared_data), language="ur"))


CONVERSATION = [("system", "s"), ("user", "q"), ("assistant", "a"), ("user", "r"), ("assistant", "b")]


@pytest.mark.parametrize(
    "values",
    [
        {"messages": [{"role": role, "content": said} for role, said in CONVERSATION]},
        {
            "conversations": [
                {"from": {"user": "human", "assistant": "gpt"}.get(role, role), "value": said}
                for role, said in CONVERSATION
            ]
        },
    ],
    ids=["messages", "ShareGPT"],
)
def test_a_conversation_is_its_last_exchange_and_earlier_turns(
    tmp_path: Path, values: dict[str, object]
) -> None:
    (row,) = read(tmp_path, write(tmp_path, "rows.jsonl", json.dumps(values)))
    assert isinstance(row, Example)
    assert (row.instruction, row.input, row.output) == ("r", "", "b")
    assert [(message.role, message.content) for message in row.turns] == CONVERSATION[:3]
    kept = write(tmp_path, "kept.jsonl", row.model_dump_json())
    (again,) = read(tmp_path, kept)
    assert isinstance(again, Example)
    assert (again.id, again.turns) == (row.id, row.turns), "our own format is read back"


def test_a_system_prompt_is_kept(tmp_path: Path) -> None:
    values = {"system_prompt": "Be brief.", "question": "q", "response": "a"}
    (row,) = read(tmp_path, write(tmp_path, "orca.jsonl", json.dumps(values)))
    (plain,) = read(tmp_path, write(tmp_path, "plain.jsonl", json.dumps(values | {"system_prompt": ""})))
    assert isinstance(row, Example)
    assert isinstance(plain, Example)
    assert [(message.role, message.content) for message in row.turns] == [("system", "Be brief.")]
    assert plain.turns == ()
    assert plain.id != row.id


@pytest.mark.parametrize("roles", ["user", "user user assistant", "user assistant user", "tool assistant"])
def test_a_conversation_out_of_turn_is_dropped(tmp_path: Path, roles: str) -> None:
    values = {"messages": [{"role": role, "content": "x"} for role in roles.split()]}
    (row,) = read(tmp_path, write(tmp_path, "rows.jsonl", json.dumps(values)))
    assert isinstance(row, Dropped)
    assert "rows.jsonl:1: a conversation needs" in row.evidence


def test_pack_stands_for_the_files_that_the_reader_names() -> None:
    pack = load_pack("en")
    files = sources.PackFiles(pack, ("demo/rows.jsonl",))
    rows = [row for row in sources.read_rows(("pack",), "", files) if isinstance(row, sources.Row)]
    assert rows
    assert {(row.name, row.pack) for row in rows} == {("rows", pack)}
    assert list(sources.read_rows(("pack",), "")) == [], "nothing where the reader names no file"


def test_the_questions_of_a_pack_are_those_of_the_packs_that_have_some() -> None:
    english, swahili = load_pack("en"), load_pack("sw")
    assert [files.pack for files in sources.choice_files(swahili, english, english)] == [english]
    with pytest.raises(DataError, match=r"sw/choices.jsonl: no such file"):
        sources.choice_files(swahili)
