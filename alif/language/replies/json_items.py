"""Items in a reply that is JSON: objects in one list or several, in fences or in other objects.

    [{"instruction": …, "input": …, "output": …}, {…}]
    {"tasks": [{…}, {…}], "more": [{…}]}

Every label is known here, in the pack's language too. Text between the objects is skipped. What teachers
write that JSON does not know is mended: trailing commas, comment lines, curly quotes, LaTeX's backslashes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from pydantic import JsonValue

from alif.language.normalisation import fold_text, normalise_text
from alif.language.pack import Pack
from alif.language.replies.field_labels import FIELDS, label_styles

__all__ = ["ITEMS_SCHEMA", "JsonItem", "read_json_items"]

ITEMS_SCHEMA: dict[str, JsonValue] = {
    "type": "json_schema",
    "json_schema": {
        "name": "tasks",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {
                "tasks": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {field: {"type": "string"} for field in FIELDS},
                        "required": list(FIELDS),
                        "additionalProperties": False,
                    },
                }
            },
            "required": ["tasks"],
            "additionalProperties": False,
        },
    },
}
"""The field `response_format` of a request for items, in OpenAI's protocol."""

_WRAPPER = re.compile(r'\{\s*+"[^"\n]{1,40}"\s*+:\s*+\[\s*+(?=\{)')
"""The beginning of an object whose first value is a list of objects."""
_REPAIRS = (
    (re.compile(r"^\s*//.*$", re.MULTILINE), ""),
    (re.compile(r",(?=\s*[}\]])"), ""),
    (re.compile(r"(?<=[{\[:,])(\s*)[“”„]|[“”](?=\s*[}\]:,])"), r'\1"'),
    (re.compile(r"(\\(?:[\"\\/nu]|[bfrt](?![a-z])))|\\"), lambda found: found[1] or r"\\"),
)
_DECODER = json.JSONDecoder(strict=False)  # teachers let a string run over several lines


class JsonItem(NamedTuple):
    """One object of a reply."""

    raw: str  # after an error, all the rest of the reply
    texts: dict[str, str]  # by field
    error: str = ""


def read_json_items(text: str, pack: Pack) -> Iterator[JsonItem]:
    """Yield the objects of a reply; none if the first is no item or cannot be parsed: then it is not JSON."""
    place = first = _next_object(text, 0)
    while place >= 0:
        try:
            text, values, end = _decode_object(text, place)
        except (ValueError, RecursionError) as error:
            if place > first:
                yield JsonItem(text[place:], {}, type(error).__name__)
            return
        texts: dict[str, str] = {}
        for key, given in values.items():
            fields = (style.fields.get(fold_text(key, pack)) for style in label_styles(pack))
            lines = given if isinstance(given, list) else ()
            strings = [line for line in lines if isinstance(line, str)]
            value = "\n".join(strings) if lines and len(strings) == len(lines) else given
            if isinstance(value, str | int | float) and (field := next(filter(None, fields), None)):
                texts.setdefault(
                    field, normalise_text(str(value), pack).strip()
                )  # it may have held \\u escapes
        if place == first and "instruction" not in texts:
            return
        yield JsonItem(text[place:end], texts)
        place = _next_object(text, end)


def _decode_object(text: str, place: int) -> tuple[str, dict[str, object], int]:
    """Return the object at a place and its end, behind the text that it was read from, perhaps mended.

    Raises:
        ValueError: it is no JSON all the same.
    """
    try:
        return text, *_DECODER.raw_decode(text, place)
    except ValueError:
        rest = text[place:]
        for wrong, right in _REPAIRS:
            rest = wrong.sub(right, rest)
        text = text[:place] + rest
        return text, *_DECODER.raw_decode(text, place)


def _next_object(text: str, begin: int) -> int:
    """Return where the next object begins that is no wrapper around a list of others, or -1."""
    place = text.find("{", begin)
    wrapper = _WRAPPER.match(text, place) if place >= 0 else None
    return wrapper.end() if wrapper else place
