"""A rehearsal sends real requests, whose replies the run then finds stored, and gives an honest range."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from alif import store
from alif.data.pilot import pilot_run, ping
from alif.data.pilot.estimate import FALLS_TO, CostSample, estimate_cost
from alif.data.synthesis import generate
from alif.data.translation import translate
from alif.errors import BudgetError, DataError, ReplyError
from alif.llm.chat_model import ScriptedReply
from alif.llm.ledger import Ledger
from alif.runs import StepContext
from alif.settings import Recipe
from tests.data.conftest import LANGUAGE, run_work
from tests.fake_provider import InjectedFaults, serve_provider

Build = Callable[..., StepContext]
TEACHER = {
    "model": "scripted",
    "base_url": "scripted",
    "max_tokens": 2048,
    "usd_per_million_in": 1.0,
    "usd_per_million_out": 2.0,
}


def made(**tables: Any) -> Recipe:
    tables = {
        "generate": {"target_rows": 70, "requests_per_round": 8, "rows_per_request": 6},
        "translate": {"rows": 10},
    } | tables
    return Recipe.model_validate(
        {"name": "run", "language": LANGUAGE.model_dump(), "teacher": {"gpt": TEACHER}, **tables}
    )


def account(context: StepContext, step: str | None = None) -> Any:
    ledger = Ledger(context.ledger)
    found = ledger.account(context.run, step)
    ledger.close()
    return found


def test_a_rehearsal_is_part_of_the_run_and_nothing_is_paid_twice(context: Build) -> None:
    cooked, step = made(), context("rehearse")
    found = pilot_run.run_pilot(step, cooked, 15)
    assert (found["requests"], found["stored"]) == (15, 0)
    assert found["spent_usd"] == pytest.approx(account(step).usd)
    again = pilot_run.run_pilot(step, cooked, 15)
    assert (again["requests"], again["stored"]) == (15, 15)
    assert again["hours"] == found["hours"], "how long a stored reply took is remembered"
    before = account(step)
    assert (before.requests, before.attempts) == (15, 15)

    run = context("generate")
    run = replace(run, inputs={"seeds": step.scratch / "seeds"})
    run_work(
        generate.generate,
        run,
        language=LANGUAGE,
        sources=cooked.sources,
        teacher=cooked.teacher,
        generate=cooked.generate,
        pool=cooked.pool,
    )
    asked = {row["request"] for _, row in store.read_rows(run.folder / "requests.jsonl")}
    ledger = Ledger(step.ledger)
    rehearsed = {
        request for (request,) in ledger.db.execute("SELECT request FROM replies ORDER BY attempt LIMIT 12")
    }
    ledger.close()
    assert rehearsed <= asked, "every request of the rehearsal is one of the run"
    assert account(step, "generate").attempts == len(asked)
    assert run.output.cost_usd == pytest.approx(account(step, "generate").usd), "and its cost is the step's"
    low, high = found["generate"]["usd"]["low"], found["generate"]["usd"]["high"]
    assert low * 0.8 <= run.output.cost_usd <= high
    translated = context("translate")
    tables = (LANGUAGE, cooked.sources, cooked.teacher, cooked.translate)
    run_work(translate.translate_rows, translated, *tables)
    assert account(step, "translate").attempts == 10


def test_batches_are_cheaper_and_take_no_hours(context: Build) -> None:
    step = context("rehearse")
    alone = pilot_run.run_pilot(step, made(), 10)
    batched = pilot_run.run_pilot(step, made(runtime={"batch": True}), 10)
    assert batched["stored"] == 10, "a rehearsal is live, whatever the run is"
    assert batched["usd"]["high"] == pytest.approx(alone["usd"]["high"] / 2, rel=0.02)
    assert (batched["hours"], batched["in_batches"]) == (None, True)


def test_what_a_round_waits_for_in_batches_is_told() -> None:
    batched = made(
        generate={"target_rows": 1000, "requests_per_round": 10},
        translate={"rows": 0},
        runtime={"batch": True},
    )
    assert estimate_cost([sample(5)] * 10, batched)["waits"] == {"low": 5, "high": 10}, (
        "200 to 400 requests, forty at a time"
    )
    assert estimate_cost([sample(0)] * 10, batched)["waits"] is None
    assert estimate_cost([sample(5)] * 10, made())["waits"] is None


def test_a_revised_request_takes_as_long_as_all_its_turns(
    context: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    cooked = made(
        generate={"target_rows": 70, "requests_per_round": 8, "rows_per_request": 5, "revise_share": 1.0},
        translate={"rows": 0},
    )
    taken: list[CostSample] = []
    monkeypatch.setattr(pilot_run, "estimate_cost", lambda samples, recipe: taken.extend(samples) or {})
    step = context("rehearse")
    pilot_run.run_pilot(step, cooked, 4)
    clock = store.read_json(step.scratch / "seconds.json")
    assert len(clock) == 12, "three turns each"
    assert sum(one.seconds or 0.0 for one in taken) == pytest.approx(sum(clock.values()))


def test_the_cap_holds_and_a_recipe_that_asks_nobody_is_a_sentence(context: Build) -> None:
    with pytest.raises(BudgetError):
        pilot_run.run_pilot(context("rehearse", max_cost_usd=0.00001), made(), 10)
    with pytest.raises(DataError, match="asks its teachers nothing"):
        pilot_run.run_pilot(
            context("rehearse", run="other"), made(generate={"target_rows": 0}, translate={"rows": 0}), 10
        )


def sample(accepted: int, usd: float = 0.01, seconds: float | None = 2.0) -> CostSample:
    return CostSample("generate", accepted, usd, usd, 600, 400, seconds, False)


def test_the_range() -> None:
    cooked = made(
        generate={"target_rows": 1000, "requests_per_round": 10},
        translate={"rows": 0},
        runtime={"max_concurrency": 5},
    )
    even = estimate_cost([sample(5)] * 10, cooked)
    assert even["tokens_per_accepted"] == 200
    assert even["generate"]["requests"] == {"low": 200, "high": 200 / FALLS_TO}
    assert even["usd"] == {"low": 2.0, "high": 4.0}
    assert even["hours"]["low"] == pytest.approx(200 * 2 / 5 / 3600, rel=0.01)
    assert even["hours"]["high"] == pytest.approx(40 * 2 * 2 / 3600, rel=0.01)
    uneven = estimate_cost([sample(0), sample(10)] * 5, cooked)
    assert uneven["usd"]["low"] < even["usd"]["low"]
    assert uneven["usd"]["high"] > even["usd"]["high"]
    nothing = estimate_cost([sample(0)] * 3, cooked)
    assert (nothing["usd"], nothing["hours"], nothing["tokens_per_accepted"]) == (None, None, None)
    assert estimate_cost([sample(5, seconds=None)], cooked)["hours"] is None


@pytest.mark.parametrize(
    ("chaos", "said"),
    [
        (InjectedFaults(error=1.0, attempts=10**9), "(last: 500: the server had an error)"),
        (InjectedFaults(hung=1.0), "for 0.4 s (last: timeout)"),
    ],
)
def test_a_proof_has_less_patience_than_a_run(
    context: Build, monkeypatch: pytest.MonkeyPatch, chaos: InjectedFaults, said: str
) -> None:
    assert ping.RETRY.give_up_s <= ping.TIMEOUT_S <= 120
    monkeypatch.setattr(ping, "RETRY", replace(ping.RETRY, give_up_s=0.2, first_wait_s=0.01))
    monkeypatch.setattr(ping, "TIMEOUT_S", 0.4)
    with serve_provider(lambda messages, draw: ScriptedReply(text="yes"), chaos) as server:
        teacher = {"model": "near", "base_url": server.address}
        (found,) = ping.ping_endpoints(context("check", timeout_s=1800.0), made(teacher={"near": teacher}))
    assert "has not answered a request for" in found["message"]
    assert said in found["message"]


def test_a_teacher_is_proved_by_a_fresh_reply_each_time(
    context: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    step = context("check")
    with serve_provider(lambda messages, draw: ScriptedReply(text="yes indeed")) as server:
        near = {
            "model": "near",
            "base_url": server.address,
            "usd_per_million_in": 1.0,
            "usd_per_million_out": 1.0,
        }
        far = {"model": "far", "usd_per_million_in": 1.0, "usd_per_million_out": 1.0}
        cooked = made(teacher={"near": near, "far": far, "demo": TEACHER})
        for _ in range(2):
            here, there, demo = ping.ping_endpoints(step, cooked)
    assert len(server.served) == 2
    assert {served.tokens_out for served in server.served} == {3}
    assert (here["answered_by"], demo["answered_by"]) == ("near", "scripted")
    assert here["usd"] > 0
    assert "OPENAI_API_KEY is not set" in there["message"]
    assert account(step).replies == 4
    assert account(step).usd > 0


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (ScriptedReply(text=""), "1 of 1 replies are empty, finish: stop"),
        (ScriptedReply(text="", finish="length"), "1 of 1 replies are empty, finish: length"),
        (ScriptedReply(text="<think>They want a yes.</think>"), "1 of 1 replies are empty, finish: stop"),
    ],
)
def test_an_answer_without_a_word_proves_nothing(context: Build, reply: ScriptedReply, said: str) -> None:
    with serve_provider(lambda messages, draw: reply) as server:
        teacher = {"near": {"model": "near", "base_url": server.address}}
        (found,) = ping.ping_endpoints(context("check"), made(teacher=teacher))
        assert found["message"] == f"teacher.near: {said}"
        assert found["answered_by"] == "near"
        with pytest.raises(ReplyError, match="replies are empty"):
            pilot_run.run_pilot(context("rehearse"), made(teacher=teacher), 4)
