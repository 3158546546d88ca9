"""Recipe tables of the evaluation."""

from __future__ import annotations

from pydantic import Field

from alif.records import FrozenModel
from alif.settings.types import Files


class Benchmarks(FrozenModel):
    """What is asked. Rows that overlap with it never enter the blend."""

    test: Files = ("pack",)
    """Test set of generated answers: "pack" or JSON Lines files of triples with `task`."""
    multiple_choice: Files = ()
    """Multiple-choice files (question, choices, gold), scored by log-probability."""


class Evaluate(FrozenModel):
    """What is measured before and after each stage."""

    documents: int = Field(0, ge=0)
    """Held-out documents per source and language for bits per byte; 0: all."""
    questions: int = Field(0, ge=0)
    """Questions of the test set, the same number from each task; 0: all."""
    max_new_tokens: int = Field(96, gt=0)
    """Longest generated answer, in tokens."""
    samples: int = Field(6, ge=0)
    """Answers shown side by side in the report."""
    questions_each: int = Field(0, ge=0)
    """Questions of each benchmark; 0: all."""
    bootstrap_samples: int = Field(1000, gt=0)
    """Bootstrap resamples behind an interval."""
    seed: int = 3407
