"""Pairs: measured once, kept by what decides the result, written where the report finds them."""

from __future__ import annotations

from pathlib import Path

import pytest

from alif import store
from alif.benchmark_items import Item
from alif.evaluate.benchmark import Benchmark, ItemResult, PairScores
from alif.evaluate.pairs import measure_pairs, write_pair
from alif.evaluate.question_benchmark import question_benchmarks
from alif.evaluate.question_sets import QuestionSet
from alif.evaluate.system import System
from alif.facts.evaluation_facts import AnswerMarks, SystemFacts
from alif.language.pack import load_pack
from alif.records import Score
from alif.runs import Run, StepContext, make_context
from alif.settings import BenchmarkTable, Runtime, Teacher
from alif.student import Student


def questions(name: str, gold: int = 0) -> Benchmark:
    asked = [Item(f"{name}{n}", f"Two and {n} is", ("one", "ten"), gold) for n in range(3)]
    table = BenchmarkTable(form="choice", files=("x",))
    (found,) = question_benchmarks(QuestionSet(name, table, asked, load_pack("en")), "auto", 8)
    return found


@pytest.fixture
def context(tmp_path: Path) -> StepContext:
    return make_context(Run(tmp_path), "evaluate", Runtime(device="cpu", threads=1))


class Loads:
    """A system that counts how often its model is loaded."""

    def __init__(self, student: Student) -> None:
        self.student, self.count = student, 0

    def system(self, digest: str = "d", engine: str = "cpu") -> System:
        def load() -> Student:
            self.count += 1
            return self.student

        return System(SystemFacts(name="base", model="tiny", digest=digest), engine, load)


def test_a_pair_is_measured_once_and_a_new_benchmark_alone(context: StepContext, student: Student) -> None:
    loads = Loads(student)
    first = measure_pairs(context, loads.system(), [questions("one")])
    assert measure_pairs(context, loads.system(), [questions("one")]) == first
    assert loads.count == 1
    old = {path: path.stat().st_mtime_ns for path in (context.scratch / "results").iterdir()}
    both = measure_pairs(context, loads.system(), [questions("one"), questions("two")])
    assert (loads.count, both["one"]) == (2, first["one"])
    assert set(both) == {"one", "two"}
    assert all(path.stat().st_mtime_ns == when for path, when in old.items())
    assert len(list((context.scratch / "results").iterdir())) == len(old) + 1


def test_other_weights_another_engine_and_other_items_are_other_pairs(
    context: StepContext, student: Student
) -> None:
    loads = Loads(student)
    for system, benchmark in (
        (loads.system(), questions("one")),
        (loads.system("other"), questions("one")),
        (loads.system(engine="cuda"), questions("one")),
        (loads.system(), questions("one", gold=1)),
    ):
        measure_pairs(context, system, [benchmark])
    assert loads.count == len(list((context.scratch / "results").iterdir())) == 4


def test_results_come_back_to_the_last_bit(context: StepContext, student: Student) -> None:
    system, benchmark = Loads(student).system(), questions("one")
    found = measure_pairs(context, system, [benchmark])["one"]
    assert [one.id for one in found] == list(benchmark.ids)
    assert all(len(one.bits) == 2 and one.bits[0] != one.bits[1] for one in found)
    (path,) = (context.scratch / "results").iterdir()
    assert list(store.read_models(path, ItemResult)) == found


def test_an_endpoint_gives_no_log_probabilities(context: StepContext) -> None:
    facts = SystemFacts(name="served", model="m", digest="d")
    system = System(facts, endpoint=Teacher(model="m", base_url="http://127.0.0.1:1/v1"))
    assert measure_pairs(context, system, [questions("one")]) == {}
    assert system.describe([questions("one")]).not_measurable == ("one",)


def test_results_are_written_with_their_marks(tmp_path: Path) -> None:
    results = [ItemResult(id="a", bits=(1.0, 2.0)), ItemResult(id="b", text="آم", finished=False)]
    marks: AnswerMarks = {
        "accepted": None,
        "exact_match": True,
        "chrf++": 9.5,
        "faults": ["unfinished"],
        "finished": False,
    }
    score = Score(
        stage="base", benchmark="x", metric="m", language="en", value=1, low=0, high=1, n=3, signature="x"
    )
    write_pair(tmp_path / "bits", results[:1], PairScores([]), [score])
    write_pair(tmp_path / "text", results[1:], PairScores([], [marks], {"bleu": 12.5}), [score])
    assert store.read_json(tmp_path / "text" / "corpus.json") == {"bleu": 12.5}
    assert list(store.read_models(tmp_path / "bits" / "scores.jsonl", Score)) == [score]
    assert next(store.read_rows(tmp_path / "bits" / "answers.jsonl"))[1] == {"id": "a", "bits": [1.0, 2.0]}
    row = {"id": "b", "text": "آم", "finished": False, "marks": marks}
    assert next(store.read_rows(tmp_path / "text" / "answers.jsonl"))[1] == row
