"""What is measured from a sample is what stands in it; the folder that is written is a pack."""

from __future__ import annotations

from pathlib import Path

import pytest

from alif import store
from alif.errors import DataError, PackError
from alif.language import pack_bootstrap
from alif.language.pack import load_pack

UR, EN = load_pack("ur"), load_pack("en")


@pytest.fixture(scope="module")
def urdu(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Urdu demo articles as a sample text, 1 word in 20 typed with an Arabic letter."""
    path = tmp_path_factory.mktemp("sample") / "urdu.txt"
    lines = [
        line
        for _, row in store.read_rows(UR.folder / "demo" / "articles.jsonl")
        for line in row["text"].splitlines()
    ]
    words = " \n ".join(lines).split(" ")
    typed = [word.replace("ی", "ي") if place % 20 == 0 else word for place, word in enumerate(words)]
    path.write_text(" ".join(typed).replace(" \n ", "\n"), encoding="utf-8")
    return path


def test_a_language_is_measured(urdu: Path) -> None:
    found = pack_bootstrap.measure_sample(urdu, "ur")
    assert (found.script, found.direction, found.known) == ("Arabic", "rtl", True)
    assert found.script_share > 0.95
    assert found.recognised > 0.95
    assert set("ابپتٹڈڑںےہھیک") <= set(found.letters)
    assert {"کے", "میں", "ہے"} <= set(found.function_words)
    assert "۔" in found.sentence_marks
    assert ("ي", "ی") in [(wrong, right) for wrong, right, *_ in found.lookalikes]
    assert "0123456789" in found.digits


def test_both_cases_and_other_packs_words(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text(
        "\n".join(f"Ƙaramin yaro ya tafi gona {n} the and, 1,200 da 3.5%." for n in range(40)),
        encoding="utf-8",
    )
    found = pack_bootstrap.measure_sample(path, "xx")
    assert set("ƘƙAaYy") <= set(found.letters)
    assert not {"the", "and"} & set(found.function_words)
    assert (found.group, found.decimal, found.percent) == (",", ".", "%")
    assert not found.known


@pytest.mark.parametrize(
    ("text", "complaint"), [("one line", "1 lines of text"), ("12 34\n" * 30, "no letter")]
)
def test_a_sample_that_tells_nothing_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "text.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=complaint):
        pack_bootstrap.measure_sample(path, "xx")


def test_the_folder_is_a_pack_and_never_written_over(urdu: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pack"
    measured = pack_bootstrap.measure_sample(urdu, "ur")
    files = pack_bootstrap.write_pack(measured, folder, 'A "quoted" name', "اردو")
    assert all(path.is_file() for path in files)
    pack = load_pack(folder)
    assert (pack.code, pack.name, pack.native_name) == ("ur", 'A "quoted" name', "اردو")
    assert set(pack.tasks) <= set(UR.tasks)
    assert len(pack.tasks) == 7
    assert sum(1 for _ in store.read_rows(folder / "demo" / "articles.jsonl")) >= 20
    with pytest.raises(PackError, match="already there"):
        pack_bootstrap.write_pack(measured, folder)


def test_the_same_sample_gives_the_same_bytes(urdu: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        pack_bootstrap.write_pack(pack_bootstrap.measure_sample(urdu, "ur"), tmp_path / name, "Urdu")
    assert (tmp_path / "one" / "pack.toml").read_bytes() == (tmp_path / "two" / "pack.toml").read_bytes()
