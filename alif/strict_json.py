"""JSON read strictly: no NaN, no endless number, no deep nesting, no key twice, no half of a character.

What passes can be written, printed and read again by every later step.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any

__all__ = ["parse_json", "parse_row"]

_SURROGATE = re.compile("[\ud800-\udfff]")
_MAX_DEPTH = 100
"""Of nesting; deeper values exhaust Python's stack somewhere behind the reader."""
_MAX_DIGITS = 300
"""Of a number: what a float holds. Python refuses to print integers of more than 4,300 digits."""


def parse_row(line: str) -> dict[str, Any]:
    """Parse one JSON Lines row strictly: an object, no NaN, no key twice, no lone surrogate.

    Raises:
        ValueError: with a short reason.
    """

    def build_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(row := dict(pairs)) < len(pairs):
            raise ValueError("the same key twice")
        return row

    row = parse_json(line, build_object=build_object)
    if not isinstance(row, dict):
        raise ValueError("not a JSON object")
    if _SURROGATE.search(json.dumps(row, ensure_ascii=False)):
        raise ValueError("a lone surrogate, half of a character")
    return row


def parse_json(text: str, build_object: Callable[[list[tuple[str, Any]]], Any] = dict) -> Any:
    """Parse JSON without NaN, infinite or endless numbers, nested at most `_MAX_DEPTH` deep.

    Raises:
        ValueError: with a short reason.
    """

    def refuse_constant(name: str) -> float:
        raise ValueError(f"{name} is not JSON")

    def parse_int(digits: str) -> int:
        if len(digits) > _MAX_DIGITS:
            raise ValueError(f"a number of {len(digits):,} digits")
        return int(digits)

    def parse_float(digits: str) -> float:
        if math.isinf(number := float(digits)):
            raise ValueError(f"a number too large: {digits[:20]}")
        return number

    try:
        value = json.loads(
            text,
            object_pairs_hook=build_object,
            parse_constant=refuse_constant,
            parse_int=parse_int,
            parse_float=parse_float,
        )
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON ({error.msg} at column {error.colno})") from error
    except RecursionError as error:
        raise ValueError(f"nested more than {_MAX_DEPTH} deep") from error
    if text.count("[") + text.count("{") > _MAX_DEPTH:
        level = [value]
        for _ in range(_MAX_DEPTH):
            level = [list(one.values()) if isinstance(one, dict) else one for one in level]
            level = [part for one in level if isinstance(one, list) for part in one]
        if any(isinstance(one, dict | list) for one in level):
            raise ValueError(f"nested more than {_MAX_DEPTH} deep")
    return value
