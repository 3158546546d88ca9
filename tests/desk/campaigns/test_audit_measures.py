"""Numbers of an audit by hand and by the functions that they come from."""

from __future__ import annotations

import pytest

from alif.desk.campaigns.audit_measures import measure_differences, measure_sources
from alif.desk.campaigns.campaign_plan import CampaignPlan
from alif.desk.campaigns.judgement import Judgement
from alif.desk.campaigns.votes import JudgedAnswer, Vote
from alif.evaluate.stats import Bootstrap, Items, wilson_interval

BOOTSTRAP = Bootstrap(400, 3407)


def plan_of(**more: object) -> CampaignPlan:
    kept = {"kind": "audit", "name": "x", "title": "عنوان", "sources": ["good", "poor"], "n": 20, "bar": 0.5}
    return CampaignPlan.model_validate(kept | more)


def answer(source: str, number: int, cluster: str = "", usd: float | None = 0.01) -> JudgedAnswer:
    texts = {"instruction": "", "input": "", "output": ""}
    return JudgedAnswer(source, f"p{number}", cluster or f"p{number}", "ur", "qa", texts, 0, usd)


def vote(source: str, number: int, grade: str, cluster: str = "", **more: object) -> Vote:
    said = Judgement.model_validate({"grade": grade, **more})
    return Vote("vote", (answer(source, number, cluster),), "J1", said)


def votes_of(good: int, poor: int, n: int = 40, share: int = 1) -> list[Vote]:
    """`good` and `poor` of n answers are acceptable; `share` prompts are one cluster."""
    return [
        vote(source, number, "accept" if number < count else "major", f"c{number // share}")
        for source, count in (("good", good), ("poor", poor))
        for number in range(n)
    ]


def test_acceptance_is_wilsons_and_clusters_make_it_wider() -> None:
    answers = [answer(source, number) for source in ("good", "poor") for number in range(40)]
    good, poor = measure_sources(votes_of(32, 8), answers, plan_of(), BOOTSTRAP)
    wanted = wilson_interval(Items.of([1.0] * 32 + [0.0] * 8))
    assert good.acceptance is not None
    assert (good.acceptance.value, good.acceptance.low) == pytest.approx((0.8, wanted.low), abs=1e-6)
    assert (good.reaches_bar, poor.reaches_bar) == ("yes", "no")
    assert good.grades == {"accept": 32, "minor": 0, "major": 8, "unusable": 0}
    clustered = measure_sources(votes_of(32, 8, share=4), answers, plan_of(), BOOTSTRAP)[0].acceptance
    assert clustered is not None
    assert clustered.low < good.acceptance.low
    assert clustered.value == good.acceptance.value
    assert (
        measure_sources(votes_of(32, 8), answers, plan_of(bar=0.75), BOOTSTRAP)[0].reaches_bar
        == "cannot tell"
    )


def test_the_plan_says_whether_small_faults_are_acceptable() -> None:
    votes = [vote("good", number, "minor") for number in range(10)]
    for primary, share in (("accept", 0.0), ("accept_or_minor", 1.0)):
        found = measure_sources(votes, [], plan_of(primary=primary), BOOTSTRAP)[0].acceptance
        assert found is not None
        assert found.value == share


def test_ratings_leave_out_what_does_not_apply_and_flags_are_shares() -> None:
    votes = [
        vote(
            "good",
            number,
            "accept",
            ratings={"language": 4 + number % 2, "fact": None},
            flags=["fact"][: number % 2],
        )
        for number in range(20)
    ]
    found = measure_sources(votes, [], plan_of(), BOOTSTRAP)[0]
    assert found.ratings["language"] is not None
    assert found.ratings["language"].value == 4.5
    assert (found.ratings["fact"], found.ratings["culture"]) == (None, None)
    assert found.flags["fact"].value == 0.5
    assert found.flags["grammar"].value == 0.0


def test_the_price_of_an_accepted_row_is_unknown_rather_than_nothing() -> None:
    answers = [answer("good", number) for number in range(40)]
    found = measure_sources(votes_of(32, 0), answers, plan_of(), BOOTSTRAP)
    assert found[0].usd_per_row == 0.01
    price = found[0].usd_per_accepted_row
    assert price is not None
    assert price.value == pytest.approx(0.01 / 0.8)
    assert price.low < price.value < price.high
    assert found[1].usd_per_accepted_row is None  # nothing was accepted
    unknown = [*answers[1:], answer("good", 99, usd=None)]
    assert measure_sources(votes_of(32, 0), unknown, plan_of(), BOOTSTRAP)[0].usd_per_row is None


def test_differences_are_paired_by_prompt_and_adjusted_together() -> None:
    (found,) = measure_differences(votes_of(32, 8), plan_of(), BOOTSTRAP)
    assert found.difference.value == pytest.approx(0.6)
    assert found.difference.low > 0.4
    assert found.p == found.p_holm < 0.01
    three = [*votes_of(20, 20), *(vote("third", number, "accept") for number in range(40))]
    several = measure_differences(three, plan_of(sources=["good", "poor", "third"]), BOOTSTRAP)
    assert len(several) == 3
    assert all(one.p_holm >= one.p for one in several)
    assert several[0].difference.value == 0.0
    assert several[0].p == 1.0
    assert measure_differences([], plan_of(), BOOTSTRAP) == []
