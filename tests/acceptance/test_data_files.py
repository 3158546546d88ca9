"""Faults C1 to C7 and C17 of the data review: broken files and recipes are a sentence or dropped rows.

With faults A16 to A18 of the language review, which are of the same kinds. One test for each input that the
reviews list.
"""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path

import pytest

from alif import recipe, sources, store
from alif.errors import DataError, RecipeError
from alif.records import Document, Dropped, Example

ARTICLE = "لاہور میں آج موسم خوشگوار رہا۔"
"""Urdu: "The weather in Lahore was pleasant today." """


def read_all(path: Path) -> list[Document | Example | Dropped]:
    return list(sources.read_examples([path.name], str(path.parent), language="en", task="t", kind="source"))


@pytest.mark.parametrize("quote", ["", '"'])
def test_data_c1_a_long_csv_cell_is_read(tmp_path: Path, quote: str) -> None:
    cell = "word " * 30_000 + "end"
    path = tmp_path / "a.csv"
    path.write_text(f"instruction,input,output\nSay it,,{quote}{cell}{quote}\n", encoding="utf-8")
    (row,) = read_all(path)
    assert isinstance(row, Example)
    assert row.output == cell


@pytest.mark.parametrize(
    ("kind", "between", "quote"), [("csv", ",", '"'), ("csv", ",", ""), ("tsv", "\t", "")]
)
def test_language_a16_a_cell_of_300_000_letters_is_read(
    tmp_path: Path, kind: str, between: str, quote: str
) -> None:
    cell = "لفظ " * 59_999 + "لفظ"
    path = tmp_path / f"a.{kind}"
    lines = [["instruction", "output"], [f"{quote}سوال{quote}", f"{quote}{cell}{quote}"]]
    path.write_text("\n".join(between.join(line) for line in lines), encoding="utf-8")
    (row,) = read_all(path)
    assert isinstance(row, Example)
    assert (row.instruction, row.output) == ("سوال", cell)


@pytest.mark.parametrize("end", ["\r", "\r\n", "\n"], ids=["cr", "crlf", "lf"])
@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_data_c1_line_ends_of_every_system_end_lines(tmp_path: Path, end: str, kind: str) -> None:
    lines = ["instruction,output", "one,first", "two,second"]
    if kind == "jsonl":
        lines = [
            json.dumps({"instruction": one, "output": two})
            for one, two in (("one", "first"), ("two", "second"))
        ]
    path = tmp_path / f"a.{kind}"
    path.write_bytes(end.join(lines).encode() + end.encode())
    found = read_all(path)
    assert [row.output for row in found if isinstance(row, Example)] == ["first", "second"]
    assert len(found) == 2


def test_data_c1_a_line_separator_of_unicode_ends_no_line(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("instruction,output\none,fir\u2028st\n", encoding="utf-8")
    (row,) = read_all(path)
    assert isinstance(row, Example)
    (tmp_path / "a.jsonl").write_text('{"instruction": "a\u2028b", "output": "c"}\n', encoding="utf-8")
    assert len(read_all(tmp_path / "a.jsonl")) == 1


def test_data_c3_gzip_damaged_in_the_middle_is_a_sentence(tmp_path: Path) -> None:
    rows_ = "".join(
        json.dumps({"instruction": f"q{n}", "output": f"a{n * 7919}"}) + "\n" for n in range(5_000)
    )
    data = bytearray(gzip.compress(rows_.encode()))
    data[len(data) // 2 : len(data) // 2 + 40] = b"\xff" * 40
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"a\.jsonl\.gz: a damaged gzip file"):
        read_all(path)


def test_language_a17_flipped_bytes_of_a_gzip_file_are_a_sentence(tmp_path: Path) -> None:
    """One to three of a file's bytes, 300 times: of another kind of error there were 42."""
    rows_ = "".join(json.dumps({"instruction": f"q{n}", "output": f"a{n * 7919}"}) + "\n" for n in range(40))
    whole, rng, path = gzip.compress(rows_.encode(), mtime=0), random.Random(17), tmp_path / "a.jsonl.gz"
    refused: list[str] = []
    for _ in range(300):
        data = bytearray(whole)
        for place in rng.sample(range(len(data)), rng.randint(1, 3)):
            data[place] ^= 1 << rng.randrange(8)
        path.write_bytes(data)
        try:
            found = read_all(path)
        except DataError as error:
            refused.append(error.message)
        else:  # a byte of the header's that says nothing of the content
            assert len(found) == 40
    assert len(refused) > 250
    assert all("a.jsonl.gz" in message for message in refused)


def test_data_c3_a_plain_file_named_gz_and_a_gzip_file_without_the_name_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl.gz").write_text('{"instruction": "a", "output": "b"}\n', encoding="utf-8")
    with pytest.raises(DataError, match=r"not gzip, though its name ends in \.gz"):
        read_all(tmp_path / "a.jsonl.gz")
    (tmp_path / "b.jsonl").write_bytes(gzip.compress(b'{"instruction": "a", "output": "b"}\n'))
    with pytest.raises(DataError, match="not UTF-8 but gzip"):
        read_all(tmp_path / "b.jsonl")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (
            '{"instruction": ' + "[" * 100_000 + "]" * 100_000 + ', "output": "b"}',
            "nested more than 100 deep",
        ),
        ('{"instruction": ' + "[" * 150 + "]" * 150 + ', "output": "b"}', "nested more than 100 deep"),
        ('{"instruction": "a", "output": "b", "n": ' + "9" * 5_000 + "}", "a number of 5,000 digits"),
        ('{"instruction": "a", "output": "b", "n": 1e999}', "a number too large"),
        ('{"instruction": "a", "output": "b", "n": Infinity}', "Infinity is not JSON"),
    ],
    ids=["100,000 deep", "150 deep", "digits", "exponent", "constant"],
)
def test_data_c4_json_that_nothing_could_read_is_one_dropped_row(
    tmp_path: Path, line: str, reason: str
) -> None:
    (tmp_path / "a.jsonl").write_text(f'{line}\n{{"instruction": "a", "output": "b"}}\n', encoding="utf-8")
    bad, good = read_all(tmp_path / "a.jsonl")
    assert isinstance(bad, Dropped)
    assert (bad.reason, good.__class__) == ("unparsable", Example)
    assert f"a.jsonl:1: {reason}" in bad.evidence


@pytest.mark.parametrize("line", ["[" * 100_000, '{"text": ' + "[" * 100_000, '{"a":' * 100_000])
def test_language_a18_a_line_of_100_000_brackets_is_one_dropped_row(tmp_path: Path, line: str) -> None:
    (tmp_path / "a.jsonl").write_text(f'{line}\n{{"instruction": "a", "output": "b"}}\n', encoding="utf-8")
    bad, good = read_all(tmp_path / "a.jsonl")
    assert isinstance(bad, Dropped)
    assert (bad.reason, good.__class__) == ("unparsable", Example)
    assert "a.jsonl:1: " in bad.evidence


@pytest.mark.parametrize("bom", ["utf-16-le", "utf-16-be"])
def test_data_c4_utf16_is_named(tmp_path: Path, bom: str) -> None:
    (tmp_path / "a.txt").write_bytes(("\ufeff" + ARTICLE).encode(bom))
    with pytest.raises(DataError, match=r"a\.txt: not UTF-8 but UTF-16") as caught:
        store.read_text(tmp_path / "a.txt")
    assert "iconv" in caught.value.hint


def test_data_c4_lines_that_are_not_utf8_are_counted(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("آ\n".encode() + "caf\xe9\n".encode("latin-1") * 12)
    with pytest.raises(DataError, match=r"a\.txt:2: not UTF-8 .*so are 11 more lines"):
        store.read_text(tmp_path / "a.txt")


@pytest.mark.parametrize("number", ["inf", "nan", "-inf", "1e300", "0x" + "f" * 4_000, "9" * 5_000])
@pytest.mark.parametrize(
    "key", ["runtime.max_cost_usd", "runtime.timeout_s", "teacher.g.usd_per_million_in", "finetune.epochs"]
)
def test_data_c5_numbers_that_nothing_can_count_are_refused(tmp_path: Path, key: str, number: str) -> None:
    path = tmp_path / "r.toml"
    path.write_text('extends = "demo"\nname = "r"\n[teacher.g]\nmodel = "m"\n', encoding="utf-8")
    with pytest.raises(RecipeError) as caught:
        recipe.load_recipe(path, [f"{key}={number}"])
    assert len(caught.value.message) < 300


def test_data_c7_a_recipe_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_bytes(b'\xef\xbb\xbfname = "r"\r\nabout = "x"\r\n')
    assert recipe.load_recipe(tmp_path / "r.toml").about == "x"


@pytest.mark.parametrize(
    ("line", "cure"),
    [
        ("generate.target_rows=1,000", "generate.target_rows=1000"),
        ("generate.target_rows=1,000,000", "generate.target_rows=1000000"),
        ("generate.target_rows=1000 rows", "generate.target_rows=1000"),
        ("pool.threshold=0,7", "pool.threshold=0.7"),
        ("finetune.lr=0,00005", "finetune.lr=0.00005"),
    ],
)
def test_data_c17_numbers_as_people_write_them_get_the_right_hint(
    tmp_path: Path, line: str, cure: str
) -> None:
    with pytest.raises(RecipeError, match="not a TOML line") as caught:
        recipe.load_recipe(recipe.find_recipe("demo"), [line])
    assert caught.value.hint.endswith(f"--set {cure}")
    recipe.load_recipe(recipe.find_recipe("demo"), [cure])
