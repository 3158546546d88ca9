"""Self-instruct without a network: request order decides, targets are met, every item is kept or dropped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from hypothesis import given as cases
from hypothesis import settings, strategies

from alif.data.prompt_texts import PromptTexts, load_prompt_texts, prompt_digest
from alif.data.synthesis import prompts, seeds
from alif.data.synthesis.self_instruct import RequestRecord, SelfInstruct, TeacherRequest, target_rows
from alif.language import pack as packs
from alif.language.pack import Pack
from alif.language.replies import item_format
from alif.llm import Reply
from alif.records import Dropped, Example
from alif.settings import Generate, Pool, Teacher
from tests.data.conftest import row, triples

TEACHERS = {"a": Teacher(model="m-a", weight=3.0), "b": Teacher(model="m-b", weight=1.0)}
SMALL = Generate(target_rows=70, requests_per_round=8, rows_per_request=6)
TEXT = strategies.text(strategies.sampled_from("ابپتٹجچ \n:#1"), max_size=40)


def start(own: Pack, known: Pack, **settings: Any) -> SelfInstruct:
    found = list(seeds.read_seeds(own))
    return SelfInstruct(own, known, Generate.model_validate(settings), Pool(), load_prompt_texts(), found)


def take(growing: SelfInstruct, requests: list[TeacherRequest], replies: list[Reply]) -> list[Dropped]:
    """Accept a round and return what was dropped."""
    results = [one for found in growing.accept_replies(requests, replies) for one in found]
    return [one for one in results if isinstance(one, Dropped)]


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
    assert target_rows(own, 51_686, "paper") == {name: task.weight for name, task in own.tasks.items()}
    assert sum(target_rows(own, 211).values()) == 211


def test_a_share_is_taken_of_all_rows_before_the_weights(own: Pack) -> None:
    found = target_rows(own, 51_686)
    assert sum(found.values()) == 51_686
    assert found["roman"] == round(0.05 * 51_686)
    assert all(abs(found[name] - 0.95 * task.weight) < 1 for name, task in own.tasks.items() if task.weight)


def test_a_task_with_one_wording_is_asked_in_it_and_others_in_all(own: Pack, known: Pack) -> None:
    growing = start(own, known, target_rows=100_000, requests_per_round=400, rows_per_request=6)
    asked = {name: set[str]() for name in own.tasks}
    for request in growing.plan_round(TEACHERS):
        asked[request.task].add(request.messages[0].content)
    for name, task in own.tasks.items():
        assert asked[name] == {
            prompts.render_task_prompt(task, own, 6, wording) for wording in range(len(task.templates))
        }


def test_human_seeds_only_until_the_pool_has_two_rows_of_the_task(own: Pack, known: Pack) -> None:
    growing = start(own, known, target_rows=700, requests_per_round=14, rows_per_request=6)
    human = {seed.id for seed in seeds.read_seeds(own)}
    first = growing.plan_round(TEACHERS)
    assert all(set(request.shown) <= human and len(request.shown) == 4 for request in first)
    texts = {name: listed(candidates(own, name)[: 1 if name == "qa" else 6]) for name in own.tasks}
    take(growing, first, [reply(texts[request.task]) for request in first])
    for request in growing.plan_round(TEACHERS):
        machine = [name for name in request.shown if name not in human]
        assert len(machine) == (0 if request.task == "qa" else 2)
        assert len(request.shown) == 4 + len(machine)
        assert {one.task for one in growing.accepted if one.id in machine} <= {request.task}


def test_a_round_is_taken_reply_by_reply(own: Pack, known: Pack) -> None:
    growing = start(own, known, target_rows=700, requests_per_round=14, rows_per_request=6)
    first = growing.plan_round(TEACHERS)
    answers = [reply(listed(candidates(own, request.task)[:6])) for request in first]
    seen = [len(growing.requests) for _ in growing.accept_replies(first, answers)]
    assert seen == list(range(1, len(first) + 1))
    assert growing.rounds == 1


def test_the_pool_is_frozen_while_a_round_is_planned_and_requests_are_a_pure_function(
    own: Pack, known: Pack
) -> None:
    one, two = (start(own, known, target_rows=70, requests_per_round=8, rows_per_request=6) for _ in range(2))
    assert one.plan_round(TEACHERS) == two.plan_round(TEACHERS)
    other = start(own, known, target_rows=70, requests_per_round=8, rows_per_request=6, seed=1)
    assert other.plan_round(TEACHERS) != start(
        own, known, target_rows=70, requests_per_round=8, rows_per_request=6
    ).plan_round(TEACHERS)


def test_a_repeated_prompt_is_another_draw(own: Pack, known: Pack) -> None:
    growing = start(
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
        for one in growing.plan_round(TEACHERS)
        if one.task == "qa"
    ]
    assert len(asked) > 24 * 2
    assert len(set(asked)) == len(asked)


def test_teachers_get_their_shares(own: Pack, known: Pack) -> None:
    growing = start(own, known, target_rows=100_000, requests_per_round=1000, rows_per_request=6)
    asked = Counter(request.teacher for request in growing.plan_round(TEACHERS))
    assert 0.7 < asked["a"] / asked.total() < 0.8


def test_nearness_surplus_and_language_are_told_apart(own: Pack, known: Pack) -> None:
    growing = start(own, known, target_rows=14, requests_per_round=7, rows_per_request=6)
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
    dropped = take(
        growing, [request], [reply(listed([english, arabic, seed, right[0], right[0], *right[1:]]))]
    )
    assert [one.reason for one in dropped] == [
        "wrong_language",
        "wrong_language",
        "near_duplicate",
        "near_duplicate",
        "target_reached",
    ]
    assert [one.nearest and one.nearest.similarity for one in dropped[2:4]] == [1.0, 1.0]
    assert [one.nearest and one.nearest.id for one in dropped[2:4]] == [seed.id, growing.accepted[0].id]
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
    growing = start(own, known, target_rows=70, requests_per_round=7, rows_per_request=6)
    carrier = "ذیل کی عبارت کا سلیس اردو ترجمہ کر دیں۔"
    pair = [
        row("translation", carrier, "بلی چھت پر سو رہی ہے۔", "The cat sleeps on the roof."),
        row("translation", carrier, "بازار بند ہے۔", "The market is closed today."),
    ]
    take(growing, [TeacherRequest("translation", "a", (), (), 0)], [reply(listed(pair))])
    assert len(growing.accepted) == 2
    paper = SelfInstruct(own, known, SMALL, Pool(scope="paper"), load_prompt_texts(), [])
    dropped = take(paper, [TeacherRequest("translation", "a", (), (), 0)], [reply(listed(pair))])
    assert [one.reason for one in dropped] == ["near_duplicate"]


@settings(max_examples=30)
@cases(
    strategies.lists(strategies.tuples(TEXT, TEXT, TEXT), max_size=6),
    strategies.sampled_from(["stop", "length"]),
)
def test_every_item_is_accepted_or_dropped(items: list[tuple[str, str, str]], finish: str) -> None:
    own, known = packs.load_pack("ur"), packs.load_pack("en")
    growing = SelfInstruct(own, known, SMALL, Pool(), load_prompt_texts(), [])
    text = "\n###\n".join(f"Instruction: {a}\nInput: {b}\nOutput: {c}" for a, b, c in items)
    pieces = item_format.read_items(text, finish, own)
    dropped = take(growing, [TeacherRequest("ethics", "a", (), (), 0)], [reply(text, finish)])
    assert len(growing.accepted) + len(dropped) == len(pieces) == growing.funnel.facts([]).whole.pieces


def test_a_teacher_with_nothing_new_is_given_up_not_asked_for_ever(own: Pack, known: Pack) -> None:
    growing = start(own, known, target_rows=70, requests_per_round=10, rows_per_request=6, min_acceptance=0.0)
    text = listed(candidates(own, "qa")[:2])
    rounds = 0
    while requests := growing.plan_round(TEACHERS):
        take(growing, requests, [reply(text) for _ in requests])
        rounds += 1
        assert rounds < 50
    assert all(task.saturated for task in growing.tasks.values())
    assert len(growing.accepted) == 2


def test_a_task_that_was_given_up_stays_so_when_a_round_asked_before_is_taken(own: Pack, known: Pack) -> None:
    growing = start(own, known, target_rows=700, requests_per_round=1, rows_per_request=6, min_acceptance=0.0)
    text = listed(candidates(own, "qa")[:1])
    ahead: list[list[TeacherRequest]] = []
    rounds = 0
    while True:
        while len(ahead) < 4 and (requests := growing.plan_round(TEACHERS, ahead)):
            ahead.append(requests)
        if not ahead:
            break
        requests = ahead.pop(0)
        take(growing, requests, [reply(text) for _ in requests])
        rounds += 1
        assert rounds < 100
    assert all(task.saturated for task in growing.tasks.values())


def test_the_paper_s_way_asks_for_the_paper_s_tasks_alone(own: Pack, known: Pack) -> None:
    growing = start(
        own, known, target_rows=5_000, requests_per_round=100, rows_per_request=6, weights="paper"
    )
    assert {request.task for request in growing.plan_round(TEACHERS)} == set(own.tasks) - {"roman"}


def test_keys_that_the_teacher_translated_are_read_by_the_pack_s_table(own: Pack, known: Pack) -> None:
    growing = SelfInstruct(own, known, SMALL, Pool(), load_prompt_texts(), [])
    one = candidates(own, "qa")[0]
    text = f"ہدایت: {one.instruction}\nان پٹ: <noinput>\nآؤٹ پٹ: {one.output}"
    take(growing, [TeacherRequest("qa", "a", (), (), 0)], [reply(text)])
    assert [(row.instruction, row.output) for row in growing.accepted] == [(one.instruction, one.output)]
    assert growing.format_deviations == {"translated_keys": 1}


def test_only_wordings_that_were_sent_are_listed(own: Pack, known: Pack, texts: PromptTexts) -> None:
    growing = SelfInstruct(own, known, SMALL, Pool(), texts, [])
    plain = RequestRecord(
        round=0, task="qa", teacher="a", shown=(), draw=0, request="r", strategy="plain", passage=""
    )

    def digests(*changes: dict[str, object]) -> dict[str, tuple[str, ...]]:
        growing.requests = [plain.model_copy(update=change) for change in changes]
        return growing.prompt_digests()

    assert digests() == {}
    assert digests({}) == {"qa": tuple(map(prompt_digest, own.tasks["qa"].templates))}
    assert set(digests({"strategy": "grounded"}, {"task": "ethics"})) == {"ethics", "qa", "grounded"}
    reverse = digests({"task": "generation", "strategy": "reverse"})
    assert reverse == {"reverse": (prompt_digest(texts.reverse_system),)}, "it has no wording of the task"
    critique, rewrite = map(prompt_digest, (texts.critique, texts.rewrite))
    assert digests({"turns": ("a", "b")})["revised"] == (critique,), "nothing came of any"
    assert digests({}, {"turns": ("a", "b", "c")})["revised"] == (critique, rewrite)
