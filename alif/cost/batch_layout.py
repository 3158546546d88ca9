"""What a stage asks of a recipe that trains on several GPUs, told before anything is spent."""

from __future__ import annotations

from alif.errors import RecipeError
from alif.settings import Runtime, Stage

__all__ = ["check_batch_layout", "rows_per_pass"]


def check_batch_layout(
    name: str, stage: Stage, runtime: Runtime, quantise: str, *, bfloat16: bool = True
) -> None:
    """Refuse what cannot be trained on so many GPUs.

    Args:
        name: of the stage.
        stage: its settings.
        runtime: how many GPUs, and whether the model is shared out among them.
        quantise: the base's numbers while it trains, as in `student.quantization`.
        bfloat16: whether these GPUs have it; others train in float16.

    Raises:
        RecipeError: a step is no whole number of forward passes on each, or what is to be shared out cannot be.
    """
    rows_per_pass(name, stage, runtime.gpus)
    if not runtime.fsdp or runtime.gpus == 1:
        return
    if stage.optimizer == "adamw_8bit":
        raise RecipeError(
            f'{name}.optimizer = "adamw_8bit" does not go with runtime.fsdp = true',
            'Set it to "adamw", whose state is shared out among the GPUs.',
        )
    if quantise != "none" or not bfloat16:
        raise RecipeError(
            f"runtime.fsdp = true does not go with {'a base in 4 bits' if bfloat16 else 'float16'}",
            "Set it to false: each GPU has a copy then.",
        )


def rows_per_pass(name: str, stage: Stage, gpus: int) -> int:
    """Return the rows that go through the model at once, on all GPUs together.

    Raises:
        RecipeError: a step is no multiple of them.
    """
    found = stage.micro_batch_size * gpus
    if stage.batch_size % found:
        each = f" on {gpus} GPUs" if gpus > 1 else ""
        raise RecipeError(
            f"{name}.batch_size = {stage.batch_size} is no multiple of rows_at_once = {stage.micro_batch_size}{each}",
            "A step is whole forward passes, as many on each GPU: change one of them.",
        )
    return found
