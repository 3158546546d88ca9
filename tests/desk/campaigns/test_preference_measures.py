"""Votes on pairs: wins, ties, sides, length, consistency; what is a preference and what is none."""

from __future__ import annotations

import random

import pytest

from alif.desk.campaigns.campaign_plan import CampaignPlan
from alif.desk.campaigns.judgement import Judgement
from alif.desk.campaigns.preference_measures import list_preferences, measure_preferences, winner_of
from alif.desk.campaigns.votes import JudgedAnswer, Vote
from alif.evaluate.stats import Bootstrap
from alif.language.pack import load_pack

BOOTSTRAP = Bootstrap(400, 3407)
PACKS = {"ur": load_pack("ur")}
PLAN = CampaignPlan.model_validate(
    {"kind": "ab", "name": "x", "title": "عنوان", "sources": ["one", "two"], "n": 100}
)


def vote(
    number: int,
    side: str,
    *,
    swapped: bool = False,
    kind: str = "vote",
    judge: str = "J1",
    longer: str = "one",
) -> Vote:
    answers = []
    for name in ("one", "two"):
        output = f"{name} {'لفظ ' * (6 if name == longer else 3)}"
        texts = {"instruction": f"سوال {number}", "input": "", "output": output}
        answers.append(JudgedAnswer(name, f"p{number}", f"p{number}", "ur", "qa", texts, 0, None))
    return Vote(
        kind, tuple(answers[:: -1 if swapped else 1]), judge, Judgement.model_validate({"side": side})
    )


def test_a_winner_is_who_stands_on_the_side_that_won() -> None:
    assert winner_of(vote(1, "left")) == winner_of(vote(1, "right", swapped=True)) == "one"
    assert winner_of(vote(1, "equal")) == winner_of(vote(1, "bad")) == ""


def test_wins_ties_and_both_bad_make_the_share() -> None:
    sides = ["left"] * 50 + ["right"] * 20 + ["equal"] * 20 + ["bad"] * 10
    found = measure_preferences([vote(n, side) for n, side in enumerate(sides)], PLAN, PACKS, BOOTSTRAP)
    (pair,) = found.pairs
    assert (pair.wins, pair.losses, pair.equal, pair.bad) == (50, 20, 20, 10)
    assert pair.share.value == pytest.approx(0.65)
    assert 0.5 < pair.share.low < 0.65 < pair.share.high
    assert pair.p == pair.p_holm < 0.01
    assert pair.share_by_judge is None
    assert found.right_share is not None
    assert found.right_share.value == pytest.approx(20 / 70)
    assert found.longer_share is not None
    assert found.longer_share.value == pytest.approx(50 / 70)
    assert found.consistency is None


def test_who_always_takes_the_right_hand_side_prefers_no_model() -> None:
    votes = [vote(number, "right", swapped=number % 2 == 0) for number in range(60)]
    found = measure_preferences(votes, PLAN, PACKS, BOOTSTRAP)
    assert found.pairs[0].share.low < 0.5 < found.pairs[0].share.high
    assert found.right_share is not None
    assert found.right_share.low > 0.9
    assert found.right_share.value == 1.0


def test_a_better_model_still_wins_where_length_is_taken_out() -> None:
    rng = random.Random(1)
    votes = []
    for number in range(120):
        swapped = rng.random() < 0.5
        wins = rng.random() < 0.75
        longer = rng.choice(("one", "two"))
        votes.append(vote(number, "left" if wins != swapped else "right", swapped=swapped, longer=longer))
    pair = measure_preferences(votes, PLAN, PACKS, BOOTSTRAP).pairs[0]
    assert pair.controlled is not None
    assert pair.controlled.low > 0.5
    assert pair.controlled.value == pytest.approx(0.75, abs=0.1)


def test_consistency_compares_a_judge_with_the_same_judge_before() -> None:
    votes = [vote(number, "left") for number in range(10)]
    same = [vote(number, "right", swapped=True, kind="repeat") for number in range(6)]
    other = [vote(number, "left", swapped=True, kind="repeat") for number in range(6, 9)]
    elsewhere = [vote(9, "left", kind="repeat", judge="J2")]
    found = measure_preferences([*votes, *same, *other, *elsewhere], PLAN, PACKS, BOOTSTRAP)
    assert found.consistency is not None
    assert (found.consistency.value, found.consistency.n) == (pytest.approx(6 / 9), 9)
    assert found.pairs[0].votes == 10


def test_several_judges_have_an_interval_by_judge() -> None:
    votes = [vote(n, "left" if (n + j) % 3 else "right", judge=f"J{j}") for n in range(30) for j in range(4)]
    pair = measure_preferences(votes, PLAN, PACKS, BOOTSTRAP).pairs[0]
    assert pair.share_by_judge is not None
    assert pair.share_by_judge.value == pytest.approx(pair.share.value)


def test_preferences_are_majorities_and_ties_are_none() -> None:
    votes = [
        vote(1, "left"), vote(1, "right", swapped=True, judge="J2"), vote(1, "right", judge="J3"),
        vote(2, "left"), vote(2, "right", judge="J2"),
        vote(3, "equal"), vote(4, "bad"),
        vote(5, "left", kind="repeat"),
        vote(6, "right"),
    ]  # fmt: skip
    found = list(list_preferences(votes))
    assert [(one["instruction"], one["output"][:3], one["rejected"][:3]) for one in found] == [
        ("سوال 1", "one", "two"),
        ("سوال 6", "two", "one"),
    ]
