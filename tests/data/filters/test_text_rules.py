"""Faults of texts whoever wrote them, and texts that only look like faults."""

from __future__ import annotations

import pytest

from alif.data.filters.text_rules import find_empty_output, find_text_fault, row_texts
from alif.language.pack import load_pack
from alif.records import Message
from tests.data.conftest import row

UR = load_pack("ur")
CITY = "لاہور پاکستان کا شہر ہے۔"


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        (f"{CITY} \ufffd", "replacement_char"),
        (CITY.encode().decode("latin-1"), "garbled_text"),
        ("???? ?? ????", "garbled_text"),
        (f"{CITY}<|im_end|>", "control_token"),
        (f"{CITY}\n##\n18. Instruction: Name a city.\n18. Output: Lahore", "merged_items"),
        (f"{CITY}\n\n###\nInstruction: Name a city.", "merged_items"),
        (f"{CITY}\nInstruction: Name a city.\nInput: <noinput>\nOutput: Lahore", "merged_items"),
        (f"{CITY}\n19. ہدایت: ایک شہر بتائیں", "merged_items"),
    ],
)
def test_each_fault_has_its_reason(output: str, reason: str) -> None:
    for broken in (row("qa", "سوال", output), row("qa", output, CITY), row("qa", "سوال", CITY, output)):
        fault = find_text_fault(row_texts(broken), UR)
        assert fault
        assert fault[0] == reason
    before = row("qa", "سوال", CITY).with_turns((Message(role="system", content=output),))
    assert find_text_fault(row_texts(before), UR)


@pytest.mark.parametrize(
    "output",
    [
        CITY,
        "Question: What is a rope?\nAnswer: A cord.\nQuestion: What is a boat?\nAnswer: A vessel.",
        "Instruction: read it twice.",
        "The label is written so: Instruction: and then the text, Output: and then the answer.",
        "1. Input: a number\n2. Output: its square",
        "What???? Really?",
    ],
)
def test_these_are_texts(output: str) -> None:
    assert find_text_fault(row_texts(row("qa", "سوال", output)), UR) is None


@pytest.mark.parametrize("output", ["N/A", "<noinput>", "—", "null", "(empty)", "خالی", "No input provided."])
def test_an_output_that_says_nothing_is_empty_unless_it_was_offered(output: str) -> None:
    assert find_empty_output(row("qa", "سوال پوچھا", output), UR)
    offered = row("qa", f"ہاں، نہیں یا {output} لکھیں", output)
    assert bool(find_empty_output(offered, UR)) == (output == "—")
    assert find_empty_output(row("qa", "سوال", f"{output} {CITY}"), UR) == ""
