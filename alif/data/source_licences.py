"""What is known of the licences of a recipe's rows before it is run.

Only rows that others wrote are looked at: those that are translated, replayed or mixed in from files.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from alif.data.source_check import SourceSample, list_sources
from alif.settings import Recipe
from alif.settings.types import Licences, licence_of
from alif.sources import HUB, source_name

__all__ = ["licence_notes"]

_KNOWN = re.compile(
    r"cc0|cc[- ]?by|creative commons|public domain|\b(?:mit|apache|[0-9]-?clause|bsd|isc|mpl|afl|epl)\b"
    r"|a?l?gpl|gfdl|odc|odbl|pddl|cdla|rail|unlicense|llama|gemma|qwen|open government|ogl|etalab",
    re.IGNORECASE,
)
"""Licences by the names that people give them."""


def licence_notes(recipe: Recipe, samples: Iterable[SourceSample]) -> Iterator[str]:
    """Yield a sentence for each source whose licence is not known."""
    for key, source in list_sources(recipe).items():
        named = _licences_of(recipe, key)
        for match in filter(None, map(HUB.fullmatch, source)) if named is not None else ():
            one = match["id"]
            if not licence_of(named or "", one):
                told = f"set {_table_of(key)}.licence to what its card says, so that each row carries it"
                yield f"{key}: the licence of {one} is not known here: {told}."
    for sample in samples:
        named = _licences_of(recipe, sample.key)
        if named is None:
            continue
        where = f"{sample.key}: {sample.path}"
        given = licence_of(named, source_name(Path(sample.path)))
        unnamed = sample.licences.get("", 0)
        if unnamed and not given:
            told = f"{where}: {unnamed:,} of {sample.usable:,} rows name no licence"
            yield f"{told}: set {_table_of(sample.key)}.licence; without one nothing may be published."
        for licence in {*sample.licences, given} - {""}:
            if not _KNOWN.search(licence):
                yield f'{where}: "{licence}" is no licence that alif knows: read it before you publish.'


def _table_of(key: str) -> str:
    return key.rpartition(".")[0]


def _licences_of(recipe: Recipe, key: str) -> Licences | None:
    """Return what the recipe says of the licence of a key's rows; None where their licence is not kept."""
    table, _, rest = key.partition(".")
    if table in ("translate", "replay"):
        return recipe.translate.licence if table == "translate" else recipe.replay.licence
    return recipe.blend[rest.rpartition(".")[0]].licence if table == "blend" else None
