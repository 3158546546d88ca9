"""A recipe as a form: every key with its help, its value and the choices there are; and back.

What is filled in becomes a recipe file in the run's folder, which `alif check` and `alif run` read like any
other; the run's own recipe.toml changes only when a run accepts it. Whoever sits at a browser names no file
outside the working folder and no variable of the environment: both may hold what is not theirs to read.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args, get_origin

from alif import recipe as recipes
from alif import store
from alif.errors import RecipeError
from alif.llm import endpoint
from alif.records import FrozenModel
from alif.runs import Run
from alif.settings import Recipe

__all__ = ["FormKey", "desk_recipe", "list_form", "read_form", "read_text", "save_recipe"]

DRAFT = "desk_recipe.toml"
"""In the run's folder: the recipe that the next start from the desk takes."""
YES_NO = ("true", "false")
MOST_TOLD = 80
"""Characters of a value that a message repeats."""
NAME = "name"
"""The key that the form does not offer: a run's name is its folder's."""
SECRET_KEYS = ("api_key_env",)
FREE_TEXT = ("about",)
"""Keys whose text is read by people alone."""


class FormKey(NamedTuple):
    """A key of the recipe as a form shows it."""

    key: str
    about: str
    shown: str
    """Its value, as it is typed."""
    default: str
    choices: tuple[str, ...]
    """All that may be written; empty: anything."""
    kind: str
    """number, text, or toml: a list or a table, written as in a recipe."""


def desk_recipe(run: Run, otherwise: Recipe) -> tuple[Recipe, Path]:
    """Return what the next start takes, and its file: the form's, where the run has not moved on since.

    A run that has not begun and has no such file gets one of `otherwise`.
    """
    draft, stored = run.root / DRAFT, run.root / "recipe.toml"
    newer = draft.is_file() and (not stored.is_file() or draft.stat().st_mtime_ns > stored.stat().st_mtime_ns)
    if not newer and not stored.is_file():
        save_recipe(run, otherwise)
        return otherwise, draft
    path = draft if newer else stored
    return recipes.load_recipe(path), path


def save_recipe(run: Run, recipe: Recipe) -> None:
    """Write the recipe that the next start takes."""
    store.write_text(run.root / DRAFT, recipes.dump_recipe(recipe))


def list_form(recipe: Recipe) -> dict[str, list[FormKey]]:
    """Return the keys of the form by table, in the order of the settings."""
    tables: dict[str, list[FormKey]] = {}
    for key, value, default, about in recipes.list_settings(recipe):
        if key == NAME:
            continue
        annotation = _annotation(key)
        choices = tuple(map(str, get_args(annotation))) if get_origin(annotation) is Literal else ()
        choices = YES_NO if annotation is bool else choices
        kind = "text" if annotation is str or choices else "number" if annotation in (int, float) else "toml"
        found = FormKey(key, about, _format_value(value, kind), _format_value(default, kind), choices, kind)
        tables.setdefault(key.rpartition(".")[0], []).append(found)
    return tables


def read_form(recipe: Recipe, sent: Mapping[str, str]) -> Recipe:
    """Return the recipe with what was changed in the form; what was not touched stays as it is.

    Raises:
        RecipeError: with the key and what is wrong with its value.
    """
    values = recipe.model_dump(mode="json", exclude_defaults=True)
    for one in (one for table in list_form(recipe).values() for one in table):
        text = sent.get(one.key, one.shown).replace("\r\n", "\n")
        if text != one.shown:
            *tables, last = one.key.split(".")
            place: Any = values
            for table in tables:
                place = place.setdefault(table, {})
            if not text.strip() and one.kind != "text":
                place.pop(last, None)  # its default
            else:
                place[last] = _parsed(one, text)
    return _checked(recipes.validate_recipe(values, "the form"), recipe)


def read_text(run: Run, recipe: Recipe, text: str) -> Recipe:
    """Return a whole recipe that was typed as TOML.

    Raises:
        RecipeError: it is no recipe, or that of another run.
    """
    with store.replacing(run.root / DRAFT) as typed:  # never under its name unless all of it holds
        typed.write_text(text, encoding="utf-8", errors="surrogatepass")
        try:
            found = recipes.load_recipe(typed)
        except RecipeError as error:
            raise RecipeError(error.message.replace(str(typed), "the text"), error.hint) from error
        if found.name != run.name:
            raise RecipeError(f'name = "{found.name}": this desk is of the run {run.name}', "Leave the name.")
        typed.write_text(recipes.dump_recipe(_checked(found, recipe)), encoding="utf-8")
    return found


def _checked(found: Recipe, before: Recipe) -> Recipe:
    """Refuse what nobody at a browser may set: files elsewhere, variables of the environment."""
    endpoint.validate_endpoints(found)
    known = set(_strings(before.model_dump(mode="json")))
    for key, text in _strings(found.model_dump(mode="json")):
        last = key.rpartition(".")[2]
        if (key, text) in known or not text:
            continue
        if last in SECRET_KEYS:
            raise RecipeError(
                f"{key}: a variable of the environment is named on the command line only",
                "Whoever runs the desk writes it into the recipe.",
            )
        steps = re.split(r"[/\\]", text)
        if last not in FREE_TEXT and (steps[0] in ("", "~") or ".." in steps or steps[0][1:] == ":"):
            raise RecipeError(
                f"{key}: {text[:MOST_TOLD]!r} is outside of the folder in which the desk runs",
                "Name a file or folder below it, a pack, or hub:OWNER/NAME.",
            )
    for table in ("teacher", "system", "judge"):  # a key of the environment does not follow to a new address
        for name, one in getattr(found, table).items():
            old = getattr(before, table).get(name)
            if one.api_key_env and old and old.base_url != one.base_url:
                raise RecipeError(
                    f"{table}.{name}.base_url: the key from {one.api_key_env} would go to another address",
                    "Whoever runs the desk changes it in the recipe.",
                )
    return found


def _strings(value: object, key: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _strings(inner, f"{key}.{name}".lstrip("."))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _strings(inner, key)
    elif isinstance(value, str):
        yield key, value


def _annotation(key: str) -> Any:
    """Return the type of a key; the second part of `teacher.NAME.model` is a name."""
    model: type[FrozenModel] = Recipe
    *tables, last = key.split(".")
    if tables and tables[0] in recipes.NAMED_TABLES:
        model, tables = recipes.NAMED_TABLES[tables[0]], []
    for table in tables:
        model = model.model_fields[table].annotation  # type: ignore[assignment]
    return model.model_fields[last].annotation


def _format_value(value: object, kind: str) -> str:
    if value is None or value == "required":
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if kind != "toml" else json.dumps(value, ensure_ascii=False)


def _parsed(one: FormKey, text: str) -> object:
    """Return what was typed, as TOML would have it."""
    if one.choices == YES_NO:
        return text == "true"
    if one.kind == "text":
        return text
    try:
        (value,) = tomllib.loads(f"value = {text}").values()
    except (ValueError, RecursionError) as error:
        hint = "A number, or a value as in a recipe."
        raise RecipeError(f"{one.key}: {text[:MOST_TOLD]!r} is not understood", hint) from error
    return value
