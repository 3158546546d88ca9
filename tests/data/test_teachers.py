"""Teachers as they are asked for rows: with the schema of their replies where they take one."""

from __future__ import annotations

import json

import pytest

from alif.data import teachers
from alif.data.prompt_texts import load_prompt_texts
from alif.data.synthesis import seeds
from alif.data.synthesis.self_instruct import SelfInstruct
from alif.errors import RecipeError
from alif.language.pack import Pack
from alif.llm import Reply
from alif.llm.protocol import request_body
from alif.settings import Generate, Pool, Teacher

PLAIN = Teacher(model="m")
SCHEMA = Teacher(model="m", json_schema=True, extra={"top_p": 0.9})


def test_a_teacher_with_a_schema_is_sent_it_and_another_is_not(own: Pack, known: Pack) -> None:
    asked = teachers.item_endpoints({"plain": PLAIN, "schema": SCHEMA}, Generate())
    assert asked["plain"] == PLAIN
    growing = SelfInstruct(own, known, Generate(), Pool(), load_prompt_texts(), list(seeds.read_seeds(own)))
    for name, in_json in (("plain", False), ("schema", True)):
        request = growing.plan_round({name: asked[name]})[0]
        assert ("one JSON object" in request.messages[-1].content) == in_json
        body = request_body(asked[name], request.messages)
        assert ("response_format" in body) == in_json
    assert body["top_p"] == 0.9
    form = asked["schema"].extra["response_format"]["json_schema"]  # type: ignore[index, call-overload]
    assert form["strict"]  # type: ignore[index, call-overload]
    assert json.dumps(form)


def test_a_reply_by_the_schema_is_read(own: Pack, known: Pack) -> None:
    growing = SelfInstruct(own, known, Generate(), Pool(), load_prompt_texts(), list(seeds.read_seeds(own)))
    requests = growing.plan_round(teachers.item_endpoints({"schema": SCHEMA}, Generate()))[:1]
    task = {
        "instruction": "بلبل اور مینا میں کیا فرق ہے؟",
        "input": "",
        "output": "بلبل چھوٹی اور خوش آواز ہے۔\nInput: نہیں، مینا نقل بھی اتارتی ہے۔",
    }
    text = json.dumps(
        {"tasks": [task, {**task, "instruction": "لومڑی دن میں کہاں چھپتی ہے؟"}]}, ensure_ascii=False
    )
    reply = Reply(text=text, finish="stop", model="m", request="r", tokens_in=1, tokens_out=1, cost_usd=0.0)
    (found,) = growing.accept_replies(requests, [reply])
    assert [one.instruction for one in growing.accepted] == [
        task["instruction"],
        "لومڑی دن میں کہاں چھپتی ہے؟",
    ]
    assert len(found) == 2
    assert growing.accepted[0].output == task["output"]


@pytest.mark.parametrize(
    ("teacher", "generate", "said"),
    [
        (SCHEMA.model_copy(update={"protocol": "anthropic"}), Generate(), "no response_format"),
        (SCHEMA, Generate(reverse_share=0.1), "ask for other texts than rows"),
        (SCHEMA, Generate(revise_share=0.1), "ask for other texts than rows"),
    ],
)
def test_a_schema_where_none_can_be_is_refused_before_money_is_spent(
    teacher: Teacher, generate: Generate, said: str
) -> None:
    with pytest.raises(RecipeError, match=rf"teacher\.t\.json_schema: .*{said}"):
        teachers.item_endpoints({"t": teacher}, generate)


def test_a_recipe_without_the_key_is_what_it_was() -> None:
    assert "json_schema" not in PLAIN.model_dump()
