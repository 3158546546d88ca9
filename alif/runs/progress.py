"""How far the step is that is running now, and how long it may still take, as its progress bar notes it.

    runtime/progress.json   {"name": "generate", "done": 120, "total": 350, "unit": "rows", "paces": [1, 2]}

The pace is measured over the last ten minutes, the last minute and the last ten seconds: the time that is
left lies between the fastest and the slowest. What stored replies or a resumed training jumped over counts in
none for long.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import ValidationError

from alif import store
from alif.errors import DataError
from alif.records import FrozenModel
from alif.runs.folder import Run

__all__ = ["WorkProgress", "read_progress"]


class WorkProgress(FrozenModel):
    """How far a piece of work is."""

    name: str
    done: float
    total: float
    """0: unknown."""
    unit: str
    paces: Sequence[float]
    """Units a second."""

    @property
    def share(self) -> float | None:
        """Of the whole, 0..1; None where that is unknown."""
        return min(1.0, self.done / self.total) if self.total else None

    @property
    def left_s(self) -> tuple[float, float] | None:
        """The least and the most seconds that it may still take; None where nothing is known yet."""
        paces = [pace for pace in self.paces if pace > 0]
        left = self.total - self.done
        return (left / max(paces), left / min(paces)) if paces and left > 0 else None


def read_progress(run: Run) -> WorkProgress | None:
    """Return how far the step is that is running; None where none is, or it has no bar."""
    try:
        return WorkProgress.model_validate(store.read_json(run.progress)) if run.busy() else None
    except (DataError, ValidationError, OSError):
        return None
