"""The step: its files, its contract, twice the same bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from alif import recipe, store
from alif.errors import DataError
from alif.evaluate.compare import Comparison
from alif.evaluate.measure import evaluate_stages
from alif.records import STAGES, Counts, Score
from alif.runs import Run, make_context

FILES = ("scores.jsonl", "differences.jsonl", "answers.jsonl", "dropped.jsonl")


ASKED = recipe.Benchmarks(multiple_choice=("small.en.jsonl",))
NOTHING = recipe.Benchmarks(test=("none.jsonl",))


def work(
    needs: Mapping[str, Path], folder: Path, benchmarks: recipe.Benchmarks = ASKED, **evaluate: object
) -> Counts:
    folder.mkdir()
    runtime = recipe.Runtime(device="cpu", threads=1)
    context = make_context(Run(folder), "evaluate", runtime, inputs=needs, folder=folder)
    settings = {"questions": 7, "answer_tokens": 8, "resamples": 100, **evaluate}
    return evaluate_stages(
        context,
        language=recipe.Language(),
        sources=recipe.Sources(folder=str(folder.parent)),
        benchmarks=benchmarks,
        evaluate=recipe.Evaluate.model_validate(settings),
        pretrain=recipe.Pretrain(max_seq_length=64),
        finetune=recipe.Finetune(),
    )


@pytest.fixture(scope="module")
def done(needs: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Counts]:
    root = tmp_path_factory.mktemp("evaluate")
    rows = [
        {"id": str(n), "question": f"Two and {n} is", "choices": ["one", "two", "ten"], "gold": n % 3}
        for n in range(6)
    ]
    store.write_rows(root / "small.en.jsonl", [*rows, {"question": "no choices"}])
    return root / "one", work(needs, root / "one")


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


def test_counts_and_facts(done: tuple[Path, Counts]) -> None:
    folder, counts = done
    assert counts.rows_in == counts.kept + 1
    assert counts.dropped == {"not_multiple_choice": 1}
    assert len(list(store.read_rows(folder / "dropped.jsonl"))) == 1
    facts = counts.facts
    assert facts["questions"] == len(list(store.read_rows(folder / "answers.jsonl"))) == 7
    assert counts.kept == facts["documents"] + facts["held_out_rows"] + facts["questions"] + facts["choices"]
    assert facts["gold"]["right"] == 7
    kept = {(row["stage"], row["benchmark"]): row["verdict"] for row in facts["retention"]}
    assert set(kept) == {(stage, name) for stage in ("pretrain", "finetune") for name in ("heldout", "small")}
    assert kept["finetune", "small"] == "not measurable"


def test_twice_the_same_bytes(done: tuple[Path, Counts], needs: Mapping[str, Path]) -> None:
    again = done[0].with_name("two")
    assert work(needs, again) == done[1]
    for name in FILES:
        assert (again / name).read_bytes() == (done[0] / name).read_bytes()


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
        work(empty, tmp_path / "step", NOTHING)


def test_one_kind_alone_is_enough(needs: Mapping[str, Path], tmp_path: Path) -> None:
    store.write_rows(tmp_path / "none.jsonl", ())
    counts = work(needs, tmp_path / "step", NOTHING, documents=1)
    assert counts.facts["questions"] == counts.facts["choices"] == 0
    assert counts.facts["documents"] == 4
