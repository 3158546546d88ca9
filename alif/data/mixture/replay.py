"""Draw rows of the known language against forgetting, stratified by source and by length of the answer.

"pack" is the known pack's demo rows; where some of them are translated in the same run, only the others are replayed, so that
the same task does not stand in the mixture twice.

Source: replay of Alpaca and OpenOrca rows, Alif, arXiv 2510.09051; drawn there by an unseeded split.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from alif import recipe, sampling, sources, store
from alif.data.demo.demo_files import translated_ids
from alif.data.filters.rules import OTHER_TASK
from alif.language import pack as packs
from alif.language import text
from alif.language.pack import Pack
from alif.records import Counts, Dropped, Example
from alif.runs import StepContext

__all__ = ["LENGTHS", "sample_replay"]

LENGTHS = 4
"""Strata of answer length in each source: quartiles by characters."""


def sample_replay(
    context: StepContext,
    language: recipe.Language,
    sources: recipe.Sources,
    replay: recipe.Replay,
    translate: recipe.Translate,
) -> Counts:
    """Write `replay.rows` rows; a row that occurs twice is there once."""
    known = packs.load_pack(language.source)
    rows: dict[str, Example] = {}
    dropped: list[Dropped] = []
    for row in (
        _rows(known, packs.load_pack(language.pack), sources.folder, replay, translate) if replay.rows else ()
    ):
        if isinstance(row, Dropped):
            dropped.append(row)
        elif row.id in rows:
            dropped.append(
                Dropped(row=row, reason="duplicate", evidence=f"the same as {rows[row.id].origin.source}")
            )
        else:
            rows[row.id] = row
    strata = _strata(list(rows.values()))
    sizes = {name: len(members) for name, members in strata.items()}
    quotas = sampling.apportion(replay.rows, sizes, most=sizes)
    drawn = {
        row.id
        for name, members in strata.items()
        for row in sampling.sample_indices(
            members, quotas[name], sampling.seeded_rng(replay.seed, "replay", name)
        )
    }
    kept = [row for row in rows.values() if row.id in drawn]
    store.write_rows(context.folder / "examples.jsonl", kept)
    store.write_rows(context.folder / "dropped.jsonl", (row.record() for row in dropped))
    return Counts.of(len(kept), dropped, asked=replay.rows, there=len(rows), strata=quotas)


def _rows(
    known: Pack, own: Pack, folder: str, replay: recipe.Replay, translate: recipe.Translate
) -> Iterator[Example | Dropped]:
    if "pack" in replay.source:
        used = translated_ids(own) if translate.rows and "pack" in translate.source else set()
        for row in sources.read_rows(("demo/rows.jsonl",), str(known.folder)):
            if isinstance(row, Dropped):
                yield row
            elif row.id not in used:
                yield _clean(sources.to_example(row, known.code, OTHER_TASK, "replay", known.licence), known)
    for found in sources.read_examples(
        replay.source, folder, language=known.code, task=OTHER_TASK, kind="replay"
    ):
        yield _clean(found, known)


def _clean(row: Example | Dropped, known: Pack) -> Example | Dropped:
    if isinstance(row, Dropped):
        return row
    texts = {
        key: text.normalise_text(getattr(row, key), known).strip()
        for key in ("instruction", "input", "output")
    }
    return Example.make(row.language, row.task, **texts, origin=row.origin)


def _strata(rows: Sequence[Example]) -> dict[str, list[Example]]:
    """Group rows by source and, in it, by quartile of answer length."""
    by_source: dict[str, list[Example]] = {}
    for row in rows:
        by_source.setdefault(row.origin.source.partition("#")[0], []).append(row)
    strata: dict[str, list[Example]] = {}
    for source, members in by_source.items():
        ordered = sorted(members, key=lambda row: (len(row.output), row.id))
        for rank, row in enumerate(ordered):
            strata.setdefault(f"{source} {LENGTHS * rank // len(ordered) + 1}/{LENGTHS}", []).append(row)
    return strata
