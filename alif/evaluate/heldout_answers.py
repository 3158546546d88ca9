"""Answers: how surprised a student is by the right ones, and what it says itself.

`surprise` reads held-out rows of the blend with the reference as answer (bits per byte); `ask` lets the student write, always
the likeliest token. Prompts of different length are asked together, filled up on the left and masked there, so that all
answers begin at one place; positions count from a prompt's own first token, and an answer is the same alone and in company.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import GenerationConfig

from alif import console, store
from alif.evaluate import likelihood
from alif.evaluate.compare import MetricValues
from alif.evaluate.items import Items
from alif.evaluate.likelihood import LikelihoodInput
from alif.records import Example
from alif.student import Student, encode_answer, encode_prompt, write_prompt
from alif.student.chat_template import Template

__all__ = ["Answer", "answer_bits", "generate_answers", "read_heldout_rows"]

ASKED_AT_ONCE = 64
"""Questions in one batch."""
TOKENS_AT_ONCE = 65_536
"""Most tokens of prompts and answers in one batch: for an 8B model their keys and values take 8 GB."""


@dataclass(frozen=True)
class Answer:
    """What a student says."""

    text: str
    finished: bool
    """Whether it ended by itself, before the limit."""


def read_heldout_rows(blend: Path, languages: Sequence[str]) -> list[Example]:
    """Return the validation rows of the blend in these languages, in the order of the file."""
    names = {row["id"] for _, row in store.read_rows(blend / "held_out.jsonl")}
    return [
        row
        for row in store.read_models(blend / "examples.jsonl", Example)
        if row.id in names and row.language in languages
    ]


def answer_bits(student: Student, rows: Sequence[Example], template: Template) -> list[MetricValues]:
    """Return the bits per byte of the rows' answers after their prompts, for each language; the end token does not count."""
    texts = []
    for row in rows:
        prompt = encode_prompt(
            write_prompt(row.instruction, row.input, template, student.tokenizer), student.tokenizer
        )
        *answer, _ = encode_answer(row.instruction, row.input, row.output, template, student.tokenizer)
        texts.append(LikelihoodInput(prompt, answer))
    costs = likelihood.target_bits(
        student, texts, student.model.config.max_position_embeddings, "held-out answers"
    )
    found = []
    for language in dict.fromkeys(row.language for row in rows):
        chosen = [index for index, row in enumerate(rows) if row.language == language]
        sizes = [float(len(rows[index].output.encode())) for index in chosen]
        found.append(
            MetricValues(
                benchmark="answers",
                metric="answer_bits_per_byte",
                language=language,
                items=Items.of([costs[index] for index in chosen], sizes),
                signature=f"bits/byte of held-out answers|sum(bits)/sum(bytes)|template:{template}|end token:no",
                lower_is_better=True,
            )
        )
    return found


@torch.inference_mode()
def generate_answers(student: Student, prompts: Sequence[str], longest: int) -> list[Answer]:
    """Return the greedy answer to each prompt, of at most `longest` tokens."""
    encoded = [encode_prompt(prompt, student.tokenizer) for prompt in prompts]
    settings = _greedy(student, longest)
    answers: dict[int, Answer] = {}
    with console.progress_bar("questions", len(prompts), "questions") as bar:
        for batch in _batches(encoded, longest):
            written = _write(student, [encoded[index] for index in batch], settings)
            answers |= zip(batch, written, strict=True)
            bar.advance(len(batch))
    return [answers[index] for index in range(len(prompts))]


def _greedy(student: Student, longest: int) -> Any:
    """Return settings that name everything a published model's own defaults could change."""
    ends = student.model.generation_config.eos_token_id
    ends = [] if ends is None else [ends] if isinstance(ends, int) else list(ends)
    ends = list(dict.fromkeys([student.tokenizer.eos_token_id, *ends]))
    return GenerationConfig(  # type: ignore[no-untyped-call]  # transformers is typed in part
        do_sample=False,
        num_beams=1,
        repetition_penalty=1.0,
        no_repeat_ngram_size=0,
        min_new_tokens=0,
        max_new_tokens=longest,
        eos_token_id=ends,
        pad_token_id=student.tokenizer.eos_token_id,
        use_cache=True,
    )


def _batches(encoded: Sequence[Sequence[int]], longest: int) -> Iterator[list[int]]:
    """Yield the numbers of prompts that are asked together: neighbours in length, so that little is filled up."""
    batch: list[int] = []
    for index in sorted(range(len(encoded)), key=lambda index: len(encoded[index])):
        if batch and (
            len(batch) == ASKED_AT_ONCE or (len(encoded[index]) + longest) * (len(batch) + 1) > TOKENS_AT_ONCE
        ):
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def _write(student: Student, prompts: Sequence[Sequence[int]], settings: Any) -> list[Answer]:
    width = max(map(len, prompts))
    tokens = torch.full((len(prompts), width), settings.pad_token_id, dtype=torch.long)
    mask = torch.zeros(len(prompts), width, dtype=torch.long)
    for row, prompt in enumerate(prompts):
        tokens[row, width - len(prompt) :] = torch.tensor(prompt)
        mask[row, width - len(prompt) :] = 1
    written = student.model.generate(  # type: ignore[operator]  # every causal model can
        input_ids=tokens.to(student.device),
        attention_mask=mask.to(student.device),
        generation_config=settings,
    )[:, width:].tolist()
    return [_answer(student, row, settings.eos_token_id) for row in written]


def _answer(student: Student, tokens: list[int], ends: Sequence[int]) -> Answer:
    stop = next((place for place, token in enumerate(tokens) if token in ends), None)
    text = student.tokenizer.decode(tokens[:stop], skip_special_tokens=True)
    return Answer(str(text).strip(), stop is not None)
