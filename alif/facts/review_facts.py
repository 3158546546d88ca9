"""What the step `review` reports."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from alif.records import FrozenModel

__all__ = ["LotDecision", "LotFacts", "ReviewFacts"]

LotDecision = Literal["accepted", "rejected", "read", "waits"]
"""What becomes of the unread rows of a lot; "read": it has none."""


class LotFacts(FrozenModel):
    """A lot of rows, and what its drawn rows say of the others."""

    name: str
    """Teacher, task and batch."""
    rows: int
    drawn: int
    """Rows that were drawn by lot for people to read."""
    faulty: int
    """Of these, rows that were rejected or edited."""
    low: float
    high: float
    """95 % interval of the faulty share (Wilson)."""
    decision: LotDecision

    def describe(self) -> str:
        """Return the count, the share and its interval."""
        share = self.faulty / self.drawn
        return f"{self.drawn} read, {share:.1%} faulty, {self.low:.1%} to {self.high:.1%}"


class ReviewFacts(FrozenModel):
    """How many rows people have read, and what they decided."""

    read: int
    unread: int
    approve: int
    edit: int
    reject: int
    lots: tuple[LotFacts, ...] = Field((), exclude_if=lambda lots: not lots)
