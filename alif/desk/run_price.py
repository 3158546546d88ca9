"""What a run may cost and how long it may train, before it is started; nothing is sent for it.

Requests are counted, not guessed: the fewest where every row is accepted, twice as many where half of them
are. What each may cost at most is its price times its bounds; what it is likely to cost is known once some
were answered, by `alif estimate` or by the run itself.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import closing
from typing import NamedTuple

from alif.cost.training_plan import TrainingPlan, plan_training
from alif.errors import AlifError
from alif.evaluate.judge_cost import bound_judging
from alif.llm.budget import price_of
from alif.llm.ledger import Ledger
from alif.runs import Run
from alif.settings import Recipe, Teacher

__all__ = ["PriceLine", "list_costs", "needs_cap", "plan_hours"]

ACCEPTED_AT_WORST = 0.5
"""Source: `alif.data.pilot.estimate.FALLS_TO`."""
PROMPT_BYTES = 8_000
"""More than a prompt of `generate` or `translate` in any shipped language has."""


class PriceLine(NamedTuple):
    """What a step may cost."""

    step: str
    low: int
    high: int
    """Requests, the fewest and many."""
    likely: tuple[float, float] | None
    """By what such requests of this run cost before; None: none was answered yet."""
    most_usd: float | None
    """None: a price is unknown."""


def list_costs(run: Run, recipe: Recipe) -> list[PriceLine]:
    """Return what each step that asks other models may cost and is not done."""
    found = []
    rows = recipe.generate.target_rows / recipe.generate.rows_per_request
    wanted = {
        "generate": (math.ceil(rows), math.ceil(rows / ACCEPTED_AT_WORST)),
        "translate": (recipe.translate.rows, recipe.translate.rows),
    }
    for step, (low, high) in wanted.items():
        if low and run.record(step) is None:
            most = _most_usd(recipe.teacher)
            found.append(
                PriceLine(
                    step,
                    low,
                    high,
                    _likely(run, recipe, step, low, high),
                    None if most is None else high * most,
                )
            )
    if recipe.judge and run.record("judge") is None:
        try:
            bounds = bound_judging(recipe)
            calls, usd = (sum(one.calls for one in bounds.values()), sum(one.usd for one in bounds.values()))
            found.append(PriceLine("judge", calls, calls, None, usd))
        except AlifError:
            found.append(PriceLine("judge", 0, 0, None, None))
    asked = {name: one for name, one in recipe.system.items() if one.base_url}
    if asked and run.record("evaluate") is None:
        try:
            free = all(price_of(f"system.{name}", one).upper_usd(1, 1) == 0 for name, one in asked.items())
        except AlifError:
            free = False
        found.append(PriceLine("evaluate", 0, 0, None, 0.0 if free else None))
    return found


def _most_usd(teachers: Mapping[str, Teacher]) -> float | None:
    """Return the most that one request to the most expensive teacher can cost; None: a price is unknown."""
    try:
        prices = [
            price_of(f"teacher.{name}", one).upper_usd(PROMPT_BYTES, one.max_tokens)
            for name, one in teachers.items()
        ]
    except AlifError:
        return None
    return max(prices, default=0.0)


def _likely(run: Run, recipe: Recipe, step: str, low: int, high: int) -> tuple[float, float] | None:
    path = run.ledger(recipe.runtime)
    if not path.is_file():
        return None
    with closing(Ledger(path)) as ledger:
        accounts = [ledger.account(run.ledger_name, name) for name in (step, "rehearse")]
    account = next((one for one in accounts if one.replies), None)
    if account is None:
        return None
    mean = (account.usd - account.unsettled_usd) / account.replies
    return low * mean, high * mean


def needs_cap(costs: list[PriceLine]) -> bool:
    """Tell whether a start may spend money."""
    return any(one.most_usd is None or one.most_usd > 0 for one in costs)


def plan_hours(run: Run, recipe: Recipe, gpu: str) -> TrainingPlan | str:
    """Return the plan of the training on a GPU, as `alif plan` has it, or why there is none."""
    try:
        return plan_training(recipe, gpu, run.root.parent)
    except AlifError as error:
        return f"{error.message}\n{error.hint}"
