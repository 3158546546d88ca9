"""Which judgements are asked for, and of whom."""

from __future__ import annotations

import pytest

from alif.errors import RecipeError
from alif.evaluate.judge_requests import PlannedCall, judge_endpoints, list_pairs, plan_calls
from alif.llm import Reply
from alif.settings import Judge
from tests.evaluate.test_judge import row


def reply(text: str, finish: str = "stop") -> Reply:
    return Reply(text=text, finish=finish, model="m", request="r", tokens_in=1, tokens_out=1, cost_usd=0.0)


def test_without_pairs_every_system_is_compared_with_the_base() -> None:
    assert list_pairs((), ["base", "pretrain", "qalb"]) == [("pretrain", "base"), ("qalb", "base")]
    assert list_pairs([("qalb", "pretrain")] * 2, ["base", "pretrain", "qalb"]) == [("qalb", "pretrain")]
    with pytest.raises(RecipeError, match="no answers of qalb") as refused:
        list_pairs([("qalb", "base")], ["base", "finetune"])
    assert refused.value.hint == "Systems: base, finetune."


def test_both_orders_are_planned_and_equal_answers_are_not() -> None:
    rows = [row(1, {"a": "x", "b": "y"}, ("p", "q", "r")), row(2, {"a": "x", "b": "x"})]
    planned = plan_calls(rows, [("a", "b")], ["one", "two"], rubric=True)
    assert [(call.judge, call.row.id, call.a, call.b, call.points) for call in planned[:4]] == [
        ("one", "q001", "a", "b", 0),
        ("one", "q001", "b", "a", 0),
        ("one", "q001", "a", "", 3),
        ("one", "q001", "b", "", 3),
    ]
    assert len(planned) == 8
    assert len(plan_calls(rows, [("a", "b")], ["one"], rubric=False)) == 2


def test_a_reply_is_a_judgement_or_says_why_not() -> None:
    call = PlannedCall("j", row(1, {"a": "x", "b": "y"}), "a", "b")
    assert call.read(reply("Verdict: B")).verdict == "B"
    assert call.read(reply("Verdict: B", "length")).failure == "cut_off"
    assert call.read(reply("", "unanswered: 400")).failure == "unanswered"
    prose = call.read(reply("B, of course."), "cut_off")
    assert (prose.failure, prose.first_failure, prose.reason) == ("unparsable", "cut_off", "B, of course.")
    points = PlannedCall("j", row(1, {"a": "x"}, ("p", "q")), "a")
    assert points.read(reply("1: yes\n2: no")).points == (True, False)
    assert points.read(reply("Verdict: A")).failure == "unparsable"


def test_a_judge_is_an_endpoint_and_its_own_fields_win() -> None:
    judges = {
        "plain": Judge(model="m", max_tokens=99),
        "json": Judge(model="m", json_schema=True),
        "own": Judge(model="m", json_schema=True, extra={"response_format": {"type": "json_object"}}),
    }
    found = judge_endpoints(judges)
    assert (found["plain"].temperature, found["plain"].max_tokens, found["plain"].extra) == (0.0, 99, {})
    assert dict(found["json"].extra)["response_format"]["type"] == "json_schema"  # type: ignore[index, call-overload]
    assert found["own"].extra == {"response_format": {"type": "json_object"}}
