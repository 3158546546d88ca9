"""Conditional negative log-likelihood of target tokens, in bits.

    held-out document   context  <|start|>         target  the tokens of the text
    held-out answer     context  a whole prompt    target  the tokens of the answer

Short inputs go through the model together, padded on the right: a causal model cannot look there, so there is
no attention mask.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from transformers import PreTrainedTokenizerBase

from alif import console
from alif.student.base import Student
from alif.student.batching import split_batches
from alif.student.chat_template import encode_documents

__all__ = ["LikelihoodInput", "document_inputs", "split_windows", "target_bits"]

LOGITS_PER_BATCH = 2**24
"""Most logits in one forward pass: 64 MB in float32, and three times that while they are normalised."""
TOKENS_PER_BATCH = 8192
"""Most tokens in one forward pass of a model with a small vocabulary."""


@dataclass(frozen=True)
class LikelihoodInput:
    """Target tokens after context tokens."""

    context: Sequence[int]
    """At least one token."""
    target: Sequence[int]

    def __len__(self) -> int:
        return len(self.context) + len(self.target)


def document_inputs(texts: Sequence[str], tokenizer: PreTrainedTokenizerBase) -> list[LikelihoodInput]:
    """Encode documents: each token but the end of text is a target, after the opening token."""
    found = []
    for *tokens, end in encode_documents(texts, tokenizer):
        first = tokens.pop(0) if tokens and tokens[0] == tokenizer.bos_token_id else end
        found.append(LikelihoodInput([first], tokens))
    return found


@torch.no_grad()
def target_bits(
    student: Student, texts: Sequence[LikelihoodInput], window: int, progress: str = ""
) -> list[float]:
    """Return the summed bits of each text's target.

    Args:
        student: the model that reads.
        texts: any lengths; longer ones than `window` are cut into windows, and no token is lost.
        window: longest stretch that the model reads at once, in tokens.
        progress: a name for a progress bar; without one there is none.
    """
    pieces = [(owner, piece) for owner, text in enumerate(texts) for piece in split_windows(text, window)]
    bits = [0.0] * len(texts)
    vocabulary = student.model.config.get_text_config().vocab_size
    most = max(1, min(TOKENS_PER_BATCH, LOGITS_PER_BATCH // vocabulary))
    lengths = [len(piece) for _, piece in pieces]
    order = sorted(range(len(pieces)), key=lambda index: -lengths[index])  # too little memory shows at once
    with contextlib.ExitStack() as block:
        bar = block.enter_context(console.progress_bar(progress, len(pieces), "texts")) if progress else None
        for batch in split_batches(order, lambda some: lengths[some[0]] * len(some) <= most):
            tokens = torch.zeros(len(batch), lengths[batch[0]], dtype=torch.long)
            is_target = torch.zeros(tokens.shape, dtype=torch.bool)
            for row, index in enumerate(batch):
                context, target = pieces[index][1].context, pieces[index][1].target
                tokens[row, : lengths[index]] = torch.tensor([*context, *target])
                is_target[row, len(context) : lengths[index]] = True
            tokens, is_target = tokens.to(student.model.device), is_target.to(student.model.device)
            logits = student.model(input_ids=tokens).logits[:, :-1].float()  # each of the next token
            nats = torch.logsumexp(logits, dim=-1) - logits.gather(-1, tokens[:, 1:, None]).squeeze(-1)
            sums = (nats.double() * is_target[:, 1:]).sum(dim=-1) / math.log(2)
            for index, cost in zip(batch, sums.tolist(), strict=True):
                bits[pieces[index][0]] += cost
            if bar:
                bar.advance(len(batch))
    return bits


def split_windows(text: LikelihoodInput, length: int) -> list[LikelihoodInput]:
    """Split a text into windows of at most `length` tokens, each with one token of the last as context."""
    whole, first = [*text.context, *text.target], len(text.context)
    pieces = [LikelihoodInput(whole[:first], whole[first:length])] if first < length else []
    start = length - 1 if pieces else first - 1
    while start + 1 < len(whole):
        pieces.append(LikelihoodInput(whole[start : start + 1], whole[start + 1 : start + length]))
        start += length - 1
    return pieces
