"""Recipe tables of the mixture: its parts, what is held out, and the pairs of answers."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from alif.records import FrozenModel
from alif.settings.types import Files

__all__ = ["Pairs", "Part", "Split"]

Wording = Annotated[str, Field(pattern=r"\{instruction\}")]
"""A text with {instruction} in it."""


class Part(FrozenModel):
    """One part of the training mixture."""

    source: Files = ()
    """Empty: the rows of the step that the part is named after. Otherwise files, or a hub id."""
    rows: int = Field(0, ge=0)
    """Rows to sample; 0: all."""
    share: float = Field(0.0, ge=0, lt=1, exclude_if=lambda share: not share)
    """Share of the mixture's tokens, in place of rows; parts without one are drawn first."""
    repeat: int = Field(1, ge=1, le=100, exclude_if=lambda times: times == 1)
    """How often each row to train on stands in the mixture: a small part may weigh more."""
    wordings: tuple[Wording, ...] = Field((), exclude_if=lambda wordings: not wordings)
    """Wordings around the instruction, of which each row to train on gets one by lot: "{instruction}",
    "Answer in Urdu: {instruction}"."""
    licence: str = ""
    """Licence of the source, kept in each row that names none."""

    @model_validator(mode="after")
    def check_amount(self) -> Self:
        """Refuse rows beside a share."""
        if self.rows and self.share:
            raise PydanticCustomError("part", "Rows and share both say how much is drawn; set one of them")
        return self


class Pairs(FrozenModel):
    """Two answers to a prompt each, one of them preferred: what the stage `prefer` learns from."""

    source: Files = ()
    """"review": answers that reviewers edited, the edited one preferred. Files and hub ids: rows of prompt,
    chosen and rejected, texts or messages. Empty: no stage `prefer`."""
    licence: str = ""
    """Licence of the files, kept in each row."""


class Split(FrozenModel):
    """Train and validation rows."""

    validation_share: float = Field(0.05, ge=0, lt=1)
    """Share of the distinct prompts held out; no prompt is in both splits."""
    seed: int = 3407
