"""What the commands about money do and show: a proof of each teacher, a rehearsal, batches, money that is not settled.

They keep the run's ledger and cap like the steps, and hold the run's lock where they send anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

from alif import console
from alif.errors import AlifError
from alif.formatting import format_duration, format_usd
from alif.llm.batch.batch_store import BatchStore
from alif.llm.ledger import Ledger
from alif.pipeline import GENERATE, PIPELINE, lazy_import, rerun
from alif.recipe import Recipe
from alif.runs import Run, StepContext, make_context

__all__ = [
    "check_endpoints",
    "list_batches",
    "money_status",
    "ping_all",
    "raise_unreachable",
    "reparse_run",
    "run_pilot",
    "settle_unanswered",
    "show_batches",
    "show_money",
    "show_pilot",
    "show_pings",
    "show_settled",
]


def check_endpoints(run: Run, recipe: Recipe, live: bool, rehearse: int, json: bool) -> None:
    """Do `alif check --live` and `--rehearse`: tell what each teacher answers, and what the whole recipe would take.

    Raises:
        AlifError: a teacher did not answer, after all was told.
    """
    found = ping_all(run, recipe) if live else []
    if not json:
        show_pings(found)
    told = run_pilot(run, recipe, rehearse) if rehearse else None
    if json:
        console.print_json({"live": found, "rehearsal": told})
    elif told:
        show_pilot(told, recipe.runtime.max_cost_usd)
    if not json:
        show_money(money_status(run, recipe), run)
    raise_unreachable(found)


def ping_all(run: Run, recipe: Recipe) -> list[dict[str, Any]]:
    """Ask every teacher for one token: see `alif.data.pilot.ping`."""
    from alif.data.pilot import ping  # noqa: PLC0415 - loads the rooms that ask

    with run.locked():
        return ping.ping_endpoint(_context(run, recipe, "check"), recipe)


def show_pings(found: Sequence[Mapping[str, Any]]) -> None:
    """Print which teachers answered."""
    for one in found:
        if "message" in one:
            console.print_result(f"! {one['message']}\n  {one['hint']}")
        else:
            said = f"{one['answered_by'] or one['model']} at {one['host']}"
            console.print_result(
                f"teacher.{one['teacher']}: {said} answers, {format_usd(one['usd'])}, {format_duration(one['seconds'])}"
            )


def raise_unreachable(found: Sequence[Mapping[str, Any]]) -> None:
    """Refuse where a teacher did not answer.

    Raises:
        AlifError: with their names.
    """
    silent = [one["teacher"] for one in found if "message" in one]
    if silent:
        raise AlifError(
            f"{len(silent)} of {len(found)} teachers did not answer: {', '.join(silent)}",
            "Mend what is said above.",
        )


def run_pilot(run: Run, recipe: Recipe, count: int) -> dict[str, Any]:
    """Send `count` real requests and estimate the whole: see `alif.data.pilot.pilot_run`."""
    from alif.data.pilot import pilot_run  # noqa: PLC0415 - loads the rooms that ask

    with run.locked():
        return pilot_run.run_pilot(_context(run, recipe, "rehearse"), recipe, count)


def show_pilot(found: Mapping[str, Any], cap_usd: float) -> None:
    """Print what a rehearsal brought, and the range for the whole recipe."""
    dropped = ", ".join(f"{count} {reason}" for reason, count in found["dropped"].items())
    tokens = (
        f"{found['tokens_per_accepted']:,.0f} tokens each" if found["accepted"] else "nothing to reckon with"
    )
    console.print_result(
        f"{found['requests']} requests ({found['stored']} stored before), {format_usd(found['spent_usd'])}: "
        f"{found['accepted']} rows accepted, {tokens}; dropped: {dropped or 'none'}"
    )
    steps = {"generate": found["generate"], "translate": found["translate"]}
    rows = [(name, part["rows"], *_ends(part)) for name, part in steps.items() if part]
    rows.append(("whole", None, "", *_ends(found)[1:]))
    console.print_table(("", "rows", "requests", "cost", "time"), rows)
    if found["in_batches"]:
        console.print_result("In batches a round takes minutes to a day.")
    if waits := found["waits"]:
        console.print_result(
            f"generate waits {_range(str(waits['low']), str(waits['high']))} times so long, one after the other. "
            "A larger generate.requests_per_round makes fewer, and other rows."
        )
    if found["usd"] and found["usd"]["high"] > cap_usd:
        console.print_result(
            f"The upper end is above runtime.max_cost_usd = {cap_usd:g}: there the run would stop and say so."
        )


def _ends(part: Mapping[str, Any]) -> tuple[str, str, str]:
    requests, usd, hours = (part.get(key) for key in ("requests", "usd", "hours"))
    counts = isinstance(requests, Mapping)
    return (
        _range(f"{requests['low']:,.0f}", f"{requests['high']:,.0f}") if counts and requests else "?",
        _range(format_usd(usd["low"]), format_usd(usd["high"])) if usd else "?",
        _range(format_duration(3600 * hours["low"]), format_duration(3600 * hours["high"])) if hours else "?",
    )


def _range(low: str, high: str) -> str:
    return low if low == high else f"{low} to {high}"


def list_batches(run: Run, recipe: Recipe, cancel: str | None) -> list[dict[str, Any]]:
    """Return the batches of a run, or the one that was cancelled."""
    from alif.llm.batch import batch_status  # noqa: PLC0415 - loads the rooms that ask

    context = _context(run, recipe, "batches")
    if cancel is not None:
        return [batch_status.cancel_batch(context, recipe.teacher, cancel)]
    return batch_status.list_batches(context, recipe.teacher)


def show_batches(found: Sequence[Mapping[str, Any]]) -> None:
    """Print batches as a table."""
    columns = ("id", "teacher", "step", "written_at", "state", "size", "done")
    rows = [[one[column] for column in columns] for one in found]
    console.print_table(
        ("batch", "teacher", "step", "written", "state", "requests", "done"), rows or [["none", *[""] * 6]]
    )


def money_status(run: Run, recipe: Recipe) -> dict[str, Any]:
    """Return {"spent_usd", "cap_usd", "steps", "unsettled"} of a run, as its ledger has it now.

    "steps" is what each has cost, `check` and `rehearse` among them; "unsettled" is what was sent and has no reply, counted at
    the most that it can cost: {"requests", "usd", "batches": [{"id", "requests", "usd"} of each under way]}.
    """
    found = {"spent_usd": 0.0, "cap_usd": recipe.runtime.max_cost_usd, "steps": {}, "unsettled": _nothing()}
    path = _context(run, recipe, "status").ledger
    if not path.is_file():
        return found
    with closing(Ledger(path)) as ledger:
        account, names = ledger.account(run.name), ("check", "rehearse", *(step.name for step in PIPELINE))
        steps = {name: usd for name in names if (usd := ledger.account(run.name, name).usd)}
        count, usd = ledger.unsettled(run.name)
        waiting = {"requests": count, "usd": usd, "batches": _waiting(BatchStore(ledger), run)}
        return found | {
            "spent_usd": round(account.usd - account.unsettled_usd, 9),
            "steps": steps,
            "unsettled": waiting,
        }


def _nothing() -> dict[str, Any]:
    return {"requests": 0, "usd": 0.0, "batches": []}


def _waiting(book: BatchStore, run: Run) -> list[dict[str, Any]]:
    """Return {"id", "requests", "usd"} of what is open in each batch under way."""
    found = []
    for batch in book.under_way(run.name):
        open_ = [
            member.upper_usd for member in book.members(batch) if member.upper_usd and not member.settled
        ]
        found.append({"id": batch.id, "requests": len(open_), "usd": sum(open_)})
    return found


def show_money(found: Mapping[str, Any], run: Run) -> None:
    """Print what is spent of the cap, and what of it is not settled."""
    if found["steps"]:
        console.print_result(
            f"{format_usd(found['spent_usd'])} spent of {format_usd(found['cap_usd'])}, runtime.max_cost_usd."
        )
    unsettled = found["unsettled"]
    requests, usd = unsettled["requests"], unsettled["usd"]
    for batch in unsettled["batches"]:
        requests, usd = requests - batch["requests"], round(usd - batch["usd"], 9)
        which = f"{_requests(batch['requests'])} in the batch {batch['id'] or 'being made'}"
        console.print_result(
            f"{format_usd(batch['usd'])} more at most for {which}, which is under way: alif batches {run.name}"
        )
    if requests:
        console.print_result(
            f"{format_usd(usd)} more at most for {_requests(requests)} that got no reply. If the provider's bill "
            f"shows less: alif release {run.name}"
        )


def settle_unanswered(run: Run, recipe: Recipe) -> dict[str, Any]:
    """Count what has no reply for nothing, batches under way excepted; return {"requests", "usd"}."""
    path = _context(run, recipe, "release").ledger
    if not path.is_file():
        return {"requests": 0, "usd": 0.0}
    with run.locked(), closing(Ledger(path)) as ledger:
        count, usd = ledger.release(run.name)
        return {"requests": count, "usd": usd}


def show_settled(found: Mapping[str, Any]) -> None:
    """Print what was released."""
    console.print_result(
        f"Counted for nothing from now on: {_requests(found['requests'])} that got no reply. "
        f"{format_usd(found['usd'])} of the cap is free."
    )


def _requests(count: int) -> str:
    return "1 request" if count == 1 else f"{count} requests"


def reparse_run(run: Run, recipe: Recipe) -> bool:
    """Read the stored replies of `generate` again, with today's parser and no request; return whether rows changed."""
    return rerun(GENERATE, recipe, run, lazy_import("alif.data.synthesis.reparse:reparse_replies"))


def _context(run: Run, recipe: Recipe, name: str) -> StepContext:
    scratch = run.scratch(name)
    return make_context(run, name, recipe.runtime)
