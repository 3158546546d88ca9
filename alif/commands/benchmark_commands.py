"""`alif benchmark`: pin data sets and models of the hub, translate a benchmark, run tasks of lm-eval."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter
from cyclopts.validators import Number

from alif import console, sampling
from alif.benchmark_items import Item, read_items
from alif.commands.arguments import Document, Json, Overrides, RecipeName, load_recipe, print_document
from alif.errors import MissingExtra, RecipeError
from alif.language.pack import load_pack
from alif.runs import make_context
from alif.settings import BenchmarkTable, Language, Recipe, Teacher

__all__ = ["BENCHMARK_COMMANDS", "pin_recipe", "run_lm_eval", "translate_benchmark"]

BENCHMARK_COMMANDS = App(
    name="benchmark",
    help="Pin benchmarks and models of the hub, translate a benchmark, run tasks of lm-eval.",
    help_format="plaintext",
)
TRANSLATED = ("choice", "number", "short")
"""Forms that can be translated."""


@BENCHMARK_COMMANDS.command(name="pin")
def pin_recipe(recipe: RecipeName, *, set: Overrides = None, json: Json = False) -> None:
    """Print today's revision of every benchmark and model on the hub that the recipe has not pinned.

    Copy the lines into the recipe. Exit code 1 if one cannot be looked up.
    """
    loaded = load_recipe(recipe, set)[1]
    try:
        import huggingface_hub as hub
    except ImportError as error:
        raise MissingExtra("alif benchmark pin", "hub") from error
    api, found, problems = hub.HfApi(), dict[str, str](), dict[str, str]()
    wanted: dict[str, tuple[str, str, Callable[[str], Any]]] = {
        f"benchmark.{name}": (one.hub, one.revision, api.dataset_info)
        for name, one in loaded.benchmark.items()
    }
    wanted |= {
        f"system.{name}": (one.model, one.revision, api.model_info)
        for name, one in loaded.system.items()
        if not one.base_url
    }
    for key, (id, revision, look_up) in wanted.items():
        if id and not revision and not Path(id).expanduser().exists():
            try:
                found[f"{key}.revision"] = str(look_up(id).sha)
            except (OSError, ValueError, hub.errors.HfHubHTTPError) as error:
                problems[key] = f"{id}: {(str(error) or type(error).__name__).splitlines()[0]}"
    print_document({"revisions": found, "problems": problems}, _show_revisions, json)
    if problems:
        hint = "Check the id and the network; a gated one needs HF_TOKEN."
        raise RecipeError(f"{len(problems)} of {len(found) + len(problems)} could not be looked up", hint)


def _show_revisions(found: dict[str, dict[str, str]]) -> None:
    for key, revision in found["revisions"].items():
        console.print_result(f'{key} = "{revision}"')
    for key, problem in found["problems"].items():
        console.print_result(f"! {key}: {problem}")
    if not any(found.values()):
        console.print_result("Everything is pinned.")


@BENCHMARK_COMMANDS.command(name="translate")
def translate_benchmark(
    name: Annotated[str, Parameter(help="A benchmark of the recipe, or a file in the source language.")],
    *,
    pack: Annotated[str, Parameter(help="The language to translate into: a pack, by name or folder.")],
    recipe: Annotated[str, Parameter(help="Has the teachers, the cost cap and the ledger.")],
    by: Annotated[
        list[str] | None,
        Parameter(
            name="--by", negative="", help="A teacher or an endpoint system, twice. Default: the first two."
        ),
    ] = None,
    form: Annotated[str, Parameter(help="Of a file: choice, number or short.")] = "choice",
    to: Annotated[Path, Parameter(help="The folder that is written.")] = Path("benchmarks"),
    questions: Annotated[int, Parameter(validator=Number(gte=0), help="Most questions; 0: all.")] = 0,
    set: Overrides = None,
    json: Json = False,
) -> None:
    """Translate a benchmark by two models; what they disagree on is first in the file that people review.

    Writes questions (JSON Lines), NAME.review.jsonl and a task for lm-eval. Mend rows of the review file,
    sign them in checked_by, and repeat the command: nothing is paid twice.
    """
    from alif.data.translation.benchmark_translation import translate_items, write_benchmark

    run, loaded = load_recipe(recipe, set)
    own, known = load_pack(pack), load_pack(loaded.language.source)
    table = loaded.benchmark.get(name) or _file_table(name, form, loaded)
    if table.form not in TRANSLATED or table.language not in ("", known.code):
        hint = f"Name one in {known.name} of form {', '.join(TRANSLATED)}."
        raise RecipeError(f"{name}: a benchmark of form {table.form} in {table.language or known.code}", hint)
    items = [one for one in read_items(name, table, loaded.sources.folder, known) if isinstance(one, Item)]
    items = sampling.sample_by_hash(items, questions, loaded.evaluate.seed, lambda item: item.id)
    translators = _choose_translators(loaded, by or [])
    label = f"{Path(name).name.partition('.')[0]}.{own.code}"
    with run.locked():
        context = make_context(run, "benchmark", loaded.runtime)
        found = translate_items(context, translators, items, own, known, loaded.sources.folder)
    told: dict[str, Any] = {**write_benchmark(to, label, found), "file": str(to / f"{label}.jsonl")}
    told |= {"review": str(to / f"{label}.review.jsonl"), "lm_eval": str(to / f"{label}.yaml")}
    told["recipe"] = f'[benchmark."{label}"]\nform = "{table.form}"\nfiles = "{(to / label).resolve()}.jsonl"'
    print_document(told, _show_written, json)


def _show_written(told: Document) -> None:
    console.print_result(f"{told['file']}: {told['questions']} questions, {told['provenance']}")
    console.print_result(
        f"{told['review']}: the least alike first; {told['untranslated']} without a translation"
    )
    console.print_result(f"{told['lm_eval']}: the same as a task of lm-eval\n\n{told['recipe']}")


def _file_table(name: str, form: str, recipe: Recipe) -> BenchmarkTable:
    path = Path(name).expanduser()
    if not path.is_file() or form not in TRANSLATED:
        known = ", ".join(recipe.benchmark) or "no [benchmark.NAME]"
        hint = f"The recipe has {known}; forms: {', '.join(TRANSLATED)}."
        raise RecipeError(f"{name}: no benchmark of the recipe, and no file of form {form}", hint)
    return BenchmarkTable.model_validate({"form": form, "files": str(path.resolve())})


def _choose_translators(recipe: Recipe, names: list[str]) -> dict[str, Teacher]:
    """Return two endpoints of the recipe by name."""
    usual = int(Teacher.model_fields["max_tokens"].default)
    systems = {name: one.to_endpoint(usual) for name, one in recipe.system.items() if one.base_url}
    endpoints = {**recipe.teacher, **systems}
    chosen = {name: endpoints[name] for name in (names or list(endpoints)[:2]) if name in endpoints}
    if len(chosen) != 2 or len(names) not in (0, 2):
        hint = "--by ONE --by OTHER: two that may disagree are what finds the faults."
        raise RecipeError(
            f"two translators are needed; the recipe has {', '.join(endpoints) or 'none'}", hint
        )
    return chosen


@BENCHMARK_COMMANDS.command(name="lm-eval")
def run_lm_eval(
    model: Annotated[Path, Parameter(help="A model folder, such as runs/NAME/export/model.")],
    *tasks: Annotated[str, Parameter(help="Tasks as lm-eval names them: arc_easy, hellaswag, mmlu.")],
    include: Annotated[Path | None, Parameter(help="A folder with task files of your own.")] = None,
    pack: Annotated[
        str, Parameter(help="The language of the answers: a pack, by name or folder.")
    ] = Language().source,
    limit: Annotated[int, Parameter(validator=Number(gte=0), help="Most questions of a task; 0: all.")] = 0,
    device: Annotated[str, Parameter(help="cpu, cuda or mps.")] = "cpu",
    dtype: Annotated[str, Parameter(help="float32 or bfloat16.")] = "float32",
    json: Json = False,
) -> None:
    """Run tasks of lm-eval on a model folder: its numbers, with intervals. Needs the extra lm-eval."""
    if importlib.util.find_spec("lm_eval") is None:
        raise MissingExtra("alif benchmark lm-eval", "lm-eval")
    from alif.evaluate.lm_eval_tasks import run_tasks

    scores = run_tasks(
        model, tasks, load_pack(pack), include=include, limit=limit, device=device, dtype=dtype
    )
    found = [one.model_dump(mode="json") for one in scores]
    columns = ("task", "metric", "value", "low", "high", "n", "shots")
    print_document(
        found,
        lambda rows: console.print_table(columns, [[row[key] for key in columns] for row in rows]),
        json,
    )
