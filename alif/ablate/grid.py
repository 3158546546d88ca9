"""The siblings of a study: one run for each point and seed, in the study's folder, on one ledger.

runs/STUDY/adapter.rank-16-seed-3408/      settings and the training seed are its name
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import tomli_w
from pydantic import JsonValue

from alif import recipe as recipes
from alif.ablate.study import Settings, Study, show_value
from alif.errors import RecipeError
from alif.runs import Run
from alif.settings import Recipe

__all__ = ["GridRun", "StudyRun", "expand_study"]

SEEDS = ("adapter.seed", "pretrain.seed", "finetune.seed", "prefer.seed")
"""What a training draws at random. Other seeds would choose other rows and documents."""
NO_RESULT = ("runtime", "name", "about", "export")
"""Tables and keys that change no number of an ablation."""
LONGEST_NAME = 120
EACH = "each"
"""Every teacher of the recipe in turn."""
PRODUCT = re.compile(r"([0-9.]+) \* ([\w.]+)")
"""A number of the recipe times another."""


@dataclass(frozen=True)
class GridRun:
    """One run of a study."""

    point: str
    """Label of its settings."""
    settings: Settings
    seed: int
    """Of stage 1; the other stages' are as far from the recipe's."""
    recipe: Recipe
    run: Run


@dataclass(frozen=True)
class StudyRun:
    """A study on a base recipe, in its folder."""

    name: str
    root: Path
    study: Study
    recipe: Recipe
    """The base recipe."""
    siblings: tuple[GridRun, ...]
    reference: str
    """Label of the point that the others are compared with."""

    @property
    def ledger(self) -> Path:
        return self.root / "ledger.sqlite"

    @property
    def points(self) -> dict[str, list[GridRun]]:
        """The siblings of each point, by label."""
        found: dict[str, list[GridRun]] = {}
        for sibling in self.siblings:
            found.setdefault(sibling.point, []).append(sibling)
        return found


def expand_study(name: str, study: Study, path: Path, overrides: list[str], runs: Path) -> StudyRun:
    """Return the siblings of `study` on the recipe in `path`, the reference's first: nothing is written.

    Raises:
        RecipeError: an unknown key, a value of the wrong type, a key that changes no result.
    """
    root = runs / name
    if root.parent != runs or name.startswith("."):
        raise RecipeError(f"--name {name}: not one folder under {runs}/", "Letters, digits, - _ and .")
    if (root / "recipe.toml").is_file():
        raise RecipeError(f"{root}: there is a run of this name", "Give the study another one: --name NAME.")
    lines = [*study.set, *overrides]
    base = recipes.load_recipe(path, lines)
    if study.over.get("teacher") == (EACH,):
        study = study.model_copy(update={"over": {**study.over, "teacher": tuple(base.teacher)}})
    points = study.points()
    for key in dict.fromkeys(key for settings in (*points.values(), study.tune) for key in settings):
        if key.partition(".")[0] in NO_RESULT:
            hint = "Vary a key that decides what is made: `alif check RECIPE` lists them."
            raise RecipeError(f"--over {key}: it changes no score", hint)
    reference = _find_reference(study, points, base)
    first = {reference: points[reference], **points}
    siblings = [
        _make_sibling(label, {**settings, **tuning}, number, path, lines, base, root)
        for label, settings in first.items()
        for tuning in study.tunings()
        for number in range(study.seeds)
    ]
    return StudyRun(name, root, study, base, tuple(siblings), reference)


def _find_reference(study: Study, points: dict[str, Settings], base: Recipe) -> str:
    """Return the label of the point that the study names, else of the recipe's own, else of the first."""
    if not points:
        raise RecipeError("nothing is varied", "Name a key with values: --over adapter.rank=16,64.")
    own = base.model_dump(mode="json")

    def is_own(settings: Settings) -> bool:
        return all(_look_up(own, key) == value for key, value in settings.items())

    def is_named(settings: Settings) -> bool:
        return all(settings.get(key) == value for key, value in study.reference.items())

    test = is_named if study.reference else is_own
    found = next((label for label, settings in points.items() if test(settings)), None)
    if found is None and study.reference:
        raise RecipeError(f"reference: no point has {dict(study.reference)}", "Name the settings of a point.")
    return found or next(iter(points))


def _look_up(values: JsonValue, key: str) -> JsonValue:
    for part in key.split("."):
        values = values.get(part) if isinstance(values, dict) else None
    return values


def _make_sibling(
    label: str, settings: Settings, number: int, path: Path, lines: list[str], base: Recipe, root: Path
) -> GridRun:
    values = base.model_dump(mode="json")
    first = {key: settings.get(key, _look_up(values, key)) for key in SEEDS}
    seeds = {key: value + number for key, value in first.items() if isinstance(value, int)}
    varied, seed = seeds if number else {}, seeds.get("pretrain.seed", number)
    own = [line for key, value in {**settings, **varied}.items() for line in _overrides(key, value, base)]
    shared = {
        "name": _name_sibling(settings, seed),
        "runtime.ledger": (root / "ledger.sqlite").as_posix(),
        "runtime.backup": "",  # there a sibling of another study would have the same name
    }
    if base.review.share and not base.review.verdicts:
        shared["review.verdicts"] = (root / "verdicts.jsonl").as_posix()
    own += [f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in shared.items()]
    try:
        recipe = recipes.load_recipe(path, [*lines, *own])
    except RecipeError as error:
        told = error.message.removeprefix(f"{path}: ").removeprefix("--set: ")
        raise RecipeError(f"--over: {told}", error.hint) from error
    return GridRun(label, settings, seed, recipe, Run(root / recipe.name))


def _overrides(key: str, value: JsonValue, base: Recipe) -> Iterator[str]:
    """Yield a setting as TOML lines; `teacher` with a name as the removal of all others.

    Raises:
        RecipeError: no such teacher, or a factor of what is no number.
    """
    if key == "teacher" and isinstance(value, str):
        if value not in base.teacher:
            hint = f"It has {', '.join(base.teacher) or 'none'}."
            raise RecipeError(f"--over teacher: the recipe has no teacher {value}", hint)
        yield from (f"teacher.{other}=false" for other in base.teacher if other != value)
        return
    if isinstance(value, str) and (product := PRODUCT.fullmatch(value)):
        own = _look_up(base.model_dump(mode="json"), product[2])
        if isinstance(own, bool) or not isinstance(own, int | float):
            raise RecipeError(f"--over {key}: {value}: {product[2]} is no number", "0.5 * pretrain.epochs")
        exact = float(product[1]) * own
        value = round(exact) if isinstance(own, int) else round(exact, 9)
    yield f"{key} = {_to_toml(value)}"


def _to_toml(value: JsonValue) -> str:
    """Return a value as TOML on one line."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{json.dumps(key)} = {_to_toml(one)}' for key, one in value.items())}}}"
    return tomli_w.dumps({"v": value}).removeprefix("v = ").strip()


def _name_sibling(settings: Settings, seed: int) -> str:
    """Return a folder's name that says the settings, with a digest where letters had to go."""
    whole = "-".join(f"{key}-{show_value(value)}" for key, value in settings.items())
    name = re.sub(r"[^A-Za-z0-9_.-]+", "_", whole).strip("_")[:LONGEST_NAME] or "recipe"
    if whole and name != whole:
        name += f"-{hashlib.sha256(json.dumps(dict(settings), sort_keys=True).encode()).hexdigest()[:6]}"
    return f"{name}-seed-{seed}"
