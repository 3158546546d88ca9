"""Bits per byte of documents: whole documents, sources alike, one overall row a language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from alif import store
from alif.evaluate import heldout
from alif.evaluate.compare import MetricValues
from alif.evaluate.system import ask_student
from alif.records import Document
from alif.runs import StepOutput
from alif.student import Student
from alif.student.likelihood import LikelihoodInput, target_bits


def sample(
    corpus: Path, folder: Path, languages: Sequence[str] = ("ur", "en"), each: int = 0
) -> tuple[list[Document], StepOutput]:
    with StepOutput(folder) as output:
        return heldout.sample_documents(output, corpus, languages, each, 1), output


def measure(student: Student, documents: Sequence[Document], window: int = 2048) -> Sequence[MetricValues]:
    benchmark = heldout.heldout_benchmark(documents, window, "en")
    return benchmark.score(ask_student(student, benchmark)).metrics


def test_only_held_out_documents_by_language_and_source(needs: Mapping[str, Path], tmp_path: Path) -> None:
    found, output = sample(needs["corpus"], tmp_path)
    names = {row["id"] for _, row in store.read_rows(needs["corpus"] / "held_out.jsonl")}
    assert {one.id for one in found} == names
    assert [(one.language, one.source) for one in found] == sorted(
        ((one.language, one.source) for one in found), key=lambda key: (key[0] != "ur", key)
    )
    assert output.rows_in == output.kept == len(names)


def test_a_limit_counts_for_each_source_and_leaves_the_others_unsampled(
    needs: Mapping[str, Path], tmp_path: Path
) -> None:
    found, output = sample(needs["corpus"], tmp_path, each=1)
    assert [(one.language, one.source) for one in found] == [
        ("ur", "first"),
        ("ur", "second"),
        ("en", "first"),
        ("en", "second"),
    ]
    left_out = {row["id"] for _, row in store.read_rows(tmp_path / "not_sampled.jsonl")}
    assert left_out.isdisjoint(one.id for one in found)
    assert output.rows_in == output.kept + output.left_out == 4 + len(left_out)


def test_bits_per_byte_equal_a_hand_computation(
    student: Student, needs: Mapping[str, Path], tmp_path: Path
) -> None:
    chosen, _ = sample(needs["corpus"], tmp_path, ("ur",))
    found = {one.benchmark: one for one in measure(student, chosen)}
    rates: dict[str, tuple[float, int]] = {}
    for one in chosen:
        tokens = student.tokenizer(one.text, add_special_tokens=False)["input_ids"]
        (cost,) = target_bits(student, [LikelihoodInput([student.tokenizer.bos_token_id], tokens)], 2048)
        spent, size = rates.get(one.source, (0.0, 0))
        rates[one.source] = spent + cost, size + len(one.text.encode())
    for source, (spent, size) in rates.items():
        assert found[f"heldout/{source}"].items.value == pytest.approx(spent / size, rel=1e-6)
    macro = sum(spent / size for spent, size in rates.values()) / 2
    assert found["heldout"].items.value == pytest.approx(macro, rel=1e-6)
    assert found["heldout"].lower_is_better


def test_one_overall_row_a_language_and_a_margin_for_the_source_language(
    student: Student, needs: Mapping[str, Path], tmp_path: Path
) -> None:
    found = measure(student, sample(needs["corpus"], tmp_path)[0], 256)
    overall = [(one.metric, one.language, one.margin is None) for one in found if one.benchmark == "heldout"]
    assert overall == [("bits_per_byte", "ur", True), ("bits_per_byte", "en", False)]
    assert {one.benchmark for one in found} == {"heldout", "heldout/first", "heldout/second"}


def test_a_window_loses_no_text(student: Student, needs: Mapping[str, Path], tmp_path: Path) -> None:
    """Shorter windows only make the text dearer."""
    chosen, _ = sample(needs["corpus"], tmp_path, ("ur",))
    long, short = (measure(student, chosen, window)[0].items for window in (2048, 16))
    assert (long.sizes == short.sizes).all()
    assert short.value == pytest.approx(long.value, rel=0.05)


def test_special_tokens_in_a_text_are_text(student: Student) -> None:
    document = Document.make("ur", "پانی <|end|> پانی", source="x")
    assert measure(student, [document], 64)[0].items.sizes[0] == len(document.text.encode())


def test_the_benchmark_is_its_documents_and_names_their_licences(
    needs: Mapping[str, Path], tmp_path: Path
) -> None:
    chosen, _ = sample(needs["corpus"], tmp_path)
    licensed = [
        one.model_copy(update={"licence": licence})
        for one, licence in zip(chosen, ("MIT", "CC BY 4.0") * len(chosen), strict=False)
    ]
    one, other = (heldout.heldout_benchmark(some, 64, "en") for some in (licensed, chosen[1:]))
    assert (one.licence, other.licence) == ("CC BY 4.0, MIT", "")
    assert one.languages == ("ur", "en")
    assert one.digest != other.digest
    assert one.digest == heldout.heldout_benchmark(chosen, 128, "en").digest
    assert one.settings_digest != heldout.heldout_benchmark(chosen, 128, "en").settings_digest
