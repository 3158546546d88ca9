"""Rules for the texts of any row, whoever wrote it: a teacher, a translator, the authors of a published set.

    find_text_fault      letters lost or garbled, a control token, another item merged into the texts
    find_empty_output    "N/A", "(empty)", "—": an output that says that there is none

Source: the faults that gururise/AlpacaDataCleaned (README.md, points 2 to 7) corrects by hand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from alif.data.filters.filter_context import prompt_of
from alif.language import text
from alif.language.garbled_text import find_garbled_text
from alif.language.pack import Pack
from alif.language.replies.control_tokens import find_control_token
from alif.language.replies.field_labels import label_styles, read_label
from alif.language.replies.no_input import says_nothing
from alif.records import Example

__all__ = ["find_empty_output", "find_text_fault", "row_texts"]

_RULE = re.compile(r"\s*(?:[-=*_]{2,}|#{1,6})\s*")
"""A line between two items."""


def row_texts(row: Example) -> dict[str, str]:
    """Return the texts of a row by what they are, earlier turns included."""
    turns = {f"turn {number}": turn.content for number, turn in enumerate(row.turns, 1)}
    return {"instruction": row.instruction, "input": row.input, "output": row.output, **turns}


def find_text_fault(texts: Mapping[str, str], pack: Pack) -> tuple[str, str] | None:
    """Return (reason, evidence) of the first fault in texts, by what they are, or None."""
    rules: tuple[tuple[str, Callable[[str], str]], ...] = (
        ("replacement_char", lambda value: "U+FFFD" if "\ufffd" in value else ""),
        ("garbled_text", find_garbled_text),
        ("control_token", find_control_token),
        ("merged_items", lambda value: _find_merged_item(value, pack)),
    )
    for reason, rule in rules:
        for key, value in texts.items():
            if evidence := rule(value):
                return reason, f"{evidence} in {key}"
    return None


def find_empty_output(row: Example, pack: Pack) -> str:
    """Find an output that says that there is none, unless its prompt offers that: "yes, no or none?"."""
    if not says_nothing(row.output, pack):
        return ""
    named = text.split_words(row.output, pack) and text.find_phrase(prompt_of(row), (row.output,), pack)
    return "" if named else f"the output says nothing: {row.output}"


def _find_merged_item(value: str, pack: Pack) -> str:
    """Find the label of another item's instruction: numbered, after a rule, or with an output behind it."""
    styles = [style for style in label_styles(pack) if not style.strict and style.tolerance != "other_keys"]
    found, above = "", "text"
    for line in value.split("\n"):
        label = next((one for style in styles if (one := read_label(line, style))), None)
        if label and label.field == "instruction":
            if "numbering" in label.tolerances or _RULE.fullmatch(above):
                return line.strip()
            found = line.strip()
        elif label and label.field == "output" and found:
            return found
        above = line if line.strip() else above
    return ""
