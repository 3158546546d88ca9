"""`alif status`, and what `alif run` prints at its end: a line per step, cost, scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from alif import console, pipeline, store
from alif.commands.arguments import Json, RunName, open_run
from alif.commands.money import show_money
from alif.errors import AlifError
from alif.facts import read_facts
from alif.facts.data_facts import GenerateFacts
from alif.formatting import format_duration, format_usd
from alif.llm.money_status import money_status
from alif.runs import Run, StepState

__all__ = ["is_report_stale", "show_end", "show_status", "show_steps", "step_statuses"]


class StepStatus(StepState):
    """One entry of `steps` with --json: rows_in == kept + sum(dropped) + not_sampled."""

    target: int | None
    """Rows that `generate` was asked for."""
    saturated: Sequence[str]
    """Tasks that ended short of their target."""


def show_status(run: RunName, *, json: Json = False) -> None:
    """Show a line per step, and what is spent of the cost cap.

    A line holds: state, rows in, kept, not sampled, cost, time, rows dropped by reason.
    """
    folder, recipe = open_run(run)
    money = money_status(folder, recipe)
    steps = step_statuses(folder, money["steps"])
    if json:
        return console.print_json({"run": run, "steps": steps, "money": money})
    show_steps(run, steps)
    return show_money(money, folder)


def step_statuses(run: Run, spent_usd: Mapping[str, float] | None = None) -> list[StepStatus]:
    """Return the state of every step; `spent_usd` is what unfinished steps have cost so far."""
    found: list[StepStatus] = []
    for step in pipeline.PIPELINE:
        state, record = run.state(step.name), run.record(step.name)
        if record is None:
            state["cost_usd"] = (spent_usd or {}).get(step.name, 0.0)
        facts = (
            read_facts(record.counts.facts, GenerateFacts) if record and step is pipeline.GENERATE else None
        )
        target, saturated = (sum(facts.targets.values()), facts.saturated) if facts else (None, ())
        found.append({**state, "target": target, "saturated": saturated})
    return found


def show_steps(run: str, steps: Sequence[StepStatus]) -> None:
    """Print the steps of a run as a table."""
    rows = []
    for step in steps:
        done = step["state"] == "done"
        counts = [step["rows_in"], step["kept"], step["not_sampled"] or None] if done else [None] * 3
        cost = format_usd(step["cost_usd"]) if step["cost_usd"] else ""
        remark = ", ".join(f"{count} {reason}" for reason, count in step["dropped"].items())
        if step["saturated"]:
            target = f"{step['kept']} of {step['target']} rows, " if step["target"] else ""
            remark = f"{target}saturated: {', '.join(step['saturated'])}; {remark}"
        remark = remark or step["message"].partition("\n")[0]
        rows.append((step["name"], step["state"], *counts, cost, format_duration(step["seconds"]), remark))
    columns = ("step", "state", "in", "kept", "not sampled", "cost", "time", "dropped")
    console.print_table(columns, rows, title=f"run {run}")


def show_end(run: Run, done: int) -> None:
    """Print how `alif run` ended: steps, scores on held-out text and answers, the report's path."""
    show_steps(run.name, step_statuses(run))
    console.print_result()
    keys = ("stage", "benchmark", "metric", "language")
    rows = [
        (
            *(one[key] for key in keys),
            f"{one['value']:.3f}",
            f"{one['low']:.3f} to {one['high']:.3f}",
            one["n"],
        )
        for one in store.read_json(run.root / "report.json")["scores"]
        if one["benchmark"] in ("heldout", "answers")
    ]
    if rows:
        console.print_table(("stage", "on", "metric", "language", "value", "95 % interval", "n"), rows)
        console.print_result()
    if not done:
        console.print_result("Nothing to do: every step was done before.")
    console.print_result(f"Report: {run.root / 'report.html'}")


def is_report_stale(run: Run) -> bool:
    """Tell whether the report shows other steps than are finished now; clocks do not count."""
    finished = {step.name: record.seconds for step in pipeline.PIPELINE if (record := run.record(step.name))}
    try:
        shown = {step["name"]: step["seconds"] for step in store.read_json(run.root / "report.json")["steps"]}
    except (AlifError, KeyError, TypeError):
        return True
    return shown != finished or not (run.root / "report.html").is_file()
