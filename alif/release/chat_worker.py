"""A run's model in a process of its own, for the desk: questions as lines of JSON, answers while they grow.

    → {"messages": [{"role": "user", "content": "…"}], "temperature": 0.0, "max_tokens": 256, "seed": 3407}
    ← {"text": "لا"}  {"text": "لاہور"}  …  {"done": "لاہور"}      or {"error": "…"}
    → {"stop": true}                                              ends the answer that is being written

It ends when its standard input does: with the desk, however that ends.
"""

from __future__ import annotations

import json
import queue
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from alif import console
from alif import recipe as recipes
from alif.errors import AlifError
from alif.records import FrozenModel, Message

if TYPE_CHECKING:
    from alif.release.conversation import Conversation

__all__ = ["WorkerQuestion", "answer_questions"]

EVERY_S = 0.1
"""How often the growing text is told."""


class WorkerQuestion(FrozenModel):
    """One line of standard input."""

    messages: Sequence[Message] = ()
    temperature: float = 0.0
    max_tokens: int = 256
    seed: int = 3407
    stop: bool = False


def answer_questions(run: Path, source: TextIO) -> Iterator[Mapping[str, str]]:
    """Yield what is told of each question of `source`, until it ends."""
    try:
        recipe = recipes.load_recipe(run / "recipe.toml")
        from alif.release.conversation import Conversation, open_student  # noqa: PLC0415  (loads torch)

        student = open_student(run, recipe.runtime)
    except AlifError as error:
        yield {"error": f"{error.message} {error.hint}".strip()}
        return
    yield {"ready": run.name}
    questions: queue.Queue[WorkerQuestion | None] = queue.Queue()
    stop = threading.Event()
    threading.Thread(target=_read, args=(source, questions, stop), daemon=True).start()
    while (asked := questions.get()) is not None:
        stop.clear()
        *earlier, last = asked.messages
        system = "".join(one.content for one in earlier if one.role == "system")
        conversation = Conversation(
            student, recipe.finetune.prompt_template, system, asked.max_tokens, asked.temperature, asked.seed,
            [one for one in earlier if one.role != "system"],
        )  # fmt: skip
        told: queue.Queue[Mapping[str, str] | None] = queue.Queue()
        work = threading.Thread(target=_answer, args=(conversation, last.content, stop, told), daemon=True)
        work.start()
        while (line := told.get()) is not None:
            yield line
        work.join()


def _read(source: TextIO, questions: queue.Queue[WorkerQuestion | None], stop: threading.Event) -> None:
    """Take in questions while one is being answered, so that it can be stopped."""
    for line in source:
        asked = WorkerQuestion.model_validate_json(line)
        if asked.stop:
            stop.set()
        else:
            questions.put(asked)
    stop.set()
    questions.put(None)


def _answer(
    conversation: Conversation,
    question: str,
    stop: threading.Event,
    told: queue.Queue[Mapping[str, str] | None],
) -> None:
    last = 0.0

    def watch(text: str) -> bool:
        nonlocal last
        if (now := time.monotonic()) >= last + EVERY_S:
            last = now
            told.put({"text": text})
        return not stop.is_set()

    try:
        told.put({"done": conversation.ask(question, watch)})
    except AlifError as error:
        told.put({"error": f"{error.message} {error.hint}".strip()})
    finally:
        told.put(None)


if __name__ == "__main__":
    console.prepare_output()
    for answer in answer_questions(Path(sys.argv[1]), sys.stdin):
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
