"""What is measured: a stage of the run, a model folder, a hub id, or an endpoint.

    base, pretrain, finetune     the run's base, alone and with the adapter of each stage; prefer where it ran
    merge-0.6                    what the step merge made, where the recipe has weights for it
    [system.qwen]                model = "Qwen/Qwen3-8B": a folder or a hub id
    [system.gpt]                 model = "gpt-4o", base_url = "https://api.openai.com/v1": an endpoint

An endpoint gives no log-probabilities: benchmarks that ask for them are not measurable with it.
"""

from __future__ import annotations

import asyncio
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch
import transformers

from alif import console, settings, store
from alif.errors import ModelError
from alif.evaluate.benchmark import Benchmark, GenerationRequest, ItemResult, LikelihoodRequest, digest_json
from alif.evaluate.translate_test import TRANSLATE
from alif.facts.evaluation_facts import SystemFacts
from alif.language.pack import Pack
from alif.llm.chat_model import ChatModel, gather_or_cancel
from alif.llm.session import open_session
from alif.records import EXTRA_STAGES, STAGES, Example, Message
from alif.runs import StepContext
from alif.student import Student, encode_prompt, load_student, write_prompt
from alif.student.base import read_base, record_base
from alif.student.device import setup_torch
from alif.student.likelihood import target_bits
from alif.student.text_generation import generate_texts

__all__ = ["System", "ask_endpoint", "ask_student", "external_systems", "stage_systems"]


@dataclass(frozen=True)
class System:
    """A model that is measured: a local one, with `load`, or an endpoint."""

    facts: SystemFacts
    engine: str = ""
    """What beside the weights decides a local model's results: device, dtype and libraries."""
    load: Callable[[], Student] | None = None
    endpoint: settings.Teacher | None = None
    languages: tuple[Pack, Pack] | None = None
    """The taught and the source language, where it answers by way of the second: see `translate_test`."""

    @property
    def name(self) -> str:
        return self.facts.name

    def can_answer(self, request: LikelihoodRequest | GenerationRequest) -> bool:
        can_read = self.load is not None and self.languages is None
        return can_read or isinstance(request, GenerationRequest)

    def describe(self, benchmarks: Sequence[Benchmark]) -> SystemFacts:
        """Return its facts, with the names of benchmarks that it cannot answer."""
        missing = tuple(one.name for one in benchmarks if not self.can_answer(one.request))
        return self.facts.model_copy(update={"not_measurable": missing})


def stage_systems(context: StepContext) -> list[System]:
    """Return the run's base, its stages and the merged models, the base first."""
    folder, engine = context.inputs["base"], _engine(context.runtime)
    base = read_base(folder)
    stages = [
        *STAGES[1:],
        *(one for one in EXTRA_STAGES if (context.inputs.get(one, folder) / "adapter").is_dir()),
    ]
    adapters: dict[str, Path | None] = {STAGES[0]: None}
    adapters |= {stage: context.inputs[stage] / "adapter" for stage in stages}
    adapters |= {path.name: path for path in sorted(context.inputs["merge"].glob("merge-*"))}
    found = []
    for stage, adapter in adapters.items():
        digest = digest_json(base.digest, store.sha256_tree(adapter)) if adapter else base.digest
        facts = SystemFacts(name=stage, model=base.base, digest=digest)
        found.append(System(facts, engine, partial(load_student, folder, adapter, context.runtime)))
    return found


def external_systems(
    context: StepContext,
    systems: Mapping[str, settings.ExternalSystem],
    max_tokens: int,
    languages: tuple[Pack, Pack] | None = None,
) -> list[System]:
    """Return the recipe's own systems; `languages` for those that translate, the taught one first.

    Raises:
        ModelError: a folder or hub id that cannot be opened.
    """
    found = []
    for name, system in systems.items():
        if system.base_url:
            endpoint = system.to_endpoint(max_tokens)
            fields = system.model_dump(mode="json", include={"extra", "system_role"})  # where not the usual
            digest = digest_json(system.model, system.base_url, *([fields] if fields else []))
            facts = SystemFacts(name=name, model=system.model, digest=digest)
            one = System(facts, endpoint=endpoint)
        else:
            folder = context.scratch / "systems" / name
            student = settings.StudentSettings(base=system.model, revision=system.revision)
            base = record_base(student, folder / "model")
            store.write_json(folder / "base.json", base.model_dump())  # pins what `load_student` opens
            facts = SystemFacts(name=name, model=base.base, digest=base.digest)
            load = partial(load_student, folder, None, context.runtime)
            one = System(facts, _engine(context.runtime), load)
        if system.translate_test and languages:
            digest = digest_json(facts.digest, TRANSLATE, *(pack.code for pack in languages))
            one = replace(one, facts=facts.model_copy(update={"digest": digest}), languages=languages)
        found.append(one)
    return found


def _engine(runtime: settings.Runtime) -> str:
    where = setup_torch(runtime)
    return (
        f"{where.device.type} {where.dtype} torch {torch.__version__} transformers {transformers.__version__}"
    )


def ask_student(student: Student, benchmark: Benchmark) -> list[ItemResult]:
    """Return a local model's results on a benchmark, in the order of its items.

    Raises:
        ModelError: its log-probabilities are not finite.
    """
    request, tokenizer = benchmark.request, student.tokenizer
    if isinstance(request, GenerationRequest):
        prompts = [
            encode_prompt(
                write_prompt(row.instruction, row.input, request.template, tokenizer, row.turns), tokenizer
            )
            for row in request.questions
        ]
        answers = generate_texts(student, prompts, request.max_new_tokens, progress=benchmark.name)
        return [
            ItemResult(id=name, text=answer.text, finished=answer.finished)
            for name, answer in zip(benchmark.ids, answers, strict=True)
        ]
    items = request.encode(student)
    window = request.window or student.model.config.max_position_embeddings
    bits = target_bits(student, list(itertools.chain.from_iterable(items)), window, benchmark.name)
    if not all(map(math.isfinite, bits)):
        raise ModelError(
            f"{benchmark.name}: the model's log-probabilities are not finite",
            "Its weights are damaged, or its training diverged: see the curve, and lower the learning rate.",
        )
    remaining = iter(bits)
    return [
        ItemResult(id=name, bits=tuple(itertools.islice(remaining, len(targets))))
        for name, targets in zip(benchmark.ids, items, strict=True)
    ]


def ask_endpoint(
    context: StepContext,
    name: str,
    endpoint: settings.Teacher,
    ids: Sequence[str],
    request: GenerationRequest,
) -> list[ItemResult]:
    """Return an endpoint's answers, through the run's ledger, money cap and limiter; the step pays."""

    async def ask(model: ChatModel, id: str, question: Example, advance: Callable[[int], None]) -> ItemResult:
        content = f"{question.instruction}\n\n{question.input}" if question.input else question.instruction
        reply = await model.reply([*question.turns, Message(role="user", content=content)])
        advance(1)
        return ItemResult(id=id, text=reply.text.strip(), finished=reply.finish == "stop")

    async def ask_all() -> list[ItemResult]:
        asked = endpoint.model_copy(update={"max_tokens": request.max_new_tokens})
        with console.progress_bar(name, len(ids), "questions") as bar:
            async with open_session(context, {name: asked}, role="baseline") as models:
                found = await gather_or_cancel(
                    ask(models[name], id, question, bar.advance)
                    for id, question in zip(ids, request.questions, strict=True)
                )
        context.output.cost_usd = models.cost_usd
        return found

    return asyncio.run(ask_all())
