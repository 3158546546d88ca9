"""The commands about language packs: write one from a sample, tell what to mend in one, tell how a tokenizer fits.

`alif new --pack` measures (language.sketch), `alif check --pack` examines (data.examine); `alif check RECIPE` adds how the
base's tokenizer fits both languages (student.fitness).
"""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from alif import console, recipe
from alif.data import pack_lint as examination
from alif.errors import PackError
from alif.language import pack as packs
from alif.language import pack_bootstrap

__all__ = [
    "check_pack",
    "create_pack",
    "raise_if_invalid",
    "show_created",
    "show_pack_check",
    "tokenizer_fertility",
]


def create_pack(code: str, sample: Path | None, folder: Path, name: str, native_name: str) -> dict[str, Any]:
    """Write a pack folder from a sample text; return its files and what was measured: `alif new --pack`.

    Raises:
        PackError: no sample, or the folder is already there.
    """
    if sample is None:
        raise PackError(
            f"alif new --pack {code}: no sample text",
            "Add --from TEXT: a file in the language, one paragraph a line.",
        )
    measured = pack_bootstrap.measure_sample(sample, code)
    written = pack_bootstrap.write_pack(measured, folder, name, native_name)
    return {
        "folder": str(folder),
        "files": [str(path) for path in written],
        "lines": measured.line_count,
        "words": measured.word_count,
        "script": measured.script,
        "direction": measured.direction,
        "letters": len(measured.letters),
        "little_words": len(measured.words),
        "neighbours": list(measured.neighbours),
    }


def show_created(found: Mapping[str, Any]) -> None:
    """Print what `new` measured and wrote."""
    console.print_result(
        f"{found['lines']:,} lines, {found['words']:,} words: {found['script']}, {found['direction']}"
    )
    console.print_result(
        f"{found['letters']} letters, {found['little_words']} little words, near to {' '.join(found['neighbours'])}"
    )
    console.print_result(
        f"{found['folder']}  {len(found['files'])} files. What to mend: alif check --pack {found['folder']}"
    )


def check_pack(name: str) -> dict[str, Any]:
    """Return what is to be mended in a pack, in the order to mend it: `alif check --pack`."""
    return {
        "pack": name,
        "findings": [asdict(finding) for finding in examination.lint_pack(name, recipe.Language())],
    }


def show_pack_check(found: Mapping[str, Any]) -> None:
    """Print the findings in their order, each with its cure."""
    findings = found["findings"]
    for one in findings:
        console.print_result(f"{one['kind']:>8}  {one['where']}: {one['what']}\n{'':>10}{one['cure']}")
    counts = Counter(one["kind"] for one in findings)
    told = ", ".join(f"{count} {kind}" for kind, count in counts.items()) if findings else "nothing to mend."
    console.print_result(f"{found['pack']}: {told}")


def raise_if_invalid(found: Mapping[str, Any]) -> None:
    """Refuse a pack in which something is wrong, after all of it was told.

    Raises:
        PackError: with the number of things.
    """
    wrong = sum(one["kind"] == "wrong" for one in found["findings"])
    if wrong:
        what = "one thing is wrong" if wrong == 1 else f"{wrong} things are wrong"
        raise PackError(
            f"{found['pack']}: {what}", "Mend from the top: the first may be the cause of others."
        )


def tokenizer_fertility(settings: recipe.Recipe) -> dict[str, Any]:
    """Return how the base's tokenizer fits both languages, where it lies on this machine; {} elsewhere, and without torch."""
    folder = Path(settings.student.base).expanduser()
    if not folder.is_dir():
        return {}
    try:
        fitness = importlib.import_module("alif.student.fertility")
    except ModuleNotFoundError:
        return {}
    return (
        fitness.of_folder(
            folder, packs.load_pack(settings.language.pack), packs.load_pack(settings.language.source)
        )
        or {}
    )
