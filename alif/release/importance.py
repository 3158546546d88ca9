"""How much each column of a model's matrices matters on the run's own text, for quantising by llama.cpp.

A matrix that is rounded to four bits loses least where its rounding errors meet small inputs. Which inputs
are large depends on the text: measured on English it is of little use to another language (arXiv 2601.18306).

    blk.0.attn_q.weight  ─▶  mean of the squared inputs of each of its columns, float32
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from alif.student.published import NO_CODE

__all__ = ["measure_importance", "write_importance"]

MOST_TOKENS = 512
"""Of a text."""


def measure_importance(model_folder: Path, texts: Sequence[str]) -> dict[str, torch.Tensor]:
    """Return the mean squared input of each column of each linear layer, by the layer's name."""
    load: Any = AutoModelForCausalLM.from_pretrained
    model = load(model_folder, dtype=torch.float32, **NO_CODE).eval()
    tokenizer: Any = AutoTokenizer.from_pretrained(model_folder, **NO_CODE)
    sums: dict[str, torch.Tensor] = {}
    seen = 0
    for name, layer in model.named_modules():
        if isinstance(layer, torch.nn.Linear):
            sums[name] = torch.zeros(layer.in_features)

            def add(layer: Any, inputs: tuple[torch.Tensor], name: str = name) -> None:
                sums[name] += inputs[0].detach().flatten(0, -2).square().sum(0)

            layer.register_forward_pre_hook(add)
    with torch.inference_mode():
        for text in texts:
            tokens = tokenizer(text, truncation=True, max_length=MOST_TOKENS)["input_ids"]
            if tokens:
                model(torch.tensor([tokens]))
                seen += len(tokens)
    return {name: total / max(1, seen) for name, total in sums.items()}


def write_importance(path: Path, columns: Mapping[str, torch.Tensor], model_folder: Path) -> None:
    """Write columns under the names that the layers have in a GGUF file, as .npz."""
    import gguf  # noqa: PLC0415  # an extra

    config = AutoConfig.from_pretrained(model_folder, **NO_CODE)
    kinds = {name: kind for kind, name in gguf.MODEL_ARCH_NAMES.items()}
    kind = kinds.get(config.model_type, gguf.MODEL_ARCH.LLAMA)
    known = gguf.get_tensor_name_map(kind, config.num_hidden_layers)
    named: Any = {f"{known.get_name(layer)}.weight": values.numpy() for layer, values in columns.items()}
    np.savez(path, **named)
