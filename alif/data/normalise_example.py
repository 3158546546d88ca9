"""Normalise the texts of an example: clean Unicode, no spaces around it."""

from __future__ import annotations

from alif.language import text
from alif.language.pack import Pack
from alif.records import Example

__all__ = ["normalise_example"]


def normalise_example(row: Example, pack: Pack) -> Example:
    """Return `row` with every text normalised, named by its new content."""
    instruction, given, output = (
        text.normalise_text(value, pack).strip() for value in (row.instruction, row.input, row.output)
    )
    turns = tuple(
        message.model_copy(update={"content": text.normalise_text(message.content, pack).strip()})
        for message in row.turns
    )
    normalised = Example.make(row.language, row.task, instruction, given, output, row.origin)
    return normalised.with_turns(turns) if turns else normalised
