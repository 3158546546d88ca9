"""Labels are recognised in the style in which they are written, with their deviations named."""

from __future__ import annotations

import pytest

from alif.language.pack import load_pack
from alif.language.replies.field_labels import label_styles, read_label

UR, EN = load_pack("ur"), load_pack("en")
STRICT, OWN, OTHER, TRANSLATED = label_styles(UR)


def test_a_pack_without_translated_labels_has_three_styles() -> None:
    assert len(label_styles(EN)) == 3
    assert label_styles(EN) is label_styles(EN)


@pytest.mark.parametrize(
    ("line", "field", "rest", "tolerances"),
    [
        ("Output: b", "output", "b", set()),
        ("**Output:** b", "output", "b", {"bold_keys"}),
        ("**Output: b**", "output", "b", {"bold_keys"}),
        ("Output: **b**", "output", "**b**", set()),
        ("2. Input: c", "input", "c", {"numbering"}),
        ("### INPUT： c", "input", "c", {"heading_keys", "letter_case", "wide_colon"}),
    ],
)
def test_decorated_labels(line: str, field: str, rest: str, tolerances: set[str]) -> None:
    label = read_label(line, OWN)
    assert label is not None
    assert (label.field, label.rest, label.tolerances) == (field, rest, tolerances)


def test_each_style_has_its_words() -> None:
    assert read_label("**Output:** b", STRICT) is None
    assert read_label("Answer: b", OWN) is None
    assert OTHER.starts_item("Task: a")
    assert not OTHER.starts_item("Answer: b")
    translated = read_label("آؤٹ پُٹ: b", TRANSLATED)
    assert translated is not None
    assert (translated.field, translated.tolerances) == ("output", {"translated_keys"})


def test_a_label_is_looked_for_at_the_beginning_of_a_line_only() -> None:
    assert read_label("The form has an Output: field", OWN) is None
    assert read_label("x" * 100 + " Output: b", OWN) is None
