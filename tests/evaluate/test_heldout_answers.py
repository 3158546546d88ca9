"""Asking: the same answer alone and in company, an end at the end token; surprise of reference answers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch

from alif.evaluate import heldout_answers
from alif.evaluate.likelihood import LikelihoodInput, target_bits
from alif.recipe import Runtime
from alif.student import Student, encode_answer, encode_prompt, load_student, write_prompt

PROMPTS = (
    "پانی",
    "What is the formula of water? " * 6,
    "لاہور ایک شہر ہے۔ " * 3,
    "1",
    "The river is long and the city is old.",
)


def test_batching_does_not_change_answers(needs: Mapping[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    student = load_student(needs["base"], needs["finetune"] / "adapter", Runtime(device="cpu", threads=1))
    together = heldout_answers.generate_answers(student, PROMPTS, 24)
    monkeypatch.setattr(heldout_answers, "ASKED_AT_ONCE", 1)
    assert heldout_answers.generate_answers(student, PROMPTS, 24) == together
    assert len({answer.text for answer in together}) > 1


def test_answers_are_the_likeliest_tokens(student: Student) -> None:
    tokens = encode_prompt(PROMPTS[2], student.tokenizer)
    start = len(tokens)
    for _ in range(12):
        tokens.append(int(student.model(input_ids=torch.tensor([tokens])).logits[0, -1].argmax()))
    expected = student.tokenizer.decode(tokens[start:], skip_special_tokens=True).strip()
    assert heldout_answers.generate_answers(student, PROMPTS, 12)[2].text == expected


def test_an_answer_ends_at_an_end_token_of_the_model(
    student: Student, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = heldout_answers.generate_answers(student, [PROMPTS[0]], 6)[0]
    assert not whole.finished
    tokens = encode_prompt(PROMPTS[0], student.tokenizer)
    first = int(student.model(input_ids=torch.tensor([tokens])).logits[0, -1].argmax())
    monkeypatch.setattr(student.model.generation_config, "eos_token_id", [first])
    assert heldout_answers.generate_answers(student, [PROMPTS[0]], 6) == [heldout_answers.Answer("", True)]


def test_a_models_own_sampling_settings_do_not_count(
    student: Student, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = heldout_answers.generate_answers(student, PROMPTS, 8)
    for name, value in {
        "repetition_penalty": 5.0,
        "do_sample": True,
        "temperature": 2.0,
        "min_new_tokens": 8,
    }.items():
        monkeypatch.setattr(student.model.generation_config, name, value)
    assert heldout_answers.generate_answers(student, PROMPTS, 8) == before


def test_surprise_counts_the_answer_without_prompt_and_end(
    student: Student, needs: Mapping[str, Path]
) -> None:
    rows = heldout_answers.read_heldout_rows(needs["blend"], ("ur", "en"))
    found = {one.language: one for one in heldout_answers.answer_bits(student, rows, "auto")}
    assert set(found) == {"ur", "en"}
    urdu = [row for row in rows if row.language == "ur"]
    costs = []
    for row in urdu:
        prompt = encode_prompt(
            write_prompt(row.instruction, row.input, "auto", student.tokenizer), student.tokenizer
        )
        answer = encode_answer(row.instruction, row.input, row.output, "auto", student.tokenizer)
        assert answer[-1] == student.tokenizer.eos_token_id
        costs.append(target_bits(student, [LikelihoodInput(prompt, answer[:-1])], 2048, "test")[0])
    expected = sum(costs) / sum(len(row.output.encode()) for row in urdu)
    assert found["ur"].items.value == pytest.approx(expected, rel=1e-6)
    assert len(found["ur"].items) == len(urdu)


def test_no_question_no_answer(student: Student) -> None:
    assert heldout_answers.generate_answers(student, [], 8) == []
    assert heldout_answers.answer_bits(student, [], "auto") == []
