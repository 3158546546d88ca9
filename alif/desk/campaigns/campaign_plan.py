"""The plan of a blind campaign: a TOML file, frozen with its SHA-256 before the first judgement.

    kind = "audit"                          # or "ab"
    name = "teachers-1"                     # the folder of its report: runs/NAME/campaigns/teachers-1/
    title = "کون سی تحریریں قابلِ قبول ہیں؟"          # what judges see; no source is named in it
    sources = ["gpt", "claude", "gemini"]   # teachers or systems, as `answers` names them
    answers = "teachers"                    # runs/NAME/runtime/teachers.jsonl, of `alif estimate --compare`
    n = 1000                                # prompts; each source answered each of them
    k = 2                                   # judgements of each answer, or of each pair of answers
    bar = 0.8                               # the share of acceptable answers that is asked for

A later change is an amendment, which the report shows; one of the sources, the prompts or the sample makes
another campaign.
"""

from __future__ import annotations

import hashlib
import itertools
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, ValidationError, model_validator

from alif import store
from alif.errors import AlifError
from alif.evaluate.paired_tests import sign_test_power, smallest_detectable
from alif.evaluate.stats import Items, wilson_interval
from alif.language.model_names import hide_model_names
from alif.records import FrozenModel

__all__ = [
    "AMENDABLE",
    "ASPECTS",
    "GRADES",
    "CampaignPlan",
    "Power",
    "measure_power",
    "parse_plan",
    "read_plan",
]

GRADES = ("accept", "minor", "major", "unusable")
"""What is said of one answer, the best first."""
ASPECTS = ("language", "culture", "fact")
"""Rated from 1 to 5, or not applicable: linguistic quality, cultural relevance, factual accuracy."""
AMENDABLE = ("title", "rubric", "second_pass", "primary", "bar", "min_seconds", "exclusions")
"""What may change after the freeze: not what is judged."""
SECONDS_A_JUDGEMENT = 44
"""For an answer of 120 words at 180 words a minute. Source: docs/decisions/012-the-desk.md."""
SHARES = (0.55, 0.60, 0.65, 0.70)
"""Shares of decisive votes whose power is told."""


class CampaignPlan(FrozenModel):
    """What is judged, by how many, and how it will be counted."""

    kind: Literal["audit", "ab"]
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")
    title: str = Field(min_length=1, max_length=200)
    rubric: str = Field("", max_length=4000)
    """What judges are asked to look at, above what the guide says."""
    sources: tuple[str, ...] = Field(min_length=2)
    answers: str = "evaluate"
    """ "evaluate" (the step's answers to the test set), "teachers" (`alif estimate --compare`), or a file of
    JSON Lines: prompt, source, instruction, input, output; and language, task, cluster, usd where known."""
    n: int = Field(ge=1, le=100_000)
    """Prompts, drawn equally from each task."""
    k: int = Field(2, ge=1, le=9)
    second_pass: bool = False
    """Whether somebody who has nothing else left is shown prompts again, with another answer: where judges
    are fewer than `k` times the sources."""
    primary: Literal["accept", "accept_or_minor"] = "accept_or_minor"
    """Which grades count as acceptable."""
    bar: float = Field(0.8, gt=0, lt=1)
    seed: int = 3407
    repeats: float = Field(0.1, ge=0, le=0.5)
    """Share of the pairs of a campaign "ab" that one person sees twice, the second time swapped."""
    guesses: int = Field(6, ge=0, le=50)
    """Answers whose source each judge guesses at the end."""
    min_seconds: float = Field(0.0, ge=0)
    """Judgements that took less are left out of the measures, and counted."""
    exclusions: str = Field("", max_length=4000)
    """Any other rule by which judgements will be left out, in words."""
    usd_per_row: Mapping[str, float] = {}
    """Price of a row by source, where the answers' file does not tell."""

    @property
    def contrasts(self) -> list[tuple[str, ...]]:
        """What one judgement is about: a source, or a pair of them."""
        return list(itertools.combinations(self.sources, 2 if self.kind == "ab" else 1))

    @model_validator(mode="after")
    def check_names(self) -> Self:
        """Refuse sources named twice, and what judges read if it names a source or a model."""
        if len(set(self.sources)) < len(self.sources):
            raise ValueError("sources: one is named twice")
        if strange := [name for name in self.usd_per_row if name not in self.sources]:
            raise ValueError(f"usd_per_row: {strange[0]} is none of the sources")
        for key in ("title", "rubric"):
            said = getattr(self, key).casefold()
            named = [name for name in self.sources if name.casefold() in said]
            if named or hide_model_names(said)[1]:
                what = named[0] if named else "a model"
                raise ValueError(f"{key}: judges read this, and it names {what}")
        return self


class Power(FrozenModel):
    """What the planned number of judgements can see, said before the first."""

    judgements: int
    hours: float
    """Of reading, all judges together."""
    expected: tuple[float, float] | None = None
    """Audit: the interval of a source exactly at the bar."""
    detectable: float
    """Audit: the smallest difference of two sources, in shares, that is seen with 80 % chance. A/B: the
    smallest share of decisive votes."""
    shares: tuple[tuple[float, float], ...] = ()
    """A/B: (share of decisive votes, chance to see it)."""


def measure_power(plan: CampaignPlan) -> Power:
    """Return what the plan can see. Judgements of one prompt count as one: that is the least they say."""
    judgements = plan.n * len(plan.contrasts) * plan.k
    hours = round(judgements * SECONDS_A_JUDGEMENT * (1 + (plan.kind == "ab")) / 3600, 1)
    if plan.kind == "audit":
        good = round(plan.bar * plan.n)
        found = wilson_interval(Items.of([1.0] * good + [0.0] * (plan.n - good)))
        detectable = smallest_detectable((2 * plan.bar * (1 - plan.bar)) ** 0.5, plan.n)
        ends = round(found.low, 4), round(found.high, 4)
        return Power(judgements=judgements, hours=hours, expected=ends, detectable=round(detectable, 4))
    seen = (share / 200 for share in range(101, 200))
    return Power(
        judgements=judgements,
        hours=hours,
        detectable=next((share for share in seen if sign_test_power(plan.n, share) >= 0.8), 1.0),
        shares=tuple((share, round(sign_test_power(plan.n, share), 3)) for share in SHARES),
    )


def read_plan(path: Path) -> tuple[CampaignPlan, str, str]:
    """Return the plan of a file, its text, and the SHA-256 of its bytes, as `sha256sum` prints it.

    Raises:
        AlifError: it cannot be read, or is none.
    """
    text = store.read_text(path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return parse_plan(text, str(path)), text, digest


def parse_plan(text: str, where: str = "plan") -> CampaignPlan:
    """Return the plan that a text is.

    Raises:
        AlifError: it is none.
    """
    hint = "docs/desk.md shows a plan."
    try:
        return CampaignPlan.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise AlifError(f"{where}: {error}", hint) from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        message = first["msg"].removeprefix("Value error, ")
        raise AlifError(f"{where}: {key + ': ' * bool(key)}{message}", hint) from error
