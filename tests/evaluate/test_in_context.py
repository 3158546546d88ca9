"""In-context probe: a stage that no longer learns from examples is named, and none that still does."""

from __future__ import annotations

import pytest

from alif.evaluate.compare import MetricValues
from alif.evaluate.in_context import find_collapses
from alif.evaluate.stats import Bootstrap, Items

BOOTSTRAP = Bootstrap(300, 1)


def values(bits: float, none: float, many: float, shots: int = 8) -> list[MetricValues]:
    """Return held-out text and a benchmark of 100 items with 0 and `shots` examples."""

    def share(name: str, right: float, shots: int) -> MetricValues:
        items = Items.of([float(number < 100 * right) for number in range(100)])
        return MetricValues(name, "number", "ur", items, "s", share=True, shots=shots)

    text = MetricValues("heldout", "bits_per_byte", "ur", Items.of([bits] * 4), "s", lower_is_better=True)
    return [text, share("mgsm", none, 0), share(f"mgsm/{shots}-shot", many, shots)]


def test_a_stage_that_lost_what_examples_give_while_its_text_improved_is_named() -> None:
    found = find_collapses(
        {
            "base": values(1.0, 0.1, 0.45),
            "pretrain": values(0.8, 0.1, 0.1),
            "finetune": values(0.8, 0.1, 0.4),
        },
        ["base", "pretrain", "finetune"],
        BOOTSTRAP,
    )
    (one,) = found
    assert (one.stage, one.benchmark, one.shots) == ("pretrain", "mgsm", 8)
    assert (one.base_gain, one.gain) == (pytest.approx(0.35), 0.0)
    assert one.sentence.startswith(
        "pretrain no longer learns from examples: 8 of them raise number of mgsm by 0.000"
    )


@pytest.mark.parametrize(
    ("base", "stage"),
    [
        (values(1.0, 0.1, 0.1), values(0.8, 0.1, 0.1)),  # the base gains nothing either
        (values(1.0, 0.1, 0.45), values(1.1, 0.1, 0.1)),  # its text got worse too: perplexity shows it
        (values(1.0, 0.1, 0.45), values(0.8, 0.3, 0.6)),  # better throughout
    ],
)
def test_nothing_is_said_where_nothing_collapsed(base: list[MetricValues], stage: list[MetricValues]) -> None:
    assert find_collapses({"base": base, "pretrain": stage}, ["base", "pretrain"], BOOTSTRAP) == []


def test_no_stage_is_no_finding() -> None:
    assert find_collapses({}, [], BOOTSTRAP) == []
    assert find_collapses({"base": values(1.0, 0.1, 0.4)}, ["base"], BOOTSTRAP) == []
