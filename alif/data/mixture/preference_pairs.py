"""Step `pairs`: two answers to one prompt, of which people or a judge preferred one, for the stage `prefer`.

    "review"           an answer that a reviewer edited is rejected, the edited one is chosen
    files, hub ids     {"prompt": "…", "chosen": "…", "rejected": "…"} and the like: `row_shape.split_pair`

Prompt and chosen answer pass what a published row passes. The rejected answer may be bad in any way, also in
another language, but not empty. No pair is trained on whose prompt the blend holds out or a benchmark asks.

A step of its own, because rooms meet through files: `train` can neither read sources nor decontaminate, and a
changed learning rate of the stage should not build its pairs again. So `corpus` stands before `pretrain`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace

from alif import console, settings, sources, store
from alif.data.mixture.decontaminate import drop_leak, open_index
from alif.data.mixture.validation_split import fold_prompt
from alif.data.published_row import nothing_left, read_published_row
from alif.facts.data_facts import PairsFacts
from alif.language import pack as packs
from alif.language import text
from alif.language.pack import Pack
from alif.records import Dropped, Example, PreferencePair
from alif.row_shape import split_pair
from alif.runs import StepContext
from alif.runs.splits import heldout_rows
from alif.sources import Row

__all__ = ["REVIEW", "build_pairs", "read_pair"]

REVIEW = "review"
"""What stands in pairs.source for the edits of the step `review`."""


def build_pairs(
    context: StepContext,
    language: settings.Language,
    sources: settings.Sources,
    pairs: settings.Pairs,
    benchmarks: settings.Benchmarks,
    decontaminated: Mapping[str, settings.BenchmarkTable],
) -> PairsFacts:
    """Keep the pairs that `prefer` may learn from; one that occurs twice is there once.

    Raises:
        DataError: there is none.
    """
    own, known, output = packs.load_pack(language.pack), packs.load_pack(language.source), context.output
    output.require("examples.jsonl", "dropped.jsonl")
    index = open_index(own, known, sources.folder, benchmarks, decontaminated)
    heldout = {fold_prompt(row, own) for row in heldout_rows(context.inputs["blend"], Example)}
    ids: set[str] = set()
    edits, first = 0, ""
    for found in output.read(_read_pairs(context, pairs, sources.folder, own, known)):
        if isinstance(found, Dropped):
            fault = found
        elif found.id in ids:
            fault = Dropped(row=found, reason="duplicate", evidence="the same pair stands earlier")
        elif fold_prompt(found, own) in heldout:
            evidence = "its prompt is a validation row of the blend"
            fault = Dropped(row=found, reason="held_out", evidence=evidence)
        elif leak := drop_leak(found, index):
            fault = leak
        else:
            ids.add(found.id)
            edits += bool(found.origin.reviewed_by)
            output.keep(found)
            continue
        first = first or fault.evidence
        output.drop(fault)
    if not ids:
        raise nothing_left("pairs.source", output.dropped, first)
    console.log(f"{len(ids):>10,} pairs, {output.dropped.total():,} dropped")
    return PairsFacts(reviewed=edits, benchmark_prompts=len(index))


def _read_pairs(
    context: StepContext, pairs: settings.Pairs, folder: str, own: Pack, known: Pack
) -> Iterator[PreferencePair | Dropped]:
    """Yield what reviewers edited, then published pairs."""
    filtered, reviewed = (
        store.read_models(context.inputs[step] / "examples.jsonl", Example) if REVIEW in pairs.source else ()
        for step in ("filter", "review")
    )
    before = {row.id: row for row in filtered}
    for row in reviewed:  # one that is new after the review names the one before it last
        old = before.get(row.origin.parents[-1]) if row.origin.parents and row.id not in before else None
        if old and (old.instruction, old.input) != (row.instruction, row.input):
            evidence = f"{row.origin.reviewed_by} edited the prompt of {old.id} too"
            yield Dropped(row=PreferencePair.of(row, old.output), reason="other_prompt", evidence=evidence)
        elif old:
            yield PreferencePair.of(row, old.output)
    for published in sources.read_rows((part for part in pairs.source if part != REVIEW), folder):
        yield read_pair(published, own, known, pairs.licence)


def read_pair(row: Row | Dropped, own: Pack, known: Pack, licence: str = "") -> PreferencePair | Dropped:
    """Read a row of a published set as a pair, in one of the two languages."""
    if isinstance(row, Dropped):
        return row
    found = split_pair(row.values)
    if isinstance(found, str):
        raw = json.dumps(row.values, ensure_ascii=False, default=str)
        return Dropped(raw=raw, reason="missing_field", evidence=f"{row.where}: {found}")
    values, answer = found
    chosen = read_published_row(replace(row, values=values), (own, known), (own, known), "source", licence)
    if isinstance(chosen, Dropped):
        return chosen
    rejected = text.normalise_text(answer, own if chosen.language == own.code else known).strip()
    pair = PreferencePair.of(chosen, rejected)
    if chosen.output != rejected != "":
        return pair
    reason = "equal_answers" if rejected else "empty"
    what = "chosen and rejected are equal" if rejected else "the rejected answer is empty"
    return Dropped(row=pair, reason=reason, evidence=f"{row.where}: {what}")
