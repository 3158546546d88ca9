"""Mix the parts into training and validation rows, with the sums shown.

    [blend.generate]                          the teacher's rows, as reviewed
    [blend.translate]                         the translated rows, as reviewed
    [blend.replay]                            rows of the known language
    [blend.alpaca] source = "hub:…", rows = 10_400, licence = "…"        any published set

A row is in the mixture once, in the first part that has it; one that gives away a question of the test set or
a benchmark is dropped. Validation is split off by prompt (folded instruction and input): no prompt is on both
sides.

Source: the paper's mixture is Urdu-Instruct, translated Alpaca, Alpaca and OpenOrca replay (Alif, arXiv
2510.09051).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from alif import console, sampling, settings, sources, store
from alif.data.mixture.decontaminate import BenchmarkIndex
from alif.data.published_row import nothing_left, read_published_row
from alif.errors import RecipeError
from alif.facts.data_facts import BlendFacts, BlendPartFacts
from alif.language import pack as packs
from alif.language import text
from alif.language.pack import Pack
from alif.records import Dropped, Example, RowId
from alif.runs import StepContext

__all__ = ["build_blend", "fold_prompt"]

STEPS = {
    "generate": ("review", "teacher"),
    "translate": ("review", "translated"),
    "replay": ("replay", "replay"),
}
"""The step whose rows a part without a source is made of, and their kind."""


def build_blend(
    context: StepContext,
    *,
    language: settings.Language,
    sources: settings.Sources,
    blend: Mapping[str, settings.Part],
    split: settings.Split,
    benchmarks: settings.Benchmarks,
    decontaminated: Mapping[str, settings.BenchmarkTable],
) -> BlendFacts:
    """Keep the rows of the mixture and write the ids of its validation rows.

    Raises:
        RecipeError: a part that is no step's and names no source.
        DataError: no row of a part's source is left.
    """
    own, known, output = packs.load_pack(language.pack), packs.load_pack(language.source), context.output
    output.require("examples.jsonl", "dropped.jsonl", "held_out.jsonl")
    index = BenchmarkIndex(own, known, sources.folder, benchmarks, decontaminated)
    part_of: dict[str, str] = {}
    parts: dict[str, list[Example]] = {}
    facts: dict[str, BlendPartFacts] = {}
    for name, part in blend.items():
        before = output.dropped.total()
        found = _read_part(name, part, context, own, known, sources.folder)
        rows = _deduplicated(context, found, index, part_of, f"blend.{name}.source" if part.source else "")
        rng = sampling.seeded_rng(split.seed, "blend", name)
        parts[name] = sampling.sample_rows(rows, part.rows or len(rows), rng)
        part_of |= {row.id: name for row in parts[name]}
        for row in rows:
            if row.id not in part_of:
                output.not_sampled(row)
        dropped = output.dropped.total() - before
        facts[name] = BlendPartFacts(
            requested=part.rows,
            available=len(rows) + dropped,
            dropped=dropped,
            drawn=len(parts[name]),
            validation=0,
        )
    held_out = _sample_validation(parts, split, own)
    for name, rows in parts.items():
        for row in rows:
            output.keep(row)
            if row.id in held_out:
                output.write(RowId(id=row.id), "held_out.jsonl")
        validation = sum(row.id in held_out for row in rows)
        fact = facts[name] = facts[name].model_copy(update={"validation": validation})
        missing = fact.requested - fact.drawn
        console.log(
            f"{name:>10}  {fact.drawn:,} of {fact.available:,} rows: "
            f"{fact.drawn - fact.validation:,} to train on, {fact.validation:,} to validate, "
            f"{fact.dropped:,} dropped" + (f", {missing} fewer than requested" if missing > 0 else "")
        )
    return BlendFacts(parts=facts, held_out=len(held_out), benchmark_prompts=len(index))


def _read_part(
    name: str, part: settings.Part, context: StepContext, own: Pack, known: Pack, folder: str
) -> Iterator[Example | Dropped]:
    """Yield the rows of a part: a step's, or a source's with its licence."""
    if part.source:
        for row in sources.read_rows(part.source, folder):
            yield read_published_row(row, (own, known), (own, known), "source", part.licence)
    elif name in STEPS:
        step, kind = STEPS[name]
        for found in store.read_models(context.inputs[step] / "examples.jsonl", Example):
            if found.origin.kind == kind:
                yield found
    else:
        hint = f"Give it source, or name it after a step: {', '.join(STEPS)}."
        raise RecipeError(f"blend.{name}: no source", hint)


def _deduplicated(
    context: StepContext,
    rows: Iterator[Example | Dropped],
    index: BenchmarkIndex,
    part_of: Mapping[str, str],
    source: str,
) -> list[Example]:
    """Return the rows that may be drawn and drop the others; `part_of` has the ids of earlier parts.

    Raises:
        DataError: no row of a `source` is left.
    """
    kept: dict[str, Example] = {}
    dropped: Counter[str] = Counter()
    first = ""
    for row in context.output.read(rows):
        if isinstance(row, Dropped):
            fault = row
        elif row.id in part_of:
            fault = Dropped(row=row, reason="duplicate", evidence=f"also in {part_of[row.id]}")
        elif twin := kept.get(row.id):
            evidence = f"the same as {twin.origin.source or row.id}"
            fault = Dropped(row=row, reason="duplicate", evidence=evidence)
        elif overlap := index.find_overlap(row):
            fault = Dropped(row=row, reason="contaminated", evidence=overlap)
        else:
            kept[row.id] = row
            continue
        context.output.drop(fault)
        dropped[fault.reason] += 1
        first = first or fault.evidence
    if source and not kept:
        raise nothing_left(source, dropped, first)
    return list(kept.values())


def _sample_validation(parts: Mapping[str, list[Example]], split: settings.Split, pack: Pack) -> set[str]:
    """Return the ids of validation rows: a share of each part's prompts, at least one of two."""
    ids_of: dict[str, list[str]] = {}
    first: dict[str, list[str]] = {name: [] for name in parts}
    for name, rows in parts.items():
        for row in rows:
            prompt = fold_prompt(row, pack)
            if prompt not in ids_of:
                first[name].append(prompt)
            ids_of.setdefault(prompt, []).append(row.id)
    held_out: set[str] = set()
    for name, prompts in first.items():
        wanted = 0
        if split.validation_share and len(prompts) > 1:
            wanted = max(round(split.validation_share * len(prompts)), 1)
        for prompt in sampling.sample_rows(prompts, wanted, sampling.seeded_rng(split.seed, "split", name)):
            held_out |= set(ids_of[prompt])
    return held_out


def fold_prompt(row: Example, pack: Pack) -> str:
    """Return the prompt by which validation rows are told from training rows."""
    return f"{text.fold_text(row.instruction, pack)}\x1f{text.fold_text(row.input, pack)}"
