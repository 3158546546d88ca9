from __future__ import annotations

import copy
import json

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM

from alif.cost import architecture
from alif.cost.model_types import MODEL_TYPES
from alif.settings import Adapter, StudentSettings, Tiny
from alif.student import adapter as adapters

SIZES = {
    "vocab_size": 300, "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2,
    "num_attention_heads": 4, "num_key_value_heads": 2,
}  # fmt: skip


@pytest.mark.parametrize("kind", MODEL_TYPES)
def test_every_type_counts_what_transformers_and_the_adapter_count_from_the_same_keys(kind, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": kind, **SIZES}))
    shape, _ = architecture.shape_of(StudentSettings(base=str(tmp_path)), Tiny())
    tokens = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(AutoConfig.for_model(kind, **SIZES, **tokens))
        assert shape.parameters == adapters.count_parameters(model).total
        for targets in (("attention",), ("mlp",), ("attention", "mlp", "embeddings")):
            adapter = Adapter(rank=4, targets=targets)
            wrapped = adapters.add_adapter(copy.deepcopy(model), adapter)
            counted = architecture.count_trained(shape, adapter)
            assert counted.trainable == adapters.count_parameters(wrapped).trainable
