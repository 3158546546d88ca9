"""Recipe tables of the evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from alif.records import EXTRA_STAGES, STAGES, FrozenModel
from alif.settings.data_tables import Endpoint, Teacher
from alif.settings.types import Files, RunName


class Benchmarks(FrozenModel):
    """What is asked. Rows that overlap with it never enter the blend."""

    test: Files = ("pack",)
    """Test set of generated answers: "pack" or JSON Lines files of triples with `task`."""
    multiple_choice: Files = ()
    """Multiple-choice files (question, choices, gold), scored by log-probability; "pack": choices.jsonl of
    both packs, where they have one."""


class Evaluate(FrozenModel):
    """What is measured before and after each stage."""

    documents: int = Field(0, ge=0)
    """Held-out documents per source and language for bits per byte; 0: all."""
    questions: int = Field(0, ge=0)
    """Questions of the test set, the same number from each task; 0: all."""
    max_new_tokens: int = Field(96, gt=0)
    """Longest generated answer, in tokens."""
    samples: int = Field(6, ge=0)
    """Questions of each benchmark whose answers the report shows side by side."""
    questions_each: int = Field(0, ge=0)
    """Questions of each benchmark; 0: all."""
    bootstrap_samples: int = Field(1000, gt=0)
    """Bootstrap resamples behind an interval."""
    bert_score: str = Field("", exclude_if=lambda folder: not folder)
    """Folder of an encoder (multilingual BERT, XLM-R) by which free text is scored too; empty: none."""
    bert_score_layer: int = Field(-1, exclude_if=lambda layer: layer == -1)
    """Layer whose vectors are compared, counted from the embeddings (0) or, below 0, from the last one."""
    seed: int = 3407


class ExternalSystem(Endpoint):
    """A model that is measured beside the run's own stages, such as a published model of the same size."""

    model: str
    """A folder, a hub id, or with `base_url` the model as its provider names it."""
    revision: str = ""
    """Revision of a hub id."""
    base_url: str = ""
    """Address of an endpoint, which answers the test set but gives no log-probabilities; empty: a folder or a
    hub id, whose prompts are written as finetune.prompt_template says."""
    translate_test: bool = Field(False, exclude_if=lambda on: not on)
    """A baseline that costs no training: the system translates each question into the source language,
    answers there, and translates its answer back; three requests a question."""
    taught_by: str = Field("", exclude_if=lambda teacher: not teacher)
    """Model that wrote what it was trained on, "gpt-4o": judges of one family with it are named."""

    def to_endpoint(self, max_tokens: int) -> Teacher:
        """Return it as an endpoint that is asked for the likeliest answer."""
        shared = {key: getattr(self, key) for key in Endpoint.model_fields}
        return Teacher(**shared, temperature=0.0, max_tokens=max_tokens)


def check_system_names(systems: Mapping[str, ExternalSystem]) -> Mapping[str, ExternalSystem]:
    """Refuse the names of the run's own stages."""
    for name in systems:
        if name in (*STAGES, *EXTRA_STAGES) or name.startswith("merge-"):
            raise PydanticCustomError(
                "system_name", f"{name} is a stage of the run itself: choose another name"
            )
    return systems


Systems = Annotated[Mapping[RunName, ExternalSystem], AfterValidator(check_system_names)]
"""Systems by name, which is a folder too: runs/NAME/evaluate/SYSTEM."""
