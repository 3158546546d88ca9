from __future__ import annotations

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from alif.cost import flops
from alif.cost.architecture import ModelShape
from alif.settings import Adapter
from alif.student import adapter as adapters
from alif.train import mfu
from alif.train.packing import Segment, pack_segments

LLAMA = {
    "vocab_size": 128256, "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32,
    "num_attention_heads": 32, "num_key_value_heads": 8,
}  # fmt: skip


@pytest.mark.parametrize("targets", [("attention", "mlp", "embeddings"), ("attention", "mlp"), ("mlp",)])
@pytest.mark.parametrize("tied", [False, True])
def test_a_real_model_has_the_sizes_that_the_plan_reckons_with(targets, tied):
    adapter = Adapter(targets=targets)
    with torch.device("meta"):
        model = adapters.add_adapter(
            LlamaForCausalLM(LlamaConfig(**LLAMA, tie_word_embeddings=tied)), adapter
        )
    assert mfu.linear_sizes(model) == flops.sizes_of(
        ModelShape(**LLAMA, head_dim=128, tie_word_embeddings=tied), adapter
    )


def test_a_base_that_is_trained_as_a_whole_has_no_frozen_layer():
    with torch.device("meta"):
        found = mfu.linear_sizes(LlamaForCausalLM(LlamaConfig(**LLAMA, tie_word_embeddings=False)))
    assert found.trained == found.linear == ModelShape(**LLAMA, head_dim=128).blocks
    assert found.head_trained


def test_a_token_stands_in_a_text_of_this_length():
    packs = pack_segments([Segment("a", tuple(range(30))), Segment("b", tuple(range(10)))], 64, 1)
    assert mfu.mean_document_length(packs) == (30 * 30 + 10 * 10) / 40


def test_a_gpus_peak_is_known_by_its_name(monkeypatch):
    names = {"NVIDIA H200": 989e12, "Tesla T4": 65e12, "NVIDIA A100-SXM4-80GB": 312e12, "Another": None}
    for name, found in names.items():
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda device, name=name: name)
        assert mfu.peak_flops(torch.device("cuda")) == found
    assert mfu.peak_flops(torch.device("cpu")) is None
