"""Read a run folder into typed records: all that the report and the cards know of a run.

Any step may be missing, because a report can be asked for at any time; then its part of the page is empty.

    run/recipe.toml lock.json
    run/STEP/step.json                      counts, facts (alif.facts), cost, seconds
    run/STEP/examples.jsonl dropped.jsonl   rows, read as a stream
    run/evaluate/scores.jsonl differences.jsonl answers.jsonl benchmark_answers.jsonl
    run/judge/verdicts.jsonl
    run/runtime/STEP/curve.jsonl            one CurvePoint a line
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from alif import recipe as recipes
from alif import store
from alif.errors import DataError, PackError
from alif.facts import read_facts
from alif.facts.evaluation_facts import AnswerRow, Comparison
from alif.facts.judge_facts import JudgedCall
from alif.language import pack as packs
from alif.language.bidi import Direction
from alif.language.pack import Pack
from alif.records import (
    EXTRA_STAGES,
    STAGE_NAMES,
    STAGES,
    STEP_NAMES,
    Document,
    Example,
    FrozenModel,
    Neighbour,
    PreferencePair,
    Score,
)
from alif.runs import Run, StepRecord
from alif.runs.curves import CURVE, CurvePoint, read_curve
from alif.settings import Recipe

__all__ = ["LanguageInfo", "RunSnapshot", "read_run", "sample_dropped", "sample_examples"]

Facts = TypeVar("Facts", bound=FrozenModel)
Row = TypeVar("Row", bound=BaseModel)


class Environment(BaseModel):
    """lock.json: what the run is made with."""

    model_config = ConfigDict(frozen=True)
    machine: str = ""
    python: str = ""
    commit: str = ""
    packages: Mapping[str, str] = {}


@dataclass(frozen=True)
class LanguageInfo:
    """A language of the run, as its pack names it; `pack` is None where that is no longer there."""

    code: str
    name: str
    native_name: str
    direction: Direction
    pack: Pack | None = None


class DroppedRow(BaseModel):
    """A dropped row or document, or a piece of a reply that could not be parsed (`raw`)."""

    model_config = ConfigDict(frozen=True)
    reason: str
    evidence: str = ""
    language: str = ""
    task: str = ""
    raw: str = ""
    instruction: str = ""
    text: str = ""
    output: str = ""
    nearest: Neighbour | None = None


@dataclass(frozen=True)
class RunSnapshot:
    """One run, as its files describe it."""

    root: Path
    recipe: Recipe
    recipe_text: str
    environment: Environment
    target: LanguageInfo
    """The language that is taught."""
    source: LanguageInfo
    """The language that the base model knows."""
    steps: Mapping[str, StepRecord]
    """step.json of each finished step, in the order of the pipeline."""
    seeds: Sequence[Example]
    scores: Sequence[Score]
    differences: Sequence[Comparison]
    answers: Sequence[AnswerRow]
    """Of every question of the test set; those that are a `sample` are shown side by side."""
    benchmark_answers: Sequence[AnswerRow]
    """Of some questions of each other benchmark."""
    judged: Sequence[JudgedCall]
    """What judges said of these answers."""
    curves: Mapping[str, Sequence[CurvePoint]]

    @property
    def name(self) -> str:
        return self.root.resolve().name

    @property
    def systems(self) -> dict[str, str]:
        """Titles of what was measured, by name: the stages, then others in the order of their scores."""
        measured = dict.fromkeys(score.stage for score in self.scores)
        return STAGE_NAMES | {name: (STAGE_NAMES | EXTRA_STAGES).get(name, name) for name in measured}

    @property
    def shown_answers(self) -> list[AnswerRow]:
        """The questions that are shown side by side, the test set first."""
        return [row for row in self.answers if row.sample] + list(self.benchmark_answers)

    @property
    def last_stage(self) -> str:
        """The last stage that was measured; stage 2 where none was."""
        measured = {score.stage for score in self.scores}
        return next((name for name in reversed(EXTRA_STAGES) if name in measured), STAGES[-1])

    def facts(self, step: str, model: type[Facts]) -> Facts | None:
        """Return the facts of a finished step; None of one that the recipe does not ask for.

        Raises:
            DataError: they are those of another version of alif.
        """
        if step not in self.steps or not self.steps[step].counts.facts:
            return None
        try:
            return read_facts(self.steps[step].counts.facts, model)
        except ValidationError as error:
            folder = self.root / step
            raise DataError(
                f"{folder}/step.json: facts of another version of alif",
                f"Remove {folder} to build the step again.",
            ) from error

    def read_examples(self, step: str) -> Iterator[Example]:
        """Yield the kept rows of a step; none where it is not done."""
        return _read_if_there(self.root / step / "examples.jsonl", Example)

    def read_pairs(self) -> Iterator[PreferencePair]:
        """Yield the pairs of answers; none where the recipe names none."""
        return _read_if_there(self.root / "pairs" / "examples.jsonl", PreferencePair)

    def read_documents(self) -> Iterator[Document]:
        """Yield the documents of the corpus; none where it is not done."""
        return _read_if_there(self.root / "corpus" / "examples.jsonl", Document)

    def language(self, code: str) -> LanguageInfo:
        """Return the language of that code; an unknown one runs left to right."""
        known = {language.code: language for language in (self.source, self.target)}
        return known.get(code) or LanguageInfo(code, code, code, "ltr")

    def score(self, system: str, metric: str, language: str, benchmark: str = "heldout") -> Score | None:
        """Return one score, where it was measured."""
        return self._scores.get((system, metric, language, benchmark))

    def difference(
        self, system: str, metric: str, language: str, benchmark: str = "heldout"
    ) -> Comparison | None:
        """Return the paired difference of a system to the base, where it was measured."""
        return self._differences.get((system, metric, language, benchmark))

    @cached_property
    def _scores(self) -> dict[tuple[str, str, str, str], Score]:
        return {(one.stage, one.metric, one.language, one.benchmark): one for one in self.scores}

    @cached_property
    def _differences(self) -> dict[tuple[str, str, str, str], Comparison]:
        found = (one for one in self.differences if one.against == "base")
        return {(one.stage, one.metric, one.language, one.benchmark): one for one in found}


def read_run(root: Path) -> RunSnapshot:
    """Read a run folder.

    Raises:
        RecipeError: the folder holds no recipe.
        DataError: a file in it is damaged, with path and line.
    """
    recipe = recipes.load_recipe(root / "recipe.toml")
    run, evaluated, lock = Run(root), root / "evaluate", root / "lock.json"
    curves = {step: read_curve(run.scratch(step) / CURVE) for step in STEP_NAMES}
    return RunSnapshot(
        root=root,
        recipe=recipe,
        recipe_text=store.read_text(root / "recipe.toml"),
        environment=Environment.model_validate(store.read_json(lock)) if lock.is_file() else Environment(),
        target=_language(recipe.language.pack),
        source=_language(recipe.language.source),
        steps={step: record for step in STEP_NAMES if (record := run.record(step))},
        seeds=list(_read_if_there(root / "seeds" / "examples.jsonl", Example)),
        scores=list(_read_if_there(evaluated / "scores.jsonl", Score)),
        differences=list(_read_if_there(evaluated / "differences.jsonl", Comparison)),
        answers=list(_read_if_there(evaluated / "answers.jsonl", AnswerRow)),
        benchmark_answers=list(_read_if_there(evaluated / "benchmark_answers.jsonl", AnswerRow)),
        judged=list(_read_if_there(root / "judge" / "verdicts.jsonl", JudgedCall)),
        curves={
            step: list({point["step"]: point for point in curve}.values())  # a resumed step counts once
            for step, curve in curves.items()
            if curve
        },
    )


def _read_if_there(path: Path, model: type[Row]) -> Iterator[Row]:
    return store.read_models(path, model) if path.is_file() else iter(())


def _language(name: str) -> LanguageInfo:
    """Return a language by its pack; where the pack is no longer there, by its name alone."""
    try:
        pack = packs.load_pack(name)
    except PackError:
        code = Path(name).name
        return LanguageInfo(code, code, code, "ltr")
    return LanguageInfo(pack.code, pack.name, pack.native_name, pack.direction, pack)


def sample_examples(run: RunSnapshot, most: int = 3) -> dict[str, list[Example]]:
    """Return up to `most` rows of each step that makes or reads rows, of as many tasks as can be."""
    samples: dict[str, list[Example]] = {}
    for step in ("seeds", "generate", "translate", "replay"):
        by_key: dict[str, Example] = {}
        for row in run.read_examples(step):
            by_key.setdefault(row.task if step in ("seeds", "generate") else row.id, row)
            if len(by_key) == most:
                break
        if by_key:
            samples[step] = list(by_key.values())
    return samples


def sample_dropped(run: RunSnapshot) -> list[tuple[str, DroppedRow]]:
    """Return (step, row): one dropped row of every step and reason."""
    samples: list[tuple[str, DroppedRow]] = []
    for step in STEP_NAMES:
        by_reason: dict[str, DroppedRow] = {}
        for row in _read_if_there(run.root / step / "dropped.jsonl", DroppedRow):
            by_reason.setdefault(row.reason, row)
        samples += [(step, by_reason[reason]) for reason in sorted(by_reason)]
    return samples
