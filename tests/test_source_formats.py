"""Shapes of published data: cells and conversations."""

from __future__ import annotations

from pathlib import Path

from alif.source_formats import read_cells, read_messages


def test_cells_come_with_the_line_that_they_end_on(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('a,b\n"one\ntwo",3\n\n4,"5, 6"\n', encoding="utf-8")
    assert list(read_cells(path, ",")) == [(1, ["a", "b"]), (3, ["one\ntwo", "3"]), (5, ["4", "5, 6"])]


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
