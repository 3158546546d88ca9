"""What the step `review` reports."""

from __future__ import annotations

from alif.records import FrozenModel

__all__ = ["ReviewFacts"]


class ReviewFacts(FrozenModel):
    """How many rows people have read, and what they decided."""

    read: int
    unread: int
    approve: int
    edit: int
    reject: int
