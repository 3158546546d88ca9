"""`alif bases`: measure bases on a language, and say which can be trained here, before any money is spent."""

from __future__ import annotations

import contextlib
import importlib.util
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter
from cyclopts.validators import Number

from alif import console, store
from alif.commands.arguments import Json, load_recipe, print_document
from alif.cost import gpus
from alif.cost.training_plan import plan_training
from alif.errors import AlifError, MissingExtra, RecipeError
from alif.facts.licence_duties import licence_duty
from alif.formatting import format_duration, format_usd
from alif.language.pack import load_pack
from alif.records import FrozenModel, Score
from alif.settings import Recipe, StudentSettings

if TYPE_CHECKING:
    from alif.evaluate.base_measures import BaseTexts
    from alif.student.published import PublishedBase

__all__ = ["BaseRow", "compare_bases", "examine_base"]

TEXT, ANSWERS, CHOICES = "bits_per_byte", "answer_bits_per_byte", "accuracy"
"""The metrics of `evaluate.base_measures`."""
SMALL = 30e6
"""Parameters up to which more than one CPU thread is no gain: see `student.device.THREADS`."""


class BaseRow(FrozenModel):
    """What is known of one base; None where it is not."""

    base: str
    bits_per_byte: float | None = None
    """Of text in the taught language; its interval is in `scores`."""
    tokens_per_word: float | None = None
    tokens_per_word_source: float | None = None
    """In the source language."""
    trainable: bool
    reason: str
    """How it is trained here, or why it cannot be."""
    scores: tuple[Score, ...] = ()
    parameters: int | None = None
    licence: str | None = None
    duty: str | None = None
    """What the licence obliges to."""
    gpu: str | None = None
    memory_gb: float | None = None
    """Of the stage that needs more."""
    fits: bool | None = None
    hours: Mapping[str, float] | None = None
    """low, mid, high; like `usd`."""
    usd: Mapping[str, float] | None = None
    plan_problem: str = ""
    """Why memory and hours are not known."""

    def score(self, metric: str) -> Score | None:
        """Return what it reached by a metric."""
        return next((one for one in self.scores if one.metric == metric), None)


def compare_bases(
    pack: Annotated[str, Parameter(help="The language: a pack, by name or folder.")],
    *bases: Annotated[
        str, Parameter(help="Each as in student.base: a folder, a hub id, a .gguf file or package:NAME.")
    ],
    text: Annotated[
        list[str] | None,
        Parameter(negative="", help="A file of text in the language; without it the pack's demo articles."),
    ] = None,
    recipe: Annotated[
        str | None, Parameter(help="Memory, hours and checks for this recipe; without it the defaults.")
    ] = None,
    gpu: Annotated[str, Parameter(help="Of memory, hours and price: a100, h100, h200, 4090 or t4.")] = "h200",
    revision: Annotated[
        list[str] | None,
        Parameter(negative="", help="As student.revision: one for each base, in their order."),
    ] = None,
    documents: Annotated[
        int, Parameter(validator=Number(gte=0), help="Most documents that are read; 0: all.")
    ] = 16,
    questions: Annotated[
        int, Parameter(validator=Number(gte=0), help="Most questions of the pack's test set; 0: all.")
    ] = 32,
    json: Json = False,
) -> None:
    """Measure base models on a language, and say which can be trained here. Sends nothing, keeps nothing.

    A base that cannot be opened is a row with its reason. A hub id is downloaded.
    """
    if not bases:
        raise RecipeError("alif bases: no base named", "alif bases PACK BASE …")
    if revision and len(revision) > len(bases):
        raise RecipeError("--revision: more revisions than bases", "One for each base, in their order.")
    gpus.find_gpu(gpu)
    if importlib.util.find_spec("torch") is None:
        raise MissingExtra("alif bases", "train")
    plain = Recipe.model_validate({"name": "bases", "language": {"pack": pack}})
    wanted = load_recipe(recipe)[1] if recipe else plain
    wanted = wanted.model_copy(update={"language": wanted.language.model_copy(update={"pack": pack})})
    from alif.evaluate.base_measures import read_base_texts

    own, known = load_pack(pack), load_pack(wanted.language.source)
    texts = read_base_texts(own, known, tuple(text or ["pack"]), documents, questions)
    rows = []
    for name, pinned in zip_longest(bases, revision or [], fillvalue=""):
        student = wanted.student.model_copy(update={"base": name, "revision": pinned})
        console.log(f"bases: {name}")
        one = wanted.model_copy(update={"student": student})
        rows.append(examine_base(one, texts, gpu, fit_rows=recipe is None))
    rows.sort(key=lambda row: (not row.trainable, row.bits_per_byte is None, row.bits_per_byte or 0.0))
    print_document([row.model_dump(mode="json") for row in rows], lambda _: _show(rows, texts, recipe), json)


def examine_base(recipe: Recipe, texts: BaseTexts, gpu: str, *, fit_rows: bool = False) -> BaseRow:
    """Measure the base of `recipe`, and find whether the recipe can train it; torch is loaded.

    Args:
        recipe: names the base.
        texts: what it is measured on.
        gpu: what memory and hours are computed for.
        fit_rows: whether rows that are longer than the base can read are shortened, not refused.
    """
    from alif.evaluate.base_measures import measure_base
    from alif.student.base import TINY, load_student, record_base
    from alif.student.device import setup_torch
    from alif.student.licences import read_licence
    from alif.student.published import open_published
    from alif.student.weights import friendly_model_errors
    from alif.train import student_check

    name, how = recipe.student.base, ""
    if name == TINY:
        return BaseRow(base=name, trainable=True, reason="made from nothing by each run: nothing to measure")
    found: dict[str, Any] = {}
    problems: list[AlifError] = []
    setup_torch(recipe.runtime)
    with TemporaryDirectory(prefix="alif-base-") as temporary:
        folder = Path(temporary)
        own = folder / "model"  # of a GGUF file
        try:
            base = record_base(recipe.student, own)
            store.write_json(folder / "base.json", base.model_dump())
            opened = open_published(StudentSettings(base=str(own)) if own.is_dir() else recipe.student)
            licence = base.gguf.licence if base.gguf else read_licence(opened)
            opened = replace(opened, name=name)
            recipe = _fit_rows(recipe, opened) if fit_rows else recipe
            found = {"parameters": base.parameters, "licence": licence, "duty": licence_duty(licence)}
            found |= _measure_cost(recipe, opened, texts, gpu, folder)
            with contextlib.suppress(AlifError):  # it is among the problems
                how = student_check.describe_training(recipe, opened)
                if base.gguf and base.gguf.rounded_to:
                    how += f"; its weights were rounded to {base.gguf.rounded_to}"
            problems += student_check.training_problems(recipe, opened)
            threads = recipe.runtime.threads or (os.cpu_count() if base.parameters > SMALL else 1)
            runtime = recipe.runtime.model_copy(update={"threads": threads})
            student = load_student(folder, None, runtime)
            with friendly_model_errors(name):  # such as tokens that the model has no row for
                scores = measure_base(student, texts, recipe.pretrain.max_seq_length)
            found |= {"scores": scores, "bits_per_byte": scores[0].value}
            if not problems:
                student_check.prove_training(recipe, student.model, setup_torch(runtime))
        except AlifError as error:
            problems.append(error)
    too_large = bool(how) and len(problems) == 1 and "does not fit" in problems[0].message
    reason = " ".join(f"{one.message}. {one.hint}" for one in problems) or how
    if too_large:
        reason = f"{how}; not measured on this machine: {problems[0].message}"
    return BaseRow(base=name, trainable=too_large or not problems, reason=reason, **found)


def _fit_rows(recipe: Recipe, base: PublishedBase) -> Recipe:
    """Return the recipe with rows that the base can read."""
    longest = getattr(base.config, "max_position_embeddings", None)
    return recipe.model_copy(
        update={
            name: stage.model_copy(update={"max_seq_length": min(stage.max_seq_length, longest or 2**31)})
            for name, stage in recipe.stages().items()
        }
    )


def _measure_cost(
    recipe: Recipe, base: PublishedBase, texts: BaseTexts, gpu: str, folder: Path
) -> dict[str, Any]:
    """Return tokens per word, and memory, hours and price of the recipe in the base's own tokens.

    The plan is made of the base's configuration, which is written to `folder`.
    """
    from alif.student.fertility import measure_fertility

    own = measure_fertility(base.tokenizer, texts.read, texts.own)
    known = measure_fertility(base.tokenizer, texts.known_texts, texts.known)
    found: dict[str, Any] = {
        "tokens_per_word": own.tokens_per_word,
        "tokens_per_word_source": known.tokens_per_word or None,
    }
    shape = folder / "shape"
    base.config.save_pretrained(shape)
    student = recipe.student.model_copy(update={"base": str(shape), "revision": ""})
    recipe = recipe.model_copy(update={"student": student})
    try:
        plan = plan_training(recipe, gpu, folder, own.bytes_per_token)
    except AlifError as error:
        return found | {"plan_problem": error.message.removeprefix(f"{shape}: ")}
    memory = max(float(str(stage["total_gb"])) for stage in plan["stages"])
    return found | {
        "gpu": gpu, "memory_gb": memory, "fits": plan["fits"], "hours": plan["hours"], "usd": plan["usd"],
    }  # fmt: skip


def _show(rows: Sequence[BaseRow], texts: BaseTexts, recipe: str | None) -> None:
    from alif.evaluate.base_measures import SHOTS

    own, known = texts.own.code, texts.known.code
    questions = texts.choices.items if texts.choices else ()
    console.print_result(
        f"Base models for {texts.own.name} ({own}), measured on {len(texts.documents)} documents,\n"
        f"{len(texts.answers)} questions of the test set, each after {SHOTS} examples of its task, and\n"
        f"{len(questions)} multiple-choice questions in {texts.known.name} ({known}).\n"
    )
    knowledge = ("", "base", "bits/byte", "answers", f"{known} right", "tokens/word")
    console.print_table(knowledge, [(number, *_knowledge(row)) for number, row in enumerate(rows, 1)])
    console.print_result()
    gpu = next((row.gpu for row in rows if row.gpu), "GPU")
    cost = ("", "parameters", f"GB on {gpu}", "time", "price", "licence", "trained here")
    console.print_table(cost, [(number, *_cost(row)) for number, row in enumerate(rows, 1)])
    console.print_result()
    notes = [
        ("" if place else number, sentence)
        for number, row in enumerate(rows, 1)
        for place, sentence in enumerate(_sentences(row))
    ]
    console.print_table(("", "notes"), notes)
    chance = sum(1 / len(one.choices) for one in questions) / max(len(questions), 1)
    default = "the default settings on the pack's own text; for yours --recipe"
    trained = f"the recipe {recipe}" if recipe else default
    console.print_result(
        f"""
Best first: what can be trained here, then the fewest bits per byte of its text.
"bits/byte", and "answers" (of the right answers): less is better.
"{known} right": {100 * chance:.0f} % is chance; a base at chance has no {texts.known.name} to lose.
"tokens/word", in {own} / in {known}, multiplies time and price; added tokens help.
Time and price: {trained}.
Where two intervals (±, 95 %) overlap, bases are not told apart: take the smaller.
Student and base matter more than the teacher: ten teachers came within two
points of each other on one student (Polyglot Teachers, arXiv 2604.11290)."""
    )


def _knowledge(row: BaseRow) -> Iterator[object]:
    yield row.base
    for metric, scale, digits, unit in ((TEXT, 1, 3, ""), (ANSWERS, 1, 3, ""), (CHOICES, 100, 0, " %")):
        if found := row.score(metric):
            half = max(found.high - found.value, found.value - found.low)
            yield f"{scale * found.value:.{digits}f} ± {scale * half:.{digits}f}{unit}"
        else:
            yield None
    per_word = [f"{one:.2f}" for one in (row.tokens_per_word, row.tokens_per_word_source) if one is not None]
    yield " / ".join(per_word)


def _cost(row: BaseRow) -> Iterator[object]:
    yield row.parameters and f"{row.parameters / 1e6:,.1f} M"
    yield row.memory_gb
    yield row.hours and format_duration(3600 * row.hours["mid"])
    yield row.usd and format_usd(row.usd["mid"])
    yield row.licence
    yield ("yes" if row.fits is not False else "not on this GPU") if row.trainable else "no"


def _sentences(row: BaseRow) -> Iterator[str]:
    yield row.reason
    if row.duty is not None:
        yield f"Licence {row.licence}: {row.duty}." if row.licence else f"Licence: {row.duty}."
    if row.plan_problem:
        yield f"Memory and hours are not known: {row.plan_problem}."
