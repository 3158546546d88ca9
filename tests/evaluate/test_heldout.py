"""Bits per byte: whole documents, sources alike, a row a language; of held-out rows the answer alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from alif import store
from alif.evaluate import heldout
from alif.evaluate.compare import MetricValues
from alif.evaluate.system import ask_student
from alif.records import Document, Example, Message
from alif.runs import StepOutput
from alif.student import Student, encode_answer, encode_prompt, write_prompt
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
    assert (one.facts.licence, other.facts.licence) == ("CC BY 4.0, MIT", "")
    assert one.facts.languages == ("ur", "en")
    assert one.facts.digest != other.facts.digest
    assert one.facts.digest == heldout.heldout_benchmark(chosen, 128, "en").facts.digest
    assert one.request.digest != heldout.heldout_benchmark(chosen, 128, "en").request.digest


def read_rows(blend: Path, folder: Path) -> list[Example]:
    with StepOutput(folder) as output:
        rows = heldout.read_heldout_rows(output, blend, ("ur", "en"))
    assert output.rows_in == output.kept == len(rows)
    return rows


def measure_answers(student: Student, rows: Sequence[Example]) -> dict[str, MetricValues]:
    benchmark = heldout.answers_benchmark(rows, "auto")
    assert benchmark.facts.provenance == "same-teacher"
    return {one.language: one for one in benchmark.score(ask_student(student, benchmark)).metrics}


def test_bits_count_the_answer_without_prompt_and_end(
    student: Student, needs: Mapping[str, Path], tmp_path: Path
) -> None:
    rows = read_rows(needs["blend"], tmp_path)
    found = measure_answers(student, rows)
    assert set(found) == {"ur", "en"}
    urdu = [row for row in rows if row.language == "ur"]
    costs = []
    for row in urdu:
        prompt = encode_prompt(
            write_prompt(row.instruction, row.input, "auto", student.tokenizer), student.tokenizer
        )
        answer = encode_answer(row.instruction, row.input, row.output, "auto", student.tokenizer)
        assert answer[-1] == student.tokenizer.eos_token_id
        costs += target_bits(student, [LikelihoodInput(prompt, answer[:-1])], 2048)
    expected = sum(costs) / sum(len(row.output.encode()) for row in urdu)
    assert found["ur"].items.value == pytest.approx(expected, rel=1e-6)
    assert len(found["ur"].items) == len(urdu)


def test_of_a_conversation_the_last_answer_counts_and_the_turns_are_context(
    student: Student, needs: Mapping[str, Path], tmp_path: Path
) -> None:
    alone = read_rows(needs["blend"], tmp_path)[0]
    turns = (Message(role="user", content="کیا حال ہے؟"), Message(role="assistant", content="ٹھیک ہے۔"))
    one, other = (
        measure_answers(student, [row])[row.language].items for row in (alone, alone.with_turns(turns))
    )
    assert one.sizes == other.sizes
    assert one.value != other.value
