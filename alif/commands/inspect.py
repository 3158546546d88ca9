"""What the commands that only look show: packs, recipes, runs, a recipe's settings and hosts, a run's state, its rows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from alif import console, pipeline, sources, store
from alif import recipe as recipes
from alif.cost import batch_layout
from alif.errors import AlifError, DataError, RecipeError
from alif.formatting import format_duration, format_usd
from alif.language import bidi, pack
from alif.llm import budget, endpoint
from alif.recipe import Recipe
from alif.records import NOT_REVIEWED
from alif.remote import backup
from alif.runs import Run, Step, describe_new_ledger, list_runs
from alif.train import tracker

__all__ = [
    "check_recipe",
    "is_report_stale",
    "list_everything",
    "raise_if_problems",
    "read_step_rows",
    "run_status",
    "show_check",
    "show_end",
    "show_listing",
    "show_rows",
    "show_status",
]


def list_everything(folder: Path) -> dict[str, Any]:
    """Return {"packs": […], "recipes": […], "runs": […]} for `alif ls`."""
    return {
        "packs": [_pack_entry(name) for name in pack.shipped_packs()],
        "recipes": [
            {"name": name, "about": recipes.load_recipe(path).about}
            for name, path in recipes.shipped_recipes().items()
        ],
        "runs": [{"name": run.name, "state": _run_state(run)} for run in list_runs(folder)],
    }


def _pack_entry(name: str) -> dict[str, Any]:
    found = pack.load_pack(name)
    seeds = [row for path in sorted(found.folder.glob("seeds/*.jsonl")) for _, row in store.read_rows(path)]
    return {
        "code": found.code,
        "name": found.name,
        "native_name": found.native_name,
        "tasks": len(found.tasks),
        "seeds": len(seeds),
        "reviewed": sum(bool(row.get("reviewed_by")) for row in seeds),
    }


def _run_state(run: Run) -> str:
    states = [(step.name, run.state(step.name)["state"]) for step in pipeline.PIPELINE]
    if all(found == "done" for _, found in states):
        return "done"
    open_step = next((f"{found} at {name}" for name, found in states if found not in ("done", "todo")), None)
    return open_step or f"{sum(found == 'done' for _, found in states)} of {len(states)} steps done"


def show_listing(found: Mapping[str, Any]) -> None:
    """Print `listing` as three tables."""
    packs = [
        (p["code"], p["name"], p["native_name"], p["tasks"] or "known language", _seed_words(p))
        for p in found["packs"]
    ]
    console.print_table(("pack", "language", "", "tasks", "seeds"), packs)
    console.print_result()
    console.print_table(("recipe", ""), [(r["name"], r["about"]) for r in found["recipes"]])
    console.print_result()
    runs = [(r["name"], r["state"]) for r in found["runs"]]
    console.print_table(("run", "state"), runs or [("none yet", "alif run demo")])


def _seed_words(entry: Mapping[str, Any]) -> str:
    if not entry["seeds"]:
        return ""
    reviewed = f"{entry['reviewed']} reviewed" if entry["reviewed"] else NOT_REVIEWED
    return f"{entry['seeds']}, {reviewed}"


def check_recipe(recipe: Recipe) -> dict[str, Any]:
    """Return what `alif check` shows: settings with defaults, hosts with what is sent, and problems with their cure.

    Sends nothing.
    """
    own, known = pack.load_pack(recipe.language.pack), pack.load_pack(recipe.language.source)
    return {
        "recipe": recipe.name,
        "languages": [f"{own.code} ({own.name})", f"{known.code} ({known.name}), known to the base"],
        "settings": _settings(recipe),
        "hosts": [{"host": host, "sent": sent} for host, sent in _hosts(recipe)],
        "notes": [note for note in (describe_new_ledger(recipe.runtime),) if note],
        "problems": [{"message": error.message, "hint": error.hint} for error in _problems(recipe)],
    }


def _settings(recipe: Recipe) -> list[dict[str, Any]]:
    """Return every key with its value, its default and its description; one entry for each teacher's and part's keys too."""
    values = recipe.model_dump(mode="json")
    found = []
    for key, default, about in recipes.list_keys():
        table, _, rest = key.partition(".NAME.")
        names = [f"{table}.{name}.{rest}" for name in values[table]] if rest else [key]
        for full in names:
            value: Any = values
            for part in full.split("."):
                value = value[part]
            found.append({"key": full, "value": value, "default": default, "about": about})
    return found


def _hosts(recipe: Recipe) -> list[tuple[str, str]]:
    """Return (host, what is sent there) of everything that a run of this recipe would contact."""
    found = list(endpoint.contacted_hosts(recipe.teacher))
    hub = [part for table in _sources(recipe).values() for part in table if part.startswith("hub:")]
    base = recipe.student.base
    if base != "tiny" and not Path(base).exists():
        hub.append(base)
    found += [
        ("huggingface.co", f"the request for {one}, and HF_TOKEN where it is set")
        for one in dict.fromkeys(hub)
    ]
    if recipe.runtime.backup.startswith(backup.HUB):
        found.append(
            (
                "huggingface.co",
                f"finished steps, checkpoints and the ledger, to {recipe.runtime.backup}; HF_TOKEN",
            )
        )
    return [*found, *tracker.tracker_hosts(recipe.runtime)]


def _sources(recipe: Recipe) -> dict[str, tuple[str, ...]]:
    """Return every recipe key that names data, with its value."""
    return {
        "seeds.source": recipe.seeds.source,
        "translate.source": recipe.translate.source if recipe.translate.rows else (),
        "replay.source": recipe.replay.source if recipe.replay.rows else (),
        "corpus.source": recipe.corpus.source,
        "corpus.source_language_files": recipe.corpus.source_language_files,
        "benchmarks.test": recipe.benchmarks.test,
        "benchmarks.multiple_choice": recipe.benchmarks.multiple_choice,
        **{f"blend.{name}.source": part.source for name, part in recipe.blend.items()},
        **{
            f"teacher.{name}.parallel_files": teacher.parallel_files
            for name, teacher in recipe.teacher.items()
        },
    }


def _problems(recipe: Recipe) -> list[AlifError]:
    """Return what would stop a run of the recipe, or is not what was meant.

    So a teacher that it never asks is no problem, whatever its key and price.
    """
    asks = bool(recipe.generate.target_rows or recipe.translate.rows)
    found: list[AlifError] = []
    for key, source in _sources(recipe).items():
        try:
            sources.resolve_paths(source, recipe.sources.folder)
        except DataError as error:
            found.append(RecipeError(f"{key}: {error.message}", error.hint))
    if asks and not recipe.teacher:
        found.append(
            RecipeError("teacher: the recipe has none", "Add a table [teacher.NAME] with model and address.")
        )
    for name, teacher in recipe.teacher.items() if asks else ():
        for examine_one in (budget.price_of, endpoint.read_api_key):
            try:
                examine_one(name, teacher)
            except AlifError as error:
                found.append(error)
    found += _share_problems(recipe) if recipe.teacher and asks else ()
    for name, part in recipe.blend.items():
        if not part.source and name not in ("generate", "translate", "replay"):
            found.append(
                RecipeError(
                    f"blend.{name}: no source", "Name files or a hub id; only steps have rows of their own."
                )
            )
    for name, stage in (("pretrain", recipe.pretrain), ("finetune", recipe.finetune)):
        try:
            batch_layout.check_batch_layout(name, stage, recipe.runtime, recipe.student.quantization)
        except RecipeError as error:
            found.append(error)
    return found


def _share_problems(recipe: Recipe) -> Iterable[AlifError]:
    from alif.data import teachers  # noqa: PLC0415 - takes as long to load as the rest of this file
    from alif.data.synthesis import self_instruct

    own = pack.load_pack(recipe.language.pack)
    targets = self_instruct.target_rows(own, recipe.generate.target_rows, recipe.generate.weights)
    return teachers.endpoint_problems(
        recipe.teacher, own, [task for task, target in targets.items() if target]
    )


def show_check(found: Mapping[str, Any]) -> None:
    """Print `examine`: settings that differ from their default are marked."""
    rows = [_setting_row(setting) for setting in found["settings"]]
    console.print_result(
        f"recipe {found['recipe']}: {', '.join(found['languages'])}; * differs from the default\n"
    )
    console.print_table(("", "key", "value", "meaning"), rows)
    console.print_result()
    hosts = [(host["host"], host["sent"]) for host in found["hosts"]]
    console.print_table(("contacts", "sends"), hosts or [("nobody", "everything stays on this machine")])
    console.print_result()
    for note in found["notes"]:
        console.print_result(note)
    for problem in found["problems"]:
        console.print_result(f"! {problem['message']}\n  {problem['hint']}")
    if "tokenizer" in found:
        _show_tokenizer(found)
    console.print_result("Nothing was sent." if found["problems"] else "No problems found. Nothing was sent.")


def raise_if_problems(found: Mapping[str, Any]) -> None:
    """Refuse a recipe with problems after all of them were told.

    Raises:
        RecipeError: with their number.
    """
    if count := len(found["problems"]):
        raise RecipeError(
            f"{found['recipe']}: {count} problem{'s' * (count > 1)}", "Mend what is said above."
        )


def _show_tokenizer(found: Mapping[str, Any]) -> None:
    rows = [(code, *fit.values()) for code, fit in found["tokenizer"].items()]
    columns = ("tokenizer", *(key.replace("_", " ") for key in next(iter(found["tokenizer"].values()))))
    console.print_table(columns, rows)
    console.print_result(
        f"A word of the first language costs {found['tokenizer_cost']} times the tokens of one of the second.\n"
    )


def _setting_row(setting: Mapping[str, Any]) -> tuple[str, str, str, str]:
    value, default = (json.dumps(setting[key], ensure_ascii=False) for key in ("value", "default"))
    if value == default or setting["default"] == "required":
        return "", setting["key"], value, setting["about"]
    return "*", setting["key"], value, f"{setting['about']} Default: {default}."


def run_status(run: Run, usd: Mapping[str, float] | None = None) -> dict[str, Any]:
    """Return {"run", "steps": [{name, state, rows_in, kept, target, saturated, dropped, cost_usd, seconds, message}]}.

    Args:
        run: the run.
        usd: what steps that are not done have cost so far, by their names.
    """
    return {
        "run": run.name,
        "steps": [_step(step, run, (usd or {}).get(step.name, 0.0)) for step in pipeline.PIPELINE],
    }


def _step(step: Step, run: Run, usd: float) -> dict[str, Any]:
    record = run.record(step.name)
    facts: Mapping[str, Any] = record.counts.facts if record else {}
    target = sum(facts["targets"].values()) if "targets" in facts else None
    found: dict[str, Any] = {**run.state(step.name)} | {"target": target, "saturated": facts.get("saturated", [])}
    return found if found["state"] == "done" else found | {"cost_usd": usd}


def show_status(found: Mapping[str, Any]) -> None:
    """Print `status` as a table."""
    rows = []
    for step in found["steps"]:
        counts = (step["rows_in"], step["kept"]) if step["state"] == "done" else (None, None)
        cost = format_usd(step["cost_usd"]) if step["cost_usd"] else ""
        rows.append(
            (step["name"], step["state"], *counts, cost, format_duration(step["seconds"]), _remark(step))
        )
    console.print_table(
        ("step", "state", "in", "kept", "cost", "time", "dropped"), rows, title=f"run {found['run']}"
    )


def _remark(step: Mapping[str, Any]) -> str:
    """Return what there is to say of a step: why it stopped, how far it is from its target, what it dropped."""
    dropped = ", ".join(f"{count} {reason}" for reason, count in step["dropped"].items())
    if step["saturated"]:
        target = f"{step['kept']} of {step['target']} rows, " if step["target"] else ""
        return f"{target}saturated: {', '.join(step['saturated'])}; {dropped}"
    return dropped or str(step["message"]).partition("\n")[0]


def show_end(run: Run, done: int) -> None:
    """Print how `alif run` ended: the table of steps, the head of the report and where it lies."""
    show_status(run_status(run))
    console.print_result()
    scores = store.read_json(run.root / "report.json")["scores"]
    rows = [
        (
            s["stage"],
            s["benchmark"],
            s["metric"],
            s["language"],
            f"{s['value']:.3f}",
            f"{s['low']:.3f} to {s['high']:.3f}",
            s["n"],
        )
        for s in scores
        if s["benchmark"] in ("heldout", "answers")
    ]
    if rows:
        console.print_table(("stage", "on", "metric", "language", "value", "95 % interval", "n"), rows)
        console.print_result()
    if not done:
        console.print_result("Nothing to do: every step was done before.")
    console.print_result(f"Report: {run.root / 'report.html'}")


def is_report_stale(run: Run) -> bool:
    """Tell whether a step was finished after the report was written."""
    report = run.root / "report.json"
    finished = [path.stat().st_mtime_ns for path in run.root.glob("*/step.json")]
    return not report.is_file() or max(finished, default=0) > report.stat().st_mtime_ns


def read_step_rows(run: Run, step: str, dropped: bool, n: int) -> list[dict[str, Any]]:
    """Return up to `n` rows of a finished step, spread evenly over its file."""
    names = [one.name for one in pipeline.PIPELINE]
    if step not in names:
        raise RecipeError(f"{step}: no such step", f"Steps: {' '.join(names)}.")
    path = run.folder(step) / ("dropped.jsonl" if dropped else "examples.jsonl")
    if not path.is_file():
        raise DataError(
            f"{path}: no such file", f"The step has no such rows, or is not done: alif status {run.name}."
        )
    found = [row for _, row in store.read_rows(path)]
    return [found[index * len(found) // n] for index in range(n)] if len(found) > n else found


def show_rows(found: Sequence[Mapping[str, Any]]) -> None:
    """Print rows, each text in its own direction, with ancestry or the reason why they left."""
    for row in found:
        console.print_result("─" * 72)
        for key in ("raw", "title", "instruction", "input", "output", "text"):
            if row.get(key):
                _show_text(key, row[key])
        facts = [f"{key} {row[key]}" for key in ("task", "reason", "evidence", "source") if row.get(key)]
        facts += [f"{key} {_short(value)}" for key, value in (row.get("origin") or {}).items() if value]
        console.print_result(f"{'':>11}  {' · '.join(facts)}")
        if nearest := row.get("nearest"):
            _show_text("nearest", nearest["text"])
            console.print_result(f"{'':>11}  {nearest['id']}, ROUGE-L {nearest['similarity']:.3f}")


def _show_text(label: str, text: str) -> None:
    way = bidi.text_direction(text, "ltr")
    console.print_sample(label, [bidi.isolate(one, way) for one in text.splitlines() or [""]])


def _short(value: Any) -> str:
    """Return an origin's value for the eye: hashes by their first digits."""
    if isinstance(value, list):
        return " ".join(value)
    return value[:12] if len(value) == 64 else str(value)
