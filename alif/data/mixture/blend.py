"""Mix the parts into training and validation rows, with the sums shown.

    [blend.generate]                          the teacher's rows, as reviewed
    [blend.translate]                         the translated rows, as reviewed
    [blend.replay]                            rows of the known language
    [blend.alpaca] source = "hub:…", rows = 10_400, licence = "…"        any published set

A row stands in the mixture once, in the first part that has it; one that gives away a question of the test set or a
benchmark is dropped. Validation is split off by prompt (folded instruction and input), so no prompt stands on both sides.

Source: the paper's mixture is Urdu-Instruct, translated Alpaca, Alpaca and OpenOrca replay (Alif, arXiv 2510.09051).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

from alif import console, recipe, sampling, sources, store
from alif.data.filters.rules import OTHER_TASK
from alif.data.mixture.decontaminate import BenchmarkIndex
from alif.errors import RecipeError
from alif.language import language_id, text
from alif.language import pack as packs
from alif.language.pack import Pack
from alif.records import Counts, Dropped, Example
from alif.runs import StepContext

__all__ = ["build_blend"]

STEPS = {
    "generate": ("review", "teacher"),
    "translate": ("review", "translated"),
    "replay": ("replay", "replay"),
}
"""Which step's rows a part is made of where it names no source, and their kind."""


def build_blend(
    context: StepContext,
    *,
    language: recipe.Language,
    sources: recipe.Sources,
    blend: Mapping[str, recipe.Part],
    split: recipe.Split,
    benchmarks: recipe.Benchmarks,
) -> Counts:
    """Write the mixture and the ids of its validation rows.

    Raises:
        RecipeError: a part that is no step's and names no source.
    """
    pack, known = packs.load_pack(language.pack), packs.load_pack(language.source)
    questions = BenchmarkIndex(pack, sources.folder, benchmarks)
    seen: dict[str, str] = {}
    dropped: list[Dropped] = []
    parts: dict[str, list[Example]] = {}
    facts: dict[str, dict[str, int]] = {}
    for name, part in blend.items():
        rows = list(_rows(name, part, context, (pack, known), sources.folder))
        whole, refused = _checked(rows, questions, seen)
        parts[name] = sampling.sample_indices(
            whole, part.rows or len(whole), sampling.seeded_rng(split.seed, "blend", name)
        )
        seen |= {row.id: name for row in parts[name]}
        dropped += refused
        facts[name] = {
            "asked": part.rows,
            "there": len(rows),
            "dropped": len(refused),
            "drawn": len(parts[name]),
        }
    held_out = _held_out(parts, split, pack)
    for name, members in parts.items():
        facts[name]["validation"] = sum(row.id in held_out for row in members)
    _show(facts)
    mixture = list(itertools.chain.from_iterable(parts.values()))
    store.write_rows(context.folder / "examples.jsonl", mixture)
    store.write_rows(
        context.folder / "held_out.jsonl", ({"id": row.id} for row in mixture if row.id in held_out)
    )
    store.write_rows(context.folder / "dropped.jsonl", (row.record() for row in dropped))
    return Counts.of(len(mixture), dropped, parts=facts, held_out=len(held_out), questions=len(questions))


def _rows(
    name: str, part: recipe.Part, context: StepContext, both: tuple[Pack, Pack], folder: str
) -> Iterator[Example | Dropped]:
    """Yield the rows of a part: a step's, or a source's with its licence."""
    if part.source:
        for found in sources.read_examples(
            part.source, folder, language="", task=OTHER_TASK, kind="source", licence=part.licence
        ):
            yield found if isinstance(found, Dropped) else _cleaned(found, both)
    elif name in STEPS:
        step, kind = STEPS[name]
        yield from (
            row
            for row in store.read_models(context.inputs[step] / "examples.jsonl", Example)
            if row.origin.kind == kind
        )
    else:
        raise RecipeError(
            f"blend.{name}: no source", f"Give it source, or name it after a step: {', '.join(STEPS)}."
        )


def _cleaned(row: Example, both: tuple[Pack, Pack]) -> Example:
    """Return a published row as it is trained on, in the language that it says or that it is written in."""
    pack, known = both
    code = row.language or language_id.identify_language(f"{row.instruction}\n{row.output}", both)
    spoken = known if code == known.code else pack
    texts = {
        key: text.normalise_text(getattr(row, key), spoken).strip()
        for key in ("instruction", "input", "output")
    }
    return Example.make(spoken.code, row.task, **texts, origin=row.origin)


def _checked(
    rows: list[Example | Dropped], questions: BenchmarkIndex, seen: Mapping[str, str]
) -> tuple[list[Example], list[Dropped]]:
    """Part the rows that may be drawn from those that may not; `seen` are the ids that earlier parts have drawn."""
    kept: dict[str, Example] = {}
    dropped: list[Dropped] = []
    for row in rows:
        if isinstance(row, Dropped):
            dropped.append(row)
        elif row.id in seen or row.id in kept:
            where = (
                f"also in {seen[row.id]}"
                if row.id in seen
                else f"the same as {kept[row.id].origin.source or row.id}"
            )
            dropped.append(Dropped(row=row, reason="duplicate", evidence=where))
        elif evidence := questions.evidence(row):
            dropped.append(Dropped(row=row, reason="contaminated", evidence=evidence))
        else:
            kept[row.id] = row
    return list(kept.values()), dropped


def _held_out(parts: Mapping[str, list[Example]], split: recipe.Split, pack: Pack) -> set[str]:
    """Return the ids of validation rows: of each part's prompts the wanted share, at least one where there are two."""
    prompts: dict[str, list[str]] = {}
    first: dict[str, list[str]] = {name: [] for name in parts}
    for name, rows in parts.items():
        for row in rows:
            prompt = f"{text.fold_text(row.instruction, pack)}\x1f{text.fold_text(row.input, pack)}"
            if prompt not in prompts:
                first[name].append(prompt)
            prompts.setdefault(prompt, []).append(row.id)
    held_out: set[str] = set()
    for name, own in first.items():
        wanted = (
            max(round(split.validation_share * len(own)), 1) if split.validation_share and len(own) > 1 else 0
        )
        for prompt in sampling.sample_indices(own, wanted, sampling.seeded_rng(split.seed, "split", name)):
            held_out |= set(prompts[prompt])
    return held_out


def _show(facts: Mapping[str, Mapping[str, int]]) -> None:
    for name, sums in facts.items():
        short = f", {sums['asked'] - sums['drawn']} fewer than asked" if sums["drawn"] < sums["asked"] else ""
        console.log(
            f"{name:>10}  {sums['drawn']:,} of {sums['there']:,} rows: {sums['drawn'] - sums['validation']:,} to train on, "
            f"{sums['validation']:,} to validate, {sums['dropped']:,} dropped{short}"
        )
