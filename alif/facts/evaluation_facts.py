"""What the step `evaluate` reports, and the lines of its differences.jsonl and answers.jsonl."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple, NotRequired

from pydantic import Field
from typing_extensions import TypedDict  # pydantic wants this one before Python 3.12

from alif.facts.contamination_facts import ContaminationCard
from alif.records import FrozenModel, Provenance

__all__ = [
    "AnswerMarks", "AnswerRow", "BenchmarkFacts", "Comparison", "EvaluateFacts", "FoundText",
    "InContextFinding", "ReferenceCheck", "SystemFacts", "Verdict",
]  # fmt: skip

Verdict = Literal["better", "worse", "retained", "lost", "cannot tell", "not measurable"]


class FoundText(NamedTuple):
    """What an output check has found in an answer."""

    evidence: str
    """Letters by number and name, the words that repeat, the phrase that refuses …"""
    spans: tuple[tuple[int, int], ...] = ()
    """Where it stands, from and to, in characters of the answer as it is scored."""


AnswerMarks = TypedDict(
    "AnswerMarks",
    {
        "accepted": bool | None,
        "exact_match": bool,
        "chrf++": float,
        "faults": Sequence[str],
        "finished": bool,
        "found": NotRequired[Mapping[str, "FoundText"]],
    },
)
AnswerMarks.__doc__ = "How one system's answer to a question was scored."
"""The marks of one generated answer."""


class AnswerRow(FrozenModel):
    """A question with the answers of all systems side by side."""

    id: str
    benchmark: str = Field("test", exclude_if=lambda name: name == "test")
    task: str
    language: str
    instruction: str
    input: str
    reference: str
    rubric: tuple[str, ...] = ()
    """What a good answer does, for a judge; it has no score."""
    sample: bool
    """Whether the report shows it."""
    answers: Mapping[str, str]
    """By system."""
    marks: Mapping[str, AnswerMarks]


class Comparison(FrozenModel):
    """A system against another on the same items."""

    stage: str
    """The later system's name."""
    against: str
    benchmark: str
    metric: str
    language: str
    difference: float
    """Later minus earlier, in the metric's own unit."""
    low: float
    high: float
    p: float
    """Two-sided; exact McNemar test for shares, random signs otherwise."""
    p_holm: float
    """Adjusted by Holm for the family: the system's overall rows of this benchmark, or all its parts."""
    family: str = ""
    """Which tests are adjusted together: "finetune against base, test, as a whole: 6 tests"."""
    detectable: float
    """Smallest true difference that so many items show with 80 % chance."""
    n: int
    margin: float | None = None
    """How much worse still counts as retained, in the metric's own unit."""
    verdict: Verdict


class BenchmarkFacts(FrozenModel):
    """A benchmark that was measured."""

    name: str
    languages: tuple[str, ...]
    provenance: Provenance
    licence: str
    """Licences of its items as their source states them; empty: not stated."""
    n: int
    """Items that were measured."""
    digest: str
    """Of the items."""
    form: str = ""
    """Of a [benchmark.NAME]: choice, number …"""
    wordings: tuple[str, ...] = ()
    shots: tuple[int, ...] = (0,)


class SystemFacts(FrozenModel):
    """A system that was measured."""

    name: str
    """base, pretrain, finetune, a merged model such as merge-0.6, or a [system.NAME] of the recipe."""
    model: str
    """Folder, hub id, or the model as its provider names it."""
    digest: str
    """Of its weights; of an endpoint, of its address and settings."""
    not_measurable: tuple[str, ...] = ()
    """Benchmarks that ask for log-probabilities, which this system does not give."""


class ReferenceCheck(FrozenModel):
    """Marks of the test set's own references: where they are not full, the scorer measures itself."""

    right: int
    n: int
    wrong: tuple[str, ...]
    """Ids of questions whose reference was marked wrong."""
    faults: Mapping[str, int]
    """Output checks that a reference failed."""


class InContextFinding(FrozenModel):
    """A stage that lost most of what the base gains from examples before a question."""

    stage: str
    benchmark: str
    metric: str
    shots: int
    """The most examples that were shown."""
    base_gain: float
    """By how much the base is better with so many examples than with the fewest, in the metric's own unit."""
    gain: float

    @property
    def sentence(self) -> str:
        """What a reader is told."""
        return (
            f"{self.stage} no longer learns from examples: {self.shots} of them raise {self.metric} of "
            f"{self.benchmark} by {self.gain:.3f}, the base's by {self.base_gain:.3f}, though it reads text "
            "better. Stage 1 without the source language can do that (arXiv 2506.00288): pretrain.replay."
        )


class EvaluateFacts(FrozenModel):
    """What the step `evaluate` reports."""

    documents: int
    held_out_rows: int
    questions: int
    choices: int
    """Multiple-choice questions."""
    window: int
    """Longest stretch of held-out text that was read at once, in tokens."""
    retention: tuple[Comparison, ...]
    """Differences of the stages from the base on benchmarks that have a margin."""
    gold: ReferenceCheck
    asked_in_training: int
    """Test questions that stand in the training mixture, equal after folding."""
    systems: tuple[SystemFacts, ...]
    benchmarks: tuple[BenchmarkFacts, ...]
    contamination: ContaminationCard | None = None
    """None: of a run that was made before there was one."""
    in_context: tuple[InContextFinding, ...] = ()
    """Stages that no longer learn from examples, though they read text better."""
