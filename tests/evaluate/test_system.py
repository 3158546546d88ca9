"""Systems: stages, folders and endpoints, each with a digest of what decides its results."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from alif import store
from alif.errors import ModelError
from alif.evaluate.benchmark import Benchmark, GenerationRequest, LikelihoodRequest, PairScores
from alif.evaluate.system import ask_endpoint, ask_student, external_systems, stage_systems
from alif.facts.evaluation_facts import BenchmarkFacts
from alif.llm.chat_model import ScriptedReply
from alif.llm.demo_server import serve_demo
from alif.records import STAGES, Example, Message, Origin
from alif.runs import Run, StepContext, make_context
from alif.settings import ExternalSystem, Runtime, Teacher
from alif.student import Student, load_student
from alif.student.adapter import weigh_adapter
from alif.student.likelihood import LikelihoodInput

RUNTIME = Runtime(device="cpu", threads=1)
WRITE = GenerationRequest((), "auto", 8)
READ = LikelihoodRequest(lambda student: [[LikelihoodInput([0], [5, 9])], [LikelihoodInput([0], [7])]])


@pytest.fixture
def context(needs: Mapping[str, Path], tmp_path: Path) -> StepContext:
    return make_context(Run(tmp_path), "evaluate", RUNTIME, inputs=needs)


def benchmark(request: LikelihoodRequest | GenerationRequest, *ids: str) -> Benchmark:
    facts = BenchmarkFacts(name="x", languages=(), provenance="native", licence="", n=len(ids), digest="d")
    return Benchmark(facts, ids, request, lambda results: PairScores(()))


def test_stages_are_the_base_and_its_adapters(context: StepContext) -> None:
    found = stage_systems(context)
    assert [one.name for one in found] == list(STAGES)
    assert len({one.facts.digest for one in found}) == len({one.engine for one in found}) + 2 == 3
    bits = [ask_student(one.load(), benchmark(READ, "a", "b")) for one in found if one.load]
    assert len({result[0].bits for result in bits}) == 3


def test_a_third_stage_is_measured_where_it_ran(context: StepContext, tmp_path: Path) -> None:
    (tmp_path / "prefer").mkdir()  # as of a run without pairs
    there = replace(context, inputs={**context.inputs, "prefer": tmp_path / "prefer"})
    assert [one.name for one in stage_systems(there)] == list(STAGES)
    shutil.copytree(context.inputs["finetune"] / "adapter", tmp_path / "prefer" / "adapter")
    assert [one.name for one in stage_systems(there)] == [*STAGES, "prefer"]


def test_merged_models_are_systems_behind_the_stages(context: StepContext, tmp_path: Path) -> None:
    for weight in (0.6, 0.4):
        weigh_adapter(
            context.inputs["finetune"] / "adapter", tmp_path / f"merge-{weight}", weight, lambda _, copy: copy
        )
    found = stage_systems(replace(context, inputs={**context.inputs, "merge": tmp_path}))
    assert [one.name for one in found] == [*STAGES, "merge-0.4", "merge-0.6"]
    assert len({one.facts.digest for one in found}) == 5
    bits = [ask_student(one.load(), benchmark(READ, "a", "b"))[0].bits for one in found if one.load]
    assert len(set(bits)) == 5


def test_another_adapter_is_another_system(context: StepContext, tmp_path: Path) -> None:
    before = stage_systems(context)[1].facts.digest
    other = {**context.inputs, "pretrain": context.inputs["finetune"]}
    assert stage_systems(replace(context, inputs=other))[1].facts.digest != before


def test_a_folder_is_a_system_of_the_same_digest_as_the_base_that_it_is(context: StepContext) -> None:
    model = context.inputs["base"] / "model"
    (found,) = external_systems(context, {"copy": ExternalSystem(model=str(model))}, 8)
    assert found.facts.digest == store.read_json(context.inputs["base"] / "base.json")["digest"]
    assert found.can_answer(READ)
    assert found.can_answer(WRITE)
    assert found.load is not None
    assert ask_student(found.load(), benchmark(READ, "a", "b")) == ask_student(
        load_student(context.inputs["base"], None, RUNTIME), benchmark(READ, "a", "b")
    )


def test_a_folder_that_is_not_there_is_a_sentence(context: StepContext) -> None:
    with pytest.raises(ModelError, match="no such folder"):
        external_systems(context, {"x": ExternalSystem(model="nowhere")}, 8)


def test_an_endpoint_writes_and_does_not_read(context: StepContext) -> None:
    settings = {
        "a": ExternalSystem(model="m", base_url="http://localhost:1/v1"),
        "b": ExternalSystem(model="m", base_url="http://localhost:2/v1"),
    }
    one, other = external_systems(context, settings, 8)
    assert one.can_answer(WRITE)
    assert not one.can_answer(READ)
    assert one.facts.digest != other.facts.digest
    assert one.endpoint is not None
    assert (one.endpoint.temperature, one.endpoint.max_tokens) == (0.0, 8)


def test_an_endpoint_is_asked_through_the_ledger(context: StepContext) -> None:
    """Input and earlier turns arrive; a truncated answer is not finished; the second time is free."""
    asked: list[list[Message]] = []

    def script(messages: list[Message], draw: int) -> ScriptedReply:
        asked.append(list(messages))
        cut = messages[-1].content.startswith("cut")
        return ScriptedReply(text=f" {len(messages)} ", finish="length" if cut else "stop")

    origin = Origin(kind="source")
    questions = [
        Example.make("ur", "qa", "whole", "and input", "x", origin),
        Example.make("ur", "qa", "cut", "", "x", origin).with_turns(
            (Message(role="system", content="brief"),)
        ),
    ]
    with serve_demo(script) as server:
        endpoint = Teacher(model="m", base_url=server.address, temperature=0.0)
        ids, request = ["one", "two"], GenerationRequest(questions, "auto", 8)
        found = [ask_endpoint(context, "served", endpoint, ids, request) for _ in range(2)]
    assert found[0] == found[1]
    assert [(one.id, one.text, one.finished) for one in found[0]] == [("one", "1", True), ("two", "2", False)]
    assert sorted(messages[-1].content for messages in asked) == ["cut", "whole\n\nand input"]
    assert context.output.cost_usd == 0


def test_log_probabilities_that_are_not_finite_are_refused(needs: Mapping[str, Path]) -> None:
    student = load_student(needs["base"], None, RUNTIME)
    next(iter(student.model.parameters())).data.fill_(float("nan"))
    with pytest.raises(ModelError, match="not finite"):
        ask_student(student, benchmark(READ, "a", "b"))


def test_a_local_model_answers_in_the_order_of_the_questions(student: Student) -> None:
    questions = [
        Example.make("ur", "qa", text, "", "x", Origin(kind="source"))
        for text in ("پانی " * 9, "لاہور", "آم " * 4)
    ]
    ids = tuple(question.id for question in questions)
    found = ask_student(student, benchmark(GenerationRequest(questions, "auto", 8), *ids))
    assert [one.id for one in found] == list(ids)
    alone = benchmark(GenerationRequest(questions[1:2], "auto", 8), ids[1])
    assert ask_student(student, alone) == found[1:2]
