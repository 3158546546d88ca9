"""Stage 1 of `small` on real text, our way and the paper's, at equal CPU seconds: useful tokens, and bits per byte reached.

    python benchmarks/small_paper.py --json benchmarks/results/small_paper.json
           [--data ../shared/data] [--seconds 60] [--seeds 2] [--folder PATH]      a folder keeps corpus and base

All ways begin with the same base (the recipe's tiny one, which has read English) and are measured on the same held-out text.
How much text fits into the seconds is found by a short probe of each way; then each is trained anew, so that every schedule
comes to its end. CPU seconds are those of the training loop, in one thread; the ways take turns.

    ours              the recipe small: packed rows of 512 tokens, 4 a step, float32 copies, a fifth of the tokens English
    paper             the recipe small-paper: one text a row, padded, 64 a step, bfloat16 copies, no English
    ours, large steps ours with about as many useful tokens in a step as the paper's: what the size of the step does alone
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from measure import result, write

from alif import pipeline, store
from alif import recipe as recipes
from alif.evaluate import heldout
from alif.evaluate.stats import Bootstrap
from alif.recipe import Recipe
from alif.runs import Run, StepContext, run_step
from alif.student.base import load_student
from alif.train import pretrain, training_callback

HERE = Path(__file__).resolve().parent
SHARED = HERE.parents[1] / "shared" / "data"
PROBE = 0.05
"""Epochs of a probe."""
DOCUMENTS = 30
"""Held-out documents of each source and language."""


class Clock:
    """CPU and wall seconds from the first step's end to the last's, and the useful tokens between them."""

    def __init__(self) -> None:
        self.marks: list[tuple[float, float, int]] = []

    def __enter__(self) -> Clock:
        self.real = training_callback.TrainingCallback.on_step_end

        def marking(one: training_callback.TrainingCallback, *args: Any, **kwargs: Any) -> None:
            self.real(one, *args, **kwargs)
            self.marks.append((time.process_time(), time.monotonic(), one.tokens))

        training_callback.TrainingCallback.on_step_end = marking  # type: ignore[method-assign]
        return self

    def __exit__(self, *context: Any) -> None:
        training_callback.TrainingCallback.on_step_end = self.real  # type: ignore[method-assign]

    def told(self) -> dict[str, float]:
        """Return the rate between first and last step, and the seconds of all of them at that rate."""
        (cpu, wall, tokens), (cpu_end, wall_end, tokens_end) = self.marks[0], self.marks[-1]
        whole = tokens_end / (tokens_end - tokens)
        return {
            "steps": len(self.marks),
            "tokens": tokens_end,
            "cpu_s": round((cpu_end - cpu) * whole, 1),
            "wall_s": round((wall_end - wall) * whole, 1),
            "tokens_per_cpu_s": round((tokens_end - tokens) / (cpu_end - cpu)),
        }


class Bench:
    """A run folder with the corpus and the base that all ways share."""

    def __init__(self, root: Path, data: Path) -> None:
        sets = [f'sources.folder="{data}"', 'runtime.device="cpu"', "runtime.checkpoint_steps=100000"]
        self.recipes = {
            name: recipes.load_recipe(recipes.shipped_recipes()[name], sets)
            for name in ("small", "small-paper")
        }
        self.run = Run(root / "small")
        for step in (pipeline.CORPUS, pipeline.BASE):
            run_step(step, self.recipes["small"], self.run)

    def probe(self, recipe: Recipe) -> dict[str, Any]:
        """Train stage 1 for a little; return what the clock told."""
        return self.train(recipe, PROBE, 0, read=False)

    def train(self, recipe: Recipe, epochs: float, seed: int, read: bool = True) -> dict[str, Any]:
        """Train stage 1 from the base; return what the clock told, and the bits per byte that were reached."""
        with tempfile.TemporaryDirectory() as scratch, Clock() as clock:
            context = self._context(Path(scratch), recipe)
            stage = recipe.pretrain.model_copy(update={"epochs": epochs, "seed": seed, "look_steps": 0})
            pretrain.train_pretrain(context, recipe.language, recipe.adapter, stage)
            return clock.told() | ({"bits_per_byte": self.bits(context.folder / "adapter")} if read else {})

    def bits(self, adapter: Path | None) -> dict[str, float]:
        """Return bits per byte of held-out text by language, sources alike."""
        small = self.recipes["small"]
        languages = [small.language.pack, small.language.source]
        chosen = heldout.sample_documents(
            self.run.folder("corpus"), languages, DOCUMENTS, small.evaluate.seed
        )
        student = load_student(self.run.folder("base"), adapter, small.runtime)
        found = heldout.measure_bits_per_byte(
            student, chosen, small.pretrain.max_seq_length, small.language.source
        )
        by = Bootstrap(50, small.evaluate.seed)
        return {
            one.language: round(one.estimate(by).value, 4)
            for one in found
            if one.benchmark == heldout.BENCHMARK
        }

    def _context(self, scratch: Path, recipe: Recipe) -> StepContext:
        folder = scratch / "partial"
        folder.mkdir()
        needs = {name: self.run.folder(name) for name in ("base", "corpus")}
        return StepContext("small_paper", "pretrain", folder, scratch, scratch, needs, recipe.runtime)


def large_steps(recipe: Recipe, tokens: float) -> Recipe:
    """Return a recipe with about `tokens` in a step of packed rows."""
    stage = recipe.pretrain
    at_once = stage.micro_batch_size
    rows = max(1, round(tokens / stage.max_seq_length / at_once)) * at_once
    return recipe.model_copy(update={"pretrain": stage.model_copy(update={"rows_per_step": rows})})


def measured(bench: Bench, seconds: float, seeds: int) -> dict[str, Any]:
    """Train every way and return what came of it."""
    ours, paper = bench.recipes["small"], bench.recipes["small-paper"]
    probes = {"ours": bench.probe(ours), "paper": bench.probe(paper)}
    large = large_steps(ours, probes["paper"]["tokens"] / probes["paper"]["steps"])
    probes["ours, large steps"] = bench.probe(large)
    ways = {"ours": ours, "paper": paper, "ours, large steps": large}
    epochs = {name: PROBE * seconds / probe["cpu_s"] for name, probe in probes.items()}
    turns: dict[str, list[dict[str, Any]]] = {name: [] for name in ways}
    for seed in range(1, seeds + 1):
        for name, recipe in ways.items():
            turns[name].append(bench.train(recipe, epochs[name], seed))
            print(name, seed, turns[name][-1], flush=True)
    base = store.read_json(bench.run.folder("base") / "base.json")
    return {
        "seconds": seconds,
        "held_out_documents_of_each_source": DOCUMENTS,
        "base": {"parameters": base["parameters"], "bits_per_byte": bench.bits(None)},
        "ways": {name: summary(ways[name], epochs[name], turns[name]) for name in ways},
    }


def summary(recipe: Recipe, epochs: float, turns: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the means of a way's turns, and each of them."""
    languages = turns[0]["bits_per_byte"]
    return {
        "epochs": round(epochs, 3),
        "rows_per_step": recipe.pretrain.batch_size,
        "bits_per_byte": {
            code: round(statistics.mean(turn["bits_per_byte"][code] for turn in turns), 4)
            for code in languages
        },
        "tokens_per_cpu_s": round(statistics.mean(turn["tokens_per_cpu_s"] for turn in turns)),
        "turns": turns,
    }


def main() -> None:
    """Measure, and write the result."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--folder", type=Path)
    context = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measured(
            Bench(context.folder or Path(folder), context.data.resolve()), context.seconds, context.seeds
        )
    write(context.json, result("small_paper", found))


if __name__ == "__main__":
    main()
