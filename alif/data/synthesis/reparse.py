"""Read the stored replies of a finished `generate` again, from their raw text, with today's parser, and ask nobody anything.

    generate/requests.jsonl  {"round": 0, "task": "qa", "teacher": "gpt", "shown": […], "draw": 0, "request": "9f31…"}

A revised request has "turns" too, the hashes of its draft, the critique and the second version: all of them were paid for.

What was asked then is read now, in the same order: a parser that reads more would plan other rounds, whose replies nobody has
paid for. So a task may end above or below where new requests would have taken it; an item after its target is dropped as ever.
`translate` needs none of this: what it asks does not depend on what was answered, so the step done again asks the ledger alone.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from alif import recipe, store
from alif.data.synthesis import strategies
from alif.data.synthesis.generate import initialise, write_results
from alif.data.synthesis.self_instruct import SelfInstruct, TeacherRequest
from alif.errors import DataError
from alif.llm import Reply
from alif.llm.ledger import Ledger
from alif.records import Counts
from alif.runs import StepContext

__all__ = ["reparse_replies"]


def reparse_replies(
    context: StepContext,
    *,
    language: recipe.Language,
    sources: recipe.Sources,
    teacher: Mapping[str, recipe.Teacher],
    generate: recipe.Generate,
    pool: recipe.Pool,
) -> Counts:
    """Do the step `generate` again from the replies in the ledger.

    Raises:
        DataError: a reply that is not stored, or a folder that does not say what was asked.
    """
    expansion = initialise(context, language, sources, generate, pool)
    path = context.inputs["generate"] / "requests.jsonl"
    asked = [row for _, row in store.read_rows(path)]
    if asked and not context.ledger.is_file():
        raise DataError(
            f"{context.ledger}: no such ledger", "Name the one that the run was made with in runtime.ledger."
        )
    with closing(Ledger(context.ledger)) as ledger:
        for _, rows in itertools.groupby(asked, key=lambda row: row["round"]):
            requests = list(rows)
            replies = [_answered(ledger, row, path) for row in requests]
            expansion.take([_request(row, expansion) for row in requests], replies)
        cost_usd = ledger.account(context.run, context.step).usd
    return write_results(context, expansion, cost_usd)


def _request(row: Mapping[str, Any], expansion: SelfInstruct) -> TeacherRequest:
    passage = expansion.deck.passage(row.get("passage", ""))
    asked = row["task"], row["teacher"], tuple(row["shown"]), (), row["draw"]
    return TeacherRequest(*asked, row.get("way", "plain"), passage, row.get("revised", False))


def _answered(ledger: Ledger, row: Mapping[str, Any], path: Path) -> Reply:
    """Return what `ways.answered` returned when it was asked."""
    return strategies.combine_replies(
        [_stored(ledger, request, row, path) for request in row.get("turns", [row["request"]])]
    )


def _stored(ledger: Ledger, request: str, row: Mapping[str, Any], path: Path) -> Reply:
    reply = ledger.answer(request)
    if reply is None:
        raise DataError(
            f"{ledger.path}: no reply to the request {request[:12]}… of {row['task']}, round {row['round']} ({path})",
            "Name the ledger that the run was made with in runtime.ledger; nothing is asked again here.",
        )
    return reply
