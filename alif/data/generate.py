"""Ask the teachers for new rows, in rounds, until every task has as many as it should: modified self-instruct.

    freeze the pool ─▶ draw seeds, write requests ─▶ ask them all at once ─▶ read ─▶ accept in the order of the requests ─┐
          ▲                                                                                                               │
          └────────────────────── until each task has its rows, or its teacher has nothing new ◀──────────────────────────┘

Four rounds are under way at a time, so a round is planned without the rows of the three before it. Whatever arrives first, the
order of requests decides, so the same replies give the same rows to the byte: after a kill everything is worked out again from
the ledger. A request shows human seeds, and accepted rows of the same task once the task has enough of them; until then human
seeds only. Every item ends accepted, or dropped with its reason; an item after its task is full is dropped as `target_reached`.
Only what would spoil the pool is refused here, the rest is for `filter`.

Source: Alif, arXiv 2510.09051 (4 human and 2 machine seeds, one pool for all tasks), after Self-Instruct, arXiv 2212.10560.
"""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from alif import console, recipe, store
from alif.data import lots, prompts, teachers
from alif.data.carriers import carriers
from alif.data.coverage import covered
from alif.data.crowd import Crowd
from alif.data.filters import language_fault
from alif.data.resemblance import resembling
from alif.errors import DataError
from alif.language import pack as packs
from alif.language import text
from alif.language.pack import Pack
from alif.models import ChatModel, Message, Reply, together
from alif.records import Counts, Dropped, Example, Origin
from alif.runs import Given

__all__ = ["OWN_LETTERS", "Expansion", "Request", "expand", "finish", "start", "targets"]

ROUNDS_AT_ONCE = 4
"""Rounds under way: the next are planned before the first is read, so that one slow reply keeps no place in flight empty."""
OWN_LETTERS = 0.5
"""Least share of letters in the right script: what has less is no row of the language and would spoil the pool."""


@dataclass(frozen=True)
class Request:
    """One request of a round."""

    task: str
    teacher: str
    shown: tuple[str, ...]
    """Ids of the rows that it shows, in their order."""
    messages: tuple[Message, ...]
    draw: int


@dataclass
class Progress:
    """How far one task is."""

    target: int
    accepted: list[Example] = field(default_factory=list)
    requests: int = 0
    candidates: int = 0
    saturated: bool = False
    window: Counter[str] = field(default_factory=Counter)
    """Requests, candidates and accepted rows since the task was last judged."""
    last_yield: float = 0.0
    """Accepted rows a request in the task's last round."""

    @property
    def left(self) -> int:
        return 0 if self.saturated else self.target - len(self.accepted)


class Expansion:
    """The growing set: what is accepted, what was dropped, and what has been asked."""

    def __init__(self, own: Pack, known: Pack, settings: recipe.Generate, pool: recipe.Pool, seeds: Sequence[Example]) -> None:
        self.own, self.known, self.settings = own, known, settings
        self.crowd = Crowd(own, pool)
        self.seeds: dict[str, list[Example]] = {name: [] for name in own.tasks}
        for seed in seeds:
            self.seeds[seed.task].append(seed)
            self.crowd.add(seed)
        self.tasks = {name: Progress(target) for name, target in targets(own, settings.accepted, settings.weights).items()}
        self.accepted: list[Example] = []
        self.dropped: list[Dropped] = []
        self.tolerances: Counter[str] = Counter()
        self.by_teacher: dict[str, Counter[str]] = {}
        self.tokens: Counter[str] = Counter()
        self.asked: Counter[tuple[str, tuple[Message, ...]]] = Counter()
        self.rounds = 0
        self.requests: list[dict[str, object]] = []
        """What was asked, in order, for requests.jsonl: with it the replies can be read again without a plan."""

    def plan(self, shares: Mapping[str, recipe.Teacher], ahead: Sequence[Sequence[Request]] = ()) -> list[Request]:
        """Write the requests of the next round from the pool as it is now; none when there is nothing left to ask for.

        `ahead` are the rounds that are asked already and not yet taken: what they should bring is not asked for again.
        """
        coming = Counter(request.task for requests in ahead for request in requests)
        wanted = {name: self._wanted(task, coming[name]) for name, task in self.tasks.items()}
        quotas = lots.shares(self.settings.round, {name: float(task.left) for name, task in self.tasks.items()}, most=wanted)
        names = [name for name in self.tasks for _ in range(quotas[name])]
        return [self._request(name, self.rounds + len(ahead), place, shares) for place, name in enumerate(names)]

    def _wanted(self, task: Progress, coming: int) -> int:
        """Return how many requests more than those that are `coming` a task is worth, judged by what the last ones brought."""
        each = max(task.last_yield, 1.0) if task.requests else self.settings.items
        return max(math.ceil(task.left / each) - coming, 0)

    def _request(self, name: str, round_: int, place: int, shares: Mapping[str, recipe.Teacher]) -> Request:
        numbers = lots.lot(self.settings.seed, "generate", round_, place)
        teacher = teachers.pick(shares, name, numbers)
        human, machine = self.seeds[name], self.tasks[name].accepted
        shown = numbers.sample(human, min(self.settings.human_seeds, len(human)))
        if len(machine) >= self.settings.machine_seeds:
            shown += numbers.sample(machine, self.settings.machine_seeds)
        numbers.shuffle(shown)
        wording = numbers.randrange(len(self.own.tasks[name].templates))
        messages = tuple(prompts.ask(self.own.tasks[name], self.own, shown, self.settings.items, wording))
        draw = self.asked[teacher, messages]
        self.asked[teacher, messages] += 1
        return Request(name, teacher, tuple(row.id for row in shown), messages, draw)

    def take(self, requests: Sequence[Request], replies: Sequence[Reply]) -> None:
        """Accept or drop every item of a round, in the order of its requests."""
        before = {name: len(task.accepted) for name, task in self.tasks.items()}
        for request, reply in zip(requests, replies, strict=True):
            self._read(request, reply)
            self.requests.append(self._record(request, reply))
        asked = Counter(request.task for request in requests)
        for name, count in asked.items():
            task = self.tasks[name]
            task.last_yield = (len(task.accepted) - before[name]) / count
            self._judge(task)
        self.rounds += 1

    def _record(self, request: Request, reply: Reply) -> dict[str, object]:
        return {
            "round": self.rounds,
            "task": request.task,
            "teacher": request.teacher,
            "shown": request.shown,
            "draw": request.draw,
            "request": reply.request,
        }

    def _read(self, request: Request, reply: Reply) -> None:
        task = self.tasks[request.task]
        pieces = prompts.read(reply.text, reply.finish, self.own.tags)
        teacher = self.by_teacher.setdefault(request.teacher, Counter())
        task.requests += 1
        task.candidates += len(pieces)
        task.window["requests"] += 1
        teacher["requests"] += 1
        self.tokens.update(tokens_in=reply.tokens_in, tokens_out=reply.tokens_out)
        for piece in pieces:
            if isinstance(piece, prompts.Candidate):
                self.tolerances.update(piece.tolerances)
                result = self._decide(self._example(piece, request, reply))
            else:
                result = piece
            full = isinstance(result, Dropped) and result.reason == "target_reached"
            task.window["candidates"] += not full
            if isinstance(result, Dropped):
                self.dropped.append(result)
            else:
                self._accept(result)
                teacher["accepted"] += 1

    def _example(self, candidate: prompts.Candidate, request: Request, reply: Reply) -> Example:
        texts = {key: text.normalise(getattr(candidate, key), self.own).strip() for key in prompts.FIELDS}
        origin = Origin(
            kind="teacher",
            author=reply.model,
            teacher=request.teacher,
            model=reply.model,
            request=reply.request,
            parents=request.shown,
        )
        return Example.make(self.own.code, request.task, **texts, origin=origin)

    def _decide(self, row: Example) -> Example | Dropped:
        """Return the row if it may join the pool, else why not."""
        if len(self.tasks[row.task].accepted) >= self.tasks[row.task].target:
            return Dropped(row=row, reason="target_reached", evidence=f"{row.task} has its {self.tasks[row.task].target} rows")
        if not row.output or not self.crowd.words(row):
            return Dropped(row=row, reason="empty", evidence="no word to compare by")
        if evidence := language_fault(row, self.own, self.known, OWN_LETTERS):
            return Dropped(row=row, reason="wrong_language", evidence=evidence)
        nearest = self.crowd.nearest(row)
        return Dropped(row=row, reason="too_near", nearest=nearest) if nearest else row

    def _accept(self, row: Example) -> None:
        task = self.tasks[row.task]
        self.crowd.add(row)
        self.accepted.append(row)
        task.accepted.append(row)
        task.window["accepted"] += 1

    def _judge(self, task: Progress) -> None:
        """Give a task up once as many requests as make a whole round have brought next to nothing."""
        if task.window["requests"] >= self.settings.round:
            accepted = task.window["accepted"]
            task.saturated = task.left > 0 and (not accepted or accepted < self.settings.floor * task.window["candidates"])
            task.window.clear()

    def facts(self) -> dict[str, object]:
        """Return the funnel per task and teacher, for the report."""
        return {
            "rounds": self.rounds,
            "saturated": [name for name, task in self.tasks.items() if task.saturated],
            "tasks": {
                name: {
                    "target": task.target,
                    "requests": task.requests,
                    "candidates": task.candidates,
                    "accepted": len(task.accepted),
                }
                for name, task in self.tasks.items()
            },
            "teachers": {name: dict(sums) for name, sums in sorted(self.by_teacher.items())},
            "tolerances": dict(sorted(self.tolerances.items())),
            **self.tokens,
        }


def targets(pack: Pack, accepted: int, weights: Literal["pack", "paper"] = "pack") -> dict[str, int]:
    """Split the wanted rows over the pack's tasks: by share, the rest by weight; the paper's way by weight alone."""
    shares = {name: task.share if weights == "pack" else 0.0 for name, task in pack.tasks.items()}
    per_share = sum(task.weight for task in pack.tasks.values()) / (1 - sum(shares.values()))
    return lots.shares(accepted, {name: task.weight + shares[name] * per_share for name, task in pack.tasks.items()})


def expand(
    given: Given,
    *,
    language: recipe.Language,
    sources: recipe.Sources,
    teacher: Mapping[str, recipe.Teacher],
    generate: recipe.Generate,
    pool: recipe.Pool,
) -> Counts:
    """Write accepted rows until each task has its target, or its teachers bring nothing new.

    Raises:
        DataError: a task without seeds.
        BudgetError: the money cap is reached; what was answered is kept in the ledger.
    """
    expansion = start(given, language, generate, pool)
    cost_usd = asyncio.run(_ask(given, expansion, teacher, sources.folder)) if generate.accepted else 0.0
    return finish(given, expansion, cost_usd)


def start(given: Given, language: recipe.Language, generate: recipe.Generate, pool: recipe.Pool) -> Expansion:
    """Return the set before the first round: the seeds alone.

    Raises:
        DataError: a task without seeds.
    """
    seeds = list(store.load(given.needs["seeds"] / "examples.jsonl", Example))
    expansion = Expansion(packs.load(language.pack), packs.load(language.known), generate, pool, seeds)
    for name, task in expansion.tasks.items():
        if task.target and not expansion.seeds[name]:
            hint = 'Add seeds of that task; generate.weights = "paper" leaves out a task with a share.'
            raise DataError(f"the task {name} has no seeds to show", hint)
    return expansion


def finish(given: Given, expansion: Expansion, cost_usd: float) -> Counts:
    """Write examples.jsonl, dropped.jsonl and requests.jsonl, and count."""
    found = _carriers(expansion)
    for name, wordings in found.items():
        task = expansion.tasks[name]
        console.note(f"{name}: the teacher brings next to nothing new, {len(task.accepted)} of {task.target} rows", "yellow")
        for wording in wordings:
            console.note(f"{name}: {wording['rows']} of {wording['of']} refused rows say: {wording['words']}")
    store.write_rows(given.folder / "examples.jsonl", expansion.accepted)
    store.write_rows(given.folder / "dropped.jsonl", (row.record() for row in expansion.dropped))
    store.write_rows(given.folder / "requests.jsonl", expansion.requests)
    facts = expansion.facts() | {
        "carriers": found,
        "near_copies": resembling(expansion.accepted, expansion.own, expansion.settings.seed),
        "coverage": covered(expansion.accepted, expansion.own),
    }
    return Counts.of(len(expansion.accepted), expansion.dropped, cost_usd=cost_usd, **facts)


def _carriers(expansion: Expansion) -> dict[str, list[dict[str, object]]]:
    """Return, for each saturated task, the wordings that its refused rows share."""
    found: dict[str, list[dict[str, object]]] = {}
    for name in (name for name, task in expansion.tasks.items() if task.saturated):
        near = [one.row for one in expansion.dropped if one.reason == "too_near"]
        refused = [expansion.crowd.words(row) for row in near if isinstance(row, Example) and row.task == name]
        found[name] = [{"words": one.words, "rows": one.rows, "of": len(refused)} for one in carriers(refused)]
    return found


async def _ask(given: Given, expansion: Expansion, shares: Mapping[str, recipe.Teacher], folder: str) -> float:
    """Do rounds until none is left to do; return what the step has paid."""
    with console.progress("generate", expansion.settings.accepted, "rows") as bar:
        async with teachers.opened(given, shares, expansion.own, expansion.known, folder) as models:

            async def answered(request: Request) -> Reply:
                model: ChatModel = models[request.teacher]
                return await model.reply(request.messages, draw=request.draw)

            async for requests, replies in _rounds(expansion, shares, answered):
                expansion.take(requests, replies)
                bar.to(len(expansion.accepted), f"${models.cost_usd:.4f}")
        return models.cost_usd


async def _rounds(
    expansion: Expansion, shares: Mapping[str, recipe.Teacher], answered: Callable[[Request], Coroutine[Any, Any, Reply]]
) -> AsyncIterator[tuple[list[Request], list[Reply]]]:
    """Yield the rounds with their replies, in order. While one is awaited and taken, the next are on their way."""
    under_way: list[tuple[list[Request], asyncio.Task[list[Reply]]]] = []
    try:
        while True:
            while len(under_way) < ROUNDS_AT_ONCE and (requests := expansion.plan(shares, [asked for asked, _ in under_way])):
                under_way.append((requests, asyncio.create_task(together(answered(request) for request in requests))))
            if not under_way:
                return
            requests, replies = under_way.pop(0)
            yield requests, await replies
    finally:
        for _, replies in under_way:
            replies.cancel()
        await asyncio.gather(*(replies for _, replies in under_way), return_exceptions=True)
