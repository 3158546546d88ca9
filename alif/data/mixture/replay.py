"""Sample rows of the known language against forgetting, stratified by source, kind and length of answer.

"pack" is the known pack's demo rows. Of the rows that are translated in the same run none is replayed, so
that the same task is not in the mixture twice; nor is one whose words are those of another.

    source = "self"     prompts of replay.prompts; the base's instruct sibling answers those that are drawn

Sources: replay of Alpaca and OpenOrca rows, Alif, arXiv 2510.09051, drawn there by an unseeded split;
self-generated samples against forgetting, arXiv 2605.26097.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from alif import console, sampling, settings, sources
from alif.data.demo.demo_files import translated_ids
from alif.data.mixture.replay_kinds import find_kind
from alif.data.mixture.self_replay import SELF, answer_rows
from alif.data.published_row import find_oversize, nothing_left, read_published_row
from alif.data.translation.translation_items import TranslationItem, read_items, sample_items
from alif.facts.data_facts import ReplayFacts
from alif.language import pack as packs
from alif.language import text
from alif.language.pack import Pack
from alif.records import Dropped, Example
from alif.runs import StepContext
from alif.settings.types import licence_of
from alif.sources import PackFiles

__all__ = ["sample_replay"]

TEXT = "text"
"""What the kind of a row without code and formulas is called in a recipe."""
LENGTH_STRATA = 4
"""Strata of answer length in each source and kind: quartiles by characters."""

NOBODY: Mapping[str, settings.Teacher | settings.StudentSettings] = {}
Group: TypeAlias = tuple[str, str]
"""Source and kind of a row; the kind of text is ""."""
Stratum: TypeAlias = tuple[str, str, int]
"""The same with the quarter that the length of its answer is in."""


def sample_replay(
    context: StepContext,
    language: settings.Language,
    sources: settings.Sources,
    replay: settings.Replay,
    translate: settings.Translate,
    replay_model: Mapping[str, settings.Teacher | settings.StudentSettings] = NOBODY,
) -> ReplayFacts:
    """Keep `replay.rows` rows, or all where a share of the mixture is asked for; none is there twice.

    Raises:
        DataError: rows are wanted, and no row of the sources can be kept.
    """
    own, known, output = packs.load_pack(language.pack), packs.load_pack(language.source), context.output
    output.require("examples.jsonl", "dropped.jsonl")
    rows: dict[str, tuple[Example, Group]] = {}
    names: dict[str, str] = {}
    first = ""
    for row, group in output.read(_read_rows(own, known, sources.folder, replay, translate)):
        if isinstance(row, Dropped):
            first = first or row.evidence
            output.drop(row)
            continue
        texts = (*(message.content for message in row.turns), row.instruction, row.input, row.output)
        words = "\x1f".join(text.fold_text(one, known) for one in texts)
        if twin := names.get(words):
            evidence = f"the same as {rows[twin][0].origin.source}"
            output.drop(Dropped(row=row, reason="duplicate", evidence=evidence))
        else:
            rows[row.id], names[words] = (row, group), row.id
    wanted = replay.rows or (len(rows) if replay.share else 0)
    if wanted and not rows:
        raise nothing_left("replay.source", output.dropped, first)
    strata = _stratify(rows)
    quotas = _share_out(replay, wanted, strata)
    sampled = {
        name
        for stratum, members in strata.items()
        for name in sampling.sample_rows(
            members, quotas[stratum], sampling.seeded_rng(replay.seed, "replay", _describe(stratum))
        )
    }
    asked = [row for row, group in rows.values() if row.id in sampled and group[0] == SELF]
    answers = answer_rows(context, asked, own, known, sources.folder, replay, replay_model) if asked else {}
    for row, _ in rows.values():
        answered = answers.get(row.id, row)
        if row.id not in sampled:
            output.not_sampled(row)
        elif isinstance(answered, Dropped):
            output.drop(answered)
        else:
            output.keep(answered)
    if output.kept < wanted:
        console.log(f"replay: only {output.kept:,} of {wanted:,} rows; the sources have no more that fit")
    return ReplayFacts(
        requested=wanted, available=len(rows), strata={_describe(one): count for one, count in quotas.items()}
    )


def _stratify(rows: Mapping[str, tuple[Example, Group]]) -> dict[Stratum, list[str]]:
    """Return the ids of rows by stratum."""
    groups: dict[Group, list[Example]] = {}
    for row, group in rows.values():
        groups.setdefault(group, []).append(row)
    strata: dict[Stratum, list[str]] = {}
    for group, members in groups.items():
        ordered = sorted(members, key=lambda row: (len(row.output), row.id))
        for rank, row in enumerate(ordered):
            strata.setdefault((*group, LENGTH_STRATA * rank // len(ordered) + 1), []).append(row.id)
    return strata


def _describe(stratum: Stratum) -> str:
    source, kind, quarter = stratum
    return " ".join(filter(None, (source, kind, f"{quarter}/{LENGTH_STRATA}")))


def _share_out(
    replay: settings.Replay, wanted: int, strata: Mapping[Stratum, list[str]]
) -> dict[Stratum, int]:
    """Return how many rows of each stratum are drawn: by source, then by kind, then by size."""
    sizes: Counter[str] = Counter()
    for (source, _, _), members in strata.items():
        sizes[source] += len(members)
    by_share = {name: round(share * wanted) for name, share in replay.source_shares.items()}
    fixed = {**replay.source_rows, **by_share}
    if missing := sorted(fixed.keys() - sizes.keys()):
        console.log(f"replay: no row of {', '.join(missing)}, which source_rows or source_shares name")
    quotas = {name: min(rows, sizes[name]) for name, rows in fixed.items() if name in sizes}
    free = {name: size for name, size in sizes.items() if name not in fixed}
    quotas |= sampling.apportion(max(wanted - sum(quotas.values()), 0), free, most=free)
    found: dict[Stratum, int] = {}
    for source, quota in quotas.items():
        inside = {one: len(members) for one, members in strata.items() if one[0] == source}
        left = quota
        shares: dict[str, float] = dict(replay.kind_shares.items())
        for kind in (*shares, ""):
            of_kind = {
                one: size for one, size in inside.items() if one not in found and kind in ("", one[1] or TEXT)
            }
            rows = round(shares[kind] * quota) if kind else left
            by_name = {_describe(one): size for one, size in of_kind.items()}
            drawn = sampling.apportion(min(rows, left), by_name, most=by_name)
            found |= {one: drawn[_describe(one)] for one in of_kind}
            left -= sum(drawn.values())
    return {one: found[one] for one in strata}


def _read_rows(
    own: Pack, known: Pack, folder: str, replay: settings.Replay, translate: settings.Translate
) -> Iterator[tuple[Example | Dropped, Group]]:
    """Yield the rows that may be replayed with source and kind, nothing if no rows are asked for."""
    if not replay.rows and not replay.share:
        return
    plain = tuple(one for one in replay.source if one != SELF)
    parts = [(plain, ""), (replay.prompts, SELF)] if SELF in replay.source else [(plain, "")]
    used = _translated_rows(own, known, folder, {*plain, *parts[-1][0]}, translate)
    ids = translated_ids(own) if translate.rows and "pack" in translate.source else set()
    for source, name in parts:
        for row in sources.read_rows(source, folder, PackFiles(known, ("demo/rows.jsonl",))):
            if not isinstance(row, Dropped) and row.pack and row.id in ids:
                continue
            if not isinstance(row, Dropped) and (long := find_oversize(row)):
                yield long, ("", "")
                continue
            licence = "" if isinstance(row, Dropped) else licence_of(replay.licence, row.name)
            found = read_published_row(row, (known,), (own, known), "replay", licence)
            if isinstance(row, Dropped) or isinstance(found, Dropped):
                yield found, ("", "")
            elif found.id in used:
                evidence = f"{row.where}: it is translated in this run"
                yield Dropped(row=found, reason="translated", evidence=evidence), ("", "")
            else:
                yield found, (name or row.name, "" if row.pack else find_kind(row, found))


def _translated_rows(
    own: Pack, known: Pack, folder: str, source: set[str], translate: settings.Translate
) -> set[str]:
    """Return the ids of the rows that the step `translate` draws, where it draws from the same files."""
    if not translate.rows or not ({*translate.source} - {"pack"}) & source:
        return set()
    items = (one for one in read_items(own, known, folder, translate) if isinstance(one, TranslationItem))
    return {item.row.id for item in sample_items(list(items), translate) if not item.request_template}
