"""What reaches or names a person is masked; sums, dates, years and prices stay."""

from __future__ import annotations

import pytest

from alif.language.pack import load_pack
from alif.language.personal_data import mask_personal_data

UR = load_pack("ur")


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("مجھے zara.khan+1@mail.example.pk پر لکھیں۔", "مجھے email@example.com پر لکھیں۔"),
        ("فون +92 300 1234567 ہے", "فون +00 000 0000000 ہے"),
        ("فون 0300-1234567، دفتر (۰۴۲) نہیں", "فون 0000-0000000، دفتر (۰۴۲) نہیں"),
        ("نمبر ۰۳۰۰ ۱۲۳۴۵۶۷ پر", "نمبر ۰۰۰۰ ۰۰۰۰۰۰۰ پر"),
        ("شناختی کارڈ 35202-1234567-1", "شناختی کارڈ 00000-0000000-0"),
        ("سرور 192.168.10.4 بند ہے", "سرور 000.000.00.0 بند ہے"),
        ("کال 03001234567۔", "کال 00000000000۔"),
    ],
)
def test_what_is_masked(text: str, masked: str) -> None:
    found, names = mask_personal_data(text, UR)
    assert found == masked
    assert names in (("email_masked",), ("number_masked",))


@pytest.mark.parametrize(
    "text",
    [
        "1947-08-14 کو", "14/08/1947", "1947 سے 1948 تک", "0.25 + 0.75 = 1", "5,143,495 افراد",
        "1234567890123", "05 جون 2021", "0 1 2 3 4 5",
        "ورژن 3.10.2", "09:30 سے 10:45", "@alif نے کہا", "۱۲۳ ۴۵۶", "007",
        "https://example.com/0300/1234567/1",
    ],
)  # fmt: skip
def test_what_stays(text: str) -> None:
    assert mask_personal_data(text, UR) == (text, ())
