"""`alif publish`: what a run's model would look like on the Hub, what forbids it, and the upload."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from alif import console
from alif.commands.arguments import Json, RunName, open_run
from alif.errors import AlifError, DataError, MissingExtra, RecipeError

if TYPE_CHECKING:
    from alif.report.snapshot import RunSnapshot

__all__ = ["publish_run"]

NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]{0,95}")
CITATION = """cff-version: 1.2.0
message: If you use this model, please cite it and what it was made with.
type: software
title: {title}
authors:
  - name: {owner}
references:
  - type: article
    title: "Alif: Advancing Urdu Large Language Models via Multilingual Synthetic Data Distillation"
    authors:
      - name: Alif's authors
    url: https://arxiv.org/abs/2510.09051
"""


def publish_run(
    run: RunName,
    *,
    to: Annotated[str, Parameter(help="OWNER/NAME on the Hub.")],
    licence: Annotated[str, Parameter(help="Of the model; other: the terms that its card lists.")] = "other",
    base_licence: Annotated[str, Parameter(help="Of a base whose files state none.")] = "",
    dry_run: Annotated[bool, Parameter(negative="", help="List every file; send nothing.")] = False,
    public: Annotated[bool, Parameter(negative="", help="For all to see; else private.")] = False,
    json: Json = False,
) -> None:
    """Publish a run's model with its cards on the Hub, or list what would be, and what forbids it."""
    root = open_run(run)[0].root
    if not NAME.fullmatch(to):
        raise RecipeError(f'--to "{to}": not OWNER/NAME', "As in alif-project/Urdu-0.6B.")
    from alif.report.data_card import data_card
    from alif.report.licence_chain import find_licence_conflicts, licence_chain, list_teacher_terms
    from alif.report.model_card import Publication, model_card
    from alif.report.snapshot import read_run

    try:
        from alif.release.publish import find_leaks, gather_files, list_files, upload_files
    except ModuleNotFoundError as error:
        if (error.name or "alif").startswith("alif"):
            raise
        raise MissingExtra("alif publish", "export") from error
    found = read_run(root)
    base_licence = base_licence or _stated_licence(found)
    parts, teachers = licence_chain(found, base_licence), list_teacher_terms(found)
    owner, _, name = to.partition("/")
    forms = sorted(path.parent.name for path in (root / "export").glob("*/form.json"))
    card = model_card(found, Publication(to, licence, base_licence, forms))
    files = gather_files(root, to, card, data_card(found), CITATION.format(title=name, owner=owner))
    conflicts = find_licence_conflicts(parts, teachers, licence, name)
    if leaks := find_leaks(files, set(_people(found))):
        raise DataError(f"{leaks[0]} would be published", "Take it out of the file; nothing was sent.")
    if conflicts:
        more = f" (and {len(conflicts) - 1} more)" if len(conflicts) > 1 else ""
        hint = "Choose another --licence (other: all terms stand on the card), or leave these rows out."
        raise AlifError(f"{conflicts[0]}{more}", hint)
    document = {
        "to": to,
        "licence": licence,
        "private": not public,
        "dry_run": dry_run,
        "files": [file.model_dump() for file in list_files(files)],
        "licences": [
            {"kind": p.kind, "name": p.name, "licence": p.licence, "n": p.n, "duty": p.duty} for p in parts
        ],
        "teachers": [vars(teacher) for teacher in teachers],
        "address": "" if dry_run else upload_files(files, to, private=not public),
    }
    if json:
        return console.print_json(document)
    for file in list_files(files):
        console.print_result(f"{file.sha256[:12]}  {file.bytes:>13,}  {file.path}")
    for teacher in teachers:
        console.print_result(f"teacher {teacher.name}: {teacher.terms}")
    console.print_result(str(document["address"]) or f"Nothing was sent to {to}.")
    return None


def _stated_licence(run: RunSnapshot) -> str:
    """Return the licence in the card of a base that is a folder or on the hub; "" where there is none."""
    base = run.recipe.student.base
    if base == "tiny" or base.endswith(".gguf") or base.startswith("package:"):
        return ""
    try:
        from alif.student.licences import read_licence
        from alif.student.published import open_published
    except ModuleNotFoundError as error:
        raise MissingExtra("the licence of the base", "train") from error
    return read_licence(open_published(run.recipe.student))


def _people(run: RunSnapshot) -> Iterator[str]:
    """Yield the names of all who wrote or read a row."""
    from alif.report.card_template import author_kind

    for row in (*run.seeds, *run.read_examples("review"), *run.read_examples("blend"), *run.read_pairs()):
        for name in (row.origin.author, row.origin.reviewed_by):
            if name and author_kind(name, row.origin.model) == "a person":
                yield name
