"""What an audit found of each source: acceptance, flags, ratings, price, and how sources differ."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from alif.desk.campaigns.campaign_plan import ASPECTS, GRADES, CampaignPlan
from alif.desk.campaigns.judgement import FLAGS
from alif.desk.campaigns.votes import JudgedAnswer, Vote
from alif.evaluate.paired_tests import Difference, holm_adjust, paired_bootstrap
from alif.evaluate.stats import Bootstrap, Estimate, Items, bootstrap_interval, wilson_interval
from alif.records import FrozenModel

__all__ = [
    "AuditedSource",
    "SourceDifference",
    "VoteInterval",
    "interval_of",
    "is_acceptable",
    "measure_differences",
    "measure_sources",
]

ACCEPTABLE = {"accept": ("accept",), "accept_or_minor": ("accept", "minor")}
"""By `primary` of the plan."""
DIGITS = 6


class VoteInterval(FrozenModel):
    """A value with its 95 % interval, and how many judgements it is of."""

    value: float
    low: float
    high: float
    n: int


class AuditedSource(FrozenModel):
    """What judges said of one source's answers."""

    source: str
    answers: int
    judgements: int
    acceptance: VoteInterval | None
    """Share of acceptable answers, clustered by prompt."""
    reaches_bar: str
    """"yes", "no" or "cannot tell", by the interval."""
    grades: Mapping[str, int]
    flags: Mapping[str, VoteInterval]
    ratings: Mapping[str, VoteInterval | None]
    """Mean from 1 to 5 by aspect; where it was applicable."""
    edited: int
    by_task: Mapping[str, VoteInterval]
    hidden_names: int
    """Names of models that were hidden in its answers."""
    usd_per_row: float | None
    usd_per_accepted_row: VoteInterval | None
    """Price of a row over acceptance; the interval is that of the acceptance."""


class SourceDifference(FrozenModel):
    """A source against another on the same prompts: acceptance of the first minus that of the second."""

    source: str
    against: str
    difference: VoteInterval
    p: float
    p_holm: float
    detectable: float


def interval_of(found: Estimate, n: int | None = None) -> VoteInterval:
    """Return an estimate as the report has it."""
    value, low, high = (round(one, DIGITS) for one in (found.value, found.low, found.high))
    return VoteInterval(value=value, low=low, high=high, n=found.n if n is None else n)


def is_acceptable(vote: Vote, plan: CampaignPlan) -> bool:
    """Tell whether the grade counts as acceptable by the plan."""
    return vote.judgement.grade in ACCEPTABLE[plan.primary]


def measure_sources(
    votes: Sequence[Vote], answers: Sequence[JudgedAnswer], plan: CampaignPlan, bootstrap: Bootstrap
) -> list[AuditedSource]:
    """Return the measures of each source, in the plan's order."""
    return [
        _measure_source(
            name,
            [one for one in votes if one.answers[0].source == name],
            [one for one in answers if one.source == name],
            plan,
            bootstrap,
        )
        for name in plan.sources
    ]


def _measure_source(
    name: str,
    votes: Sequence[Vote],
    answers: Sequence[JudgedAnswer],
    plan: CampaignPlan,
    bootstrap: Bootstrap,
) -> AuditedSource:
    def share(said: Callable[[Vote], bool], some: Sequence[Vote] = votes) -> VoteInterval | None:
        clusters = [vote.answers[0].cluster for vote in some]
        found = [float(said(vote)) for vote in some]
        return interval_of(wilson_interval(Items.of(found, clusters=clusters))) if some else None

    acceptance = share(lambda vote: is_acceptable(vote, plan))
    tasks = dict.fromkeys(vote.answers[0].task for vote in votes)
    by_task = {
        task: share(
            lambda vote: is_acceptable(vote, plan), [one for one in votes if one.answers[0].task == task]
        )
        for task in sorted(tasks)
    }

    def has_flag(flag: str, vote: Vote) -> bool:
        return flag in vote.judgement.flags

    flags = {flag: share(partial(has_flag, flag)) for flag in FLAGS}
    prices = [one.usd for one in answers if one.usd is not None]
    usd = sum(prices) / len(prices) if prices and len(prices) == len(answers) else None
    return AuditedSource(
        source=name,
        answers=len(answers),
        judgements=len(votes),
        acceptance=acceptance,
        reaches_bar=compare_with_bar(acceptance, plan.bar),
        grades={grade: sum(vote.judgement.grade == grade for vote in votes) for grade in GRADES},
        flags={flag: found for flag, found in flags.items() if found},
        ratings={aspect: _rate(votes, aspect, bootstrap) for aspect in ASPECTS},
        edited=sum(bool(vote.judgement.edit) for vote in votes),
        by_task={task: found for task, found in by_task.items() if found},
        hidden_names=sum(one.hidden_names for one in answers),
        usd_per_row=None if usd is None else round(usd, 9),
        usd_per_accepted_row=price_accepted(usd, acceptance),
    )


def compare_with_bar(acceptance: VoteInterval | None, bar: float) -> str:
    if acceptance is None or acceptance.low <= bar <= acceptance.high:
        return "cannot tell"
    return "yes" if acceptance.low > bar else "no"


def _rate(votes: Sequence[Vote], aspect: str, bootstrap: Bootstrap) -> VoteInterval | None:
    rated = [(vote, value) for vote in votes if (value := vote.judgement.ratings.get(aspect)) is not None]
    if not rated:
        return None
    clusters = [vote.answers[0].cluster for vote, _ in rated]
    return interval_of(
        bootstrap_interval(Items.of([value for _, value in rated], clusters=clusters), bootstrap)
    )


def price_accepted(usd: float | None, acceptance: VoteInterval | None) -> VoteInterval | None:
    """Return the price of an accepted row; None where nothing is accepted or the price is not known."""
    if usd is None or acceptance is None or not acceptance.low:
        return None
    value, low, high = (usd / share for share in (acceptance.value, acceptance.high, acceptance.low))
    return VoteInterval(value=round(value, 9), low=round(low, 9), high=round(high, 9), n=acceptance.n)


def measure_differences(
    votes: Sequence[Vote], plan: CampaignPlan, bootstrap: Bootstrap
) -> list[SourceDifference]:
    """Return the paired differences of all sources, prompt by prompt, adjusted together by Holm."""
    shares: dict[str, dict[str, list[float]]] = {name: defaultdict(list) for name in plan.sources}
    clusters = {}
    for vote in votes:
        answer = vote.answers[0]
        clusters[answer.prompt] = answer.cluster
        shares[answer.source][answer.prompt].append(float(is_acceptable(vote, plan)))
    found: dict[tuple[str, str], Difference] = {}
    for one, other in itertools.combinations(plan.sources, 2):
        if both := [prompt for prompt in shares[one] if prompt in shares[other]]:
            names = [clusters[prompt] for prompt in both]
            after, before = (
                Items.of([sum(given := shares[name][prompt]) / len(given) for prompt in both], clusters=names)
                for name in (one, other)
            )
            found[one, other] = paired_bootstrap(after, before, bootstrap)
    adjusted = holm_adjust([one.p for one in found.values()]) if found else []
    return [
        SourceDifference(
            source=one, against=other, difference=interval_of(change), p=round(change.p, DIGITS),
            p_holm=round(p, DIGITS), detectable=round(change.detectable, DIGITS),
        )
        for ((one, other), change), p in zip(found.items(), adjusted, strict=True)
    ]  # fmt: skip
