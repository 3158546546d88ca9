"""Simulated coverage of every interval of the evaluation, and the win rate that a biased judge gives equals.

    python benchmarks/interval_coverage.py            writes benchmarks/results/statistics.json

Each population has a known truth: an interval of 95 % must cover it in at least 93 % of the samples, and from
100 items on in at most 97 %. Wilson's coverage is summed over the binomial distribution, the others are
sampled. The script is not called statistics.py because that would hide Python's own module from the scripts
beside it. The biased judge is that of the evaluation notes: two equal systems and 300 prompts, and it prefers
what is shown first and what is longer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import measure
import numpy as np
from scipy.stats import binom

from alif.evaluate.agreement import JudgeRates, correct_rate
from alif.evaluate.paired_tests import paired_bootstrap, paired_share
from alif.evaluate.stats import Bootstrap, Estimate, Items, bootstrap_interval, wilson_interval
from alif.evaluate.win_rate import AnswerStyle, PairwiseVerdict, control_win_rate

RESAMPLES = 500
Random = np.random.Generator
Floats = np.ndarray[Any, np.dtype[np.float64]]
Draw = Callable[[Random, int], Floats]
Sample = Callable[[Random, int], Estimate | None]
"""sample(random, seed of the bootstrap) → the interval of one simulated evaluation."""

POPULATIONS: dict[str, tuple[Draw, float]] = {
    "normal": (lambda random, n: random.normal(2, 0.5, n), 2.0),
    "bits per byte, log-normal 0.6": (lambda random, n: random.lognormal(0, 0.6, n), math.exp(0.18)),
    "chrF++, beta 1.2 and 4": (lambda random, n: random.beta(1.2, 4, n), 1.2 / 5.2),
    "token F1, 60 % zeros and 16 % ones": (
        lambda random, n: np.where(
            random.random(n) < 0.6, 0, np.where(random.random(n) < 0.4, 1, random.beta(2, 2, n))
        ),
        0.4 * (0.4 + 0.6 * 0.5),
    ),
}  # fmt: skip


def shares(
    random: Random, clusters: int, each: int, share: float, together: float
) -> tuple[Floats, list[str]]:
    """Draw 0s and 1s; items of a cluster copy its own draw with the chance `together`."""
    own = np.repeat(random.random(clusters) < share, each)
    alone = random.random(clusters * each) < share
    copied = random.random(clusters * each) < math.sqrt(together)  # two items correlate by `together`
    names = [str(number) for number in np.repeat(np.arange(clusters), each)]
    return np.where(copied, own, alone).astype(float), names


def simulations() -> Iterator[tuple[str, str, int, float, Sample]]:
    """Yield (interval, population, items, truth, sample)."""
    for n in (20, 50, 100, 400):
        for name, (draw, truth) in POPULATIONS.items():

            def mean(random: Random, seed: int, draw: Draw = draw, n: int = n) -> Estimate:
                return bootstrap_interval(Items.of(draw(random, n).tolist()), Bootstrap(RESAMPLES, seed))

            def change(random: Random, seed: int, draw: Draw = draw, n: int = n) -> Estimate:
                before = draw(random, n)
                after = before + 0.1 * draw(random, n)
                one, other = Items.of(after.tolist()), Items.of(before.tolist())
                return paired_bootstrap(one, other, Bootstrap(RESAMPLES, seed))

            yield "bootstrap", name, n, truth, mean
            yield "paired bootstrap", name, n, 0.1 * truth, change
    for n, gained, lost in ((30, 0.15, 0.05), (100, 0.15, 0.05), (100, 0.05, 0.05), (400, 0.06, 0.04)):

        def share(
            random: Random, seed: int, n: int = n, gained: float = gained, lost: float = lost
        ) -> Estimate:
            kinds = random.choice(3, size=n, p=[gained, lost, 1 - gained - lost])
            after, before = (Items.of((kinds == kind).astype(float).tolist()) for kind in (0, 1))
            return paired_share(after, before, Bootstrap(20, seed))

        yield "paired share", f"{gained:.0%} gained, {lost:.0%} lost", n, gained - lost, share
    for clusters, each, wanted in ((20, 5, 0.7), (40, 5, 0.9), (100, 4, 0.5)):
        about, n = f"{clusters} passages of {each}, correlation 0.5", clusters * each

        def clustered(
            random: Random, seed: int, clusters: int = clusters, each: int = each, wanted: float = wanted
        ) -> Estimate:
            values, names = shares(random, clusters, each, wanted, 0.5)
            return wilson_interval(Items.of(values.tolist(), clusters=names))

        def clustered_mean(random: Random, seed: int, clusters: int = clusters, each: int = each) -> Estimate:
            values = np.repeat(random.lognormal(0, 0.5, clusters), each) + random.lognormal(
                0, 0.5, clusters * each
            )
            names = [str(number) for number in np.repeat(np.arange(clusters), each)]
            return bootstrap_interval(Items.of(values.tolist(), clusters=names), Bootstrap(RESAMPLES, seed))

        def clustered_change(
            random: Random, seed: int, clusters: int = clusters, each: int = each, wanted: float = wanted
        ) -> Estimate:
            after, names = shares(random, clusters, each, wanted, 0.5)
            before, _ = shares(random, clusters, each, wanted - 0.1, 0.5)
            pair = (Items.of(values.tolist(), clusters=names) for values in (after, before))
            return paired_share(*pair, Bootstrap(20, seed))

        yield "clustered Wilson", f"{about}, {wanted:.0%} right", n, wanted, clustered
        yield "clustered bootstrap", f"{about}, log-normal", n, 2 * math.exp(0.125), clustered_mean
        yield "clustered paired share", f"{about}, 10 points", n, 0.1, clustered_change
    for n, people, truth, good, bad in (
        (300, 100, 0.5, 0.9, 0.7), (300, 200, 0.8, 0.9, 0.9),
        (1000, 200, 0.5, 0.95, 0.5), (300, 200, 0.95, 0.9, 0.9),
    ):  # fmt: skip

        def corrected(
            random: Random, seed: int, n: int = n, people: int = people, truth: float = truth,
            good: float = good, bad: float = bad,
        ) -> Estimate | None:  # fmt: skip
            labelled = int(random.binomial(people, truth))
            right, refused = random.binomial(labelled, good), random.binomial(people - labelled, bad)
            rates = JudgeRates(labelled, int(right), people - labelled, int(refused))
            return correct_rate(int(random.binomial(n, truth * good + (1 - truth) * (1 - bad))), n, rates)

        about = f"sensitivity {good}, specificity {bad}, {people} labelled, truth {truth:.0%}"
        yield "corrected judge rate", about, n, truth, corrected


def wilson_coverage() -> Iterator[dict[str, Any]]:
    """Yield the exact coverage of Wilson's interval."""
    for n in (20, 100, 250, 1000):
        for share in (0.5, 0.7, 0.9, 0.97):
            found = [wilson_interval(Items.of([1.0] * hits + [0.0] * (n - hits))) for hits in range(n + 1)]
            covers = sum(
                binom.pmf(hits, n, share) for hits, one in enumerate(found) if one.low <= share <= one.high
            )
            yield row("Wilson", f"{share:.0%} right", n, float(covers))


def row(interval: str, population: str, n: int, covers: float) -> dict[str, Any]:
    """Return one row of the result."""
    return {"interval": interval, "population": population, "n": n, "covers": round(covers, 4)}


def biased_verdicts(random: Random, prompts: int, better: float) -> list[PairwiseVerdict]:
    """Return the verdicts of a judge that prefers the first and the longer answer; ours is a fifth longer."""
    found = []
    for prompt in range(prompts):
        own, other = (AnswerStyle(int(90 * random.lognormal(shift, 0.4))) for shift in (0.18, 0.0))
        taste = better + 0.3 * random.normal() + 1.9 * math.log((own.words + 1) / (other.words + 1))
        for first in (True, False):
            odds = taste + (0.6 if first else -0.6)
            won = float(random.random() < 1 / (1 + math.exp(-odds)))
            found.append(PairwiseVerdict(str(prompt), first, won, own, other))
    return found


def win_rates(runs: int, better: float) -> dict[str, float]:
    """Return the mean win rate by each way of counting, and how often the controlled interval covers."""
    random = np.random.default_rng(9)
    one, both, controlled, hits = [], [], [], 0
    taste = np.random.default_rng(10).normal(size=1_000_000)
    truth = float(np.mean(1 / (1 + np.exp(-better - 0.3 * taste))))
    for _ in range(runs):
        verdicts = biased_verdicts(random, 300, better)
        one.append(np.mean([verdict.outcome for verdict in verdicts if verdict.own_first]))
        found = control_win_rate(verdicts)
        assert found is not None
        both.append(found.raw)
        controlled.append(found.value)
        hits += found.low <= truth <= found.high
    means = {"one_order": one, "both_orders": both, "controlled": controlled}
    return {
        "truth": round(100 * truth, 2),
        **{name: round(100 * float(np.mean(values)), 2) for name, values in means.items()},
        "controlled_interval_covers": round(hits / runs, 4),
    }


def main() -> None:
    """Simulate everything and write the result."""
    parser = measure.arguments(__doc__, "statistics")
    parser.add_argument("--runs", type=int, default=2000, help="simulated samples of each population")
    options = parser.parse_args()
    coverage = list(wilson_coverage())
    for interval, population, n, truth, sample in simulations():
        random = np.random.default_rng(n)
        found = [sample(random, seed) for seed in range(options.runs)]
        hits = sum(one is not None and one.low <= truth <= one.high for one in found)
        coverage.append(row(interval, population, n, hits / options.runs))
        print(coverage[-1], flush=True)
    outside = [one for one in coverage if one["covers"] < 0.93 or (one["n"] >= 100 and one["covers"] > 0.97)]
    measured = {
        "level": 0.95,
        "runs": options.runs,
        "resamples": RESAMPLES,
        "coverage": coverage,
        "outside_93_to_97": outside,
        "win_rate_of_equal_models": win_rates(max(50, options.runs // 5), 0.0),
        "win_rate_of_a_better_model": win_rates(max(50, options.runs // 5), 0.41),
    }
    measure.write(options.json, measure.result("statistics", measured, ("alif-llm", "numpy", "scipy")))
    print(outside, measured["win_rate_of_equal_models"], measured["win_rate_of_a_better_model"])


if __name__ == "__main__":
    main()
