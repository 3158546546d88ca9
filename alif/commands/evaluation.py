"""`alif evaluate`: the step, one pair of its results, the self-test of its scorers, COMET."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from alif import console, pipeline, store
from alif.commands.arguments import Json, Overrides, RecipeName, load_recipe
from alif.commands.steps import run_steps
from alif.errors import DataError, RecipeError
from alif.language.pack import load_pack
from alif.records import Score
from alif.runs import Run, make_context
from alif.settings import Recipe

__all__ = ["evaluate_run"]


def evaluate_run(
    recipe: RecipeName,
    *,
    self_test: Annotated[
        bool, Parameter(negative="", help="Test the scorers: no model is loaded, no endpoint asked.")
    ] = False,
    system: Annotated[str, Parameter(help="Show this system alone, with --benchmark.")] = "",
    benchmark: Annotated[str, Parameter(help="Show this benchmark alone, with --system.")] = "",
    comet_env: Annotated[
        str, Parameter(help="A Python that has COMET, in an environment of its own: scores translations.")
    ] = "",
    set: Overrides = None,
    json: Json = False,
) -> None:
    """Measure each stage on held-out text, rows and questions."""
    run, loaded = load_recipe(recipe, set)
    if bool(system) != bool(benchmark):
        raise RecipeError("--system and --benchmark go together", f"The report of {run.name} lists both.")
    if self_test:
        return _test_scorers(run, loaded, json)
    if system:
        return _show_pair(run, loaded, system, benchmark, json)
    run_steps(run, loaded, pipeline.required_steps(pipeline.EVALUATE), json and not comet_env)
    if comet_env:
        from alif.evaluate.comet_scores import score_translations

        pack = load_pack(loaded.language.pack)
        found = score_translations(run.folder("evaluate"), run.scratch("evaluate"), comet_env, pack)
        if json:
            return console.print_json({"run": run.name, **found.model_dump(mode="json")})
        console.print_result(found.describe())
    return None


def _test_scorers(run: Run, recipe: Recipe, json: bool) -> None:
    """Print what the self-test found.

    Raises:
        DataError: a scorer refuses the references, or takes wrong answers.
    """
    from alif.evaluate.self_test import run_self_test

    found = run_self_test(recipe)
    if json:
        console.print_json({"run": run.name, **found.model_dump(mode="json")})
    for one in found.failed:
        console.log(f"{one.benchmark}, {one.answers}: {one.describe()}")
    for reason, count in found.dropped.items():
        console.log(f"{count} rows of test files are no question: {reason}")
    for name in found.not_checked:
        console.log(f"{name}: nothing to check, no answer can be right")
    if found.failed:
        first = found.failed[0]
        counts = f"{len(found.failed)} of {len(found.checks)} checks of the scorers failed"
        raise DataError(f"{counts}; first {first.describe()}", f"What reads the answer: {first.extractor}.")
    if not json:
        console.print_result(f"{len(found.checks)} checks of the scorers passed")


def _show_pair(run: Run, recipe: Recipe, system: str, benchmark: str, json: bool) -> None:
    """Print the scores of one system on one benchmark; what is missing of them is computed, nothing else."""
    step, place = pipeline.EVALUATE, Path(system, benchmark.replace("/", "+"))
    folder = run.folder(step.name)
    if not (folder / place).is_dir():
        from alif.evaluate.measure import evaluate_systems

        pipeline.run_pipeline(recipe, run, pipeline.required_steps(step)[:-1])
        folder = run.scratch(step.name) / "pair"
        with run.locked():
            inputs = {one.name: run.folder(one.name) for one in step.inputs}
            paths = step.paths(recipe, run.root)
            context = make_context(run, step.name, recipe.runtime, inputs=inputs, paths=paths, folder=folder)
            with context.output:
                tables = {table: getattr(recipe, table) for table in step.settings}
                evaluate_systems(context, **tables, only=(system, benchmark))
    scores = [*store.read_models(folder / place / "scores.jsonl", Score)]
    path = folder / place / "corpus.json"
    corpus: dict[str, float] = store.read_json(path) if path.is_file() else {}
    if json:
        rows = [one.model_dump(mode="json") for one in scores]
        answers = str(folder / place / "answers.jsonl")
        found = {
            "system": system,
            "benchmark": benchmark,
            "scores": rows,
            "corpus": corpus,
            "answers": answers,
        }
        return console.print_json({"run": run.name, **found})
    lines = [
        (one.benchmark, one.metric, f"{one.value:.4g}", f"{one.low:.4g} to {one.high:.4g}", str(one.n))
        for one in scores
    ]
    lines += [("corpus", name, f"{value:.4g}", "", "") for name, value in corpus.items()]
    return console.print_table(
        ("benchmark", "metric", "value", "95 %", "n"), lines, f"{system} on {benchmark}"
    )
