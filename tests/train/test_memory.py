"""The memory that is foretold, against the live tensors of real steps on a CPU."""

from __future__ import annotations

import subprocess
import sys

import pytest

from alif.recipe import Adapter, Pretrain
from alif.train import loss, memory, shapes

CASES = {
    "accumulates": {},
    "longer rows, two at once": {"tokens_per_row": 256, "rows_at_once": 2, "rows_per_step": 4},
    "one pass a step": {"rows_per_step": 1},
    "embeddings frozen": {"targets": ("attention", "mlp")},
    "attention alone": {"targets": ("attention",)},
    "computed again": {"recompute": True, "tokens_per_row": 256},
    "tied": {"tied": True},
    "small vocabulary": {"vocabulary": 512, "rank": 32},
}

MEASURE = """
import sys, tempfile, warnings
from pathlib import Path
import numpy as np, torch
from torch.profiler import ProfilerActivity, profile
from transformers import LlamaConfig, LlamaForCausalLM
from alif.recipe import Adapter, Pretrain, Runtime
from alif.runs import Given
from alif.student import adapter as adapters
from alif.student.device import place
from alif.train import trainer
from alif.train.packs import pack, split

shape, adapter, stage, recompute = eval(sys.argv[1])
stage, runtime = Pretrain(**stage), Runtime(device="cpu", recompute=recompute, checkpoint_steps=1000)
where = place(runtime)
model = adapters.wrap(LlamaForCausalLM(LlamaConfig(**shape)), Adapter(**adapter))
tensors = {p.untyped_storage().data_ptr(): p.untyped_storage().nbytes() for p in (*model.parameters(), *model.buffers())}
length, rows = stage.tokens_per_row, 2 * stage.rows_per_step
texts = [np.random.default_rng(n).integers(2, shape["vocab_size"], length // 4) for n in range(4 * rows)]
packs = pack([piece for n, text in enumerate(texts) for piece in split(str(n), text.tolist(), length)], length, 1)
root = Path(tempfile.mkdtemp())
with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
    trainer.fit(model, packs, stage, Given("t", "pretrain", root, root, root, {}, runtime), where=where, aim="x")
now = peak = 0
for event in sorted((e for e in seen.profiler.kineto_results.events() if e.name() == "[memory]"), key=lambda e: e.start_ns()):
    now += event.nbytes()
    peak = max(peak, now)
print("PEAK", sum(tensors.values()) + peak)
"""


def measured(shape: shapes.Shape, adapter: Adapter, stage: Pretrain, recompute: bool) -> int:
    """Return the peak of live tensors in bytes: weights, and what PyTorch's allocator held beside them in two steps."""
    given = repr((shape.model_dump(exclude={"model_type"}), adapter.model_dump(), stage.model_dump(), recompute))
    asked = subprocess.run([sys.executable, "-c", MEASURE, given], capture_output=True, text=True, check=True)
    return int(asked.stdout.partition("PEAK ")[2].split()[0])


@pytest.mark.parametrize("name", CASES)
def test_the_peak_is_foretold_within_a_tenth(name):
    case = {"tokens_per_row": 128, "rows_at_once": 1, "rows_per_step": 2, "rank": 16, "vocabulary": 2048} | CASES[name]
    shape = shapes.Shape(
        vocab_size=case["vocabulary"],
        hidden_size=128,
        intermediate_size=344,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=32,
        max_position_embeddings=2048,
        tie_word_embeddings=case.get("tied", False),
    )
    adapter = Adapter(rank=case["rank"], targets=case.get("targets", ("attention", "mlp", "embeddings")))
    stage = Pretrain(**{key: case[key] for key in ("tokens_per_row", "rows_at_once", "rows_per_step")})
    recompute = case.get("recompute", False)
    told = sum(memory.parts(memory.Load(shape, adapter, stage, recompute=recompute, gpu=False)).values())
    real = measured(shape, adapter, stage, recompute)
    assert told == pytest.approx(real, rel=0.1), f"foretold {told:,.0f}, measured {real:,}: {told / real:.3f}"


def test_the_chunks_are_those_of_the_loss():
    assert {"cpu": memory.CPU_CHUNK, "cuda": memory.GPU_CHUNK} == loss.CHUNK


def test_the_8b_model_as_the_design_reckons_it():
    shape = shapes.Shape.model_validate(shapes.known()["meta-llama/Llama-3.1-8B"].config)
    found = memory.parts(memory.Load(shape, Adapter(), Pretrain(tokens_per_row=4096)))
    fixed = sum(found[part] for part in ("base", "trained", "gradients", "optimiser"))
    assert fixed / 1e9 == pytest.approx(38, abs=0.5)  # ../design: 38 GB
    assert 5.4e6 < found["activations"] / 4096 < 7.5e6  # the design: about 5.4 MB a token; PEFT's casts come on top
