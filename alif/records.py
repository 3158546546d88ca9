"""The records that move between rooms, each a frozen pydantic model and one line of JSON.

    {"id": "5b0f…", "language": "ur", "task": "qa", "instruction": "…", "output": "…", "origin": {…}}

`Example` is the one row type of the data side, `Document` a stage-1 text, `Dropped` either of them with the
reason why it left, `Verdict` one person's decision on a row, `Score` one measured number with its interval.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue

__all__ = [
    "EXTRA_STAGES", "FUNNEL_GROUPS", "NOT_REVIEWED", "STAGES", "STAGE_NAMES", "STEP_NAMES", "Counts",
    "Document", "Dropped", "Example", "FrozenModel", "Message", "Neighbour", "Origin", "PreferencePair",
    "Provenance", "RowId", "Score", "Verdict", "sanitize_text",
]  # fmt: skip

_UNSAFE = re.compile("[\x00\ud800-\udfff]")

Kind = Literal["seed", "teacher", "translated", "replay", "source"]
Provenance = Literal["native", "human-translated", "machine-translated", "same-teacher", "unknown"]
"""How the items of a benchmark came to be in their language; "same-teacher": as the training data was."""
NOT_REVIEWED = "not reviewed by a native speaker"
"""What is said wherever a row that nobody has read is shown: an empty `Origin.reviewed_by`."""
FUNNEL_GROUPS = {"tasks": "task", "teachers": "teacher", "strategies": "strategy"}
"""What the funnel of the step `generate` is grouped by, and the word for one group."""

STEP_NAMES = (
    "seeds", "generate", "translate", "filter", "review", "replay", "corpus", "blend",
    "pairs", "base", "pretrain", "finetune", "prefer", "merge", "evaluate", "judge", "export",
)  # fmt: skip
"""The order of the steps: `alif.pipeline` runs them, the report shows them."""

STAGE_NAMES = {"base": "base", "pretrain": "stage 1", "finetune": "stage 2"}
"""What is measured and what it is called, in the order of training; the first is what the others are compared
with."""
STAGES = tuple(STAGE_NAMES)
EXTRA_STAGES = {"prefer": "stage 3"}
"""What is measured too, behind these, where the recipe asks for it."""


class FrozenModel(BaseModel):
    """A frozen record that refuses unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


def _content_hash(*parts: str) -> str:
    """Return the first 16 hex digits of the SHA-256 of `parts`: the content is the name."""
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


class Origin(FrozenModel):
    """Where a row comes from: who wrote it, from what, under which licence."""

    kind: Kind
    source: str = ""
    """A pack file, a data file or a hub id, with the row's own id after `#` where it has one."""
    licence: str = ""
    author: str = ""
    """Who wrote the text: a person's name or, for a model, "language model" or the model's name."""
    reviewed_by: str = ""
    """Who has read and accepted it; empty: NOT_REVIEWED."""
    lot: str = Field("", exclude_if=lambda lot: not lot)
    """Of a row that nobody has read, in a lot that was accepted: rows read of it, share and interval of the
    faulty ones."""
    teacher: str = ""
    """The recipe's name of the teacher, for rows that a teacher wrote."""
    model: str = ""
    """The model as the provider names it."""
    request: str = ""
    """Hash of the request in the ledger."""
    strategy: str = ""
    """How a teacher was asked for the row: "plain", "grounded" (it follows from a passage), "reverse" (its
    output is a passage, word for word, whose author and licence these are; the model wrote the instruction
    alone), ", revised" behind it."""
    parents: tuple[str, ...] = ()
    """Ids of the rows that were shown to the teacher, or of the row that was translated."""


def sanitize_text(text: str) -> str:
    """Return `text` with U+FFFD for each NUL and lone surrogate, so that it can be sent and written."""
    return _UNSAFE.sub("\ufffd", text)


class Message(FrozenModel):
    """One message of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: Annotated[str, AfterValidator(sanitize_text)]


class Example(FrozenModel):
    """An instruction and its answer with their ancestry: Alpaca's triple, or a conversation's last turn."""

    id: str
    language: str
    """BCP 47, as the pack names it."""
    task: str
    """A task of the pack: "reasoning", "translation", "ethics" …"""
    instruction: str
    input: str = ""
    output: str
    turns: tuple[Message, ...] = Field((), exclude_if=lambda turns: not turns)
    """What came before the instruction: a system prompt, earlier questions and answers. Left out of the file
    where empty."""
    origin: Origin

    @classmethod
    def make(
        cls, language: str, task: str, instruction: str, input: str, output: str, origin: Origin
    ) -> Self:
        """Build an Example of one turn; its id is a hash of language, instruction, input and output."""
        return cls(
            id=_content_hash(language, instruction, input, output),
            language=language,
            task=task,
            instruction=instruction,
            input=input,
            output=output,
            origin=origin,
        )

    def with_turns(self, turns: tuple[Message, ...]) -> Self:
        """Return a copy with `turns` before the instruction; its id covers them too."""
        earlier = [part for message in turns for part in (message.role, message.content)]
        name = _content_hash(self.language, *earlier, self.instruction, self.input, self.output)
        return self.model_copy(update={"id": name, "turns": turns})

    def edited(self, **fields: Any) -> Example:
        """Return a copy with other text or origin, named by its new content and with this row as a parent."""
        origin: Origin = fields.pop("origin", self.origin)
        texts = {key: fields.get(key, getattr(self, key)) for key in ("instruction", "input", "output")}
        parents = (*origin.parents, self.id)
        edited = Example.make(
            self.language, self.task, **texts, origin=origin.model_copy(update={"parents": parents})
        )
        return edited.with_turns(self.turns)


class PreferencePair(Example):
    """An Example whose output was preferred to another answer; its id covers that one too."""

    rejected: str

    @classmethod
    def of(cls, chosen: Example, rejected: str) -> Self:
        """Return the pair of a row and the answer that was rejected for it."""
        return cls(**{**dict(chosen), "id": _content_hash(chosen.id, rejected), "rejected": rejected})


class Document(FrozenModel):
    """One text of the stage-1 corpus."""

    id: str
    language: str
    text: str
    title: str = ""
    source: str = ""
    """The file or hub id it came from: scores are reported per source."""
    licence: str = ""
    author: str = ""

    @classmethod
    def make(cls, language: str, text: str, **facts: str) -> Self:
        """Build a Document; its id is a hash of language, title and text."""
        return cls(
            id=_content_hash(language, facts.get("title", ""), text), language=language, text=text, **facts
        )


class RowId(FrozenModel):
    """One line of held_out.jsonl: a row that is measured on, never trained on."""

    id: str


class Neighbour(FrozenModel):
    """The accepted row nearest to a candidate, and how near: ROUGE-L F1 in 0..1."""

    id: str
    text: str
    similarity: float


class Dropped(FrozenModel):
    """A row that left, with the reason and the evidence; `raw` is text that could not be parsed."""

    row: PreferencePair | Example | Document | None = None
    raw: str | None = None
    reason: str
    """A short code such as `near_duplicate`, counted in the funnel."""
    evidence: str = ""
    nearest: Neighbour | None = None

    def record(self) -> dict[str, Any]:
        """Return a row of `dropped.jsonl`: the row's own keys, then reason, evidence, nearest."""
        row = {"raw": self.raw} if self.row is None else self.row.model_dump(mode="json")
        nearest = None if self.nearest is None else self.nearest.model_dump(mode="json")
        return {**row, "reason": self.reason, "evidence": self.evidence, "nearest": nearest}


class Counts(FrozenModel):
    """What a step did with its rows: `rows_in == kept + sum(dropped) + not_sampled` (`runs.StepOutput`)."""

    rows_in: int = 0
    kept: int = 0
    dropped: Mapping[str, int] = {}
    """By reason, in alphabetical order."""
    not_sampled: int = 0
    """Rows that a sample or a cap left out."""
    facts: Mapping[str, JsonValue] = {}
    """What the step reports beside its counts; `alif.facts` has the types. Never a time."""
    cost_usd: float = 0.0


class Verdict(FrozenModel):
    """One person's decision on one Example."""

    id: str
    """The Example's id."""
    decision: Literal["approve", "edit", "reject"]
    reviewer: str
    reason: str = ""
    """For a rejection: grammar, fact, ethics … (`alif.review.verdicts.REASONS`). Source: human review in
    Alif, arXiv 2510.09051."""
    instruction: str | None = None
    input: str | None = None
    output: str | None = None
    note: str = ""
    final: bool = False
    """A lead's decision where reviewers disagree: it counts alone."""


class Score(FrozenModel):
    """One measured number: which stage on which benchmark by which metric, with a 95 % interval."""

    stage: str
    """One of `STAGES` and `EXTRA_STAGES`."""
    benchmark: str
    metric: str
    language: str
    value: float
    low: float
    high: float
    n: int
    """Number of items (documents, rows or questions) behind the value."""
    signature: str
    """Everything needed to compute the same number again: metric version, normalisation, resampling."""
    provenance: Provenance = "unknown"
    """Of the benchmark's items."""
    shots: int = 0
    """Examples before each question."""
    wording: int = 0
    """The one prompt wording that the number is of, from 1; 0: the only one, or the mean over all."""
