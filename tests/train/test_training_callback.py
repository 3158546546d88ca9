from __future__ import annotations

import pytest

from alif import console, store
from alif.errors import ModelError
from tests.train.test_trainer import STAGE, fit


def test_a_loss_that_is_not_a_number_stops_and_names_the_batch(house):
    def harm(model):
        model.lm_head.weight.data[5] = float("nan")

    with pytest.raises(ModelError, match=r"the loss is not a number at step 1, with text-\d+") as caught:
        fit(house, harm=harm)
    assert "Lower pretrain.lr" in caught.value.hint
    kept = [row for _, row in store.read_rows(house.root / "runtime/pretrain/not-a-number.jsonl")]
    assert len(kept) == STAGE.batch_size
    assert all(len(row["tokens"]) == STAGE.max_seq_length for row in kept)


def test_the_bar_tells_loss_and_rate(house, monkeypatch):
    told = []
    monkeypatch.setattr(console.Bar, "to", lambda self, done, facts="": told.append((done, facts)))
    _, outcome = fit(house)
    assert told[-1][0] == outcome.steps
    assert "loss" in told[-1][1]
    assert "tokens/s" in told[-1][1]
