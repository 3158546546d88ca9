"""The growing set of rows: what is accepted, what was dropped, what has been asked, and what to ask next.

A round is planned from the pool as it is and read in the order of its requests, so the same replies give the same rows.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from alif import recipe, sampling
from alif.data import teachers
from alif.data.filters.rules import language_fault
from alif.data.synthesis import strategies
from alif.data.synthesis.coverage import Coverage
from alif.data.synthesis.example_pool import ExamplePool
from alif.data.synthesis.funnel import Funnel
from alif.data.synthesis.strategies import Passage, Way
from alif.language.pack import Pack
from alif.language.replies import item_format
from alif.llm import Message, Reply
from alif.records import Dropped, Example, Origin

__all__ = ["OWN_LETTERS", "SelfInstruct", "TaskProgress", "TeacherRequest", "target_rows"]

OWN_LETTERS = 0.5
"""Least share of letters in the right script: what has less is no row of the language and would spoil the pool."""


@dataclass(frozen=True)
class TeacherRequest:
    """One request of a round."""

    task: str
    teacher: str
    shown: tuple[str, ...]
    """Ids of the rows that it shows, in their order."""
    messages: tuple[Message, ...]
    draw: int
    way: Way = "plain"
    passage: Passage | None = None
    """What it is grounded in, or asks the question to."""
    revised: bool = False
    """Whether the teacher criticises its draft and writes it again."""

    @property
    def whole_way(self) -> str:
        """The way as the funnel and the rows name it."""
        return f"{self.way}, revised" if self.revised else self.way


@dataclass
class TaskProgress:
    """How far one task is."""

    target: int
    accepted: list[Example] = field(default_factory=list)
    requests: int = 0
    saturated: bool = False
    window: Counter[str] = field(default_factory=Counter)
    """Requests, candidates and accepted rows since the task was last judged."""
    last_yield: float = 0.0
    """Accepted rows a request in the task's last round."""

    @property
    def left(self) -> int:
        return 0 if self.saturated else self.target - len(self.accepted)


class SelfInstruct:
    """The growing set: what is accepted, what was dropped, and what has been asked."""

    def __init__(
        self,
        own: Pack,
        known: Pack,
        settings: recipe.Generate,
        pool: recipe.Pool,
        seeds: Sequence[Example],
        passages: Sequence[Passage] = (),
    ) -> None:
        self.own, self.known, self.settings = own, known, settings
        self.crowd = ExamplePool(own, pool)
        self.seeds: dict[str, list[Example]] = {name: [] for name in own.tasks}
        for seed in seeds:
            self.seeds[seed.task].append(seed)
            self.crowd.add(seed)
        self.tasks = {
            name: TaskProgress(target)
            for name, target in target_rows(own, settings.target_rows, settings.weights).items()
        }
        self.accepted: list[Example] = []
        self.dropped: list[Dropped] = []
        self.tolerances: Counter[str] = Counter()
        self.funnel, self.coverage = Funnel(), Coverage(own)
        self.deck = strategies.PassageSampler(passages, settings)
        self.asked: Counter[tuple[str, tuple[Message, ...]]] = Counter()
        self.rounds = 0
        self.requests: list[dict[str, object]] = []
        """What was asked, in order, for requests.jsonl: with it the replies can be read again without a plan."""

    def plan(
        self, shares: Mapping[str, recipe.Teacher], ahead: Sequence[Sequence[TeacherRequest]] = ()
    ) -> list[TeacherRequest]:
        """Write the requests of the next round from the pool as it is now; none when there is nothing left to ask for.

        `ahead` are the rounds that are asked already and not yet taken: what they should bring is not asked for again.
        """
        coming = Counter(request.task for requests in ahead for request in requests)
        wanted = {name: self._wanted(task, coming[name]) for name, task in self.tasks.items()}
        quotas = sampling.apportion(
            self.settings.requests_per_round,
            {name: float(task.left) for name, task in self.tasks.items()},
            most=wanted,
        )
        names = [name for name in self.tasks for _ in range(quotas[name])]
        return [
            self._request(name, self.rounds + len(ahead), place, shares) for place, name in enumerate(names)
        ]

    def _wanted(self, task: TaskProgress, coming: int) -> int:
        """Return how many requests more than those that are `coming` a task is worth, judged by what the last ones brought."""
        each = max(task.last_yield, 1.0) if task.requests else self.settings.rows_per_request
        return max(math.ceil(task.left / each) - coming, 0)

    def _request(
        self, name: str, round_: int, place: int, shares: Mapping[str, recipe.Teacher]
    ) -> TeacherRequest:
        numbers = sampling.seeded_rng(self.settings.seed, "generate", round_, place)
        teacher = teachers.choose_endpoint(shares, name, numbers)
        human, machine = self.seeds[name], self.tasks[name].accepted
        shown = numbers.sample(human, min(self.settings.human_seeds, len(human)))
        if len(machine) >= self.settings.machine_seeds:
            shown += numbers.sample(machine, self.settings.machine_seeds)
        numbers.shuffle(shown)
        wording = numbers.randrange(len(self.own.tasks[name].templates))
        way, passage, revised = self.deck.deal(self.own, name, round_, place)
        messages = tuple(
            strategies.build_messages(
                way, self.own.tasks[name], self.own, shown, self.settings.rows_per_request, wording, passage
            )
        )
        draw = self.asked[teacher, messages]
        self.asked[teacher, messages] += 1
        return TeacherRequest(
            name, teacher, tuple(row.id for row in shown), messages, draw, way, passage, revised
        )

    def take(self, requests: Sequence[TeacherRequest], replies: Sequence[Reply]) -> None:
        """Accept or drop every item of a round, in the order of its requests."""
        for _ in self.taking(requests, replies):
            pass

    def taking(self, requests: Sequence[TeacherRequest], replies: Sequence[Reply]) -> Iterator[None]:
        """Do `take` reply by reply, for those who have other work in between."""
        before = {name: len(task.accepted) for name, task in self.tasks.items()}
        for request, reply in zip(requests, replies, strict=True):
            self._read(request, reply)
            self.requests.append(self._record(request, reply))
            yield
        asked = Counter(request.task for request in requests)
        for name, count in asked.items():
            task = self.tasks[name]
            task.last_yield = (len(task.accepted) - before[name]) / count
            self._judge(task)
        self.rounds += 1

    def _record(self, request: TeacherRequest, reply: Reply) -> dict[str, object]:
        return {
            "round": self.rounds,
            "task": request.task,
            "teacher": request.teacher,
            "shown": request.shown,
            "draw": request.draw,
            "request": reply.request,
            "way": request.way,
            "passage": request.passage.id if request.passage else "",
            "revised": request.revised,
            **({"turns": reply.turns} if reply.turns else {}),
        }

    def _read(self, request: TeacherRequest, reply: Reply) -> None:
        task = self.tasks[request.task]
        pieces = self._pieces(request, reply)
        outcomes: list[str] = []
        task.requests += 1
        task.window["requests"] += 1
        origin = _origin(request, reply)
        for piece in pieces:
            if isinstance(piece, item_format.Candidate):
                if piece.tolerances:
                    self.tolerances.update(piece.tolerances)
                texts = piece.instruction, piece.input, piece.output
                result = self._decide(Example.make(self.own.code, request.task, *texts, origin=origin))
            else:
                result = piece
            full = isinstance(result, Dropped) and result.reason == "target_reached"
            task.window["candidates"] += not full
            if isinstance(result, Dropped):
                self.dropped.append(result)
            else:
                self._accept(result)
            outcomes.append(result.reason if isinstance(result, Dropped) else "")
        parsed = sum(isinstance(piece, item_format.Candidate) for piece in pieces)
        self.funnel.add((request.task, request.teacher, request.whole_way), reply, parsed, outcomes)

    def _pieces(self, request: TeacherRequest, reply: Reply) -> list[item_format.Candidate | Dropped]:
        if request.way == "reverse" and request.passage:
            return [strategies.read_question(reply.text, reply.finish, request.passage, self.own)]
        return item_format.read_items(reply.text, reply.finish, self.own)

    def _decide(self, row: Example) -> Example | Dropped:
        """Return the row if it may join the pool, else why not."""
        if len(self.tasks[row.task].accepted) >= self.tasks[row.task].target:
            return Dropped(
                row=row,
                reason="target_reached",
                evidence=f"{row.task} has its {self.tasks[row.task].target} rows",
            )
        if not row.output or not self.crowd.words(row):
            return Dropped(row=row, reason="empty", evidence="no word to compare by")
        if nearest := self.crowd.nearest(row):  # first, since it refuses the most by far
            return Dropped(row=row, reason="near_duplicate", nearest=nearest)
        evidence = language_fault(row, self.own, self.known, OWN_LETTERS)
        return Dropped(row=row, reason="wrong_language", evidence=evidence) if evidence else row

    def _accept(self, row: Example) -> None:
        task = self.tasks[row.task]
        self.crowd.add(row)
        self.coverage.add(row)
        self.accepted.append(row)
        task.accepted.append(row)
        task.window["accepted"] += 1

    def _judge(self, task: TaskProgress) -> None:
        """Give a task up once as many requests as make a whole round have brought next to nothing."""
        if task.window["requests"] >= self.settings.requests_per_round:
            accepted = task.window["accepted"]
            little = not accepted or accepted < self.settings.min_acceptance * task.window["candidates"]
            task.saturated = task.saturated or (
                task.left > 0 and little
            )  # a round asked before may come after
            task.window.clear()

    def facts(self) -> dict[str, object]:
        """Return how the set has grown, for the report: all counts of requests and rows stand in the funnel."""
        return {
            "rounds": self.rounds,
            "saturated": [name for name, task in self.tasks.items() if task.saturated],
            "targets": {name: task.target for name, task in self.tasks.items()},
            "funnel": self.funnel.facts(list(self.own.tasks)),
            "tolerances": dict(sorted(self.tolerances.items())),
        }


def _origin(request: TeacherRequest, reply: Reply) -> Origin:
    """Return where all rows of a reply come from."""
    passage = request.passage
    return Origin(
        kind="teacher",
        source=passage.source if passage else "",
        licence=passage.licence if passage else "",
        author=passage.author if passage and request.way == "reverse" else reply.model,
        teacher=request.teacher,
        model=reply.model,
        request=reply.request,
        strategy=request.whole_way,
        parents=(*request.shown, *((passage.id,) if passage else ())),
    )


def target_rows(pack: Pack, accepted: int, weights: Literal["pack", "paper"] = "pack") -> dict[str, int]:
    """Split the wanted rows over the pack's tasks: by share, the rest by weight; the paper's way by weight alone."""
    shares = {name: task.share if weights == "pack" else 0.0 for name, task in pack.tasks.items()}
    per_share = sum(task.weight for task in pack.tasks.values()) / (1 - sum(shares.values()))
    return sampling.apportion(
        accepted, {name: task.weight + shares[name] * per_share for name, task in pack.tasks.items()}
    )
