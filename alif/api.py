"""The public API for notebooks and scripts: recipes and runs. `alif/__init__.py` names all of it.

recipe = alif.read_recipe("demo", "generate.target_rows=70")
run = alif.run(recipe)                       # or alif.load("demo"), for a run that exists
run.chat("پاکستان کا دارالحکومت کیا ہے؟")      # "What is the capital of Pakistan?"
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from alif import pipeline, store
from alif import recipe as recipes
from alif.commands.steps import steps_until
from alif.errors import DataError, RecipeError
from alif.records import EXTRA_STAGES, STAGES, Document, Example, Score
from alif.runs import Run, StepState
from alif.settings import Recipe

if TYPE_CHECKING:
    from alif.release.conversation import Conversation
    from alif.student import Student

__all__ = ["LoadedRun", "RunComparison", "ScorePair", "compare", "load", "read_recipe", "run"]

RUNS = Path("runs")


class LoadedRun:
    """A run's recipe, rows, scores and model; the model is loaded at the first question."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.recipe: Recipe = recipes.load_recipe(root / "recipe.toml")
        self._student: Student | None = None
        self._conversation: Conversation | None = None

    def __repr__(self) -> str:
        return f"LoadedRun(name={self.name!r})"

    @property
    def name(self) -> str:
        """The run's name, which is its folder's."""
        return self.root.name

    def status(self) -> list[StepState]:
        """Return the state of every step: rows_in == kept + sum(dropped) + not_sampled."""
        return [Run(self.root).state(step.name) for step in pipeline.PIPELINE]

    def rows(self, step: str) -> Iterator[Example | Document]:
        """Yield the rows that a finished step kept: documents of `corpus`, examples of the other steps."""
        path = self.root / step / "examples.jsonl"
        if not path.is_file():
            raise DataError(f"{path}: no such file", "The step keeps no rows, or is not done: see status().")
        return iter(store.read_models(path, Document if step == "corpus" else Example))

    def scores(self) -> list[Score]:
        """Return every measured number with its interval; empty before the step `evaluate` is done."""
        path = self.root / "evaluate" / "scores.jsonl"
        return list(store.read_models(path, Score)) if path.is_file() else []

    def report(self) -> Path:
        """Write the report of the run; return the page's path."""
        from alif.report import page

        return page.write_report([self.root])

    def generate(self, prompt: str) -> str:
        """Answer one prompt with the run's model; nothing is remembered."""
        return self._new_conversation().ask(prompt)

    def chat(self, text: str, system: str | None = None) -> str:
        """Answer in a conversation that remembers its turns; `system` starts a new one with that prompt."""
        if self._conversation is None or system is not None:
            self._conversation = self._new_conversation(system or "")
        return self._conversation.ask(text)

    def _new_conversation(self, system: str = "") -> Conversation:
        from alif.release.conversation import Conversation, open_student

        if self._student is None:
            self._student = open_student(self.root, self.recipe.runtime)
        template, seed = self.recipe.finetune.prompt_template, self.recipe.evaluate.seed
        return Conversation(self._student, template, system, seed=seed)


@dataclass(frozen=True)
class ScorePair:
    """The same measurement in two runs, after their last stage."""

    first: Score
    second: Score

    @property
    def difference(self) -> float:
        """The second value minus the first."""
        return self.second.value - self.first.value

    @property
    def intervals_overlap(self) -> bool:
        """Whether the 95 % intervals overlap; the paired test of `alif report A B` can tell more."""
        return self.first.low <= self.second.high and self.second.low <= self.first.high


@dataclass(frozen=True)
class RunComparison:
    """What differs between two runs: settings that decide the result, and scores on what both measured."""

    settings: dict[str, tuple[object, object]]
    scores: tuple[ScorePair, ...]


def read_recipe(recipe: str | Path, *overrides: str) -> Recipe:
    """Return a recipe: a path, a run's name or a shipped name, with overrides such as "adapter.rank=16"."""
    return recipes.load_recipe(recipes.find_recipe(str(recipe), RUNS), overrides)


def run(recipe: Recipe, until: str | None = None) -> LoadedRun:
    """Do all steps of a recipe that are not done yet (through `until`), in runs/NAME; return the run."""
    steps = pipeline.PIPELINE if until is None else steps_until(until)
    pipeline.run_pipeline(recipe, Run(RUNS / recipe.name), steps)
    return load(recipe.name)


def load(run: str | Path) -> LoadedRun:
    """Return a run by its name under runs/, or by its folder.

    Raises:
        RecipeError: there is none.
    """
    root = next((path for path in (Path(run), RUNS / run) if (path / "recipe.toml").is_file()), None)
    if root is None:
        raise RecipeError(f"{run}: no such run", "`alif ls` lists the runs; alif.run(recipe) makes one.")
    return LoadedRun(root)


def compare(first: str | Path | LoadedRun, second: str | Path | LoadedRun) -> RunComparison:
    """Compare two runs: settings that differ, and scores of the last stage that both have measured."""
    one, other = (run if isinstance(run, LoadedRun) else load(run) for run in (first, second))
    settings = recipes.differing_settings([one.recipe, other.recipe])
    scores = []
    for stage in reversed((*STAGES, *EXTRA_STAGES)):
        found, others = (
            {
                (score.benchmark, score.metric, score.language): score
                for score in run.scores()
                if score.stage == stage
            }
            for run in (one, other)
        )
        scores = [ScorePair(score, others[key]) for key, score in found.items() if key in others]
        if scores:
            break
    return RunComparison({key: (values[0], values[1]) for key, values in settings.items()}, tuple(scores))
