"""The value that an answer comes to."""

from __future__ import annotations

import pytest

from alif.language.answers.stated_value import stated_value
from alif.language.answers.value_reader import find_values
from alif.language.pack import load_pack

UR = load_pack("ur")


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        ("جواب 42 ہے۔ یہ 2 طریقوں سے نکلا۔", 42),
        ("42 روپے، کیونکہ 6 کتابیں 7 روپے کی ہیں۔", 42),
        ("6 کتابیں ہیں کیونکہ 2 گم ہوئیں۔ لہٰذا کل 42", 42),
        ("42 (صفحہ 7)", 42),
        ("24 روپے، 3 دن میں", 24),
        ("5 آم تھے، 3 آئے، کل 8", 8),
        ("40 نہیں، 42", 42),
        ("کل 15 پھل: 7 سیب اور 8 کیلے", 15),
        ("15 = 7 + 8", 15),
        ("60 طلبہ، جن میں 35 لڑکیاں", 60),
        ("12 سیب تھے، 5 دیے اور 7 بچے", 7),
        ("یہ ایک سوال ہے", None),
        ("42 نہیں", None),
    ],
)
def test_stated_value(answer: str, value: int | None) -> None:
    (right,) = find_values("42", UR)
    found = stated_value(answer, right, UR)
    assert (found and found.value) == value
