"""Ask the judges: plan every judgement, say what all of them can cost, send them, read the replies.

    rows × pairs × judges × 2 orders, rows with a rubric × systems × judges ─▶ PlannedCall ─▶ JudgedCall

A reply that cannot be read is asked for once more, and then counted. Answers that are the same are a tie of
which nobody is asked. Every request goes through the ledger: after a kill nothing is paid for twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from alif import console, settings
from alif.errors import RecipeError
from alif.evaluate.judge_prompts import JudgePrompts, pair_messages, rubric_messages
from alif.facts.evaluation_facts import AnswerRow
from alif.facts.judge_facts import JudgedCall
from alif.formatting import format_usd
from alif.language.replies.verdict_format import VERDICT_SCHEMA, read_points, read_reason, read_verdict
from alif.llm import ChatRequest, Message, Reply
from alif.llm.budget import price_of
from alif.llm.endpoint import protocol_of
from alif.llm.session import EndpointSession, open_session
from alif.runs import StepContext

__all__ = ["AskedJudges", "Pair", "PlannedCall", "ask_judges", "judge_endpoints", "list_pairs", "plan_calls"]

Pair = tuple[str, str]
"""A system, and the one that it is compared with."""
REQUESTS_AT_ONCE = 256
"""Judgements that wait in line at the same time; it changes nothing in the result."""


@dataclass(frozen=True)
class PlannedCall:
    """One judgement to ask for."""

    judge: str
    row: AnswerRow
    a: str
    """System whose answer is shown first; the only one of a rubric."""
    b: str = ""

    @property
    def points(self) -> int:
        """How many points the judge marks; 0: it compares."""
        return 0 if self.b else len(self.row.rubric)

    def messages(self, prompts: JudgePrompts, *, json: bool) -> list[Message]:
        """Return what the judge is sent; the systems' names are not in it."""
        first = self.row.answers[self.a]
        if self.b:
            return pair_messages(self.row, first, self.row.answers[self.b], prompts, json=json)
        return rubric_messages(self.row, first, prompts, json=json)

    def read(self, reply: Reply, first_failure: str = "") -> JudgedCall:
        """Return the judgement of a reply, or why it has none."""
        verdict = read_verdict(reply.text) if self.b else None
        points = None if self.b else read_points(reply.text, self.points)
        unread = verdict is None and points is None
        failure = "unparsable" if unread else ""
        if reply.unanswered:
            failure = "unanswered"
        elif reply.finish == "length":
            failure = "cut_off"  # what was to come could have said otherwise
        return JudgedCall.model_validate(
            {
                "id": self.row.id,
                "task": self.row.task,
                "judge": self.judge,
                "a": self.a,
                "b": self.b,
                "verdict": None if failure else verdict,
                "points": () if failure else points or (),
                "reason": read_reason(reply.text),
                "failure": failure,
                "first_failure": first_failure,
                "model": reply.model,
                "request": reply.request,
            }
        )


@dataclass
class AskedJudges:
    """What the judges have answered, and what their replies cost when they were sent for."""

    calls: list[JudgedCall] = field(default_factory=list)
    usd: dict[str, float] = field(default_factory=dict)


def list_pairs(pairs: Sequence[Pair], systems: Iterable[str]) -> list[Pair]:
    """Return the pairs that are compared: those of the recipe, or every system with the base.

    Raises:
        RecipeError: a pair names a system that is not measured, or one system twice.
    """
    known = list(systems)
    for pair in pairs:
        if unknown := [name for name in pair if name not in known]:
            hint = f"Systems: {', '.join(known)}."
            raise RecipeError(f"judging.pairs: no answers of {unknown[0]} are stored", hint)
        if pair[0] == pair[1]:
            raise RecipeError(f"judging.pairs: {pair[0]} is compared with itself", "Name two systems.")
    return list(dict.fromkeys(pairs)) or [(name, known[0]) for name in known[1:]]


def plan_calls(
    rows: Sequence[AnswerRow], pairs: Sequence[Pair], judges: Iterable[str], *, rubric: bool
) -> list[PlannedCall]:
    """Return every judgement to ask for: both orders of each pair, then each answer against its rubric."""
    found = []
    for judge in judges:
        for row in rows:
            for stage, against in pairs:
                if row.answers[stage] != row.answers[against]:
                    found += [
                        PlannedCall(judge, row, stage, against),
                        PlannedCall(judge, row, against, stage),
                    ]
            if rubric and row.rubric:
                systems = dict.fromkeys(name for pair in pairs for name in pair)
                found += [PlannedCall(judge, row, name) for name in systems]
    return found


def judge_endpoints(judges: Mapping[str, settings.Judge]) -> dict[str, settings.Teacher]:
    """Return the judges as endpoints that are asked.

    Raises:
        RecipeError: a schema is wanted in a protocol that has no field `response_format`.
    """
    found = {}
    for name, judge in judges.items():
        if judge.json_schema and protocol_of(judge) == "anthropic":
            raise RecipeError(
                f"judge.{name}.json_schema: Anthropic's protocol has no response_format",
                "Leave it out: lines of a fixed form are read as well.",
            )
        schema = {"response_format": dict(VERDICT_SCHEMA)} if judge.json_schema else {}
        shared = {key: getattr(judge, key) for key in settings.Judge.model_fields if key != "json_schema"}
        found[name] = settings.Teacher(**{**shared, "extra": {**schema, **judge.extra}})
    return found


async def ask_judges(
    context: StepContext,
    judges: Mapping[str, settings.Judge],
    planned: Sequence[PlannedCall],
    prompts: JudgePrompts,
) -> AskedJudges:
    """Return every judgement, in the order of `planned`; the step pays."""
    endpoints, asked = judge_endpoints(judges), AskedJudges()
    _announce(context, endpoints, judges, planned, prompts)
    with console.progress_bar("judge", len(planned), "judgements") as bar:
        async with open_session(context, endpoints, role="judge") as models:

            def advance() -> None:
                bar.advance(facts=format_usd(models.paid_usd))

            at_once = len(planned) if context.runtime.batch else REQUESTS_AT_ONCE
            for first in range(0, len(planned), max(at_once, 1)):
                part = planned[first : first + at_once]
                await _ask_part(models, judges, part, prompts, asked, advance)
        context.output.cost_usd = models.cost_usd
    return asked


async def _ask_part(
    models: EndpointSession,
    judges: Mapping[str, settings.Judge],
    part: Sequence[PlannedCall],
    prompts: JudgePrompts,
    asked: AskedJudges,
    advance: Callable[[], None],
) -> None:
    """Ask for some judgements, and once more for those that cannot be read."""
    sent = [one.messages(prompts, json=judges[one.judge].json_schema) for one in part]
    requests = [ChatRequest(one.judge, messages) for one, messages in zip(part, sent, strict=True)]
    replies = await models.reply_all(requests, advance)
    found = [one.read(reply) for one, reply in zip(part, replies, strict=True)]
    again = [place for place, call in enumerate(found) if call.failure not in ("", "unanswered")]
    repeated = []
    for place in again:
        one, messages, reply = part[place], sent[place], replies[place]
        json = judges[one.judge].json_schema
        repeated.append(ChatRequest(one.judge, prompts.repeat(messages, reply.text, one.points, json=json)))
    second = await models.reply_all(repeated)
    for place, reply in zip(again, second, strict=True):
        found[place] = part[place].read(reply, found[place].failure)
    asked.calls += found
    for request, reply in zip((*requests, *repeated), (*replies, *second), strict=True):
        asked.usd[request.endpoint] = asked.usd.get(request.endpoint, 0.0) + reply.cost_usd


def _announce(
    context: StepContext,
    endpoints: Mapping[str, settings.Teacher],
    judges: Mapping[str, settings.Judge],
    planned: Sequence[PlannedCall],
    prompts: JudgePrompts,
) -> None:
    """Say what all judgements can cost, before the first is sent."""
    most = 0.0
    for one in planned:
        messages = one.messages(prompts, json=judges[one.judge].json_schema)
        size = sum(len(message.content.encode()) for message in messages)
        price = price_of(f"judge.{one.judge}", endpoints[one.judge])
        most += price.upper_usd(size, endpoints[one.judge].max_tokens)
    told = f"judge: {len(planned):,} judgements, {format_usd(most)} at most, stored ones free"
    console.log(f"{told}; one that cannot be read is asked for again. Cap: {context.runtime.max_cost_usd:g}")
