"""Recipe tables of the judges: models that compare answers, and what they are asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from alif.records import FrozenModel
from alif.settings.data_tables import Endpoint
from alif.settings.types import NOT_IDENTITY, Files, RunName


class Judge(Endpoint):
    """A chat model that judges answers. Better two or three of different families than one."""

    temperature: float = Field(0.0, ge=0)
    """0: the likeliest judgement, so that it can be had again."""
    max_tokens: int = Field(1024, gt=0)
    """Upper bound of a judgement in tokens, thinking included: with the price it bounds what one can cost."""
    json_schema: bool = False
    """Ask for judgements as JSON by a schema (`response_format`), which OpenAI, vLLM, Ollama and others take;
    false: as lines of a fixed form."""
    batch_price_factor: float = Field(0.5, gt=0, le=1, json_schema_extra=NOT_IDENTITY)
    """Price of a request in a batch, as a share of the live price."""


def check_judge_names(judges: Mapping[str, Judge]) -> Mapping[str, Judge]:
    """Refuse the name of the judges' majority."""
    if "panel" in judges:
        raise PydanticCustomError(
            "judge_name", "The majority of the judges is called panel: choose another name"
        )
    return judges


Judges = Annotated[Mapping[RunName, Judge], AfterValidator(check_judge_names)]
"""Judges by name."""


class Judging(FrozenModel):
    """What the judges are asked, where the recipe has some; every pair in both orders."""

    pairs: tuple[tuple[RunName, RunName], ...] = ()
    """Systems whose answers are compared, [later, earlier]: [["finetune", "base"]]; empty: each stage and
    other system with the base."""
    questions: int = Field(0, ge=0)
    """Questions of the test set that are judged, the same number from each task; 0: all."""
    prompt_language: Literal["english", "own"] = "english"
    """Language of the judges' prompts: English, or the pack's own (judge/ in the pack). It changes rankings:
    write down which. Source: arXiv 2604.04532."""
    rubric: bool = True
    """Whether each answer to a question with a rubric is checked point by point too."""
    human: Files = ()
    """JSON Lines files of people's verdicts, against which the judges are calibrated: {"id": question, "a":
    system, "b": system, "verdict": "a", "b" or "tie", "annotator": name}. Without them no ranking is
    offered."""
    seed: int = 3407
