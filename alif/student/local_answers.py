"""Answers of a published model that runs here: the base's instruct sibling, which writes its own replay.

runtime/STEP/answers.jsonl   {"id": "…", "text": "…", "finish": "stop"}   what is done, after a kill too
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from alif import settings, store
from alif.records import Example, FrozenModel
from alif.student.base import load_student, record_base
from alif.student.chat_template import encode_prompt, write_prompt
from alif.student.text_generation import generate_texts

__all__ = ["answer_prompts"]

PROMPTS_AT_ONCE = 256
"""Prompts whose answers are written together: what a kill loses at most."""


class LocalAnswer(FrozenModel):
    """A line of the file."""

    id: str
    text: str
    finish: str


def answer_prompts(
    model: settings.StudentSettings,
    scratch: Path,
    runtime: settings.Runtime,
    rows: Sequence[Example],
    max_new_tokens: int,
) -> list[tuple[str, str]]:
    """Return (text, finish) of the answer to each row's prompt: the likeliest one, in its own chat template.

    Raises:
        ModelError: the model cannot be opened.
    """
    folder = scratch / "sibling"
    base = record_base(model, folder / "model")
    store.write_json(folder / "base.json", base.model_dump())
    made_with = hashlib.sha256(f"{base.digest} {max_new_tokens}".encode()).hexdigest()[:16]
    path = scratch / f"answers-{made_with}.jsonl"
    done = {one.id: one for one in store.read_models(path, LocalAnswer)} if path.is_file() else {}
    left = [row for row in rows if row.id not in done]
    student = load_student(folder, None, runtime) if left else None
    while left and student:
        part, left = left[:PROMPTS_AT_ONCE], left[PROMPTS_AT_ONCE:]
        prompts = [
            encode_prompt(
                write_prompt(row.instruction, row.input, "auto", student.tokenizer, row.turns),
                student.tokenizer,
            )
            for row in part
        ]
        answers = generate_texts(student, prompts, max_new_tokens, progress="replay")
        done |= {
            row.id: LocalAnswer(id=row.id, text=one.text, finish="stop" if one.finished else "length")
            for row, one in zip(part, answers, strict=True)
        }
        store.write_rows(path, done.values())
    return [(done[row.id].text, done[row.id].finish) for row in rows]
