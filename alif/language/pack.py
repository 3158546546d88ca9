"""A language pack: a language as a folder that a linguist edits, read and checked here.

    packs/ur/
      pack.toml            letters, folding, digits, sentence marks, look-alikes, phrases
      tasks/qa.toml        what a task is: weight, what is compared, how answers are scored
      prompts/qa.jinja     how a teacher is asked for more of it; qa.NAME.jinja is another wording
      seeds/ demo/ test.jsonl choices.jsonl card.md README.md

A second language needs another folder, no Python. Errors are one sentence each, with path and line.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

import regex
from pydantic import ValidationError

from alif.errors import PackError
from alif.language.pack_files import parse_toml, read_pack_text, require_pack_file, text_files
from alif.language.pack_schema import RENAMED_KEYS, PackFile, PackTables, TaskFile
from alif.language.prompt_templates import load_prompt
from alif.records import FrozenModel

__all__ = ["Pack", "Task", "load_pack", "prompt_variants", "shipped_packs", "validation_errors"]

SHIPPED = Path(__file__).parent / "packs"
MAX_CACHED_PACKS = 16

Table = TypeVar("Table", bound=FrozenModel)


class Task(TaskFile):
    """A kind of instruction."""

    name: str
    templates: tuple[str, ...]
    """Jinja sources of the prompt, one a wording, with their includes written out."""

    def compared_text(self, instruction: str, input: str) -> str:
        """Return the text that the pool compares for this task."""
        return f"{instruction}\n{input}" if self.scope == "instruction+input" else instruction


class Pack(PackTables):
    """A checked language pack. Equal by identity, so that it can be the key of a cache."""

    folder: Path
    tasks: Mapping[str, Task]  # by name, in the pack's order

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other

    def identity_files(self) -> dict[str, Path]:
        """Return the files that a step's identity covers, by label."""
        names = ["pack.toml", *(f"tasks/{name}.toml" for name in self.tasks)]
        names += sorted(
            path.relative_to(self.folder).as_posix() for path in self.folder.glob("prompts/*.jinja")
        )
        return {f"{self.code}/{name}": self.folder / name for name in names}


def shipped_packs() -> dict[str, Path]:
    """Return the folders of the shipped packs by name."""
    return {path.parent.name: path.parent for path in sorted(SHIPPED.glob("*/pack.toml"))}


def load_pack(name_or_path: str | Path) -> Pack:
    """Return the pack of a shipped name or of a folder; the same object until one of its files changes.

    Raises:
        PackError: the first thing that is wrong, with path and line.
    """
    folder = shipped_packs().get(str(name_or_path), Path(name_or_path)).resolve()
    if not (folder / "pack.toml").is_file():
        raise PackError(
            f"{name_or_path}: no such language pack",
            f"Shipped packs: {', '.join(shipped_packs())}; or name a folder with a pack.toml.",
        )
    return _load(folder, tuple(map(_stamp, text_files(folder))))


def prompt_variants(folder: Path, task: str) -> tuple[Path, ...]:
    """Return the prompt files of a task: prompts/NAME.jinja, then its other wordings by name."""
    prompts = folder / "prompts"
    return (prompts / f"{task}.jinja", *sorted(prompts.glob(f"{task}.*.jinja")))


def validation_errors(folder: Path) -> list[PackError]:
    """Return everything that is wrong with the form of a pack's files, in the order in which to fix it."""
    path = folder / "pack.toml"
    if not path.is_file():
        hint = "`alif new --pack CODE --from TEXT` writes a pack folder."
        return [PackError(f"{folder}: no pack.toml", hint)]
    found: list[PackError] = []

    @contextmanager
    def collecting() -> Iterator[None]:
        try:
            yield
        except PackError as error:
            found.append(error)

    for file in text_files(folder):
        with collecting():
            read_pack_text(file, folder)
    tables = None
    with collecting():
        tables = _read_table(path, folder, PackFile)
    if tables is not None:
        for check in (_check_letters, _check_task_names):
            with collecting():
                check(path, tables)
        for name in tables.tasks:
            with collecting():
                _read_table(folder / "tasks" / f"{name}.toml", folder, TaskFile)
            for prompt in prompt_variants(folder, name):
                with collecting():
                    load_prompt(prompt, folder)
    return list({error.message: error for error in found}.values())


def _stamp(path: Path) -> tuple[Path, int, int]:
    """Return what changes when a file is edited."""
    try:
        facts = path.stat()
    except OSError:  # a dangling link: reading it gives the error
        return path, 0, 0
    return path, facts.st_mtime_ns, facts.st_size


@functools.lru_cache(maxsize=MAX_CACHED_PACKS)
def _load(folder: Path, stamps: tuple[tuple[Path, int, int], ...]) -> Pack:
    path = folder / "pack.toml"
    tables = _read_table(path, folder, PackFile)
    _check_letters(path, tables)
    tasks: dict[str, Task] = {}
    for name in tables.tasks:
        task = _read_table(folder / "tasks" / f"{name}.toml", folder, TaskFile)
        templates = tuple(load_prompt(prompt, folder) for prompt in prompt_variants(folder, name))
        tasks[name] = Task(**task.model_dump(exclude_unset=True), name=name, templates=templates)
    _check_task_names(path, tables)
    whole = sum(task.share for task in tasks.values())
    if tasks and (whole >= 1 or not any(task.weight for task in tasks.values())):
        message = f"{path}: tasks: their shares are {whole:g} of all rows"
        raise PackError(message, "Leave some to the tasks with a weight.")
    if typed := [
        name for name, task in tasks.items() if task.answer_script != "own" and tables.roman is None
    ]:
        message = f"{folder / 'tasks' / typed[0]}.toml: answer_script: {path.name} has no table roman"
        raise PackError(message, "Describe that script in [roman].")
    if formless := [name for name, task in tasks.items() if tables.slots and not task.forms]:
        message = f"{folder / 'tasks' / formless[0]}.toml: forms: none, but {path.name} has a table slots"
        raise PackError(message, "Name the forms that its answers may have.")
    for (
        file,
        _,
        _,
    ) in stamps:  # seeds and demo rows are read later, by steps that do not check where a file lies
        require_pack_file(file, folder)
    values = {key: getattr(tables, key) for key in PackTables.model_fields}
    return Pack.model_construct(**values, folder=folder, tasks=MappingProxyType(tasks))


def _check_letters(path: Path, tables: PackFile) -> None:
    own, lookalikes = set(tables.script.letters), tables.lookalikes
    foreign = {char for char in own if not regex.match(rf"\p{{Script={tables.script.name}}}", char)}
    checks = (
        ("script.letters", foreign, f"is not of the script {tables.script.name}"),
        ("script.distinctive", set(tables.script.distinctive) - own, "is not among script.letters"),
        ("lookalikes", own & lookalikes.keys(), "is among script.letters and cannot be a wrong letter"),
        (
            "lookalikes",
            set(lookalikes.values()) - own,
            "is not among script.letters and cannot be a right letter",
        ),
    )
    for key, wrong, what in checks:
        for char in sorted(wrong):
            raise PackError(
                f"{path}: {key}: {char} (U+{ord(char):04X}) {what}", "Correct one of the two tables."
            )


def _check_task_names(path: Path, tables: PackFile) -> None:
    names = tables.tasks
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise PackError(f"{path}: tasks: {twice} is named twice", "Name each task once.")
    for file in (*path.parent.glob("tasks/*.toml"), *path.parent.glob("prompts/[!_]*.jinja")):
        if (task := file.name.partition(".")[0]) not in names:
            hint = f"Add {task} to tasks in {path}, or remove the file."
            raise PackError(f"{file}: not a task of the pack", hint)


def _read_table(path: Path, folder: Path, model: type[Table]) -> Table:
    text = read_pack_text(path, folder)
    values = parse_toml(text, path)
    try:
        return model.model_validate(values)
    except ValidationError as error:
        errors = error.errors()
        first = next(
            (one for one in errors if one["type"] == "extra_forbidden"), errors[0]
        )  # before what it left out
        keys = [str(part) for part in first["loc"] if isinstance(part, str)]
        name = ".".join(keys)
        what = {"missing": "is missing", "extra_forbidden": "no such key"}.get(first["type"], "")
        if first["type"] == "extra_forbidden" and name in RENAMED_KEYS:
            what = f"is called {RENAMED_KEYS[name]} now"
        place = ": ".join(part for part in (f"{path}:{_find_line(text, keys) or 1}", name) if part)
        hint = f"Compare with {SHIPPED.name}/ur; keys here: {', '.join(model.model_fields)}."
        raise PackError(f"{place}: {what or first['msg'].removeprefix('Value error, ')}", hint) from error


def _find_line(text: str, keys: list[str]) -> int:
    """Return the line, from 1, on which a key is set or its table begins; 0 if there is none."""
    table: list[str] = []
    best = 0
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[+([^\]]+)\]", line):
            table = [part.strip(" \"'") for part in header[1].split(".")]
            best = number if table == keys[: len(table)] else best
        key = re.match(r"\s*[\"']?([^\s=\"']+)[\"']?\s*=", line)
        if key and [*table, key[1]] == keys[: len(table) + 1]:
            return number
    return best
