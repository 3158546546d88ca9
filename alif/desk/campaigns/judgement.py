"""What one person says of one card: of an answer, of a pair of answers, or whose answer it was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from alif.desk.campaigns.campaign_plan import ASPECTS, CampaignPlan
from alif.desk.people import Refused
from alif.records import sanitize_text

__all__ = ["FLAGS", "Judgement", "check_judgement", "read_judgement"]

FLAGS = ("grammar", "fact", "ethics", "culture", "instruction", "translationese", "incomplete", "language")
"""What may be wrong with an answer: the reasons of the review, without "other"."""


class Judgement(BaseModel):
    """A judgement as it is sent and stored; what does not belong to the card is left out."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    grade: Literal["accept", "minor", "major", "unusable"] | None = None
    flags: list[str] = Field([], max_length=len(FLAGS))
    ratings: dict[str, int | None] = {}
    """By aspect from 1 to 5; None: not applicable."""
    edit: str = Field("", max_length=100_000)
    side: Literal["left", "right", "equal", "bad"] | None = None
    source: str | None = None
    note: str = Field("", max_length=2_000)
    dwell_ms: int = Field(0, ge=0, le=2**53)

    @model_validator(mode="after")
    def check_words(self) -> Self:
        """Refuse flags and aspects that are none."""
        fits = all(name in FLAGS for name in self.flags) and all(name in ASPECTS for name in self.ratings)
        if not fits or any(value is not None and not 1 <= value <= 5 for value in self.ratings.values()):
            raise ValueError("no such flag or rating")
        return self


def read_judgement(sent: Mapping[str, object]) -> Judgement:
    """Return a judgement that was sent, its texts fit to be stored.

    Raises:
        Refused: it is none.
    """
    try:
        found = Judgement.model_validate(sent)
    except ValidationError as error:
        raise Refused("not_understood", 400) from error
    clean = {"edit": sanitize_text(found.edit).strip(), "note": sanitize_text(found.note).strip()}
    return found.model_copy(update=clean)


def check_judgement(judgement: Judgement, kind: str, plan: CampaignPlan) -> None:
    """Refuse a judgement that does not fit the card.

    Raises:
        Refused: with what is missing.
    """
    if kind == "guess":
        fits = judgement.source in plan.sources
    else:
        fits = (judgement.side if plan.kind == "ab" else judgement.grade) is not None
    if not fits:
        raise Refused("not_understood", 400)
    if kind != "guess" and plan.kind == "audit" and set(judgement.ratings) != set(ASPECTS):
        raise Refused("needs_ratings")
