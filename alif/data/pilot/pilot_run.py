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
from alif.data import teachers
from alif.data.pilot.estimate import CostSample, estimate_cost
from alif.data.synthesis import generate, seeds, strategies
from alif.data.synthesis.generate import ROUNDS_AT_ONCE
from alif.data.synthesis.self_instruct import SelfInstruct, TeacherRequest
from alif.data.translation import translate
from alif.errors import DataError
from alif.formatting import format_usd
from alif.language import pack as packs
from alif.llm import Message, Reply, gather_or_cancel
from alif.llm.budget import price_of
from alif.runs import StepContext

__all__ = ["run_pilot"]

FOR_TRANSLATE = 5
"""One request in so many is one of `translate`, where the recipe translates."""


class Pilot:
    """The requests of one rehearsal, asked live under ledger and cap."""

    def __init__(self, context: StepContext, recipe: recipe.Recipe, models: Mapping[str, Any]) -> None:
        self.context, self.recipe, self.models = context, recipe, models
        self._seats = asyncio.Semaphore(context.runtime.max_concurrency)
        self._clock = context.scratch / "seconds.json"
        self._seconds: dict[str, float] = store.read_json(self._clock) if self._clock.is_file() else {}

    async def generated(self, expansion: SelfInstruct, count: int) -> list[CostSample]:
        """Ask the first `count` requests of `generate`, the last of them spread over the tasks of their round."""
        replies: list[Reply] = []
        ahead: list[list[TeacherRequest]] = []
        while len(replies) < count:
            while len(ahead) < ROUNDS_AT_ONCE and (planned := expansion.plan(self.recipe.teacher, ahead)):
                ahead.append(planned)
            if not ahead:
                break
            planned, left = ahead.pop(0), count - len(replies)
            round_ = (
                planned
                if len(planned) <= left
                else [planned[place * len(planned) // left] for place in range(left)]
            )
            self._warn([(one.teacher, one.messages) for one in round_])
            answers = await gather_or_cancel(self._asked(one) for one in round_)
            expansion.take(round_, answers)
            replies += answers
        accepted = Counter(row.origin.request for row in expansion.accepted)
        names = [str(row["teacher"]) for row in expansion.requests]
        return [
            self._sample("generate", name, reply, accepted[reply.request])
            for name, reply in zip(names, replies, strict=True)
        ]

    async def translated(self, count: int) -> list[CostSample]:
        """Ask requests of `translate`, spread over the rows that it will translate."""
        own, known = packs.load_pack(self.recipe.language.pack), packs.load_pack(self.recipe.language.source)
        wanted, _, _ = translate.sample_items(own, known, self.recipe.sources.folder, self.recipe.translate)
        some = [wanted[place * len(wanted) // count] for place in range(min(count, len(wanted)))]
        asked = [translate.translation_request(one, (own, known), self.recipe.teacher) for one in some]
        self._warn(asked)
        replies = await gather_or_cancel(self._timed(name, messages, 0) for name, messages in asked)
        return [
            self._sample("translate", name, reply, 1) for (name, _), reply in zip(asked, replies, strict=True)
        ]

    def _warn(self, asked: Sequence[tuple[str, Sequence[Message]]]) -> None:
        """Tell the price before anything is sent."""
        usd = 0.0
        for name, messages in asked:
            teacher = self.recipe.teacher[name]
            size = sum(len(message.content.encode()) for message in messages)
            usd += price_of(name, teacher).upper_usd(size, teacher.max_tokens)
        console.log(f"rehearsal: {len(asked)} requests, at most {format_usd(usd)} if none is stored already")

    async def _asked(self, request: TeacherRequest) -> Reply:
        async def send(messages: Sequence[Message]) -> Reply:
            return await self._timed(request.teacher, messages, request.draw)

        return await strategies.ask_with_revision(
            send, request.messages, request.revised, packs.load_pack(self.recipe.language.pack)
        )

    async def _timed(self, name: str, messages: Sequence[Message], draw: int) -> Reply:
        async with self._seats:
            began = time.monotonic()
            reply: Reply = await self.models[name].reply(messages, draw=draw)
        if not reply.stored:
            self._seconds[reply.request] = round(time.monotonic() - began, 3)
        return reply

    def _sample(self, step: str, name: str, reply: Reply, accepted: int) -> CostSample:
        return CostSample(
            step=step,
            accepted=accepted,
            usd=reply.cost_usd,
            run_usd=reply.cost_usd
            * (self.recipe.teacher[name].batch_price_factor if self.recipe.runtime.batch else 1.0),
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


def run_pilot(context: StepContext, recipe: recipe.Recipe, count: int) -> dict[str, Any]:
    """Send `count` requests and return the range for the whole recipe: see `estimate`.

    Raises:
        DataError: the recipe asks its teachers nothing.
        BudgetError: the cap is reached.
    """
    if not recipe.generate.target_rows and not recipe.translate.rows:
        raise DataError(
            f"{recipe.name}: the recipe asks its teachers nothing", "There is nothing to rehearse."
        )
    folder = context.scratch / "seeds"
    seeds.load_seeds(
        replace(context, step="seeds", folder=folder),
        language=recipe.language,
        sources=recipe.sources,
        seeds=recipe.seeds,
        pool=recipe.pool,
    )
    live = replace(
        context,
        step="generate",
        inputs={"seeds": folder},
        runtime=context.runtime.model_copy(update={"batch": False}),
    )
    samples, expansion = asyncio.run(_rehearse(live, recipe, count))
    return estimate_cost(samples, recipe) | {
        "dropped": dict(sorted(Counter(row.reason for row in expansion.dropped).items()))
    }


async def _rehearse(
    context: StepContext, recipe: recipe.Recipe, count: int
) -> tuple[list[CostSample], SelfInstruct]:
    expansion = generate.initialise(context, recipe.language, recipe.sources, recipe.generate, recipe.pool)
    both = recipe.generate.target_rows and recipe.translate.rows
    for_translate = max(1, count // FOR_TRANSLATE) if both else count if recipe.translate.rows else 0
    samples: list[CostSample] = []
    for step, number in (("generate", count - for_translate), ("translate", for_translate)):
        asking = replace(context, step=step)
        async with teachers.open_endpoints(
            asking, recipe.teacher, expansion.own, expansion.known, recipe.sources.folder
        ) as models:
            rehearsal = Pilot(asking, recipe, models)
            if number:
                part = (
                    rehearsal.generated(expansion, number)
                    if step == "generate"
                    else rehearsal.translated(number)
                )
                samples += await part
                rehearsal.keep_time()
    return samples, expansion
