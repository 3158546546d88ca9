"""Talk to a run: questions in, answers out, one at a time.

The student was trained on single questions, so nothing that was said before is shown to it. On a terminal there is a prompt and
/quit; elsewhere each line of standard input is a question, and its answer a paragraph of standard output.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from itertools import groupby
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from alif import console
from alif import recipe as recipes
from alif.errors import AlifError, ModelError
from alif.language.bidi import isolate, text_direction
from alif.recipe import Runtime
from alif.student import Student, encode_prompt, load_student, write_prompt
from alif.student.base import friendly_model_errors, read_base
from alif.student.chat_template import Template
from alif.student.device import configure_device

__all__ = ["answer_question", "chat_loop", "open_student"]

ANSWER_TOKENS = 256
"""Longest answer, in tokens."""
LEAVE = ("/quit", "/exit")
SAID_AGAIN = 4
"""Equal lines in a row that are told by their number: a small model that loops."""


def chat_loop(
    run: Path, question: str | None = None, *, as_json: bool = False, temperature: float = 0.0
) -> None:
    """Answer `question`, or each line that is typed or piped in until /quit or the end.

    Raises:
        AlifError: the run has no model yet.
    """
    recipe = recipes.load_recipe(run / "recipe.toml")
    student = open_student(run, recipe.runtime)
    typed = question is None and sys.stdin.isatty() and not as_json
    if typed:
        console.log("Ask one thing at a time: nothing said before is remembered. /quit ends.")
    turns = []
    for number, asked in enumerate(_questions(typed) if question is None else [question]):
        template = recipe.finetune.prompt_template
        reply = answer_question(
            student, asked, template=template, temperature=temperature, seed=recipe.evaluate.seed + number
        )
        turns.append({"question": asked, "answer": reply})
        if not as_json:
            _show(reply)
    if as_json:
        console.print_json({"run": run.name, "turns": turns})


def open_student(run: Path, runtime: Runtime) -> Student:
    """Return the exported model of a run, else its base with the adapter of the latest stage that is done.

    Raises:
        AlifError: the run has not even a base.
    """
    if not (run / "base" / "base.json").is_file():
        raise AlifError(f"{run}: no model yet", f"alif run {run.name} builds one.")
    folder = run / "export" / "model"
    if folder.is_dir():
        where = configure_device(runtime)
        with friendly_model_errors(str(folder)):
            tokenizer = AutoTokenizer.from_pretrained(folder)
            model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=where.dtype)
        return Student(model.to(where.device).eval(), tokenizer, read_base(run / "base"), where.device)
    adapters = [run / stage / "adapter" for stage in ("finetune", "pretrain")]
    latest = next((adapter for adapter in adapters if adapter.is_dir()), None)
    stage = latest.parent.name if latest else "base"
    console.log(f"{run.name} is not finished; this is its {stage} model.")
    return load_student(run / "base", latest, runtime)


def answer_question(
    student: Student,
    question: str,
    input: str = "",
    *,
    template: Template = "auto",
    tokens: int = ANSWER_TOKENS,
    temperature: float = 0.0,
    seed: int = 3407,
) -> str:
    """Return the student's answer to one question: the likeliest at temperature 0, else drawn with `seed`.

    Raises:
        ModelError: the question is longer than the model can read.
    """
    tokenizer = student.tokenizer
    model: Any = student.model
    prompt = encode_prompt(write_prompt(question, input, template, tokenizer), tokenizer)
    room = int(getattr(model.config, "max_position_embeddings", 0) or len(prompt) + tokens) - len(prompt)
    if room < 1:
        raise ModelError(
            f"the question has {len(prompt)} tokens, more than the model can read", "Ask a shorter one."
        )
    ids = torch.tensor([prompt], device=student.device)
    drawn = {"do_sample": True, "temperature": temperature} if temperature > 0 else {"do_sample": False}
    with torch.inference_mode(), torch.random.fork_rng():
        torch.manual_seed(seed)
        found = model.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=min(tokens, room),
            eos_token_id=_ends(student),
            pad_token_id=tokenizer.eos_token_id,
            **drawn,
        )
    return str(tokenizer.decode(found[0, len(prompt) :], skip_special_tokens=True)).strip()


def _ends(student: Student) -> list[int]:
    """Return the tokens that end an answer: the tokenizer's, and those that the model itself names."""
    model: Any = student.model
    named = model.generation_config.eos_token_id
    return sorted({student.tokenizer.eos_token_id, *(named if isinstance(named, list) else [named])} - {None})


def _questions(typed: bool) -> Iterator[str]:
    """Yield what is typed at a prompt or piped in, until /quit or the end; empty lines are passed over."""
    if typed:
        with suppress(ImportError):
            import readline  # noqa: F401, PLC0415 - editing and history at the prompt, where the system has it
    while True:
        try:
            line = input(f"{'you':>11}  ") if typed else sys.stdin.readline()
        except EOFError:
            return
        if (not line and not typed) or line.strip() in LEAVE:
            return
        if line.strip():
            yield line.strip()


def _show(reply: str) -> None:
    """Print an answer: isolated line by line on a terminal that reorders, plain where a program reads."""
    lines = list(_once(reply.splitlines())) or ["(no answer)"]
    if not sys.stdout.isatty():
        console.print_result("\n".join(lines))
        return
    for number, text in enumerate(lines):
        console.print_result(
            f"{'' if number else 'answer':>11}  {isolate(text, text_direction(text, 'ltr'))}"
        )


def _once(lines: list[str]) -> Iterator[str]:
    """Yield lines, one that a model says over and over only once, with the number of times."""
    for line, same in groupby(lines):
        times = len(list(same))
        yield from (line,) * times if times < SAID_AGAIN else (line, f"[{times - 1} times more]")
