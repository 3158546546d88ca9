"""Importance: mean squared inputs of each column, under llama.cpp's names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from alif.release.importance import measure_importance, write_importance

TEXTS = ["پانی کا فارمولا کیا ہے؟", "", "کتاب میز پر ہے۔"]


def test_it_is_the_mean_square_of_what_a_layer_reads(tiny_run: Path, tmp_path: Path) -> None:
    pytest.importorskip("gguf")
    folder = tiny_run / "base" / "model"
    columns = measure_importance(folder, TEXTS)
    model = AutoModelForCausalLM.from_pretrained(folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    states = [
        model.model(torch.tensor([tokenizer(text)["input_ids"]])).last_hidden_state[0].detach()
        for text in TEXTS
        if text or tokenizer(text)["input_ids"]
    ]
    expected = torch.cat(states).square().mean(0)  # what the head reads
    torch.testing.assert_close(columns["lm_head"], expected, rtol=1e-4, atol=1e-5)
    write_importance(tmp_path / "importance.npz", columns, folder)
    with np.load(tmp_path / "importance.npz") as written:
        assert {"blk.0.attn_q.weight", "blk.1.ffn_down.weight", "output.weight"} <= set(written.files)
        assert len(written.files) == len(columns)
        np.testing.assert_allclose(written["output.weight"], columns["lm_head"].numpy())
