"""Both ways of attending inside the texts of packed rows, by one set of tests."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from alif.student import attention
from alif.student.attention import PER_DOCUMENT, SDPA
from alif.train.packing import PackedRows, collate, pack_segments, split_segments

LENGTH = 16
TEXTS = [
    list(range(2, 9)),
    list(range(10, 15)),
    list(range(20, 24)),
    list(range(30, 46)),
    list(range(50, 60)),
]
GIVEN = ("input_ids", "position_ids", "cu_seq_lens_q", "cu_seq_lens_k", "max_length_q", "max_length_k")
CPU = torch.device("cpu")
NEEDS_GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")


@pytest.fixture(params=[PER_DOCUMENT, SDPA])
def model(request):
    torch.set_num_threads(1)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=100,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        initializer_range=0.3,
    )
    model = LlamaForCausalLM(config).eval()
    attention.register_attention()
    model.set_attn_implementation(request.param)
    return model


def batch(texts):
    packs = pack_segments(
        [piece for n, text in enumerate(texts) for piece in split_segments(str(n), text, LENGTH)], LENGTH, 1
    )
    return packs, collate([PackedRows(packs, np.arange(len(packs)))[row] for row in range(len(packs))])


def logits(model, inputs):
    return model(**{key: inputs[key] for key in GIVEN}, use_cache=False).logits


@pytest.mark.parametrize(("dtype", "most"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
@torch.inference_mode()
def test_packed_logits_equal_those_of_each_text_alone(model, dtype, most):
    model = model.to(dtype)
    packs, inputs = batch(TEXTS)
    assert len(packs) > 1
    together = logits(model, inputs)
    for row, positions in enumerate(packs.positions):
        for start, end in itertools.pairwise([*np.flatnonzero(positions == 0), LENGTH]):
            alone = model(input_ids=inputs["input_ids"][row : row + 1, start:end]).logits[0]
            assert (together[row, start:end] - alone).abs().max() <= most


@torch.inference_mode()
def test_another_first_text_leaves_the_second_as_it_is_to_the_bit(model):
    _, inputs = batch([[2, 3, 4, 5, 6, 7], [10, 11, 12, 13]])
    before = logits(model, inputs)[0, 6:10]
    inputs["input_ids"][0, :6] = torch.tensor([90, 91, 92, 93, 94, 95])
    assert torch.equal(logits(model, inputs)[0, 6:10], before)


def test_both_ways_give_the_same_gradients(model):
    _, inputs = batch(TEXTS)

    def gradients(name):
        model.set_attn_implementation(name)
        model.zero_grad()
        logits(model, inputs).square().mean().backward()
        return {name: parameter.grad.clone() for name, parameter in model.named_parameters()}

    one, other = gradients(PER_DOCUMENT), gradients(SDPA)
    assert one.keys() == other.keys()
    for name, gradient in one.items():
        torch.testing.assert_close(gradient, other[name], rtol=1e-4, atol=1e-6)


def test_a_padded_batch_is_generated_as_each_prompt_alone(model):
    prompts, made = [[5, 6, 7, 8, 9], [30]], []
    for prompt in prompts:
        made.append(
            model.generate(torch.tensor([prompt]), max_new_tokens=6, do_sample=False, pad_token_id=0)[0]
        )
    padded = torch.tensor([prompts[0], [0] * 4 + prompts[1]])
    found = model.generate(
        padded, attention_mask=(padded > 0).long(), max_new_tokens=6, do_sample=False, pad_token_id=0
    )
    assert [row[5:].tolist() for row in found] == [one[-6:].tolist() for one in made]


def test_text_can_be_generated_with_either(model):
    tokens = torch.tensor([[5, 6, 7]])
    made = model.generate(tokens, max_new_tokens=5, do_sample=False, pad_token_id=0)
    model.set_attn_implementation("eager")
    assert torch.equal(made, model.generate(tokens, max_new_tokens=5, do_sample=False, pad_token_id=0))


def test_queries_and_keys_that_autocast_left_in_full_are_read_in_the_numbers_of_the_values():
    """As in a float32 model under bfloat16: the angles are float32; PyTorch's kernel refuses mixed dtypes."""
    query, key, value = (torch.randn(1, heads, 6, 8) for heads in (4, 2, 2))
    bounds = {"cu_seq_lens_q": torch.tensor([0, 4, 6], dtype=torch.int32), "max_length_q": 4}
    mixed, _ = attention.attend_documents(torch.nn.Identity(), query, key, value.bfloat16(), None, **bounds)
    plain, _ = attention.attend_documents(torch.nn.Identity(), query, key, value, None, **bounds)
    assert mixed.dtype == torch.bfloat16
    torch.testing.assert_close(mixed.float(), plain, atol=0.03, rtol=0.03)


@pytest.mark.parametrize("device", [CPU, pytest.param(torch.device("cuda"), marks=NEEDS_GPU)])
def test_the_probe_believes_what_is_right_and_nothing_else(device):
    dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
    kernel = attention.varlen_attention if device.type == "cuda" else attention.per_document_attention

    def leaking(queries, keys, values, bounds, longest, scale):
        return kernel(queries, keys, values, bounds[[0, -1]], len(queries), scale)

    def crooked(queries, keys, values, bounds, longest, scale):
        return kernel(queries, keys, values.detach(), bounds, longest, scale)

    def absent(*given):
        raise NotImplementedError

    assert attention.check_attention(kernel, device, dtype)
    assert not any(attention.check_attention(wrong, device, dtype) for wrong in (leaking, crooked, absent))


@pytest.mark.parametrize(
    "signature",
    [
        lambda q, k, v, cu_q, cu_k, max_q, max_k, is_causal=False: (q, k, v, cu_q, max_q, is_causal, None),
        lambda q, k, v, cu_q, cu_k, max_q, max_k, *, scale=None, window_size=(-1, -1), enable_gqa=False: (
            q, k, v, cu_q, max_q, window_size == (-1, 0) and enable_gqa, scale,
        ),
    ],
    ids=["torch 2.10", "torch 2.13"],
)  # fmt: skip
def test_pytorchs_kernel_is_called_as_its_version_wants(monkeypatch, signature):
    """The kernel needs a GPU; here the reference stands behind the signatures of two versions of it."""
    import inspect

    def kernel(*given, **more):
        q, k, v, bounds, longest, causal, scale = signature(*given, **more)
        assert causal
        return attention.per_document_attention(
            q, k, v, bounds, longest, q.shape[-1] ** -0.5 if scale is None else scale
        )

    monkeypatch.setattr(attention, "KERNEL", kernel)
    monkeypatch.setattr(attention, "_PARAMETERS", frozenset(inspect.signature(signature).parameters))
    assert attention.check_attention.__wrapped__(attention.varlen_attention, CPU, torch.float32)


@pytest.mark.parametrize(
    ("changes", "way"),
    [
        ({}, PER_DOCUMENT),
        ({"sliding_window": 128}, SDPA),
        ({"sliding_window": 128, "layer_types": ["full_attention"]}, PER_DOCUMENT),
        ({"attn_logit_softcapping": 50.0}, SDPA),
        ({"attention_dropout": 0.1}, SDPA),
    ],
)
def test_what_it_does_not_know_is_left_to_the_models_own_attention(changes, way):
    config = LlamaConfig(attn_implementation=SDPA)
    for key, value in changes.items():
        setattr(config, key, value)
    assert attention.choose_attention(config, CPU, torch.float32) == way
