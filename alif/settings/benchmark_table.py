"""Recipe table [benchmark.NAME]: questions with known answers, as data.

form           what a row needs (`columns` maps other names)    a system is asked for        measured
choice         question, choices, gold                          log-probability, or a text   accuracy
label          question, gold; `labels` has the words           log-probability, or a text   accuracy
pair           good, bad: two sentences                         log-probability              accuracy
number         question, final                                  a text                       number
short          question, final, perhaps aliases                 a text                       accepted
translation    question, references                             a text                       chrF++, BLEU
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from alif.records import FrozenModel, Provenance
from alif.settings.types import Files, RunName

__all__ = ["BenchmarkTable", "BenchmarkTables", "Form"]

Form = Literal["choice", "label", "pair", "number", "short", "translation"]
FIELDS: Mapping[str, tuple[str, ...]] = {
    "choice": ("question", "choices", "gold"),
    "label": ("question", "gold"),
    "pair": ("good", "bad"),
    "number": ("question", "final"),
    "short": ("question", "final"),
    "translation": ("question", "references"),
}
"""What a row of each form needs."""
OPTIONAL = ("id", "cluster", "aliases", "worked")
WRITTEN: tuple[Form, ...] = ("number", "short", "translation")
"""Forms that only a written answer can fit."""


class BenchmarkTable(FrozenModel):
    """Questions with known answers: [benchmark.NAME]."""

    form: Form
    """choice, label, pair (log-probability), number, short or translation (a written answer)."""
    files: Files = ()
    """Files relative to sources.folder."""
    hub: str = ""
    """Or a data set on the hub, OWNER/NAME, or the folder of one."""
    config: str = ""
    """Configuration of the data set on the hub."""
    revision: str = ""
    """Commit of the data set on the hub: `alif benchmark pin` tells today's."""
    split: str = "test"
    """Split of the data set on the hub."""
    language: str = ""
    """Language of the answers, as one of the two packs has it; empty: the taught language."""
    provenance: Provenance = "unknown"
    """native, human-translated, machine-translated, same-teacher (as the training rows); rows may say it."""
    licence: str = ""
    """Licence of the items; a row may say it."""
    original: Files = Field((), exclude_if=lambda files: not files)
    """Files or a data set of the hub that the questions were translated from: rows that give these away never
    enter the blend either, nor translations of such rows. GSM8K for MGSM."""
    columns: Mapping[str, str | tuple[str, ...]] = {}
    """Our name → the data's: question = "ques", choices = ["a", "b"], gold = "answer.key". Several columns of
    a text are joined by line breaks."""
    first: int = Field(0, ge=0, le=1)
    """Number of the first choice, where `gold` is a number: 0 or 1."""
    labels: Mapping[str, str] = {}
    """form = "label": value of gold → the word that stands for it in the language."""
    separator: str = " "
    """What stands between question and choice: "" in scripts without spaces."""
    asked: Literal["likelihood", "text", "both"] = "likelihood"
    """How choices and labels are asked: by log-probability, or by a written answer, as endpoints need it."""
    wordings: tuple[str, ...] = ()
    """Prompts as Jinja templates of the row's columns, {{ question }}; with several, their mean is the score
    and their spread is reported. For choice, {{ options }} are the lettered choices; empty: the plain
    question, with its options where a text is asked for."""
    shots: tuple[Annotated[int, Field(ge=0, le=64)], ...] = (0,)
    """Numbers of examples before a question, such as [0, 1, 4, 8]; the first is the main score."""
    examples: Files = ()
    """Where examples come from, never from the items: files, or "pack" for the pack's seeds."""
    examples_split: str = ""
    """Or a split of the same data set on the hub: validation."""
    examples_task: str = ""
    """With "pack": the task whose seeds are examples."""
    questions: int = Field(0, ge=0)
    """Most questions that are asked; 0: evaluate.questions_each decides."""
    max_new_tokens: int = Field(0, ge=0)
    """Longest written answer, in tokens; 0: evaluate.max_new_tokens."""
    decontaminate: bool = True
    """Whether rows that overlap with it never enter the blend. false: a benchmark that is added to a trained
    run; the report counts what of it was trained on."""
    margin: float | None = Field(None, gt=0, lt=1)
    """Loss that still counts as retained: 0.01 is one point. Empty: 0.01 in the source language, and in
    others the verdict is better or worse."""

    def field_columns(self, field: str) -> tuple[str, ...]:
        """Return the data's columns of a field."""
        given = self.columns.get(field, field)
        return (given,) if isinstance(given, str) else given

    def which_items(self) -> BenchmarkTable:
        """Return the table with nothing but what says which items these are."""
        kept = {
            "form",
            "files",
            "hub",
            "config",
            "revision",
            "split",
            "language",
            "original",
            "columns",
            "labels",
            "first",
        }
        return BenchmarkTable(**self.model_dump(include=kept))

    def address(self, split: str = "") -> Files:
        """Return where items are read from, as `sources` has it; another split of a data set on the hub."""
        if not self.hub:
            return self.files
        config = f":{self.config}" if self.config else ""
        pinned = f"@{self.revision}" if self.revision else ""
        return (f"hub:{self.hub}{config}{pinned}#{split or self.split}",)


def check_benchmarks(tables: Mapping[str, BenchmarkTable]) -> Mapping[str, BenchmarkTable]:
    """Refuse tables that contradict themselves."""
    for name, table in tables.items():
        if fault := _find_fault(name, table):
            raise PydanticCustomError("benchmark", "{fault}", {"fault": fault})
    return tables


def _find_fault(name: str, table: BenchmarkTable) -> str:
    known = (*FIELDS[table.form], *OPTIONAL)
    written = table.form in WRITTEN or table.asked != "likelihood"
    shots = max(table.shots, default=0)
    faults = {
        "heldout, answers, test and fidelity are Alif's own benchmarks": name
        in ("heldout", "answers", "test", "fidelity"),
        "name files or hub, one of them": bool(table.files) == bool(table.hub),
        f"columns: form {table.form} has {', '.join(known)}": not set(table.columns) <= set(known),
        'labels: form "label" needs its words by the value of gold': (table.form == "label")
        != bool(table.labels),
        f'asked: form "{table.form}" is asked by {"text" if table.form in WRITTEN else "likelihood"} alone': (
            table.form in (*WRITTEN, "pair") and table.asked != "likelihood"
        ),
        f'wordings: form "{table.form}" needs one at least, which says what is wanted': (
            not table.wordings and (table.form == "translation" or (table.form == "label" and written))
        ),
        "wordings: two are the same": len(set(table.wordings)) < len(table.wordings),
        "wordings: sentences of a pair stand alone": table.form == "pair" and bool(table.wordings or shots),
        "shots: at least one number, each once": not table.shots or len(set(table.shots)) < len(table.shots),
        "shots: name examples, or examples_split": shots > 0 and not (table.examples or table.examples_split),
        "examples_split: the split of the questions themselves": table.examples_split == table.split
        and bool(table.hub),
        "examples_split: only hub has splits": bool(table.examples_split) and not table.hub,
        "examples_task: name the task of the pack's seeds": "pack" in table.examples
        and not table.examples_task,
    }
    return next((f"{name}: {fault}" for fault, wrong in faults.items() if wrong), "")


BenchmarkTables = Annotated[Mapping[RunName, BenchmarkTable], AfterValidator(check_benchmarks)]
"""Benchmarks by name, which is a folder too: runs/NAME/evaluate/SYSTEM/BENCHMARK."""
