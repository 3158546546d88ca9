"""Read the stored replies of a finished `generate` again with today's parser; nobody is asked anything.

    generate/requests.jsonl  {"round": 0, "task": "qa", "teacher": "gpt", "draw": 0, "request": "9f31…", …}

What was asked then is read now, in the same order: a parser that reads more would plan other rounds, whose
replies nobody has paid for. So a task may end above or below where new requests would have taken it; an item
after its target is dropped as ever. `translate` needs none of this: the step done again asks the ledger
alone.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from alif import settings, store
from alif.data.synthesis.generate import FILES, initialise, summarise, write_results
from alif.data.synthesis.self_instruct import RequestRecord, SelfInstruct, TeacherRequest
from alif.data.synthesis.strategies import combine_replies
from alif.errors import DataError
from alif.facts.data_facts import GenerateFacts
from alif.llm import Reply
from alif.llm.ledger import Ledger
from alif.runs import StepContext

__all__ = ["reparse_replies"]


def reparse_replies(
    context: StepContext,
    *,
    language: settings.Language,
    sources: settings.Sources,
    teacher: Mapping[str, settings.Teacher],
    generate: settings.Generate,
    pool: settings.Pool,
) -> GenerateFacts:
    """Run the step `generate` again from the replies in the ledger.

    Raises:
        DataError: a reply that is not stored, or a folder that does not say what was asked.
    """
    growing = initialise(context, language, sources, generate, pool)
    context.output.require(*FILES)
    path = context.inputs["generate"] / "requests.jsonl"
    asked = list(store.read_models(path, RequestRecord))
    if asked and not context.ledger.is_file():
        hint = "Name the one that the run was made with in runtime.ledger."
        raise DataError(f"{context.ledger}: no such ledger", hint)
    with closing(Ledger(context.ledger)) as ledger:
        for _, group in itertools.groupby(asked, key=lambda record: record.round):
            records = list(group)
            replies = [_stored_reply(ledger, record, path) for record in records]
            requests = [_as_request(record, growing) for record in records]
            for _ in write_results(context, growing, requests, replies):
                pass
        context.output.cost_usd = ledger.account(context.run, context.step).usd
    return summarise(growing)


def _as_request(record: RequestRecord, growing: SelfInstruct) -> TeacherRequest:
    return TeacherRequest(
        task=record.task,
        teacher=record.teacher,
        shown=record.shown,
        messages=(),
        draw=record.draw,
        strategy=record.strategy,
        passage=growing.passages.by_id(record.passage),
        revised=record.revised,
    )


def _stored_reply(ledger: Ledger, record: RequestRecord, path: Path) -> Reply:
    """Return what `ask_with_revision` returned when it was asked."""
    replies: list[Reply] = []
    for request in record.turns or (record.request,):
        reply = ledger.answer(request)
        if reply is None:
            where = f"{record.task}, round {record.round} ({path})"
            raise DataError(
                f"{ledger.path}: no reply to the request {request[:12]}… of {where}",
                "Name the ledger that the run was made with in runtime.ledger; nothing is asked again here.",
            )
        replies.append(reply)
    return combine_replies(replies)
