"""Whether a judge can be believed: against people, against the other judges, against what is counted.

people's verdicts         kappa, AC1, sensitivity, specificity, corrected share of wins    Calibration
judges among each other   Krippendorff's alpha, Cohen's kappa                              JudgesAgreement
ranks of the systems      Kendall's tau and Spearman's rho with each metric                RankAgreement

Source: calibration by people, Pariksha, arXiv 2406.15053; corrected rates, Lee et al., arXiv 2511.21140.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from scipy.stats import kendalltau, spearmanr

from alif import store
from alif.errors import DataError
from alif.evaluate.agreement import calibrate_rates, cohen_kappa, correct_rate, gwet_ac1, krippendorff_alpha
from alif.evaluate.compare import DIGITS
from alif.evaluate.judge_measures import LOSS, TIE, WIN, Verdicts, vote
from alif.evaluate.judge_requests import Pair
from alif.facts.judge_facts import (
    PANEL,
    Calibration,
    HumanVerdict,
    JudgedPair,
    JudgesAgreement,
    JudgeTrust,
    RankAgreement,
    RateInterval,
)
from alif.records import Score

__all__ = [
    "Labels", "assess_judges", "calibrate_judges", "describe_status", "flatten_verdicts", "measure_agreement",
    "rank_systems", "read_people", "unite_people",
]  # fmt: skip

LEAST_KAPPA = 0.4
"""Agreement with people from which on a judge may rank. Source: "moderate", Landis & Koch 1977."""
LEAST_PAIRS = 100
"""Pairs of answers that people and the judge have read. Source: 100 and more a language, arXiv 2406.15053."""
LABELS = 3
"""Win, loss and tie."""
LOWER_IS_BETTER = ("bits_per_byte", "answer_bits_per_byte")
Labels = Mapping[tuple[Pair, str], float]
"""By pair and question: 1 the later system wins, 0 it loses, 0.5 a tie."""


def read_people(paths: Mapping[str, Path], pairs: Sequence[Pair]) -> tuple[dict[str, Labels], int]:
    """Return people's verdicts on the pairs that are judged, by annotator, and how many are on others.

    Raises:
        DataError: a row is no verdict, or one person has given two on the same answers.
    """
    found: dict[str, dict[tuple[Pair, str], float]] = defaultdict(dict)
    values, unused = {"a": WIN, "b": LOSS, "tie": TIE}, 0
    for path in (path for label, path in paths.items() if label.startswith("human/")):
        for row in store.read_models(path, HumanVerdict):
            own, value = found[row.annotator], values[row.verdict]
            pair = (row.a, row.b)
            if pair not in pairs:
                pair, value = (row.b, row.a), WIN - value
            if (pair, row.id) in own:
                hint = "Keep one of them, or name the annotators."
                raise DataError(f"{path}: two verdicts of {row.annotator or 'a person'} on {row.id}", hint)
            if pair in pairs:
                own[pair, row.id] = value
            unused += pair not in pairs
    return {name: labels for name, labels in found.items() if labels}, unused


def assess_judges(verdicts: Verdicts, people: Mapping[str, Labels], unused: int) -> JudgeTrust:
    """Return what says whether the judges can be believed; `unused` people's verdicts are on other pairs."""
    labels = flatten_verdicts(verdicts)
    calibration, annotators = calibrate_judges(labels, unite_people(people)), measure_agreement(people)
    calibrated, status = describe_status(calibration, annotators)
    return JudgeTrust(
        calibrated=calibrated,
        status=status,
        calibration=tuple(calibration),
        agreement=measure_agreement({name: one for name, one in labels.items() if name != PANEL}),
        people=annotators,
        human=sum(map(len, people.values())) + unused,
        human_unused=unused,
    )


def unite_people(people: Mapping[str, Labels]) -> Labels:
    """Return the verdict of more than half of the annotators on each pair of answers, else a tie."""
    items = dict.fromkeys(item for labels in people.values() for item in labels)
    return {item: vote([labels[item] for labels in people.values() if item in labels]) for item in items}


def flatten_verdicts(verdicts: Verdicts) -> dict[str, Labels]:
    """Return each judge's verdicts as labels; answers that are the same are left out."""
    return {
        judge: {
            (pair, id): one.value
            for pair, found in judged.items()
            for id, one in found.items()
            if not one.equal
        }
        for judge, judged in verdicts.items()
    }


def measure_agreement(raters: Mapping[str, Labels]) -> JudgesAgreement | None:
    """Return how far raters agree on what at least two of them have read; None with fewer than two."""
    if len(raters) < 2:
        return None
    items = dict.fromkeys(item for labels in raters.values() for item in labels)
    shared = [item for item in items if sum(item in labels for labels in raters.values()) > 1]
    kappa = {}
    for (one, own), (other, their) in itertools.combinations(raters.items(), 2):
        both = [item for item in shared if item in own and item in their]
        found = cohen_kappa([own[item] for item in both], [their[item] for item in both]) if both else None
        kappa[f"{one}, {other}"] = _round(found)
    alpha = krippendorff_alpha([[labels.get(item) for item in shared] for labels in raters.values()])
    return JudgesAgreement(n=len(shared), alpha=_round(alpha), kappa=kappa)


def calibrate_judges(judges: Mapping[str, Labels], people: Labels) -> list[Calibration]:
    """Return each judge against people, on the pairs of answers that both have read."""
    found = []
    for judge, labels in judges.items():
        both = [item for item in labels if item in people]
        if not both:
            continue
        own, theirs = [labels[item] for item in both], [people[item] for item in both]
        rates = calibrate_rates([one == WIN for one in theirs], [one == WIN for one in own])
        corrected = {}
        for pair in dict.fromkeys(pair for pair, _ in labels):
            wins = [value == WIN for (one, _), value in labels.items() if one == pair]
            rate = correct_rate(sum(wins), len(wins), rates)
            if rate:
                ends = {name: round(getattr(rate, name), DIGITS) for name in ("value", "low", "high")}
                corrected[f"{pair[0]} against {pair[1]}"] = RateInterval(**ends)
        found.append(
            Calibration(
                judge=judge,
                n=len(both),
                kappa=_round(cohen_kappa(own, theirs)),
                ac1=_round(gwet_ac1(own, theirs, LABELS)),
                sensitivity=_round(rates.sensitivity) if rates.good else None,
                specificity=_round(rates.specificity) if rates.bad else None,
                corrected=corrected,
            )
        )
    return found


def describe_status(calibration: Sequence[Calibration], people: JudgesAgreement | None) -> tuple[bool, str]:
    """Return whether the systems may be ranked by these verdicts, and what to say of it."""
    if not calibration:
        return False, "Uncalibrated, do not rank: no person has read the same answers."
    best = next((one for one in calibration if one.judge == PANEL), calibration[0])
    told = f"kappa {best.kappa:.2f}" if best.kappa is not None else "one verdict throughout, no kappa"
    told = f"{best.judge} against people on {best.n} pairs of answers: {told}"
    between = (
        max((kappa for kappa in people.kappa.values() if kappa is not None), default=None) if people else None
    )
    if between is not None:
        told += f"; people among each other: {between:.2f}"
    if best.n < LEAST_PAIRS:
        return False, f"Uncalibrated, do not rank: {told}; at least {LEAST_PAIRS} are needed."
    if best.kappa is None or best.kappa < LEAST_KAPPA:
        return False, f"Do not rank: {told}, below {LEAST_KAPPA}."
    return True, f"Calibrated: {told}."


def rank_systems(pairs: Iterable[JudgedPair], scores: Iterable[Score], language: str) -> list[RankAgreement]:
    """Return how each judge's ranking of the systems agrees with that of each metric of the language.

    A judge ranks by the win rate against the system that most others are compared with, which has 0.5.
    """
    rates: dict[str, dict[str, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
    for pair in pairs:
        if rate := pair.controlled or pair.both_orders:
            rates[pair.judge][pair.against][pair.stage] = rate.value
    values: dict[str, dict[str, float]] = defaultdict(dict)
    for score in scores:
        whole = score.benchmark in ("test", "heldout", "answers") and not score.wording and not score.shots
        if whole and score.language == language:
            sign = -1 if score.metric in LOWER_IS_BETTER else 1
            values[f"{score.benchmark} {score.metric}"][score.stage] = sign * score.value
    found = []
    for judge, by_anchor in rates.items():
        anchor, ranked = max(by_anchor.items(), key=lambda item: len(item[1]))
        ranked = {anchor: TIE, **ranked}
        for metric, measured in values.items():
            both = [name for name in ranked if name in measured]
            one, other = [ranked[name] for name in both], [measured[name] for name in both]
            varies = len(set(one)) > 1 and len(set(other)) > 1
            found.append(
                RankAgreement(
                    judge=judge,
                    metric=metric,
                    n=len(both),
                    kendall=_round(float(kendalltau(one, other).statistic)) if varies else None,
                    spearman=_round(float(spearmanr(one, other).statistic)) if varies else None,
                )
            )
    return found


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)
