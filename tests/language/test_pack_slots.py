"""The table slots: what is wrong with it is said in a sentence, with its place."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from alif.errors import PackError
from alif.language import pack as packs

LINE = 'line = "موضوع: {topic} |'


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (LINE, 'line = "موضوع: |', "slots.line: one line with each of {asker} {difficulty} {form} {length}"),
        (LINE, 'line = "{topic} {topic} |', "slots.line: one line with each of"),
        (LINE, 'line = "{topic} {colour} |', "slots.line: one line with each of"),
        (LINE, 'line = "{topic} { |', "slots.line: a brace is not closed"),
        ('passage_line = "', 'passage_line = "{topic} ', "slots.passage_line: one line with each of"),
        ('regions = ["لاہور"', 'regions = ["کراچی"', 'slots.regions: "کراچی" is listed twice'),
        ('regions = ["لاہور"', 'regions = [" "', 'slots.regions: " " is not a phrase of one line without |'),
        ('regions = ["لاہور"', 'regions = ["a|b"', 'slots.regions: "a|b" is not a phrase of one line'),
        ('short = "ایک سے', 'shrot = "ایک سے', "slots.lengths.shrot: no such key"),
        (
            'polite = "ادب',
            'courtly = "ادب',
            "slots: courtly stands in only one of registers and slots.registers",
        ),
        (
            'health = ["بخار اور',
            'illness = ["بخار اور',
            "slots: health stands in only one of topics and slots",
        ),
        ('"کرکٹ", "ہاکی', '"روزمرہ کا کھانا", "ہاکی', 'slots.topics: "روزمرہ کا کھانا" is listed twice'),
    ],
)
def test_a_bad_table_gives_a_sentence_with_its_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    folder = tmp_path / "ur"
    shutil.copytree(packs.shipped_packs()["ur"], folder)
    path = folder / "pack.toml"
    before, found, after = path.read_text(encoding="utf-8").partition("\n[slots]\n")
    assert old in after
    path.write_text(before + found + after.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(PackError) as raised:
        packs.load_pack(folder)
    assert said in raised.value.message
    assert raised.value.message.startswith(f"{path}:")
    assert said in packs.validation_errors(folder)[0].message


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[forms]\nshort =", "[forms]\nbrief =", "forms.brief"),
        ("short = {", "short = {} #", "forms.short"),
        ("grounded_share = 0.5", "grounded_share = 5", "grounded_share"),
    ],
)
def test_a_bad_form_of_a_task_gives_a_sentence(tmp_path: Path, old: str, new: str, said: str) -> None:
    folder = tmp_path / "ur"
    shutil.copytree(packs.shipped_packs()["ur"], folder)
    path = folder / "tasks" / "qa.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(PackError) as raised:
        packs.load_pack(folder)
    assert f"{path}:" in raised.value.message
    assert said in raised.value.message


def test_a_pack_with_slots_needs_forms_of_each_task(tmp_path: Path) -> None:
    folder = tmp_path / "ur"
    shutil.copytree(packs.shipped_packs()["ur"], folder)
    path = folder / "tasks" / "ethics.toml"
    path.write_text(path.read_text(encoding="utf-8").partition("\n[forms]")[0] + "\n", encoding="utf-8")
    with pytest.raises(PackError, match=r"ethics\.toml: forms: none, but pack\.toml has a table slots"):
        packs.load_pack(folder)


@pytest.mark.parametrize("code", [name for name in packs.shipped_packs() if name != "en"])
def test_every_shipped_pack_has_slots_for_its_topics(code: str) -> None:
    pack = packs.load_pack(code)
    assert pack.slots
    assert set(pack.slots.topics) == set(pack.topics)
    assert len(pack.slots.regions) >= 16
    assert len(pack.slots.askers) >= 20
    assert all(len(phrases) >= 3 for phrases in pack.slots.topics.values())
    assert (pack.tasks["qa"].world_share, pack.tasks["qa"].grounded_share) == (0.5, 0.5)
