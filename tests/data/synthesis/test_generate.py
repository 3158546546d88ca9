"""Rounds of generation: the order of requests decides, targets are met, every item ends somewhere, a kill changes nothing."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given as cases
from hypothesis import settings, strategies

from alif import recipe, store
from alif.data.synthesis import generate, prompts, seeds
from alif.data.synthesis import self_instruct as expansions
from alif.data.synthesis.self_instruct import SelfInstruct, TeacherRequest
from alif.errors import DataError, RecipeError
from alif.language import pack as packs
from alif.language import text
from alif.language.pack import Pack
from alif.language.replies import item_format
from alif.llm import Reply
from alif.records import Dropped, Example
from alif.runs import StepContext
from alif.settings import Generate, Pool, Sources, Teacher
from tests.data.conftest import LANGUAGE, SCRIPTED, row, rows_of, triples

TEACHERS = {"a": Teacher(model="m-a", weight=3.0), "b": Teacher(model="m-b", weight=1.0)}
SMALL = Generate(target_rows=70, requests_per_round=8, rows_per_request=6)
TEXT = strategies.text(strategies.sampled_from("ابپتٹجچ \n:#1"), max_size=40)


def expansion(own: Pack, known: Pack, **settings: Any) -> SelfInstruct:
    return SelfInstruct(own, known, Generate.model_validate(settings), Pool(), list(seeds.read_seeds(own)))


def reply(text: str, finish: str = "stop") -> Reply:
    return Reply(text=text, finish=finish, model="m", request="r", tokens_in=10, tokens_out=20, cost_usd=0.0)


def listed(rows: Sequence[Example]) -> str:
    return "\n###\n".join(item_format.write_item(one.instruction, one.input, one.output) for one in rows)


def candidates(own: Pack, task: str) -> list[Example]:
    return [
        row(task, values["instruction"], values["output"], values["input"])
        for name, values in triples(own, "demo/candidates/*.jsonl")
        if name == task
    ]


def test_the_target_is_split_by_the_pack_s_weights(own: Pack) -> None:
    assert expansions.target_rows(own, 51_686, "paper") == {
        name: task.weight for name, task in own.tasks.items()
    }
    assert sum(expansions.target_rows(own, 211).values()) == 211


def test_a_share_is_taken_of_all_rows_before_the_weights(own: Pack) -> None:
    found = expansions.target_rows(own, 51_686)
    assert sum(found.values()) == 51_686
    assert found["roman"] == round(0.05 * 51_686)
    assert all(abs(found[name] - 0.95 * task.weight) < 1 for name, task in own.tasks.items() if task.weight)


def test_a_task_with_one_wording_is_asked_in_it_and_others_in_all(own: Pack, known: Pack) -> None:
    growing = expansion(own, known, target_rows=100_000, requests_per_round=400, rows_per_request=6)
    asked = {name: set[str]() for name in own.tasks}
    for request in growing.plan(TEACHERS):
        asked[request.task].add(request.messages[0].content)
    for name, task in own.tasks.items():
        assert asked[name] == {
            prompts.render_task_prompt(task, own, 6, wording) for wording in range(len(task.templates))
        }


def test_human_seeds_only_until_the_pool_has_two_rows_of_the_task(own: Pack, known: Pack) -> None:
    growing = expansion(own, known, target_rows=700, requests_per_round=14, rows_per_request=6)
    human = {seed.id for seed in seeds.read_seeds(own)}
    first = growing.plan(TEACHERS)
    assert all(set(request.shown) <= human and len(request.shown) == 4 for request in first)
    texts = {name: listed(candidates(own, name)[: 1 if name == "qa" else 6]) for name in own.tasks}
    growing.take(first, [reply(texts[request.task]) for request in first])
    for request in growing.plan(TEACHERS):
        machine = [name for name in request.shown if name not in human]
        assert len(machine) == (0 if request.task == "qa" else 2)
        assert len(request.shown) == 4 + len(machine)
        assert {one.task for one in growing.accepted if one.id in machine} <= {request.task}


def test_a_round_is_taken_reply_by_reply(own: Pack, known: Pack) -> None:
    growing = expansion(own, known, target_rows=700, requests_per_round=14, rows_per_request=6)
    first = growing.plan(TEACHERS)
    answers = [reply(listed(candidates(own, request.task)[:6])) for request in first]
    seen = [len(growing.requests) for _ in growing.taking(first, answers)]
    assert seen == list(range(1, len(first) + 1))
    assert growing.rounds == 1


def test_the_pool_is_frozen_while_a_round_is_planned_and_requests_are_a_pure_function(
    own: Pack, known: Pack
) -> None:
    one, two = (
        expansion(own, known, target_rows=70, requests_per_round=8, rows_per_request=6) for _ in range(2)
    )
    assert one.plan(TEACHERS) == two.plan(TEACHERS)
    other = expansion(own, known, target_rows=70, requests_per_round=8, rows_per_request=6, seed=1)
    assert other.plan(TEACHERS) != expansion(
        own, known, target_rows=70, requests_per_round=8, rows_per_request=6
    ).plan(TEACHERS)


def test_a_repeated_prompt_is_another_draw(own: Pack, known: Pack) -> None:
    growing = expansion(
        own,
        known,
        target_rows=10_000,
        requests_per_round=64,
        rows_per_request=6,
        human_seeds=1,
        machine_seeds=0,
    )
    asked = [
        (one.teacher, one.messages, one.draw)
        for _ in range(20)
        for one in growing.plan(TEACHERS)
        if one.task == "qa"
    ]
    assert len(asked) > 24 * 2
    assert len(set(asked)) == len(asked)


def test_teachers_get_their_shares(own: Pack, known: Pack) -> None:
    growing = expansion(own, known, target_rows=100_000, requests_per_round=1000, rows_per_request=6)
    asked = Counter(request.teacher for request in growing.plan(TEACHERS))
    assert 0.7 < asked["a"] / asked.total() < 0.8


def test_nearness_surplus_and_language_are_told_apart(own: Pack, known: Pack) -> None:
    growing = expansion(own, known, target_rows=14, requests_per_round=7, rows_per_request=6)
    right = candidates(own, "qa")[:3]
    english = row(
        "qa", "دریائے سندھ کہاں سے نکلتا ہے؟", "It rises on the Tibetan Plateau and flows through Ladakh."
    )
    arabic = row(
        "qa",
        "ما هي عاصمة المملكة العربية السعودية اليوم؟",
        "عاصمة المملكة العربية السعودية هي مدينة الرياض الكبيرة",
    )
    seed = next(one for one in seeds.read_seeds(own) if one.task == "qa")
    growing.tasks["qa"].target = 2
    request = TeacherRequest("qa", "a", ("x", "y"), (), 0)
    growing.take([request], [reply(listed([english, arabic, seed, right[0], right[0], *right[1:]]))])
    assert [one.reason for one in growing.dropped] == [
        "wrong_language",
        "wrong_language",
        "near_duplicate",
        "near_duplicate",
        "target_reached",
    ]
    assert [one.nearest and one.nearest.similarity for one in growing.dropped[2:4]] == [1.0, 1.0]
    assert [one.nearest and one.nearest.id for one in growing.dropped[2:4]] == [
        seed.id,
        growing.accepted[0].id,
    ]
    assert [one.instruction for one in growing.accepted] == [one.instruction for one in right[:2]]
    origin = growing.accepted[0].origin
    assert (origin.kind, origin.teacher, origin.model, origin.request, origin.parents) == (
        "teacher",
        "a",
        "m",
        "r",
        ("x", "y"),
    )


def test_the_same_request_text_with_another_input_is_another_task_where_the_pack_says_so(
    own: Pack, known: Pack
) -> None:
    growing = expansion(own, known, target_rows=70, requests_per_round=7, rows_per_request=6)
    carrier = "ذیل کی عبارت کا سلیس اردو ترجمہ کر دیں۔"
    pair = [
        row("translation", carrier, "بلی چھت پر سو رہی ہے۔", "The cat sleeps on the roof."),
        row("translation", carrier, "بازار بند ہے۔", "The market is closed today."),
    ]
    growing.take([TeacherRequest("translation", "a", (), (), 0)], [reply(listed(pair))])
    assert len(growing.accepted) == 2
    paper = SelfInstruct(own, known, SMALL, Pool(scope="paper"), [])
    paper.take([TeacherRequest("translation", "a", (), (), 0)], [reply(listed(pair))])
    assert [one.reason for one in paper.dropped] == ["near_duplicate"]


@settings(max_examples=30)
@cases(
    strategies.lists(strategies.tuples(TEXT, TEXT, TEXT), max_size=6),
    strategies.sampled_from(["stop", "length"]),
)
def test_every_item_is_accepted_or_dropped(items: list[tuple[str, str, str]], finish: str) -> None:
    own, known = packs.load_pack("ur"), packs.load_pack("en")
    growing = SelfInstruct(own, known, SMALL, Pool(), [])
    text = "\n###\n".join(f"Instruction: {a}\nInput: {b}\nOutput: {c}" for a, b, c in items)
    pieces = item_format.read_items(text, finish, own)
    growing.take([TeacherRequest("ethics", "a", (), (), 0)], [reply(text, finish)])
    assert (
        len(growing.accepted) + len(growing.dropped)
        == len(pieces)
        == growing.funnel.facts([])["whole"]["pieces"]
    )


def test_a_teacher_with_nothing_new_is_given_up_not_asked_for_ever(own: Pack, known: Pack) -> None:
    growing = expansion(
        own, known, target_rows=70, requests_per_round=10, rows_per_request=6, min_acceptance=0.0
    )
    text = listed(candidates(own, "qa")[:2])
    rounds = 0
    while requests := growing.plan(TEACHERS):
        growing.take(requests, [reply(text if request.task == "qa" else "No.") for request in requests])
        rounds += 1
        assert rounds < 50
    facts = growing.facts()
    assert facts["saturated"] == list(own.tasks)
    assert len(growing.accepted) == 2


def test_a_task_that_was_given_up_stays_so_when_a_round_asked_before_is_taken(own: Pack, known: Pack) -> None:
    growing = expansion(
        own, known, target_rows=700, requests_per_round=1, rows_per_request=6, min_acceptance=0.0
    )
    ahead: list[list[TeacherRequest]] = []
    rounds = 0
    while True:
        while len(ahead) < 4 and (requests := growing.plan(TEACHERS, ahead)):
            ahead.append(requests)
        if not ahead:
            break
        requests = ahead.pop(0)
        growing.take(requests, [reply("No.") for _ in requests])
        rounds += 1
        assert rounds < 100
    assert growing.facts()["saturated"] == list(own.tasks)


def test_the_paper_s_way_asks_for_the_paper_s_tasks_alone(own: Pack, known: Pack) -> None:
    growing = expansion(
        own, known, target_rows=5_000, requests_per_round=100, rows_per_request=6, weights="paper"
    )
    assert {request.task for request in growing.plan(TEACHERS)} == set(own.tasks) - {"roman"}


def test_a_task_without_seeds_is_refused(context: Callable[..., StepContext], own: Pack) -> None:
    rows = [seed for seed in seeds.read_seeds(own) if seed.task != "qa"]
    with pytest.raises(DataError, match="qa has no seeds"):
        expand(context("generate", {"seeds": rows}))


def test_a_recipe_without_a_teacher_is_refused(context: Callable[..., StepContext], own: Pack) -> None:
    with pytest.raises(RecipeError, match="teacher"):
        expand(context("generate", {"seeds": seeds.read_seeds(own)}), teacher={})


def test_nothing_asked_for_needs_no_teacher(context: Callable[..., StepContext], own: Pack) -> None:
    counts = expand(
        context("generate", {"seeds": seeds.read_seeds(own)}), teacher={}, settings=Generate(target_rows=0)
    )
    assert counts.rows_in == counts.kept == 0


def expand(context: StepContext, teacher: Any = SCRIPTED, settings: Generate = SMALL) -> Any:
    return generate.generate(
        context, language=LANGUAGE, sources=Sources(), teacher=teacher, generate=settings, pool=Pool()
    )


def test_the_demo_reaches_its_target_and_shows_every_fault(
    context: Callable[..., StepContext], own: Pack
) -> None:
    """The teacher of the shipped demo commits the faults of real teachers, and each is found."""
    demo = recipe.load_recipe(recipe.shipped_recipes()["demo"])
    step = context("generate", {"seeds": seeds.read_seeds(own)})
    counts = expand(step, settings=demo.generate)
    assert counts.kept == demo.generate.target_rows == len(rows_of(step.folder))
    assert counts.rows_in == counts.kept + sum(counts.dropped.values())
    assert {
        "truncated",
        "missing_field",
        "target_reached",
        "near_duplicate",
        "unparsable",
        "wrong_language",
    } <= counts.dropped.keys()
    assert {"bold_keys", "code_fence", "missing_separator", "numbering"} <= counts.facts["tolerances"].keys()
    assert {name: one["accepted"] for name, one in counts.facts["funnel"]["tasks"].items()} == counts.facts[
        "targets"
    ]
    assert counts.facts["targets"] == expansions.target_rows(own, demo.generate.target_rows)
    assert not {"tasks", "tokens_in", "tokens_out"} & counts.facts.keys(), "the funnel alone counts"
    whole = counts.facts["funnel"]["whole"]
    assert (whole["requests"], whole["pieces"]) == (len(rows_of(step.folder, "requests")), counts.rows_in)
    assert (whole["accepted"], whole["dropped"]) == (counts.kept, counts.dropped)
    unread = sum(counts.dropped.get(reason, 0) for reason in ("truncated", "missing_field", "unparsable"))
    assert whole["parsed"] == whole["pieces"] - unread
    written = {
        text.normalise_text(one["instruction"], own).strip(): name
        for name, one in triples(own, "demo/candidates/*.jsonl")
    }
    told = [
        (one["task"], written[one["instruction"]])
        for one in rows_of(step.folder)
        if one["instruction"] in written
    ]
    assert len(told) > 300
    assert all(task == name for task, name in told), "a reply is read as the one to its own request"
    assert all(one["nearest"] for one in rows_of(step.folder, "dropped") if one["reason"] == "near_duplicate")
    assert all(one["raw"] for one in rows_of(step.folder, "dropped") if "instruction" not in one)


def test_workers_change_nothing(context: Callable[..., StepContext], own: Pack) -> None:
    rows = list(seeds.read_seeds(own))
    steps = [
        context("generate", {"seeds": rows}, run=f"run{workers}", max_concurrency=workers)
        for workers in (1, 16)
    ]
    for step in steps:
        expand(step)
    for name in ("examples.jsonl", "dropped.jsonl"):
        assert (steps[0].folder / name).read_bytes() == (steps[1].folder / name).read_bytes()


def _killed_after(step: StepContext, replies: int) -> None:
    """Do the step in this process, and die as by a power cut once the ledger has so many replies."""

    def watch() -> None:
        while True:
            time.sleep(0.001)
            if _replies(step.ledger) >= replies:
                os.kill(os.getpid(), signal.SIGKILL)

    import threading

    threading.Thread(target=watch, daemon=True).start()
    expand(step)


def _replies(ledger: Path) -> int:
    try:
        with sqlite3.connect(f"file:{ledger}?mode=ro", uri=True) as connection:
            return int(connection.execute("SELECT count(*) FROM replies").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def test_killed_and_repeated_it_is_the_same_to_the_byte(
    context: Callable[..., StepContext], own: Pack
) -> None:
    rows = list(seeds.read_seeds(own))
    whole, broken = (
        context("generate", {"seeds": rows}, run=name, max_concurrency=2) for name in ("whole", "broken")
    )
    expand(whole)
    context = multiprocessing.get_context("spawn")
    for replies in (2, 9, 15):
        process = context.Process(target=_killed_after, args=(broken, replies))
        process.start()
        process.join(60)
        assert process.exitcode == -signal.SIGKILL
    expand(broken)
    for name in ("examples.jsonl", "dropped.jsonl"):
        assert (broken.folder / name).read_bytes() == (whole.folder / name).read_bytes()
    assert _replies(broken.ledger) == _replies(whole.ledger)


def test_rows_on_the_disk_are_examples(context: Callable[..., StepContext], own: Pack) -> None:
    step = context("generate", {"seeds": seeds.read_seeds(own)})
    expand(step)
    rows = list(store.read_models(step.folder / "examples.jsonl", Example))
    assert len({one.id for one in rows}) == len(rows) == 70
    assert all(
        one == Example.make("ur", one.task, one.instruction, one.input, one.output, one.origin)
        for one in rows
    )
    assert not [one for one in rows if isinstance(one, Dropped)]


def test_keys_that_the_teacher_translated_are_read_by_the_pack_s_table(own: Pack, known: Pack) -> None:
    growing = SelfInstruct(own, known, SMALL, Pool(), [])
    one = candidates(own, "qa")[0]
    text = f"ہدایت: {one.instruction}\nان پٹ: <noinput>\nآؤٹ پٹ: {one.output}"
    growing.take([TeacherRequest("qa", "a", (), (), 0)], [reply(text)])
    assert [(row.instruction, row.output) for row in growing.accepted] == [(one.instruction, one.output)]
    assert growing.tolerances == {"translated_keys": 1}
