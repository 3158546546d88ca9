"""Sample rows of the known language against forgetting, stratified by source and by length of the answer.

"pack" is the known pack's demo rows; of those that are translated in the same run none is replayed, so that
the same task is not in the mixture twice.

Source: replay of Alpaca and OpenOrca rows, Alif, arXiv 2510.09051; drawn there by an unseeded split.
"""

from __future__ import annotations

from collections.abc import Iterator

from alif import sampling, settings, sources
from alif.data.demo.demo_files import translated_ids
from alif.data.published_row import nothing_left, read_published_row
from alif.facts.data_facts import ReplayFacts
from alif.language import pack as packs
from alif.language.pack import Pack
from alif.records import Dropped, Example
from alif.runs import StepContext
from alif.sources import PackFiles

__all__ = ["sample_replay"]

LENGTH_STRATA = 4
"""Strata of answer length in each source: quartiles by characters."""


def sample_replay(
    context: StepContext,
    language: settings.Language,
    sources: settings.Sources,
    replay: settings.Replay,
    translate: settings.Translate,
) -> ReplayFacts:
    """Keep `replay.rows` rows; a row that occurs twice is there once.

    Raises:
        DataError: rows are wanted, and no row of the sources can be kept.
    """
    own, known, output = packs.load_pack(language.pack), packs.load_pack(language.source), context.output
    output.require("examples.jsonl", "dropped.jsonl")
    rows: dict[str, Example] = {}
    first = ""
    for row in output.read(_read_rows(own, known, sources.folder, replay, translate)):
        if isinstance(row, Dropped):
            first = first or row.evidence
            output.drop(row)
        elif twin := rows.get(row.id):
            evidence = f"the same as {twin.origin.source}"
            output.drop(Dropped(row=row, reason="duplicate", evidence=evidence))
        else:
            rows[row.id] = row
    if replay.rows and not rows:
        raise nothing_left("replay.source", output.dropped, first)
    by_source: dict[str, list[Example]] = {}
    for row in rows.values():
        by_source.setdefault(row.origin.source.partition("#")[0], []).append(row)
    strata: dict[str, list[Example]] = {}
    for source, members in by_source.items():
        ordered = sorted(members, key=lambda row: (len(row.output), row.id))
        for rank, row in enumerate(ordered):
            name = f"{source} {LENGTH_STRATA * rank // len(ordered) + 1}/{LENGTH_STRATA}"
            strata.setdefault(name, []).append(row)
    sizes = {name: len(members) for name, members in strata.items()}
    quotas = sampling.apportion(replay.rows, sizes, most=sizes)
    sampled = {
        row.id
        for name, members in strata.items()
        for row in sampling.sample_rows(
            members, quotas[name], sampling.seeded_rng(replay.seed, "replay", name)
        )
    }
    for row in rows.values():
        if row.id in sampled:
            output.keep(row)
        else:
            output.not_sampled(row)
    return ReplayFacts(requested=replay.rows, available=len(rows), strata=quotas)


def _read_rows(
    own: Pack, known: Pack, folder: str, replay: settings.Replay, translate: settings.Translate
) -> Iterator[Example | Dropped]:
    """Yield the rows that may be replayed, nothing if no rows are asked for."""
    if not replay.rows:
        return
    used = (
        translated_ids(own) if translate.rows and "pack" in {*translate.source} & {*replay.source} else set()
    )
    for row in sources.read_rows(replay.source, folder, PackFiles(known, ("demo/rows.jsonl",))):
        if isinstance(row, Dropped):
            yield row
        elif not row.pack or row.id not in used:
            yield read_published_row(row, (known,), (own, known), "replay")
