"""Proof, before the first step, that a stage trains the model's own loss and that packed texts stay apart.

    two texts in one row  ─▶ chunked loss ┐
                                          ├▶ equal, or the stage does not begin
    each text alone ─▶ the library's logits ┘

Our loss takes a short cut past the library's forward pass, and packing relies on each layer handing the
boundaries of texts on. Neither can be read off a config; both are measured on the loaded model in a moment.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from alif.errors import ModelError
from alif.settings import Stage
from alif.student import attention
from alif.student.adapter import output_head, unwrap
from alif.student.device import DeviceConfig
from alif.student.linear_layers import recurrent_layers
from alif.train.loss import ChunkedLossModel, LogitTransform, possible_transforms
from alif.train.packing import PackedRows, Segment, collate, collate_trimmed, pack_segments, pad_segments

__all__ = ["TrainingForm", "choose_training_form", "training_attention"]

LENGTHS = (14, 11)
"""Tokens of the two texts; packing puts the longer one first."""
ROW = 32
FULL, HALF = 1e-3, 3e-2
"""Accepted difference of a loss or logit, as a share of the largest, in float32 and in 16 bits."""
LEAK = 1e-3
"""Accepted change of a text's states when the other text in its row is another one, as a share of the largest
state. All shapes stay, so what is kept apart does not change at all."""


@dataclass(frozen=True)
class TrainingForm:
    """How a model is trained here: what the probe found to be right."""

    attention: str
    transform: LogitTransform


def choose_training_form(model: Any, stage: Stage, device: DeviceConfig) -> TrainingForm:
    """Return the attention and the logits' transform with which the loss of packed texts is the model's own.

    Raises:
        ModelError: there is none: packed texts see each other, the logits are changed in an unknown way, or
            the library cannot run such rows.
    """
    chosen = attention.choose_attention(unwrap(model).config, device.device, device.dtype)
    was_training = model.training
    model.eval()
    autocast = torch.autocast(device.device.type, device.dtype, enabled=device.dtype != torch.float32)
    try:
        with torch.no_grad(), autocast:
            return _probe(model, stage, device, chosen)
    except torch.OutOfMemoryError:
        raise
    except (ValueError, RuntimeError, TypeError, KeyError, AttributeError, IndexError, ImportError) as error:
        message = " ".join(str(error).split())[:200]
        raise ModelError(
            f"the library cannot run two packed texts through this base: {message}", "Choose another base."
        ) from error
    finally:
        model.train(was_training)


def _probe(model: Any, stage: Stage, device: DeviceConfig, chosen: str) -> TrainingForm:
    bare = unwrap(model)
    is_full = device.dtype == output_head(bare)[0].dtype == torch.float32
    limit = FULL if is_full else HALF
    size, generator = int(bare.get_input_embeddings().weight.shape[0]), torch.Generator().manual_seed(0)
    first, second, other = (  # the last stands in the first one's place, to see whether the second notices
        torch.randint(0, size, (length,), generator=generator).tolist() for length in (*LENGTHS, LENGTHS[0])
    )
    own = bare.config._attn_implementation
    with training_attention(model, own):
        transform = _find_transform(bare, first, limit)
        expected = _loss_alone(bare, first) + _loss_alone(bare, second)
    found, leaks = 0.0, False  # a base whose weights are not numbers is stopped at the first step, by name
    for name in dict.fromkeys((chosen, own)):
        with training_attention(model, name):
            batch = _batch(bare, (first, second), stage)
            found = float(ChunkedLossModel(model, transform)(**batch)["loss"])
            states = _second_states(bare, batch, stage)
            changed = _second_states(bare, _batch(bare, (other, second), stage), stage)
        leaks = not float((states - changed).abs().max()) <= LEAK * float(states.abs().max())
        if not math.isfinite(expected) or (not leaks and abs(found - expected) <= limit * expected):
            return TrainingForm(name, transform)
    if leaks:
        layers = recurrent_layers(bare)
        because = f" (its {layers} layers hand on a state)" if layers else ""
        raise ModelError(
            f"packed texts would see each other in this base{because}",
            'Set pretrain.packing and finetune.packing to "padded", or choose another base.',
        )
    raise ModelError(
        f"the loss of training is not this base's own: {found:.3f} nats of two texts in one row, "
        f"{expected:.3f} of each alone",
        "Choose a base of Llama's architecture (Llama, Qwen …).",
    )


@contextlib.contextmanager
def training_attention(model: Any, name: str) -> Iterator[None]:
    """Use the attention `name` within this context."""
    bare = unwrap(model)
    # PEFT would copy each input of LoRA to float32; autocast copies none
    lora = [layer for layer in bare.modules() if hasattr(layer, "cast_input_dtype_enabled")]
    before = bare.config._attn_implementation
    bare.set_attn_implementation(name)
    for layer in lora:
        layer.cast_input_dtype_enabled = False
    try:
        yield
    finally:
        bare.set_attn_implementation(before)
        for layer in lora:
            layer.cast_input_dtype_enabled = True


def _tokens(bare: Any, text: Sequence[int]) -> torch.Tensor:
    return torch.tensor([text], device=bare.get_input_embeddings().weight.device)


def _loss_alone(bare: Any, text: Sequence[int]) -> float:
    tokens = _tokens(bare, text)
    logits = bare(input_ids=tokens, use_cache=False).logits[0, :-1].float()
    return float(functional.cross_entropy(logits, tokens[0, 1:], reduction="sum"))


def _find_transform(bare: Any, text: Sequence[int], limit: float) -> LogitTransform:
    """Return what turns the head's product into the model's logits."""
    tokens = _tokens(bare, text)
    logits = bare(input_ids=tokens, use_cache=False).logits.float()
    states = bare.base_model(input_ids=tokens, use_cache=False).last_hidden_state
    weight, bias = output_head(bare)
    product = functional.linear(states, weight.to(states.dtype), bias).float()
    for transform in possible_transforms(bare.config):
        found = product * transform.scale
        if transform.softcap:
            found = transform.softcap * torch.tanh(found / transform.softcap)
        if not logits.isfinite().all() or float((found - logits).abs().max()) <= limit * float(
            logits.abs().max()
        ):
            return transform
    raise ModelError(
        "this base changes its logits after the head in a way that is not known here",
        "Choose a base of Llama's architecture (Llama, Qwen …).",
    )


def _batch(bare: Any, texts: Sequence[Sequence[int]], stage: Stage) -> dict[str, Any]:
    """Return `texts` as training gets them: in one row, or in a row each."""
    segments = [Segment(str(number), text) for number, text in enumerate(texts)]
    packed = stage.packing == "packed"
    dataset = (pack_segments if packed else pad_segments)(segments, ROW, 0)
    rows = PackedRows(dataset, np.arange(len(dataset)))
    batch = (collate if packed else collate_trimmed)([rows[at] for at in range(len(rows))])
    device = bare.get_input_embeddings().weight.device
    return {key: part.to(device) if isinstance(part, torch.Tensor) else part for key, part in batch.items()}


def _second_states(bare: Any, batch: dict[str, Any], stage: Stage) -> torch.Tensor:
    inputs = {key: part for key, part in batch.items() if key != "labels"}
    states: torch.Tensor = bare.base_model(**inputs, use_cache=False).last_hidden_state.float()
    first, second = LENGTHS
    return states[0, first : first + second] if stage.packing == "packed" else states[1, :second]
