"""Grounded, reverse and revised requests: their shares, their counts, and the passage in the row's origin."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from alif import settings
from alif.data.prompt_texts import PromptTexts
from alif.data.synthesis import generate, passages, prompts, seeds, strategies
from alif.data.synthesis.reparse import reparse_replies
from alif.language import pack as packs
from alif.language.pack import Pack
from alif.language.replies import item_format
from alif.llm import ChatRequest, Message, Reply
from alif.llm.ledger import Ledger
from alif.runs import Run, StepContext, make_context
from tests.data.conftest import LANGUAGE, PROMPTS, SCRIPTED, row, rows_of, run_work

SETTINGS = settings.Generate(
    target_rows=120,
    requests_per_round=24,
    rows_per_request=4,
    grounded_share=0.3,
    reverse_share=0.5,
    revise_share=0.4,
)
PRICE = {"usd_per_million_in": 2.0, "usd_per_million_out": 10.0}
TABLES: dict[str, Any] = {
    "language": LANGUAGE,
    "sources": settings.Sources(),
    "teacher": {name: teacher.model_copy(update=PRICE) for name, teacher in SCRIPTED.items()},
    "generate": SETTINGS,
    "pool": settings.Pool(),
}


def made(text_: str, finish: str = "stop") -> Reply:
    return Reply(
        text=text_, finish=finish, model="m", request=text_[:8], tokens_in=1, tokens_out=2, cost_usd=0.5
    )


async def ask_one(
    send: Callable[[Sequence[Message]], Awaitable[Reply]],
    messages: Sequence[Message],
    revised: bool,
    texts: PromptTexts,
    own: Pack,
) -> Reply:
    """Ask a round of one question."""

    async def send_all(questions: Sequence[ChatRequest]) -> list[Reply]:
        return [await send(one.messages) for one in questions]

    asked = [ChatRequest("gpt", messages)]
    (reply,) = await strategies.ask_with_revision(send_all, asked, [revised], texts, own)
    return reply


def test_a_round_is_asked_turn_by_turn_each_as_one_list(own: Pack, texts: PromptTexts) -> None:
    sizes: list[int] = []

    async def send_all(questions: Sequence[ChatRequest]) -> list[Reply]:
        sizes.append(len(questions))
        assert [one.draw for one in questions] == ([0, 1, 2] if len(sizes) == 1 else [0, 2])
        return [made(f"draw {one.draw}, {len(one.messages)} messages") for one in questions]

    asked = [ChatRequest("gpt", [Message(role="user", content="u")], draw) for draw in range(3)]
    found = asyncio.run(strategies.ask_with_revision(send_all, asked, [True, False, True], texts, own))
    assert sizes == [3, 2, 2]
    said = ["draw 0, 5 messages", "draw 1, 1 messages", "draw 2, 5 messages"]
    assert [one.text for one in found] == said


def test_each_way_is_asked_and_counted_apart_and_reading_again_gives_the_same(
    context: Callable[..., StepContext], own: Pack
) -> None:
    step = context("generate", {"seeds": seeds.read_seeds(own)}, max_cost_usd=100.0)
    counts = run_work(generate.generate, step, **TABLES)
    found = counts.facts["funnel"]["strategies"]
    assert set(found) == {"grounded", "grounded, revised", "plain", "plain, revised", "reverse"}
    assert all(one["requests"] and one["usd"] for one in found.values())
    assert sum(one["accepted"] for one in found.values()) == counts.kept
    assert found["reverse"]["pieces"] == found["reverse"]["requests"]
    asked = rows_of(step.folder, "requests")
    assert any(one.get("turns") for one in asked)
    assert counts.facts["funnel"]["whole"]["requests"] == sum(len(one.get("turns", ["one"])) for one in asked)
    with closing(Ledger(step.ledger)) as ledger:
        assert counts.facts["funnel"]["whole"]["requests"] == ledger.account(step.run).requests, (
            "as the provider counts them"
        )
    texts = {passage.id: passage for passage in passages.read_passages(SETTINGS, own, "")}
    rows = [one for one in rows_of(step.folder) if one["origin"]["source"]]
    reverse = [one for one in rows if one["output"] in {passage.text for passage in texts.values()}]
    assert len(reverse) == found["reverse"]["accepted"] > 0
    for one in rows:
        passage = texts[one["origin"]["parents"][-1]]
        assert one["origin"]["source"] == passage.source
        assert passage.source.startswith("articles#")
    assert all(one["output"] == texts[one["origin"]["parents"][-1]].text for one in reverse)
    assert all(one["origin"]["author"] == texts[one["origin"]["parents"][-1]].author for one in reverse), (
        "not the model"
    )
    assert all(
        (one["origin"]["author"] == "scripted") == (one["origin"]["strategy"] != "reverse") for one in rows
    )
    told = Counter(one["origin"]["strategy"] for one in rows_of(step.folder))
    assert told == {way: one["accepted"] for way, one in found.items()}, "each row says its way"
    files = {path.name: path.read_bytes() for path in step.folder.glob("*.jsonl")}
    folder = step.scratch / "again"
    folder.mkdir(parents=True)
    second = make_context(
        Run(folder.parent),
        step.step,
        step.runtime,
        inputs={**step.inputs, "generate": step.folder},
        paths=PROMPTS,
        folder=folder,
    )
    second = replace(second, run=step.run, ledger=step.ledger)
    again = run_work(reparse_replies, second, **TABLES)
    assert (second.output.cost_usd, again) == (step.output.cost_usd, counts), (
        "the same rows, tokens and money, those of drafts and critiques included"
    )
    assert {path.name: path.read_bytes() for path in folder.glob("*.jsonl")} == files


def test_a_task_that_was_never_asked_for_has_no_prompt(
    context: Callable[..., StepContext], own: Pack
) -> None:
    counts = run_work(
        generate.generate,
        context("generate", {"seeds": seeds.read_seeds(own)}),
        **{
            **TABLES,
            "teacher": SCRIPTED,
            "generate": settings.Generate(target_rows=6, requests_per_round=8, weights="paper"),
        },
    )
    asked = set(counts.facts["funnel"]["tasks"])
    assert asked < set(own.tasks)
    assert set(counts.facts["prompts"]) - {"grounded"} == asked


def test_a_grounded_request_shows_the_passage_before_it_asks(own: Pack, texts: PromptTexts) -> None:
    passage = passages.read_passages(SETTINGS, own, "")[0]
    shown = [row("qa", "سوال", "جواب")]
    asked = (texts, own.tasks["qa"], own, shown, 5)
    system, user = prompts.synthesis_messages(*asked, passage=passage.text)
    plain = prompts.synthesis_messages(*asked)
    assert system == plain[0]
    assert passage.text in user.content
    assert user.content.endswith(plain[1].content[-60:])


@pytest.mark.parametrize(
    ("reply", "finish", "reason"),
    [
        ("", "stop", "empty"),
        ("<think>سوال</think>\n", "stop", "empty"),
        ("<think>سوال", "length", "truncated"),
        ("سوال", "length", "truncated"),
        ("لفظ " * 100, "stop", "unparsable"),
    ],
)
def test_a_reply_that_is_no_question_is_dropped(own: Pack, reply: str, finish: str, reason: str) -> None:
    passage = passages.read_passages(SETTINGS, own, "")[0]
    found = strategies.read_question(reply, finish, passage, own, packs.load_pack("en"))
    assert getattr(found, "reason", None) == reason


@pytest.mark.parametrize(
    "reply",
    [
        "سوال؟",
        "Instruction: سوال؟",
        "**ہدایت:** سوال؟",
        "<think>\nلفظ\n</think>\n\nسوال؟",
        "لفظ\n</think>\nInstruction: سوال؟",
    ],
)
def test_a_question_is_read_without_its_key_and_without_thinking(own: Pack, reply: str) -> None:
    passage = passages.read_passages(SETTINGS, own, "")[0]
    found = strategies.read_question(reply, "stop", passage, own, packs.load_pack("en"))
    assert isinstance(found, item_format.Candidate)
    assert (found.instruction, found.output) == ("سوال؟", passage.text)
    assert found.tolerances == (("thinking",) * ("think" in reply) + ("wrapping",) * (":" in reply))


def test_a_draft_is_judged_without_its_thinking(own: Pack, texts: PromptTexts) -> None:
    asked: list[Sequence[Message]] = []

    async def send(messages: Sequence[Message]) -> Reply:
        asked.append(list(messages))
        return made(
            f"<think>\nhm\n</think>\n\nreply {len(asked)}" if len(asked) < 3 else "<think>\nhm\n</think>"
        )

    found = asyncio.run(ask_one(send, [Message(role="user", content="u")], True, texts, own))
    assert [message.content for message in asked[2]][1::2] == ["reply 1", "reply 2"]
    assert found.text.endswith("reply 1"), "nothing but thinking is nothing to say"


def test_a_draft_is_judged_and_written_again_and_the_price_is_that_of_all_three(
    own: Pack, texts: PromptTexts
) -> None:
    asked: list[Sequence[Message]] = []

    async def send(messages: Sequence[Message]) -> Reply:
        asked.append(list(messages))
        return made(f"reply {len(asked)}")

    first = [Message(role="system", content="s"), Message(role="user", content="u")]
    found = asyncio.run(ask_one(send, first, True, texts, own))
    assert (found.text, found.tokens_in, found.tokens_out, found.cost_usd) == ("reply 3", 3, 6, 1.5)
    assert [len(messages) for messages in asked] == [2, 4, 6]
    assert [message.content for message in asked[2]][2:] == [
        "reply 1",
        texts.critique.format(language=own.name),
        "reply 2",
        texts.rewrite,
    ]
    asked.clear()
    assert asyncio.run(ask_one(send, first, False, texts, own)).text == "reply 1"


@pytest.mark.parametrize("silent", [2, 3], ids=["no critique", "no second version"])
def test_a_teacher_with_nothing_to_say_to_its_draft_leaves_it_as_it_is(
    own: Pack, texts: PromptTexts, silent: int
) -> None:
    asked: list[int] = []

    async def send(messages: Sequence[Message]) -> Reply:
        asked.append(len(messages))
        return made(" \n" if len(asked) == silent else f"reply {len(asked)}")

    first = [Message(role="system", content="s"), Message(role="user", content="u")]
    found = asyncio.run(ask_one(send, first, True, texts, own))
    assert found.text == "reply 1"
    assert found.cost_usd == 0.5 * silent, "what brought nothing is paid for all the same"
    assert found.request == found.turns[0]
    assert len(found.turns) == silent, "so that reading it again finds what was paid for"
    assert len(asked) == silent, "and is not asked on"


def test_a_draft_that_was_cut_off_is_not_judged(own: Pack, texts: PromptTexts) -> None:
    async def send(messages: Sequence[Message]) -> Reply:
        assert len(messages) == 2
        return made("half", "length")

    first = [Message(role="system", content="s"), Message(role="user", content="u")]
    assert asyncio.run(ask_one(send, first, True, texts, own)).finish == "length"
