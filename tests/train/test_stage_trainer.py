from __future__ import annotations

import pytest
import torch

from alif.errors import ModelError
from alif.student.adapter import trainable_parameters
from alif.student.base import open_base
from alif.student.device import setup_torch
from alif.train import stage_trainer
from tests.train.conftest import RUNTIME
from tests.train.test_trainer import STAGE, fit


def test_embeddings_have_their_own_rate_and_no_decay(house):
    student = open_base(house.root / "base", setup_torch(RUNTIME))
    groups = {len(group["params"]): group for group in stage_trainer.group_parameters(student.model, STAGE)}
    assert groups[2]["lr"] == STAGE.embedding_lr  # embed_tokens and lm_head
    assert groups[2]["weight_decay"] == 0
    assert groups[14]["lr"] == STAGE.lr  # seven matrices in each of two layers
    assert groups[14]["weight_decay"] == STAGE.weight_decay
    assert groups[5]["weight_decay"] == 0  # norms


def test_eight_bit_adam_without_a_gpu_is_told(house):
    with pytest.raises(ModelError, match="needs a GPU"):
        fit(house, STAGE.model_copy(update={"optimizer": "adamw_8bit"}))


def test_saved_weights_are_put_back_by_name():
    model = torch.nn.Linear(2, 2)
    saved = {name: torch.full_like(weight, 3.0) for name, weight in trainable_parameters(model)}
    model.bias.requires_grad_(False)
    stage_trainer.load_trainable(saved, model)
    assert (model.weight == 3).all()
    assert not (model.bias == 3).any()  # what is frozen stays
