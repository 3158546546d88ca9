"""Stage 1 of `small` on real text with our and the paper's settings: bits per byte after equal CPU time.

    python benchmarks/small_paper.py [--data ../shared/data] [--seconds 60] [--seeds 2] [--folder PATH]

All variants start from the same base (the recipe's tiny model, pre-trained on English) and are measured on
the same held-out text. A short probe of each variant tells how much text fits into the seconds; then each is
trained from the start, so that its schedule ends. CPU seconds are those of the training loop, in one thread;
the variants take turns. `--folder` keeps the corpus and the base for another call.

    ours                the recipe small: packed rows of 512 tokens, batch size 4, float32 copies, English too
    paper               the recipe small-paper: one text per row, padded, batch size 64, bfloat16 copies
    ours, large steps   ours with about as many useful tokens per step as the paper: the effect of batch size
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import measure

from alif import pipeline, store
from alif import recipe as recipes
from alif.evaluate import heldout
from alif.evaluate.system import ask_student
from alif.runs import Run, make_context, run_step
from alif.settings import Recipe
from alif.student.base import load_student
from alif.train import pretrain
from alif.train.training_callback import TrainingCallback

HERE = Path(__file__).resolve().parent
SHARED = HERE.parents[1] / "shared" / "data"
PROBE = 0.05
"""Epochs of a probe."""
DOCUMENTS = 30
"""Held-out documents per source and language."""


class Clock:
    """Records CPU time, wall time and useful tokens at the end of each training step."""

    def __init__(self) -> None:
        self.marks: list[tuple[float, float, int]] = []

    def __enter__(self) -> Clock:
        self.original: Any = TrainingCallback.on_step_end

        def on_step_end(callback: TrainingCallback, *args: Any, **kwargs: Any) -> None:
            self.original(callback, *args, **kwargs)
            self.marks.append((time.process_time(), time.monotonic(), callback.tokens))

        TrainingCallback.on_step_end = on_step_end  # type: ignore[assignment, method-assign]
        return self

    def __exit__(self, *context: Any) -> None:
        TrainingCallback.on_step_end = self.original  # type: ignore[method-assign]

    def summary(self) -> dict[str, float]:
        """Return the rate from the first to the last step, and the seconds of all steps at that rate."""
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
    """A run folder with the corpus and the base that all variants share."""

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
        """Train stage 1 for a small part of an epoch; return the clock's summary."""
        return self.train(recipe, PROBE, 0, evaluate=False)

    def train(self, recipe: Recipe, epochs: float, seed: int, evaluate: bool = True) -> dict[str, Any]:
        """Train stage 1 from the base; return the clock's summary and the bits per byte reached."""
        with tempfile.TemporaryDirectory() as scratch, Clock() as clock:
            inputs = {name: self.run.folder(name) for name in ("base", "corpus")}
            context = make_context(Run(Path(scratch)), "pretrain", recipe.runtime, inputs=inputs)
            stage = recipe.pretrain.model_copy(update={"epochs": epochs, "seed": seed, "eval_steps": 0})
            pretrain.train_pretrain(context, recipe.language, recipe.adapter, stage)
            found = clock.summary()
            return found | ({"bits_per_byte": self.bits(context.folder / "adapter")} if evaluate else {})

    def bits(self, adapter: Path | None) -> dict[str, float]:
        """Return bits per byte of held-out text by language, the mean over its sources."""
        small = self.recipes["small"]
        languages = [small.language.pack, small.language.source]
        with tempfile.TemporaryDirectory() as scratch:
            output = make_context(Run(Path(scratch)), "evaluate", small.runtime).output
            corpus = self.run.folder("corpus")
            chosen = heldout.sample_documents(output, corpus, languages, DOCUMENTS, small.evaluate.seed)
        student = load_student(self.run.folder("base"), adapter, small.runtime)
        window = small.pretrain.max_seq_length
        benchmark = heldout.heldout_benchmark(chosen, window, small.language.source)
        metrics = benchmark.score(ask_student(student, benchmark)).metrics
        return {one.language: round(one.items.value, 4) for one in metrics if one.benchmark == benchmark.name}


def large_steps(recipe: Recipe, tokens: float) -> Recipe:
    """Return a recipe with about `tokens` tokens per step of packed rows."""
    stage = recipe.pretrain
    at_once = stage.micro_batch_size
    rows = max(1, round(tokens / stage.max_seq_length / at_once)) * at_once
    return recipe.model_copy(update={"pretrain": stage.model_copy(update={"batch_size": rows})})


def measure_variants(bench: Bench, seconds: float, seeds: int) -> dict[str, Any]:
    """Train every variant with every seed and return the results."""
    ours, paper = bench.recipes["small"], bench.recipes["small-paper"]
    probes = {"ours": bench.probe(ours), "paper": bench.probe(paper)}
    large = large_steps(ours, probes["paper"]["tokens"] / probes["paper"]["steps"])
    probes["ours, large steps"] = bench.probe(large)
    variants = {"ours": ours, "paper": paper, "ours, large steps": large}
    epochs = {name: PROBE * seconds / probe["cpu_s"] for name, probe in probes.items()}
    turns: dict[str, list[dict[str, Any]]] = {name: [] for name in variants}
    for seed in range(1, seeds + 1):
        for name, recipe in variants.items():
            turns[name].append(bench.train(recipe, epochs[name], seed))
            print(name, seed, turns[name][-1], flush=True)
    base = store.read_json(bench.run.folder("base") / "base.json")
    return {
        "seconds": seconds,
        "held_out_documents_of_each_source": DOCUMENTS,
        "base": {"parameters": base["parameters"], "bits_per_byte": bench.bits(None)},
        "ways": {name: summarise(variants[name], epochs[name], turns[name]) for name in variants},
    }


def summarise(recipe: Recipe, epochs: float, turns: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the means of a variant's turns, and the turns."""
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
    """Train the base, measure the variants, and write the result."""
    parser = measure.arguments(__doc__, "small_paper")
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--seconds", type=float, default=60.0, help="CPU seconds of each training")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(options.folder or Path(folder), options.data.resolve())
        found = measure_variants(bench, options.seconds, options.seeds)
    measure.write(options.json, measure.result("small_paper", found))


if __name__ == "__main__":
    main()
