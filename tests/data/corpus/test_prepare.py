"""Prepared in parts or one after another, a source gives the same bytes; missing parts alone are made."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from alif import settings
from alif.data.corpus import prepare
from alif.data.corpus.build_corpus import build_corpus
from alif.data.corpus.prepare import PARTS, SourceJob, prepare_rows
from alif.runs import make_context
from alif.runs.folder import Run
from tests.data.conftest import LANGUAGE

TEXTS = ["دریا کے کنارے ایک پرانا پل ہے", "بازار میں آج بہت رونق تھی", "بچے میدان میں کرکٹ کھیل رہے ہیں"]


def write_source(folder: Path) -> Path:
    path = folder / "a.jsonl"
    rows = [{"text": f"{TEXTS[n % 3]}، یہ گاؤں نمبر {n} کا ذکر ہے"} for n in range(40)]
    rows += [
        {"text": "ہم چلے " * 60},
        {"text": ""},
        {"text": "This is English."},
        rows[0],
        {"text": "فون 0300-1234567 کا ہے"},
    ]
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    path.write_text("\n".join([*lines[:7], "no json", *lines[7:]]), encoding="utf-8")
    return path


def run_with(folder: Path, name: str, runtime: settings.Runtime, **corpus: object) -> dict[str, bytes]:
    context = make_context(Run(folder / name), "corpus", runtime)
    sources = settings.Sources(folder=str(folder))
    wanted = settings.Corpus.model_validate({"source": "a.jsonl", "source_language_files": (), **corpus})
    with context.output:
        context.output.count(build_corpus(context, LANGUAGE, sources, wanted))
    assert not list(context.scratch.glob("*/part-*")), "parts are gone once they are read"
    return {path.name: path.read_bytes() for path in context.folder.iterdir()}


@pytest.mark.parametrize("corpus", [{}, {"max_chars_per_source": 600}, {"max_documents": 9}])
def test_parts_by_processes_give_the_same_bytes(tmp_path: Path, corpus: dict[str, object]) -> None:
    write_source(tmp_path)
    alone = run_with(tmp_path, "alone", settings.Runtime(), **corpus)
    assert alone["examples.jsonl"]
    assert run_with(tmp_path, "two", settings.Runtime(processes=2), **corpus) == alone


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Ray's own
def test_a_ray_cluster_gives_the_same_bytes(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    write_source(tmp_path)
    alone = run_with(tmp_path, "alone", settings.Runtime())
    assert run_with(tmp_path, "ray", settings.Runtime(engine="ray", processes=2)) == alone


def make_job(folder: Path) -> SourceJob:
    return SourceJob(
        language=LANGUAGE,
        known=False,
        corpus=settings.Corpus(),
        parts=(str(write_source(folder)),),
        label="a",
        licence="CC0-1.0",
        max_chars=0,
    )


def test_after_a_kill_only_missing_parts_are_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job, runtime = make_job(tmp_path), settings.Runtime(processes=2)
    made: list[int] = []
    most = 5

    def run_here(work: Callable[[Path, int], None], folder: Path, parts: list[int], _: object) -> None:
        for part in parts:
            if len(made) == most:
                raise KeyboardInterrupt
            made.append(part)
            work(folder, part)

    monkeypatch.setattr(prepare, "run_parts", run_here)
    with pytest.raises(KeyboardInterrupt):
        list(prepare_rows(job, runtime, tmp_path))
    most = PARTS
    rows = list(prepare_rows(job, runtime, tmp_path))
    assert made == list(range(PARTS))
    alone = list(prepare_rows(job, settings.Runtime(), tmp_path))
    assert [getattr(one.row, "where", "") for one in rows] == [getattr(one.row, "where", "") for one in alone]


def test_a_changed_file_is_prepared_again(tmp_path: Path) -> None:
    job = make_job(tmp_path)
    before = prepare._job_digest(job)
    with (tmp_path / "a.jsonl").open("a", encoding="utf-8") as file:
        file.write("\n")
    assert prepare._job_digest(job) != before
