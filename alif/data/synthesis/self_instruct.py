"""Modified self-instruct without its network: what is accepted, what has been asked, and what to ask next.

A round is planned from the pool as it is and read in the order of its requests, so the same replies give the
same rows.

Source: Alif, arXiv 2510.09051 (4 human and 2 machine seeds, one pool), after Self-Instruct, 2212.10560.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pydantic import Field

from alif import sampling, settings
from alif.data import teachers
from alif.data.filters.wrong_language import find_wrong_language
from alif.data.prompt_texts import PromptTexts, prompt_digest
from alif.data.synthesis import strategies
from alif.data.synthesis.coverage import Coverage
from alif.data.synthesis.example_pool import ExamplePool
from alif.data.synthesis.funnel import Funnel
from alif.data.synthesis.passages import Passage, PassageSampler, Strategy
from alif.data.synthesis.prompts import synthesis_messages
from alif.data.synthesis.slots import SlotSampler
from alif.data.unreadable_replies import ReadableReplies
from alif.language.pack import Pack
from alif.language.replies import item_format
from alif.llm import Message, Reply
from alif.records import Dropped, Example, FrozenModel, Origin

__all__ = ["RequestRecord", "SelfInstruct", "TaskProgress", "TeacherRequest", "target_rows"]

MIN_SCRIPT_SHARE = 0.5
"""Least share of letters in the right script: a row with less would spoil the pool."""


@dataclass(frozen=True)
class TeacherRequest:
    """One request of a round."""

    task: str
    teacher: str
    shown: tuple[str, ...]
    """Ids of the rows that it shows, in their order."""
    messages: tuple[Message, ...]
    draw: int
    strategy: Strategy = "plain"
    passage: Passage | None = None
    revised: bool = False
    """Whether the teacher criticises its draft and writes it again."""

    @property
    def full_strategy(self) -> str:
        """The strategy as the funnel and the rows name it."""
        return f"{self.strategy}, revised" if self.revised else self.strategy


class RequestRecord(FrozenModel):
    """One line of requests.jsonl: enough to read the stored reply again without a plan."""

    round: int
    task: str
    teacher: str
    shown: tuple[str, ...]
    draw: int
    request: str
    """Hash of the request in the ledger."""
    strategy: Strategy
    passage: str = ""
    """Its id."""
    revised: bool = False
    turns: tuple[str, ...] = Field((), exclude_if=lambda turns: not turns)
    """Hashes of all requests of a revised one: draft, critique, second version."""


@dataclass
class TaskProgress:
    """How far one task is."""

    target: int
    accepted: list[Example] = field(default_factory=list)
    near_duplicates: list[Example] = field(default_factory=list)
    requests: int = 0
    saturated: bool = False
    window: Counter[str] = field(default_factory=Counter)
    """Requests, candidates and accepted rows since saturation was last checked."""
    last_yield: float = 0.0  # accepted rows per request in the task's last round

    @property
    def left(self) -> int:
        return 0 if self.saturated else self.target - len(self.accepted)


class SelfInstruct:
    """The growing set: what is accepted and what has been asked."""

    def __init__(
        self,
        own: Pack,
        known: Pack,
        settings: settings.Generate,
        pool: settings.Pool,
        texts: PromptTexts,
        seeds: Sequence[Example],
        passages: Sequence[Passage] = (),
    ) -> None:
        self.own, self.known, self.settings, self.texts = own, known, settings, texts
        self.pool = ExamplePool(own, pool)
        self.seeds: dict[str, list[Example]] = {name: [] for name in own.tasks}
        for seed in seeds:
            self.seeds[seed.task].append(seed)
            self.pool.add(seed)
        targets = target_rows(own, settings.target_rows, settings.weights)
        self.tasks = {name: TaskProgress(target) for name, target in targets.items()}
        self.accepted, self.format_deviations = list[Example](), Counter[str]()
        self.funnel, self.coverage, self.replies = Funnel(), Coverage(own), ReadableReplies()
        self.passages = PassageSampler(passages, settings)
        self.slots = SlotSampler(own.slots, self.coverage, seeds) if settings.slots and own.slots else None
        self.sent: Counter[tuple[str, tuple[Message, ...]]] = Counter()
        self.rounds, self.requests = 0, list[RequestRecord]()

    def plan_round(
        self, endpoints: Mapping[str, settings.Teacher], ahead: Sequence[Sequence[TeacherRequest]] = ()
    ) -> list[TeacherRequest]:
        """Write the requests of the next round from the pool as it is; none when nothing is left to ask.

        `ahead` are the rounds that are asked already and not yet read: what they should bring is not asked
        for again.
        """
        coming = Counter(request.task for requests in ahead for request in requests)
        wanted: dict[str, int] = {}
        for name, task in self.tasks.items():
            rows_each = max(task.last_yield, 1.0) if task.requests else self.settings.rows_per_request
            wanted[name] = max(math.ceil(task.left / rows_each) - coming[name], 0)
        left = {name: float(task.left) for name, task in self.tasks.items()}
        quotas = sampling.apportion(self.settings.requests_per_round, left, most=wanted)
        names = [name for name in self.tasks for _ in range(quotas[name])]
        round_ = self.rounds + len(ahead)
        return [self._plan_request(name, round_, place, endpoints) for place, name in enumerate(names)]

    def _plan_request(
        self, name: str, round_: int, place: int, endpoints: Mapping[str, settings.Teacher]
    ) -> TeacherRequest:
        task, settings = self.own.tasks[name], self.settings
        rng = sampling.seeded_rng(settings.seed, "generate", round_, place)
        teacher = teachers.choose_endpoint(endpoints, name, rng)
        human, machine = self.seeds[name], self.tasks[name].accepted
        shown = rng.sample(human, min(settings.human_seeds, len(human)))
        if len(machine) >= settings.machine_seeds:
            shown += rng.sample(machine, settings.machine_seeds)
        rng.shuffle(shown)
        variant = rng.randrange(len(task.templates))
        at_home = self.slots is not None and rng.random() >= task.world_share
        strategy, passage, revised = self.passages.choose(self.own, name, round_, place, at_home)
        if strategy == "reverse" and passage:
            asked = strategies.reverse_messages(self.texts, self.own, shown, passage)
        else:
            items, as_json = settings.rows_per_request, endpoints[teacher].json_schema
            grounding = passage.text if passage else ""
            slots = self.slots.write(task, items, at_home, grounding, rng) if self.slots else ""
            asked = synthesis_messages(
                self.texts, task, self.own, shown, items, variant, grounding, slots, as_json
            )
        messages = tuple(asked)
        draw = self.sent[teacher, messages]
        self.sent[teacher, messages] += 1
        ids = tuple(row.id for row in shown)
        return TeacherRequest(name, teacher, ids, messages, draw, strategy, passage, revised)

    def accept_replies(
        self, requests: Sequence[TeacherRequest], replies: Sequence[Reply]
    ) -> Iterator[list[Example | Dropped]]:
        """Read a round in the order of its requests; yield what became of the pieces of each reply.

        Raises:
            ReplyError: nothing can be read of what a teacher answers.
        """
        before = {name: len(task.accepted) for name, task in self.tasks.items()}
        for request, reply in zip(requests, replies, strict=True):
            self.requests.append(
                RequestRecord(
                    round=self.rounds,
                    task=request.task,
                    teacher=request.teacher,
                    shown=request.shown,
                    draw=request.draw,
                    request=reply.request,
                    strategy=request.strategy,
                    passage=request.passage.id if request.passage else "",
                    revised=request.revised,
                    turns=reply.turns,
                )
            )
            yield self._accept_reply(request, reply)
        for name, count in Counter(request.task for request in requests).items():
            task = self.tasks[name]
            task.last_yield = (len(task.accepted) - before[name]) / count
            self._check_saturation(task)
        self.rounds += 1
        self.replies.check()

    def _accept_reply(self, request: TeacherRequest, reply: Reply) -> list[Example | Dropped]:
        task = self.tasks[request.task]
        answer = request.passage if request.strategy == "reverse" else None
        pieces = strategies.read_reply(reply, answer, self.own, self.known)
        task.requests += 1
        task.window["requests"] += 1
        origin, results = _origin(request, reply), []
        for piece in pieces:
            result: Example | Dropped
            if isinstance(piece, Dropped):
                result = piece
            else:
                self.format_deviations.update(piece.tolerances)
                texts = piece.instruction, piece.input, piece.output
                result = self._decide(Example.make(self.own.code, request.task, *texts, origin))
            if isinstance(result, Example):
                self._accept(result)
            results.append(result)
        parsed = sum(isinstance(piece, item_format.Candidate) for piece in pieces)
        reasons = [result.reason if isinstance(result, Dropped) else "" for result in results]
        task.window["candidates"] += len(reasons) - reasons.count("target_reached")
        self.replies.add(request.teacher, reply, readable=parsed > 0)
        self.funnel.add((request.task, request.teacher, request.full_strategy), reply, parsed, reasons)
        return results

    def _decide(self, row: Example) -> Example | Dropped:
        """Return the row if it may join the pool, else why not."""
        task = self.tasks[row.task]
        if len(task.accepted) >= task.target:
            evidence = f"{row.task} has its {task.target} rows"
            return Dropped(row=row, reason="target_reached", evidence=evidence)
        if not row.output or not self.pool.compared_words(row):
            return Dropped(row=row, reason="empty", evidence="no word to compare by")
        if nearest := self.pool.nearest(row):  # first, since it refuses the most by far
            task.near_duplicates.append(row)
            return Dropped(row=row, reason="near_duplicate", nearest=nearest)
        evidence = find_wrong_language(row, self.own, self.known, MIN_SCRIPT_SHARE)
        return Dropped(row=row, reason="wrong_language", evidence=evidence) if evidence else row

    def _accept(self, row: Example) -> None:
        task = self.tasks[row.task]
        self.pool.add(row)
        self.coverage.add(row)
        self.accepted.append(row)
        task.accepted.append(row)
        task.window["accepted"] += 1

    def _check_saturation(self, task: TaskProgress) -> None:
        """Give a task up once as many requests as make a round have brought next to nothing."""
        if task.window["requests"] >= self.settings.requests_per_round:
            accepted = task.window["accepted"]
            little = not accepted or accepted < self.settings.min_acceptance * task.window["candidates"]
            # once given up it stays so: a round that was asked before may be read after
            task.saturated = task.saturated or (task.left > 0 and little)
            task.window.clear()

    def prompt_digests(self) -> dict[str, tuple[str, ...]]:
        """Return the digests of the wordings that were sent: the pack's by task, ours by strategy."""
        asked = {one.task for one in self.requests if one.strategy != "reverse"}  # has no wording of the task
        used = {one.strategy for one in self.requests}
        turns = max((len(one.turns) for one in self.requests), default=0)
        sent = {name: tuple(task.templates) for name, task in self.own.tasks.items() if name in asked}
        if "grounded" in used:
            sent["grounded"] = (self.texts.grounding,)
        if "reverse" in used:
            sent["reverse"] = (self.texts.reverse_system,)
        if turns:
            sent["revised"] = (self.texts.critique, self.texts.rewrite)[: turns - 1]
        return {name: tuple(map(prompt_digest, wordings)) for name, wordings in sent.items()}


def _origin(request: TeacherRequest, reply: Reply) -> Origin:
    """Return where all rows of a reply come from."""
    passage = request.passage
    return Origin(
        kind="teacher",
        source=passage.source if passage else "",
        licence=passage.licence if passage else "",
        author=passage.author if passage and request.strategy == "reverse" else reply.model,
        teacher=request.teacher,
        model=reply.model,
        request=reply.request,
        strategy=request.full_strategy,
        parents=(*request.shown, *((passage.id,) if passage else ())),
    )


def target_rows(pack: Pack, total: int, weights: Literal["pack", "paper"] = "pack") -> dict[str, int]:
    """Split the wanted rows over the pack's tasks: by share, the rest by weight; "paper": by weight alone."""
    shares = {name: task.share if weights == "pack" else 0.0 for name, task in pack.tasks.items()}
    per_share = sum(task.weight for task in pack.tasks.values()) / (1 - sum(shares.values()))
    return sampling.apportion(
        total, {name: task.weight + shares[name] * per_share for name, task in pack.tasks.items()}
    )
