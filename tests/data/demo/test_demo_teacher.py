"""The offline teacher is a pure function of the request and its draw, and misbehaves at its stated rates."""

from __future__ import annotations

import random

import pytest

from alif.data.demo import demo_teacher
from alif.data.prompt_texts import load_prompt_texts
from alif.data.synthesis import prompts, seeds
from alif.data.synthesis.coverage import Coverage
from alif.data.synthesis.slots import SlotSampler, read_slots
from alif.data.translation.translate import TranslationItem, translation_messages
from alif.language.pack import Pack
from alif.language.replies import item_format
from alif.llm import ReplyFunction
from alif.records import Dropped, Example, Origin
from tests.data.conftest import triples


@pytest.fixture(scope="module")
def teacher(own: Pack, known: Pack) -> ReplyFunction:
    return demo_teacher.demo_reply(
        own, known, load_prompt_texts(), demo_teacher.load_demo_answers(own, known, (), "")
    )


def test_the_same_request_and_draw_are_answered_alike_whatever_came_before(
    own: Pack, known: Pack, teacher: ReplyFunction
) -> None:
    shown = [seed for seed in seeds.read_seeds(own) if seed.task == "qa"][:6]
    asked = prompts.synthesis_messages(load_prompt_texts(), own.tasks["qa"], own, shown, 6)
    replies = [teacher(asked, draw) for draw in range(20)]
    other = demo_teacher.demo_reply(
        own, known, load_prompt_texts(), demo_teacher.load_demo_answers(own, known, (), "")
    )
    assert [other(asked, draw) for draw in reversed(range(20))] == replies[::-1]
    assert len({reply.text for reply in replies}) > 15


def test_the_teacher_knows_every_wording(own: Pack, teacher: ReplyFunction) -> None:
    for name, task in own.tasks.items():
        rows = {
            values["instruction"] for stem, values in triples(own, "demo/candidates/*.jsonl") if stem == name
        }
        rows |= {
            values["instruction"] for _, values in triples(own, "demo/faults.jsonl") if values["task"] == name
        }
        for wording in range(len(task.templates)):
            replies = [
                teacher(prompts.synthesis_messages(load_prompt_texts(), task, own, [], 6, wording), draw)
                for draw in range(5)
            ]
            found = [
                piece for reply in replies for piece in item_format.read_items(reply.text, reply.finish, own)
            ]
            said = {piece.instruction for piece in found if isinstance(piece, item_format.Candidate)}
            assert said
            assert said <= rows


def test_every_task_has_forty_candidates_and_is_answered_in_its_format(
    own: Pack, teacher: ReplyFunction
) -> None:
    found = [name for name, _ in triples(own, "demo/candidates/*.jsonl")]
    for name, task in own.tasks.items():
        assert found.count(name) >= 40
        shown = [seed for seed in seeds.read_seeds(own) if seed.task == name][:4]
        replies = [
            teacher(prompts.synthesis_messages(load_prompt_texts(), task, own, shown, 6), draw)
            for draw in range(100)
        ]
        pieces = [
            piece for reply in replies for piece in item_format.read_items(reply.text, reply.finish, own)
        ]
        reasons = {piece.reason for piece in pieces if isinstance(piece, Dropped)}
        assert {"truncated", "missing_field", "unparsable"} <= reasons
        assert sum(isinstance(piece, item_format.Candidate) for piece in pieces) > 0.75 * len(pieces)


def test_a_known_row_is_translated_and_an_unknown_one_comes_back(
    own: Pack, known: Pack, teacher: ReplyFunction
) -> None:
    translated = {one["source"]: one for _, one in triples(own, "demo/translations.jsonl")}
    faulty = 0
    for _, one in triples(known, "demo/rows.jsonl"):
        example = Example.make(
            "en", one["task"], one["instruction"], one["input"], one["output"], Origin(kind="source")
        )
        asked = translation_messages(TranslationItem(example), own, known, load_prompt_texts())
        (found,) = item_format.read_items(teacher(asked, 0).text, "stop", own)
        assert isinstance(found, item_format.Candidate)
        wanted = translated.get(one["id"], one)
        faulty += (found.instruction, found.input, found.output) != (
            wanted["instruction"],
            wanted["input"],
            wanted["output"],
        )
    assert faulty < 0.25 * len(translated)


def test_lines_are_answered_with_the_nearest_candidates(own: Pack, teacher: ReplyFunction) -> None:
    """Of the topic, length and register that a line asks for most rows have two; at random it is one."""
    assert own.slots
    task, coverage = own.tasks["qa"], Coverage(own)
    sampler, rng = SlotSampler(own.slots, coverage, []), random.Random(1)

    def hits(lines: str, answered: str, draw: int) -> tuple[int, int]:
        asked = prompts.synthesis_messages(load_prompt_texts(), task, own, [], 6, slots=answered)
        reply = teacher(asked, draw)
        found = [
            coverage.find_cell(
                Example.make(own.code, "qa", one.instruction, one.input, one.output, Origin(kind="teacher"))
            )
            for one in item_format.read_items(reply.text, reply.finish, own)
            if isinstance(one, item_format.Candidate)
        ]
        slots = read_slots(lines, task, own.slots) if own.slots else []
        same = (
            (slot.topic == cell[1]) + (slot.length == cell[2]) + (slot.register == cell[3])
            for slot, cell in zip(slots, found, strict=False)
        )
        return sum(same), len(found)

    written = [sampler.write(task, 6, True, "", rng) for _ in range(40)]
    for answered, least, most in ((True, 1.5, 3.0), (False, 0.0, 1.3)):
        counted = [hits(lines, lines if answered else "", draw) for draw, lines in enumerate(written)]
        assert least < sum(same for same, _ in counted) / sum(items for _, items in counted) < most
