from __future__ import annotations

from collections.abc import Callable

import pytest

from alif.errors import DataError
from alif.models.batch_list import cancel, listed
from alif.models.scripted import Habits, serve
from alif.runs import Given

from .conftest import FAST, echo
from .test_batch import TEXTS, WANTED, account, at, both, left_waiting, replies, states

Build = Callable[..., Given]


@both
def test_a_batch_is_listed_cancelled_and_what_it_has_done_is_kept(given: Build, protocol: str) -> None:
    step = given(batch=True)
    with serve(echo, habits=Habits(looks=10**6)) as server:
        teachers = {"gpt": at(server, protocol)}
        left_waiting(step, server, teachers["gpt"], TEXTS)
        (row,) = listed(step, teachers, FAST)
        assert (row["state"], row["size"], row["teacher"], row["step"]) == ("in_progress", 40, "gpt", "generate")
        with pytest.raises(DataError, match="no batch other is under way") as caught:
            cancel(step, teachers, "other", FAST)
        assert row["id"] in caught.value.hint
        ended = cancel(step, teachers, row["id"], FAST)
        assert (ended["state"], ended["done"]) == ("cancelled", 20)
        assert account(step).replies == 20
        assert account(step).unsettled_usd == 0.0, "what a cancelled batch left undone is not on the bill"
        answers = replies(given(), teachers["gpt"], TEXTS)
        assert [answer.text for answer in answers] == WANTED
        assert sum(answer.stored for answer in answers) == 20, "the rest is asked live"
    assert len(server.served) == 40
    (row,) = listed(step, teachers, FAST)
    assert (row["state"], row["done"]) == ("cancelled", 20), "what it brought, not what was asked live after it"


def test_a_batch_that_nobody_knows_any_more_is_given_up_at_its_upper_bound(given: Build) -> None:
    step = given(batch=True)
    with serve(echo, habits=Habits(looks=10**6)) as server:
        teachers = {"gpt": at(server)}
        left_waiting(step, server, teachers["gpt"], TEXTS)
        held = account(step).usd
        server.batches.held.clear()
        assert [one["state"] for one in listed(step, teachers, FAST)] == ["unknown to the provider"]
        assert cancel(step, teachers, "batch_0", FAST)["state"] == "gone"
    assert states(step) == [("gone", 40)]
    assert account(step).unsettled_usd == pytest.approx(held)


def test_a_run_without_batches_lists_none_and_makes_no_ledger(given: Build) -> None:
    step = given()
    assert listed(step, {}) == []
    assert not step.ledger.exists()
