"""One thing to correct in a language pack: where, what, and how."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Literal

__all__ = ["Finding", "doubtful", "missing", "wrong"]


@dataclass(frozen=True)
class Finding:
    """One thing to correct."""

    kind: Literal["wrong", "missing", "doubtful"]
    where: str
    """path, path:line or path with a key."""
    what: str
    cure: str


wrong = partial(Finding, "wrong")
missing = partial(Finding, "missing")
doubtful = partial(Finding, "doubtful")
