"""The plan for a person: one table of memory, one of time and money, what to change where it does not fit, and its inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alif import console

__all__ = ["show_plan"]


def show_plan(found: Mapping[str, Any]) -> None:
    """Print a plan from `plan.plan`."""
    many = f"{found['gpus']} x " if found["gpus"] > 1 else ""
    share = f"{found['trainable']:,} trained ({found['trainable_percent']:.2f} % of base + adapter)"
    console.print_result(
        f"{found['recipe']} on {many}{found['gpu']}: {found['base']}, {found['parameters']:,} parameters, {share}\n"
    )
    _memory(found)
    _time(found)
    for stage in found["stages"]:
        if stage["cures"]:
            console.print_result(
                f"\n{stage['stage']} does not fit. What helps, the least harm first, each on top of those before:"
            )
            rows = [
                (f"--set '{c['set']}'", _gb(c["then_gb"]), _fits(c["fits"]), c["harm"])
                for c in stage["cures"]
            ]
            console.print_table(("change", "GB", "", "harm"), rows)
    console.print_result(
        f"\nDisk: about {found['disk_gb']} GB for the base, two checkpoints and the merged model. Training alone is in"
    )
    console.print_result("the hours; fetching, evaluating and the teacher are not. What this stands on:\n")
    console.print_table(("", "value", "is", "source"), [tuple(row.values()) for row in found["inputs"]])


def _memory(found: Mapping[str, Any]) -> None:
    stages = found["stages"]
    names = list(dict.fromkeys(part for stage in stages for part in stage["memory_gb"]))
    rows = [(part, *(stage["memory_gb"].get(part) for stage in stages)) for part in names]
    rows.append(("together", *(stage["total_gb"] for stage in stages)))
    rows.append(("room", *(stage["room_gb"] for stage in stages)))
    console.print_table(("GB on each GPU", *(stage["stage"] for stage in stages)), rows)
    console.print_result()


def _time(found: Mapping[str, Any]) -> None:
    rows = [
        (
            stage["stage"],
            _span({end: tokens / 1e6 for end, tokens in stage["tokens"].items()}),
            f"{stage['tokens_per_s']['low']:,.0f} to {stage['tokens_per_s']['high']:,.0f}",
            _span(stage["hours"]),
            _span(stage["usd"]),
            _fits(stage["fits"]),
        )
        for stage in found["stages"]
    ]
    rows.append(("together", "", "", _span(found["hours"]), _span(found["usd"]), _fits(found["fits"])))
    console.print_table(("stage", "million tokens", "tokens/s", "hours", "$", ""), rows)


def _span(value: Mapping[str, float]) -> str:
    return f"{value['mid']:,.1f} ({value['low']:,.1f} to {value['high']:,.1f})"


def _fits(fits: bool | None) -> str:
    return "" if fits is None else "fits" if fits else "does not fit"


def _gb(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"
