"""The field types that several recipe tables share."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, JsonValue
from pydantic_core import PydanticCustomError

__all__ = [
    "NOT_IDENTITY", "EnvironmentVariable", "Files", "FreeFields", "LayerRanges", "Licences", "RunName",
    "Weight", "licence_of",
]  # fmt: skip

NOT_IDENTITY: dict[str, JsonValue] = {"identity": False}
"""Marks a setting that cannot change the rows or weights of a run: changing it is no drift."""

Files = Annotated[
    tuple[str, ...], BeforeValidator(lambda value: (value,) if isinstance(value, str) else value)
]
"""One source or several: "pack"; file patterns such as "ur_raw/*.jsonl.gz", relative to sources.folder; or
"hub:OWNER/NAME[:CONFIG][@REVISION][#SPLIT]"."""

LONGEST_NAME = 200
"""Bytes of a run's name; disks allow 255, and files beside the run add an ending."""
OWN_FIELDS = {
    **dict.fromkeys(("model", "temperature", "stream", "max_tokens"), ": it is a key of the recipe itself"),
    **dict.fromkeys(
        (
            "max_completion_tokens",
            "max_output_tokens",
            "max_new_tokens",
            "max_length",
            "num_predict",
            "n_predict",
        ),
        ": write max_tokens, which bounds what a request can cost",
    ),
    **dict.fromkeys(("messages", "system", "prompt", "input"), ": prompts are the pack's"),
    **dict.fromkeys(("n", "best_of", "num_return_sequences"), ": one reply is read, and all are paid for"),
    **dict.fromkeys(("stop", "stop_sequences"), ": text that is cut there would pass as whole"),
    **dict.fromkeys(("api_key", "key", "authorization"), ": keys come from the environment only"),
    **dict.fromkeys(("extra_body", "extra_headers"), ": write the fields themselves"),
    "stream_options": ": write stream = true",
}
"""Fields of a request that are Alif's own, or change what a reply costs or means, and what to do instead."""
_VARIABLE = re.compile("[A-Za-z_][A-Za-z0-9_]{0,63}")
_API_KEY = re.compile(
    "(?:(?:sk|gsk|csk|hf|fw|r8)_|AIza).*|[0-9a-fA-F]{32,}|(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9]).{32,}"
)
"""Provider keys that would pass as a variable's name: known prefixes, or long random strings."""


def check_weight(weight: float | Mapping[str, float]) -> float | Mapping[str, float]:
    """Refuse weights below 0 and weights that are all 0."""
    parts = tuple(weight.values()) if isinstance(weight, Mapping) else (weight,)
    if not all(0 <= part < math.inf for part in parts) or not any(parts):
        raise PydanticCustomError("weight", "Weights are numbers from 0 up, and at least one is above 0")
    return weight


def check_variable(name: str) -> str:
    """Refuse what is no name of an environment variable, or looks like a key."""
    if name and (not _VARIABLE.fullmatch(name) or _API_KEY.fullmatch(name)):
        told = "Give the name of an environment variable, such as OPENAI_API_KEY, never the key itself"
        raise PydanticCustomError("variable", told)
    return name


def check_free_fields(fields: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    """Refuse fields of a request that are Alif's own."""
    for name in fields:
        if (reason := OWN_FIELDS.get(name.strip().casefold())) is not None:
            raise PydanticCustomError("free_field", f"{name} is no free field{reason}")
    return fields


def check_run_name(name: str) -> str:
    """Refuse a name that is not one folder."""
    if not re.fullmatch(r"[\w-][\w.-]*", name) or len(name.encode()) > LONGEST_NAME:
        told = "A name is one folder under runs/: letters, digits, _ - and . (not first), at most 200 bytes"
        raise PydanticCustomError("run_name", told)
    return name


def check_layer_ranges(ranges: str) -> str:
    """Refuse what is no list of layers and ranges of layers."""
    parts = [re.fullmatch(r"([0-9]{1,4})(?:-([0-9]{1,4}))?", part) for part in ranges.split(",")]
    if ranges and not all(part and int(part[1]) <= int(part[2] or part[1]) for part in parts):
        raise PydanticCustomError("layers", 'Name layers and ranges of layers, counted from 0: "0-7,24-31"')
    return ranges


def licence_of(licences: str | Mapping[str, str], source: str) -> str:
    """Return the licence that a recipe names for a source, "" where it names none."""
    return licences if isinstance(licences, str) else licences.get(source, "")


Licences = str | Mapping[str, str]
"""The licence of a table's sources, kept in each row that names none: one, or a table by source (the name
of a file without its endings, or the hub id)."""
Weight = Annotated[float | Mapping[str, float], AfterValidator(check_weight)]
"""A teacher's weight: one number, or a table by task."""
EnvironmentVariable = Annotated[str, AfterValidator(check_variable)]
"""The name of an environment variable. A refused value is never repeated: it may be the key itself."""
FreeFields = Annotated[Mapping[str, JsonValue], AfterValidator(check_free_fields)]
"""Fields of a provider's own that are sent with each request as they are."""
LayerRanges = Annotated[str, AfterValidator(check_layer_ranges)]
"""Layers of a model: "0-7,24-31"; "": all."""
RunName = Annotated[str, AfterValidator(check_run_name)]
"""The name of a run, which is its folder."""
