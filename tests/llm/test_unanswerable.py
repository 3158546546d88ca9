from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest

from alif.errors import ReplyError
from alif.llm import unanswerable
from alif.llm.provider_error import ProviderError
from alif.llm.unanswerable import EndpointWatch, Suspect

REFUSED = ProviderError("400", may_be_billed=False, stop=ReplyError("refused"), words=" (too long)")
CRASHED = ProviderError("500", may_be_billed=False)


def failing(error: ProviderError | None) -> Callable[[], Awaitable[str]]:
    async def send() -> str:
        if error:
            raise error
        return "yes"

    return send


def outcome(
    watch: EndpointWatch, suspect: Suspect, error: ProviderError, greeting: ProviderError | None, *,
    known: bool = False,
) -> str:  # fmt: skip
    """Send once: "set aside", "retried" or "stopped"."""

    async def greet() -> str:
        sent_at = time.monotonic()
        answer = await failing(greeting)()
        watch.record_answer("greeting", sent_at)
        return answer

    try:
        answer = asyncio.run(suspect.attempt(failing(error), greet, lambda: known, 0.0))
    except ProviderError as raised:
        return "stopped" if raised.stop else "retried"
    return "set aside" if answer is None else answer


@pytest.mark.parametrize(("error", "tries"), [(REFUSED, 2), (CRASHED, 4)])
def test_a_prompt_that_fails_while_another_is_answered_is_set_aside(error: ProviderError, tries: int) -> None:
    watch = EndpointWatch()
    with watch.asking("good"), watch.asking("bad") as suspect:
        found = [outcome(watch, suspect, error, None)]
        while found[-1] == "retried" and len(found) < 9:
            watch.record_answer("good", time.monotonic())
            found.append(outcome(watch, suspect, error, None))
    assert found == ["retried"] * (tries - 1) + ["set aside"]
    assert suspect.reason == f"{error.reason}{error.words}"
    assert not watch.asked | watch.failing


@pytest.mark.parametrize("greeting", [REFUSED, CRASHED])
def test_a_teacher_that_answers_nobody_is_at_fault_itself(greeting: ProviderError) -> None:
    watch = EndpointWatch()
    with watch.asking("bad") as suspect:
        found = [outcome(watch, suspect, greeting, greeting) for _ in range(9)]
    assert set(found) == {"stopped" if greeting.stop else "retried"}


def test_a_teacher_that_answers_a_greeting_and_no_prompt_is_at_fault_itself() -> None:
    watch = EndpointWatch()
    with watch.asking("bad") as one, watch.asking("worse") as other:
        assert outcome(watch, one, REFUSED, None) == "retried"
        assert outcome(watch, one, REFUSED, None) == "retried", "the other may be answered"
        assert outcome(watch, other, REFUSED, None) == "retried"
        assert outcome(watch, one, REFUSED, None) == "stopped"


def test_the_last_prompts_are_set_aside_where_the_model_has_answered_before() -> None:
    watch = EndpointWatch()
    with watch.asking("bad") as suspect:
        assert [outcome(watch, suspect, REFUSED, None, known=True) for _ in range(2)] == [
            "retried",
            "set aside",
        ]
    watch = EndpointWatch(answers=5)
    with watch.asking("bad") as suspect:
        assert [outcome(watch, suspect, REFUSED, None) for _ in range(2)] == ["retried", "set aside"]
    watch = EndpointWatch()
    many = [str(number) for number in range(unanswerable.FEW + 1)]
    watch.asked.update(many)
    watch.failing.update(many)
    with watch.asking("bad") as suspect:
        assert [outcome(watch, suspect, REFUSED, None, known=True) for _ in range(2)] == [
            "retried",
            "stopped",
        ]


def test_a_teacher_that_stops_answering_prompts_in_the_middle_loses_a_few_and_no_more() -> None:
    watch, found = EndpointWatch(answers=100), []
    for number in range(20):
        with watch.asking(str(number)) as suspect:
            found.append([outcome(watch, suspect, REFUSED, None) for _ in range(2)][-1])
    assert found == ["set aside"] * 16 + ["stopped"] * 4


@pytest.mark.parametrize(
    "error",
    [
        ProviderError("429", may_be_billed=False, rate_limited=True),
        ProviderError("no connection", may_be_billed=False, unreachable=True),
        ProviderError("500", may_be_billed=False, wait_s=1.0),
        ProviderError("503", may_be_billed=False),
        ProviderError("401", may_be_billed=False, stop=ReplyError("key")),
        ProviderError("404", may_be_billed=False, stop=ReplyError("model")),
        ProviderError("302", may_be_billed=False, stop=ReplyError("redirected")),
    ],
    ids=lambda error: error.reason,
)
def test_what_is_never_about_one_prompt_sets_none_aside(error: ProviderError) -> None:
    watch = EndpointWatch()
    with watch.asking("good"), watch.asking("bad") as suspect:
        for _ in range(9):
            watch.record_answer("good", time.monotonic())
            assert outcome(watch, suspect, error, None) == ("stopped" if error.stop else "retried")
    assert suspect.failures == 0


def test_a_greeting_that_is_refused_speaks_for_all_for_a_while() -> None:
    watch, asked = EndpointWatch(), 0

    async def greet() -> None:
        nonlocal asked
        asked += 1
        raise CRASHED

    async def scene() -> None:
        for again_s in (60.0, 60.0, 0.0):
            assert await watch.greet(greet, time.monotonic(), again_s) is CRASHED

    asyncio.run(scene())
    assert asked == 2
