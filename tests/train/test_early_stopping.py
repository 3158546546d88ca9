"""Stopping by what is seen of held-out texts, with the best weights."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

import pytest
import torch

from alif import store
from alif.remote import backup
from alif.student import weights
from alif.train import checkpoints, training_callback
from tests.train.conftest import RUNTIME
from tests.train.test_heldout_eval import train


def look_by(monkeypatch: pytest.MonkeyPatch, told: Sequence[float | BaseException]) -> None:
    """Have each look find the next of `told`, or raise it."""
    bits = iter(told)

    def look(*context):
        found = next(bits)
        if isinstance(found, BaseException):
            raise found
        return {"bits_per_byte": {"ur": found}, "samples": []}

    monkeypatch.setattr(training_callback, "evaluate_heldout", look)


def test_without_a_better_look_the_stage_stops_and_takes_its_best_weights(house, monkeypatch):
    look_by(monkeypatch, [2.0, 1.5, 1.6, 1.7, 1.4])
    counts, rows, stopped = train(house, clear=False, epochs=8, early_stopping_patience=2)
    assert counts.steps == len(rows) == 8  # looks at 2, 4, 6, 8: none after 4 was better
    assert counts.tokens == rows[-1]["tokens"]
    kept = house.root / "runtime/pretrain/best"
    assert sorted(path.name for path in kept.iterdir()) == ["2.safetensors", "4.safetensors"]
    best = weights.read_weights(kept / "4.safetensors")
    (house.root / "got").mkdir()
    (house.root / "got" / "w.safetensors").write_bytes(stopped)
    got = weights.read_weights(house.root / "got" / "w.safetensors")
    name = next(name for name in got if "lora_B" in name)
    (same,) = [value for key, value in best.items() if name.removesuffix(".weight") in key]
    assert torch.equal(same, got[name])


def test_best_weights_of_another_training_are_in_nobodys_way(house, monkeypatch):
    best = house.root / "runtime/pretrain" / checkpoints.BEST
    for step in (400, 500):
        store.write_text(best / f"{step}.safetensors", "left by a training whose folder was removed")
    look_by(monkeypatch, [2.0, 1.5, 1.6, 1.7])
    counts, _, _ = train(house, epochs=8, early_stopping_patience=2)
    assert counts.steps == 8
    assert not best.exists()  # two copies of what is trained are gigabytes


def test_the_best_weights_survive_a_machine_that_vanishes(house, tmp_path, monkeypatch):
    look_by(monkeypatch, [2.0, 1.5, 1.6, 1.7])
    _, _, expected = train(house, epochs=8, early_stopping_patience=2)
    shutil.rmtree(house.root / "runtime")
    mirrored = RUNTIME.model_copy(update={"backup": str(tmp_path / "mirror")})
    look_by(monkeypatch, [2.0, 1.5, 1.6, KeyboardInterrupt()])
    with pytest.raises(KeyboardInterrupt):
        train(house, mirrored, epochs=8, early_stopping_patience=2)
    shutil.rmtree(house.root / "runtime")
    backup.restore_run(house.root, mirrored.backup)
    look_by(monkeypatch, [1.7])
    counts, _, found = train(house, mirrored, epochs=8, early_stopping_patience=2)
    assert counts.steps == 8
    assert found == expected


def test_patience_that_does_not_run_out_trains_to_the_end(house):
    counts, rows, _ = train(house, early_stopping_patience=50)
    assert counts.steps == len(rows)
