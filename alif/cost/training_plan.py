"""What training a recipe takes on a named GPU, before a dollar is spent: memory by part, tokens, hours and money as ranges.

`alif check RECIPE --gpu h200`. Nothing is sent and no torch is loaded: the base's shape is shipped or lies here, tokens are
counted or told, the time is the work (FLOP) over what such GPUs were measured to reach. Every input is marked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alif.cost import architecture, batch_layout, flops, gpus, memory, token_estimate
from alif.cost.architecture import ModelShape
from alif.cost.gpus import Gpu
from alif.cost.memory import MemoryLoad, memory_parts
from alif.cost.token_estimate import TokenCount
from alif.formatting import format_usd
from alif.runs import Run
from alif.settings import Pretrain, Recipe, Stage

__all__ = ["plan_training"]

RESERVE = 0.06
"""Of the GPU's memory: the driver's own, and what the allocator cannot use. Assumed."""
TEXT = {"pretrain": 1024, "finetune": 300}
"""Tokens of the text that a token stands in. Assumed; attention is a fortieth of the work."""
LABELLED = {"pretrain": 1.0, "finetune": 0.6}
"""Part of the tokens that carry loss, and cost a product with the head. Assumed for stage 2."""
SHORT = 2048
"""Tokens of the shorter row that is advised."""
FOUR_BIT_SPEED = 0.78
"""What is left of the tokens a second on a base in 4 bits."""
USEFUL = {"packed": (1.0, 1.0), "padded": (0.3, 0.42)}
"""Part of what goes through the model that is no padding, low and high: texts of these lengths in batches of 8, simulated."""
SMALL_MODELS = ((1e9, 0.4), (2e9, 0.6), (3e9, 0.8))
"""Below so many parameters, so much of what a GPU reaches with a large model: its products are too small. Assumed."""


def plan_training(recipe: Recipe, gpu_name: str, runs: Path = Path("runs")) -> dict[str, Any]:
    """Return the plan as one JSON document.

    Raises:
        RecipeError: no such GPU, or the training would be refused on so many.
        ModelError: a base whose shape is not known here.
    """
    gpu = gpus.find_gpu(gpu_name)
    for name, stage in (("pretrain", recipe.pretrain), ("finetune", recipe.finetune)):
        batch_layout.check_batch_layout(
            name, stage, recipe.runtime, recipe.student.quantization, bfloat16=gpu.bfloat16
        )
    bare, origin = architecture.shape_of(recipe.student, recipe.tiny)
    run = Run(runs / recipe.name)
    shape = bare.model_copy(update={"vocab_size": bare.vocab_size + recipe.student.added_tokens})
    stages = [
        _stage("pretrain", recipe, gpu, shape, token_estimate.pretrain_tokens(recipe, run, bare.vocab_size)),
        _stage("finetune", recipe, gpu, shape, token_estimate.finetune_tokens(recipe, run, bare.vocab_size)),
    ]
    own = architecture.count_trained(shape, recipe.adapter)
    return {
        "recipe": recipe.name,
        "gpu": gpu.name,
        "gpus": recipe.runtime.gpus,
        "base": recipe.student.base,
        "parameters": shape.parameters,
        "trainable": own.trainable,
        "trainable_percent": round(own.percent, 3),
        "stages": stages,
        "fits": all(stage["fits"] for stage in stages),
        "hours": _sum(stages, "hours"),
        "usd": _sum(stages, "usd"),
        "disk_gb": round(
            max(2 * stage["checkpoint_gb"] for stage in stages) + 2 * 2 * shape.parameters / 1e9, 1
        ),
        "inputs": _inputs(recipe, gpu, shape, origin, stages),
    }


def _stage(
    name: str, recipe: Recipe, gpu: Gpu, shape: ModelShape, tokens: Sequence[TokenCount]
) -> dict[str, Any]:
    stage: Stage = recipe.pretrain if name == "pretrain" else recipe.finetune
    load = _load(recipe, stage, shape)
    found = memory_parts(load)
    room = gpu.memory_gb * (1 - RESERVE)
    flop = flops.flops_per_token(
        flops.sizes_of(shape, recipe.adapter),
        LABELLED[name],
        TEXT[name],
        recompute=recipe.runtime.gradient_checkpointing,
    )
    low, mid, high = (sum(getattr(amount, end) for amount in tokens) for end in ("low", "mid", "high"))
    if not stage.epochs:
        low = mid = high = 0.0
    slower = _small(shape) * (FOUR_BIT_SPEED if load.quantised else 1.0)
    ends = zip(gpu.reached, USEFUL[stage.packing], strict=True)
    speed = [
        gpu.peak_tflops * 1e12 * share * useful * slower * recipe.runtime.gpus / flop
        for share, useful in ends
    ]
    hours = [low / speed[1] / 3600, 2 * mid / (speed[0] + speed[1]) / 3600, high / speed[0] / 3600]
    prices = [gpu.usd_an_hour[0], sum(gpu.usd_an_hour) / 2, gpu.usd_an_hour[1]]
    total = sum(found.values()) / 1e9
    return {
        "stage": name,
        "memory_gb": {part: round(size / 1e9, 2) for part, size in found.items() if size},
        "total_gb": round(total, 1),
        "room_gb": round(room, 1),
        "fits": total <= room,
        "checkpoint_gb": round(
            (found["trained"] + found["optimiser"]) * (load.gpus if load.shard else 1) / 1e9, 1
        ),
        "tokens": _range((low, mid, high), 0),
        "gflop_a_token": round(flop / 1e9, 1),
        "tokens_per_s": _range((speed[0], sum(speed) / 2, speed[1]), 0),
        "hours": _range(hours, 2),
        "usd": _range((h * p * recipe.runtime.gpus for h, p in zip(hours, prices, strict=True)), 2),
        "cures": [] if total <= room else list(_cures(recipe, stage, shape, room)),
        "from": [amount.told() for amount in tokens],
    }


def _load(recipe: Recipe, stage: Stage, shape: ModelShape) -> MemoryLoad:
    runtime, quantised = recipe.runtime, recipe.student.quantization == "4bit"
    return MemoryLoad(
        shape,
        recipe.adapter,
        stage,
        recompute=runtime.gradient_checkpointing,
        gpus=runtime.gpus,
        shard=runtime.fsdp,
        quantised=quantised,
        compiled=runtime.torch_compile,
    )


def _cures(recipe: Recipe, stage: Stage, shape: ModelShape, room: float) -> Iterator[dict[str, Any]]:
    """Yield the changes that make the stage fit, in order of harm: those least harmful that are enough, and no others.

    Each tells what is needed with it and those before it; the last one fits, or a smaller base is advised.
    """

    def total(chosen: Sequence[Mitigation]) -> float:
        changed, own = recipe, stage
        for cure in chosen:
            changed, own = cure.change(changed, own)
        return sum(memory_parts(_load(changed, own, shape)).values()) / 1e9

    possible = [cure for cure in _every_cure(recipe, stage) if total([cure]) != total([])]
    enough = next((possible[: n + 1] for n in range(len(possible)) if total(possible[: n + 1]) <= room), None)
    chosen = enough or possible
    for cure in reversed(chosen[:-1]) if enough else ():
        without = [one for one in chosen if one is not cure]
        chosen = without if total(without) <= room else chosen
    for n, cure in enumerate(chosen, 1):
        now = total(chosen[:n])
        yield {"set": cure.line, "harm": cure.harm, "then_gb": round(now, 1), "fits": now <= room}
    if not enough:
        yield {"set": "student.base", "harm": "another, smaller model", "then_gb": None, "fits": None}


@dataclass(frozen=True)
class Mitigation:
    """A change of a recipe that saves memory, and what it costs."""

    line: str
    harm: str
    table: str
    """adapter, student, runtime, or "stage"."""
    values: Mapping[str, Any]

    def change(self, recipe: Recipe, stage: Stage) -> tuple[Recipe, Stage]:
        if self.table == "stage":
            return recipe, stage.model_copy(update=dict(self.values))
        table = getattr(recipe, self.table).model_copy(update=dict(self.values))
        return recipe.model_copy(update={self.table: table}), stage


def _every_cure(recipe: Recipe, stage: Stage) -> Iterator[Mitigation]:
    """Yield all cures, the least harmful first."""
    name = "pretrain" if isinstance(stage, Pretrain) else "finetune"
    yield Mitigation(f"{name}.micro_batch_size=1", "none", "stage", {"rows_at_once": 1})
    yield Mitigation(
        "runtime.gradient_checkpointing=true",
        "a third to a half more hours, the same result",
        "runtime",
        {"recompute": True},
    )
    apart = not (
        recipe.runtime.fsdp and recipe.runtime.gpus > 1
    )  # parts of a model have numbers of at least 16 bits
    eight = {"optimizer": "adamw_8bit"}
    if apart:
        yield Mitigation(
            f'{name}.optimizer="adamw_8bit"',
            "little: the optimiser's state is rounded to 8 bits",
            "stage",
            eight,
        )
    if stage.max_seq_length > SHORT:
        line = f"{name}.max_seq_length={SHORT}"
        yield Mitigation(
            line, "longer texts are read in pieces, longer rows dropped", "stage", {"tokens_per_row": SHORT}
        )
    four = {"quantise": "4bit"}
    slower = (
        f"the base is rounded to 4 bits while it trains, and {1 - FOUR_BIT_SPEED:.0%} fewer tokens a second"
    )
    if apart:
        yield Mitigation('student.quantization="4bit"', slower, "student", four)
    for rank in (64, 16):
        if recipe.adapter.rank > rank:
            yield Mitigation(
                f"adapter.rank={rank}", "a smaller adapter learns less", "adapter", {"rank": rank}
            )
    kept = tuple(kind for kind in recipe.adapter.targets if kind != "embeddings")
    told = ", ".join(f'"{kind}"' for kind in kept)
    yield Mitigation(
        f"adapter.targets=[{told}]",
        "the embeddings stay: the language's own pieces learn least",
        "adapter",
        {"targets": kept},
    )


def _small(shape: ModelShape) -> float:
    return next((share for limit, share in SMALL_MODELS if shape.parameters < limit), 1.0)


def _range(values: Iterable[float], digits: int) -> dict[str, float]:
    return {end: round(value, digits) for end, value in zip(("low", "mid", "high"), values, strict=True)}


def _sum(stages: Sequence[Mapping[str, Any]], key: str) -> dict[str, float]:
    return _range((sum(stage[key][end] for stage in stages) for end in ("low", "mid", "high")), 2)


def _inputs(
    recipe: Recipe, gpu: Gpu, shape: ModelShape, origin: str, stages: Sequence[Mapping[str, Any]]
) -> list[dict[str, str]]:
    """Return every input with its mark: measured, shipped, recipe or assumed."""
    reached = f"{gpu.reached[0]:.0%} to {gpu.reached[1]:.0%} of {gpu.peak_tflops:,.0f} TFLOP/s"
    found = [
        ("shape of the base", f"{shape.parameters:,} parameters", origin, recipe.student.base),
        ("memory", f"{gpu.memory_gb} GB, {RESERVE:.0%} kept free", "shipped", gpu.name),
        ("what the GPU reaches", reached, gpu.reached_mark, gpu.reached_source),
        (
            "price",
            "{} to {} an hour".format(*map(format_usd, gpu.usd_an_hour)),
            "assumed",
            "renters of autumn 2026, not quotes",
        ),
        (
            "activations",
            "counted in transformers' Llama under PEFT",
            "assumed",
            "the whole peak within 10 % on a CPU; on a GPU fitted to one shape on an H200, 4 bits not measured",
        ),
    ]
    if not gpu.bfloat16:
        found.append(("numbers", "float16 with loss scaling", "assumed", f"{gpu.name} has no bfloat16"))
    if (factor := _small(shape)) < 1:
        found.append(
            (
                "small products",
                f"{factor:.0%} of what a large model reaches",
                "assumed",
                "no measurement at hand",
            )
        )
    found += _special(recipe)
    for stage in stages:
        found += [
            (
                f"{stage['stage']}: {one['what']}",
                f"{one['mid'] / 1e6:,.1f} million tokens",
                one["mark"],
                one["source"],
            )
            for one in stage["from"]
        ]
    return [dict(zip(("what", "value", "mark", "source"), row, strict=True)) for row in found]


def _special(recipe: Recipe) -> Iterator[tuple[str, str, str, str]]:
    """Yield the inputs of fewer bits, more tokens, padding and more GPUs, where a recipe asks for them."""
    if recipe.student.quantization == "4bit":
        told = f"{memory.FOUR_BIT:.3f} bytes a weight of linear layers"
        yield (
            "4-bit base",
            told,
            "measured",
            "NF4's tensors in bitsandbytes 0.50.2; embeddings and head in 16 bits",
        )
        speed = f"{FOUR_BIT_SPEED:.0%} of the tokens a second"
        yield "4-bit speed", speed, "measured", "torchtune: 3,083 and 2,413 tokens/s (Llama-3.1-8B, RTX 4090)"
    if "adamw_8bit" in (recipe.pretrain.optimizer, recipe.finetune.optimizer):
        told = f"{memory.EIGHT_BIT:.3f} bytes a trained parameter"
        yield "8-bit optimiser", told, "measured", "AdamW8bit's tensors in bitsandbytes 0.50.2"
    if recipe.runtime.gpus > 1:
        told = f"{recipe.runtime.gpus} times the tokens a second of one"
        yield (
            "several GPUs",
            told,
            "assumed",
            "tested with processes on a CPU, not measured on more than one GPU",
        )
    if "padded" in (recipe.pretrain.packing, recipe.finetune.packing):
        told = "{:.0%} to {:.0%} of the tokens are none".format(
            *(1 - useful for useful in reversed(USEFUL["padded"]))
        )
        yield (
            "padding",
            told,
            "assumed",
            "simulated lengths in batches of 8; what is cut off is not taken away",
        )
    if recipe.student.added_tokens:
        told = f"{recipe.student.added_tokens:,} rows in embeddings and head"
        yield "new tokens", told, "assumed", "as many as the corpus gives, at most those asked for"
