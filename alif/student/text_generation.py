"""Generation by a local model, for training samples, evaluation and chat; the one list of end tokens.

Prompts of different length are padded on the left and masked there, so that all answers begin at one column;
positions count from a prompt's own first token, so an answer does not depend on the other prompts of its
batch.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import GenerationConfig, PreTrainedTokenizerBase

from alif import console
from alif.errors import ModelError
from alif.student.base import Student
from alif.student.batching import split_batches
from alif.student.chat_template import encode_answer

__all__ = ["GeneratedText", "end_tokens", "generate_texts"]

PROMPTS_PER_BATCH = 64
TOKENS_PER_BATCH = 65_536
"""Most tokens of prompts and answers in one batch: for an 8B model their keys and values take 8 GB."""


@dataclass(frozen=True)
class GeneratedText:
    """What a model answered."""

    text: str
    finished: bool
    """Whether it ended by itself, before the limit."""


def end_tokens(model: Any, tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """Return what ends an answer: end of text, the generation config's tokens, the template's end of turn."""
    named = model.generation_config.eos_token_id
    ends = [tokenizer.eos_token_id, *([] if named is None else named if isinstance(named, list) else [named])]
    with contextlib.suppress(
        ModelError
    ):  # a chat template that does not continue its own prompt has no end of turn
        ends.append(encode_answer("?", "", "!", "auto", tokenizer)[-1])
    return list(dict.fromkeys(ends))


@torch.no_grad()
def generate_texts(
    student: Student,
    prompts: Sequence[Sequence[int]],
    max_new_tokens: int,
    *,
    temperature: float = 0.0,
    seed: int = 0,
    progress: str = "",
    watch: Callable[[str], bool] | None = None,
) -> list[GeneratedText]:
    """Return what `student` writes after each prompt, special tokens left out.

    Args:
        student: the model that answers.
        prompts: token ids, opening token included (`encode_prompt`).
        max_new_tokens: the longest answer, in tokens.
        temperature: 0: always the likeliest token; above: sampled, the same for the same seed.
        seed: of sampling. The state of the global generators is restored.
        progress: a name for a progress bar; without one there is none.
        watch: of a single prompt, called with the text so far after each token; False ends it there.
    """
    sampling: dict[str, Any] = (
        {"do_sample": True, "temperature": temperature} if temperature > 0 else {"do_sample": False}
    )
    # all that a published model's own defaults could change is named
    config = GenerationConfig(  # type: ignore[no-untyped-call]
        **sampling,
        num_beams=1,
        repetition_penalty=1.0,
        no_repeat_ngram_size=0,
        min_new_tokens=0,
        max_new_tokens=max_new_tokens,
        eos_token_id=end_tokens(student.model, student.tokenizer),
        pad_token_id=student.tokenizer.eos_token_id,
        use_cache=True,
    )
    order = sorted(range(len(prompts)), key=lambda index: len(prompts[index]))  # so there is little padding

    def fits(some: Sequence[int]) -> bool:
        tokens = (len(prompts[some[-1]]) + max_new_tokens) * len(some)
        return len(some) <= PROMPTS_PER_BATCH and tokens <= TOKENS_PER_BATCH

    texts: dict[int, GeneratedText] = {}
    with contextlib.ExitStack() as block:
        bar = (
            block.enter_context(console.progress_bar(progress, len(prompts), "prompts")) if progress else None
        )
        if temperature > 0:
            block.enter_context(torch.random.fork_rng())
            torch.manual_seed(seed)
        for batch in split_batches(order, fits):
            written = _generate_batch(student, [prompts[index] for index in batch], config, watch)
            texts |= zip(batch, written, strict=True)
            if bar:
                bar.advance(len(batch))
    return [texts[index] for index in range(len(prompts))]


def _generate_batch(
    student: Student,
    prompts: Sequence[Sequence[int]],
    config: Any,
    watch: Callable[[str], bool] | None = None,
) -> Iterator[GeneratedText]:
    width = max(map(len, prompts))
    tokens = torch.full((len(prompts), width), config.pad_token_id, dtype=torch.long)
    mask = torch.zeros(len(prompts), width, dtype=torch.long)
    for row, prompt in enumerate(prompts):
        tokens[row, width - len(prompt) :] = torch.tensor(prompt)
        mask[row, width - len(prompt) :] = 1
    model: Any = student.model

    def is_over(ids: Any, scores: Any, **others: Any) -> Any:
        """Tell transformers whether to stop here; half a character is not shown yet."""
        text = str(student.tokenizer.decode(ids[0, width:], skip_special_tokens=True)).rstrip("\ufffd")
        return torch.full((len(ids),), not (watch and watch(text)), device=ids.device)

    written = model.generate(
        input_ids=tokens.to(student.device),
        attention_mask=mask.to(student.device),
        generation_config=config,
        stopping_criteria=[is_over] if watch else None,
    )
    for answer in written[:, width:].tolist():
        end = next((place for place, token in enumerate(answer) if token in config.eos_token_id), None)
        text = str(student.tokenizer.decode(answer[:end], skip_special_tokens=True))
        yield GeneratedText(text.strip(), end is not None)
