from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from alif.train import loss
from alif.train.packing import IGNORE

ROWS, LENGTH, WIDTH, VOCABULARY = 3, 300, 16, 50


@pytest.fixture(params=["fused", "chunked"])
def way(request, monkeypatch):
    if not hasattr(functional, "linear_cross_entropy"):
        pytest.skip("this PyTorch has no fused loss")
    if request.param == "chunked":
        monkeypatch.delattr(functional, "linear_cross_entropy")


def inputs(bias: bool):
    generator = torch.Generator().manual_seed(0)
    states = torch.randn(ROWS, LENGTH, WIDTH, generator=generator, requires_grad=True)
    weight = torch.randn(VOCABULARY, WIDTH, generator=generator, requires_grad=True)
    labels = torch.randint(0, VOCABULARY, (ROWS, LENGTH), generator=generator)
    labels[torch.rand(ROWS, LENGTH, generator=generator) < 0.4] = IGNORE
    return states, weight, torch.randn(VOCABULARY, generator=generator) if bias else None, labels


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("bias", [False, True])
def test_loss_and_gradients_equal_the_plain_loss(bias):
    states, weight, b, labels = inputs(bias)
    got = loss.labelled_loss(states, weight, b, labels)
    mine = torch.autograd.grad(got, (states, weight))
    logits = functional.linear(states, weight, b)[:, :-1].reshape(-1, VOCABULARY)
    plain = functional.cross_entropy(logits, labels[:, 1:].reshape(-1), ignore_index=IGNORE, reduction="sum")
    theirs = torch.autograd.grad(plain, (states, weight))
    torch.testing.assert_close(got, plain)
    for one, other in zip(mine, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


@pytest.mark.usefixtures("way")
def test_a_frozen_head_gets_no_gradient():
    states, weight, _, labels = inputs(bias=False)
    loss.labelled_loss(states, weight.detach(), None, labels).backward()
    assert states.grad is not None
    assert weight.grad is None


@pytest.mark.usefixtures("way")
def test_rows_without_labels_cost_nothing():
    states, weight, _, labels = inputs(bias=False)
    got = loss.labelled_loss(states, weight, None, torch.full_like(labels, IGNORE))
    got.backward()
    assert got == 0
    assert not states.grad.any()


def test_a_batch_split_in_two_costs_the_same():
    states, weight, _, labels = inputs(bias=False)
    parts = [loss.labelled_loss(states[r : r + 1], weight, None, labels[r : r + 1]) for r in range(ROWS)]
    torch.testing.assert_close(sum(parts), loss.labelled_loss(states, weight, None, labels))
