"""Bits per byte of reference answers: the answer alone counts, in each language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from alif.evaluate import heldout_answers
from alif.evaluate.compare import MetricValues
from alif.evaluate.system import ask_student
from alif.records import Example, Message
from alif.runs import StepOutput
from alif.student import Student, encode_answer, encode_prompt, write_prompt
from alif.student.likelihood import LikelihoodInput, target_bits


def read(blend: Path, folder: Path) -> list[Example]:
    with StepOutput(folder) as output:
        rows = heldout_answers.read_heldout_rows(output, blend, ("ur", "en"))
    assert output.rows_in == output.kept == len(rows)
    return rows


def measure(student: Student, rows: Sequence[Example]) -> dict[str, MetricValues]:
    benchmark = heldout_answers.answers_benchmark(rows, "auto")
    assert benchmark.provenance == "same teacher"
    return {one.language: one for one in benchmark.score(ask_student(student, benchmark)).metrics}


def test_bits_count_the_answer_without_prompt_and_end(
    student: Student, needs: Mapping[str, Path], tmp_path: Path
) -> None:
    rows = read(needs["blend"], tmp_path)
    found = measure(student, rows)
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
    alone = read(needs["blend"], tmp_path)[0]
    turns = (Message(role="user", content="کیا حال ہے؟"), Message(role="assistant", content="ٹھیک ہے۔"))
    one, other = (measure(student, [row])[row.language].items for row in (alone, alone.with_turns(turns)))
    assert one.sizes == other.sizes
    assert one.value != other.value
