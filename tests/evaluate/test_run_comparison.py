"""Run against run: paired on the items that both were asked alike, one family, seeds as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alif import store
from alif.evaluate.benchmark import Benchmark, GenerationRequest, PairScores
from alif.evaluate.compare import MetricValues
from alif.evaluate.paired_tests import paired_share
from alif.evaluate.run_comparison import ITEMS, ItemValues, compare_runs, write_item_values
from alif.evaluate.stats import Bootstrap, Items
from alif.facts.evaluation_facts import BenchmarkFacts
from alif.records import Provenance

BY = Bootstrap(400, 1)
WEAK = [float(number % 3 == 0) for number in range(90)]
STRONG = [float(number % 3 == 0 or number % 2 == 0) for number in range(90)]


def benchmark(name: str = "test", digest: str = "d", form: str = "") -> Benchmark:
    provenance: Provenance = "native"
    facts = BenchmarkFacts(
        name=name, languages=("ur",), provenance=provenance, licence="", n=9, digest=digest, form=form
    )
    return Benchmark(facts, [], GenerationRequest([], "auto", 8), lambda _: PairScores([]))


def share(values: Sequence[float], benchmark: str = "test", **more: Any) -> MetricValues:
    ids = [f"q{number}" for number in range(len(values))]
    found = MetricValues(benchmark, "accepted", "ur", Items.of(values), "accepted|x", share=True, ids=ids)
    return replace(found, **more)


def write(folder: Path, *metrics: MetricValues, asked: Benchmark | None = None) -> Path:
    for one in metrics:
        write_item_values(folder / one.benchmark, asked or benchmark(one.benchmark), [one])
    return folder


def test_two_runs_are_paired_item_by_item_as_two_stages_are(tmp_path: Path) -> None:
    runs = {"a": [write(tmp_path / "a", share(WEAK))], "b": [write(tmp_path / "b", share(STRONG))]}
    (found,) = compare_runs(runs, BY)
    wanted = paired_share(Items.of(STRONG), Items.of(WEAK), BY)
    assert (found.stage, found.against, found.n, found.verdict) == ("b", "a", 90, "better")
    assert (found.difference, found.p) == (pytest.approx(wanted.value, abs=1e-6), round(wanted.p, 6))
    assert (found.low, found.high) == (
        pytest.approx(wanted.low, abs=1e-6),
        pytest.approx(wanted.high, abs=1e-6),
    )
    (mirrored,) = compare_runs({"b": runs["b"], "a": runs["a"]}, BY)
    assert (mirrored.verdict, mirrored.difference) == ("worse", -found.difference)


def test_the_page_is_one_family(tmp_path: Path) -> None:
    names = ["test", *(f"bench{number}" for number in range(3))]
    folders = {
        run: [write(tmp_path / run, *(share(values, name) for name in names))]
        for run, values in (("a", WEAK), ("b", STRONG), ("c", WEAK))
    }
    found = compare_runs(folders, BY)
    assert len(found) == 8
    assert {one.family for one in found} == {"all runs against a, the main metric of each benchmark: 8 tests"}
    sure = [one for one in found if one.stage == "b"]
    assert min(one.p_holm for one in sure) == pytest.approx(8 * sure[0].p, abs=1e-5)
    assert {one.verdict for one in found if one.stage == "c"} == {"cannot tell"}


def test_only_the_items_that_both_were_asked_count_in_any_order(tmp_path: Path) -> None:
    ids = [f"q{number}" for number in range(90)]
    later = share(STRONG[::-1][:60], ids=ids[::-1][:60])
    runs = {"a": [write(tmp_path / "a", share(WEAK))], "b": [write(tmp_path / "b", later)]}
    (found,) = compare_runs(runs, BY)
    gained = sum(STRONG[30:]) - sum(WEAK[30:])
    assert (found.n, found.difference) == (60, pytest.approx(gained / 60, abs=1e-6))


def test_groups_and_passages_stay_together(tmp_path: Path) -> None:
    passages = [str(number // 9) for number in range(90)]
    one, other = (share(values, items=Items.of(values, clusters=passages)) for values in (WEAK, STRONG))
    runs = {"a": [write(tmp_path / "a", one)], "b": [write(tmp_path / "b", other)]}
    (found,) = compare_runs(runs, BY)
    wanted = paired_share(other.items, one.items, BY)
    assert (found.p, found.low) == (round(wanted.p, 6), pytest.approx(wanted.low, abs=1e-6))


@pytest.mark.parametrize(
    ("later", "asked"),
    [
        (share(STRONG, signature="other"), None),
        (share(STRONG, ids=[f"z{number}" for number in range(90)]), None),
        (share(STRONG, items=Items.of(STRONG, sizes=[2.0] * 90)), None),
        (share(STRONG, "mgsm"), None),
        (share(STRONG), benchmark("test", digest="e", form="number")),  # ids that count rows of another file
    ],
)
def test_what_was_not_asked_alike_is_not_paired(
    tmp_path: Path, later: MetricValues, asked: Benchmark | None
) -> None:
    first = write(tmp_path / "a", share(WEAK), asked=asked and benchmark("test", form="number"))
    assert compare_runs({"a": [first], "b": [write(tmp_path / "b", later, asked=asked)]}, BY) == []
    assert compare_runs({"a": [first], "old": [tmp_path / "old"]}, BY) == []
    assert compare_runs({"a": [first]}, BY) == []


def test_seeds_stand_as_their_mean_over_each_item(tmp_path: Path) -> None:
    seeds = [write(tmp_path / name, share(values)) for name, values in (("b1", STRONG), ("b2", WEAK))]
    (found,) = compare_runs({"a": [write(tmp_path / "a", share(WEAK))], "b1, b2 (2 seeds)": seeds}, BY)
    assert (found.n, found.stage) == (90, "b1, b2 (2 seeds)")
    assert found.difference == pytest.approx((sum(STRONG) - sum(WEAK)) / 180, abs=1e-6)
    (alike,) = compare_runs({"both": seeds[:1] * 2, "one": seeds[:1]}, BY)
    assert (alike.difference, alike.verdict) == (0.0, "cannot tell")


def test_the_main_metric_of_each_language_is_kept(tmp_path: Path) -> None:
    ids = ["a", "b"]
    bits = [
        MetricValues(
            "heldout", "bits_per_byte", code, Items.of([8.0, 9.0], [2.0, 3.0], ["x", "y"]), "s", ids=ids
        )
        for code in ("ur", "en")
    ]
    part = MetricValues("heldout/x", "bits_per_byte", "ur", Items.of([8.0]), "s", ids=["a"])
    second = MetricValues("heldout", "other", "ur", Items.of([8.0, 9.0]), "s", ids=ids)
    unnamed = MetricValues("fidelity", "loops", "de", Items.of([0.0, 1.0]), "s")
    write_item_values(tmp_path, benchmark("heldout"), [bits[0], part, second, bits[1], unnamed])
    rows = [*store.read_models(tmp_path / ITEMS, ItemValues)]
    assert [(one.metric, one.language) for one in rows] == [("bits_per_byte", "ur"), ("bits_per_byte", "en")]
    assert rows[0].items.value == bits[0].items.value
    assert np.array_equal(rows[0].items.groups, [0, 1])
