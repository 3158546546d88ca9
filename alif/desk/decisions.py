"""What one person decided on one row: read as a browser sent it, its texts normalised as those of a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NotRequired, TypedDict

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from alif.desk.people import Refused
from alif.errors import ReviewError
from alif.language.marked_text import has_hidden
from alif.language.pack import Pack
from alif.records import Example
from alif.review.verdicts import REASONS, TEXTS, check_verdict

__all__ = ["MAX_NOTE", "SKIP", "Decision", "read_decision"]

SKIP = "skip"
MAX_NOTE = 2_000
"""Characters."""


class SentDecision(BaseModel):
    """What a browser sends of one; `texts` are all that were edited."""

    model_config = ConfigDict(frozen=True, strict=True)

    decision: str
    reasons: list[str] = []
    texts: dict[str, str] = {}
    note: str = Field("", max_length=MAX_NOTE)
    dwell_ms: int = 0


class Decision(TypedDict):
    """What one person decided on one row; `texts` are those that an edit changed."""

    decision: str
    reasons: list[str]
    texts: dict[str, str]
    note: str
    dwell_ms: int
    name: NotRequired[str]


def read_decision(
    row: Example, reviewer: str, sent: Mapping[str, object], packs: Mapping[str, Pack | None]
) -> Decision:
    """Return a decision as it was sent, its texts normalised.

    Raises:
        Refused: a reject without a reason, an edit that changes or empties nothing it may, unknown words.
    """
    try:
        read = SentDecision.model_validate(sent)
    except ValidationError as error:
        raise Refused("not_understood", 400) from error
    decision, reasons = read.decision, list(read.reasons)
    if not set(read.texts) <= set(TEXTS) or not set(reasons) <= set(REASONS):
        raise Refused("not_understood", 400)
    found = Decision(decision=decision, reasons=reasons, texts={}, note=read.note, dwell_ms=read.dwell_ms)
    if decision == SKIP:
        return found
    if decision == "reject" and not reasons:
        raise Refused("needs_reason")
    if decision == "approve" and any(has_hidden(getattr(row, name)) for name in TEXTS):
        raise Refused("hidden_left")
    try:
        given = read.texts if decision == "edit" else {}
        line = {"id": row.id, "decision": decision, "reviewer": reviewer, **given}
        placed = check_verdict(line, "edit", {row.id: packs.get(row.language)})
    except ReviewError as error:
        raise Refused("not_accepted", hint=error.message) from error
    changed = ((name, text) for name, text in zip(TEXTS, placed.texts, strict=True) if text is not None)
    found["texts"] = {name: text for name, text in changed if text != getattr(row, name)}
    if decision == "edit" and not found["texts"]:
        raise Refused("nothing_changed")
    return found
