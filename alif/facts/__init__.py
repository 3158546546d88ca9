"""What each step reports beside its counts: one typed record a step.

    facts = read_facts(record.counts.facts, GenerateFacts)
    data_facts · review_facts · training_facts · evaluation_facts · judge_facts · release_facts

A step writes its facts; report, cards and plan read them. Rooms meet through files in the run folder, never
through imports, so the types of what stands in these files are here, below all rooms.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from pydantic import JsonValue

from alif.records import FrozenModel

__all__ = ["NoFacts", "read_facts"]

Facts = TypeVar("Facts", bound=FrozenModel)


class NoFacts(FrozenModel):
    """A step that has nothing to report beside its counts."""


def read_facts(facts: Mapping[str, JsonValue], model: type[Facts]) -> Facts:
    """Return the facts of a finished step as the type that its room wrote."""
    return model.model_validate(facts)
