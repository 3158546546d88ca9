"""The commands about money: ping, estimate, batches, settle, reparse, and what a run has spent.

They use the run's ledger and cost cap like the steps, and hold the run's lock while they send anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from alif import console
from alif.commands.arguments import (
    Document,
    Json,
    Overrides,
    RecipeName,
    RunName,
    load_recipe,
    open_run,
    print_document,
)
from alif.commands.compare_teachers import compare_teachers
from alif.errors import AlifError, RecipeError
from alif.formatting import format_duration, format_usd
from alif.llm.chat_model import Role
from alif.llm.ledger import Ledger
from alif.llm.money_status import Money, money_status
from alif.runs import Run, make_context
from alif.settings import Recipe, Teacher

__all__ = ["estimate_recipe", "other_endpoints", "ping_recipe", "settle_run", "show_batches", "show_money"]


def ping_recipe(recipe: RecipeName, *, set: Overrides = None, json: Json = False) -> None:
    """Ask every teacher, judge and system with an address for a word, to prove key, model and price.

    Prints the price first, and keeps to the cost cap.
    """
    from alif.data.pilot import ping

    run, loaded = load_recipe(recipe, set)
    with run.locked():
        context = make_context(run, "check", loaded.runtime)
        found = ping.ping_endpoints(context, loaded, other_endpoints(loaded))
    if json:
        console.print_json({"live": found})
    else:
        for one in found:
            if "message" in one:
                console.print_result(f"! {one['message']}\n  {one['hint']}")
                continue
            model = f"{one['answered_by'] or one['model']} at {one['host']}"
            price = f"{format_usd(one['usd'])}, {format_duration(one['seconds'])}"
            console.print_result(f"{one['role']}.{one['teacher']}: {model} answers, {price}")
        show_money(money_status(run, loaded), run)
    if silent := [f"{one['role']}.{one['teacher']}" for one in found if "message" in one]:
        message = f"{len(silent)} of {len(found)} models did not answer: {', '.join(silent)}"
        raise AlifError(message, "Fix the problems listed above.")


def other_endpoints(recipe: Recipe) -> dict[Role, Mapping[str, Teacher]]:
    """Return the models beside the teachers that a run asks by an address: its judges and its systems."""
    from alif.evaluate.judge_requests import judge_endpoints

    limit = recipe.evaluate.max_new_tokens
    measured = {name: one.to_endpoint(limit) for name, one in recipe.system.items() if one.base_url}
    return {"judge": judge_endpoints(recipe.judge), "baseline": measured}


def estimate_recipe(
    recipe: RecipeName,
    *,
    n: Annotated[
        int | None,
        Parameter(
            name=("-n", "--n", "--requests"),
            validator=Number(gte=1),
            help="Requests to send: 20, with --compare 200 to each teacher.",
        ),
    ] = None,
    compare: Annotated[
        bool,
        Parameter(negative="", help="Send the same requests to every teacher and measure them side by side."),
    ] = False,
    perplexity: Annotated[
        bool,
        Parameter(negative="", help="With --compare: have student.base read the answers, in bits per byte."),
    ] = False,
    set: Overrides = None,
    json: Json = False,
) -> None:
    """Send a few of the recipe's requests, and estimate cost and time of the whole from them.

    Prints the price first, keeps to the cost cap, and stores the replies, which the run then finds.
    """
    from alif.data.pilot import pilot_run

    run, loaded = load_recipe(recipe, set)
    if compare:
        compare_teachers(run, loaded, n or 200, perplexity=perplexity, json=json)
        return None if json else show_money(money_status(run, loaded), run)
    if perplexity:
        raise RecipeError("--perplexity measures teachers side by side", "Add --compare.")
    with run.locked():
        found = pilot_run.run_pilot(make_context(run, "rehearse", loaded.runtime), loaded, n or 20)
    if json:
        return console.print_json({"rehearsal": found})
    dropped = ", ".join(f"{count} {reason}" for reason, count in found["dropped"].items()) or "none"
    tokens = (
        f"{found['tokens_per_accepted']:,.0f} tokens each" if found["accepted"] else "nothing to scale up"
    )
    sent = f"{found['requests']} requests ({found['stored']} stored before), {format_usd(found['spent_usd'])}"
    console.print_result(f"{sent}: {found['accepted']} rows accepted, {tokens}; dropped: {dropped}")
    steps = (("generate", found["generate"]), ("translate", found["translate"]))
    rows = [(name, part["rows"], *_ranges(part)) for name, part in steps if part]
    console.print_table(
        ("", "rows", "requests", "cost", "time"), [*rows, ("total", None, "", *_ranges(found)[1:])]
    )
    if found["in_batches"]:
        console.print_result("In batches a round takes minutes to a day.")
    if waits := found["waits"]:
        times = _range(str(waits["low"]), str(waits["high"]))
        console.print_result(f"generate waits {times} times that long, one after the other.")
        console.print_result("A larger generate.requests_per_round makes fewer, and other rows.")
    if found["usd"] and found["usd"]["high"] > loaded.runtime.max_cost_usd:
        cap = f"runtime.max_cost_usd = {loaded.runtime.max_cost_usd:g}"
        console.print_result(f"The upper end is above {cap}: there the run would stop and say so.")
    return show_money(money_status(run, loaded), run)


def _ranges(part: Document) -> tuple[str, str, str]:
    """Return requests, cost and time of a part as text."""
    requests, usd, hours = (part.get(key) for key in ("requests", "usd", "hours"))
    sent = requests if isinstance(requests, Mapping) else None  # in the total it is a number
    return (
        _range(f"{sent['low']:,.0f}", f"{sent['high']:,.0f}") if sent else "?",
        _range(format_usd(usd["low"]), format_usd(usd["high"])) if usd else "?",
        _range(format_duration(3600 * hours["low"]), format_duration(3600 * hours["high"])) if hours else "?",
    )


def _range(low: str, high: str) -> str:
    return low if low == high else f"{low} to {high}"


def show_batches(
    run: RunName,
    *,
    cancel: Annotated[
        str | None, Parameter(help="End this batch (its ID) early; keep what it has done.")
    ] = None,
    json: Json = False,
) -> None:
    """List a run's batches and how far they are."""
    from alif.llm.batch import batch_status

    folder, recipe = open_run(run)
    context = make_context(folder, "batches", recipe.runtime)
    others = other_endpoints(recipe)
    endpoints = {**others["baseline"], **others["judge"], **recipe.teacher}
    if cancel is not None:
        found = [batch_status.cancel_batch(context, endpoints, cancel)]
    else:
        found = batch_status.list_batches(context, endpoints)
    if json:
        return console.print_json(found)
    keys = ("id", "teacher", "step", "written_at", "state", "size", "done")
    rows = [[one[key] for key in keys] for one in found] or [["none", *[""] * 6]]
    return console.print_table(("batch", "teacher", "step", "written", "state", "requests", "done"), rows)


def show_money(found: Money, run: Run) -> None:
    """Print what is spent of the cap, and what of it is unsettled."""
    if found["steps"]:
        spent, cap = format_usd(found["spent_usd"]), format_usd(found["cap_usd"])
        console.print_result(f"{spent} spent of {cap}, runtime.max_cost_usd.")
    if len(found["roles"]) > 1:
        parts = ", ".join(f"{role} {format_usd(usd)}" for role, usd in found["roles"].items())
        console.print_result(f"By role: {parts}.")
    unsettled = found["unsettled"]
    requests, usd = unsettled["requests"], unsettled["usd"]
    for batch in unsettled["batches"]:
        count, most = int(batch["requests"]), float(batch["usd"])
        requests, usd = requests - count, round(usd - most, 9)
        which = f"{_requests(count)} in the batch {batch['id'] or 'being made'}, which is under way"
        console.print_result(f"{format_usd(most)} more at most for {which}: alif batches {run.name}")
    if requests:
        what = f"{format_usd(usd)} more at most for {_requests(requests)} that got no reply"
        console.print_result(f"{what}. If the provider's bill shows less: alif settle {run.name}")


def _requests(count: int) -> str:
    return "1 request" if count == 1 else f"{count} requests"


def settle_run(run: RunName, *, json: Json = False) -> None:
    """Count requests without a reply as free, once the provider's bill shows that they were not billed."""
    folder, recipe = open_run(run)
    path, count, usd = folder.ledger(recipe.runtime), 0, 0.0
    if path.is_file():
        with folder.locked(), closing(Ledger(path)) as ledger:
            count, usd = ledger.release(folder.ledger_name)
    told = f"Settled at no cost: {_requests(count)} without a reply. {format_usd(usd)} of the cap is free."
    print_document({"requests": count, "usd": usd}, lambda _: console.print_result(told), json)
