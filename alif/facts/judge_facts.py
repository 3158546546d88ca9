"""What the step `judge` reports, the lines of its verdicts.jsonl, and of a file of people's verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from alif.records import FrozenModel

__all__ = [
    "PANEL", "Calibration", "FamilyWarning", "HumanVerdict", "JudgeBound", "JudgeCard", "JudgeFacts",
    "JudgeTrust", "JudgedCall", "JudgedPair", "JudgesAgreement", "PanelOrder", "RankAgreement",
    "RateInterval", "RubricScore",
]  # fmt: skip

PANEL = "panel"
"""The name under which the majority of the judges stands beside them, where there are several."""


class RateInterval(FrozenModel):
    """A rate, 0..1, with its 95 % interval."""

    value: float
    low: float
    high: float


class JudgedCall(FrozenModel):
    """One judgement: two answers in one order, or one answer against its rubric."""

    id: str
    """Of the question."""
    task: str
    judge: str
    a: str
    """System whose answer was shown first; the only one of a rubric."""
    b: str = ""
    verdict: Literal["A", "B", "tie"] | None = None
    points: tuple[bool, ...] = ()
    """Of the rubric: whether each is fulfilled."""
    reason: str = ""
    """The judge's own words; the beginning of its reply where that cannot be read."""
    failure: str = ""
    """Why there is no verdict: unparsable, cut_off, unanswered."""
    first_failure: str = ""
    """The same of the first of two replies."""
    model: str = ""
    request: str = ""
    """Hash of the request in the ledger."""


class JudgeBound(FrozenModel):
    """What a judge can cost: how many judgements, and the most for all of them."""

    calls: int
    usd: float


class HumanVerdict(FrozenModel):
    """A person's verdict on two answers."""

    id: str
    a: str
    b: str
    verdict: Literal["a", "b", "tie"]
    annotator: str = ""


class JudgeCard(FrozenModel):
    """A judge, and how it answered."""

    name: str
    model: str
    families: tuple[str, ...]
    """None: its name tells of no known family."""
    calls: int
    """Judgements that were asked for."""
    asked_again: int
    failures: Mapping[str, int]
    """Judgements that could not be read, by reason, after the second reply."""
    position_consistency: float | None
    """Share of the pairs on which both orders have the same winner, or both a tie."""
    first_share: float | None
    """Share of its verdicts for the answer that is shown first, ties left out: 0.5 without position bias."""
    usd: float
    """Price of its replies when they were sent for."""


class JudgedPair(FrozenModel):
    """A system against another, by one judge or the panel; win rates 0..1, a tie counts half."""

    judge: str
    stage: str
    against: str
    n: int
    """Questions with a verdict in both orders, equal answers included."""
    equal: int
    """Questions on which the answers are the same: a tie, of which no judge was asked."""
    unreadable: int
    """Questions that lack a verdict; they count in no rate."""
    wins: int
    losses: int
    ties: int
    inconsistent: int
    """Ties because the two orders contradict each other."""
    shown_first: float | None
    """Win rate when the later system is shown first: what one order alone would have told."""
    shown_second: float | None
    both_orders: RateInterval | None
    controlled: RateInterval | None
    """Win rate between answers of equal length and style; none where there are too few verdicts."""
    position_slope: float | None
    """Log-odds by which an answer does better where it is shown first than second."""
    length_slope: float | None
    """Log-odds by which an answer does better that is longer by the spread of the differences, in words."""
    markdown_slope: float | None
    """Log-odds by which an answer with headings, lists and bold type does better than one without."""


class RubricScore(FrozenModel):
    """Share of rubric points that a system's answers fulfil, by one judge."""

    judge: str
    stage: str
    n: int
    """Questions."""
    points: RateInterval


class JudgesAgreement(FrozenModel):
    """How far the judges agree on the same pairs."""

    n: int
    """Pairs of answers that several judges have given a verdict on."""
    alpha: float | None
    """Krippendorff's, nominal."""
    kappa: Mapping[str, float | None]
    """Cohen's, by "judge, judge"."""


class Calibration(FrozenModel):
    """A judge against people on the same pairs of answers."""

    judge: str
    n: int
    kappa: float | None
    ac1: float | None
    """Gwet's, which holds where one verdict is rare."""
    sensitivity: float | None
    """Share of the people's wins of the later system that the judge calls a win."""
    specificity: float | None
    corrected: Mapping[str, RateInterval]
    """By "stage against system": share of outright wins, corrected for the judge's errors."""


class JudgeTrust(FrozenModel):
    """Whether the judges can be believed."""

    calibrated: bool
    """Whether the systems may be ranked by these verdicts."""
    status: str
    """What to say of it in one sentence."""
    calibration: tuple[Calibration, ...]
    """Each judge, and their panel, against people."""
    agreement: JudgesAgreement | None
    """The judges among each other; None with one."""
    people: JudgesAgreement | None
    """The annotators among each other; None with fewer than two."""
    human: int
    """Verdicts of people that were read."""
    human_unused: int
    """Those on pairs that were not judged."""


class RankAgreement(FrozenModel):
    """How a judge ranks the systems, and how a metric does."""

    judge: str
    metric: str
    n: int
    """Systems."""
    kendall: float | None
    spearman: float | None


class PanelOrder(FrozenModel):
    """How the panel ranks the systems without one of its judges."""

    left_out: str
    """The judge; empty: the whole panel."""
    rates: Mapping[str, float]
    """By system, the best first: its win rate against the system that most others are compared with."""
    changed: bool = False
    """Whether the order is another than the whole panel's."""


class FamilyWarning(FrozenModel):
    """A judge of one family with a teacher of the training rows."""

    judge: str
    model: str
    teacher: str
    sentence: str
    """The warning in words."""


class JudgeFacts(FrozenModel):
    """What the step `judge` reports."""

    questions: int
    prompt_language: str
    prompts: Mapping[str, str]
    """Digest of each prompt's wording."""
    most_chars: int
    """Characters of an answer that a judge is shown."""
    cut: Mapping[str, int]
    """Answers that are longer, by system."""
    judges: tuple[JudgeCard, ...]
    pairs: tuple[JudgedPair, ...]
    rubric: tuple[RubricScore, ...]
    trust: JudgeTrust
    ranks: tuple[RankAgreement, ...]
    families: tuple[FamilyWarning, ...]
    teachers: Mapping[str, tuple[str, ...]]
    """Models that wrote the training rows, by system."""
    panels: tuple[PanelOrder, ...] = ()
    """The whole panel, and without each judge; of several judges alone."""
