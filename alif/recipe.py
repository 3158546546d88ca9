"""Read recipes: a TOML file over the defaults of `settings`, or over the shipped recipe that it `extends`.

A key that a recipe leaves out has its default, or the value of the shipped recipe that it `extends`;
`teacher.gpt = false` removes a table of that recipe. Relative paths are from the working directory, except
data files, which are from `sources.folder`.
"""

from __future__ import annotations

import contextlib
import difflib
import re
import reprlib
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import ValidationError

from alif.errors import RecipeError
from alif.records import FrozenModel
from alif.settings import BenchmarkTable, ExternalSystem, Judge, Part, Recipe, Teacher
from alif.settings.renamed import RENAMED_KEYS
from alif.settings.types import NOT_IDENTITY

__all__ = [
    "deciding_settings", "differing_settings", "dump_recipe", "find_recipe", "identity_settings", "list_keys",
    "list_settings", "load_recipe", "shipped_recipes", "validate_recipe",
]  # fmt: skip

NAMED_TABLES: Mapping[str, type[FrozenModel]] = {
    "teacher": Teacher, "blend": Part, "benchmark": BenchmarkTable, "judge": Judge,
    "system": ExternalSystem,
}  # fmt: skip
"""Tables that a recipe may have several of, by names of its own: [teacher.NAME]."""
SHIPPED = Path(__file__).parent / "recipes"
CHECK_HINT = "`alif check` lists every key, its default and its unit."
_LONGEST_RECIPE, _DEEPEST_KEY = 1_000_000, 50
_LARGEST = 10**15
"""Numbers of a recipe are below it: the ledger counts in floats, and time and money need no more."""
_PASSWORD = re.compile(r"//[^/@\s]*@")
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 200
_SHORT.maxlist = _SHORT.maxdict = _SHORT.maxtuple = 20


def shipped_recipes() -> dict[str, Path]:
    """Return the shipped recipes by name."""
    return {path.stem: path for path in sorted(SHIPPED.glob("*.toml"))}


def find_recipe(recipe: str, runs: Path = Path("runs")) -> Path:
    """Return the file of RECIPE: a path, a run's stored recipe, or a shipped name, in that order."""
    for path in (Path(recipe), runs / recipe / "recipe.toml"):
        with contextlib.suppress(OSError, ValueError):  # a name too long for the disk, or with a NUL
            if path.is_file():
                return path
    if recipe in shipped_recipes():
        return shipped_recipes()[recipe]
    raise RecipeError(
        f"{recipe}: no such recipe, run or file",
        f"Shipped recipes: {', '.join(shipped_recipes())}. `alif ls` lists the runs.",
    )


def load_recipe(path: Path, overrides: Sequence[str] = ()) -> Recipe:
    """Read a recipe and apply `overrides`, each a TOML line such as `adapter.rank=16`.

    Raises:
        RecipeError: with the file and the key, and the nearest right key where there is one.
    """
    values = _read_values(path)
    if path.name == "recipe.toml" and (path.parent / "lock.json").is_file():
        values["name"] = path.resolve().parent.name  # a run is where it lies, also after it was renamed
    for line in overrides:
        _merge(values, _parse_override(line))
    return validate_recipe(values, str(path), [line.partition("=")[0].strip() for line in overrides])


def _read_values(path: Path) -> dict[str, Any]:
    """Return the values of a recipe file, merged into those of the shipped recipe that it extends."""
    hint = "Correct that line; `alif new` copies a working recipe."
    try:
        values = _parse_toml(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:  # also what is not UTF-8
        raise RecipeError(f"{path}: not TOML ({error})", hint) from error
    except OSError as error:
        raise RecipeError(f"{path}: cannot be read ({error.strerror})", "Check the path.") from error
    if (parent := values.pop("extends", None)) is None:
        return values
    if not isinstance(parent, str) or shipped_recipes().get(parent, path) == path:
        hint = f"Shipped recipes: {', '.join(shipped_recipes())}."
        raise RecipeError(f"{path}: extends: {_SHORT.repr(parent)} is no shipped recipe", hint)
    merged = _read_values(shipped_recipes()[parent])
    _merge(merged, values)
    return merged


def _parse_toml(text: str) -> dict[str, Any]:
    """Parse TOML of a recipe's size.

    Raises:
        ValueError: with the reason; also for numbers, names and nesting that no recipe has.
    """
    if len(text) > _LONGEST_RECIPE:
        raise ValueError(f"{len(text):,} characters")
    for number, line in enumerate(text.splitlines(), 1):
        if line.partition("=")[0].count(".") > _DEEPEST_KEY:  # takes tomllib gigabytes
            raise ValueError(f"a key of more than {_DEEPEST_KEY} parts, at line {number}")
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
    except ValueError as error:
        if "integer string conversion" in str(error):
            raise ValueError("a number with thousands of digits") from error
        raise


def _parse_override(line: str) -> dict[str, Any]:
    try:
        return _parse_toml(line)
    except ValueError as error:
        key, _, value = (part.strip() for part in line.partition("="))
        hint = _suggest_number(key, value)
        if "key" in line:  # the value may be a secret
            line, value, hint = (f"{key}=…", "OPENAI_API_KEY", "") if value else ("…", "", "")
        line, value = _PASSWORD.sub("//…@", line), _PASSWORD.sub("//…@", value)
        text = f"""Text needs quotes: --set '{key}="{value}"'.""" if value else "Write --set KEY=VALUE."
        raise RecipeError(f"--set {_SHORT.repr(line)[1:-1]}: not a TOML line", hint or text) from error


def _suggest_number(key: str, value: str) -> str:
    """Return the TOML of a number as people write it ("1,000", "0,7", "1000 rows"), "" where it is none."""
    found = re.fullmatch(r"([+-]?[0-9][0-9_]*(?:[.,][0-9]+)*)\s*\w*", value, re.ASCII)
    if not found:
        return ""
    number = found[1]
    grouped = re.fullmatch(r"[+-]?[1-9][0-9]{0,2}(,[0-9]{3})+(\.[0-9]+)?", number)
    number = number.replace(",", "" if grouped else ".")
    if number.count(".") > 1:
        return ""
    return f"A number is written without separators or units, with a point: --set {key}={number}"


def _merge(values: dict[str, Any], new: Mapping[str, Any]) -> None:
    for key, value in new.items():
        if isinstance(value, dict) and isinstance(values.get(key), dict):
            _merge(values[key], value)
        elif value is False and isinstance(values.get(key), dict):
            del values[key]
        else:
            values[key] = value


def validate_recipe(values: Mapping[str, Any], where: str, overridden: Sequence[str] = ()) -> Recipe:
    """Validate `values`; errors name `where` (or --set for `overridden` keys) and the key, never a secret."""
    for key, number in _numbers(values):
        if not -_LARGEST < number < _LARGEST:  # nor is it NaN
            told = number if isinstance(number, float) else "too large"
            hint = f"Write a number below {_LARGEST:,}; no cap is a large runtime.max_cost_usd."
            raise RecipeError(f"{where}: {key}: not a number that can be used ({told})", hint)
    try:
        return Recipe.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        if any(f"{key}.".startswith(f"{one}.") for one in overridden):
            where = "--set"
        if first["type"] == "extra_forbidden":
            raise RecipeError(f"{where}: {key}: no such key", _suggest_key(key)) from None
        message = first["msg"].removeprefix("Value error, ")
        secret = first["type"] == "missing" or "key" in key or not key  # no key: the whole recipe
        if re.fullmatch(r"(teacher|system|judge)(\.[^.]+)?", key):
            secret = True  # a table is needed, perhaps a key stands there
        value = "" if secret else f" (it is {_PASSWORD.sub('//…@', _SHORT.repr(first['input']))})"
        # `from None`: pydantic's own message repeats the input, which may be a secret
        place = f"{where}: {key}" if key else where
        raise RecipeError(f"{place}: {message[0].lower()}{message[1:]}{value}", CHECK_HINT) from None


def _numbers(value: Any, key: str = "") -> Iterator[tuple[str, int | float]]:
    """Yield every number of a recipe with its key."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _numbers(inner, f"{key}.{name}" if key else str(name))
    elif isinstance(value, int | float):
        yield key, value


def _suggest_key(key: str) -> str:
    """Name the key that took the place of an old one, or the most similar key."""
    wrong = re.sub(rf"^({'|'.join(NAMED_TABLES)})\.[^.]+", r"\1.NAME", key)
    if wrong in RENAMED_KEYS:
        return f"It is called {RENAMED_KEYS[wrong].replace('NAME', key.split('.')[1])} now."

    def similarity(known: str) -> tuple[float, float]:
        last = difflib.SequenceMatcher(None, wrong.rpartition(".")[2], known.rpartition(".")[2]).ratio()
        return last, difflib.SequenceMatcher(None, wrong, known).ratio()

    best = max((known for known, _, _ in list_keys()), key=similarity)
    return f"Did you mean {best}? {CHECK_HINT}" if similarity(best)[0] > 0.6 else CHECK_HINT


def dump_recipe(recipe: Recipe) -> str:
    """Return the recipe as TOML, without the settings that have their default: what a run folder keeps."""
    return tomli_w.dumps(recipe.model_dump(mode="json", exclude_defaults=True))


def identity_settings(name: str, table: FrozenModel | Mapping[str, FrozenModel] | str) -> dict[str, Any]:
    """Return the settings of a recipe table that decide what is made, as {"pool.threshold": 0.7, …}."""
    if isinstance(table, FrozenModel):
        extras = {key: field.json_schema_extra for key, field in type(table).model_fields.items()}
        values = table.model_dump(mode="json")
        return {f"{name}.{key}": values[key] for key in values if extras[key] != NOT_IDENTITY}
    if isinstance(table, Mapping):
        parts = (identity_settings(f"{name}.{part}", table[part]) for part in sorted(table))
        return {key: value for part in parts for key, value in part.items()}
    return {name: table}


def differing_settings(compared: Sequence[Recipe]) -> dict[str, list[Any]]:
    """Return the settings that are not the same in all recipes, with each one's value, [runtime] left out."""
    settings = [deciding_settings(recipe) for recipe in compared]
    keys = dict.fromkeys(key for found in settings for key in found)
    values = {key: [found.get(key) for found in settings] for key in keys}
    return {key: found for key, found in values.items() if any(value != found[0] for value in found)}


def deciding_settings(recipe: Recipe) -> dict[str, Any]:
    """Return all settings of a recipe that decide what is made, as `identity_settings` has them."""
    tables = [name for name in Recipe.model_fields if name not in ("name", "about", "runtime")]
    found: dict[str, Any] = {}
    for table in tables:
        found |= identity_settings(table, getattr(recipe, table))
    return found


def list_keys(table: type[FrozenModel] = Recipe, prefix: str = "") -> Iterator[tuple[str, Any, str]]:
    """Yield (key, default, description) of every setting, in the order of `settings`."""
    for name, field in table.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, FrozenModel):
            yield from list_keys(inner, f"{prefix}{name}.")
        elif name in NAMED_TABLES:
            yield from list_keys(NAMED_TABLES[name], f"{name}.NAME.")
        else:
            default = "required" if field.is_required() else field.default
            yield f"{prefix}{name}", default, (field.description or "").replace("\n", " ")


def list_settings(recipe: Recipe) -> Iterator[tuple[str, Any, Any, str]]:
    """Yield (key, value, default, description) of every setting; keys of teachers and parts once for each."""
    values = recipe.model_dump(mode="json")
    for key, default, about in list_keys():
        table, _, rest = key.partition(".NAME.")
        for full in [f"{table}.{name}.{rest}" for name in values[table]] if rest else [key]:
            value: Any = values
            for part in full.split("."):
                value = value.get(part, default)  # a dump leaves some defaults out
            yield full, value, default, about
