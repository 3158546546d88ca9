"""Compiled blocks, on a CPU with a backend that needs no C compiler: the same losses and gradients."""

from __future__ import annotations

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from alif.settings import Adapter, Runtime
from alif.student import adapter, compiled
from alif.student.device import DeviceConfig

SIZES = {
    "vocab_size": 64,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
}
CPU = DeviceConfig(torch.device("cpu"), torch.float32)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return adapter.add_adapter(LlamaForCausalLM(LlamaConfig(**SIZES)), Adapter(rank=4))


def gradients(model, tokens):
    loss = model(input_ids=tokens, labels=tokens).loss
    return torch.autograd.grad(
        loss, [parameter for parameter in model.parameters() if parameter.requires_grad]
    )


def blocks(model):
    return list(model.get_base_model().model.layers)


def test_compiled_blocks_give_the_same_and_are_plain_again_afterwards(model):
    tokens = torch.arange(20).reshape(2, 10)
    plain = gradients(model, tokens)
    with compiled.compile_blocks(model, backend="aot_eager"):
        assert all(block._compiled_call_impl for block in blocks(model))
        for one, other in zip(gradients(model, tokens), plain, strict=True):
            torch.testing.assert_close(one, other)
    assert not any(block._compiled_call_impl for block in blocks(model))
    for one, other in zip(gradients(model, tokens), plain, strict=True):
        assert torch.equal(one, other)


def test_on_a_cpu_nothing_is_compiled(model):
    with compiled.compile_on_gpu(model, CPU, Runtime()):
        assert not any(block._compiled_call_impl for block in blocks(model))


@pytest.mark.parametrize("wanted", [True, False])
def test_where_the_compiler_does_not_work_training_goes_on_and_says_so(model, monkeypatch, capsys, wanted):
    monkeypatch.setattr(compiled, "check_compiled", lambda device: False)
    with compiled.compile_on_gpu(
        model, DeviceConfig(torch.device("cuda"), torch.bfloat16), Runtime(torch_compile=wanted)
    ):
        assert not any(block._compiled_call_impl for block in blocks(model))
    assert ("torch.compile does not work here" in capsys.readouterr().err) is wanted


def test_a_compiler_that_raises_is_a_no(monkeypatch):
    def broken(function):
        raise RuntimeError("no C compiler")

    compiled.check_compiled.cache_clear()
    monkeypatch.setattr(torch, "compile", broken)
    assert compiled.check_compiled(torch.device("cpu")) is False
    compiled.check_compiled.cache_clear()
