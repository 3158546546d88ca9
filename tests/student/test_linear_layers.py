from __future__ import annotations

import pytest
import torch

from alif.errors import ModelError, RecipeError
from alif.settings import Adapter
from alif.student.linear_layers import embedding_names, find_linear_layers, recurrent_layers
from tests.small_bases import MAMBA, random_model

ATTENTION, FEED_FORWARD = Adapter(targets=("attention",)), Adapter(targets=("mlp",))
QKVO, MLP = ["q_proj", "k_proj", "v_proj", "o_proj"], ["gate_proj", "up_proj", "down_proj"]


@pytest.mark.parametrize(
    ("kind", "keys", "attention", "mlp"),
    [
        ("llama", {}, QKVO, MLP),
        ("phi3", {}, ["o_proj", "qkv_proj"], ["gate_up_proj", "down_proj"]),
        ("apertus", {}, QKVO, ["up_proj", "down_proj"]),
        ("gpt2", {}, ["c_attn", "attn.c_proj"], ["c_fc", "mlp.c_proj"]),
        ("opt", {}, ["k_proj", "v_proj", "q_proj", "out_proj"], ["fc1", "fc2"]),
        ("gpt_neox", {}, ["query_key_value", "dense"], ["dense_h_to_4h", "dense_4h_to_h"]),
        ("falcon_h1", MAMBA, QKVO, MLP),
        ("afmoe", {"head_dim": 16}, [*QKVO, "self_attn.gate_proj"], None),
        ("mixtral", {}, QKVO, None),
    ],
)
def test_layers_are_told_apart_by_what_holds_them(kind, keys, attention, mlp):
    with torch.device("meta"):
        model = random_model(kind, **keys)
    assert find_linear_layers(model, ATTENTION) == attention
    if mlp is None:
        with pytest.raises(ModelError, match=r"mixture of experts .*\.mlp\.experts, \w+Experts\)"):
            find_linear_layers(model, FEED_FORWARD)
    else:
        assert find_linear_layers(model, FEED_FORWARD) == mlp


def test_both_kinds_need_no_more_than_the_last_part_of_a_name():
    assert find_linear_layers(random_model("gpt2"), Adapter()) == ["c_attn", "c_proj", "c_fc"]
    assert find_linear_layers(random_model("llama"), Adapter()) == [*QKVO, *MLP]


@pytest.mark.parametrize("kind", ["llama", "gpt2", "gpt_neox"])
def test_ranges_of_layers_reach_no_other_layer_whatever_the_base_calls_its_blocks(kind):
    model = random_model(kind, num_hidden_layers=12)
    endings = find_linear_layers(model, Adapter(layers="0,2-3"))
    named = [name for name, _ in model.named_modules() if name.endswith(tuple(f".{one}" for one in endings))]
    every = [
        name
        for name, _ in model.named_modules()
        if name.endswith(tuple(find_linear_layers(model, Adapter())))
    ]
    numbers = {name: int(next(part for part in name.split(".") if part.isdigit())) for name in every}
    assert set(named) == {name for name, number in numbers.items() if number in {0, 2, 3}} != set()


def test_layers_beyond_the_base_are_refused_with_their_number():
    with pytest.raises(RecipeError, match=r'adapter.layers = "2-4", but this base has 4 layers, 0 to 3'):
        find_linear_layers(random_model("llama"), Adapter(layers="2-4"))


def test_layers_that_are_not_there_are_refused_with_those_that_are():
    blocks = torch.nn.ModuleList([torch.nn.Sequential(torch.nn.Linear(2, 2))])
    with pytest.raises(ModelError, match=r'no linear layers of "attention" .*it has 0 \(Linear\)'):
        find_linear_layers(torch.nn.Sequential(blocks), ATTENTION)
    with pytest.raises(ModelError, match="it has none at all"):
        find_linear_layers(torch.nn.Linear(2, 2), FEED_FORWARD)


def test_a_list_of_layers_inside_a_block_is_experts():
    model = random_model("llama")
    for block in model.model.layers:
        block.mlp.experts = torch.nn.ModuleList(torch.nn.Linear(64, 64) for _ in range(4))
    with pytest.raises(
        ModelError, match=r"mixture of experts .*layers\.0\.mlp\.experts, ModuleList"
    ) as caught:
        find_linear_layers(model, FEED_FORWARD)
    assert 'adapter.targets = ["attention", "embeddings"]' in str(caught.value.hint)
    assert find_linear_layers(model, ATTENTION) == QKVO


def test_embeddings_and_head_have_the_names_that_the_base_gives_them():
    names = {
        "llama": ["embed_tokens", "lm_head"],
        "gpt2": ["wte", "lm_head"],
        "gpt_neox": ["embed_in", "lm_head"],
    }
    for kind, expected in names.items():
        assert embedding_names(random_model(kind)) == expected
    with pytest.raises(ModelError, match="no output head"):
        embedding_names(random_model("llama").model)


def test_recurrent_layers_are_named():
    assert recurrent_layers(random_model("falcon_h1", **MAMBA)) == "FalconH1Mixer"
    assert recurrent_layers(random_model("llama")) == ""
