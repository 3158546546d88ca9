from __future__ import annotations

from collections.abc import Callable

import pytest

from alif.errors import DataError
from alif.llm.batch.batch_status import cancel_batch, list_batches
from alif.runs import StepContext
from tests.fake_provider import BatchFaults, serve_provider
from tests.llm.batch.test_batch_client import TEXTS, WANTED, account, at, both, left_waiting, replies, states
from tests.llm.conftest import FAST, echo

Build = Callable[..., StepContext]


@both
def test_a_batch_is_listed_cancelled_and_what_it_has_done_is_kept(context: Build, protocol: str) -> None:
    step = context(batch=True)
    with serve_provider(echo, habits=BatchFaults(looks=10**6)) as server:
        teachers = {"gpt": at(server, protocol)}
        left_waiting(step, server, teachers["gpt"], TEXTS)
        (row,) = list_batches(step, teachers, FAST)
        assert (row["state"], row["size"], row["teacher"], row["step"]) == (
            "in_progress",
            40,
            "gpt",
            "generate",
        )
        with pytest.raises(DataError, match="no batch other is under way") as caught:
            cancel_batch(step, teachers, "other", FAST)
        assert row["id"] in caught.value.hint
        ended = cancel_batch(step, teachers, row["id"], FAST)
        assert (ended["state"], ended["done"]) == ("cancelled", 20)
        assert account(step).replies == 20
        assert account(step).unsettled_usd == 0.0, "what a cancelled batch left undone is not on the bill"
        answers = replies(context(), teachers["gpt"], TEXTS)
        assert [answer.text for answer in answers] == WANTED
        assert sum(answer.stored for answer in answers) == 20, "the rest is asked live"
    assert len(server.served) == 40
    (row,) = list_batches(step, teachers, FAST)
    assert (row["state"], row["done"]) == ("cancelled", 20), (
        "what it brought, not what was asked live after it"
    )


def test_a_batch_that_nobody_knows_any_more_is_given_up_at_its_upper_bound(context: Build) -> None:
    step = context(batch=True)
    with serve_provider(echo, habits=BatchFaults(looks=10**6)) as server:
        teachers = {"gpt": at(server)}
        left_waiting(step, server, teachers["gpt"], TEXTS)
        held = account(step).usd
        server.batches.held.clear()
        assert [one["state"] for one in list_batches(step, teachers, FAST)] == ["unknown to the provider"]
        assert cancel_batch(step, teachers, "batch_0", FAST)["state"] == "gone"
    assert states(step) == [("gone", 40)]
    assert account(step).unsettled_usd == pytest.approx(held)


def test_a_run_without_batches_lists_none_and_makes_no_ledger(context: Build) -> None:
    step = context()
    assert list_batches(step, {}) == []
    assert not step.ledger.exists()
