"""Changes of a recipe that save memory in training, least harmful first: what `alif plan` suggests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

from alif.cost.architecture import ModelShape
from alif.cost.memory import MemoryLoad, memory_parts
from alif.settings import Recipe, Stage

__all__ = ["FOUR_BIT_SPEED", "Mitigation", "MitigationEntry", "choose_mitigations", "memory_load"]

SHORT_LENGTH = 2048
"""Tokens of the shorter row that is suggested."""
FOUR_BIT_SPEED = 0.78
"""Tokens per second on a base in 4 bits, as a share of those on one in 16 bits."""


class MitigationEntry(TypedDict):
    """A change that saves memory, and the memory after it and those before it."""

    set: str
    harm: str
    then_gb: float | None
    fits: bool | None


def memory_load(recipe: Recipe, stage: Stage, shape: ModelShape) -> MemoryLoad:
    """Return what decides the memory of a stage of `recipe`."""
    runtime = recipe.runtime
    return MemoryLoad(
        shape,
        recipe.adapter,
        stage,
        gradient_checkpointing=runtime.gradient_checkpointing,
        gpus=runtime.gpus,
        fsdp=runtime.fsdp,
        quantized=recipe.student.quantization == "4bit",
        compiled=runtime.torch_compile,
    )


@dataclass(frozen=True)
class Mitigation:
    """A change of a recipe that saves memory, and what it costs."""

    setting: str
    """As for --set."""
    harm: str
    table: str
    """adapter, student, runtime, or "stage"."""
    update: Mapping[str, object]

    def apply(self, recipe: Recipe, stage: Stage) -> tuple[Recipe, Stage]:
        """Return the recipe and the stage with the change."""
        if self.table == "stage":
            return recipe, stage.model_copy(update=self.update)
        table = getattr(recipe, self.table).model_copy(update=self.update)
        return recipe.model_copy(update={self.table: table}), stage


def choose_mitigations(
    recipe: Recipe, stage: Stage, shape: ModelShape, available: float
) -> Iterator[MitigationEntry]:
    """Yield the changes that make the stage fit: the least harmful that are enough, and no others.

    The last one fits, or a smaller base is suggested.
    """

    def total(chosen: Sequence[Mitigation]) -> float:
        changed, own = recipe, stage
        for one in chosen:
            changed, own = one.apply(changed, own)
        return sum(memory_parts(memory_load(changed, own, shape)).values()) / 1e9

    possible = [one for one in _all_mitigations(recipe, stage) if total([one]) != total([])]
    prefixes = (possible[: n + 1] for n in range(len(possible)))
    enough = next((prefix for prefix in prefixes if total(prefix) <= available), None)
    chosen = enough or possible
    for one in reversed(chosen[:-1]) if enough else ():
        without = [other for other in chosen if other is not one]
        chosen = without if total(without) <= available else chosen
    for n, one in enumerate(chosen, 1):
        now = total(chosen[:n])
        yield {"set": one.setting, "harm": one.harm, "then_gb": round(now, 1), "fits": now <= available}
    if not enough:
        yield {"set": "student.base", "harm": "another, smaller model", "then_gb": None, "fits": None}


def _all_mitigations(recipe: Recipe, stage: Stage) -> Iterator[Mitigation]:
    """Yield all changes that save memory, the least harmful first."""
    name = type(stage).__name__.lower()
    yield Mitigation(f"{name}.micro_batch_size=1", "none", "stage", {"micro_batch_size": 1})
    harm = "a third to a half more hours, the same result"
    yield Mitigation("runtime.gradient_checkpointing=true", harm, "runtime", {"gradient_checkpointing": True})
    is_sharded = recipe.runtime.fsdp and recipe.runtime.gpus > 1  # sharded weights have at least 16 bits
    if not is_sharded:
        harm = "little: the optimizer's state is rounded to 8 bits"
        yield Mitigation(f'{name}.optimizer="adamw_8bit"', harm, "stage", {"optimizer": "adamw_8bit"})
    if stage.max_seq_length > SHORT_LENGTH:
        harm = "longer texts are split, longer rows dropped"
        update = {"max_seq_length": SHORT_LENGTH}
        yield Mitigation(f"{name}.max_seq_length={SHORT_LENGTH}", harm, "stage", update)
    if not is_sharded:
        fewer = f"{1 - FOUR_BIT_SPEED:.0%} fewer tokens per second"
        harm = f"the base is rounded to 4 bits while it is trained, and {fewer}"
        yield Mitigation('student.quantization="4bit"', harm, "student", {"quantization": "4bit"})
    for rank in (64, 16):
        if recipe.adapter.rank > rank:
            yield Mitigation(
                f"adapter.rank={rank}", "a smaller adapter learns less", "adapter", {"rank": rank}
            )
    kept = tuple(kind for kind in recipe.adapter.targets if kind != "embeddings")
    names = ", ".join(f'"{kind}"' for kind in kept)
    harm = "the embeddings are not trained: the language's own tokens learn least"
    yield Mitigation(f"adapter.targets=[{names}]", harm, "adapter", {"targets": kept})
