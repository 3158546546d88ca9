"""The funnel: sums that agree whichever way they are told, and money per accepted row."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from alif.data.synthesis.funnel import Funnel
from alif.llm import Reply
from alif.records import FUNNEL_GROUPS

KEYS = st.tuples(
    st.sampled_from(["qa", "ethics"]), st.sampled_from(["gpt", "own"]), st.sampled_from(["plain", "reverse"])
)
OUTCOMES = st.lists(st.sampled_from(["", "", "near_duplicate", "truncated"]), max_size=6)


def reply(usd: float) -> Reply:
    return Reply(text="", finish="stop", model="m", request="r", tokens_in=3, tokens_out=2, cost_usd=usd)


@given(st.lists(st.tuples(KEYS, OUTCOMES, st.sampled_from([0.0, 0.25, 0.5]))))
def test_every_way_to_tell_it_has_the_same_sums(
    asked: list[tuple[tuple[str, str, str], list[str], float]],
) -> None:
    funnel = Funnel()
    for key, outcomes, usd in asked:
        funnel.add(key, reply(usd), len(outcomes) - outcomes.count("truncated"), outcomes)
    found = funnel.facts(["qa", "ethics"])
    whole = found.whole
    assert whole.requests == len(asked)
    assert (
        whole.pieces == whole.accepted + sum(whole.dropped.values()) == sum(len(out) for _, out, _ in asked)
    )
    assert whole.parsed == whole.pieces - whole.dropped.get("truncated", 0)
    for group in FUNNEL_GROUPS:
        for key in ("requests", "pieces", "parsed", "accepted", "tokens_in", "tokens_out", "usd"):
            assert sum(getattr(sums, key) for sums in getattr(found, group).values()) == getattr(
                whole, key
            ), (group, key)


def test_the_price_of_an_accepted_row_counts_what_was_paid_for_the_others() -> None:
    funnel = Funnel()
    funnel.add(("qa", "gpt", "plain"), reply(0.5), 2, ["", "near_duplicate"])
    funnel.add(("qa", "gpt", "plain"), reply(0.25), 0, ["truncated"])
    funnel.add(("ethics", "own", "plain"), reply(0.25), 0, ["truncated"])
    found = funnel.facts(["ethics", "qa"])
    assert found.teachers["gpt"].usd_per_accepted == 0.75
    assert found.teachers["own"].usd_per_accepted is None
    assert found.whole.usd_per_accepted == 1.0
    assert list(found.tasks) == ["ethics", "qa"], "in the pack's order"
    assert list(found.teachers) == ["gpt", "own"], "the one that wrote most first"
