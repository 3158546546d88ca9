"""`alif new`: copy a recipe to edit, or write a language pack from a sample text."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from alif import console, store
from alif import recipe as recipes
from alif.commands.arguments import RUNS, Document, Json, print_document
from alif.errors import PackError, RecipeError

__all__ = ["copy_recipe"]

LANGUAGE_CODE = re.compile("[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
Code = Annotated[str | None, Parameter(help="Write a language pack for this language code (BCP 47) instead.")]
Sample = Annotated[
    Path | None, Parameter(name="--from", help="With --pack: a text in the language, one paragraph a line.")
]


def copy_recipe(
    recipe: Annotated[
        str | None, Parameter(help="The recipe to copy; with --pack the folder to write.")
    ] = None,
    path: Annotated[Path | None, Parameter(help="The file to write; by default RECIPE.toml.")] = None,
    *,
    pack: Code = None,
    from_: Sample = None,
    name: Annotated[str, Parameter(help="With --pack: what the language is called in English.")] = "",
    native_name: Annotated[str, Parameter(help="With --pack: what it calls itself.")] = "",
    json: Json = False,
) -> None:
    """Copy a shipped recipe, to edit, or write a language pack.

    `alif new small` writes small.toml; `alif new --pack ha --from text.txt` writes the folder ha.
    """
    if pack is not None:
        found = _create_pack(pack, from_, Path(recipe or pack), name, native_name)
        if json:
            return console.print_json(found)
        sizes = f"{found['lines']:,} lines, {found['words']:,} words, {found['letters']} letters"
        console.print_result(f"{sizes}: {found['script']}, {found['direction']}")
        neighbours = " ".join(found["neighbours"]) or "no other language that the classifier knows"
        console.print_result(f"{found['little_words']} function words; near to {neighbours}")
        files = f"{found['folder']}  {len(found['files'])} files"
        return console.print_result(f"{files}. What to correct: alif check --pack {found['folder']}")
    if recipe is None:
        raise RecipeError(
            "alif new: no recipe named", "alif new RECIPE, or alif new --pack CODE --from TEXT."
        )
    target = path or Path(f"{Path(recipe).stem}.toml")
    if target.exists():
        raise RecipeError(f"{target}: is already there", "Name another file: alif new RECIPE PATH.")
    with store.friendly_os_errors(target):
        shutil.copyfile(recipes.find_recipe(recipe, RUNS), target)
    hint = f"{target}  edit it, then: alif run {target}"
    return print_document({"path": str(target)}, lambda _: console.print_result(hint), json)


def _create_pack(code: str, sample: Path | None, folder: Path, name: str, native_name: str) -> Document:
    """Write a pack folder; return its files, and what was measured in the sample."""
    from alif.language import pack_bootstrap

    if not LANGUAGE_CODE.fullmatch(code):
        hint = "A code is like ha or az-Arab; `alif new FOLDER --pack CODE` names another folder."
        raise PackError(f"alif new --pack {code}: no language code (BCP 47)", hint)
    if sample is None:
        hint = "Add --from TEXT: a file in the language, one paragraph a line."
        raise PackError(f"alif new --pack {code}: no sample text", hint)
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
        "little_words": len(measured.function_words),
        "neighbours": list(measured.neighbours),
    }
