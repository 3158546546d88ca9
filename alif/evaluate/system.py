"""What is measured: a stage of the run, a model folder, a hub id, or an endpoint of the recipe.

    base, pretrain, finetune     the run's base, alone and with the adapter of each stage
    [system.qwen]                model = "Qwen/Qwen3-8B"                                  a folder or a hub id
    [system.gpt]                 model = "gpt-4o", base_url = "https://api.openai.com/v1"     an endpoint

An endpoint writes answers, but gives no log-probabilities: with a benchmark that asks for those it is not measurable.
"""

from __future__ import annotations

import asyncio
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import transformers

from alif import console, settings, store
from alif.errors import ModelError
from alif.evaluate.benchmark import Benchmark, GenerationRequest, ItemResult, LikelihoodRequest, digest_json
from alif.llm.chat_model import ChatModel, Message, gather_or_cancel
from alif.llm.session import open_session
from alif.records import STAGES, Example
from alif.runs import StepContext
from alif.student import Student, encode_prompt, load_student, write_prompt
from alif.student.base import inspect_base, read_base
from alif.student.device import setup_torch
from alif.student.generate import generate_texts
from alif.student.likelihood import target_bits

__all__ = ["System", "ask_endpoint", "ask_student", "external_systems", "stage_systems"]


@dataclass(frozen=True)
class System:
    """A model that is measured: local, with `load`, or an endpoint."""

    name: str
    model: str
    """Folder, hub id, or the model as its provider names it."""
    digest: str
    """Of its weights; of an endpoint, of its address and settings."""
    engine: str = ""
    """Device, number format and libraries that compute a local model's results."""
    load: Callable[[], Student] | None = None
    endpoint: settings.Teacher | None = None

    def can_answer(self, request: LikelihoodRequest | GenerationRequest) -> bool:
        return self.load is not None or isinstance(request, GenerationRequest)


def stage_systems(context: StepContext) -> list[System]:
    """Return the run's base and stages, the base first."""
    base_folder, engine = context.inputs["base"], _engine(context.runtime)
    base = read_base(base_folder)
    found = [
        System(
            STAGES[0],
            base.base,
            base.digest,
            engine,
            lambda: load_student(base_folder, None, context.runtime),
        )
    ]
    for stage in STAGES[1:]:
        adapter = context.inputs[stage] / "adapter"
        digest = digest_json(base.digest, store.sha256_tree(adapter))

        def load(adapter: Path = adapter) -> Student:
            return load_student(base_folder, adapter, context.runtime)

        found.append(System(stage, base.base, digest, engine, load))
    return found


def external_systems(
    context: StepContext, systems: Mapping[str, settings.ExternalSystem], max_tokens: int
) -> list[System]:
    """Return the recipe's own systems.

    Raises:
        ModelError: a folder or hub id that cannot be opened.
    """
    found = []
    for name, system in systems.items():
        if system.base_url:
            shared = {key: getattr(system, key) for key in settings.Endpoint.model_fields}
            endpoint = settings.Teacher(**shared, temperature=0.0, max_tokens=max_tokens)
            digest = digest_json(system.model, system.base_url)
            found.append(System(name, system.model, digest, endpoint=endpoint))
            continue
        base = inspect_base(settings.Student(base=system.model, revision=system.revision))
        folder = context.scratch / "systems" / name  # `load_student` wants the folder of a pinned base
        store.write_json(folder / "base.json", base.model_dump())

        def load(folder: Path = folder) -> Student:
            return load_student(folder, None, context.runtime)

        found.append(System(name, base.base, base.digest, _engine(context.runtime), load))
    return found


def _engine(runtime: settings.Runtime) -> str:
    """Return what beside the weights decides the last digits of a result, or the next token."""
    where = setup_torch(runtime)
    return (
        f"{where.device.type} {where.dtype} torch {torch.__version__} transformers {transformers.__version__}"
    )


def ask_student(student: Student, benchmark: Benchmark) -> list[ItemResult]:
    """Return a local model's results on a benchmark, in the order of its items.

    Raises:
        ModelError: its log-probabilities are no numbers.
    """
    request = benchmark.request
    if isinstance(request, GenerationRequest):
        prompts = [
            write_prompt(row.instruction, row.input, request.template, student.tokenizer, row.turns)
            for row in request.questions
        ]
        encoded = [encode_prompt(prompt, student.tokenizer) for prompt in prompts]
        answers = generate_texts(student, encoded, request.max_new_tokens, progress=benchmark.name)
        return [
            ItemResult(id=name, text=answer.text, finished=answer.finished)
            for name, answer in zip(benchmark.ids, answers, strict=True)
        ]
    items = request.encode(student)
    window = request.window or student.model.config.max_position_embeddings
    texts = list(itertools.chain.from_iterable(items))
    bits = target_bits(student, texts, window, benchmark.name)
    if not all(map(math.isfinite, bits)):
        raise ModelError(
            f"{benchmark.name}: the model's log-probabilities are no numbers",
            "Its weights are damaged, or its training diverged: look at the stage's curve, and lower its learning rate.",
        )
    remaining = iter(bits)
    return [
        ItemResult(id=name, bits=tuple(itertools.islice(remaining, len(targets))))
        for name, targets in zip(benchmark.ids, items, strict=True)
    ]


def ask_endpoint(
    context: StepContext, name: str, endpoint: settings.Teacher, questions: Sequence[Example]
) -> list[ItemResult]:
    """Return an endpoint's answers, through the run's ledger, money cap and limiter; its cost is the step's."""

    async def ask_all() -> list[ItemResult]:
        async with open_session(context, {name: endpoint}) as models:
            with console.progress_bar("questions", len(questions), "questions") as bar:
                found = await gather_or_cancel(
                    _ask(models[name], question, bar.advance) for question in questions
                )
            context.output.cost_usd = models.cost_usd
        return found

    return asyncio.run(ask_all())


async def _ask(model: ChatModel, question: Example, advance: Callable[[int], None]) -> ItemResult:
    content = f"{question.instruction}\n\n{question.input}" if question.input else question.instruction
    reply = await model.reply([*question.turns, Message(role="user", content=content)])
    advance(1)
    return ItemResult(id=question.id, text=reply.text.strip(), finished=reply.finish == "stop")
