"""Slots: one line an item, in the pack's words, most often about what nobody asked, and again the same."""

from __future__ import annotations

import random
import time
from collections import Counter
from typing import Any

import pytest

from alif.data.prompt_texts import load_prompt_texts
from alif.data.synthesis import seeds
from alif.data.synthesis.coverage import Coverage
from alif.data.synthesis.passages import read_passages
from alif.data.synthesis.self_instruct import SelfInstruct, TeacherRequest
from alif.data.synthesis.slots import Slot, SlotSampler, read_slots
from alif.language import pack as packs
from alif.language.pack import Pack
from alif.language.replies import item_format
from alif.llm import Reply
from alif.records import Example
from alif.settings import Generate, Pool, Teacher
from tests.data.conftest import row

TEACHERS = {"a": Teacher(model="m")}
PACKS = [name for name in packs.shipped_packs() if name != "en"]


def start(own: Pack, known: Pack, **changes: Any) -> SelfInstruct:
    settings = Generate.model_validate({"target_rows": 700, "requests_per_round": 70} | changes)
    found = list(seeds.read_seeds(own))
    passages = read_passages(settings, own, "")
    return SelfInstruct(own, known, settings, Pool(), load_prompt_texts(), found, passages)


def slots_of(request: TeacherRequest, pack: Pack) -> list[Slot]:
    assert pack.slots
    return read_slots(request.messages[-1].content, pack.tasks[request.task], pack.slots)


@pytest.mark.parametrize("code", PACKS)
def test_each_request_has_a_line_an_item_in_words_of_the_pack(code: str, known: Pack) -> None:
    own = packs.load_pack(code)
    for request in start(own, known).plan_round(TEACHERS):
        found = slots_of(request, own)
        assert len(found) == 6
        for slot in found:
            assert bool(slot.topic) == (request.strategy == "plain")
            assert slot.form in own.tasks[request.task].forms[slot.length]  # type: ignore[index]
            assert slot.register in own.registers
        cells = [(slot.topic, slot.length, slot.register) for slot in found]
        assert request.strategy != "plain" or len(set(cells)) == 6
        asked = request.messages[-1].content
        assert asked.index("###") < asked.index(own.slots.heading) < asked.index("Now write 6 new")  # type: ignore[union-attr]


@pytest.mark.parametrize("code", PACKS)
def test_half_of_the_questions_are_at_home_and_half_of_these_have_a_passage(code: str, known: Pack) -> None:
    own = packs.load_pack(code)
    growing = start(own, known, target_rows=20_000, requests_per_round=1500)
    asked = growing.plan_round(TEACHERS)
    ways = Counter(request.strategy for request in asked if request.task == "qa")
    assert 0.18 < ways["grounded"] / ways.total() < 0.32
    assert {request.strategy for request in asked if request.task != "qa"} == {"plain"}


def test_without_slots_a_request_is_the_paper_s(own: Pack, known: Pack) -> None:
    (request,) = start(own, known, slots=False, requests_per_round=1, rows_per_request=20).plan_round(
        TEACHERS
    )
    asked = request.messages[-1].content
    assert asked.endswith("\n\nNow write 20 new tasks of the same kind in the same format, and nothing else.")
    assert own.slots
    assert own.slots.heading not in asked


def test_the_same_seed_and_rows_ask_for_the_same_and_another_seed_for_others(own: Pack, known: Pack) -> None:
    one, two, other = (start(own, known, seed=seed).plan_round(TEACHERS) for seed in (1, 1, 2))
    assert one == two
    assert [slots_of(request, own) for request in one] != [slots_of(request, own) for request in other]


def test_a_run_that_goes_on_asks_what_it_would_have_asked(own: Pack, known: Pack) -> None:
    def answered(text: str) -> SelfInstruct:
        growing = start(own, known, requests_per_round=8)
        first = growing.plan_round(TEACHERS)
        reply = Reply(
            text=text, finish="stop", model="m", request="r", tokens_in=1, tokens_out=1, cost_usd=0.0
        )
        for _ in growing.accept_replies(first, [reply] * len(first)):
            pass
        return growing

    text = item_format.write_item("کسان کھیت میں گندم کب بوتا ہے؟", "", "نومبر میں، جب زمین میں وتر ہو۔")
    one, two = (answered(text).plan_round(TEACHERS) for _ in range(2))
    assert one == two


def lines_for(own: Pack, rows: list[Example], requests: int = 300) -> Counter[tuple[str, str, str]]:
    """Count the cells of a task that requests ask for, where `rows` are the seeds."""
    assert own.slots
    sampler, rng = SlotSampler(own.slots, Coverage(own), rows), random.Random(1)
    written = (sampler.write(own.tasks["qa"], 6, True, "", rng) for _ in range(requests))
    found = (slot for lines in written for slot in read_slots(lines, own.tasks["qa"], own.slots))
    return Counter((slot.topic, slot.length, slot.register) for slot in found)


def test_cells_without_rows_are_asked_for_most(own: Pack) -> None:
    wheat = [row("qa", f"کسان کھیت میں گندم کا بیج کب ڈالے، بتائیے؟ {n}", "اکتوبر میں۔") for n in range(3)]
    cell = ("farming", "short", "polite")
    assert Coverage(own).find_cell(wheat[0]) == ("qa", *cell)
    even, aimed = lines_for(own, []), lines_for(own, wheat)
    assert even.total() == aimed.total() == 1800
    assert aimed[cell] < 0.3 * even[cell]
    assert len(even) == len(own.topics) * 3 * 3, "every cell is asked for at some time"


def test_accepted_rows_count_as_seeds_do(own: Pack) -> None:
    assert own.slots
    coverage, rng = Coverage(own), random.Random(1)
    sampler = SlotSampler(own.slots, coverage, [])
    cells = [(topic, "short", "plain") for topic in own.topics]
    coverage.cells.update({("qa", *cell): 30 for cell in cells})
    found = read_slots(sampler.write(own.tasks["qa"], 6, True, "", rng), own.tasks["qa"], own.slots)
    assert not {(slot.topic, slot.length, slot.register) for slot in found} & set(cells)


def test_a_passage_decides_the_topic(own: Pack) -> None:
    assert own.slots
    sampler = SlotSampler(own.slots, Coverage(own), [])
    passage = "کرکٹ ٹیم نے میچ جیت لیا اور کھلاڑی خوش تھے۔"
    lines = sampler.write(own.tasks["qa"], 4, True, passage, random.Random(1))
    found = read_slots(lines, own.tasks["qa"], own.slots)
    assert [slot.topic for slot in found] == [""] * 4
    assert all(phrase not in lines for phrases in own.slots.topics.values() for phrase in phrases)


def test_more_items_than_cells_are_asked_for_all_the_same(own: Pack) -> None:
    assert own.slots
    sampler = SlotSampler(own.slots, Coverage(own), [])
    lines = sampler.write(own.tasks["sentiment"], 40, True, "گھر میں مہمان آئے۔", random.Random(1))
    assert len(read_slots(lines, own.tasks["sentiment"], own.slots)) == 40


def test_planning_costs_next_to_nothing(own: Pack, known: Pack) -> None:
    took: dict[bool, float] = {}
    for slots in (True, False):
        growing = start(own, known, slots=slots, target_rows=50_000, requests_per_round=300)
        begin = time.process_time()
        growing.plan_round(TEACHERS)
        took[slots] = time.process_time() - begin
    assert took[True] - took[False] < 0.6, "two milliseconds a request, ten times what it takes"
