"""Hold out validation rows that share nothing with the rows that are trained on.

Rows of one folded prompt stay together, and so do rows of one source: of a passage, or the translation of a
row and the row itself. A group is held out only if none of its prompts is a near-duplicate of another one, by
the index of the pool, so fewer rows than wanted may be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from alif import sampling, settings
from alif.dedup.rouge_index import RougeLIndex
from alif.language import text
from alif.language.pack import Pack
from alif.records import Example

__all__ = ["fold_prompt", "sample_validation"]

THRESHOLD = 0.7
"""ROUGE-L F1 of near-duplicates. Source: Self-Instruct, arXiv 2212.10560, section 2.2."""
MAX_WORDS = 1_000
"""Of a prompt that is compared; a longer one holds a text of its own."""


def sample_validation(
    parts: Mapping[str, Sequence[Example]], split: settings.Split, pack: Pack
) -> tuple[set[str], dict[str, int]]:
    """Return the ids of validation rows, a share of each part's prompts, and how many prompts are missing."""
    rows = [row for members in parts.values() for row in members]
    groups = _group_rows(rows, pack)
    near = _near_duplicates(rows, groups, pack) if split.validation_share else set[int]()
    members: dict[int, list[str]] = {}
    firsts: dict[str, dict[str, int]] = {name: {} for name in parts}
    for name, part in parts.items():
        for row in part:
            if groups[row.id] not in members:
                firsts[name][fold_prompt(row, pack)] = groups[row.id]
            members.setdefault(groups[row.id], []).append(row.id)
    held_out: set[str] = set()
    missing: dict[str, int] = {}
    for name, first in firsts.items():
        wanted = 0
        if split.validation_share and len(first) > 1:
            wanted = max(round(split.validation_share * len(first)), 1)
        free = [group for group in first.values() if group not in near]
        chosen = sampling.sample_rows(free, wanted, sampling.seeded_rng(split.seed, "split", name))
        held_out |= {id for group in chosen for id in members[group]}
        if len(chosen) < wanted:
            missing[name] = wanted - len(chosen)
    return held_out, missing


def fold_prompt(row: Example, pack: Pack) -> str:
    """Return the prompt by which validation rows are told from training rows."""
    return f"{text.fold_text(row.instruction, pack)}\x1f{text.fold_text(row.input, pack)}"


def _group_rows(rows: Sequence[Example], pack: Pack) -> dict[str, int]:
    """Return the group of each row by id: rows of one prompt or one source share it."""
    parent = list(range(len(rows)))
    seen: dict[str, int] = {}
    for place, row in enumerate(rows):
        for key in filter(None, (fold_prompt(row, pack), row.origin.source)):
            one, other = place, seen.setdefault(key, place)
            while parent[one] != one:
                one = parent[one]
            while parent[other] != other:
                other = parent[other]
            parent[max(one, other)] = min(one, other)
    found: dict[str, int] = {}
    for place, row in enumerate(rows):  # a parent stands before its rows
        parent[place] = parent[parent[place]]
        found[row.id] = parent[place]
    return found


def _near_duplicates(rows: Sequence[Example], groups: Mapping[str, int], pack: Pack) -> set[int]:
    """Return the groups with a prompt that is a near-duplicate of another prompt."""
    prompts: dict[tuple[str, ...], int] = {}
    near: set[int] = set()
    for row in rows:
        words = tuple(text.split_words(f"{row.instruction}\n{row.input}", pack))
        if (
            0 < len(words) <= MAX_WORDS
            and (first := prompts.setdefault(words, groups[row.id])) != groups[row.id]
        ):
            near |= {first, groups[row.id]}
    for order in (list(prompts), list(prompts)[::-1]):  # each prompt meets those before and those behind it
        index = RougeLIndex(THRESHOLD)
        for words in order:
            if index.nearest(words):
                near.add(prompts[words])
            index.add("", words)
    return near
