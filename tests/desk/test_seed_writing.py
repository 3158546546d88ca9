"""Seeds: the nearest one with its exact score, a second person, and a file that keeps what was in it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rapidfuzz.distance import Indel

from alif import settings
from alif.data.synthesis.seeds import read_seeds
from alif.desk.database import Database
from alif.desk.office import Office
from alif.desk.people import Refused
from alif.desk.seed_writing import SeedDesk, append_line
from alif.language.pack import load_pack, shipped_packs
from alif.language.text import split_words
from tests.desk.test_review_slots import come_in

NEW = {
    "task": "generation",
    "instruction": "چترال کے ٹراؤٹ فارم کا سالانہ میلہ کیسا ہوتا ہے",
    "output": "رنگا رنگ۔",
}


def own_pack(tmp_path: Path) -> Path:
    return Path(shutil.copytree(shipped_packs()["ur"], tmp_path / "pack"))


def make_desk(db: Database, folder: Path, pack: Path | str = "ur", **pool: Any) -> SeedDesk:
    found = load_pack(pack)
    return SeedDesk(db, found, settings.Pool(**pool), list(read_seeds(found)), folder)


def test_the_nearest_seed_is_shown_with_the_pools_own_score(db: Database, tmp_path: Path) -> None:
    desk, who = make_desk(db, tmp_path), come_in(db, "آمنہ")
    seeds = list(read_seeds(desk.pack))
    typed = desk.read_seed(who, {"task": "qa", "instruction": f"{seeds[40].instruction} ذرا", "output": "x"})

    def score(one: Any) -> float:
        words = [split_words(row.instruction, desk.pack) for row in (typed, one)]
        return Indel.normalized_similarity(*words)

    whole = [one for one in seeds if desk.pack.tasks[one.task].scope == "instruction"]
    found = desk.find_nearest(typed)
    assert found is not None
    assert found.similarity >= round(max(map(score, whole)), 4)
    assert desk.is_too_near(found) == (found.similarity >= 0.7)
    assert desk.find_nearest(desk.read_seed(who, {"task": "qa"})) is None
    assert desk.find_nearest(desk.read_seed(who, {"task": "qa", "instruction": "xyzzy"})) is None


def test_a_seed_needs_a_second_person_and_is_saved_once_with_both_names(db: Database, tmp_path: Path) -> None:
    pack = own_pack(tmp_path)
    path = pack / "seeds" / "generation.jsonl"
    before = path.read_bytes()
    desk = make_desk(db, tmp_path, pack)
    assert desk.is_ours
    author, other = come_in(db, "آمنہ"), come_in(db, "زید")
    desk.propose(author, desk.read_seed(author, NEW))
    with pytest.raises(Refused, match="seed_too_near"):  # she clicked twice
        desk.propose(author, desk.read_seed(author, NEW))
    (one,) = desk.list_seeds()
    with pytest.raises(Refused, match="seed_own"):
        desk.decide(author, one.id, approve=True)
    desk.decide(other, one.id, approve=True)
    with pytest.raises(Refused, match="seed_not_waiting"):
        desk.decide(other, one.id, approve=False)
    after = path.read_bytes()
    assert after.startswith(before)
    line = json.loads(after[len(before) :])
    assert line == {"instruction": NEW["instruction"], "input": "", "output": NEW["output"],
                    "author": "آمنہ", "reviewed_by": "زید"}  # fmt: skip
    saved = list(read_seeds(load_pack(pack)))
    assert [row.origin.reviewed_by for row in saved if row.instruction == NEW["instruction"]] == ["زید"]


def test_an_installed_packs_files_stay_and_the_runs_file_is_one_that_a_recipe_can_name(
    db: Database, tmp_path: Path
) -> None:
    desk = make_desk(db, tmp_path)
    author, other = come_in(db, "آمنہ"), come_in(db, "زید")
    desk.propose(author, desk.read_seed(author, NEW))
    desk.decide(other, desk.list_seeds()[0].id, approve=True)
    path = desk.path_of("generation")
    assert path.parent == tmp_path
    (seed,) = read_seeds(desk.pack, source=(str(path),))
    assert (seed.task, seed.instruction, seed.origin.author) == ("generation", NEW["instruction"], "آمنہ")


def test_a_rejected_seed_is_in_nobodys_way(db: Database, tmp_path: Path) -> None:
    desk = make_desk(db, tmp_path)
    author, other = come_in(db, "آمنہ"), come_in(db, "زید")
    desk.propose(author, desk.read_seed(author, NEW))
    desk.decide(other, desk.list_seeds()[0].id, approve=False, note="جواب مختصر ہے")
    desk.propose(author, desk.read_seed(author, {**NEW, "output": "رنگا رنگ، اور مچھلی تازہ۔"}))
    assert [(one.state, one.note) for one in desk.list_seeds()] == [
        ("waiting", ""),
        ("rejected", "جواب مختصر ہے"),
    ]
    assert not desk.path_of("generation").exists()


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"output": " "}, "seed_empty"),
        ({"instruction": "؟"}, "seed_empty"),
        ({"task": "none"}, "not_understood"),
        ({"task": "../../qa"}, "not_understood"),
        ({"output": "x" * 20_001}, "not_understood"),
    ],
)
def test_seeds_that_are_none_are_refused(
    db: Database, tmp_path: Path, changed: dict[str, str], told: str
) -> None:
    desk, who = make_desk(db, tmp_path), come_in(db, "آمنہ")
    with pytest.raises(Refused, match=told):
        desk.propose(who, desk.read_seed(who, NEW | changed))


def test_a_line_is_added_once_and_a_missing_line_end_is_mended(tmp_path: Path) -> None:
    path = tmp_path / "seeds.jsonl"
    path.write_text('{"a": "\u2028"}', encoding="utf-8")
    for _ in range(2):
        append_line(path, '{"b": 1}')
    assert path.read_text(encoding="utf-8") == '{"a": "\u2028"}\n{"b": 1}\n'


def test_a_desk_on_either_database_keeps_seeds(make_office: Callable[..., Office], database: str) -> None:
    office = make_office(database=database)
    who = come_in(office.db, "آمنہ")
    office.seeds.propose(who, office.seeds.read_seed(who, NEW))
    assert [(one.author_id, one.state) for one in office.seeds.list_seeds()] == [(who.id, "waiting")]
