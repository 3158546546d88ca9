"""What the judgements say: win rates by judge and pair, position and length bias, rubric shares, the panel.

A question counts for a pair where a judge has a verdict in both orders. Where these contradict each other, it
is a tie and counted as inconsistent. The panel's verdict is that of more than half of the judges, else a tie.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from alif.evaluate.compare import DIGITS
from alif.evaluate.judge_prompts import cut_text
from alif.evaluate.judge_requests import Pair
from alif.evaluate.stats import Bootstrap, Estimate, Items, bootstrap_interval
from alif.evaluate.win_rate import (
    AnswerStyle,
    ControlledWinRate,
    PairwiseVerdict,
    control_win_rate,
    measure_style,
)
from alif.facts.evaluation_facts import AnswerRow
from alif.facts.judge_facts import PANEL, JudgedCall, JudgedPair, PanelOrder, RateInterval, RubricScore
from alif.language.pack import Pack

__all__ = [
    "JudgedQuestion", "Verdicts", "collect_verdicts", "first_share", "interval_of", "measure_pair",
    "measure_styles", "position_consistency", "rank_panels", "score_rubrics", "vote",
]  # fmt: skip

WIN, TIE, LOSS = 1.0, 0.5, 0.0


@dataclass(frozen=True)
class JudgedQuestion:
    """A judge's verdicts on one pair of answers: 1 the later system wins, 0 it loses, 0.5 a tie."""

    shown_first: float
    """When the later system's answer is shown first."""
    shown_second: float
    equal: bool = False
    """Whether the answers are the same, so that nobody was asked."""

    @property
    def is_consistent(self) -> bool:
        return self.shown_first == self.shown_second

    @property
    def value(self) -> float:
        return self.shown_first if self.is_consistent else TIE


Verdicts = Mapping[str, Mapping[Pair, Mapping[str, JudgedQuestion]]]
"""By judge, pair and question; a question without a verdict in both orders is not in it."""
Styles = Mapping[tuple[str, str], AnswerStyle]
"""By question and system."""


def collect_verdicts(
    rows: Sequence[AnswerRow], calls: Iterable[JudgedCall], judges: Sequence[str], pairs: Sequence[Pair]
) -> Verdicts:
    """Return the verdicts of every judge and, of several, of their panel."""
    values = {"A": WIN, "B": LOSS, "tie": TIE}
    heard = {(c.judge, c.id, c.a, c.b): values[c.verdict] for c in calls if c.verdict}
    found: dict[str, dict[Pair, dict[str, JudgedQuestion]]] = {}
    for judge in judges:
        found[judge] = {pair: {} for pair in pairs}
        for row in rows:
            for stage, against in pairs:
                first, second = (
                    heard.get((judge, row.id, *shown)) for shown in ((stage, against), (against, stage))
                )
                if row.answers[stage] == row.answers[against]:
                    found[judge][stage, against][row.id] = JudgedQuestion(TIE, TIE, equal=True)
                elif first is not None and second is not None:
                    found[judge][stage, against][row.id] = JudgedQuestion(first, WIN - second)
    if len(judges) > 1:
        found[PANEL] = {pair: _find_majority([found[judge][pair] for judge in judges]) for pair in pairs}
    return found


def _find_majority(judges: Sequence[Mapping[str, JudgedQuestion]]) -> dict[str, JudgedQuestion]:
    """Return the majority's verdict on each question that any judge has one on."""
    found = {}
    for id in dict.fromkeys(id for one in judges for id in one):
        given = [one[id] for one in judges if id in one]
        winner = vote([one.value for one in given])
        found[id] = JudgedQuestion(winner, winner, equal=given[0].equal)
    return found


def rank_panels(verdicts: Verdicts, pairs: Sequence[Pair]) -> list[PanelOrder]:
    """Return the order of the systems by the whole panel, and by the panel without each of its judges.

    Where one judge decides the order, the panel says no more than that judge.
    """
    judges = [name for name in verdicts if name != PANEL]
    anchor = Counter(against for _, against in pairs).most_common(1)[0][0] if pairs else ""
    found: list[PanelOrder] = []
    for left_out in ("", *judges) if len(judges) > 1 else ():
        kept = [verdicts[judge] for judge in judges if judge != left_out]
        rates = {anchor: TIE}
        for pair in pairs:
            panel = _find_majority([judged[pair] for judged in kept])
            rate = _mean([one.value for one in panel.values()])
            if pair[1] == anchor and rate is not None:
                rates[pair[0]] = rate
        best_first = dict(sorted(rates.items(), key=lambda item: -item[1]))
        changed = bool(found) and list(best_first) != list(found[0].rates)
        found.append(PanelOrder(left_out=left_out, rates=best_first, changed=changed))
    return found


def vote(values: Sequence[float]) -> float:
    """Return the verdict that more than half have given, else a tie."""
    return next((value for value in (WIN, LOSS) if 2 * values.count(value) > len(values)), TIE)


def measure_styles(rows: Sequence[AnswerRow], pairs: Iterable[Pair], pack: Pack) -> Styles:
    """Return length and Markdown of every answer that is judged, as far as a judge is shown it."""
    systems = dict.fromkeys(name for pair in pairs for name in pair)
    return {
        (row.id, one): measure_style(cut_text(row.answers[one])[0], pack) for row in rows for one in systems
    }


def measure_pair(
    judge: str, pair: Pair, styles: Styles, questions: int, verdicts: Verdicts, bootstrap: Bootstrap
) -> JudgedPair:
    """Return the win rates of a pair by one judge; the panel's controlled one is of all judges together."""
    found = verdicts[judge][pair]
    count = Counter(one.value for one in found.values())
    asked = judge != PANEL and found  # a panel has no order
    controlled = control_win_rate(
        [
            PairwiseVerdict(id, own_first, outcome, styles[id, pair[0]], styles[id, pair[1]])
            for name in ([one for one in verdicts if one != PANEL] if judge == PANEL else [judge])
            for id, one in verdicts[name][pair].items()
            for own_first, outcome in ((True, one.shown_first), (False, one.shown_second))
        ]
    )
    return JudgedPair(
        judge=judge,
        stage=pair[0],
        against=pair[1],
        n=len(found),
        equal=sum(one.equal for one in found.values()),
        unreadable=questions - len(found),
        wins=count[WIN],
        losses=count[LOSS],
        ties=count[TIE],
        inconsistent=sum(not one.is_consistent for one in found.values()),
        shown_first=_mean([one.shown_first for one in found.values()]) if asked else None,
        shown_second=_mean([one.shown_second for one in found.values()]) if asked else None,
        both_orders=interval_of([one.value for one in found.values()], bootstrap),
        controlled=_rate(controlled) if controlled else None,
        position_slope=round(controlled.position, DIGITS) if controlled else None,
        length_slope=round(controlled.length, DIGITS) if controlled else None,
        markdown_slope=round(controlled.marks, DIGITS) if controlled else None,
    )


def position_consistency(judged: Mapping[Pair, Mapping[str, JudgedQuestion]]) -> float | None:
    """Return the share of pairs on which both orders agree, of those that the judge was asked about."""
    asked = [one for found in judged.values() for one in found.values() if not one.equal]
    return _mean([float(one.is_consistent) for one in asked])


def first_share(calls: Iterable[JudgedCall]) -> float | None:
    """Return the share of verdicts for the answer that is shown first, ties left out."""
    return _mean([float(call.verdict == "A") for call in calls if call.verdict in ("A", "B")])


def score_rubrics(calls: Iterable[JudgedCall], bootstrap: Bootstrap) -> list[RubricScore]:
    """Return the share of points that each system's answers fulfil, by judge; questions count alike."""
    shares: dict[tuple[str, str], list[float]] = defaultdict(list)
    for call in calls:
        if call.points:
            shares[call.judge, call.a].append(sum(call.points) / len(call.points))
    found = []
    for (judge, stage), values in shares.items():
        points = interval_of(values, bootstrap)
        if points:
            found.append(RubricScore(judge=judge, stage=stage, n=len(values), points=points))
    return found


def interval_of(values: Sequence[float], bootstrap: Bootstrap) -> RateInterval | None:
    """Return a mean with its bootstrap interval; None of nothing."""
    if not values:
        return None
    return _rate(bootstrap_interval(Items.of(values), bootstrap))


def _rate(found: Estimate | ControlledWinRate) -> RateInterval:
    low, high = max(found.low, 0.0), min(found.high, 1.0)
    return RateInterval(value=round(found.value, DIGITS), low=round(low, DIGITS), high=round(high, DIGITS))


def _mean(values: Sequence[float]) -> float | None:
    return round(sum(values) / len(values), DIGITS) if values else None
