"""Win rates, consistency, rubric shares and the panel, from judgements."""

from __future__ import annotations

import pytest

from alif.evaluate.judge_measures import (
    collect_verdicts,
    first_share,
    interval_of,
    measure_pair,
    measure_styles,
    position_consistency,
    rank_panels,
    score_rubrics,
    vote,
)
from alif.evaluate.stats import Bootstrap
from alif.facts.judge_facts import JudgedCall
from alif.language import pack as packs
from tests.evaluate.test_judge import row

PAIR, BOOTSTRAP = ("new", "base"), Bootstrap(200, 1)


def call(id: int, a: str, verdict: str | None, judge: str = "j") -> JudgedCall:
    b = "base" if a == "new" else "new"
    failure = "" if verdict else "unparsable"
    return JudgedCall.model_validate(
        {
            "id": f"q{id:03}",
            "task": "",
            "judge": judge,
            "a": a,
            "b": b,
            "verdict": verdict,
            "failure": failure,
        }
    )


ROWS = [row(number, {"new": f"ایک {number}", "base": "دو"}) for number in range(4)]
CALLS = [
    call(0, "new", "A"), call(0, "base", "B"),     # wins in both orders
    call(1, "new", "A"), call(1, "base", "A"),     # the first wins, whichever it is
    call(2, "new", "tie"), call(2, "base", "A"),   # a tie and a loss
    call(3, "new", "A"), call(3, "base", None),    # one order cannot be read
]  # fmt: skip


def test_orders_that_contradict_each_other_are_a_tie_and_counted() -> None:
    verdicts = collect_verdicts(ROWS, CALLS, ["j"], [PAIR])
    styles = measure_styles(ROWS, [PAIR], packs.load_pack("ur"))
    found = measure_pair("j", PAIR, styles, len(ROWS), verdicts, BOOTSTRAP)
    assert (found.n, found.unreadable, found.wins, found.losses, found.ties) == (3, 1, 1, 0, 2)
    assert (found.inconsistent, found.shown_first, found.shown_second) == (2, 0.833333, 0.333333)
    assert found.both_orders is not None
    assert found.both_orders.value == 0.666667
    assert position_consistency(verdicts["j"]) == 0.333333
    assert first_share(CALLS) == 0.833333


def test_no_verdict_is_no_rate() -> None:
    verdicts = collect_verdicts(ROWS, [], ["j"], [PAIR])
    styles = measure_styles(ROWS, [PAIR], packs.load_pack("ur"))
    found = measure_pair("j", PAIR, styles, 4, verdicts, BOOTSTRAP)
    assert (found.n, found.shown_first, found.both_orders, found.controlled) == (0, None, None, None)
    assert position_consistency(verdicts["j"]) is None
    assert first_share([]) is None
    assert interval_of([], BOOTSTRAP) is None


def test_a_panel_votes_with_those_that_have_a_verdict() -> None:
    assert [vote(values) for values in ([1, 1, 0], [1, 0], [1, 0.5], [0, 0, 0.5], [1, 0.5, 0], [1])] == [
        1.0, 0.5, 0.5, 0.0, 0.5, 1.0,
    ]  # fmt: skip
    other = [call(3, "new", "A", "k"), call(3, "base", "B", "k")]
    verdicts = collect_verdicts(ROWS, [*CALLS, *other], ["j", "k"], [PAIR])
    assert {id: one.value for id, one in verdicts["panel"][PAIR].items()} == {
        "q000": 1, "q001": 0.5, "q002": 0.5, "q003": 1,
    }  # fmt: skip


def test_the_panels_controlled_rate_is_of_all_judges_together() -> None:
    rows = [row(number, {"new": "لفظ " * (number % 7 + 1), "base": "لفظ " * 4}) for number in range(30)]
    asked = [
        call(number, a, "A" if (a == "new") == (number % 3 > 0) else "B", judge)
        for judge in ("j", "k")
        for number in range(30)
        for a in ("new", "base")
    ]
    verdicts = collect_verdicts(rows, asked, ["j", "k"], [PAIR])
    styles = measure_styles(rows, [PAIR], packs.load_pack("ur"))
    rates = [measure_pair(name, PAIR, styles, 30, verdicts, BOOTSTRAP).controlled for name in verdicts]
    one, other, together = (rate.value if rate else 0.0 for rate in rates)
    assert one == other
    assert 0.5 < one == pytest.approx(together, abs=0.02)


def test_the_panel_is_ranked_without_each_judge() -> None:
    """Two judges prefer "new" to "old" on most questions; "loud" alone turns the order of the panel."""
    answers = {"base": "ایک", "new": "دو", "old": "تین"}
    rows, pairs = [row(number, answers) for number in range(4)], [("new", "base"), ("old", "base")]
    won = {"j": {"new": 3, "old": 2}, "loud": {"new": 0, "old": 4}, "k": {"new": 3, "old": 2}}
    calls = []
    for judge, wins in won.items():
        for system, count in wins.items():
            for number in range(4):
                wins_here = number < count if judge != "k" else number >= 4 - count
                for a, b in ((system, "base"), ("base", system)):
                    verdict = "A" if wins_here == (a == system) else "B"
                    told = {"id": f"q{number:03}", "task": "", "judge": judge, "a": a, "b": b}
                    calls.append(JudgedCall.model_validate(told | {"verdict": verdict}))
    verdicts = collect_verdicts(rows, calls, list(won), pairs)
    panels = {one.left_out: one for one in rank_panels(verdicts, pairs)}
    assert [*panels] == ["", "j", "loud", "k"]
    assert list(panels[""].rates.items()) == [("old", 1.0), ("base", 0.5), ("new", 0.5)]
    assert list(panels["loud"].rates.items()) == [("new", 0.75), ("base", 0.5), ("old", 0.5)]
    assert {name for name, one in panels.items() if one.changed} == {"loud"}
    assert rank_panels(collect_verdicts(rows, calls, ["j"], pairs), pairs) == []


def test_questions_with_few_points_count_like_those_with_many() -> None:
    def marked(system: str, *points: bool) -> JudgedCall:
        return JudgedCall(id="q", task="", judge="j", a=system, points=points)

    (found,) = score_rubrics([marked("new", True, False), marked("new", True, True, True, True)], BOOTSTRAP)
    assert (found.stage, found.n, found.points.value) == ("new", 2, 0.75)
    assert (
        score_rubrics([JudgedCall(id="q", task="", judge="j", a="new", failure="cut_off")], BOOTSTRAP) == []
    )
