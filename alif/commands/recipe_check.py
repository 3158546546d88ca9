"""`alif check`: a recipe's settings, hosts and problems; or what to correct in a language pack."""

from __future__ import annotations

import contextlib
import importlib.util
import json as json_text
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from alif import console, step_paths
from alif import recipe as recipes
from alif.commands.arguments import Document, Json, Overrides, RecipeName, load_recipe, print_document
from alif.commands.mixture_picture import list_sums
from alif.errors import AlifError, PackError, RecipeError
from alif.language.pack import load_pack
from alif.llm import budget, endpoint
from alif.llm.model_families import warn_of_families
from alif.remote import backup
from alif.runs import describe_new_ledger
from alif.settings import Endpoint, Language, Recipe
from alif.train import tracker
from alif.train.preflight import student_problems

__all__ = ["check_recipe"]


def check_recipe(
    recipe: RecipeName | None = None,
    *,
    pack: Annotated[str | None, Parameter(help="Check a language pack instead, by name or folder.")] = None,
    set: Overrides = None,
    json: Json = False,
) -> None:
    """Check recipe, pack, keys and files; list every setting and every host. Sends nothing.

    Exit code 1 if something would stop a run. What would be sent to a host stands beside it.
    """
    if pack is not None:
        return _check_pack(pack, json)
    if recipe is None:
        raise RecipeError("alif check: no recipe named", "alif check RECIPE, or alif check --pack PACK.")
    found = _examine(load_recipe(recipe, set)[1])
    print_document(found, _show, json)
    if count := len(found["problems"]):
        message = f"{found['recipe']}: {count} problem{'s' * (count > 1)}"
        raise RecipeError(message, "Fix the problems listed above.")
    return None


def _check_pack(name: str, json: bool) -> None:
    from alif.data import pack_lint

    findings = [asdict(one) for one in pack_lint.lint_pack(name, Language())]
    if json:
        console.print_json({"pack": name, "findings": findings})
    else:
        for one in findings:
            console.print_result(f"{one['kind']:>8}  {one['where']}: {one['what']}\n{'':>10}{one['cure']}")
        kinds = Counter(one["kind"] for one in findings).items()
        summary = ", ".join(f"{count} {kind}" for kind, count in kinds) or "nothing to correct."
        console.print_result(f"{name}: {summary}")
    if wrong := sum(one["kind"] == "wrong" for one in findings):
        hint = "Start at the top: the first may be the cause of others."
        raise PackError(f"{name}: {wrong} thing{'s' * (wrong > 1)} wrong", hint)


def _examine(recipe: Recipe) -> Document:
    """Return settings, hosts, notes and problems of a recipe."""
    from alif.data import source_check  # with the classifier of languages, which `alif --help` needs not
    from alif.data.source_licences import licence_notes
    from alif.evaluate.judge_cost import bound_judging, describe_bounds

    own, source = load_pack(recipe.language.pack), load_pack(recipe.language.source)
    notes = [*recipe.notes, describe_new_ledger(recipe.runtime)]
    bounds = {}
    with contextlib.suppress(AlifError):  # it stands among the problems
        bounds = bound_judging(recipe)
        notes += describe_bounds(bounds, recipe.runtime.max_cost_usd)
    teachers = [one.model for one in recipe.teacher.values()]
    notes += [
        warning
        for name, one in recipe.judge.items()
        for _, warning in warn_of_families(name, one.model, teachers)
    ]
    samples = [one for one in source_check.sample_sources(recipe) if not isinstance(one, AlifError)]
    notes += licence_notes(recipe, samples)
    found = {
        "recipe": recipe.name,
        "languages": [f"{own.code} ({own.name})", f"{source.code} ({source.name}), known to the base"],
        "settings": [
            dict(zip(("key", "value", "default", "about"), setting, strict=True))
            for setting in recipes.list_settings(recipe)
        ],
        "hosts": [{"host": host, "sent": sent} for host, sent in _hosts(recipe)],
        "sources": [asdict(one) for one in samples],
        "mixture": list_sums(recipe),
        "judges": {name: bound.model_dump() for name, bound in bounds.items()},
        "notes": [note for note in notes if note],
        "problems": [{"message": error.message, "hint": error.hint} for error in _problems(recipe)],
    }
    base = Path(recipe.student.base).expanduser()
    if base.is_dir() and importlib.util.find_spec("transformers"):
        fertility = importlib.import_module("alif.student.fertility").fertility_of_folder(base, own, source)
        found |= fertility.model_dump() if fertility else {}
    return found


def _hosts(recipe: Recipe) -> list[tuple[str, str]]:
    """Return (host, what is sent there) of everything that a run of this recipe would contact."""
    from alif.data import source_check

    hub_ids = [
        one for files in source_check.list_sources(recipe).values() for one in files if one.startswith("hub:")
    ]
    models = [one.model for one in recipe.system.values() if not one.base_url]
    models = [recipe.student.base, recipe.merge.instruct, *models]
    models += [name for name in recipe.replay_model if name not in recipe.teacher]
    hub_ids += [one for one in models if one not in ("", "tiny") and not Path(one).exists()]
    hub = [f"the request for {one}, and HF_TOKEN where it is set" for one in dict.fromkeys(hub_ids)]
    if recipe.runtime.backup.startswith(backup.HUB):
        hub.append(f"finished steps, checkpoints and the ledger, to {recipe.runtime.backup}; HF_TOKEN")
    on_hub = [("huggingface.co", sent) for sent in hub]
    endpoints = endpoint.contacted_hosts(_endpoints(recipe))
    return [*endpoints, *on_hub, *tracker.tracker_hosts(recipe.runtime)]


def _endpoints(recipe: Recipe, teachers: bool = True) -> dict[str, Endpoint]:
    """Return the chat models that a run asks, by recipe key."""
    found: dict[str, Endpoint] = {
        f"system.{name}": one for name, one in recipe.system.items() if one.base_url
    }
    found |= {f"judge.{name}": one for name, one in recipe.judge.items()}
    return {f"teacher.{name}": one for name, one in recipe.teacher.items() if teachers} | found


def _problems(recipe: Recipe) -> list[AlifError]:
    """Return what would stop a run, or cannot be meant; key and price of an unused teacher do not matter."""
    from alif.data import source_check
    from alif.evaluate.judge_requests import judge_endpoints

    asks = bool(recipe.generate.target_rows or recipe.translate.rows or recipe.replay_model)
    found: list[AlifError] = []

    def collect(check: Callable[..., object], *arguments: object, key: str = "") -> None:
        try:
            check(*arguments)
        except AlifError as error:
            found.append(RecipeError(f"{key}: {error.message}", error.hint) if key else error)

    found += source_check.find_problems(recipe)
    if asks and not recipe.teacher:
        hint = "Add a table [teacher.NAME] with model and base_url."
        found.append(RecipeError("teacher: the recipe has none", hint))
    for key, one in _endpoints(recipe, asks).items():
        collect(budget.price_of, key, one)
        collect(endpoint.read_api_key, key, one)
    if asks and recipe.teacher:
        from alif.data import teachers  # takes as long to load as the rest of this file
        from alif.data.synthesis import self_instruct

        own, generate = load_pack(recipe.language.pack), recipe.generate
        targets = self_instruct.target_rows(own, generate.target_rows, generate.weights)
        wanted = [task for task, target in targets.items() if target]
        found += teachers.endpoint_problems(recipe.teacher, own, wanted)
    collect(judge_endpoints, recipe.judge)
    collect(step_paths.judge_paths, recipe, Path())
    for name, part in recipe.blend.items():
        if not part.source and name not in ("generate", "translate", "replay"):
            hint = "Name files or a hub id; only steps have rows of their own."
            found.append(RecipeError(f"blend.{name}: no source", hint))
    return [*found, *student_problems(recipe, offline=True)]


def _show(found: Document) -> None:
    rows = []
    for setting in found["settings"]:
        value, default = (json_text.dumps(setting[key], ensure_ascii=False) for key in ("value", "default"))
        same = value == default or setting["default"] == "required"
        about = setting["about"] if same else f"{setting['about']} Default: {default}."
        rows.append(("" if same else "*", setting["key"], value, about))
    languages = ", ".join(found["languages"])
    console.print_result(f"recipe {found['recipe']}: {languages}; * differs from the default\n")
    console.print_table(("", "key", "value", "meaning"), rows)
    console.print_result()
    hosts = [(host["host"], host["sent"]) for host in found["hosts"]]
    console.print_table(("contacts", "sends"), hosts or [("nobody", "everything stays on this machine")])
    console.print_result()
    if found["sources"]:
        files = [
            (
                *(one[key] for key in ("key", "path", "rows", "usable")),
                " ".join(one["columns"]),
                ", ".join(f"{code} {count}" for code, count in one["languages"].items()),
            )
            for one in found["sources"]
        ]
        console.print_table(("data", "file", "rows read", "usable", "columns", "languages"), files)
        console.print_result()
    if found["mixture"]:
        console.print_table(("mixture", "rows", "of the rows", "source, licence"), found["mixture"])
        console.print_result()
    for note in found["notes"]:
        console.print_result(note)
    for problem in found["problems"]:
        console.print_result(f"! {problem['message']}\n  {problem['hint']}")
    if tokenizer := found.get("tokenizer"):
        measures = (key.replace("_", " ") for key in next(iter(tokenizer.values())))
        fits = [(code, *fit.values()) for code, fit in tokenizer.items()]
        console.print_table(("tokenizer", *measures), fits)
        times = f"{found['tokenizer_cost']} times the tokens of one of the second"
        console.print_result(f"A word of the first language costs {times}.\n")
    console.print_result("Nothing was sent." if found["problems"] else "No problems found. Nothing was sent.")
