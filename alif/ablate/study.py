"""A study: a base recipe, the settings that are varied, seeds and the question. Shipped ones are TOML files.

question = "…"                   source = "…"               what is asked, and who left it open
recipe = "small"                 seeds = 3                  the base recipe; training seeds of each point
set = ["teacher.b={model=…}"]                               overrides of that recipe, not of another
[over]                                                      a grid: all combinations
"adapter.rank" = [16, 32, 64, 128, 256]
[[point]]                                                   or single points, with a label of their own
label = "stage 1, 10 %"
"pretrain.replay" = 0.1
"pretrain.epochs" = "0.9 * pretrain.epochs"                 a number of the recipe times another
[reference]                                                 what the others are compared with
"adapter.rank" = 128
[tune]                                                      tried at each point; validation rows choose
"pretrain.lr" = [1e-5, 2e-5]
"""

from __future__ import annotations

import itertools
import json
import math
import tomllib
from collections.abc import Mapping
from pathlib import Path

from pydantic import Field, JsonValue, ValidationError

from alif import store
from alif.errors import RecipeError
from alif.records import FrozenModel

__all__ = ["Settings", "Study", "find_study", "parse_axis", "shipped_studies", "show_value"]

SHIPPED = Path(__file__).parent / "studies"
LABEL = "label"
SYNTAX = "Write --over KEY=VALUE,VALUE: --over adapter.rank=16,64."
Settings = Mapping[str, JsonValue]
"""Recipe keys with their values; `teacher` with a name is that teacher alone, "each" every one in turn."""


class Study(FrozenModel):
    """What is varied, on which recipe, and why."""

    question: str = ""
    source: str = ""
    recipe: str = ""
    seeds: int = Field(3, ge=1)
    set: tuple[str, ...] = ()
    over: Mapping[str, tuple[JsonValue, ...]] = {}
    point: tuple[Settings, ...] = ()
    reference: Mapping[str, JsonValue] = {}
    tune: Mapping[str, tuple[JsonValue, ...]] = {}
    """Of each point the values count whose held-out rows cost the fewest bits, over all seeds."""
    saturation: str = ""
    """Key whose smallest value is named that is not inferior to the reference's."""

    @property
    def runs(self) -> int:
        """How many siblings the study has."""
        grid = math.prod(map(len, self.over.values())) if self.over else 0
        return self.seeds * (grid + len(self.point)) * math.prod(map(len, self.tune.values()))

    def tunings(self) -> list[Settings]:
        """Return all combinations of what is tuned; one of nothing where nothing is."""
        return [
            dict(zip(self.tune, values, strict=True)) for values in itertools.product(*self.tune.values())
        ]

    def points(self) -> dict[str, Settings]:
        """Return the settings of each point by its label, which a table or a picture shows.

        Raises:
            RecipeError: two points have one label.
        """
        found: dict[str, Settings] = {}
        for values in itertools.product(*self.over.values()) if self.over else ():
            found[", ".join(map(show_value, values))] = dict(zip(self.over, values, strict=True))
        for one in self.point:
            settings = {key: value for key, value in one.items() if key != LABEL}
            label = str(one.get(LABEL, "")) or ", ".join(f"{key} {show_value(one[key])}" for key in settings)
            if label in found:
                raise RecipeError(f"point: {label} stands there twice", "Give each point its own label.")
            found[label] = settings
        return found


def show_value(value: JsonValue) -> str:
    """Return a recipe's value without quotes, as a label has it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False).replace('"', "")


def shipped_studies() -> dict[str, Path]:
    """Return the shipped studies by name."""
    return {path.stem: path for path in sorted(SHIPPED.glob("*.toml"))}


def find_study(name: str) -> Study | None:
    """Return the shipped study of that name, or the one in that file; None where it is neither.

    Raises:
        RecipeError: the file is no study.
    """
    path = shipped_studies().get(name, Path(name))
    if not path.is_file():
        return None
    try:
        values = tomllib.loads(store.read_text(path))
    except tomllib.TOMLDecodeError:
        return None  # a recipe, whose reader says what is wrong
    if not {"over", "point"} & values.keys():
        return None
    try:
        return Study.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise RecipeError(f"{path}: {key}: {first['msg']}", "docs/ablations.md shows a study.") from None


def parse_axis(text: str) -> tuple[str, tuple[JsonValue, ...]]:
    """Return key and values of `KEY=v1,v2`: TOML values, and words that need no quotes.

    Raises:
        RecipeError: there is no key, no value, or one of them twice.
    """
    key, _, listed = (part.strip() for part in text.partition("="))
    if not key or not listed:
        raise RecipeError(f"--over {text}: no key with values", SYNTAX)
    values = _parse_value(f"[{listed}]")
    if not isinstance(values, list):
        values = [_parse_value(one.strip()) for one in listed.split(",")]
    shown = [json.dumps(one, sort_keys=True, default=str) for one in values]
    if twice := next((one for one in shown if shown.count(one) > 1), ""):
        raise RecipeError(f"--over {key}: {twice} stands there twice", "Name each value once.")
    return key, tuple(json.loads(json.dumps(values, default=str)))  # a date is its text


def _parse_value(text: str) -> JsonValue:
    try:
        value: JsonValue = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
    return value
