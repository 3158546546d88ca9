"""Tables: cells by their columns, and quotation marks that nobody closed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from alif.csv_cells import read_table
from alif.errors import DataError

COLUMNS = {"a", "instruction", "text"}


def read(folder: Path, text: str, kind: str = "csv") -> list[tuple[int, object]]:
    path = folder / f"t.{kind}"
    path.write_text(text, encoding="utf-8")
    return [(number, row) for number, _, row in read_table(path, "," if kind == "csv" else "\t", COLUMNS)]


def test_cells_come_with_the_line_that_they_begin_on(tmp_path: Path) -> None:
    found = read(tmp_path, 'A,b\n"one\ntwo",3\n\n,\n  \n4,"5, 6"\n"He said ""hi""",x "y" z\n1\n')
    assert found == [
        (2, {"a": "one\ntwo", "b": "3"}),
        (7, {"a": "4", "b": "5, 6"}),
        (8, {"a": 'He said "hi"', "b": 'x "y" z'}),
        (9, "1 cells, the header has 2"),
    ]


def test_in_a_tsv_a_quotation_mark_is_text(tmp_path: Path) -> None:
    found = read(tmp_path, 'a\tb\n"Hello, he began\tx\n"two"\ty "z"\n\nthree\n', "tsv")
    assert found == [
        (2, {"a": '"Hello, he began', "b": "x"}),
        (3, {"a": '"two"', "b": 'y "z"'}),
        (5, "1 cells, the header has 2"),
    ]


@pytest.mark.parametrize(
    "last", ['"four",five', '"four" he said,five', "four,five", 'four,"five"', '"four""",five', 'fo"ur,five']
)
def test_an_open_mark_swallows_no_row(tmp_path: Path, last: str) -> None:
    first, *others = read(tmp_path, f'a,b\n"Hello he began,one\ntwo,three\n{last}\nsix,seven\n')
    assert first == (2, "a quotation mark that is not closed")
    assert others[0] == (3, {"a": "two", "b": "three"})
    assert others[-1] == (5, {"a": "six", "b": "seven"})
    assert len(others) == 3


def test_a_cell_of_many_lines_is_told_from_joined_rows(tmp_path: Path) -> None:
    poem = 'نظم,"دریا کے کنارے\nشام ڈھلے, کوئی\nگیت گاتا ہے"\n'
    assert [row for _, row in read(tmp_path, f"a,b\n{poem}")] == [
        {"a": "نظم", "b": "دریا کے کنارے\nشام ڈھلے, کوئی\nگیت گاتا ہے"}
    ]
    joined = read(tmp_path, 'a,b\none,"two\nthree,four\nfive,six"\n')
    assert joined[0] == (2, "a quotation mark that is not closed")
    assert [number for number, row in joined if isinstance(row, dict)] == [3, 4]


@pytest.mark.parametrize(
    ("header", "kind", "said"),
    [
        ("instruction;output", "csv", "separated by ';', not by ','"),
        ("instruction\toutput", "csv", "separated by '\\t', not by ','"),
        ("instruction,output", "tsv", "separated by ',', not by '\\t'"),
        ("What is a rope?,A cord.", "csv", "no column is named as one that alif reads: what is a rope?"),
        ("سوال\tجواب", "tsv", "no column is named"),
    ],
)
def test_a_table_without_a_known_header_is_refused(tmp_path: Path, header: str, kind: str, said: str) -> None:
    with pytest.raises(DataError, match=rf"t\.{kind}:1: .*{re.escape(said)}"):
        read(tmp_path, f"{header}\nx\n", kind)


def test_a_language_code_is_a_column(tmp_path: Path) -> None:
    assert read(tmp_path, "EN\tzh-Hant\nHi\tX\n", "tsv") == [(2, {"en": "Hi", "zh-hant": "X"})]
