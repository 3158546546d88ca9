"""The licences that a model stands on (base, rows, texts, teachers' terms), and what forbids publishing.

base   SmolLM2-135M-Instruct.Q4_1.gguf   apache-2.0   enclose the licence …
rows   translated, gpt-4o-mini           cc-by-nc-4.0 no commercial use …          412
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from alif.facts.licence_duties import find_conflict, licence_duty, needs_llama_name, teacher_terms
from alif.facts.training_facts import BaseFacts
from alif.llm.endpoint import SCRIPTED, hostname
from alif.report.card_template import public_name
from alif.report.snapshot import RunSnapshot

__all__ = ["LicencePart", "TeacherTerms", "find_licence_conflicts", "licence_chain", "list_teacher_terms"]


@dataclass(frozen=True)
class LicencePart:
    """Something that the model is made of."""

    kind: str
    """"base", "merged with", "rows" or "texts"."""
    name: str
    licence: str
    """As its files state it; "" where they do not."""
    n: int = 1

    @property
    def duty(self) -> str:
        """What it obliges to."""
        if self.kind in ("rows", "texts") and not self.licence:
            return "not stated: ask whose it is"
        return licence_duty(self.licence)


@dataclass(frozen=True)
class TeacherTerms:
    """Whose answers the model was trained on."""

    name: str
    model: str
    host: str
    terms: str


def licence_chain(run: RunSnapshot, base_licence: str = "") -> list[LicencePart]:
    """Return everything with a licence that the model is made of; `base_licence` is a published base's."""
    facts, base = run.facts("base", BaseFacts), run.recipe.student.base
    parts = []
    if base != "tiny":
        licence = facts.gguf.licence if facts and facts.gguf else base_licence
        name = facts.gguf.file if facts and facts.gguf else public_name(base)
        parts.append(LicencePart("base", name, licence))
    if run.recipe.export.stage and run.recipe.merge.instruct:
        parts.append(LicencePart("merged with", public_name(run.recipe.merge.instruct), base_licence))
    rows: Counter[tuple[str, str]] = Counter()
    for row in (*run.read_examples("blend"), *run.read_pairs()):
        source = Path(row.origin.source.partition("#")[0]).name
        model = public_name(row.origin.model)
        rows[", ".join(filter(None, (row.origin.kind, model, source))), row.origin.licence] += 1
    texts = Counter((document.source, document.licence) for document in run.read_documents())
    parts += [LicencePart("rows", name, licence, n) for (name, licence), n in sorted(rows.items())]
    return [*parts, *(LicencePart("texts", name, licence, n) for (name, licence), n in sorted(texts.items()))]


def list_teacher_terms(run: RunSnapshot) -> list[TeacherTerms]:
    """Return what the makers of each teacher that wrote rows say of training on its answers."""
    asked = {row.origin.teacher: row.origin.model for row in run.read_examples("blend") if row.origin.teacher}
    found = []
    for name, teacher in run.recipe.teacher.items():
        if name in asked and teacher.base_url != SCRIPTED:
            model, host = public_name(asked[name] or teacher.model), hostname(teacher.base_url)
            found.append(TeacherTerms(name, model, host, teacher_terms(model, host)))
    return found


def find_licence_conflicts(
    parts: Sequence[LicencePart], teachers: Sequence[TeacherTerms], claimed: str, name: str
) -> list[str]:
    """Return, in a sentence each, why a model of these cannot be published as `name` under `claimed`."""
    found = [
        f'licence "{claimed}": the {part.kind} {part.name} ({part.n}): {conflict}'
        for part in parts
        if (conflict := find_conflict(part.licence, claimed))
    ]
    llama = [part.licence for part in parts if part.kind in ("base", "merged with")]
    llama += [teacher.model for teacher in teachers]
    needed = next(filter(needs_llama_name, llama), "")
    if needed and not name.startswith("Llama"):
        found.append(f'"{name}": its name must begin with "Llama", because it is made of {needed}')
    found += [
        f"the licence of {part.name} is not stated in its files: name it with --base-licence"
        for part in parts
        if part.kind == "base" and not part.licence
    ]
    return found
