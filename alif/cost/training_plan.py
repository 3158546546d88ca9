"""Memory, tokens, hours and price of training a recipe on a named GPU, as ranges.

`alif plan RECIPE --gpu h200`. Nothing is sent and no torch is loaded: the base's architecture is shipped or
local, tokens are counted or estimated, and the time is the FLOPs over what such GPUs were measured to reach.
Every input has its source.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TypedDict

from alif.cost import architecture, batch_layout, flops, gpus, memory, token_estimate
from alif.cost.architecture import ModelShape
from alif.cost.gpus import Gpu
from alif.cost.memory import memory_parts
from alif.cost.mitigations import FOUR_BIT_SPEED, MitigationEntry, choose_mitigations, memory_load
from alif.cost.token_estimate import TokenCount
from alif.formatting import format_usd
from alif.runs import Run
from alif.settings import Prefer, Recipe

__all__ = ["StagePlan", "TrainingPlan", "plan_training"]

RESERVE = 0.06
"""Of the GPU's memory: the driver's own, and what the allocator cannot use. Assumed."""
TEXT_LENGTH = {"pretrain": 1024, "finetune": 300, "prefer": 300}
"""Mean tokens of the text that a token belongs to. Assumed; attention is a fortieth of the work."""
LABELLED = {"pretrain": 1.0, "finetune": 0.6, "prefer": 0.8}
"""Share of the tokens that carry loss, and cost a product with the head. Assumed for stages 2 and 3."""
REFERENCE_WORK = 1.5
"""Work of DPO, whose reference reads each pair too, against that of a stage without one. Assumed."""
USEFUL = {"packed": (1.0, 1.0), "padded": (0.3, 0.42)}
"""Share of tokens that are not padding, low and high: texts of these lengths in batches of 8, simulated."""
SMALL_MODELS = ((1e9, 0.4), (2e9, 0.6), (3e9, 0.8))
"""Below so many parameters, the share of a large model's FLOP/s: the matrices are too small. Assumed."""

Range = dict[str, float]
"""low, mid, high."""


class StagePlan(TypedDict):
    """What a stage takes."""

    stage: str
    memory_gb: Mapping[str, float]
    total_gb: float
    room_gb: float
    fits: bool
    checkpoint_gb: float
    tokens: Range
    gflop_a_token: float
    tokens_per_s: Range
    hours: Range
    usd: Range
    cures: Sequence[MitigationEntry]
    """Where it does not fit: changes that help."""


class LaterStep(TypedDict):
    """The memory of a step after the training."""

    step: str
    total_gb: float
    fits: bool
    cure: str
    """Where it does not fit."""


class PlanInput(TypedDict):
    """A number behind the plan; its mark is measured, shipped, recipe or assumed."""

    what: str
    value: str
    mark: str
    source: str


class TrainingPlan(TypedDict):
    """The JSON document of `alif plan`."""

    recipe: str
    gpu: str
    gpus: int
    base: str
    parameters: int
    trainable: int
    trainable_percent: float
    stages: Sequence[Mapping[str, object]]
    fits: bool
    """All stages."""
    later: Sequence[LaterStep]
    """Evaluation and export."""
    hours: Range
    usd: Range
    disk_gb: float
    inputs: Sequence[PlanInput]


def plan_training(
    recipe: Recipe, gpu_name: str, runs: Path = Path("runs"), bytes_per_token: float | None = None
) -> TrainingPlan:
    """Return the plan as one JSON document.

    Args:
        recipe: what is trained.
        gpu_name: on what.
        runs: the folder of runs, for what a run of this recipe has counted already.
        bytes_per_token: of the base's tokenizer on the taught language, where that was measured.

    Raises:
        RecipeError: no such GPU, or the training would be refused on so many.
        ModelError: a base whose architecture is not known here.
    """
    gpu = gpus.find_gpu(gpu_name)
    for name, stage in recipe.stages().items():
        batch_layout.check_batch_layout(
            name, stage, recipe.runtime, recipe.student.quantization, bfloat16=gpu.bfloat16
        )
    base, origin = architecture.shape_of(recipe.student, recipe.tiny)
    shape = base.model_copy(update={"vocab_size": base.vocab_size + recipe.student.added_tokens})
    run = Run(runs / recipe.name)
    counts = {
        "pretrain": token_estimate.pretrain_tokens(recipe, run, base.vocab_size, bytes_per_token),
        "finetune": token_estimate.finetune_tokens(recipe, run, base.vocab_size, bytes_per_token),
    }
    if "prefer" in recipe.stages():
        counts["prefer"] = token_estimate.prefer_tokens(recipe, run, base.vocab_size, bytes_per_token)
    stages = [_plan_stage(name, recipe, gpu, shape, tokens) for name, tokens in counts.items()]
    own = architecture.count_trained(shape, recipe.adapter)
    disk = max(2 * stage["checkpoint_gb"] for stage in stages) * 1e9 + 2 * 2 * shape.parameters
    disk += memory.FULL * own.trainable * len(recipe.merge.weights)
    disk += 2 * shape.parameters if recipe.merge.instruct else 0
    return {
        "recipe": recipe.name,
        "gpu": gpu.name,
        "gpus": recipe.runtime.gpus,
        "base": recipe.student.base,
        "parameters": shape.parameters,
        "trainable": own.trainable,
        "trainable_percent": round(own.percent, 3),
        "stages": [
            {**stage, "from": [asdict(count) for count in counts[stage["stage"]]]} for stage in stages
        ],
        "fits": all(stage["fits"] for stage in stages),
        "later": list(_later_steps(recipe, gpu, shape)),
        "hours": _range((sum(stage["hours"][end] for stage in stages) for end in ("low", "mid", "high")), 2),
        "usd": _range((sum(stage["usd"][end] for stage in stages) for end in ("low", "mid", "high")), 2),
        "disk_gb": round(disk / 1e9, 1),
        "inputs": list(_inputs(recipe, gpu, shape, origin, counts)),
    }


def _range(values: Iterable[float], digits: int) -> Range:
    return {end: round(value, digits) for end, value in zip(("low", "mid", "high"), values, strict=True)}


def _plan_stage(
    name: str, recipe: Recipe, gpu: Gpu, shape: ModelShape, tokens: Sequence[TokenCount]
) -> StagePlan:
    stage = recipe.stages()[name]
    load, runtime = memory_load(recipe, stage, shape), recipe.runtime
    parts, available = memory_parts(load), gpu.memory_gb * (1 - RESERVE)
    total = sum(parts.values()) / 1e9
    flop = flops.flops_per_token(
        flops.sizes_of(shape, recipe.adapter),
        LABELLED[name],
        TEXT_LENGTH[name],
        gradient_checkpointing=runtime.gradient_checkpointing,
    )
    if isinstance(stage, Prefer) and stage.loss == "dpo":
        flop *= REFERENCE_WORK
    low, mid, high = (sum(getattr(count, end) for count in tokens) for end in ("low", "mid", "high"))
    if not stage.epochs:
        low = mid = high = 0.0
    slower = _small_model_share(shape) * (FOUR_BIT_SPEED if load.quantized else 1.0)
    speed = [
        gpu.peak_tflops * 1e12 * share * useful * slower * runtime.gpus / flop
        for share, useful in zip(gpu.reached, USEFUL[stage.packing], strict=True)
    ]
    hours = [low / speed[1] / 3600, 2 * mid / (speed[0] + speed[1]) / 3600, high / speed[0] / 3600]
    prices = [gpu.usd_per_hour[0], sum(gpu.usd_per_hour) / 2, gpu.usd_per_hour[1]]
    checkpoint = (parts["trained"] + parts["optimiser"] + parts.get("average", 0.0)) * (
        load.gpus if load.fsdp else 1
    )
    return {
        "stage": name,
        "memory_gb": {part: round(size / 1e9, 2) for part, size in parts.items() if size},
        "total_gb": round(total, 1),
        "room_gb": round(available, 1),
        "fits": total <= available,
        "checkpoint_gb": round(checkpoint / 1e9, 1),
        "tokens": _range((low, mid, high), 0),
        "gflop_a_token": round(flop / 1e9, 1),
        "tokens_per_s": _range((speed[0], sum(speed) / 2, speed[1]), 0),
        "hours": _range(hours, 2),
        "usd": _range((h * p * runtime.gpus for h, p in zip(hours, prices, strict=True)), 2),
        "cures": [] if total <= available else list(choose_mitigations(recipe, stage, shape, available)),
    }


def _later_steps(recipe: Recipe, gpu: Gpu, shape: ModelShape) -> Iterator[LaterStep]:
    """Yield evaluation and export, which use one GPU and no 4 bits."""
    load, available = memory_load(recipe, recipe.finetune, shape), gpu.memory_gb * (1 - RESERVE)
    on_cpu = "--set 'runtime.device=\"cpu\"'"
    sizes = {
        "evaluate": (memory.evaluation_bytes(load), f"alif run RECIPE {on_cpu}: slower, the same numbers"),
        "export": (memory.export_bytes(load), "it is done on the CPU then, in the machine's memory"),
    }
    for step, (size, cure) in sizes.items():
        fits = size / 1e9 <= available
        yield {"step": step, "total_gb": round(size / 1e9, 1), "fits": fits, "cure": "" if fits else cure}


def _small_model_share(shape: ModelShape) -> float:
    return next((share for limit, share in SMALL_MODELS if shape.parameters < limit), 1.0)


def _inputs(
    recipe: Recipe, gpu: Gpu, shape: ModelShape, origin: str, counts: Mapping[str, Sequence[TokenCount]]
) -> Iterator[PlanInput]:
    """Yield every input with its mark and source."""

    def row(what: str, value: str, mark: str, source: str) -> PlanInput:
        return {"what": what, "value": value, "mark": mark, "source": source}

    low, high = gpu.reached
    parameters, memory_gb = f"{shape.parameters:,} parameters", f"{gpu.memory_gb} GB, {RESERVE:.0%} kept free"
    yield row("architecture of the base", parameters, origin, recipe.student.base)
    yield row("memory", memory_gb, "shipped", gpu.name)
    reached = f"{low:.0%} to {high:.0%} of {gpu.peak_tflops:,.0f} TFLOP/s"
    yield row("FLOP/s in training", reached, gpu.reached_mark, gpu.reached_source)
    price = "{} to {} an hour".format(*map(format_usd, gpu.usd_per_hour))
    yield row("price", price, "assumed", "renters of autumn 2026, not quotes")
    accuracy = "the whole peak within 10 % on a CPU; fitted to one shape on an H200, 4 bits not measured"
    yield row("activations", "counted in transformers' Llama under PEFT", "assumed", accuracy)
    if not gpu.bfloat16:
        yield row("dtype", "float16 with loss scaling", "assumed", f"{gpu.name} has no bfloat16")
    if (share := _small_model_share(shape)) < 1:
        yield row("small matrices", f"{share:.0%} of a large model's FLOP/s", "assumed", "not measured")
    if recipe.student.quantization == "4bit":
        size = f"{memory.FOUR_BIT:.3f} bytes a weight of linear layers"
        tensors = "NF4's tensors in bitsandbytes 0.50.2; embeddings and head in 16 bits"
        yield row("4-bit base", size, "measured", tensors)
        speeds = "torchtune: 3,083 and 2,413 tokens/s (Llama-3.1-8B, RTX 4090)"
        yield row("4-bit speed", f"{FOUR_BIT_SPEED:.0%} of the tokens per second", "measured", speeds)
    if any(stage.optimizer == "adamw_8bit" for stage in recipe.stages().values()):
        size = f"{memory.EIGHT_BIT:.3f} bytes a trained parameter"
        yield row("8-bit optimizer", size, "measured", "AdamW8bit's tensors in bitsandbytes 0.50.2")
    if recipe.runtime.gpus > 1:
        speed = f"{recipe.runtime.gpus} times the tokens per second of one"
        yield row("several GPUs", speed, "assumed", "tested on a CPU, not measured on more than one GPU")
    if any(stage.packing == "padded" for stage in recipe.stages().values()):
        padding = "{:.0%} to {:.0%} of the tokens".format(*(1 - one for one in reversed(USEFUL["padded"])))
        lengths = "simulated lengths in batches of 8; truncation is not counted"
        yield row("padding", padding, "assumed", lengths)
    if recipe.student.added_tokens:
        rows = f"{recipe.student.added_tokens:,} rows in embeddings and head"
        yield row("added tokens", rows, "assumed", "as many as the corpus gives, at most those asked for")
    if weights := len(recipe.merge.weights):
        each_gb = memory.FULL * architecture.count_trained(shape, recipe.adapter).trainable / 1e9
        models = f"{weights} adapters of {each_gb:,.1f} GB"
        yield row("merged models", models, "recipe", "evaluation takes as long for each as for a stage")
    for stage, tokens in counts.items():
        for one in tokens:
            yield row(f"{stage}: {one.what}", f"{one.mid / 1e6:,.1f} million tokens", one.mark, one.source)
