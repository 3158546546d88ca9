"""What is asked for can be read: round trips, and the ways in which teachers stray from the format."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, strategies

from alif import store
from alif.language import normalisation
from alif.language import pack as packs
from alif.language.replies import item_format
from alif.language.replies.control_tokens import find_control_token
from alif.language.replies.item_format import Candidate, read_items, write_item
from alif.records import Dropped

OWN = packs.load_pack("ur")
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
        "\\No input.",
        "N/A",
        "20. 20",
        "```",
        "جواب: 42",
        "",
    ]
)
TEXT = strategies.lists(
    strategies.text(strategies.characters(exclude_categories=["Cs"], exclude_characters="\r")) | LINES
).map(lambda lines: normalisation.normalise_text("\n".join(lines), OWN).strip())
TEXT = TEXT.filter(lambda text: not text.endswith(" ###"))  # nobody's answer ends so: it is a separator
TEXT = TEXT.filter(lambda text: not find_control_token(text))  # such a row is dropped


def texts(found: list[Candidate | Dropped]) -> list[tuple[str, str, str]]:
    assert all(isinstance(piece, Candidate) for piece in found), found
    return [(piece.instruction, piece.input, piece.output) for piece in found if isinstance(piece, Candidate)]


@given(
    strategies.lists(strategies.tuples(TEXT.filter(bool), TEXT, TEXT.filter(bool)), min_size=1, max_size=4)
)
def test_what_is_written_is_read_back(items: list[tuple[str, str, str]]) -> None:
    reply = "\n###\n".join(write_item(*item) for item in items)
    found = read_items(reply, "stop", OWN)
    assert texts(found) == items
    assert not [piece.tolerances for piece in found if isinstance(piece, Candidate) and piece.tolerances]


def test_an_input_in_the_packs_words_for_none_is_not_read_back() -> None:
    said = OWN.keys.no_input[0]
    assert texts(read_items(write_item("a", said, "b"), "stop", OWN)) == [("a", "", "b")]
    assert texts(read_items(write_item("a", f"{said} a", "b"), "stop", OWN)) == [("a", f"{said} a", "b")]


def test_every_seed_of_every_task_comes_back() -> None:
    for task in OWN.tasks:
        rows = [row for _, row in store.read_rows(OWN.folder / "seeds" / f"{task}.jsonl")]
        items = [(row["instruction"], row["input"], row["output"]) for row in rows]
        assert len(items) >= 14
        written = [write_item(*item) for item in items]
        assert texts(read_items("\n###\n".join(written), "stop", OWN)) == items
        numbered = "\n\n".join(f"**Task {number}**\n{item}" for number, item in enumerate(written, 1))
        assert texts(read_items(f"{numbered}\n\nI hope these tasks help!", "stop", OWN)) == items
        assert texts(read_items("\n\n".join(f"```\n{item}\n```" for item in written), "stop", OWN)) == items


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
        ("ہدایت: a\nمواد: <noinput>\nجواب: b", "translated_keys"),
        ("Here you are.\n###\nInstruction: a\nInput: <noinput>\nOutput: b", "preamble"),
        ("Here you are.\n\nInstruction: a\nInput: N/A\nOutput: b", "preamble"),
        ("- Instruction: a\n- Input: <noinput>\n- Output: b", "bullets"),
        ("* **Instruction:** a\n* **Input:** <noinput>\n* **Output:** b", "bullets"),
        ("*Instruction:* a\n*Input:* <noinput>\n*Output:* b", "marked_keys"),
        ("`Instruction:` a\n`Input:` `<noinput>`\n`Output:` b", "marked_keys"),
        ("**Instruction: a**\n**Input: <noinput>**\n**Output: b**", "bold_keys"),
        ("**1.** Instruction: a\nInput: <noinput>\nOutput: b", "numbering"),
        ("۱۔ Instruction: a\nInput: <noinput>\nOutput: b", "numbering"),
        ("١. Instruction: a\nInput: <noinput>\nOutput: b", "numbering"),
        ("১. Instruction: a\nInput: <noinput>\nOutput: b", "numbering"),
        ("ہدایات: a\nان پُٹ: <noinput>\nآؤٹ پُٹ: b", "translated_keys"),
        (
            "<think>\nInstruction: c\nOutput: d\n</think>\n\nInstruction: a\nInput: <noinput>\nOutput: b",
            "thinking",
        ),
        ("One task.\n</think>\nInstruction: a\nInput: <noinput>\nOutput: b", "thinking"),
        (
            "Instruction: a\nInput: <noinput>\nOutput: b\n\nI hope these tasks help! Do ask for more.",
            "closing_remark",
        ),
        ("Instruction: a\nInput: <noinput>\nOutput: b\n\nامید ہے یہ کام مفید ہوں گے!", "closing_remark"),
        ("Instruction: a\nInput: <noinput>\nOutput: b\n###\nI hope these tasks help!", "closing_remark"),
        ("Instruction: a\nInput: <noinput>\nOutput: b ###", "other_separator"),
        ("Here you are:\n```\nInstruction: a\nInput: <noinput>\nOutput: b\n```\nDone.", "code_fence"),
        ('[{"instruction": "a", "input": "", "output": "b"}]', "json"),
        (
            'Here you are:\n```json\n{"tasks": [{"Instruction": "a", "Input": "<noinput>", "Answer": "b"}]}',
            "json",
        ),
    ],
)
def test_tolerances_are_read_and_named(reply: str, tolerance: str) -> None:
    (found,) = read_items(reply, "stop", OWN)
    assert isinstance(found, Candidate), found
    assert (found.instruction, found.input, found.output) == ("a", "", "b")
    assert tolerance in found.tolerances


@pytest.mark.parametrize("mark", ["\u200f", "\u200e", "\u061c", "\ufeff"], ids=["RLM", "LRM", "ALM", "BOM"])
def test_marks_that_nobody_sees_are_no_part_of_a_key(mark: str) -> None:
    reply = "\n".join(
        mark + line
        for line in [*FORM.format("a", "b").split("\n"), "###", *FORM.format("c", "d").split("\n")]
    )
    assert texts(read_items(reply, "stop", OWN)) == [("a", "", "b"), ("c", "", "d")]


@pytest.mark.parametrize(
    "said",
    [
        "`<noinput>`",
        "<NOINPUT>",
        "No input",
        "No input.",
        "&lt;noinput&gt;",
        "کوئی نہیں",
        "<کوئی ان پٹ نہیں>",
        "(none)",
        "N/A",
        "",
    ],
)
def test_there_are_many_ways_to_say_that_there_is_no_input(said: str) -> None:
    assert texts(read_items(f"Instruction: a\nInput: {said}\nOutput: b", "stop", OWN)) == [("a", "", "b")]
    assert texts(read_items(f"**Instruction:** a\n**Input:** {said}\n**Output:** b", "stop", OWN)) == [
        ("a", "", "b")
    ]


def tolerances(reply: str) -> list[tuple[str, ...]]:
    return [piece.tolerances for piece in read_items(reply, "stop", OWN) if isinstance(piece, Candidate)]


@pytest.mark.parametrize("said", ["None", "کوئی نہیں", ""])
def test_each_of_them_but_the_asked_one_is_a_liberty(said: str) -> None:
    plain, dressed = (
        "Instruction: a\nInput: {}\nOutput: b",
        "**Instruction:** a\n**Input:** {}\n**Output:** b",
    )
    assert tolerances(plain.format(said)) == [("no_input_words",)]
    assert tolerances(plain.format("<noinput>")) == [()]
    assert tolerances(dressed.format(said)) == [("bold_keys", "no_input_words")]
    assert tolerances(dressed.format("<noinput>")) == [("bold_keys",)]


@pytest.mark.parametrize(("said", "needed"), [("None", ["no_input_words"]), ("<noinput>", []), ("", [])])
def test_json_may_leave_an_input_empty(said: str, needed: list[str]) -> None:
    assert tolerances(f'{{"instruction": "a", "input": "{said}", "output": "b"}}') == [("json", *needed)]


@pytest.mark.parametrize("said", ["\\<noinput>", "None of them came.", "?", "No. 5", "کوئی نہیں آیا"])
def test_an_input_that_resembles_them_stays(said: str) -> None:
    assert texts(read_items(f"Instruction: a\nInput: {said}\nOutput: b", "stop", OWN)) == [
        ("a", said.removeprefix("\\"), "b")
    ]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("**Task 1**\n", "\n\n**Task 2**\n"),
        ("### Task 1\n", "\n\n### Task 2\n"),
        ("Two tasks:\n\n**نمونہ ۱**\n\n", "\n\n**نمونہ ۲**\n\n"),
        ("1.\n", "\n2.\n"),
        ("**Task 1**\n", "\n\n**Task 2**\n###\n"),
        ("**Task 1**\n###\n", "\n###\n**Task 2**\n\n###\n"),
        ("## Task 7: bread\n", "\n\n## Task 8: water\n"),
        ("```\n", "\n```\n\n```\n"),
        ("```text\n", "\n```\n###\n```text\n"),
        ("Task 1:\n```\n", "\n```\n\nTask 2:\n```\n"),
        ("", " ###\n"),
        ("", " ###\n\n"),
        ("", "\n---\n"),
    ],
)
def test_what_stands_between_items_is_no_part_of_an_answer(first: str, second: str) -> None:
    end = "\n```" if "```" in first else ""
    for answer in ("b", "b:\n\n```python\nprint(1)\n```", "1. b\n2. c", "b\n**Task 9**"):
        reply = f"{first}{FORM.format('a', answer)}{second}{FORM.format('c', answer)}{end}"
        assert texts(read_items(reply, "stop", OWN)) == [("a", "", answer), ("c", "", answer)]


@pytest.mark.parametrize(
    "answer",
    [
        "Write:\n```python\nprint(1)\n```",
        "```\nx\n```",
        "Two:\n```\nx\n```\nand\n```\ny\n```\nThat is all.",
        "a\n**2**",
        "a\n\n**The end**",
        "2.",
        "# Title\n2. Step",
        "Dear Sir,\n\nthe report is done.\n\nLet me know if you need more.",
        "I hope these tasks help, he said.\nHe left.",
        "امید ہے یہ کام مفید ثابت ہوگا۔",
        "Write </think> and <think> so.",
        "a #",
        "#",
    ],
)
@pytest.mark.parametrize("between", ["\n###\n", "\n\n"])
def test_an_answer_keeps_what_is_its_own(answer: str, between: str) -> None:
    reply = between.join(FORM.format(name, answer) for name in "abc")
    assert texts(read_items(reply, "stop", OWN)) == [(name, "", answer) for name in "abc"]


@pytest.mark.parametrize(
    "remark",
    [
        "I hope these tasks help!",
        "So, I hope\nthese tasks help.",
        "I hope these tasks help!\nDo ask for more.",
        "I hope these tasks help!\nI hope these tasks help!",
    ],
)
def test_a_remark_leaves_the_lines_above_it_in_its_paragraph(remark: str) -> None:
    letter = "Dear Sir,\n\nAll is well.\n\nYours,\nI hope"
    assert texts(read_items(f"{FORM.format('a', letter)}\n{remark}", "stop", OWN)) == [("a", "", letter)]


def test_a_paragraph_that_holds_a_key_is_no_remark() -> None:
    reply = f"{FORM.format('a', 'b')}\n\n{FORM.format('c', 'I hope these tasks help!')}"
    assert texts(read_items(reply, "stop", OWN)) == [("a", "", "b"), ("c", "", "I hope these tasks help!")]


def test_a_remark_of_a_reply_that_did_not_end_is_cut_off_with_its_item() -> None:
    found = read_items(f"{FORM.format('a', 'b')}\n\nI hope these tasks help! Let me", "length", OWN)
    assert [piece.reason for piece in found if isinstance(piece, Dropped)] == ["truncated"]


def test_json_is_read_as_far_as_it_goes() -> None:
    whole = '{"instruction": "a", "input": null, "output": 4}, {"instruction": "c", "output": ""}'
    first, second, rest = read_items(f'[{whole}, {{"instruction": "e", "out', "length", OWN)
    assert texts([first]) == [("a", "", "4")]
    assert [piece.reason for piece in (second, rest) if isinstance(piece, Dropped)] == [
        "missing_field",
        "truncated",
    ]
    for reply in ('[{"a": "b"}]', "[1]", "{", '{"a": {"instruction": "b"}}', "[" * 99_999, '{"a":' * 99_999):
        (none,) = read_items(reply, "stop", OWN)
        assert isinstance(none, Dropped)
        assert none.reason == "unparsable"


ONE, TWO = ('{"instruction": "a", "output": "b"}', '{"instruction": "c", "output": "d"}')


@pytest.mark.parametrize(
    "reply",
    [
        f"```json\n[{ONE}]\n```\n\n```json\n[{TWO}]\n```",
        f"[{ONE}]\n\n[{TWO}]",
        f"{ONE}\n---\n{TWO}",
        f"Task [1]:\n{ONE}\nTask [2]:\n{TWO}\nThat is all.",
        f'{{"tasks": [{ONE}], "more": [{TWO}]}}',
        f'```json\n{{"tasks": [{ONE}]}}\n```\n\n```json\n{{"tasks": [{TWO}]}}\n```',
    ],
)
def test_json_is_read_behind_its_first_list_too(reply: str) -> None:
    assert texts(read_items(reply, "stop", OWN)) == [("a", "", "b"), ("c", "", "d")]
    assert texts(read_items(reply, "length", OWN)) == [("a", "", "b"), ("c", "", "d")]


@pytest.mark.parametrize(
    ("rest", "reason"), [('{"title": "c"}', "missing_field"), ("{title: c}", "unparsable")]
)
def test_json_that_is_no_item_is_named_wherever_it_stands(rest: str, reason: str) -> None:
    first, dropped = read_items(f"```json\n[{ONE}]\n```\nand\n{rest}", "stop", OWN)
    assert texts([first]) == [("a", "", "b")]
    assert isinstance(dropped, Dropped)
    assert (dropped.raw, dropped.reason) == (rest, reason)


def test_a_numbered_list_without_separators_is_split() -> None:
    reply = "\n\n".join(f"{n}. " + FORM.format(f"ask {n}", f"answer {n}\n{n} = {n}") for n in range(1, 4))
    found = read_items(reply, "stop", OWN)
    assert texts(found) == [(f"ask {n}", "", f"answer {n}\n{n} = {n}") for n in range(1, 4)]
    assert all(
        {"numbering", "missing_separator"} <= set(piece.tolerances)
        for piece in found
        if isinstance(piece, Candidate)
    )


def test_a_line_between_items_is_no_part_of_the_answer() -> None:
    reply = "\n---\n".join(FORM.format(f"ask {n}", f"answer {n}") for n in range(3))
    assert texts(read_items(reply, "stop", OWN)) == [(f"ask {n}", "", f"answer {n}") for n in range(3)]


def test_content_that_mentions_a_key_survives() -> None:
    """The original split on these words wherever they stood (original.md, fault 16)."""
    output = "A form has the parts Instruction: and Input: and Output: in it.\nجواب: 20. باقی"
    output += "\n20 - 5 = 15\nAnswer: 120.5"
    assert texts(read_items(FORM.format("What is a form?", output), "stop", OWN)) == [
        ("What is a form?", "", output)
    ]


@pytest.mark.parametrize(
    ("reply", "finish", "reasons"),
    [
        ("", "stop", ["empty"]),
        (" \n ", "length", ["empty"]),
        ("<think>\nHm.\n</think>\n", "stop", ["empty"]),
        ("<think>\nInstruction: a\nOutput: b\n###\nInstruction: c\nOutput: d", "length", ["truncated"]),
        ("<think>\nInstruction: a\nOutput: b\n###\nInstruction: c\nOutput: d", "stop", ["empty"]),
        ("I cannot do that.", "stop", ["unparsable"]),
        ("Instruction: a\nInput: b", "stop", ["missing_field"]),
        ("Instruction: a\nInput: b\nOutput:", "stop", ["missing_field"]),
        ("Instruction:\nInput: b\nOutput: c", "stop", ["missing_field"]),
        (f"{FORM.format('a', 'b')}\n###\nInstruction: c\nOut", "length", ["", "truncated"]),
        (f"{FORM.format('a', 'b')}\n###\n{FORM.format('c', 'd')}", "length", ["", "truncated"]),
        (f"{FORM.format('a', 'b')}\n###\n", "length", [""]),
        (f"{FORM.format('a', 'b')}\n\n{FORM.format('c', 'd')}", "length", ["", "truncated"]),
        (f"{FORM.format('a', 'b')}", "content_filter", ["truncated"]),
        (
            f"{FORM.format('a', 'b')}\n###\nnothing here\n###\n{FORM.format('c', 'd')}",
            "stop",
            ["", "unparsable", ""],
        ),
        (
            f"Write a poem\nInput: <noinput>\nOutput: roses\n###\n{FORM.format('a', 'b')}",
            "stop",
            ["unparsable", ""],
        ),
        (f"Input: x\nOutput: y\n###\n{FORM.format('a', 'b')}", "stop", ["unparsable", ""]),
        (f"**Output:** y\n###\n{FORM.format('a', 'b')}", "stop", ["unparsable", ""]),
    ],
)
def test_what_cannot_be_used_is_named(reply: str, finish: str, reasons: list[str]) -> None:
    found = read_items(reply, finish, OWN)
    assert [piece.reason if isinstance(piece, Dropped) else "" for piece in found] == reasons
    assert all(piece.raw is not None for piece in found if isinstance(piece, Dropped))


@given(strategies.text(), strategies.sampled_from(["stop", "length"]))
def test_anything_at_all_is_read_without_an_error(reply: str, finish: str) -> None:
    assert all(
        piece.instruction and piece.output
        for piece in read_items(reply, finish, OWN)
        if isinstance(piece, Candidate)
    )


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
    found = read_items(reply, finish, OWN)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(item_format, "_read_strict_item", lambda piece, pack, common: None)
        assert read_items(reply, finish, OWN) == found


def test_a_reply_in_the_asked_format_takes_the_short_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(item_format, "_split_items", None)
    items = [("الف", "", "ب\nInput is not a key here"), ("ج", "د", "ہ")]
    assert texts(read_items("\n###\n".join(write_item(*item) for item in items), "stop", OWN)) == items


LONG = """
from alif.language.pack import load_pack
from alif.language.replies.item_format import read_items

own = load_pack("ur")
for piece in (*" #*_-`1.:<[{", "\\t", '{"a":', "\\u200f", "x ", "###"):
    run = piece * (1_000_000 // len(piece))
    for form in ("{}", "Instruction: a\\nOutput{}x", "Instruction: a\\nInput: b\\nOutput: c{}x"):
        read_items(form.replace("{}", run), "stop", own)
"""


def test_a_line_of_a_megabyte_is_read_in_a_moment() -> None:
    """A pattern that tries every division of a run of blanks would need hours."""
    subprocess.run([sys.executable, "-c", LONG], check=True, timeout=60)


def test_a_reply_on_one_line_with_escaped_line_ends_is_read() -> None:
    item = r"Instruction: پل کب بنا؟\nInput: <noinput>\nOutput: 1890 میں۔\n###\n"
    first, second = read_items(item + item.replace("پل", "مسجد"), "stop", OWN)
    assert isinstance(first, Candidate)
    assert isinstance(second, Candidate)
    assert (first.output, second.instruction) == ("1890 میں۔", "مسجد کب بنا؟")
    assert "escaped_newlines" in first.tolerances
    (kept,) = read_items(r"Instruction: a" + "\n" + r"Output: print('a\nb')", "stop", OWN)
    assert isinstance(kept, Candidate)
    assert kept.output == r"print('a\nb')"
