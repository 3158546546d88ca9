"""What a run folder tells: every file that the report reads, and nothing else.

Any step may be missing, because a report can be asked for at any time; then its part is empty and the page says so.

    run/recipe.toml lock.json
    run/STEP/step.json                      counts, facts, cost, seconds
    run/STEP/examples.jsonl dropped.jsonl   rows, read as a stream
    run/evaluate/scores.jsonl differences.jsonl answers.jsonl
    run/runtime/STEP/curve.jsonl            step, loss, tokens_per_s, gradient_norm …; at a look bits_per_byte, samples
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alif import recipe as recipes
from alif import store
from alif.errors import PackError
from alif.language import pack as packs
from alif.language.bidi import Direction
from alif.recipe import Recipe
from alif.records import Score

__all__ = ["ORDER", "LanguageInfo", "RunSnapshot", "read_rows_if_there", "read_run"]

ORDER = (
    "seeds", "generate", "translate", "filter", "review", "replay", "corpus", "blend",
    "base", "pretrain", "finetune", "evaluate", "export",
)  # fmt: skip
"""The order in which steps are told."""
EMPTY: Mapping[str, Any] = dict.fromkeys(
    ("raw", "language", "task", "instruction", "output", "text", "evidence", "nearest")
)
"""Keys that a dropped row may lack: a document has other ones than a row, and what could not be parsed has none."""
EXAMPLES_EACH = 3
"""Rows of each step that are shown."""


@dataclass(frozen=True)
class LanguageInfo:
    """A language of the run, as its pack names it."""

    code: str
    name: str
    native_name: str
    direction: Direction
    tasks: tuple[str, ...] = ()
    """In the pack's order."""


@dataclass(frozen=True)
class RunSnapshot:
    """One run, as its files tell it."""

    name: str
    recipe: Recipe
    recipe_text: str
    made_with: Mapping[str, Any]
    taught: LanguageInfo
    known: LanguageInfo
    steps: Sequence[Mapping[str, Any]]
    """Of each finished step: name, state, rows_in, kept, dropped, facts, cost_usd, seconds."""
    scores: Sequence[Score]
    differences: Sequence[Mapping[str, Any]]
    answers: Sequence[Mapping[str, Any]]
    """Sample questions with the answers of all stages and their marks."""
    curves: Mapping[str, Sequence[Mapping[str, Any]]]
    examples: Mapping[str, Sequence[Mapping[str, Any]]]
    """A few rows of each row step."""
    dropped: Sequence[Mapping[str, Any]]
    """One dropped row of every step and reason, with `step`."""
    unreviewed: bool
    """No seed has been read by a native speaker."""

    @property
    def facts(self) -> Mapping[str, Mapping[str, Any]]:
        """What each finished step told beside its counts."""
        return {step["name"]: step["facts"] for step in self.steps}

    def tongue(self, code: str) -> LanguageInfo:
        """Return the language of that code; an unknown one runs left to right."""
        known = {tongue.code: tongue for tongue in (self.known, self.taught)}
        return known.get(code) or LanguageInfo(code, code, code, "ltr")

    def score(self, stage: str, metric: str, language: str, benchmark: str = "heldout") -> Score | None:
        """Return one score, where it was measured."""
        key = (stage, benchmark, metric, language)
        return next((s for s in self.scores if (s.stage, s.benchmark, s.metric, s.language) == key), None)

    def difference(
        self, stage: str, metric: str, language: str, benchmark: str = "heldout", against: str = "base"
    ) -> Mapping[str, Any] | None:
        """Return the paired difference of a stage from an earlier one, where it was measured."""
        key = (stage, against, benchmark, metric, language)
        fields = ("stage", "against", "benchmark", "metric", "language")
        return next(
            (d for d in self.differences if tuple(d.get(name, "base") for name in fields) == key), None
        )


def read_rows_if_there(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a JSON Lines file; none where there is no such file."""
    if path.is_file():
        for _, row in store.read_rows(path):
            yield row


def read_run(root: Path) -> RunSnapshot:
    """Read a run folder.

    Raises:
        RecipeError: the folder holds no recipe.
        DataError: a file in it is damaged, with path and line.
    """
    recipe = recipes.load_recipe(root / "recipe.toml")
    taught = _tongue(recipe.language.pack)
    lock = root / "lock.json"
    evaluated = root / "evaluate"
    seeds = list(read_rows_if_there(root / "seeds" / "examples.jsonl"))
    return RunSnapshot(
        name=root.resolve().name,
        recipe=recipe,
        recipe_text=store.read_text(root / "recipe.toml"),
        made_with=store.read_json(lock) if lock.is_file() else {},
        taught=taught,
        known=_tongue(recipe.language.source),
        steps=_steps(root),
        scores=[Score.model_validate(row) for row in read_rows_if_there(evaluated / "scores.jsonl")],
        differences=list(read_rows_if_there(evaluated / "differences.jsonl")),
        answers=[row for row in read_rows_if_there(evaluated / "answers.jsonl") if row["sample"]],
        curves={step: curve for step in ORDER if (curve := _curve(root / "runtime" / step / "curve.jsonl"))},
        examples=_examples(root),
        dropped=_dropped(root),
        unreviewed=bool(seeds) and not any(row["origin"]["reviewed_by"] for row in seeds),
    )


def _tongue(name: str) -> LanguageInfo:
    """Return a language by its pack; where the pack is no longer there, by its name alone."""
    try:
        found = packs.load_pack(name)
    except PackError:
        code = Path(name).name
        return LanguageInfo(code, code, code, "ltr")
    return LanguageInfo(found.code, found.name, found.native_name, found.direction, tuple(found.tasks))


def _steps(root: Path) -> list[dict[str, Any]]:
    found = []
    for name in ORDER:
        path = root / name / "step.json"
        if path.is_file():
            record = store.read_json(path)
            counts = record["counts"]
            found.append(
                {
                    "name": name,
                    "state": record["state"],
                    **{key: counts[key] for key in ("rows_in", "kept", "dropped", "facts")},
                    "cost_usd": record["cost_usd"],
                    "seconds": record["seconds"],
                }
            )
    return found


def _curve(path: Path) -> list[dict[str, Any]]:
    """Return a training curve by step; one that a resumed run wrote twice counts once.

    A training that is running now may have written half of its last line, which is left out.
    """
    by_step: dict[int, dict[str, Any]] = {}
    for _, line in store.read_lines(path) if path.is_file() else ():
        if line.endswith("}"):
            row = store.parse_row(line)
            by_step[row["step"]] = row
    return [by_step[step] for step in sorted(by_step)]


def _examples(root: Path) -> dict[str, list[dict[str, Any]]]:
    """Return a few rows of each row step, of as many tasks as can be."""
    found: dict[str, list[dict[str, Any]]] = {}
    for step in ("seeds", "generate", "translate", "replay"):
        first: dict[str, dict[str, Any]] = {}
        for row in read_rows_if_there(root / step / "examples.jsonl"):
            key = row["task"] if step in ("seeds", "generate") else str(len(first))
            first.setdefault(key, row)
            if len(first) == EXAMPLES_EACH:
                break
        if first:
            found[step] = list(first.values())
    return found


def _dropped(root: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for step in ORDER:
        first: dict[str, dict[str, Any]] = {}
        for row in read_rows_if_there(root / step / "dropped.jsonl"):
            first.setdefault(row["reason"], {**EMPTY, "step": step, **row})
        found += [first[reason] for reason in sorted(first)]
    return found
