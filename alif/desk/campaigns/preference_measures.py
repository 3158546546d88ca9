"""What a comparison found: how often each model won, and what else may have moved the judges."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from alif.desk.campaigns.audit_measures import VoteInterval, interval_of
from alif.desk.campaigns.campaign_plan import CampaignPlan
from alif.desk.campaigns.votes import JudgedAnswer, Vote
from alif.evaluate.bradley_terry import PairedVote, measure_strengths
from alif.evaluate.paired_tests import holm_adjust, sign_flip_test
from alif.evaluate.stats import Bootstrap, Items, bootstrap_interval, wilson_interval
from alif.evaluate.win_rate import AnswerStyle, PairwiseVerdict, control_win_rate, measure_style
from alif.language.pack import Pack
from alif.records import FrozenModel

__all__ = ["ComparedPair", "Preferences", "list_preferences", "measure_preferences", "winner_of"]


class ComparedPair(FrozenModel):
    """Two sources against each other; a tie counts half for each."""

    source: str
    against: str
    votes: int
    wins: int
    losses: int
    equal: int
    bad: int
    """Both bad."""
    share: VoteInterval
    """Of the source, clustered by prompt."""
    share_by_judge: VoteInterval | None
    """The same value, clustered by judge; None with one judge."""
    p: float
    """Two-sided, of a half."""
    p_holm: float
    controlled: VoteInterval | None
    """The share between answers of equal length and style, both sides alike."""
    by_task: Mapping[str, VoteInterval]


class Preferences(FrozenModel):
    """What all votes say."""

    pairs: tuple[ComparedPair, ...]
    right_share: VoteInterval | None
    """Of the decisive votes, how many the answer on the right won."""
    longer_share: VoteInterval | None
    """Of the decisive votes on answers of different length, how many the longer one won."""
    consistency: VoteInterval | None
    """Of the pairs that one judge saw twice, swapped: how often the same was said."""
    strengths: Mapping[str, VoteInterval]
    """Bradley and Terry's, of three sources or more, in log-odds around 0."""


def winner_of(vote: Vote) -> str:
    """Return the source that won, "" where neither did."""
    return {"left": vote.answers[0].source, "right": vote.answers[-1].source}.get(
        vote.judgement.side or "", ""
    )


def measure_preferences(
    votes: Sequence[Vote], plan: CampaignPlan, packs: Mapping[str, Pack | None], bootstrap: Bootstrap
) -> Preferences:
    """Return the measures of all pairs and of what else moved the judges."""
    first = [vote for vote in votes if vote.kind == "vote"]
    decisive = [vote for vote in first if winner_of(vote)]
    longer = []
    for vote in decisive:
        left, right = (style.words for style in _styles(vote, packs))
        if left != right:
            longer.append((vote, float((vote.judgement.side == "left") == (left > right))))
    pairs = []
    for source, against in plan.contrasts:
        of_pair = [vote for vote in first if {one.source for one in vote.answers} == {source, against}]
        if of_pair:
            pairs.append(_compare(of_pair, source, against, packs, bootstrap))
    adjusted = holm_adjust([one.p for one in pairs]) if pairs else []
    return Preferences(
        pairs=tuple(
            one.model_copy(update={"p_holm": round(p, 6)}) for one, p in zip(pairs, adjusted, strict=True)
        ),
        right_share=_share([(vote, float(vote.judgement.side == "right")) for vote in decisive]),
        longer_share=_share(longer),
        consistency=_share(list(_repeat_pairs(votes))),
        strengths=_rank(first, plan, bootstrap) if len(plan.sources) > 2 and first else {},
    )


def _share(said: Sequence[tuple[Vote, float]]) -> VoteInterval | None:
    clusters = [vote.answers[0].cluster for vote, _ in said]
    values = [value for _, value in said]
    return interval_of(wilson_interval(Items.of(values, clusters=clusters))) if said else None


def _styles(vote: Vote, packs: Mapping[str, Pack | None]) -> list[AnswerStyle]:
    found = []
    for one in vote.answers:
        pack = packs.get(one.language) or next(pack for pack in packs.values() if pack)
        found.append(measure_style(one.texts["output"], pack))
    return found


def _interval_in_bounds(items: Items, bootstrap: Bootstrap) -> VoteInterval:
    varies = bool(items.residuals().any())  # else a bootstrap knows no more than one value
    found = interval_of(bootstrap_interval(items, bootstrap) if varies else wilson_interval(items))
    return found.model_copy(update={"low": max(0.0, found.low), "high": min(1.0, found.high)})


def _outcome(vote: Vote, source: str) -> float:
    winner = winner_of(vote)
    return 0.5 if not winner else float(winner == source)


def _compare(
    votes: Sequence[Vote], source: str, against: str, packs: Mapping[str, Pack | None], bootstrap: Bootstrap
) -> ComparedPair:
    outcomes = [_outcome(vote, source) for vote in votes]
    clusters = [vote.answers[0].cluster for vote in votes]
    judges = [vote.judge for vote in votes]
    by_prompt, by_judge = (Items.of(outcomes, clusters=names) for names in (clusters, judges))
    from_half = Items.of([one - 0.5 for one in outcomes], clusters=clusters)
    shown = []
    for vote, outcome in zip(votes, outcomes, strict=True):
        own_first = vote.answers[0].source == source
        own, other = _styles(vote, packs)[:: 1 if own_first else -1]
        shown.append(PairwiseVerdict(vote.answers[0].cluster, own_first, outcome, own, other))
    even = None
    if found := control_win_rate(shown):
        even = VoteInterval(value=found.value, low=found.low, high=found.high, n=found.prompts)
    sides = Counter(vote.judgement.side for vote in votes)
    by_task: dict[str, list[int]] = defaultdict(list)
    for place, vote in enumerate(votes):
        by_task[vote.answers[0].task].append(place)

    def share(places: Sequence[int]) -> VoteInterval:
        kept = np.isin(np.arange(len(votes)), places)
        return _interval_in_bounds(by_prompt.select(kept), bootstrap)

    return ComparedPair(
        source=source,
        against=against,
        votes=len(votes),
        wins=outcomes.count(1.0),
        losses=outcomes.count(0.0),
        equal=sides["equal"],
        bad=sides["bad"],
        share=share(range(len(votes))),
        share_by_judge=_interval_in_bounds(by_judge, bootstrap) if len(set(judges)) > 1 else None,
        p=round(sign_flip_test(from_half, bootstrap), 6),
        p_holm=1.0,
        controlled=even,
        by_task={task: share(places) for task, places in sorted(by_task.items())},
    )


def _repeat_pairs(votes: Sequence[Vote]) -> Iterator[tuple[Vote, float]]:
    """Yield each pair that somebody saw a second time, and whether they said the same."""

    def card(vote: Vote) -> tuple[str, str, frozenset[str]]:
        return vote.judge, vote.answers[0].prompt, frozenset(one.source for one in vote.answers)

    def said(vote: Vote) -> str:
        return winner_of(vote) or str(vote.judgement.side)

    before = {card(vote): said(vote) for vote in votes if vote.kind == "vote"}
    for vote in votes:
        if vote.kind == "repeat" and card(vote) in before:
            yield vote, float(said(vote) == before[card(vote)])


def _rank(votes: Sequence[Vote], plan: CampaignPlan, bootstrap: Bootstrap) -> dict[str, VoteInterval]:
    places = {name: place for place, name in enumerate(plan.sources)}
    paired = []
    for vote in votes:
        one, other = (answer.source for answer in vote.answers)
        paired.append(PairedVote(places[one], places[other], _outcome(vote, one), vote.answers[0].cluster))
    found = measure_strengths(paired, len(places), bootstrap)
    return {name: interval_of(one) for name, one in zip(places, found, strict=True)}


def list_preferences(votes: Sequence[Vote]) -> Iterator[dict[str, str]]:
    """Yield pairs of answers, the preferred one as output, in a shape that the step `pairs` reads.

    One line for each pair of answers on which one has more votes than the other; a tie is no preference.
    """
    by_card: dict[frozenset[tuple[str, str]], list[Vote]] = defaultdict(list)
    for vote in votes:
        if vote.kind == "vote":
            by_card[frozenset((one.prompt, one.source) for one in vote.answers)].append(vote)
    for of_card in by_card.values():
        won = Counter(filter(None, map(winner_of, of_card)))
        best: dict[str, JudgedAnswer] = {one.source: one for one in of_card[0].answers}
        ranked = sorted(best, key=lambda name: -won[name])
        chosen, rejected = (best[name] for name in ranked)
        if won[chosen.source] > won[rejected.source] and chosen.texts["output"] != rejected.texts["output"]:
            yield {**chosen.texts, "rejected": rejected.texts["output"], "language": chosen.language}
