"""COMET of the translations of a finished evaluation, by a worker in an environment of its own.

Its wheel pins numpy below 2 and transformers below 5, so it cannot live beside Alif: it gets JSON Lines and
gives JSON Lines (`comet_worker`). An empty translation is scored 0 without asking, because COMET gives it
more than some good ones; scores are kept in runtime/evaluate/comet.jsonl.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
from collections.abc import Mapping
from pathlib import Path

from alif import store
from alif.errors import DataError
from alif.facts.evaluation_facts import AnswerRow
from alif.language.pack import Pack
from alif.records import FrozenModel

__all__ = ["RECIPE", "CometScores", "score_translations"]

MODEL = "Unbabel/wmt22-comet-da"
RECIPE = (
    "python3.11 -m venv comet-env && comet-env/bin/pip install 'unbabel-comet==2.2.7' 'setuptools<81', "
    "then: alif evaluate RUN --comet-env comet-env/bin/python"
)
"""How to make the environment: a newer setuptools has no pkg_resources, which its torchmetrics imports."""
MAX_SECONDS = 24 * 3600


class CometScores(FrozenModel):
    """What COMET said, or why it was not asked."""

    model: str = MODEL
    systems: Mapping[str, float] = {}
    """Mean score by system, 0..1."""
    n: int = 0
    """Translations of each system."""
    empty: Mapping[str, int] = {}
    """Empty translations by system, scored 0."""
    skipped: str = ""

    def describe(self) -> str:
        if self.skipped:
            return f"COMET skipped: {self.skipped}"
        scores = ", ".join(f"{name} {value:.4f}" for name, value in self.systems.items())
        return f"COMET ({self.model}) of {self.n} translations: {scores}"


def score_translations(evaluation: Path, scratch: Path, python: str, pack: Pack) -> CometScores:
    """Score every system's translations of the test set.

    Args:
        evaluation: the folder of the finished step.
        scratch: where the scores of single translations are kept.
        python: the worker's interpreter.
        pack: tells which tasks are translation: those whose request names the language of the answer.

    Raises:
        DataError: the worker ended with something else than a score for each translation.
    """
    rows = [*store.read_models(evaluation / "answers.jsonl", AnswerRow)]
    tasks = {name for name, task in pack.tasks.items() if task.answer == "either"}
    rows = [row for row in rows if row.task in tasks]
    if not rows:
        return CometScores(skipped="the test set has no translations")
    if not shutil.which(python):
        return CometScores(skipped=f"{python} is no Python. {RECIPE}")
    if subprocess.run([python, "-I", "-c", "import comet"], capture_output=True, check=False).returncode:
        return CometScores(skipped=f"{python} has no COMET. {RECIPE}")
    asked = [(name, row) for row in rows for name, answer in row.answers.items() if answer.strip()]
    scores = _ask_worker(python, [_request(row, row.answers[name]) for name, row in asked])
    found: dict[str, list[float]] = {name: [] for name in rows[0].answers}
    for (name, _), score in zip(asked, scores, strict=True):
        found[name].append(score)
    store.write_rows(
        scratch / "comet.jsonl",
        (
            {"id": row.id, "system": name, "score": score}
            for (name, row), score in zip(asked, scores, strict=True)
        ),
    )
    empty = {name: len(rows) - len(some) for name, some in found.items()}
    means = {name: statistics.fmean([*some, *[0.0] * empty[name]]) for name, some in found.items()}
    return CometScores(systems=means, n=len(rows), empty=empty)


def _request(row: AnswerRow, answer: str) -> dict[str, str]:
    return {"src": row.input or row.instruction, "mt": answer, "ref": row.reference}


def _ask_worker(python: str, requests: list[dict[str, str]]) -> list[float]:
    worker = str(Path(__file__).with_name("comet_worker.py"))
    lines = "".join(f"{json.dumps(one)}\n" for one in requests)
    asked = subprocess.run(
        [python, "-I", worker, MODEL],
        input=lines,
        capture_output=True,
        text=True,
        timeout=MAX_SECONDS,
        check=False,
    )
    try:
        scores = [float(json.loads(line)["score"]) for line in asked.stdout.splitlines()]
    except (ValueError, KeyError, TypeError) as error:
        raise _worker_error(asked.stdout) from error
    if asked.returncode or len(scores) != len(requests):
        raise _worker_error(asked.stderr)
    return scores


def _worker_error(said: str) -> DataError:
    last = (said.strip().splitlines() or ["nothing"])[-1][:200]
    return DataError(f"the COMET worker failed: {last}", f"Make its environment again: {RECIPE}")
