"""A conversation with a student: questions in, answers out, earlier turns remembered.

conversation = Conversation(open_student(run, runtime), template="alpaca")
conversation.ask("لاہور کہاں ہے؟")        ("Where is Lahore?")
conversation.ask("اور کراچی؟")            ("And Karachi?")
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from transformers import AutoModelForCausalLM, AutoTokenizer

from alif import console
from alif.errors import AlifError, ModelError
from alif.records import EXTRA_STAGES, STAGES, Example, Message, Origin
from alif.settings import Runtime
from alif.student import Student, load_student
from alif.student.adapter import latest_adapter
from alif.student.base import read_base
from alif.student.chat_template import Template, encode_example_parts
from alif.student.device import setup_torch
from alif.student.published import NO_CODE
from alif.student.text_generation import generate_texts
from alif.student.weights import friendly_model_errors

__all__ = ["Conversation", "open_student"]


@dataclass
class Conversation:
    """The turns so far. The seed goes up by one with each question, so sampled answers can be repeated."""

    student: Student
    template: Template = "auto"
    system: str = ""
    max_new_tokens: int = 256
    temperature: float = 0.0
    """0: always the likeliest token."""
    seed: int = 3407
    turns: list[Message] = field(default_factory=list)

    def ask(self, question: str, watch: Callable[[str], bool] | None = None) -> str:
        """Return the answer to `question` and remember both; `watch` sees it grow, and may end it by False.

        Raises:
            ModelError: the question is longer than the model can read.
        """
        prompt = self._encode(question)
        limit = getattr(self.student.model.config, "max_position_embeddings", None) or 2**31
        wanted = min(self.max_new_tokens, limit // 2)
        while self.turns and len(prompt) + wanted > limit:
            del self.turns[:2]  # the oldest question and its answer
            prompt = self._encode(question)
        if len(prompt) >= limit:
            raise ModelError(
                f"the question has {len(prompt)} tokens, more than the model can read", "Ask a shorter one."
            )
        length = min(self.max_new_tokens, limit - len(prompt))
        (answer,) = generate_texts(
            self.student, [prompt], length, temperature=self.temperature, seed=self.seed, watch=watch
        )
        self.seed += 1
        self.turns += [Message(role="user", content=question), Message(role="assistant", content=answer.text)]
        return answer.text

    def clear(self, system: str | None = None) -> None:
        """Forget all turns, and set another system prompt where one is given."""
        self.turns.clear()
        self.system = self.system if system is None else system

    def _encode(self, question: str) -> list[int]:
        """Return the tokens of all turns and the question, as a row of that shape is encoded in training."""
        system = [Message(role="system", content=self.system)] if self.system else []
        row = Example.make("", "", question, "", "", Origin(kind="replay"))
        row = row.with_turns((*system, *self.turns)) if system or self.turns else row
        *parts, _ = encode_example_parts(row, self.template, self.student.tokenizer)
        return [token for tokens, _ in parts for token in tokens]


def open_student(run: Path, runtime: Runtime) -> Student:
    """Return the exported model of a run, else its base with the adapter of the latest stage that is done.

    Raises:
        AlifError: the run has not even a base.
    """
    if not (run / "base" / "base.json").is_file():
        raise AlifError(f"{run}: no model yet", f"alif run {run.name} builds one.")
    folder = run / "export" / "model"
    if folder.is_dir():
        device = setup_torch(runtime)
        with friendly_model_errors(str(folder)):
            tokenizer = AutoTokenizer.from_pretrained(folder, **NO_CODE)
            model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=device.dtype, **NO_CODE)
        return Student(model.to(device.device).eval(), tokenizer, read_base(run / "base"), device.device)
    latest = latest_adapter({stage: run / stage for stage in (*STAGES, *EXTRA_STAGES)})
    console.log(f"{run.name} is not finished; this is its {latest.parent.name if latest else 'base'} model.")
    return load_student(run / "base", latest, runtime)
