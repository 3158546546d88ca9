"""The work of a token, against what the design reckons and what an operation counter counts."""

from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import LlamaConfig, LlamaForCausalLM

from alif.cost import architecture, flops
from alif.settings import Adapter, StudentSettings, Tiny
from alif.student import adapter as adapters
from alif.train import mfu

LLAMA_8B, _ = architecture.shape_of(StudentSettings(), Tiny())


def test_the_papers_token_costs_what_the_design_reckons():
    sizes = flops.sizes_of(LLAMA_8B, Adapter())
    assert flops.flops_per_token(sizes, 1.0, 1024) / 1e9 == pytest.approx(34.0, abs=0.1)
    recomputed = flops.flops_per_token(sizes, 1.0, 1024, gradient_checkpointing=True)
    assert recomputed / 1e9 == pytest.approx(48.9, abs=0.2)


def test_a_real_pass_does_as_many_operations():
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=512, hidden_size=64, intermediate_size=128, num_hidden_layers=3, num_attention_heads=4,
        num_key_value_heads=2, tie_word_embeddings=False, attn_implementation="eager",
    )  # fmt: skip
    model = adapters.add_adapter(LlamaForCausalLM(config), Adapter(rank=8))
    ids = torch.randint(0, 512, (1, 48))
    with FlopCounterMode(display=False) as counter:
        model(input_ids=ids, labels=ids).loss.backward()
    causal = 2 * 48 * 64 * 3
    counted = counter.get_total_flops() / 48
    counted += (
        3.5 - 3 * 2
    ) * causal  # this attention makes the other half of the scores too, and none of them again
    assert flops.flops_per_token(mfu.linear_sizes(model), 1.0, 48) == pytest.approx(counted, rel=0.001)
