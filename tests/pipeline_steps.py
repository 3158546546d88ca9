"""The steps of the pipeline by their names."""

from __future__ import annotations

from alif.pipeline import PIPELINE
from alif.runs import Step


def step_by_name(name: str) -> Step:
    """Return the step of that name."""
    return next(step for step in PIPELINE if step.name == name)
