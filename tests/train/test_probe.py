from __future__ import annotations

import pytest
import torch

from alif import recipe as recipes
from alif.settings import Pretrain
from alif.student import attention
from alif.student.adapter import add_adapter
from alif.train.loss import LogitTransform
from alif.train.probe import choose_training_form, training_attention
from tests.small_bases import CPU, random_model


@pytest.mark.parametrize(
    ("kind", "keys", "expected", "transform"),
    [
        ("llama", {}, attention.PER_DOCUMENT, LogitTransform()),
        ("mistral", {}, attention.SDPA, LogitTransform()),  # its window
        ("stablelm", {}, attention.SDPA, LogitTransform()),  # hands no boundaries on
        ("granite", {"logits_scaling": 4.0}, attention.PER_DOCUMENT, LogitTransform(0.25)),
    ],
)
def test_attention_and_transform_are_those_that_are_right(kind, keys, expected, transform):
    form = choose_training_form(random_model(kind, **keys), Pretrain(), CPU)
    assert (form.attention, form.transform) == (expected, transform)


@pytest.mark.parametrize("kind", ["llama", "qwen2"])
@pytest.mark.parametrize("packing", ["packed", "padded"])
def test_copies_in_bfloat16_are_held_to_the_bound_of_sixteen_bits(kind, packing):
    """The paper's way: head and embeddings in bfloat16 on a float32 base, as in the recipe small-paper."""
    adapter = recipes.load_recipe(recipes.shipped_recipes()["small-paper"], ["adapter.rank=4"]).adapter
    assert adapter.embedding_dtype == "bfloat16"
    model = add_adapter(random_model(kind), adapter)
    form = choose_training_form(model, Pretrain(packing=packing), CPU)
    assert form.transform.scale == 1


def test_the_probe_leaves_the_model_and_the_random_state_as_they_were():
    model = random_model("llama").train()
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    state, used = torch.get_rng_state(), model.config._attn_implementation
    choose_training_form(model, Pretrain(), CPU)
    assert model.training
    assert torch.equal(torch.get_rng_state(), state)
    assert model.config._attn_implementation == used
    assert all(torch.equal(weight, before[name]) for name, weight in model.state_dict().items())


def test_the_attention_is_put_back():
    model = random_model("llama")
    with training_attention(model, "eager"):
        assert model.config._attn_implementation == "eager"
    assert model.config._attn_implementation == "sdpa"
