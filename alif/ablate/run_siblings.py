"""Run the siblings of a study one after the other, on one ledger under one cap; a failure stops only its own.

What a sibling has finished, the next ones link. A kill loses nothing: the same command goes on.
"""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from dataclasses import dataclass

from alif import console, pipeline
from alif.ablate.grid import GridRun, StudyRun
from alif.ablate.study_plan import STEPS, spent_usd
from alif.errors import AlifError
from alif.runs import Run

__all__ = ["Failure", "find_failures", "run_siblings"]


@dataclass(frozen=True)
class Failure:
    """A sibling that is not finished, at which step and why."""

    sibling: GridRun
    step: str
    state: str
    message: str


def run_siblings(found: StudyRun, cap_usd: float, others: Sequence[Run] = ()) -> list[AlifError]:
    """Do all steps of all siblings that are not done; return the errors of those that failed.

    `others` are runs outside the study that may have steps to share.

    Raises:
        BusyError: another process works on this study.
    """
    errors: list[AlifError] = []
    runs = [sibling.run for sibling in found.siblings]
    with Run(found.root).locked():
        for number, sibling in enumerate(found.siblings, 1):
            console.log(f"{found.name}: {number} of {len(runs)}, {sibling.run.name}")
            left = cap_usd - spent_usd(found) + spent_usd(found, sibling.run.ledger_name)
            runtime = sibling.recipe.runtime.model_copy(update={"max_cost_usd": max(0.0, left)})
            recipe = sibling.recipe.model_copy(update={"runtime": runtime})
            twins = [*(run for run in runs if run.root != sibling.run.root), *others]
            try:
                pipeline.run_pipeline(recipe, sibling.run, STEPS, twins)
            except AlifError as error:
                errors.append(error)
            except Exception as error:  # a bug of one sibling: its traceback, and the others go on
                console.log("".join(traceback.format_exception(error)))
                errors.append(AlifError(f"{type(error).__name__}: {error}"))
            else:
                continue
            console.log(f"{sibling.run.name}: {errors[-1].message}", style="bold red")
            for failure in find_failures(found, sibling):
                if failure.state == "todo":  # refused before its first step was begun
                    sibling.run.write_note(failure.step, "failed", 0.0, errors[-1].message)
    return errors


def find_failures(found: StudyRun, only: GridRun | None = None) -> list[Failure]:
    """Return the siblings that are not finished, or `only` one, each with its first step that is not."""
    failures = []
    for sibling in [only] if only else found.siblings:
        states = [sibling.run.state(step.name) for step in STEPS]
        stopped = next((one for one in states if one["state"] != "done"), None)
        if stopped:
            first = stopped["message"].partition("\n")[0]
            failures.append(Failure(sibling, stopped["name"], stopped["state"], first))
    return failures
