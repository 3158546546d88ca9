"""What of a text is no words is counted, in any script."""

from __future__ import annotations

import pytest

from alif.language.text_structure import count_structure, find_lost_structure


def test_a_table_counts_by_its_cells() -> None:
    table = "| a | b |\n|---|---|\n| 1 | 2 |"
    assert count_structure(table) == {"table rows of 2 cells": 3, "paragraphs": 1}
    assert find_lost_structure(table, table.replace(" b |", "").replace(" 2 |", "").replace("---|---", "---"))


@pytest.mark.parametrize(
    ("before", "after", "lost"),
    [
        ("1. a\n2. b", "۱۔ الف\n۲۔ ب", ""),
        ("1. a\n2. b", "1. الف، ب", "1 of 2 list items"),
        ("```\nx\n```", "x", "0 of 2 fences"),
        ("[a](https://x.org)", "الف https://x.org", "0 of 1 links"),
        ("a\n\nb", "الف\nب", "1 of 2 paragraphs"),
        ("- [ ] a\n- [x] b", "- الف\n- ب", "0 of 2 check boxes"),
        ("A line\nthat was wrapped.", "ایک سطر جو توڑی گئی تھی۔", ""),
        ("a\tb\nc\td", "الف ب\nج د", "0 of 2 rows of 2 cells"),
    ],
)
def test_what_was_merged_or_left_out_is_told(before: str, after: str, lost: str) -> None:
    assert find_lost_structure(before, after) == lost
