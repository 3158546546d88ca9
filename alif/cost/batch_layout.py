"""Checks that a stage's batch, optimizer and base go with the number of GPUs, before anything is spent."""

from __future__ import annotations

from alif.errors import RecipeError
from alif.settings import Runtime, Stage

__all__ = ["check_batch_layout", "rows_per_pass"]


def check_batch_layout(
    name: str, stage: Stage, runtime: Runtime, quantization: str, *, bfloat16: bool = True
) -> None:
    """Refuse what cannot be trained on so many GPUs.

    Args:
        name: of the stage.
        stage: its settings.
        runtime: how many GPUs, and whether the model is sharded over them.
        quantization: `student.quantization`.
        bfloat16: whether these GPUs have it; others train in float16.

    Raises:
        RecipeError: the batch does not divide, or the model cannot be sharded.
    """
    rows_per_pass(name, stage, runtime.gpus)
    if not runtime.fsdp or runtime.gpus == 1:
        return
    if stage.optimizer == "adamw_8bit":
        raise RecipeError(
            f'{name}.optimizer = "adamw_8bit" does not go with runtime.fsdp = true',
            'Set it to "adamw", whose state is sharded over the GPUs.',
        )
    if quantization != "none" or not bfloat16:
        raise RecipeError(
            f"runtime.fsdp = true does not go with {'a base in 4 bits' if bfloat16 else 'float16'}",
            "Set it to false: each GPU has a copy then.",
        )


def rows_per_pass(name: str, stage: Stage, gpus: int) -> int:
    """Return the rows in one forward pass of all GPUs together.

    Raises:
        RecipeError: the batch is not a multiple of them.
    """
    rows = stage.micro_batch_size * gpus
    if stage.batch_size % rows:
        on_gpus = f" on {gpus} GPUs" if gpus > 1 else ""
        raise RecipeError(
            f"{name}.batch_size = {stage.batch_size} is not a multiple of "
            f"micro_batch_size = {stage.micro_batch_size}{on_gpus}",
            "A step is a whole number of forward passes, the same on each GPU: change one of them.",
        )
    return rows
