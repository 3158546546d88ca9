"""Training in 16 bits on a CPU: the frozen base in bfloat16, trained parameters in float32."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from peft.tuners.lora import LoraLayer
from transformers import LlamaForCausalLM

from alif import store
from alif.settings import Adapter, Pretrain, Runtime
from alif.student import adapter as adapters
from alif.student.device import DeviceConfig
from alif.train import trainer
from alif.train.packing import pack_segments, split_segments

STAGE = Pretrain(epochs=3, lr=1e-2, embedding_lr=1e-3, max_seq_length=64, batch_size=2, warmup_steps=0)
CPU = torch.device("cpu")


@pytest.fixture
def base(house, tmp_path):
    folder = house.root / "base" / "model"
    return lambda dtype: LlamaForCausalLM.from_pretrained(folder, dtype=dtype)


def train(house, model, dtype, stage=STAGE, **adapter):
    wrapped = adapters.add_adapter(model, Adapter(rank=4, alpha=8, **adapter))
    texts = [np.random.default_rng(n).integers(2, 30, 60).tolist() for n in range(8)]
    packs = pack_segments(
        [p for n, text in enumerate(texts) for p in split_segments(f"text-{n}", text, 64)], 64, 1
    )
    context = house.context("pretrain", runtime=Runtime(device="cpu", threads=1, checkpoint_steps=4))
    aim = trainer.checkpoint_key(packs, stage, start=str(dtype))
    outcome = trainer.fit_model(wrapped, packs, stage, context, device=DeviceConfig(CPU, dtype), key=aim)
    return wrapped, outcome, [row["loss"] for _, row in store.read_rows(context.scratch / "curve.jsonl")]


def test_a_bfloat16_base_is_trained_nearly_as_a_float32_one(house, base):
    _, _, exact = train(house, base(torch.float32), torch.float32)
    wrapped, outcome, coarse = train(house, base(torch.bfloat16), torch.bfloat16)
    assert outcome.last_loss < outcome.first_loss - 0.1
    assert coarse == pytest.approx(exact, rel=0.02)
    for name, parameter in wrapped.named_parameters():
        assert parameter.dtype == (torch.float32 if parameter.requires_grad else torch.bfloat16), name


def test_loras_input_is_not_copied_to_float32_while_it_trains(house, base, monkeypatch):
    seen = set()
    real = torch.nn.Linear.forward

    def forward(layer, x):
        if layer.in_features == layer.weight.shape[1] and layer.weight.shape[0] == 4:
            seen.add(x.dtype)
        return real(layer, x)

    monkeypatch.setattr(torch.nn.Linear, "forward", forward)
    wrapped, _, _ = train(house, base(torch.bfloat16), torch.bfloat16)
    assert seen == {torch.bfloat16}
    assert all(layer.cast_input_dtype_enabled for layer in wrapped.modules() if isinstance(layer, LoraLayer))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_the_originals_bfloat16_copies_train_too(house, base, dtype):
    wrapped, outcome, _ = train(house, base(dtype), dtype, embedding_dtype="bfloat16")
    assert outcome.last_loss < outcome.first_loss
    weight, _ = adapters.output_head(wrapped.get_base_model())
    assert weight.dtype is torch.bfloat16


def test_float16_scales_the_loss(house):
    for dtype, found in (
        (torch.bfloat16, (True, False)),
        (torch.float16, (False, True)),
        (torch.float32, (False, False)),
    ):
        arguments = trainer.training_arguments(
            STAGE, 4, house.root, house.context("pretrain"), DeviceConfig(CPU, dtype)
        )
        assert (arguments.bf16, arguments.fp16) == found
