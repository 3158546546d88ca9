"""The wordings of requests to teachers: text files in `prompts/`, beside the pack's own prompts of its tasks.

    request.txt   "Now write {items} new tasks of the same kind in the same format, and nothing else."

Steps that ask declare the folder, so a changed wording is drift; a file's last line end is not part of its
text.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields
from pathlib import Path

from alif import store

__all__ = ["PROMPTS_FOLDER", "REWRITE_FILE", "PromptTexts", "load_prompt_texts", "prompt_digest"]

PROMPTS_FOLDER = Path(__file__).parent / "prompts"
REWRITE_FILE = Path(__file__).parent / "translation" / "rewrite.txt"
"""The request to rewrite a translated row: not in that folder, so that no other step depends on it."""


@dataclass(frozen=True)
class PromptTexts:
    """The wordings, each with {fields} for `str.format`."""

    request: str
    """The last sentence: how many {items}, in which format."""
    json_form: str
    """Put behind it for a teacher that is asked for JSON."""
    user: str
    """The user message: {count} rows that are shown, what they are grounded in, their slots, the request."""
    grounding: str
    """Put before the request where every answer must follow from a {passage}."""
    reverse_system: str
    reverse_user: str
    """Asks for the question to a {passage}."""
    critique: str
    """Asks a teacher to criticise its draft, and `rewrite` to write it again."""
    rewrite: str
    keep: str
    """What a translation must keep: the end of `translate_row` and `translate_text`."""
    translate_row: str
    translate_text: str


def load_prompt_texts(folder: Path = PROMPTS_FOLDER) -> PromptTexts:
    """Read the wordings."""
    texts = {field.name: store.read_text(folder / f"{field.name}.txt") for field in fields(PromptTexts)}
    return PromptTexts(**texts)


def prompt_digest(text: str) -> str:
    """Return the name of a prompt's wording on a card: the first 16 digits of its SHA-256."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:16]
