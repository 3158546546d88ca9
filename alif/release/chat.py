"""Talk to a model in the terminal: a run's, a GGUF file's (which needs no torch), or one at an address.

On a terminal the conversation is remembered: /new begins another one, /system TEXT does so with a system
prompt, /quit ends. Elsewhere each line of standard input is a question of its own, and its answer a paragraph
of output.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from alif import console
from alif import recipe as recipes
from alif.errors import MissingExtra, ModelError
from alif.language.bidi import isolate, text_direction

if TYPE_CHECKING:
    from alif.release.conversation import Conversation
    from alif.release.message_conversation import MessageConversation

__all__ = ["answer_lines", "chat_loop", "collapse_repeats", "is_elsewhere", "print_answer"]

HELP = "/new begins another conversation, /system TEXT sets a system prompt, /quit ends."
REPEATED_LINES = 4
"""From so many equal lines in a row on, one is printed with their number: a small model that loops."""


def chat_loop(model: Path | str, question: str | None = None, *, as_json: bool = False) -> None:
    """Answer `question`, or each line that is typed or piped in until /quit or the end.

    `model` is a run's folder, or what `is_elsewhere` knows.

    Raises:
        AlifError: the run has no model yet.
        MissingExtra: torch, or for a GGUF file llama-cpp-python, is not installed.
    """
    conversation = _open_conversation(model)
    typed = question is None and sys.stdin.isatty() and not as_json
    if typed:
        console.log(HELP)
    lines = _read_lines(typed) if question is None else iter([question])
    turns = []
    pairs = answer_lines(conversation, lines, remember=typed)
    if question is not None and question.strip():  # what cannot be answered ends this command
        pairs = iter([(question.strip(), conversation.ask(question.strip()))])
    for asked, answer in pairs:
        turns.append({"question": asked, "answer": answer})
        if not as_json:
            print_answer(answer)
    if as_json:
        console.print_json({"run": model.name if isinstance(model, Path) else model, "turns": turns})


def is_elsewhere(model: str) -> bool:
    """Whether this names no run but an address, a GGUF file, or a folder that holds one."""
    path = Path(model)
    return model.startswith(("http://", "https://")) or path.suffix == ".gguf" or any(path.glob("*.gguf"))


def _open_conversation(model: Path | str) -> Conversation | MessageConversation:
    """Return a conversation with a run, by torch, or with what is elsewhere, without."""
    if isinstance(model, str):
        from alif.release.message_conversation import open_messages  # noqa: PLC0415

        return open_messages(model)
    try:
        from alif.release.conversation import Conversation, open_student  # noqa: PLC0415  (loads torch)
    except ModuleNotFoundError as error:
        if (error.name or "alif").startswith("alif"):
            raise
        raise MissingExtra("alif chat", "train") from error
    recipe = recipes.load_recipe(model / "recipe.toml")
    student = open_student(model, recipe.runtime)
    return Conversation(student, recipe.finetune.prompt_template, seed=recipe.evaluate.seed)


def answer_lines(
    conversation: Conversation | MessageConversation, lines: Iterator[str], *, remember: bool
) -> Iterator[tuple[str, str]]:
    """Yield each question with its answer until /quit; commands are obeyed where the turns are remembered."""
    for line in map(str.strip, lines):
        command, _, rest = line.partition(" ")
        if line in ("/quit", "/exit"):
            return
        if remember and command in ("/new", "/clear", "/system"):
            conversation.clear(rest.strip() if command == "/system" else None)
            console.log(
                f"A new conversation, {'with' if conversation.system else 'without'} a system prompt."
            )
        elif remember and command.startswith("/"):
            console.log(f"{command}: no such command. {HELP}")
        elif line:
            if not remember:
                conversation.clear()
            try:
                yield line, conversation.ask(line)
            except ModelError as error:  # one line that is too long ends no session
                console.log(str(error))
                yield line, ""


def _read_lines(typed: bool) -> Iterator[str]:
    """Yield what is typed at a prompt or piped in."""
    if not typed:
        yield from sys.stdin
        return
    with suppress(ImportError):
        import readline  # noqa: F401, PLC0415 - editing and history at the prompt, where the system has it
    with suppress(EOFError):
        while True:
            yield input(f"{'you':>11}  ")


def print_answer(answer: str) -> None:
    """Print an answer: isolated line by line on a terminal that reorders, plain where a program reads."""
    lines = list(collapse_repeats(answer.splitlines())) or ["(no answer)"]
    if not sys.stdout.isatty():
        console.print_result("\n".join(lines))
        return
    for number, text in enumerate(lines):
        label = "" if number else "answer"
        console.print_result(f"{label:>11}  {isolate(text, text_direction(text, 'ltr'))}")


def collapse_repeats(lines: list[str]) -> Iterator[str]:
    """Yield lines, one that is repeated many times only once, with the number of repeats."""
    for line, same in groupby(lines):
        times = len(list(same))
        yield from (line,) * times if times < REPEATED_LINES else (line, f"[repeated {times - 1} times]")
