"""What the examination of a language pack finds: each fault one sentence with its place."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from alif.data.pack_lint import lint_pack
from alif.language.pack import load_pack, shipped_packs
from alif.settings import Language


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the Urdu pack to spoil."""
    copy = tmp_path / "pack"
    shutil.copytree(load_pack("ur").folder, copy, ignore=shutil.ignore_patterns("demo"))
    return copy


def line(folder: Path, file: str, number: int, **values: object) -> None:
    """Change keys of one row."""
    path = folder / file
    rows = path.read_text(encoding="utf-8").splitlines()
    rows[number - 1] = json.dumps(json.loads(rows[number - 1]) | values, ensure_ascii=False)
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")


def replaced(file: str, old: str, new: str, times: int = 1) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        content = (folder / file).read_text(encoding="utf-8")
        assert old in content
        (folder / file).write_text(content.replace(old, new, times), encoding="utf-8", newline="")

    return spoil


def found(folder: Path) -> list[str]:
    return [f"{one.kind} {one.where}: {one.what}" for one in lint_pack(str(folder), Language())]


@pytest.mark.parametrize("name", [name for name in shipped_packs() if name in ("ur", "en")])
def test_shipped_packs_have_nothing_wrong(name: str) -> None:
    assert not [one for one in lint_pack(name, Language()) if one.kind == "wrong"]


QA = "seeds/qa.jsonl"


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (lambda f: line(f, QA, 3, output=""), f'wrong {{f}}/{QA}:3: "output" is empty'),
        (
            lambda f: line(
                f, QA, 2, instruction="What is the capital of the north?", output="Islamabad, of course"
            ),
            "wrong language",
        ),
        (lambda f: line(f, QA, 2, output="یہ كتاب اچھی هے"), f"wrong {{f}}/{QA}:2: lookalike letters: كتاب"),
        (
            lambda f: line(f, QA, 2, output="یہ ۆلفظ عجیب ہے"),
            "ۆ (U+06C6) in ۆلفظ is not among script.letters",
        ),
        (
            lambda f: line(f, "seeds/reasoning.jsonl", 1, output="استدلال:\n2 + 2 = 5\nجواب: 5"),
            "wrong arithmetic: 2 + 2 = 5",
        ),
        (lambda f: line(f, "seeds/sentiment.jsonl", 1, output="جذبات: اداس\nوجہ: بس"), "wrong label: اداس"),
        (lambda f: [line(f, QA, number, id="a") for number in (1, 5)], "qa.jsonl:5: the id a is also in"),
        (replaced(QA, "{", "["), f"wrong {{f}}/{QA}:1: not JSON"),
        (replaced(QA, "\n", "\r\n"), f"wrong {{f}}/{QA}:1: a Windows line end"),
        (replaced(QA, "{", "\ufeff{"), f"wrong {{f}}/{QA}:1: begins with a byte-order mark"),
        (replaced(QA, "آ", "ا\u0653"), "decomposed letters"),
        (replaced("pack.toml", "'فی ?صد'", "'فی (صد'"), "is no regular expression"),
        (
            replaced("prompts/_format.jinja", "Output:", "Answer:", -1),
            'the reply format has no line that begins with "Output:"',
        ),
        (replaced("prompts/_format.jinja", "###", "---", -1), "the reply format has no line with only ###"),
        (replaced("prompts/reasoning.jinja", "جواب", "نتیجہ", -1), "the prompt never mentions جواب"),
        (lambda f: (f / QA).unlink(), f"missing {{f}}/{QA}: no such file"),
        (lambda f: (f / "card.md").unlink(), "missing {f}/card.md: no such file"),
    ],
)
def test_each_fault_is_one_sentence_with_its_place(
    folder: Path, spoil: Callable[[Path], object], expected: str
) -> None:
    spoil(folder)
    told = found(folder)
    assert any(expected.format(f=folder) in one for one in told), told
    assert all("\n" not in one for one in told)


def test_every_broken_file_is_named_at_once_and_first(folder: Path) -> None:
    replaced("tasks/qa.toml", "weight", "wait")(folder)
    replaced("prompts/ethics.jinja", "{{ items }}", "{{ items")(folder)
    (folder / "tasks" / "sentiment.toml").unlink()
    told = found(folder)
    assert all(one.startswith("wrong") for one in told)
    for name in ("tasks/qa.toml", "prompts/ethics.jinja", "tasks/sentiment.toml"):
        assert any(name in one for one in told), told


def test_seeds_of_another_language_s_pack_are_found(folder: Path) -> None:
    replaced("pack.toml", 'code = "ur"', 'code = "pnb"')(folder)
    assert any("copied from the pack ur/seeds/qa.jsonl:1" in one for one in found(folder))


def test_a_copy_that_is_being_edited_is_not_called_copied_and_near_seeds_are_found(folder: Path) -> None:
    seeds = (folder / "seeds" / "qa.jsonl").read_text(encoding="utf-8")
    assert not any("copied" in one for one in found(folder))
    (folder / "seeds" / "qa.jsonl").write_text(seeds + seeds.splitlines()[0] + "\n", encoding="utf-8")
    added = len(seeds.splitlines()) + 1
    assert any(
        f"qa.jsonl:{added}: too near to" in one and "qa.jsonl:1 (ROUGE-L 1.00)" in one
        for one in found(folder)
    )


def test_slots_that_are_thin_absent_or_in_other_letters_are_named(folder: Path) -> None:
    path = folder / "pack.toml"
    whole = path.read_text(encoding="utf-8")
    replaced("pack.toml", '"سیالکوٹ"', '"سیالکوٻ"')(folder)
    assert f"wrong {path}: slots: ٻ (U+067B) in سیالکوٻ is not among script.letters" in found(folder)
    path.write_text(whole, encoding="utf-8")
    replaced("pack.toml", '"کرکٹ", "ہاکی اور فٹ بال", "کبڈی اور کشتی", "اسکول کے کھیل", ', "")(folder)
    assert f"doubtful {path}: slots.topics: 1 phrases of sport" in found(folder)
    before, _, after = whole.partition("\n[slots]\n")
    path.write_text(before + "\n" + after[after.index("# Urdu in Latin letters") :], encoding="utf-8")
    assert f"doubtful {path}: slots: no table" in found(folder)
