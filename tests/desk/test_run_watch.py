"""What is going on: read from the folder, another stamp where something changed, unknown prices as "?"."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from alif import recipe as recipes
from alif import store
from alif.desk.office import Office
from alif.desk.run_watch import list_prices, review_pace, stored_recipe, view_run
from alif.runs import Run
from tests import made_up
from tests.desk.test_review_slots import come_in, review_slots, sent

DEMO = recipes.shipped_recipes()["demo"]


def test_a_run_that_has_not_begun_is_seen_as_such(tmp_path: Path) -> None:
    run = Run(tmp_path / "demo")
    view = view_run(run, recipes.load_recipe(DEMO))
    assert (view.begun, view.going, view.work, view.money["spent_usd"]) == (False, False, None, 0.0)
    assert {step["state"] for step in view.steps} == {"todo"}
    assert stored_recipe(run) is None
    assert not run.root.exists()


def test_the_stamp_changes_with_the_run_and_not_by_itself(tmp_path: Path) -> None:
    run = Run(made_up.build(tmp_path, until="filter"))
    recipe = stored_recipe(run)
    assert recipe is not None
    first = view_run(run, recipe)
    assert view_run(run, recipe).stamp == first.stamp
    made_up.write_step(run.root, "review", None, 5)
    second = view_run(run, recipe)
    assert second.stamp != first.stamp
    run.write_note("replay", "failed", 1.0, "no such file")
    assert view_run(run, recipe).stamp != second.stamp
    with run.locked():
        store.write_json(
            run.progress, {"name": "replay", "done": 1, "total": 4, "unit": "rows", "paces": [1.0]}
        )
        going = view_run(run, recipe)
    assert going.going
    assert going.work is not None
    assert going.work.left_s == (3.0, 3.0)


def test_an_unknown_price_is_a_question_mark_and_a_local_one_is_free() -> None:
    keys = 'teacher.{}.model="m"\nteacher.{}.base_url="{}"'
    recipe = recipes.load_recipe(
        DEMO,
        [
            keys.format("far", "far", "https://api.openai.com/v1"),
            keys.format("near", "near", "http://localhost:11434/v1"),
            keys.format("paid", "paid", "https://x.example/v1"),
            "teacher.paid.usd_per_million_in=2.5",
            "teacher.paid.usd_per_million_out=10",
        ],
    )
    found = {key: prices for key, _, *prices in list_prices(recipe)}
    assert found["teacher.far"] == ["?", "?"]
    assert found["teacher.near"] == ["$0", "$0"]
    assert found["teacher.paid"] == ["$2.50", "$10.00"]


def test_the_pace_is_everybodys_together(make_office: Callable[..., Office], database: str) -> None:
    office = make_office(reviewers=2, database=database)
    assert review_pace(office.db) is None
    for name in ("ایک", "دو"):
        who = come_in(office.db, name)
        for work in review_slots.claim_slots(office.db, who)[:2]:
            review_slots.decide_slot(office.db, who, work["slot"], f"a key of {name} {work['slot']}", sent())
    found = review_pace(office.db)
    assert found is not None
    assert found.n == 4
    assert [row[1:] for row in found.rows] in ([(4, 0, 0, 0, 4)], [(3, 0, 0, 0, 3), (1, 0, 0, 0, 1)])
