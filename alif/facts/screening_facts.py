"""What `alif estimate --compare` finds of each teacher: its replies read, and what is measured of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from alif.errors import AlifError
from alif.facts.evaluation_facts import Comparison
from alif.records import Dropped, Example, FrozenModel

__all__ = ["Interval", "ScreenedReply", "ScreenedTeacher", "TeacherMeasures"]


@dataclass(frozen=True)
class ScreenedReply:
    """The pieces of a reply, each kept, or dropped with a reason."""

    pieces: tuple[Example | Dropped, ...]
    usd: float
    """What such a request costs in the run: less where that asks in batches."""

    @property
    def kept(self) -> list[Example]:
        return [one for one in self.pieces if isinstance(one, Example)]

    @property
    def readable(self) -> list[Example]:
        """Every row that could be read, kept or not."""
        rows = (one.row if isinstance(one, Dropped) else one for one in self.pieces)
        return [row for row in rows if isinstance(row, Example)]


@dataclass(frozen=True)
class ScreenedTeacher:
    """One teacher's replies by the number of the request, in order."""

    name: str
    model: str
    replies: Mapping[int, ScreenedReply]
    problem: AlifError | None
    """Why it answered no more, or nothing that can be read."""


class Interval(FrozenModel):
    """A value with its 95 % interval."""

    value: float
    low: float
    high: float


class TeacherMeasures(FrozenModel):
    """One teacher, measured; None where there is nothing to measure. items == kept + sum(reasons)."""

    teacher: str
    model: str
    requests: int
    items: int
    kept: int
    acceptance: Interval | None
    """Share of the items that the pool and the filters keep."""
    reasons: Mapping[str, int]
    """Why the others were dropped, the most frequent first."""
    distinct: Mapping[str, Interval | None]
    """instruction_1, instruction_2, output_1, output_2: share of distinct words and pairs of words in the
    readable rows, taken of as many words of each teacher."""
    words: Mapping[str, Interval | None]
    """instruction_median, instruction_cv, output_median, output_cv, of the rows that were kept."""
    fidelity: Mapping[str, Interval | None]
    """Share of the readable rows whose output fails each check, and `any` of them."""
    bits_per_byte: Interval | None
    """Of kept outputs under the base."""
    usd_per_kept_row: Interval | None
    against_first: Mapping[str, Comparison]
    """acceptance, fidelity, usd_per_kept_row: paired differences to the first teacher; none for itself."""
    problem: str
