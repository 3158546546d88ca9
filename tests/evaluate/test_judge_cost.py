"""What judges can cost, before anything is sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from alif import recipe as recipes
from alif import store
from alif.errors import RecipeError
from alif.evaluate.judge_cost import PROMPT_BYTES, bound_judging, describe_bounds
from alif.formatting import format_usd
from alif.language import pack as packs
from alif.recipe import shipped_recipes
from alif.step_paths import JUDGE_PROMPTS

PRICE = ["judge.a.usd_per_million_in=1", "judge.a.usd_per_million_out=2"]


def test_calls_are_both_orders_of_every_pair_and_every_rubric(tmp_path: Path) -> None:
    rows = [
        {"instruction": f"سوال {n}", "output": "جواب", **({"rubric": ["a", "b", "c"]} if n < 4 else {})}
        for n in range(10)
    ]
    store.write_rows(tmp_path / "test.jsonl", rows)
    lines = ['judge.a.model="m"', *PRICE, 'judge.b.model="local"', 'judge.b.base_url="http://localhost:1/v1"']
    lines += ["evaluate.questions=0", f'benchmarks.test="{tmp_path / "test.jsonl"}"']
    found = bound_judging(recipes.load_recipe(shipped_recipes()["demo"], lines))
    assert {name: one.calls for name, one in found.items()} == {"a": 2 * 10 * 2 + 4 * 3, "b": 52}
    assert found["b"].usd == 0
    assert 52 * 2 * 1024 / 1e6 < found["a"].usd < 1
    less = recipes.load_recipe(
        shipped_recipes()["demo"],
        [*lines, "judging.questions=5", "judging.rubric=false", 'judging.pairs=[["finetune","base"]]'],
    )
    assert bound_judging(less)["a"].calls == 10
    assert describe_bounds(found, found["a"].usd) == [
        f"judge.a: 52 judgements, {format_usd(found['a'].usd)} at most if every reply can be read",
        "judge.b: 52 judgements, $0 at most if every reply can be read",
    ]
    assert "above runtime.max_cost_usd = 0.01" in describe_bounds(found, 0.01)[-1]


def test_an_unknown_price_or_system_is_refused() -> None:
    with pytest.raises(RecipeError, match=r"judge\.a\.usd_per_million_in"):
        bound_judging(recipes.load_recipe(shipped_recipes()["demo"], ['judge.a.model="m"']))
    lines = ['judge.a.model="m"', *PRICE, 'judging.pairs=[["nobody","base"]]']
    with pytest.raises(RecipeError, match="no answers of nobody"):
        bound_judging(recipes.load_recipe(shipped_recipes()["demo"], lines))


def test_no_shipped_prompt_is_longer_than_the_bound_has_it() -> None:
    for folder in (JUDGE_PROMPTS, *(one / "judge" for one in packs.shipped_packs().values())):
        for path in folder.glob("*.jinja"):
            assert path.stat().st_size + 500 < PROMPT_BYTES
