"""Hours, memory and price of the trainings of a study: `alif plan` on a GPU, or by FLOPs on a CPU."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import cast

from alif.cost import architecture, flops
from alif.cost.training_plan import StagePlan, plan_training
from alif.errors import ModelError
from alif.settings import Recipe

__all__ = ["ENDS", "Range", "TrainingHours"]

ENDS = ("low", "mid", "high")
Range = Mapping[str, float]
CPU_GFLOPS = {"low": 200.0, "mid": 45.0, "high": 10.0}
"""GFLOP/s of a training on a few cores, for the low, middle and high end of its hours. Measured here on two
cores: 150 to 230 with a model of 135 M parameters, about 20 with the demo's tiny one."""
TEXT_LENGTH = 512
"""Tokens of a text. Assumed; attention is a small part of the work."""


class TrainingHours:
    """The plans of the recipes that train something of their own, each made once."""

    def __init__(self, recipe: Recipe, gpu: str, runs: Path) -> None:
        """Plan for `gpu`, or for a CPU where the base recipe is made for one; `runs` has the siblings."""
        self.on_cpu = recipe.runtime.device == "cpu" or recipe.student.base == "tiny"
        self.where = "a CPU of 10 to 200 GFLOP/s" if self.on_cpu else f"one {gpu}, as alif plan"
        self.memory_gb: float | None = None
        """The most that a stage needs."""
        self.usd = dict.fromkeys(ENDS, 0.0)
        """Of the GPU, for all stages that were asked for."""
        self._gpu, self._runs = gpu, runs
        self._plans: dict[str, Mapping[str, StagePlan]] = {}

    def add_up(self, stage: str, recipes: Sequence[Recipe]) -> Range | None:
        """Return the hours of a stage over recipes; None where a base's architecture is not known."""
        plans = [self.plan(one).get(stage) for one in recipes]
        known = [plan for plan in plans if plan]
        if len(known) < len(plans):
            return None
        for end in ENDS:
            self.usd[end] += 0.0 if self.on_cpu else sum(plan["usd"][end] for plan in known)
        return {end: sum(plan["hours"][end] for plan in known) for end in ENDS}

    def plan(self, recipe: Recipe) -> Mapping[str, StagePlan]:
        """Return the plan of each stage by name; nothing where it is not known."""
        if recipe.name not in self._plans:
            self._plans[recipe.name] = {}
            with suppress(ModelError):
                stages = cast("Sequence[StagePlan]", plan_training(recipe, self._gpu, self._runs)["stages"])
                shape, _ = architecture.shape_of(recipe.student, recipe.tiny)
                gflop = flops.flops_per_token(flops.sizes_of(shape, recipe.adapter), 1.0, TEXT_LENGTH) / 1e9
                for one in stages if self.on_cpu else ():
                    one["hours"] = {end: one["tokens"][end] * gflop / CPU_GFLOPS[end] / 3600 for end in ENDS}
                self.memory_gb = max(self.memory_gb or 0.0, *(stage["total_gb"] for stage in stages))
                self._plans[recipe.name] = {stage["stage"]: stage for stage in stages}
        return self._plans[recipe.name]
