"""The same requests to each teacher: which they are, and what becomes of every item of the replies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from alif.data.pilot import pilot_run
from alif.data.pilot.teacher_screening import plan_requests, screen_teachers
from alif.data.synthesis import generate
from alif.data.synthesis.self_instruct import SelfInstruct
from alif.records import Dropped, Example
from alif.runs import StepContext
from alif.settings import Recipe
from tests.data.pilot.test_pilot_run import TEACHER, account, made

Build = Callable[..., StepContext]
TWO = {"one": TEACHER, "two": TEACHER | {"temperature": 0.5}}


def two(rows: int = 70, **keys: Any) -> Recipe:
    tables = {"target_rows": rows, "requests_per_round": 8, "rows_per_request": 6} | keys
    return made(teacher=TWO, generate=tables, translate={"rows": 0})


def start(context: StepContext, recipe: Recipe) -> SelfInstruct:
    live = pilot_run.prepare_pilot(context, recipe)
    return generate.initialise(live, recipe.language, recipe.sources, recipe.generate, recipe.pool)


def test_the_requests_are_those_of_a_run_that_has_read_nothing(context: Build) -> None:
    recipe, step = two(rows=2000), context("rehearse")
    planned = plan_requests(start(step, recipe), recipe.teacher, 20)
    growing = start(step, recipe)
    rounds: list[Any] = []
    for _ in range(3):
        rounds.append(growing.plan_round(recipe.teacher, rounds))
    assert [one.messages for one in planned[:16]] == [one.messages for round_ in rounds[:2] for one in round_]
    assert [one.messages for one in planned[16:]] == [rounds[2][place].messages for place in (0, 2, 4, 6)]
    assert len({one.task for one in planned[16:]}) == 4, "the last ones are spread over the tasks"
    again = plan_requests(start(step, recipe), recipe.teacher, 20)
    assert [(one.messages, one.draw) for one in again] == [(one.messages, one.draw) for one in planned]


def test_equal_messages_are_draws_whichever_teacher_the_run_would_ask(context: Build) -> None:
    recipe = two(rows=2000, human_seeds=1, machine_seeds=0)
    growing = start(context("rehearse"), recipe)
    growing.slots = None  # what each request is about
    for task in growing.seeds.values():
        del task[1:]
    planned = plan_requests(growing, recipe.teacher, 40)
    seen = Counter[Any]()
    for one in planned:
        assert one.draw == seen[one.messages]
        seen[one.messages] += 1
    assert max(seen.values()) > 1


def test_every_item_is_kept_or_has_a_reason_and_no_task_is_full(context: Build) -> None:
    step, recipe = context("rehearse"), two(rows=35)
    found = screen_teachers(step, recipe, 100)
    planned = len(plan_requests(start(step, recipe), recipe.teacher, 100))
    assert planned < 100, "a small recipe asks for no more"
    for teacher in found:
        assert list(teacher.replies) == list(range(planned))
        assert teacher.problem is None
        pieces = [piece for reply in teacher.replies.values() for piece in reply.pieces]
        kept = sum(len(reply.kept) for reply in teacher.replies.values())
        dropped = [piece for piece in pieces if isinstance(piece, Dropped)]
        assert kept + len(dropped) == len(pieces) > 0
        assert "target_reached" not in {one.reason for one in dropped}
        readable = [row for reply in teacher.replies.values() for row in reply.readable]
        assert len(readable) == kept + sum(isinstance(one.row, Example) for one in dropped)
        assert {row.origin.teacher for row in readable} == {teacher.name}
        assert sum(reply.usd for reply in teacher.replies.values()) > 0
    spent = account(step)
    assert spent.replies == 2 * planned
    assert account(step, "generate").attempts == 0, "the run asks only some of them"
    screen_teachers(step, recipe, 100)
    assert account(step).attempts == spent.attempts


def test_a_row_costs_less_where_the_run_asks_in_batches(context: Build) -> None:
    step, recipe = context("rehearse"), two(rows=14)
    alone = screen_teachers(step, recipe, 2)
    runtime = recipe.runtime.model_copy(update={"batch": True})
    batched = screen_teachers(step, recipe.model_copy(update={"runtime": runtime}), 2)
    for one, other in zip(alone, batched, strict=True):
        usd, halved = ([reply.usd for reply in found.replies.values()] for found in (one, other))
        assert halved == [each / 2 for each in usd]
