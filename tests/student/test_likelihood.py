"""Bits: equal to a hand computation, the same alone and in company, nothing lost at a cut."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from alif.student import Student, likelihood
from alif.student.likelihood import LikelihoodInput, split_windows, target_bits


def by_hand(student: Student, context: list[int], target: list[int]) -> float:
    """One token after another, each with its own forward pass."""
    total = 0.0
    for place, token in enumerate(target):
        given_tokens = torch.tensor([[*context, *target[:place]]])
        probabilities = student.model(input_ids=given_tokens).logits[0, -1].double().softmax(-1)
        total -= math.log2(float(probabilities[token]))
    return total


def test_bits_equal_a_hand_computation(student: Student) -> None:
    texts = [
        LikelihoodInput([0], [5, 9, 300, 7]),
        LikelihoodInput([0, 4, 4], [8]),
        LikelihoodInput([2], list(range(20, 45))),
    ]
    found = target_bits(student, texts, 64, "test")
    expected = [by_hand(student, list(one.context), list(one.target)) for one in texts]
    assert found == pytest.approx(expected, rel=1e-5)


def test_a_long_text_is_the_sum_of_its_windows(student: Student) -> None:
    tokens = [(7 * place) % 500 for place in range(50)]
    found = target_bits(student, [LikelihoodInput([0], tokens)], 16, "test")[0]
    whole = [0, *tokens]
    starts = range(0, 50, 15)
    expected = sum(
        by_hand(student, whole[start : start + 1], whole[start + 1 : start + 16]) for start in starts
    )
    assert found == pytest.approx(expected, rel=1e-5)


def test_company_changes_nothing(student: Student, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [
        LikelihoodInput([0], [(3 * place + row) % 500 for place in range(5 + 7 * row)]) for row in range(9)
    ]
    together = target_bits(student, texts, 64, "test")
    monkeypatch.setattr(likelihood, "TOKENS_PER_BATCH", 1)
    assert target_bits(student, texts, 64, "test") == pytest.approx(together, rel=1e-6)


@given(st.integers(1, 40), st.integers(0, 90), st.integers(2, 30))
def test_windows_ask_for_each_token_once_and_in_order(context: int, target: int, length: int) -> None:
    text = LikelihoodInput(list(range(context)), list(range(context, context + target)))
    pieces = split_windows(text, length)
    asked = [token for piece in pieces for token in piece.target]
    assert asked == list(text.target)
    assert all(len(piece) <= length for piece in pieces)
    assert all(piece.context[-1] == piece.target[0] - 1 for piece in pieces if piece.target)
    assert all(before.target[-1] < after.target[0] for before, after in pairwise(pieces) if before.target)
