"""What a run has spent of its cost cap, as its ledger has it now; it may be asked while the run is going."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypedDict

from alif.llm.batch.batch_store import BatchStore
from alif.llm.ledger import Ledger
from alif.records import STEP_NAMES
from alif.runs import Run
from alif.settings import Recipe

__all__ = ["Money", "money_status"]


class Unsettled(TypedDict):
    """Requests that were sent and have no reply, at the most that they can cost."""

    requests: int
    usd: float
    batches: list[dict[str, str | int | float]]
    """{id, requests, usd} of each batch under way."""


class Money(TypedDict):
    """What a run has spent of its cap; `steps` holds "check" (ping), "rehearse" (estimate) and "chat" too."""

    spent_usd: float
    cap_usd: float
    steps: dict[str, float]
    roles: dict[str, float]
    """Cost by what the models were asked for: teacher, translator, judge …, unsettled requests included."""
    unsettled: Unsettled


def money_status(run: Run, recipe: Recipe) -> Money:
    """Return what a run has spent and what is unsettled, as its ledger has it now."""
    unsettled: Unsettled = {"requests": 0, "usd": 0.0, "batches": []}
    money: Money = {
        "spent_usd": 0.0,
        "cap_usd": recipe.runtime.max_cost_usd,
        "steps": {},
        "roles": {},
        "unsettled": unsettled,
    }
    path = run.ledger(recipe.runtime)
    if not path.is_file():
        return money
    with _open_to_read(path) as ledger:
        account = ledger.account(run.ledger_name)
        money["spent_usd"] = round(account.usd - account.unsettled_usd, 9)
        for name in ("check", "rehearse", "chat", *STEP_NAMES):
            if usd := ledger.account(run.ledger_name, name).usd:
                money["steps"][name] = usd
        money["roles"] = {role: usd for role, usd in ledger.cost_by_role(run.ledger_name).items() if usd}
        unsettled["requests"], unsettled["usd"] = ledger.unsettled(run.ledger_name)
        book = BatchStore(ledger)
        for batch in book.under_way(run.ledger_name):
            open_ = [one.upper_usd for one in book.members(batch) if one.upper_usd and not one.settled]
            unsettled["batches"].append({"id": batch.id, "requests": len(open_), "usd": sum(open_)})
    return money


@contextmanager
def _open_to_read(path: Path) -> Iterator[Ledger]:
    """Open a ledger, or a copy of it where its own folder cannot be written."""
    if os.access(path, os.W_OK) and os.access(path.parent, os.W_OK):
        with closing(Ledger(path)) as ledger:
            yield ledger
        return
    with tempfile.TemporaryDirectory() as folder:
        for part in (path, path.with_name(f"{path.name}-wal")):  # the latter holds the last writes
            if part.is_file():
                (Path(folder) / part.name).write_bytes(part.read_bytes())
        with closing(Ledger(Path(folder) / path.name)) as ledger:
            yield ledger
