from __future__ import annotations

import pytest

from alif.formatting import format_duration, format_usd


@pytest.mark.parametrize(
    ("usd", "told"),
    [
        (0, "$0"), (0.0000031, "$0.0000031"), (0.00077512, "$0.000775"), (0.0123, "$0.0123"), (0.02, "$0.02"),
        (0.09999, "$0.10"), (0.125, "$0.125"), (0.5, "$0.50"), (0.99999, "$1.00"), (3.5, "$3.50"),
        (1234.5, "$1,234.50"), (1e6, "$1,000,000.00"),
    ],
)  # fmt: skip
def test_money_is_told_with_the_figures_that_it_needs(usd: float, told: str) -> None:
    assert format_usd(usd) == told


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0.42, "0.4 s"), (59.9, "59.9 s"), (59.97, "1 min"), (119.6, "2 min"), (200, "3 min 20 s"),
        (605, "10 min 05 s"), (3600, "1 h"), (7500, "2 h 05 min"), (90_000, "25 h"),
    ],
)  # fmt: skip
def test_a_time_is_told_as_people_say_it(seconds: float, told: str) -> None:
    assert format_duration(seconds) == told
