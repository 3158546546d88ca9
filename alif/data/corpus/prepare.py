"""Repair and examine the rows of one source: one after another here, or in parts by other processes.

A part is every sixteenth row. A process reads the source, prepares its rows and writes them to a file; the
step takes a row of each file in turn, so that the order, and every byte of the result, is the same whatever
the engine. A part's file appears whole and stays until all are read: after a kill only missing ones are made.

    runtime/corpus/ur-ab12…/job.json            what to do
    runtime/corpus/ur-ab12…/part-07.jsonl       {"row": […], "repairs": […]}  or  {"dropped": {…}}
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from alif import settings, sources, store
from alif.data.corpus.cleaning import clean_document, find_document_fault, repair_row
from alif.data.corpus.engines import run_parts
from alif.data.corpus.quality import find_quality_fault
from alif.data.corpus.row_spool import Fault, pack_row, unpack_row
from alif.language import pack as packs
from alif.language.pack import Pack
from alif.records import Document, Dropped, FrozenModel
from alif.sources import PackFiles, Row

__all__ = ["PARTS", "Prepared", "SourceJob", "find_fault", "prepare_part", "prepare_rows"]

PARTS = 16
"""Parts of a source, whatever the number of processes: more of them are lost less."""


class SourceJob(FrozenModel):
    """All that a process needs to know to prepare a source."""

    language: settings.Language
    known: bool
    """Whether the source is in the language that the base knows."""
    corpus: settings.Corpus
    parts: tuple[str, ...]
    label: str
    licence: str
    max_chars: int

    def load_packs(self) -> tuple[Pack, Pack]:
        """Return the pack of the source's language, and the other one."""
        own, other = packs.load_pack(self.language.pack), packs.load_pack(self.language.source)
        return (other, own) if self.known else (own, other)


@dataclass(frozen=True)
class Prepared:
    """A row as it will be trained on, or why it cannot be."""

    row: Row | Dropped
    repairs: tuple[str, ...] = ()
    fault: Fault | None = None
    """What `find_fault` found; None: it was not asked."""


def prepare_rows(job: SourceJob, runtime: settings.Runtime, scratch: Path) -> Iterator[Prepared]:
    """Yield the rows of a source in its order.

    Raises:
        DataError: a file cannot be read, or the engine is not there.
    """
    if runtime.engine == "local" and runtime.processes == 1:
        own, _ = job.load_packs()
        yield from (_prepare_row(row, job, own) for row in _read_source(job))
        return
    folder = scratch / f"{job.label.replace('/', '-')}-{_job_digest(job)}"
    folder.mkdir(parents=True, exist_ok=True)
    store.write_text(folder / "job.json", job.model_dump_json())
    if missing := [number for number in range(PARTS) if not _part_file(folder, number).exists()]:
        run_parts(prepare_part, folder, missing, runtime)
    readers = [store.read_rows(_part_file(folder, number)) for number in range(PARTS)]
    while (found := next(readers[0], None)) is not None:
        readers.append(readers.pop(0))
        values = found[1]
        if "dropped" in values:
            yield Prepared(Dropped.model_validate(values["dropped"]))
        else:
            row, fault = unpack_row(values["row"])
            yield Prepared(row, tuple(values["repairs"]), fault)
    shutil.rmtree(folder)


def prepare_part(folder: Path, number: int) -> None:
    """Prepare every sixteenth row of a job, from the row `number` on, and write them."""
    path = _part_file(folder, number)
    if path.exists():
        return
    job = SourceJob.model_validate_json(store.read_text(folder / "job.json"))
    own, other = job.load_packs()
    with (
        store.replacing(path) as partial,
        partial.open("w", encoding="utf-8", errors="surrogatepass") as file,
    ):
        for place, row in enumerate(_read_source(job)):
            if place % PARTS != number:
                continue
            found = _prepare_row(row, job, own)
            values: dict[str, object]
            if isinstance(found.row, Dropped):
                values = {"dropped": found.row.model_dump(mode="json")}
            else:
                document, _ = clean_document(found.row, own, job.label, job.max_chars, job.licence)
                fault = find_fault(document, own, other, job.corpus) or ("", "")
                values = {"row": pack_row(found.row, fault), "repairs": found.repairs}
            file.write(f"{json.dumps(values)}\n")


def find_fault(document: Document, own: Pack, other: Pack, corpus: settings.Corpus) -> Fault | None:
    """Return (reason, evidence) where a document is not in its language, or no prose."""
    fault = find_document_fault(document, own, other, corpus.min_words)
    if not fault and corpus.quality_rules:
        fault = find_quality_fault(document.text, own)
    return fault


def _read_source(job: SourceJob) -> Iterator[Row | Dropped]:
    pack = job.load_packs()[0]
    return sources.read_rows(job.parts, "", PackFiles(pack, ("demo/articles.jsonl",)), text_of=pack)


def _prepare_row(row: Row | Dropped, job: SourceJob, own: Pack) -> Prepared:
    if isinstance(row, Dropped):
        return Prepared(row)
    if dropped := sources.missing_text(row):
        return Prepared(dropped)
    return Prepared(*repair_row(row, own, job.corpus.mask_personal_data))


def _part_file(folder: Path, number: int) -> Path:
    return folder / f"part-{number:02}.jsonl"


def _job_digest(job: SourceJob) -> str:
    """Return a digest of the job, the packs and the files' sizes and times: other ones are prepared again."""
    files = [path.stat() for path in sources.resolve_paths(job.parts, "")]
    told = [(one.st_size, one.st_mtime_ns) for one in files]
    digests = [store.sha256_tree(pack.folder) for pack in job.load_packs()]
    return hashlib.sha256(f"{job.model_dump_json()}{told}{digests}".encode()).hexdigest()[:16]


if __name__ == "__main__":  # a task of a job array: python -m alif.data.corpus.prepare FOLDER
    prepare_part(Path(sys.argv[1]), int(os.environ["SLURM_ARRAY_TASK_ID"]))
