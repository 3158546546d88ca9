"""Translate-test: three requests a question, each kept; the source language is asked as it is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from alif.benchmark_items import Item
from alif.evaluate.benchmark import Benchmark, GenerationRequest, ItemResult
from alif.evaluate.pairs import measure_pairs
from alif.evaluate.question_benchmark import question_benchmarks
from alif.evaluate.question_sets import QuestionSet
from alif.evaluate.system import external_systems
from alif.evaluate.translate_test import answer_by_translation
from alif.language.pack import load_pack
from alif.llm.chat_model import ScriptedReply
from alif.llm.demo_server import serve_demo
from alif.records import Example, Message, Origin
from alif.runs import Run, make_context
from alif.settings import BenchmarkTable, ExternalSystem, Runtime

UR, EN = load_pack("ur"), load_pack("en")


def question(language: str, text: str) -> Example:
    found = Example.make(language, "", text, "", "x", Origin(kind="source"))
    return found.with_turns((Message(role="user", content="a"), Message(role="assistant", content="b")))


def test_a_question_goes_there_and_its_answer_back() -> None:
    asked: list[list[str]] = []

    def ask(request: GenerationRequest) -> Sequence[ItemResult]:
        asked.append([one.instruction for one in request.questions])
        assert not any(one.turns for one in request.questions)
        step = len(asked)
        return [
            ItemResult(id=str(number), text=f"{step}.{number}", finished=step != 2 or number != 0)
            for number, _ in enumerate(request.questions)
        ]

    questions = [question("ur", "پانی؟"), question("en", "Water?"), question("ur", "ہوا؟")]
    found = answer_by_translation(ask, GenerationRequest(questions, "alpaca", 8), UR, EN)
    there, answers, back = asked
    assert [text.endswith(end) for text, end in zip(there, ("پانی؟", "ہوا؟"), strict=True)] == [True, True]
    assert "from Urdu into English" in there[0]
    assert answers == ["1.0", "Water?", "1.1"]
    assert "from English into Urdu" in back[0]
    assert [text.rpartition("\n")[2] for text in back] == ["2.0", "2.2"]
    assert [(one.text, one.steps, one.finished) for one in found] == [
        ("3.0", ("1.0", "2.0"), False),
        ("2.1", (), True),
        ("3.1", ("1.1", "2.2"), True),
    ]


def sums() -> Benchmark:
    item = Item("a", "چھ ضرب سات؟", answers=("42",), columns={"q": ""})
    table = BenchmarkTable(form="number", files=("x",))
    (found,) = question_benchmarks(QuestionSet("sums", table, [item], UR), "alpaca", 16)
    return found


def test_an_endpoint_is_asked_three_times_through_the_ledger(tmp_path: Path) -> None:
    context = make_context(Run(tmp_path), "evaluate", Runtime(device="cpu", threads=1))
    asked = []

    def script(messages: list[Message], draw: int) -> ScriptedReply:
        asked.append(messages[-1].content)
        return ScriptedReply(text=["Six times seven?", "It is 42.", "جواب ۴۲ ہے۔"][len(asked) - 1])

    with serve_demo(script) as server:
        table = ExternalSystem(model="m", base_url=server.address, translate_test=True)
        (plain,) = external_systems(context, {"s": table.model_copy(update={"translate_test": False})}, 8)
        (system,) = external_systems(context, {"s": table}, 8, (UR, EN))
        one = sums()
        (found,) = measure_pairs(context, system, [one])["sums"]
        assert measure_pairs(context, system, [one])["sums"] == [found]
    assert len(asked) == 3
    assert (found.text, found.steps) == ("جواب ۴۲ ہے۔", ("Six times seven?", "It is 42."))
    assert {value.metric: value.items.value for value in one.score([found]).metrics}["number"] == 1
    assert system.facts.digest != plain.facts.digest


@pytest.mark.parametrize("form", ["choice", "pair"])
def test_log_probability_is_not_measurable_by_translation(tmp_path: Path, form: str) -> None:
    context = make_context(Run(tmp_path), "evaluate", Runtime(device="cpu", threads=1))
    table = BenchmarkTable.model_validate({"form": form, "files": "x"})
    asked = QuestionSet("b", table, [Item("a", "x", ("y", "z"), 0, columns={"q": ""})], UR)
    (one,) = question_benchmarks(asked, "alpaca", 8)
    settings = ExternalSystem(model="m", base_url="http://localhost:1/v1", translate_test=True)
    (system,) = external_systems(context, {"s": settings}, 8, (UR, EN))
    assert system.describe([one]).not_measurable == ("b",)
