"""AdamW, in full or with its state in 8 bits."""

from __future__ import annotations

from typing import Any

import torch

from alif.errors import MissingExtra, ModelError
from alif.settings import Stage

__all__ = ["EXTRA", "build_optimizer"]

EXTRA = "low-memory"
"""Of pyproject.toml: bitsandbytes."""


def build_optimizer(stage: Stage, device: torch.device) -> tuple[type[torch.optim.Optimizer], dict[str, Any]]:
    """Return the class that `stage.optimizer` names, and its settings on `device`.

    Raises:
        ModelError: 8 bits without a GPU.
        MissingExtra: bitsandbytes is not installed.
    """
    if stage.optimizer == "adamw":
        return torch.optim.AdamW, {"fused": device.type == "cuda"}
    if device.type != "cuda":
        raise ModelError(
            'optimizer = "adamw_8bit" needs a GPU, and none is used here', 'Set it to "adamw", or use a GPU.'
        )
    try:
        from bitsandbytes.optim import AdamW8bit  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise MissingExtra('optimizer = "adamw_8bit"', EXTRA) from error
    return AdamW8bit, {}
