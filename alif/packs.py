"""The commands about language packs: write one from a sample, tell what to mend in one, tell how a tokenizer fits.

`alif new --pack` measures (language.sketch), `alif check --pack` examines (data.examine); `alif check RECIPE` adds how the
base's tokenizer fits both languages (student.fitness).
"""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from alif import console, recipe
from alif.data import examine as examination
from alif.data.examine import Finding
from alif.errors import PackError
from alif.language import pack as packs
from alif.language import sketch

__all__ = ["check", "new", "show", "show_tokenizer", "tokenizer"]


def new(code: str, sample: Path | None, folder: Path, name: str, native_name: str, json: bool) -> None:
    """Write a pack folder from a sample text and tell what was measured: `alif new --pack`.

    Raises:
        PackError: no sample, or the folder is already there.
    """
    if sample is None:
        raise PackError(
            f"alif new --pack {code}: no sample text", "Add --from TEXT: a file in the language, one paragraph a line."
        )
    measured = sketch.measure(sample, code)
    written = sketch.write(measured, folder, name, native_name)
    if json:
        console.json_document({"folder": str(folder), "files": [str(path) for path in written]})
        return
    console.line(f"{measured.line_count:,} lines, {measured.word_count:,} words: {measured.script}, {measured.direction}")
    console.line(
        f"{len(measured.letters)} letters, {len(measured.words)} little words, near to {' '.join(measured.neighbours)}"
    )
    console.line(f"{folder}  {len(written)} files. What to mend: alif check --pack {folder}")


def check(name: str, json: bool) -> None:
    """Tell what to mend in a pack: `alif check --pack`.

    Raises:
        PackError: something is wrong, after all of it was told.
    """
    found = examination.examine(name, recipe.Language())
    console.json_document({"pack": name, "findings": [asdict(finding) for finding in found]}) if json else show(name, found)
    wrong = sum(finding.kind == "wrong" for finding in found)
    if wrong:
        raise PackError(f"{name}: {wrong} things are wrong", "Mend them from the top: the first may be the cause of others.")


def tokenizer(settings: recipe.Recipe) -> dict[str, Any]:
    """Return how the base's tokenizer fits both languages, where it lies on this machine; {} elsewhere, and without torch."""
    folder = Path(settings.student.base).expanduser()
    if not folder.is_dir():
        return {}
    try:
        fitness = importlib.import_module("alif.student.fitness")
    except ModuleNotFoundError:
        return {}
    return fitness.of_folder(folder, packs.load(settings.language.pack), packs.load(settings.language.known)) or {}


def show_tokenizer(found: Mapping[str, Any], json: bool) -> None:
    """Print what `tokenizer` found, if anything."""
    if json or "tokenizer" not in found:
        return
    rows = [(code, *fit.values()) for code, fit in found["tokenizer"].items()]
    columns = ("tokenizer", *(key.replace("_", " ") for key in next(iter(found["tokenizer"].values()))))
    console.table(columns, rows)
    console.line(f"A word of the first language costs {found['tokenizer_cost']} times the tokens of one of the second.")


def show(name: str, found: Sequence[Finding]) -> None:
    """Print the findings in their order, each with its cure."""
    for finding in found:
        console.line(f"{finding.kind:>8}  {finding.where}: {finding.what}\n{'':>10}{finding.cure}")
    counts = Counter(finding.kind for finding in found)
    console.line(
        f"{name}: " + (", ".join(f"{count} {kind}" for kind, count in counts.items()) if found else "nothing to mend.")
    )
