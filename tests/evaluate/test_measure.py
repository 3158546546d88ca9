"""The step: its files, its counts, twice the same bytes, other systems beside the stages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from alif import store
from alif.errors import DataError
from alif.evaluate.measure import evaluate_systems
from alif.evaluate.run_comparison import read_item_values
from alif.facts import read_facts
from alif.facts.evaluation_facts import AnswerRow, Comparison, EvaluateFacts
from alif.llm.chat_model import ScriptedReply
from alif.llm.demo_server import serve_demo
from alif.records import STAGES, Counts, Score
from alif.runs import Run, make_context
from alif.settings import (
    Benchmarks,
    BenchmarkTable,
    Evaluate,
    ExternalSystem,
    Finetune,
    Language,
    Pretrain,
    Runtime,
    Sources,
)

FILES = ("scores.jsonl", "differences.jsonl", "answers.jsonl", "dropped.jsonl", "not_sampled.jsonl")


ASKED = Benchmarks(multiple_choice=("small.en.jsonl",))
NOTHING = Benchmarks(test=("none.jsonl",))


def work(
    needs: Mapping[str, Path],
    folder: Path,
    benchmarks: Benchmarks = ASKED,
    systems: Mapping[str, ExternalSystem] | None = None,
    tables: Mapping[str, BenchmarkTable] | None = None,
    **evaluate: object,
) -> Counts:
    """Run the step in `folder`/step, with `folder`'s parent as the data folder."""
    runtime = Runtime(device="cpu", threads=1)
    context = make_context(Run(folder), "evaluate", runtime, inputs=needs, folder=folder / "step")
    settings = {"questions": 7, "max_new_tokens": 8, "bootstrap_samples": 100, **evaluate}
    with context.output:
        facts = evaluate_systems(
            context,
            language=Language(),
            sources=Sources(folder=str(folder.parent)),
            benchmarks=benchmarks,
            benchmark=tables or {},
            system=systems or {},
            evaluate=Evaluate.model_validate(settings),
            pretrain=Pretrain(max_seq_length=64),
            finetune=Finetune(),
        )
    return context.output.count(facts)


@pytest.fixture(scope="module")
def done(needs: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Counts]:
    root = tmp_path_factory.mktemp("evaluate")
    rows = [
        {"id": str(n), "question": f"Two and {n} is", "choices": ["one", "two", "ten"], "gold": n % 3}
        for n in range(6)
    ]
    store.write_rows(root / "small.en.jsonl", [*rows, {"question": "no choices"}])
    counts = work(needs, root / "one")
    return root / "one" / "step", counts


def test_one_row_a_stage_and_language(done: tuple[Path, Counts]) -> None:
    scores = list(store.read_models(done[0] / "scores.jsonl", Score))
    for benchmark, metric in (("heldout", "bits_per_byte"), ("answers", "answer_bits_per_byte")):
        found = Counter(
            (one.stage, one.language) for one in scores if (one.benchmark, one.metric) == (benchmark, metric)
        )
        assert found == dict.fromkeys([(stage, code) for stage in STAGES for code in ("ur", "en")], 1)
    assert all(one.low <= one.value <= one.high and one.n > 0 and one.signature for one in scores)
    assert max(Counter((one.stage, one.benchmark, one.metric, one.language) for one in scores).values()) == 1


def test_every_score_of_a_later_stage_has_its_difference(done: tuple[Path, Counts]) -> None:
    scores = {
        (s.stage, s.benchmark, s.metric, s.language): s
        for s in store.read_models(done[0] / "scores.jsonl", Score)
    }
    found = list(store.read_models(done[0] / "differences.jsonl", Comparison))
    assert {(d.stage, d.benchmark, d.metric, d.language) for d in found} == {
        key for key in scores if key[0] != "base"
    }
    for one in found:
        after, before = (
            scores[stage, one.benchmark, one.metric, one.language] for stage in (one.stage, "base")
        )
        assert one.difference == pytest.approx(after.value - before.value, abs=2e-6)
        assert one.low <= one.difference <= one.high
    verdicts = {one.verdict for one in found if one.language == "en" and one.benchmark == "heldout"}
    assert verdicts <= {"retained", "lost", "cannot tell"}


def test_answers_to_other_benchmarks_stand_side_by_side(done: tuple[Path, Counts]) -> None:
    rows = list(store.read_models(done[0] / "benchmark_answers.jsonl", AnswerRow))
    assert {row.benchmark for row in rows} == {"small.en"}
    assert {row.id for row in rows} == {str(number) for number in range(6)}
    for row in rows:
        assert set(row.answers) == set(STAGES)
        assert set(row.answers.values()) <= set(row.input.split("\n"))
        for stage, answer in row.answers.items():
            assert row.marks[stage]["accepted"] == (answer == row.reference)
    right = sum(bool(row.marks["base"]["accepted"]) for row in rows)
    scores = store.read_models(done[0] / "scores.jsonl", Score)
    (accuracy,) = [s for s in scores if (s.stage, s.metric) == ("base", "accuracy")]
    assert accuracy.value == pytest.approx(right / 6, abs=1e-6)


def test_scores_are_kept_item_by_item(done: tuple[Path, Counts]) -> None:
    scores = {
        (one.benchmark, one.metric, one.language): one
        for one in store.read_models(done[0] / "scores.jsonl", Score)
        if one.stage == "finetune"
    }
    kept = read_item_values(done[0] / "finetune")
    assert {name for name, _, _ in kept} == {"heldout", "answers", "test", "small"}
    for key, values in kept.items():
        assert values.items.value == pytest.approx(scores[key].value, abs=1e-6)
        assert len(set(values.ids)) == scores[key].n


def test_counts_and_facts(done: tuple[Path, Counts]) -> None:
    folder, counts = done
    assert counts.dropped == {"no_gold": 1}
    assert counts.rows_in == counts.kept + 1 + counts.not_sampled
    assert len(list(store.read_rows(folder / "dropped.jsonl"))) == 1
    assert len(list(store.read_rows(folder / "not_sampled.jsonl"))) == counts.not_sampled > 0
    facts = read_facts(counts.facts, EvaluateFacts)
    assert facts.questions == len(list(store.read_rows(folder / "answers.jsonl"))) == 7
    assert counts.kept == facts.documents + facts.held_out_rows + facts.questions + facts.choices
    assert facts.gold.right == 7
    kept = {(row.stage, row.benchmark): row.verdict for row in facts.retention}
    assert set(kept) == {(stage, name) for stage in ("pretrain", "finetune") for name in ("heldout", "small")}
    assert kept["finetune", "small"] == "not measurable"
    assert [one.name for one in facts.systems] == list(STAGES)
    assert [(one.name, one.n) for one in facts.benchmarks][2:] == [("test", 7), ("small.en", 6)]


def test_each_pair_has_a_folder_with_its_scores_and_answers(done: tuple[Path, Counts]) -> None:
    folder, _ = done
    parts = [
        one
        for stage in STAGES
        for name in ("heldout", "answers", "test", "small.en")
        for one in store.read_models(folder / stage / name / "scores.jsonl", Score)
    ]
    assert parts == list(store.read_models(folder / "scores.jsonl", Score))
    answers = {row["id"]: row for _, row in store.read_rows(folder / "answers.jsonl")}
    for _, row in store.read_rows(folder / "pretrain" / "test" / "answers.jsonl"):
        assert row.get("text", "") == answers[row["id"]]["answers"]["pretrain"]
        assert row["marks"] == answers[row["id"]]["marks"]["pretrain"]
    assert all(len(row["bits"]) == 3 for _, row in store.read_rows(folder / "base/small.en/answers.jsonl"))


def test_twice_the_same_bytes(done: tuple[Path, Counts], needs: Mapping[str, Path]) -> None:
    root = done[0].parent.with_name("two")
    assert work(needs, root) == done[1]
    for name in FILES:
        assert (root / "step" / name).read_bytes() == (done[0] / name).read_bytes()


def test_other_systems_stand_beside_the_stages(
    done: tuple[Path, Counts], needs: Mapping[str, Path], tmp_path: Path
) -> None:
    """A folder is measured on everything, an endpoint on the test set alone."""
    store.write_text(tmp_path / "small.en.jsonl", store.read_text(done[0].parent.parent / "small.en.jsonl"))
    with serve_demo(lambda messages, draw: ScriptedReply(text=f"جواب: {messages[-1].content[:4]}")) as server:
        systems = {
            "copy": ExternalSystem(model=str(needs["base"] / "model")),
            "served": ExternalSystem(model="m", base_url=server.address),
        }
        counts = work(needs, tmp_path / "run", systems=systems)
    folder = tmp_path / "run" / "step"
    assert (folder / "differences.jsonl").read_bytes() == (done[0] / "differences.jsonl").read_bytes()
    scores = list(store.read_models(folder / "scores.jsonl", Score))
    of = {
        name: {(s.benchmark, s.metric, s.language): s.value for s in scores if s.stage == name}
        for name in ("base", "copy", "served")
    }
    assert of["copy"] == of["base"]
    assert {benchmark.partition("/")[0] for benchmark, _, _ in of["served"]} == {"test", "fidelity"}
    facts = read_facts(counts.facts, EvaluateFacts)
    assert {one.name: one.not_measurable for one in facts.systems}["served"] == (
        "heldout",
        "answers",
        "small.en",
    )
    assert [path.name for path in (folder / "served").iterdir()] == ["test"]
    (first, *_) = store.read_rows(folder / "answers.jsonl")
    assert first[1]["answers"]["served"] == f"جواب: {first[1]['instruction'][:4]}".strip()
    assert (folder / "copy" / "test" / "answers.jsonl").read_bytes() == (
        done[0] / "base" / "test" / "answers.jsonl"
    ).read_bytes()


def test_stages_are_different_models(done: tuple[Path, Counts]) -> None:
    values = [
        s.value
        for s in store.read_models(done[0] / "scores.jsonl", Score)
        if (s.benchmark, s.language) == ("heldout", "ur")
    ]
    assert len(set(values)) == 3


def test_nothing_to_measure_is_a_sentence(needs: Mapping[str, Path], tmp_path: Path) -> None:
    for step in ("corpus", "blend"):
        for name in ("examples.jsonl", "held_out.jsonl"):
            store.write_rows(tmp_path / step / name, ())
    store.write_rows(tmp_path / "none.jsonl", ())
    empty = {**needs, "corpus": tmp_path / "corpus", "blend": tmp_path / "blend"}
    with pytest.raises(DataError, match="nothing is held out"):
        work(empty, tmp_path / "run", NOTHING)


def test_one_kind_alone_is_enough(needs: Mapping[str, Path], tmp_path: Path) -> None:
    store.write_rows(tmp_path / "none.jsonl", ())
    counts = work(needs, tmp_path / "run", NOTHING, documents=1)
    facts = read_facts(counts.facts, EvaluateFacts)
    assert (facts.questions, facts.choices, facts.documents) == (0, 0, 4)
