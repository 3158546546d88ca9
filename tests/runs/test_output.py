"""Rows are counted where they are read, and each must be accounted for."""

from __future__ import annotations

import pytest

from alif import runs, store
from alif.facts import NoFacts
from alif.records import Dropped
from alif.runs import Run, Step, StepContext
from tests.runs.conftest import Threshold, recipe


def test_rows_that_are_unaccounted_for_are_a_bug(run: Run) -> None:
    def lose(context: StepContext) -> NoFacts:
        for threshold in context.output.read((0.1, 0.2, 0.3)):
            if threshold < 0.2:
                context.output.keep(Threshold(threshold=threshold))
        return NoFacts()

    with pytest.raises(RuntimeError, match=r"3 rows read, but 1 kept \+ 0 dropped \+ 0 not sampled = 1"):
        runs.run_step(Step("first", lose, ""), recipe(), run)
    assert not run.folder("first").exists()


def test_rows_are_counted_where_they_are_read(run: Run) -> None:
    def sample(context: StepContext) -> NoFacts:
        output = context.output
        for number in output.read(range(10)):
            if number < 3:
                output.keep(Threshold(threshold=number))
            elif number < 5:
                output.drop(Dropped(raw=str(number), reason="too_short", evidence="0 words"))
            else:
                output.not_sampled(f"numbers.txt:{number}")
        return NoFacts()

    runs.run_step(Step("first", sample, ""), recipe(), run)
    found = run.state("first")
    assert (found["rows_in"], found["kept"], found["dropped"], found["not_sampled"]) == (
        10,
        3,
        {"too_short": 2},
        5,
    )
    left = [row["id"] for _, row in store.read_rows(run.folder("first") / "not_sampled.jsonl")]
    assert left == [f"numbers.txt:{number}" for number in range(5, 10)]
