from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from alif import store
from alif.errors import AlifError, ModelError
from alif.remote import backup
from alif.settings import Adapter, Language, Pretrain, Runtime
from alif.student.base import open_base
from alif.student.device import setup_torch
from alif.train import checkpoints, pretrain, stage_trainer, trainer
from alif.train.packing import pack_segments, split_segments
from tests.train.conftest import RUNTIME, House

STAGE = Pretrain(
    epochs=1.5,
    lr=3e-3,
    embedding_lr=1e-3,
    max_seq_length=128,
    batch_size=4,
    micro_batch_size=1,
    warmup_steps=3,
)
ADAPTER = Adapter(rank=4, alpha=8, dropout=0.1)

TESTS = Path(__file__).resolve().parents[1]

CHILD = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from alif.settings import Language
from alif.train import loss, pretrain, stage_trainer
from train.conftest import House
from train.test_trainer import ADAPTER, STAGE

where, count = sys.argv[2].split(":")
kind, name = {
    "forward": (loss.ChunkedLossModel, "forward"),
    "checkpoint": (stage_trainer.StageTrainer, "_save_rng_state"),
}[where]
real, seen = getattr(kind, name), 0
def dying(*args, **kwargs):
    global seen
    seen += 1
    if seen == int(count):
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*args, **kwargs)
setattr(kind, name, dying)
context = House(Path(sys.argv[1])).context("pretrain", "base", "corpus")
pretrain.train_pretrain(context, Language(), ADAPTER, STAGE)
"""


def kill(house: House, where: str) -> None:
    """Run stage 1 in a process of its own that is killed, kill -9, at the n-th call of a function."""
    died = subprocess.run(
        [sys.executable, "-W", "error", "-c", CHILD, str(house.root), where, str(TESTS)],
        capture_output=True,
        check=False,
    )
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()


def run(house: House, runtime: Runtime = RUNTIME):
    context = house.context("pretrain", "base", "corpus", runtime=runtime)
    pretrain.train_pretrain(context, Language(), ADAPTER, STAGE)
    house.clear(context)
    losses = [
        (row["step"], row["loss"], row["lr"], row["tokens"])
        for _, row in store.read_rows(context.scratch / "curve.jsonl")
    ]
    return losses, (context.folder / "adapter" / "adapter_model.safetensors").read_bytes()


def test_killed_and_resumed_it_is_the_same_to_the_bit(house):
    expected = run(
        house, RUNTIME.model_copy(update={"checkpoint_steps": 1000})
    )  # writing checkpoints changes nothing either
    steps = len(expected[0])
    second_epoch = (
        steps * 4 // 5 * 4 + 2
    )  # forward passes: in the middle of an accumulation, in the second epoch
    kill(house, f"forward:{second_epoch}")
    assert len(list((house.root / "runtime/pretrain/checkpoints").glob("step-*"))) == checkpoints.KEPT
    kill(house, "checkpoint:2")  # half a checkpoint
    assert list((house.root / "runtime/pretrain/checkpoints").glob(".step-*"))
    assert run(house) == expected


def test_stopped_anywhere_it_resumes_to_the_same(house, monkeypatch):
    expected = run(house)
    real = stage_trainer.StageTrainer.training_step
    left = 0

    def stopping(self, *args, **kwargs):
        nonlocal left
        left -= 1
        if left < 0:
            raise KeyboardInterrupt
        return real(self, *args, **kwargs)

    for left in (1, 4, 13, 5):  # noqa: B007 - read by `stopping`
        monkeypatch.setattr(stage_trainer.StageTrainer, "training_step", stopping)
        with pytest.raises(KeyboardInterrupt):
            run(house)
    monkeypatch.undo()
    assert run(house) == expected


def fit(house, stage=STAGE, harm=None, context=None):
    where = setup_torch(RUNTIME)
    student = open_base(house.root / "base", where)
    if harm:
        harm(student.model)
    texts = [np.random.default_rng(n).integers(2, 300, 100).tolist() for n in range(20)]
    packs = pack_segments(
        [p for n, text in enumerate(texts) for p in split_segments(f"text-{n}", text, 128)], 128, 1
    )
    context = context or house.context("pretrain")
    return student.model, trainer.fit_model(
        student.model,
        packs,
        stage,
        context,
        device=where,
        key=trainer.checkpoint_key(packs, stage, start="x"),
    )


def test_a_rate_of_nothing_for_embeddings_leaves_them(house):
    before = open_base(house.root / "base", setup_torch(RUNTIME)).model
    model, _ = fit(house, STAGE.model_copy(update={"embedding_lr": 1e-30}))
    assert torch.equal(model.lm_head.weight, before.lm_head.weight)
    assert not torch.equal(
        model.model.layers[0].mlp.up_proj.weight, before.model.layers[0].mlp.up_proj.weight
    )


def test_the_schedule_warms_up_for_a_tenth_at_most(house):
    _, outcome = fit(house, STAGE.model_copy(update={"warmup_steps": 1000}))
    rates = [row["lr"] for _, row in store.read_rows(house.root / "runtime/pretrain/curve.jsonl")]
    assert len(rates) == outcome.steps
    assert rates.index(max(rates)) == outcome.steps // 10
    assert max(rates) == STAGE.lr
    assert rates[-1] < 0.1 * STAGE.lr


def test_a_disk_without_room_for_a_checkpoint_is_told(house, monkeypatch):
    monkeypatch.setattr(checkpoints.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 10})())
    with pytest.raises(AlifError, match="the disk is full"):
        fit(house)


def test_a_machine_that_vanishes_is_replaced_from_the_mirror_with_the_same_losses(
    house, tmp_path, monkeypatch
):
    real, passes, last = stage_trainer.StageTrainer.training_step, [], 10**9

    def counting(self, *args, **kwargs):
        passes.append(1)
        if len(passes) > last:
            raise KeyboardInterrupt
        return real(self, *args, **kwargs)

    monkeypatch.setattr(stage_trainer.StageTrainer, "training_step", counting)
    expected = run(house)
    whole = len(passes)
    shutil.rmtree(house.root / "runtime")
    where = str(tmp_path / "mirror")
    runtime = RUNTIME.model_copy(update={"backup": where})
    passes.clear()
    last = 17  # in the middle of an accumulation, after the checkpoint of step 3
    with pytest.raises(KeyboardInterrupt):
        run(house, runtime)
    shutil.rmtree(house.root / "runtime")  # the machine is gone, and what was on it
    assert "runtime/pretrain/checkpoints" in backup.restore_run(house.root, where)
    passes.clear()
    last = 10**9
    assert run(house, runtime) == expected
    assert (
        len(passes) == whole - RUNTIME.checkpoint_steps * STAGE.batch_size
    )  # it went on, it did not begin again


def test_a_full_gpu_is_told_with_what_helps(house, monkeypatch):
    def full(*context, **more):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has …")

    monkeypatch.setattr(stage_trainer.StageTrainer, "training_step", full)
    with pytest.raises(ModelError, match=r"the GPU's memory is full \(CUDA out of memory\)") as caught:
        fit(house)
    assert "runtime.gradient_checkpointing = true, then pretrain.max_seq_length = 64" in caught.value.hint
