"""Tests on a GPU: 16-bit training, resume, the compiler, 4-bit bases, 8-bit AdamW, offloaded models."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest
import torch

from alif import store
from alif.settings import Adapter, Language, Pretrain, StudentSettings
from alif.student import attention, compiled
from alif.student.device import setup_torch
from alif.train import checkpoints, prepare_base, pretrain, stage_trainer
from tests.train.conftest import RUNTIME, TINY, House

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")

GPU = RUNTIME.model_copy(update={"device": "cuda"})
STAGE = Pretrain(
    epochs=3,
    lr=3e-3,
    embedding_lr=1e-3,
    max_seq_length=128,
    batch_size=4,
    micro_batch_size=2,
    warmup_steps=3,
    eval_steps=4,
)
ADAPTER = Adapter(rank=8, alpha=8)
NEEDS_BITSANDBYTES = pytest.mark.skipif(
    find_spec("bitsandbytes") is None, reason="bitsandbytes is not installed"
)


def run(house: House, stage: Pretrain = STAGE, **runtime):
    context = house.context("pretrain", "base", "corpus", runtime=GPU.model_copy(update=runtime))
    pretrain.train_pretrain(context, Language(), ADAPTER, stage)
    house.clear(context)
    return [row for _, row in store.read_rows(context.scratch / "curve.jsonl")]


def losses(rows):
    return np.array([row["loss"] for row in rows])


def test_sixteen_bits_learn_and_tell_of_the_gpu(house):
    assert setup_torch(GPU).dtype in (torch.bfloat16, torch.float16)
    rows = run(house)
    assert losses(rows)[-3:].mean() < losses(rows)[:3].mean() - 0.2
    assert rows[0]["memory_gb"] > 0
    looks = [row["bits_per_byte"]["ur"] for row in rows if "bits_per_byte" in row]
    assert looks[-1] < looks[0]


def test_compiled_blocks_give_what_plain_ones_give(house):
    where = setup_torch(GPU)
    assert compiled.check_compiled(where.device)
    assert attention.check_attention(attention.varlen_attention, where.device, where.dtype)
    np.testing.assert_allclose(losses(run(house)), losses(run(house, torch_compile=False)), rtol=5e-3)


def test_recomputed_layers_give_the_same_losses(house):
    np.testing.assert_allclose(losses(run(house, gradient_checkpointing=True)), losses(run(house)), rtol=5e-3)


def test_a_stopped_stage_goes_on_from_its_checkpoint(house, monkeypatch):
    expected = run(house)
    real, passes = stage_trainer.StageTrainer.training_step, []

    def stopping(self, *args, **kwargs):
        passes.append(1)
        if len(passes) == 16:
            raise KeyboardInterrupt
        return real(self, *args, **kwargs)

    monkeypatch.setattr(stage_trainer.StageTrainer, "training_step", stopping)
    with pytest.raises(KeyboardInterrupt):
        run(house)
    assert list((house.root / "runtime/pretrain" / checkpoints.FOLDER).glob("step-*"))
    np.testing.assert_allclose(losses(run(house)), losses(expected), rtol=5e-3)
    assert len(passes) == 16 + 2 * len(expected) - 2 * 6  # two passes a step; it went on after the sixth


@NEEDS_BITSANDBYTES
def test_a_base_in_four_bits_learns(house, built):
    (house.root / "base").unlink()
    context = house.context("base", "corpus", runtime=GPU)
    wide = TINY.model_copy(update={"width": 64, "feed_forward": 128})  # 4-bit blocks are 64 weights long
    prepare_base.prepare_base(context, Language(), StudentSettings(base="tiny", quantization="4bit"), wide)
    house.finish(context)
    rows = run(house)
    assert losses(rows)[-3:].mean() < losses(rows)[:3].mean() - 0.2


@NEEDS_BITSANDBYTES
def test_adamw_in_eight_bits_learns(house):
    rows = run(house, STAGE.model_copy(update={"optimizer": "adamw_8bit"}))
    assert losses(rows)[-3:].mean() < losses(rows)[:3].mean() - 0.2


ALONE = """
import sys, torch

from transformers import LlamaConfig, LlamaForCausalLM
from alif.settings import Adapter
from alif.student import adapter, compiled, distributed as ranks
from alif.train.loss import ChunkedLossModel

ranks.init_process_group(cpu=False)
sizes = {"vocab_size": 512, "hidden_size": 128, "intermediate_size": 256, "num_hidden_layers": 2}
sizes |= {"num_attention_heads": 4, "num_key_value_heads": 2}
found = []
for sharing in (False, True):
    torch.manual_seed(0)
    with torch.device("cuda"):
        model = LlamaForCausalLM._from_config(LlamaConfig(**sizes), dtype=torch.bfloat16)
    model = adapter.add_adapter(model, Adapter(rank=8))
    learner = ChunkedLossModel(model)
    with compiled.compile_blocks(model):
        if sharing:
            ranks.apply_fsdp(learner, ("LlamaDecoderLayer",), torch.bfloat16)
        trained = [parameter for parameter in learner.parameters() if parameter.requires_grad]
        optimizer = torch.optim.AdamW(trained, lr=1e-3, fused=True)
        tokens = torch.arange(256, device="cuda").reshape(1, -1)
        told = []
        for _ in range(8):
            with torch.autocast("cuda", torch.bfloat16):
                loss = learner(tokens, tokens, tokens, num_items_in_batch=255)["loss"]
            loss.backward()
            torch.nn.utils.clip_grad_norm_(trained, 1.0)
            optimizer.step()
            optimizer.zero_grad()
            told.append(float(loss))
    found.append(told)
ranks.destroy_process_group()
print(found)
assert all(abs(one - other) < 0.02 * one for one, other in zip(*found)), found
assert found[0][-1] < found[0][0] - 0.2
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_model_that_is_shared_out_trains_as_a_whole_one():
    alone = {
        "RANK": "0",
        "LOCAL_RANK": "0",
        "WORLD_SIZE": "1",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(free_port()),
    }
    done = subprocess.run(
        [sys.executable, "-c", ALONE],
        env={**os.environ, **alone},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
