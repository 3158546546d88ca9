"""What a study takes, before anything is done: counted steps, hours, money, and a grid that nobody means."""

from __future__ import annotations

from pathlib import Path

import pytest

from alif import recipe as recipes
from alif.ablate.grid import StudyRun, expand_study
from alif.ablate.study import Study, find_study, shipped_studies
from alif.ablate.study_plan import StudyPlan, describe_plan, plan_study, refuse_many
from alif.errors import RecipeError
from tests.ablate.conftest import RANKS, short_study


def counts(plan: StudyPlan) -> dict[str, tuple[int, int, int]]:
    return {one["step"]: (one["runs"], one["distinct"], one["done"]) for one in plan["steps"]}


def test_siblings_share_what_their_settings_agree_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    twelve = Study(over={"finetune.lr": (1e-3, 2e-3), "adapter.rank": (4, 8, 16)}, seeds=2)
    plan = plan_study(short_study(twelve), "h200", 1.0)
    found = counts(plan)
    assert plan["runs"] == 12
    assert {found[step] for step in ("seeds", "generate", "translate", "corpus", "blend", "base")} == {
        (12, 1, 0)
    }
    assert found["pretrain"] == (12, 6, 0)
    assert found["finetune"] == found["evaluate"] == (12, 12, 0)
    assert plan["shared_steps"] == sum(runs - distinct for runs, distinct, _ in found.values())
    assert plan["hours"] is not None
    assert plan["hours"]["mid"] > 0
    assert "pairs" not in found  # the recipe asks for none
    assert not list(tmp_path.iterdir())  # nothing was written


def test_a_finished_study_has_nothing_to_do_and_its_time_tells_of_more(study: StudyRun) -> None:
    plan = plan_study(study, "h200", 1.0)
    assert all(one["distinct"] == one["done"] for one in plan["steps"])
    assert plan["hours"] == {"low": 0.0, "mid": 0.0, "high": 0.0}
    wider = short_study(RANKS.model_copy(update={"over": {"adapter.rank": (4, 16, 12)}}))
    more = plan_study(wider, "h200", 1.0)
    assert more["hours_from"] == "such steps done here"
    assert more["hours"] is not None
    assert 0 < more["hours"]["mid"] < 1
    assert counts(more)["pretrain"] == (6, 6, 4)
    assert counts(more)["generate"] == (6, 1, 1)


def test_money_is_not_guessed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    priced = "teacher.scripted.usd_per_million_out=10.0"
    free, paid = (
        plan_study(short_study(RANKS, "s", *overrides), "h200", 5.0)["money"] for overrides in ([], [priced])
    )
    assert (free["teachers_usd"], free["cap_usd"], free["spent_usd"]) == (0.0, 5.0, 0.0)
    assert paid["teachers_usd"] is None
    told = list(describe_plan(plan_study(short_study(RANKS, "s", priced), "h200", 5.0)))
    assert told[-1].startswith("Money: teachers not known (`alif estimate RECIPE` asks); $0 spent of $5.00")


def test_a_grid_of_ten_thousand_runs_is_refused_with_count_and_cost() -> None:
    recipe = recipes.load_recipe(recipes.shipped_recipes()["urdu-8b"])
    with pytest.raises(RecipeError) as refused:
        refuse_many(10_000, recipe, "h200", 500.0)
    assert refused.value.message.startswith("10,000 runs: up to ")
    assert "on one h200" in refused.value.message
    assert "at most $500.00 for teachers and judges" in refused.value.message
    assert "--yes" in refused.value.hint
    refuse_many(100, recipe, "h200", 500.0)


@pytest.mark.parametrize("name", sorted(shipped_studies()))
def test_every_shipped_study_can_be_planned(name: str, tmp_path: Path) -> None:
    study = find_study(name)
    assert study
    found = expand_study(name, study, recipes.shipped_recipes()[study.recipe], [], tmp_path)
    plan = plan_study(found, "h200", 1.0)
    assert plan["runs"] == len(found.siblings) == len(found.points) * study.seeds
    assert plan["hours"]
    first, last = counts(plan)["base"], counts(plan)["evaluate"]
    assert first[1] <= last[1] == len(found.siblings)
