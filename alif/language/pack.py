"""A language pack: a language as a folder that a linguist edits, read and checked here.

    packs/ur/
      pack.toml            letters, folds, digits, sentence marks, look-alikes, phrases
      tasks/qa.toml        what a task is: weight, what is compared, how answers are scored
      prompts/qa.jinja     how a teacher is asked for more of it; qa.NAME.jinja asks for the same in other words
      seeds/ demo/ test.jsonl card.md README.md

A second language needs another folder, no Python. Whatever is wrong in a folder is told as one sentence with path and line.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal, TypeVar

import regex
from pydantic import ValidationError

from alif.errors import PackError
from alif.language.pack_files import parse_toml, read_pack_text, require_pack_file, text_files
from alif.language.pack_schema import (
    Choices,
    Clean,
    Compare,
    Keys,
    Numbers,
    PackFile,
    Phrases,
    Quoted,
    Roman,
    Script,
    Sentences,
    TaskFile,
)
from alif.language.prompt_templates import load_prompt
from alif.records import FrozenModel

__all__ = ["Pack", "Task", "load_pack", "prompt_variants", "shipped_packs", "validation_errors"]

SHIPPED = Path(__file__).parent / "packs"

Facts = TypeVar("Facts", bound=FrozenModel)
Result = TypeVar("Result")


class Task(TaskFile):
    """A kind of instruction."""

    name: str
    templates: tuple[str, ...]
    """Jinja sources of the prompt, one a wording, with their includes written out. Variables: language, native_name, items."""

    def compared(self, instruction: str, input: str) -> str:
        """Return the text that the pool compares for this task."""
        return f"{instruction}\n{input}" if self.scope == "instruction+input" else instruction


@dataclass(frozen=True, eq=False)
class Pack:
    """A checked language pack. Two are the same if they are the same object: `load` keeps them."""

    folder: Path
    code: str
    """BCP 47."""
    name: str
    native_name: str
    direction: Literal["rtl", "ltr"]
    licence: str
    """Of the folder's texts; empty where it is not stated."""
    tasks: Mapping[str, Task]
    """By name, in the pack's order."""
    script: Script
    clean: Clean
    compare: Compare
    numbers: Numbers
    sentences: Sentences
    lookalikes: Mapping[str, str]
    """Wrong letter → right letter."""
    quoted: Quoted
    choices: Choices
    phrases: Phrases
    keys: Keys
    topics: Mapping[str, tuple[str, ...]]
    registers: Mapping[str, tuple[str, ...]]
    roman: Roman | None
    """How the language looks in another script, where people write it so."""

    @functools.cached_property
    def tags(self) -> Mapping[str, str]:
        """The keys of an item in this language, each with the field that it stands for."""
        fields = ("instruction", "input", "output")
        return MappingProxyType({tag: field for field in fields for tag in getattr(self.keys, field)})

    def parts(self) -> dict[str, Path]:
        """Return the files that decide what is made with the pack, by label: what a step's identity covers."""
        names = ["pack.toml", *(f"tasks/{name}.toml" for name in self.tasks)]
        names += sorted(
            path.relative_to(self.folder).as_posix() for path in self.folder.glob("prompts/*.jinja")
        )
        return {f"{self.code}/{name}": self.folder / name for name in names}


def shipped_packs() -> dict[str, Path]:
    """Return the folders of the shipped packs by name."""
    return {path.parent.name: path.parent for path in sorted(SHIPPED.glob("*/pack.toml"))}


def load_pack(name_or_path: str | Path) -> Pack:
    """Return the pack of a shipped name or of a folder; the same folder gives the same object.

    Raises:
        PackError: the first thing that is wrong, with path and line.
    """
    folder = shipped_packs().get(str(name_or_path), Path(name_or_path))
    if not (folder / "pack.toml").is_file():
        raise PackError(
            f"{name_or_path}: no such language pack",
            f"Shipped packs: {', '.join(shipped_packs())}; or name a folder with a pack.toml.",
        )
    return _load(folder.resolve())


def prompt_variants(folder: Path, task: str) -> tuple[Path, ...]:
    """Return the prompt files of a task: prompts/NAME.jinja, which each task has, and those in other words, by name."""
    prompts = folder / "prompts"
    return (prompts / f"{task}.jinja", *sorted(prompts.glob(f"{task}.*.jinja")))


def validation_errors(folder: Path) -> list[PackError]:
    """Return everything that is wrong with the form of a pack's files, not only the first thing, in the order to mend it."""
    path = folder / "pack.toml"
    if not path.is_file():
        return [
            PackError(f"{folder}: no pack.toml", "`alif new --pack CODE --from TEXT` writes a pack folder.")
        ]
    found: list[PackError] = []
    for file in text_files(folder):
        _try(found, lambda file=file: read_pack_text(file, folder))  # type: ignore[misc]  # mypy cannot infer a lambda with a default
    facts = _try(found, lambda: _read(path, folder, PackFile))
    if facts is not None:
        _try(found, lambda: _check_letters(path, facts))
        _try(found, lambda: _check_tasks(path, facts.tasks))
        for name in facts.tasks:
            _try(found, lambda name=name: _read(folder / "tasks" / f"{name}.toml", folder, TaskFile))  # type: ignore[misc]
            for wording in prompt_variants(folder, name):
                _try(found, lambda wording=wording: load_prompt(wording, folder))  # type: ignore[misc]
    return list({error.message: error for error in found}.values())


def _try(found: list[PackError], work: Callable[[], Result]) -> Result | None:
    try:
        return work()
    except PackError as error:
        found.append(error)
        return None


@functools.cache
def _load(folder: Path) -> Pack:
    path = folder / "pack.toml"
    facts = _read(path, folder, PackFile)
    _check_letters(path, facts)
    tasks = {name: _task(folder, name) for name in facts.tasks}
    _check_tasks(path, facts.tasks)
    _check_shares(path, facts, tasks)
    for file in text_files(folder):  # seeds and demo rows are read later, by steps that know nothing of packs
        require_pack_file(file, folder)
    values = {key: getattr(facts, key) for key in PackFile.model_fields if key != "tasks"}
    return Pack(folder=folder, tasks=MappingProxyType(tasks), **values)


def _check_letters(path: Path, facts: PackFile) -> None:
    own = set(facts.script.letters)
    in_script = regex.compile(rf"\p{{Script={facts.script.name}}}")
    checks: tuple[tuple[str, Callable[[], set[str]], str], ...] = (
        (
            "script.letters",
            lambda: {c for c in own if not in_script.match(c)},
            f"is not of the script {facts.script.name}",
        ),
        ("script.telling", lambda: set(facts.script.telling) - own, "is not among script.letters"),
        (
            "lookalikes",
            lambda: own & facts.lookalikes.keys(),
            "is among script.letters and cannot be a wrong letter",
        ),
        (
            "lookalikes",
            lambda: set(facts.lookalikes.values()) - own,
            "is not among script.letters and cannot be a right letter",
        ),
    )
    for key, wrong, what in checks:
        for char in sorted(wrong()):
            raise PackError(
                f"{path}: {key}: {char} (U+{ord(char):04X}) {what}", "Mend one of the two tables."
            )


def _check_tasks(path: Path, names: tuple[str, ...]) -> None:
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise PackError(f"{path}: tasks: {twice} stands twice", "Name each task once.")
    for found in (*path.parent.glob("tasks/*.toml"), *path.parent.glob("prompts/[!_]*.jinja")):
        task = found.name.partition(".")[0]
        if task not in names:
            raise PackError(
                f"{found}: not a task of the pack", f"Add {task} to tasks in {path}, or remove the file."
            )


def _check_shares(path: Path, facts: PackFile, tasks: Mapping[str, Task]) -> None:
    whole = sum(task.share for task in tasks.values())
    if tasks and (whole >= 1 or not any(task.weight for task in tasks.values())):
        raise PackError(
            f"{path}: tasks: their shares are {whole:g} of all rows", "Leave some to the tasks with a weight."
        )
    for name, task in tasks.items():
        if task.answer_script != "own" and facts.roman is None:
            where = path.parent / "tasks" / f"{name}.toml"
            raise PackError(
                f"{where}: answer_script: {path.name} has no table roman", "Describe that script in [roman]."
            )


def _task(folder: Path, name: str) -> Task:
    facts = _read(folder / "tasks" / f"{name}.toml", folder, TaskFile)
    templates = tuple(load_prompt(path, folder) for path in prompt_variants(folder, name))
    return Task(**facts.model_dump(exclude_unset=True), name=name, templates=templates)


def _read(path: Path, folder: Path, model: type[Facts]) -> Facts:
    text = read_pack_text(path, folder)
    values = parse_toml(text, path)
    try:
        return model.model_validate(values)
    except ValidationError as error:
        every = error.errors()
        first = next(
            (one for one in every if one["type"] == "extra_forbidden"), every[0]
        )  # the slip, not what it left missing
        keys = [str(part) for part in first["loc"] if isinstance(part, str)]
        where = f"{path}:{_line(text, keys) or 1}"
        what = {"extra_forbidden": "no such key", "missing": "is missing"}.get(
            first["type"], first["msg"].removeprefix("Value error, ")
        )
        known = ", ".join(model.model_fields)
        place = ": ".join(part for part in (where, ".".join(keys)) if part)
        raise PackError(f"{place}: {what}", f"Compare with {SHIPPED.name}/ur; keys here: {known}.") from error


def _line(text: str, keys: list[str]) -> int:
    """Return the line, from 1, on which a key is set or its table begins; 0 if it is nowhere."""
    table: list[str] = []
    best = 0
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*\[+([^\]]+)\]", line)
        if header:
            table = [part.strip(" \"'") for part in header[1].split(".")]
            best = number if table == keys[: len(table)] else best
        key = re.match(r"\s*[\"']?([^\s=\"']+)[\"']?\s*=", line)
        if key and [*table, key[1]] == keys[: len(table) + 1]:
            return number
    return best
