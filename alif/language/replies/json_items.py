"""Items in a reply that is JSON: objects that have the keys, in one list or several, in fences, in other objects.

    [{"instruction": …, "input": …, "output": …}, {…}]
    {"tasks": [{…}, {…}], "more": [{…}]}

A key is any that an item may have, in the pack's language too. What stands between the objects is not read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from alif.language import normalisation
from alif.language.pack import Pack
from alif.language.replies.field_labels import label_styles

__all__ = ["JsonItems", "read_json_items"]

_WRAPPER = re.compile(r'\{\s*+"[^"\n]{1,40}"\s*+:\s*+\[\s*+(?=\{)')
"""The beginning of an object whose first value is a list of objects."""
_DECODER = json.JSONDecoder(strict=False)
"""Lets a text run over several lines, as teachers do."""


class JsonItems(NamedTuple):
    """One object."""

    raw: str
    """Where there is an error, all the rest of the reply."""
    texts: dict[str, str]
    """By field, as they are written."""
    error: str = ""
    """Why it cannot be read."""


def read_json_items(text: str, pack: Pack) -> Iterator[JsonItems]:
    """Yield the objects of a reply. Nothing, if the first one is no item or cannot be read: then the reply is no JSON."""
    place = first = _brace(text, 0)
    while place >= 0:
        try:
            values, end = _DECODER.raw_decode(text, place)
        except (ValueError, RecursionError) as error:
            if place > first:
                yield JsonItems(text[place:], {}, type(error).__name__)
            return
        texts = _texts(values, pack)
        if place == first and "instruction" not in texts:
            return
        yield JsonItems(text[place:end], texts)
        place = _brace(text, end)  # behind a comma, or in another list, fence or wrapper


def _brace(text: str, begin: int) -> int:
    """Return where the next object begins that is no wrapper of others, or -1."""
    place = text.find("{", begin)
    wrapper = _WRAPPER.match(text, place) if place >= 0 else None
    return wrapper.end() if wrapper else place


def _texts(values: Mapping[str, object], pack: Pack) -> dict[str, str]:
    texts: dict[str, str] = {}
    for key, value in values.items():
        found = (reading.fields.get(normalisation.fold_text(key, pack)) for reading in label_styles(pack))
        if isinstance(value, str | int | float) and (field := next(filter(None, found), None)):
            texts.setdefault(
                field, normalisation.normalise_text(str(value), pack).strip()
            )  # of letters that were written as \\u0627
    return texts
