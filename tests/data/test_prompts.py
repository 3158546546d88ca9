"""What is asked for can be read: round trips, and the ways in which teachers stray from the format."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies

from alif.data import prompts
from alif.data.prompts import Candidate, read, write
from alif.language.pack import Pack
from alif.records import Dropped, Example, Origin

from .conftest import triples

LINES = strategies.sampled_from(
    [
        "Input:",
        "Output: 5",
        "Instruction: x",
        "###",
        "  ####  ",
        "\\Input: a",
        "\\\\###",
        "<noinput>",
        "20. 20",
        "```",
        "جواب: 42",
        "",
    ]
)
TEXT = strategies.lists(strategies.text(strategies.characters(exclude_categories=["Cs"], exclude_characters="\r")) | LINES).map(
    lambda lines: "\n".join(lines).strip()
)
TAGS = {"ہدایت": "instruction", "متن": "input", "جواب": "output"}


def texts(found: list[Candidate | Dropped]) -> list[tuple[str, str, str]]:
    assert all(isinstance(piece, Candidate) for piece in found), found
    return [(piece.instruction, piece.input, piece.output) for piece in found if isinstance(piece, Candidate)]


@given(strategies.lists(strategies.tuples(TEXT.filter(bool), TEXT, TEXT.filter(bool)), min_size=1, max_size=4))
def test_what_is_written_is_read_back(items: list[tuple[str, str, str]]) -> None:
    reply = "\n###\n".join(write(*item) for item in items)
    found = read(reply, "stop", TAGS)
    assert texts(found) == items
    assert not [piece.tolerances for piece in found if isinstance(piece, Candidate) and piece.tolerances]


def test_every_seed_of_every_task_comes_back(own: Pack) -> None:
    for task in own.tasks:
        items = [(row["instruction"], row["input"], row["output"]) for _, row in triples(own, f"seeds/{task}.jsonl")]
        assert len(items) >= 14
        assert texts(read("\n###\n".join(write(*item) for item in items), "stop", {})) == items


def test_the_demonstrations_of_a_request_are_in_the_format_that_is_read(own: Pack) -> None:
    rows = [
        Example.make("ur", task, r["instruction"], r["input"], r["output"], Origin(kind="seed"))
        for task, r in triples(own, "seeds/*.jsonl")
    ]
    for name, task in own.tasks.items():
        shown = [row for row in rows if row.task == name][:6]
        for wording in range(len(task.templates)):
            system, user = prompts.ask(task, own, shown, 20, wording)
            assert "20" in system.content
            assert "{{" not in system.content
            body = user.content.partition("\n\n")[2].rpartition("\n\n")[0]
            assert texts(read(body, "stop", {})) == [(row.instruction, row.input, row.output) for row in shown]


def test_the_form_that_each_wording_shows_is_one_and_the_same_and_is_read(own: Pack) -> None:
    for task in own.tasks.values():
        for wording in range(len(task.templates)):
            lines = prompts.instructions(task, own, 20, wording).split("\n")
            separator = lines.index("###")
            assert lines[separator - 3 : separator + 4] == FORMAT
            assert texts(read("\n".join(lines[separator - 3 : separator + 4]), "stop", {})) == [("…", "", "…"), ("…", "…", "…")]
            keys = [line.partition(":")[0] for line in lines if line.startswith(("Instruction:", "Input:", "Output:"))]
            assert keys == ["Instruction", "Input", "Output"] * 3


FORMAT = ["Instruction: …", "Input: <noinput>", "Output: …", "###", "Instruction: …", "Input: …", "Output: …"]
FORM = "Instruction: {}\nInput: <noinput>\nOutput: {}"


@pytest.mark.parametrize(
    ("reply", "tolerance"),
    [
        ("**Instruction:** a\n**Input:** <noinput>\n**Output:** b", "bold_keys"),
        ("**Instruction**: a\nInput: <noinput>\n**Output**: b", "bold_keys"),
        ("### Instruction: a\n### Input: <noinput>\n### Output: b", "heading_keys"),
        ("1. Instruction: a\nInput: <noinput>\nOutput: b", "numbering"),
        ("Instruction 1: a\nInput 1: <noinput>\nOutput 1: b", "numbering"),
        ("Instruction：a\nInput：<noinput>\nOutput：b", "wide_colon"),
        ("```\nInstruction: a\nInput: <noinput>\nOutput: b\n```", "code_fence"),
        ("INSTRUCTION: a\ninput: <noinput>\noutput: b", "letter_case"),
        ("Task: a\nInput: <noinput>\nAnswer: b", "other_keys"),
        ("Instruction: a\nResponse: b", "other_keys"),
        ("Instruction: a\nOutput: b", "no_input_key"),
        ("ہدایت: a\nمتن: <noinput>\nجواب: b", "translated_keys"),
        ("Here you are.\n###\nInstruction: a\nInput: <noinput>\nOutput: b", "preamble"),
        ("Here you are.\n\nInstruction: a\nInput: N/A\nOutput: b", "preamble"),
    ],
)
def test_tolerances_are_read_and_named(reply: str, tolerance: str) -> None:
    (found,) = read(reply, "stop", TAGS)
    assert isinstance(found, Candidate), found
    assert (found.instruction, found.input, found.output) == ("a", "", "b")
    assert tolerance in found.tolerances


def test_a_numbered_list_without_separators_is_split() -> None:
    reply = "\n\n".join(f"{n}. " + FORM.format(f"ask {n}", f"answer {n}\n{n} = {n}") for n in range(1, 4))
    found = read(reply, "stop", {})
    assert texts(found) == [(f"ask {n}", "", f"answer {n}\n{n} = {n}") for n in range(1, 4)]
    assert all({"numbering", "missing_separator"} <= set(piece.tolerances) for piece in found if isinstance(piece, Candidate))


def test_a_line_between_items_is_no_part_of_the_answer() -> None:
    reply = "\n---\n".join(FORM.format(f"ask {n}", f"answer {n}") for n in range(3))
    assert texts(read(reply, "stop", {})) == [(f"ask {n}", "", f"answer {n}") for n in range(3)]


def test_content_that_mentions_a_key_survives() -> None:
    """The original split on these words wherever they stood (original.md, fault 16)."""
    output = "A form has the parts Instruction: and Input: and Output: in it.\nجواب: 20. باقی\n20 - 5 = 15\nAnswer: 120.5"
    assert texts(read(FORM.format("What is a form?", output), "stop", TAGS)) == [("What is a form?", "", output)]


@pytest.mark.parametrize(
    ("reply", "finish", "reasons"),
    [
        ("", "stop", ["empty"]),
        (" \n ", "length", ["empty"]),
        ("I cannot do that.", "stop", ["unreadable"]),
        ("Instruction: a\nInput: b", "stop", ["missing_field"]),
        ("Instruction: a\nInput: b\nOutput:", "stop", ["missing_field"]),
        ("Instruction:\nInput: b\nOutput: c", "stop", ["missing_field"]),
        (f"{FORM.format('a', 'b')}\n###\nInstruction: c\nOut", "length", ["", "cut_off"]),
        (f"{FORM.format('a', 'b')}\n###\n{FORM.format('c', 'd')}", "length", ["", "cut_off"]),
        (f"{FORM.format('a', 'b')}\n###\n", "length", [""]),
        (f"{FORM.format('a', 'b')}\n\n{FORM.format('c', 'd')}", "length", ["", "cut_off"]),
        (f"{FORM.format('a', 'b')}", "content_filter", ["cut_off"]),
        (f"{FORM.format('a', 'b')}\n###\nnothing here\n###\n{FORM.format('c', 'd')}", "stop", ["", "unreadable", ""]),
    ],
)
def test_what_cannot_be_used_is_named(reply: str, finish: str, reasons: list[str]) -> None:
    found = read(reply, finish, {})
    assert [piece.reason if isinstance(piece, Dropped) else "" for piece in found] == reasons
    assert all(piece.raw is not None for piece in found if isinstance(piece, Dropped))


@given(strategies.text(), strategies.sampled_from(["stop", "length"]))
def test_anything_at_all_is_read_without_an_error(reply: str, finish: str) -> None:
    assert all(piece.instruction and piece.output for piece in read(reply, finish, TAGS) if isinstance(piece, Candidate))


@given(
    strategies.lists(
        strategies.sampled_from(
            [
                "Instruction: a",
                "Instruction:",
                "Input: <noinput>",
                "Input:  b ",
                "Output: c",
                "Output:",
                "###",
                "",
                "  ",
                "d",
                "  Instruction: e",
                "Output: \\Input: f",
                "   \\Output: g",
                "\\###",
                "**Output:** h",
                "```",
                "None",
            ]
        ),
        max_size=12,
    ),
    strategies.sampled_from(["stop", "length"]),
)
def test_the_asked_format_is_read_at_once_as_the_other_readings_would(lines: list[str], finish: str) -> None:
    reply = "\n".join(lines)
    found = read(reply, finish, TAGS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prompts, "_plain", lambda piece, common: None)
        assert read(reply, finish, TAGS) == found


def test_a_reply_in_the_asked_format_takes_the_short_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prompts, "_best", None)
    items = [("الف", "", "ب\nInput is not a key here"), ("ج", "د", "ہ")]
    assert texts(read("\n###\n".join(write(*item) for item in items), "stop", TAGS)) == items
