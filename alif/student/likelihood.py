"""How surprised a student is: the bits that it needs for given tokens after given tokens.

Held-out documents, reference answers and the choices of a question are all measured here, as pieces:

    context  <|start|>            target  the tokens of a text
    context  a whole prompt       target  the tokens of an answer

Short pieces go through the model together, filled up on the right. A causal model cannot look there, so no attention mask is
needed and none is given.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from alif import console
from alif.student import Student

__all__ = ["LikelihoodInput", "split_windows", "target_bits"]

LOGITS_AT_ONCE = 2**24
"""Most logits in one forward pass: 64 MB in float32, and three times that while they are normalised."""
TOKENS_AT_ONCE = 8192
"""Most tokens in one forward pass of a model with a small vocabulary."""


@dataclass(frozen=True)
class LikelihoodInput:
    """Tokens whose cost is asked, after tokens that are given."""

    context: Sequence[int]
    """At least one token."""
    target: Sequence[int]

    def __len__(self) -> int:
        return len(self.context) + len(self.target)


@torch.inference_mode()
def target_bits(student: Student, texts: Sequence[LikelihoodInput], window: int, what: str) -> list[float]:
    """Return the summed bits of each text's target.

    Args:
        student: the model that reads.
        texts: any lengths; longer ones than `window` are cut into windows, and no token is lost.
        window: longest stretch that the model reads at once, in tokens.
        what: the work's name on the progress bar.
    """
    owners, pieces = [], []
    for index, text in enumerate(texts):
        for piece in split_windows(text, window):
            owners.append(index)
            pieces.append(piece)
    found = [0.0] * len(texts)
    with console.progress_bar(what, len(pieces), "texts") as bar:
        for batch in _batches(student, pieces):
            for index, cost in zip(batch, _costs(student, [pieces[index] for index in batch]), strict=True):
                found[owners[index]] += cost
            bar.advance(len(batch))
    return found


def split_windows(text: LikelihoodInput, length: int) -> list[LikelihoodInput]:
    """Cut a text into pieces of at most `length` tokens; each begins with the last token of the one before it as context."""
    whole, first = [*text.context, *text.target], len(text.context)
    pieces = [LikelihoodInput(whole[:first], whole[first:length])] if first < length else []
    start = length - 1 if pieces else first - 1
    while start + 1 < len(whole):
        pieces.append(LikelihoodInput(whole[start : start + 1], whole[start + 1 : start + length]))
        start += length - 1
    return pieces


def _batches(student: Student, pieces: Sequence[LikelihoodInput]) -> Iterator[list[int]]:
    """Yield the numbers of pieces that are read together, the longest first, so that too little memory shows at once."""
    room = max(1, min(TOKENS_AT_ONCE, LOGITS_AT_ONCE // student.model.config.vocab_size))
    batch: list[int] = []
    for index in sorted(range(len(pieces)), key=lambda index: -len(pieces[index])):
        if batch and len(pieces[batch[0]]) * (len(batch) + 1) > room:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def _costs(student: Student, batch: Sequence[LikelihoodInput]) -> list[float]:
    """Return the bits of each target: logits at position t give the cost of token t + 1."""
    device = student.model.device
    longest = max(map(len, batch))
    tokens = torch.zeros(len(batch), longest, dtype=torch.long)
    wanted = torch.zeros(len(batch), longest, dtype=torch.bool)
    for row, piece in enumerate(batch):
        tokens[row, : len(piece)] = torch.tensor([*piece.context, *piece.target])
        wanted[row, len(piece.context) : len(piece)] = True
    tokens, wanted = tokens.to(device), wanted.to(device)
    logits = student.model(input_ids=tokens).logits[:, :-1].float()
    nats = torch.logsumexp(logits, dim=-1) - logits.gather(-1, tokens[:, 1:, None]).squeeze(-1)
    sums = (nats.double() * wanted[:, 1:]).sum(dim=-1) / math.log(2)
    return [float(value) for value in sums.cpu()]
