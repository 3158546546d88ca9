"""Send a few of a recipe's real requests, and estimate from their replies what the whole recipe will cost.

The requests are those that `generate` and `translate` will ask first, so their replies are in the ledger when
the run needs them, and nothing is paid twice.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from alif import console, settings, store
from alif.data import teachers
from alif.data.pilot.estimate import CostEstimate, CostSample, estimate_cost
from alif.data.prompt_texts import PROMPTS_FOLDER
from alif.data.synthesis import generate, seeds
from alif.data.synthesis.generate import ROUNDS_IN_FLIGHT
from alif.data.synthesis.self_instruct import SelfInstruct, TeacherRequest
from alif.data.synthesis.strategies import ask_with_revision
from alif.data.translation import translate
from alif.errors import DataError
from alif.formatting import format_usd
from alif.llm import ChatModel, ChatRequest, Message, Reply, gather_or_cancel
from alif.llm.budget import price_of
from alif.records import Dropped
from alif.runs import StepContext, StepOutput

__all__ = ["PilotReport", "log_price", "prepare_pilot", "run_pilot"]

ONE_IN = 5
"""One request in so many is one of `translate`, where the recipe translates."""


class PilotReport(CostEstimate):
    """The estimate, and why pieces of replies were dropped."""

    dropped: dict[str, int]


def run_pilot(context: StepContext, recipe: settings.Recipe, count: int) -> PilotReport:
    """Send `count` requests and return the range for the whole recipe.

    Raises:
        DataError: the recipe asks its teachers nothing.
        ReplyError: nothing can be read of what a teacher answers.
        BudgetError: the cap is reached.
    """
    if not recipe.generate.target_rows and not recipe.translate.rows:
        raise DataError(f"{recipe.name}: the recipe asks its teachers nothing", "There is nothing to try.")
    pilot = Pilot(prepare_pilot(context, recipe), recipe)
    samples = asyncio.run(pilot.run(count))
    return {**estimate_cost(samples, recipe), "dropped": dict(sorted(pilot.dropped.items()))}


def prepare_pilot(context: StepContext, recipe: settings.Recipe) -> StepContext:
    """Read the seeds; return what `generate` would be handed, but live where the run asks in batches."""
    folder = context.scratch / "seeds"
    folder.mkdir(parents=True, exist_ok=True)
    with StepOutput(folder) as output:
        seeds.load_seeds(
            replace(context, step="seeds", folder=folder, output=output),
            language=recipe.language,
            sources=recipe.sources,
            seeds=recipe.seeds,
            pool=recipe.pool,
        )
    return replace(
        context,
        step="generate",
        inputs={"seeds": folder},
        paths={"prompts": PROMPTS_FOLDER},
        runtime=context.runtime.model_copy(update={"batch": False}),
    )


def log_price(recipe: settings.Recipe, asked: Sequence[tuple[str, Sequence[Message]]]) -> None:
    """Say the price before anything is sent.

    Raises:
        RecipeError: it is unknown.
    """
    usd = 0.0
    for name, messages in asked:
        teacher = recipe.teacher[name]
        size = sum(len(message.content.encode()) for message in messages)
        usd += price_of(f"teacher.{name}", teacher).upper_usd(size, teacher.max_tokens)
    console.log(f"pilot: {len(asked)} requests, at most {format_usd(usd)} if none is stored already")


class Pilot:
    """The requests of one pilot, asked live under ledger and cap."""

    def __init__(self, context: StepContext, recipe: settings.Recipe) -> None:
        self.context, self.recipe = context, recipe
        self.growing: SelfInstruct = generate.initialise(
            context, recipe.language, recipe.sources, recipe.generate, recipe.pool
        )
        self.dropped: Counter[str] = Counter()
        self._concurrency = asyncio.Semaphore(context.runtime.max_concurrency)
        self._clock = context.scratch / "seconds.json"  # the ledger does not say how long a reply took
        self._seconds: dict[str, float] = store.read_json(self._clock) if self._clock.is_file() else {}

    async def run(self, count: int) -> list[CostSample]:
        """Ask `count` requests, most of `generate`, some of `translate`."""
        recipe, growing = self.recipe, self.growing
        both = recipe.generate.target_rows and recipe.translate.rows
        for_translate = max(1, count // ONE_IN) if both else count if recipe.translate.rows else 0
        samples: list[CostSample] = []
        for step, number in (("generate", count - for_translate), ("translate", for_translate)):
            if not number:
                continue
            ask = self._generate if step == "generate" else self._translate
            endpoints = recipe.teacher
            if step == "generate":
                endpoints = teachers.item_endpoints(endpoints, recipe.generate)
            async with teachers.open_endpoints(
                replace(self.context, step=step),
                endpoints,
                growing.own,
                growing.known,
                growing.texts,
                recipe.sources.folder,
            ) as models:
                samples += await ask(models, number)
                store.write_json(self._clock, self._seconds)
        return samples

    async def _generate(self, models: Mapping[str, ChatModel], count: int) -> list[CostSample]:
        """Ask the first `count` requests of `generate`, the last ones spread over the tasks of a round."""
        growing = self.growing
        asked: list[tuple[TeacherRequest, Reply]] = []
        ahead: list[list[TeacherRequest]] = []

        async def send_all(questions: Sequence[ChatRequest]) -> list[Reply]:
            return await gather_or_cancel(
                self._timed(models[one.endpoint], one.messages, one.draw) for one in questions
            )

        while len(asked) < count:
            while len(ahead) < ROUNDS_IN_FLIGHT and (
                planned := growing.plan_round(self.recipe.teacher, ahead)
            ):
                ahead.append(planned)
            if not ahead:
                break
            round_, left = ahead.pop(0), count - len(asked)
            if len(round_) > left:
                round_ = [round_[place * len(round_) // left] for place in range(left)]
            log_price(self.recipe, [(one.teacher, one.messages) for one in round_])
            questions = [ChatRequest(one.teacher, one.messages, one.draw) for one in round_]
            revised = [one.revised for one in round_]
            replies = await ask_with_revision(send_all, questions, revised, growing.texts, growing.own)
            for results in growing.accept_replies(round_, replies):
                self.dropped.update(one.reason for one in results if isinstance(one, Dropped))
            asked += zip(round_, replies, strict=True)
        growing.replies.check(ended=True)
        accepted = Counter(row.origin.request for row in growing.accepted)
        return [
            self._sample("generate", request.teacher, reply, accepted[reply.request])
            for request, reply in asked
        ]

    async def _translate(self, models: Mapping[str, ChatModel], count: int) -> list[CostSample]:
        """Ask requests of `translate`, spread over the rows that it will translate."""
        own, known, texts, recipe = self.growing.own, self.growing.known, self.growing.texts, self.recipe
        there = translate.read_items(own, known, recipe.sources.folder, recipe.translate)
        items = [item for item in there if not isinstance(item, Dropped)]
        sample = translate.sample_items(items, recipe.translate)
        some = [sample[place * len(sample) // count] for place in range(min(count, len(sample)))]
        endpoints = translate.translators(recipe.teacher, recipe.translate)
        asked = [translate.translation_request(one, own, known, texts, endpoints) for one in some]
        log_price(recipe, asked)
        replies = await gather_or_cancel(self._timed(models[name], messages, 0) for name, messages in asked)
        named = [(name, reply) for (name, _), reply in zip(asked, replies, strict=True)]
        translate.check_readable(some, named, own, known, ended=True)
        return [self._sample("translate", name, reply, 1) for name, reply in named]

    async def _timed(self, model: ChatModel, messages: Sequence[Message], draw: int) -> Reply:
        async with self._concurrency:
            began = time.monotonic()
            reply = await model.reply(messages, draw=draw)
        if not reply.stored:
            self._seconds[reply.request] = round(time.monotonic() - began, 3)
        return reply

    def _sample(self, step: str, name: str, reply: Reply, accepted: int) -> CostSample:
        """Return a request with what came of it; its time is that of all requests of its conversation."""
        factor = self.recipe.teacher[name].batch_price_factor if self.recipe.runtime.batch else 1.0
        seconds = [self._seconds.get(request) for request in reply.turns or (reply.request,)]
        known = [one for one in seconds if one is not None]
        return CostSample(
            step=step,
            accepted=accepted,
            usd=reply.cost_usd,
            run_usd=reply.cost_usd * factor,
            tokens_in=reply.tokens_in,
            tokens_out=reply.tokens_out,
            seconds=sum(known) if len(known) == len(seconds) else None,
            stored=reply.stored,
        )
