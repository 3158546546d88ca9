"""What a run may cost: counted requests and the bounds of prices; never a guess, never 0 for the unknown."""

from __future__ import annotations

from pathlib import Path

from alif import recipe as recipes
from alif.desk.run_price import list_costs, needs_cap, plan_hours
from alif.llm.ledger import Ledger, LedgerRequest
from alif.llm.parse import ParsedReply
from alif.runs import Run
from tests import made_up

SHIPPED = recipes.shipped_recipes()
PRICED = ["teacher.scripted.usd_per_million_in=1.0", "teacher.scripted.usd_per_million_out=1.0"]


def test_requests_are_counted_and_bounded_by_price(tmp_path: Path) -> None:
    run, recipe = Run(tmp_path / "demo"), recipes.load_recipe(SHIPPED["demo"], PRICED)
    generate, translate = list_costs(run, recipe)
    assert (generate.low, generate.high, generate.likely) == (59, 117, None)
    assert (translate.low, translate.high) == (70, 70)
    assert generate.most_usd == 117 * (8_000 + 256 + 2048) / 1e6
    assert needs_cap([generate, translate])
    ledger = Ledger(run.root / "ledger.sqlite")
    request = LedgerRequest.of("scripted", "scripted", "m", [], {}, draw=0)
    number = ledger.record_sent(request, "demo", "rehearse", 0.5, "teacher")
    ledger.record_reply(
        number or 0, request.hash, "{}", ParsedReply("x", "stop", "m", 1, 0, 1, 0, metered=True), 0.02
    )
    ledger.close()
    assert list_costs(run, recipe)[0].likely == (59 * 0.02, 117 * 0.02)


def test_free_models_need_no_cap_and_steps_that_are_done_cost_nothing(tmp_path: Path) -> None:
    recipe = recipes.load_recipe(SHIPPED["demo"])
    costs = list_costs(Run(tmp_path / "new"), recipe)
    assert [one.most_usd for one in costs] == [0.0, 0.0]
    assert not needs_cap(costs)
    assert list_costs(Run(made_up.build(tmp_path)), recipe) == []


def test_an_unknown_price_is_not_zero_and_asks_for_the_cap(tmp_path: Path) -> None:
    table = {"model": '"m"', "base_url": '"https://api.openai.com/v1"'}
    for name, step in (("teacher.far", "generate"), ("judge.far", "judge"), ("system.far", "evaluate")):
        recipe = recipes.load_recipe(
            SHIPPED["demo"], [f"{name}.{key}={value}" for key, value in table.items()]
        )
        found = next(one for one in list_costs(Run(tmp_path / "demo"), recipe) if one.step == step)
        assert found.most_usd is None
        assert needs_cap([found])


def test_hours_are_those_of_the_plan_or_why_there_are_none(tmp_path: Path) -> None:
    run = Run(tmp_path / "runs" / "x")
    plan = plan_hours(run, recipes.load_recipe(SHIPPED["urdu-8b"]), "h200")
    assert not isinstance(plan, str)
    assert plan["hours"]["low"] < plan["hours"]["high"]
    unknown = recipes.load_recipe(SHIPPED["urdu-8b"], ['student.base="nobody/knows"'])
    assert "nobody/knows" in str(plan_hours(run, unknown, "h200"))
