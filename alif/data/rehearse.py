"""Send a few of a recipe's real requests, and say from their replies what the whole recipe will cost: see `estimate`.

The requests are those that `generate` and `translate` will ask first, so their replies are in the ledger when the run needs
them, and nothing is paid twice.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from alif import console, recipe, store
from alif.data import generate, seeds, teachers, translate, ways
from alif.data.estimate import Sample, estimate
from alif.data.expansion import Expansion, Request
from alif.data.generate import ROUNDS_AT_ONCE
from alif.errors import DataError
from alif.language import pack as packs
from alif.models import Message, Reply, together
from alif.models.budget import price
from alif.runs import Given
from alif.units import dollars

__all__ = ["rehearse"]

FOR_TRANSLATE = 5
"""One request in so many is one of `translate`, where the recipe translates."""


class Rehearsal:
    """The requests of one rehearsal, asked live under ledger and cap."""

    def __init__(self, given: Given, recipe: recipe.Recipe, models: Mapping[str, Any]) -> None:
        self.given, self.recipe, self.models = given, recipe, models
        self._seats = asyncio.Semaphore(given.runtime.workers)
        self._clock = given.scratch / "seconds.json"
        self._seconds: dict[str, float] = store.read_json(self._clock) if self._clock.is_file() else {}

    async def generated(self, expansion: Expansion, count: int) -> list[Sample]:
        """Ask the first `count` requests of `generate`, the last of them spread over the tasks of their round."""
        replies: list[Reply] = []
        ahead: list[list[Request]] = []
        while len(replies) < count:
            while len(ahead) < ROUNDS_AT_ONCE and (planned := expansion.plan(self.recipe.teacher, ahead)):
                ahead.append(planned)
            if not ahead:
                break
            planned, left = ahead.pop(0), count - len(replies)
            round_ = planned if len(planned) <= left else [planned[place * len(planned) // left] for place in range(left)]
            self._warn([(one.teacher, one.messages) for one in round_])
            answers = await together(self._asked(one) for one in round_)
            expansion.take(round_, answers)
            replies += answers
        accepted = Counter(row.origin.request for row in expansion.accepted)
        names = [str(row["teacher"]) for row in expansion.requests]
        return [
            self._sample("generate", name, reply, accepted[reply.request]) for name, reply in zip(names, replies, strict=True)
        ]

    async def translated(self, count: int) -> list[Sample]:
        """Ask requests of `translate`, spread over the rows that it will translate."""
        own, known = packs.load(self.recipe.language.pack), packs.load(self.recipe.language.known)
        wanted, _, _ = translate.draw(own, known, self.recipe.sources.folder, self.recipe.translate)
        some = [wanted[place * len(wanted) // count] for place in range(min(count, len(wanted)))]
        asked = [translate.request(one, (own, known), self.recipe.teacher) for one in some]
        self._warn(asked)
        replies = await together(self._timed(name, messages, 0) for name, messages in asked)
        return [self._sample("translate", name, reply, 1) for (name, _), reply in zip(asked, replies, strict=True)]

    def _warn(self, asked: Sequence[tuple[str, Sequence[Message]]]) -> None:
        """Tell the price before anything is sent."""
        usd = 0.0
        for name, messages in asked:
            teacher = self.recipe.teacher[name]
            size = sum(len(message.content.encode()) for message in messages)
            usd += price(name, teacher).upper_usd(size, teacher.max_tokens)
        console.note(f"rehearsal: {len(asked)} requests, at most {dollars(usd)} if none is stored already")

    async def _asked(self, request: Request) -> Reply:
        async def send(messages: Sequence[Message]) -> Reply:
            return await self._timed(request.teacher, messages, request.draw)

        return await ways.answered(send, request.messages, request.revised, packs.load(self.recipe.language.pack))

    async def _timed(self, name: str, messages: Sequence[Message], draw: int) -> Reply:
        async with self._seats:
            began = time.monotonic()
            reply: Reply = await self.models[name].reply(messages, draw=draw)
        if not reply.stored:
            self._seconds[reply.request] = round(time.monotonic() - began, 3)
        return reply

    def _sample(self, step: str, name: str, reply: Reply, accepted: int) -> Sample:
        return Sample(
            step=step,
            accepted=accepted,
            usd=reply.cost_usd,
            run_usd=reply.cost_usd * (self.recipe.teacher[name].batch_price if self.recipe.runtime.batch else 1.0),
            tokens_in=reply.tokens_in,
            tokens_out=reply.tokens_out,
            seconds=self._took(reply),
            stored=reply.stored,
        )

    def _took(self, reply: Reply) -> float | None:
        """Return how long a reply took, all requests of its conversation together; None where one was stored before."""
        requests = reply.turns or (reply.request,)
        known = [self._seconds[request] for request in requests if request in self._seconds]
        return sum(known) if len(known) == len(requests) else None

    def keep_time(self) -> None:
        """Write down how long each reply took: the ledger does not say."""
        store.write_json(self._clock, self._seconds)


def rehearse(given: Given, recipe: recipe.Recipe, count: int) -> dict[str, Any]:
    """Send `count` requests and return the range for the whole recipe: see `estimate`.

    Raises:
        DataError: the recipe asks its teachers nothing.
        BudgetError: the cap is reached.
    """
    if not recipe.generate.accepted and not recipe.translate.rows:
        raise DataError(f"{recipe.name}: the recipe asks its teachers nothing", "There is nothing to rehearse.")
    folder = given.scratch / "seeds"
    seeds.load(
        replace(given, step="seeds", folder=folder),
        language=recipe.language,
        sources=recipe.sources,
        seeds=recipe.seeds,
        pool=recipe.pool,
    )
    live = replace(given, step="generate", needs={"seeds": folder}, runtime=given.runtime.model_copy(update={"batch": False}))
    samples, expansion = asyncio.run(_rehearse(live, recipe, count))
    return estimate(samples, recipe) | {"dropped": dict(sorted(Counter(row.reason for row in expansion.dropped).items()))}


async def _rehearse(given: Given, recipe: recipe.Recipe, count: int) -> tuple[list[Sample], Expansion]:
    expansion = generate.start(given, recipe.language, recipe.sources, recipe.generate, recipe.pool)
    both = recipe.generate.accepted and recipe.translate.rows
    for_translate = max(1, count // FOR_TRANSLATE) if both else count if recipe.translate.rows else 0
    samples: list[Sample] = []
    for step, number in (("generate", count - for_translate), ("translate", for_translate)):
        asking = replace(given, step=step)
        async with teachers.opened(asking, recipe.teacher, expansion.own, expansion.known, recipe.sources.folder) as models:
            rehearsal = Rehearsal(asking, recipe, models)
            if number:
                part = rehearsal.generated(expansion, number) if step == "generate" else rehearsal.translated(number)
                samples += await part
                rehearsal.keep_time()
    return samples, expansion
