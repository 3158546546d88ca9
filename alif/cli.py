"""Every command: a plain function whose docstring is its help.

RECIPE is a path, an existing run (its stored recipe) or a shipped name, in that order. Exit codes: 0 done, 1 something that you can
mend, 2 usage, 3 waiting for people, 4 money cap, 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import _thread
import contextlib
import shutil
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, CycloptsError, Group, Parameter
from cyclopts.validators import Number

from alif import console, pipeline, store
from alif import recipe as recipes
from alif.errors import AlifError, RecipeError
from alif.recipe import Recipe
from alif.runs import Run, Step

STEPS = Group("Steps, each with the steps that it needs", sort_key=2)
app = App(
    name="alif",
    help="Take an open language model to your own language.",
    help_format="plaintext",
    suppress_keyboard_interrupt=False,  # `_main` says how to go on
)

RUNS = Path("runs")
Set = Annotated[
    list[str] | None,
    Parameter(name="--set", negative="", help="Another value of a key, as a TOML line: pool.threshold=0.8"),
]
Flag = Parameter(negative="")
Json = Annotated[
    bool,
    Parameter(name="--json", negative="", help="One JSON document on standard output, nothing else there."),
]


def _recipe(name: str, sets: list[str] | None) -> Recipe:
    return recipes.load_recipe(recipes.find_recipe(name, RUNS), sets or ())


def _run(name: str) -> Run:
    run = Run(RUNS / name)
    if not (run.root / "recipe.toml").is_file():
        raise RecipeError(
            f"{run.root}: no such run", "`alif ls` lists the runs; `alif run RECIPE` makes one."
        )
    return run


def _stored(name: str) -> tuple[Run, Recipe]:
    """Return a run and the recipe that it keeps."""
    run = _run(name)
    return run, recipes.load_recipe(run.root / "recipe.toml")


def _tell(found: Any, show: Callable[[Any], None], json: bool) -> None:
    """Give what a command found: as JSON for scripts, or shown for people."""
    console.print_json(found) if json else show(found)


@app.command(name="ls")
def list_all(*, json: Json = False) -> None:
    """List packs, recipes, runs and their state."""
    from alif.commands import inspect

    _tell(inspect.list_everything(RUNS), inspect.show_listing, json)


@app.command
def new(
    recipe: str | None = None,
    path: Path | None = None,
    *,
    pack: Annotated[
        str | None,
        Parameter(help="Code of a language (BCP 47): write a language pack; RECIPE is then its folder."),
    ] = None,
    from_: Annotated[
        Path | None,
        Parameter(name="--from", help="With --pack: a text in the language, one paragraph a line."),
    ] = None,
    name: Annotated[str, Parameter(help="With --pack: what the language is called in English.")] = "",
    native_name: Annotated[str, Parameter(help="With --pack: what it calls itself.")] = "",
    json: Json = False,
) -> None:
    """Copy a shipped recipe, to edit: `alif new small` writes small.toml. With --pack xx --from text.txt write a language pack."""
    if pack is not None:
        from alif.commands import packs

        _tell(
            packs.create_pack(pack, from_, Path(recipe or pack), name, native_name), packs.show_created, json
        )
        return
    if recipe is None:
        raise RecipeError(
            "alif new: no recipe named", "alif new RECIPE, or alif new --pack CODE --from TEXT."
        )
    target = path or Path(f"{Path(recipe).stem}.toml")
    if target.exists():
        raise RecipeError(f"{target}: is already there", "Name another file: alif new RECIPE PATH.")
    with store.friendly_os_errors(target):
        shutil.copyfile(recipes.find_recipe(recipe, RUNS), target)
    _tell(
        {"path": str(target)},
        lambda found: console.print_result(f"{target}  edit it, then: alif run {target}"),
        json,
    )


@app.command
def check(
    recipe: str | None = None,
    *,
    pack: Annotated[
        str | None, Parameter(help="A language pack, by name or folder: say what to mend in it.")
    ] = None,
    live: Annotated[bool, Flag] = False,
    rehearse: Annotated[int, Parameter(validator=Number(gte=0))] = 0,
    gpu: Annotated[str | None, Parameter(help="What training takes on it: a100 h100 h200 4090 t4.")] = None,
    set: Set = None,
    json: Json = False,
) -> None:
    """Check recipe, pack, keys and files; list every setting, and every host with what is sent there. Sends nothing.

    What would stop a run ends it with exit code 1. With --live every teacher is asked for one token; with --rehearse 20 twenty
    real requests are sent, and money and time of the whole recipe estimated from them. Both tell the price first, keep to the
    money cap, and their replies are stored. With --gpu h200 memory, hours and price of the training are worked out, and what
    to change where it does not fit.
    """
    from alif.commands import inspect, packs, plan
    from alif.commands import money as spending
    from alif.cost import training_plan

    if pack is not None:
        findings = packs.check_pack(pack)
        _tell(findings, packs.show_pack_check, json)
        packs.raise_if_invalid(findings)
        return
    if recipe is None:
        raise RecipeError("alif check: no recipe named", "alif check RECIPE, or alif check --pack PACK.")
    loaded = _recipe(recipe, set)
    if gpu is not None:
        _tell(
            inspect.check_recipe(loaded) | {"plan": training_plan.plan_training(loaded, gpu, RUNS)},
            lambda found: plan.show_plan(found["plan"]),
            json,
        )
    elif live or rehearse:
        spending.check_endpoints(Run(RUNS / loaded.name), loaded, live, rehearse, json)
    else:
        found = inspect.check_recipe(loaded) | packs.tokenizer_fertility(loaded)
        _tell(found, inspect.show_check, json)
        inspect.raise_if_problems(found)


@app.command
def run(recipe: str, *, until: str | None = None, set: Set = None, json: Json = False) -> None:
    """Do all steps that are not done yet; safe to repeat and to interrupt."""
    steps = pipeline.PIPELINE
    if until is not None:
        if until not in [step.name for step in steps]:
            raise RecipeError(
                f"--until {until}: no such step", "Steps: " + " ".join(step.name for step in steps) + "."
            )
        steps = steps[: steps.index(pipeline.step_by_name(until)) + 1]
    _do(_recipe(recipe, set), steps, json)


def _do(recipe: Recipe, steps: tuple[Step, ...], json: bool) -> None:
    """Do `steps` of a run, write its report and cards and tell how it ended."""
    from alif.commands import inspect

    folder = Run(RUNS / recipe.name)
    done = pipeline.run_pipeline(recipe, folder, steps)
    if inspect.is_report_stale(folder):
        from alif.report import model_card, page

        model_card.write_cards(folder.root)
        page.write_report([folder.root])
    _tell(inspect.run_status(folder), lambda found: inspect.show_end(folder, done), json)


def _step_command(step: Step) -> Callable[..., None]:
    def command(recipe: str, *, set: Set = None, json: Json = False) -> None:
        _do(_recipe(recipe, set), pipeline.required_steps(step), json)

    command.__doc__ = f"{step.about[0].upper()}{step.about[1:]}."
    return command


def _generate(
    recipe: str, *, reparse: Annotated[bool, Flag] = False, set: Set = None, json: Json = False
) -> None:
    """Ask the teacher for new rows: all tasks, one pool; with --reparse read the stored replies again, and ask nobody."""
    if not reparse:
        _do(_recipe(recipe, set), pipeline.required_steps(pipeline.GENERATE), json)
        return
    from alif.commands import inspect
    from alif.commands import money as spending

    loaded = _recipe(recipe, set)
    folder = Run(RUNS / loaded.name)
    changed = spending.reparse_run(folder, loaded)
    console.log(
        "Rows have changed; later steps that were built from them say so."
        if changed
        else "The same rows as before."
    )
    _tell(inspect.run_status(folder), inspect.show_status, json)


for _place, _step in enumerate(pipeline.PIPELINE):
    app.command(
        _generate if _step is pipeline.GENERATE else _step_command(_step),
        name=_step.name,
        group=STEPS,
        sort_key=_place,
    )


@app.command
def status(run: str, *, json: Json = False) -> None:
    """Show a line per step: state, rows in, kept, dropped by reason, cost, time; and money: spent, not settled, the cap."""
    from alif.commands import inspect
    from alif.commands import money as spending

    folder, recipe = _stored(run)
    money = spending.money_status(folder, recipe)
    _tell(inspect.run_status(folder, money["steps"]) | {"money": money}, inspect.show_status, json)
    if not json:
        spending.show_money(money, folder)


@app.command
def batches(run: str, *, cancel: str | None = None, json: Json = False) -> None:
    """List a run's batches and how far they are; with --cancel ID end one early and keep what it has done."""
    from alif.commands import money as spending

    _tell(spending.list_batches(*_stored(run), cancel), spending.show_batches, json)


@app.command
def release(run: str, *, json: Json = False) -> None:
    """Count requests that were sent and never answered for nothing, when the provider's bill shows that they were not billed."""
    from alif.commands import money as spending

    _tell(spending.settle_unanswered(*_stored(run)), spending.show_settled, json)


@app.command
def show(
    run: str,
    step: str,
    *,
    dropped: Annotated[bool, Flag] = False,
    n: Annotated[int, Parameter(name=("-n", "--n"))] = 5,
    json: Json = False,
) -> None:
    """Read real rows of a step, with their ancestry; with --dropped the rows that left, and why."""
    from alif.commands import inspect

    _tell(inspect.read_step_rows(_run(run), step, dropped, n), inspect.show_rows, json)


@app.command
def report(*runs: str, json: Json = False) -> None:
    """Write the report of a run, or one page that compares several."""
    from alif.report import page as pages

    path = pages.write_report([_run(name).root for name in runs])
    _tell(store.read_json(path.with_suffix(".json")), lambda found: console.print_result(str(path)), json)


@app.command(name="export-data")
def export_data(run: str, *, json: Json = False) -> None:
    """Write the rows that a run has made as a data set for the Hub: Parquet, JSON Lines, card; no ledger, nobody's name."""
    from alif.report import dataset

    folder = dataset.write_dataset(_run(run).root)
    _tell({"folder": str(folder)}, lambda found: console.print_result(found["folder"]), json)


@app.command
def chat(run: str, question: str | None = None, *, json: Json = False) -> None:
    """Talk to a run's model; with QUESTION answer once, without it line by line."""
    from alif.release import chat as talk

    talk.chat_loop(_run(run).root, question, as_json=json)


@app.command
def serve(
    run: str,
    *,
    port: Annotated[int, Parameter(help="On loopback; 0: any that is free.")] = 8000,
    with_: Annotated[
        str,
        Parameter(name="--with", help="Path of a vllm or transformers program in an environment of its own."),
    ] = "",
    json: Json = False,
) -> None:
    """Serve a run's exported model at an OpenAI-compatible address until Ctrl-C, by vLLM or `transformers serve`."""
    from alif.release import serve as server

    root = _run(run).root
    log = root / "runtime" / "serve" / "log.txt"
    with (
        server.serve_model(root / "export" / "model", log, port=port, by=with_) as served,
        contextlib.suppress(KeyboardInterrupt),
    ):
        _tell(served.facts(), lambda found: console.print_result(served.told()), json)
        served.wait()


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; the package's entry point."""
    sys.unraisablehook = _ctrl_c_again
    sys.exit(_main(arguments))


def _ctrl_c_again(lost: sys.UnraisableHookArgs) -> None:
    """Send Ctrl-C once more where Python has swallowed it, as it does within a library's `__del__`: a moment later it is heard."""
    if issubclass(lost.exc_type, KeyboardInterrupt):
        threading.Timer(0.05, _thread.interrupt_main).start()
    else:
        sys.__unraisablehook__(lost)


def _main(arguments: list[str] | None) -> int:
    try:
        app(arguments, exit_on_error=False, result_action="return_value")
    except CycloptsError:
        return 2  # cyclopts has printed what was wrong
    except AlifError as error:
        console.log(error.message, style="bold red")
        if error.hint:
            console.log(error.hint)
        return error.exit_code
    except KeyboardInterrupt:
        console.log("Stopped. Repeat the command: it goes on where it stopped.")
        return 130  # as shells do
    except BrokenPipeError:  # the reader of our output has gone, as in `alif ls | head`
        sys.stderr.close()
        return 0
    return 0
