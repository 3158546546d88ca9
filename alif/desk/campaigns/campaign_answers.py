"""The answers that a campaign judges: those of every source to the same prompts, which exist already.

runs/NAME/evaluate/answers.jsonl      a question of the test set with the answers of all systems
runs/NAME/runtime/teachers.jsonl      one answer a line, of `alif estimate --compare`
any file of either shape
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from alif import sampling, store
from alif.desk.campaigns.campaign_plan import CampaignPlan
from alif.errors import DataError
from alif.runs import Run

__all__ = ["AnsweredPrompt", "SampledPrompts", "sample_prompts"]

FILES = {"evaluate": "evaluate/answers.jsonl", "teachers": "runtime/teachers.jsonl"}
MADE_BY = {"evaluate": "alif evaluate", "teachers": "alif estimate --compare"}


class Answered(BaseModel):
    """One line of a file of answers; other keys are left alone."""

    model_config = ConfigDict(frozen=True, strict=True)

    prompt: str
    source: str
    instruction: str
    input: str = ""
    output: str
    language: str = ""
    task: str = ""
    cluster: str = ""
    """What prompts share that are answered alike: the request that asked for several rows."""
    usd: float | None = None


class AnsweredPrompt(NamedTuple):
    """A prompt with the answer of each source; where teachers wrote prompts too, each answer has its own."""

    id: str
    cluster: str
    language: str
    task: str
    answers: Mapping[str, Answered]


class SampledPrompts(NamedTuple):
    """The prompts that are judged."""

    prompts: list[AnsweredPrompt]
    complete: int
    """Prompts that every source answered."""
    left_out: int
    """Prompts that some source did not answer."""
    digest: str
    """SHA-256 of the sampled prompts and answers."""


def sample_prompts(plan: CampaignPlan, run: Run, language: str) -> SampledPrompts:
    """Return the plan's sample, equally many prompts of each task.

    Args:
        plan: names the file and the sources.
        run: its folder has the file.
        language: of lines that name none.

    Raises:
        DataError: no such file, a line that is no answer, an answer twice, fewer prompts than the plan wants.
    """
    path = run.root / FILES[plan.answers] if plan.answers in FILES else Path(plan.answers)
    if plan.answers in FILES and not path.is_file():
        made_by = f"{MADE_BY[plan.answers]} {run.name}"
        raise DataError(f"{path}: no answers are stored", f"`{made_by}` stores them.")
    by_prompt: dict[str, dict[str, Answered]] = defaultdict(dict)
    for where, one in _read_answers(path):
        if one.source in plan.sources:
            if one.source in by_prompt[one.prompt]:
                message = f"{where}: {one.source} answers the prompt {one.prompt} a second time"
                raise DataError(message, "Keep one answer of each source to each prompt.")
            by_prompt[one.prompt][one.source] = one
    if absent := [name for name in plan.sources if not any(name in one for one in by_prompt.values())]:
        raise DataError(f"{path}: no answer of {absent[0]}", "The plan's sources are named as in this file.")
    complete = []
    for name, answers in by_prompt.items():
        if len(answers) == len(plan.sources):
            first = answers[plan.sources[0]]
            complete.append(
                AnsweredPrompt(name, first.cluster or name, first.language or language, first.task, answers)
            )
    if len(complete) < plan.n:
        message = f"{path}: n = {plan.n:,}, but {len(complete):,} prompts have an answer of every source"
        raise DataError(message, "Lower n in the plan, or get more answers.")
    chosen = sampling.sample_stratified(complete, plan.n, plan.seed, lambda one: one.id, lambda one: one.task)
    content = [
        [one.id, {name: dict(answer) for name, answer in one.answers.items()}] for one in sorted(chosen)
    ]
    digest = hashlib.sha256(json.dumps(content, ensure_ascii=False, sort_keys=True).encode()).hexdigest()
    return SampledPrompts(chosen, len(complete), len(by_prompt) - len(complete), digest)


def _read_answers(path: Path) -> Iterator[tuple[str, Answered]]:
    """Yield (path:line, answer), several of a line that has the answers of all systems."""
    for number, row in store.read_rows(path):
        answers = row.get("answers")
        lines: list[Mapping[str, JsonValue]] = [row]
        if isinstance(answers, dict):
            shared = {**row, "prompt": row.get("id")}
            lines = [{**shared, "source": name, "output": text} for name, text in answers.items()]
        for line in lines:
            try:
                yield f"{path}:{number}", Answered.model_validate(line)
            except ValidationError as error:
                first = error.errors()[0]
                message = f"{path}:{number}: {'.'.join(map(str, first['loc']))}: {first['msg']}"
                raise DataError(message, "docs/desk.md shows a line of answers.") from error
