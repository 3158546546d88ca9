"""Vocabulary extension for a language that the base's tokenizer splits into fragments.

    before   ▁کتا · ب · یں        after   ▁کتابیں ("books")      embedding: the mean of the pieces

Training of the base's byte-pair encoding is continued, over the corpus as the base itself tokenizes it: a new
token is a pair of tokens that are often adjacent, and its merge comes after all old ones. So a text is
tokenized as before until new merges join what is left, no old token changes, and text in which no new merge
applies keeps its tokens. Fewer tokens are not yet a better model: compare in bits per byte.

Source: mean of the pieces, arXiv 2406.11477; byte-pair encoding, arXiv 1508.07909.
"""

from __future__ import annotations

import heapq
import itertools
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from tokenizers import Tokenizer
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from alif import console
from alif.errors import ModelError

__all__ = [
    "ExtendedTokenizer", "apply_merge", "check_extendable", "extend_tokenizer", "initialise_embeddings",
    "learn_merges",
]  # fmt: skip

Pair = tuple[str, str]

BYTE = re.compile(r"<0x[0-9A-F]{2}>")
"""A token that stands for a byte where a character has no token (Llama-2, Mistral). The decoder knows it by
its whole name, so it may be a part of no other token."""
SAMPLE = 1000
"""Texts on which the new tokenizer must give back what the old one did."""


@dataclass(frozen=True)
class ExtendedTokenizer:
    """A tokenizer with added tokens."""

    tokenizer: PreTrainedTokenizerBase
    pieces: Mapping[int, Sequence[int]]
    """The ids of the old tokens that an added token stands for, by its id."""


def extend_tokenizer(
    tokenizer: PreTrainedTokenizerBase, texts: Iterable[str], added_tokens: int
) -> ExtendedTokenizer:
    """Return a tokenizer with at most `added_tokens` more tokens, learned from `texts`.

    Raises:
        ModelError: the tokenizer is not a byte-pair encoding, has no pre-tokenizer, or a text would no longer
            be decoded as it is.
    """
    texts = list(texts)
    content, backend = check_extendable(tokenizer), tokenizer.backend_tokenizer
    sample = texts[:: max(1, len(texts) // SAMPLE)]
    returned = [text for text in sample if _decode(backend, text) == text]
    vocabulary, merges = content["model"]["vocab"], content["model"]["merges"]
    for token in content["added_tokens"]:  # else those behind the vocabulary would move behind the new tokens
        vocabulary.setdefault(token["content"], token["id"])
    as_pairs = not merges or isinstance(merges[0], list)
    pieces: dict[str, list[str]] = {}
    next_id = len(tokenizer)
    for left, right in learn_merges(_count_words(backend, texts), added_tokens, vocabulary):
        merges.append([left, right] if as_pairs else f"{left} {right}")
        if left + right not in vocabulary:
            vocabulary[left + right] = next_id
            next_id += 1
            pieces[left + right] = [*pieces.get(left, [left]), *pieces.get(right, [right])]
    tokenizer._tokenizer = Tokenizer.from_str(json.dumps(content))
    changed = [text for text in returned if _decode(tokenizer._tokenizer, text) != text]
    if changed:
        raise ModelError(
            f"with added tokens this base's tokenizer no longer gives back {len(changed)} of {len(returned)} "
            f"texts, the first: {changed[0][:60]!r}",
            "Set student.added_tokens = 0 for this base.",
        )
    return ExtendedTokenizer(
        tokenizer,
        {vocabulary[token]: [vocabulary[part] for part in parts] for token, parts in pieces.items()},
    )


def check_extendable(tokenizer: PreTrainedTokenizerBase) -> dict[str, Any]:
    """Return the content of a tokenizer to which tokens can be added.

    Raises:
        ModelError: it is not a byte-pair encoding, or has no pre-tokenizer.
    """
    backend: Any = getattr(tokenizer, "backend_tokenizer", None)
    content: dict[str, Any] = json.loads(backend.to_str()) if backend is not None else {"model": {}}
    if content["model"].get("type") != "BPE" or not content.get("pre_tokenizer"):
        raise ModelError(
            "student.added_tokens needs a base whose tokenizer is a byte-pair encoding over words",
            "Llama-3's and Qwen's are. Set student.added_tokens = 0 for this base.",
        )
    return content


def learn_merges(
    words: Mapping[tuple[str, ...], int], added_tokens: int, vocabulary: Mapping[str, int]
) -> list[Pair]:
    """Return merges that make `added_tokens` new tokens: the most frequent pair first, ties by text.

    Args:
        words: frequency of each word in the corpus, as a tuple of its tokens.
        added_tokens: how many; fewer where no pair occurs twice.
        vocabulary: tokens that exist.
    """
    segmented = [list(word) for word in words]
    frequency = list(words.values())
    counts: Counter[Pair] = Counter()
    occurrences: dict[Pair, set[int]] = defaultdict(set)

    def count(index: int, sign: int) -> set[Pair]:
        """Add the pairs of a word to the counts, or subtract them; return them."""
        pairs = list(itertools.pairwise(segmented[index]))
        for pair in pairs:
            counts[pair] += sign * frequency[index]
            if sign > 0:
                occurrences[pair].add(index)
        return set(pairs)

    for index in range(len(segmented)):
        count(index, 1)
    queue = [(-count, pair) for pair, count in counts.items()]  # outdated entries are skipped below
    heapq.heapify(queue)
    merges: list[Pair] = []
    learned: set[str] = set()
    with console.progress_bar("vocabulary", added_tokens, "tokens") as bar:
        while len(learned) < added_tokens and queue:
            negative, best = heapq.heappop(queue)
            if counts[best] != -negative or -negative < 2:
                continue
            merges.append(best)
            learned |= {best[0] + best[1]} - vocabulary.keys()
            changed: set[Pair] = set()
            for index in occurrences.pop(best):
                changed |= count(index, -1)
                segmented[index] = apply_merge(segmented[index], best)
                changed |= count(index, 1)
            for pair in changed:
                heapq.heappush(queue, (-counts[pair], pair))
            bar.to(len(learned))
    return merges


def initialise_embeddings(model: PreTrainedModel, extended: ExtendedTokenizer) -> None:
    """Resize embeddings and head of `model`; each new row is the mean of its pieces' rows."""
    given: Any = model
    size = max(given.get_input_embeddings().weight.shape[0], len(extended.tokenizer))
    given.resize_token_embeddings(size, mean_resizing=False)
    layers = [given.get_input_embeddings(), given.get_output_embeddings()]
    with torch.no_grad():
        for weight in {id(layer.weight): layer.weight for layer in layers}.values():  # a tied matrix once
            for token, parts in extended.pieces.items():
                weight[token] = weight[list(parts)].float().mean(dim=0).to(weight.dtype)


def _count_words(backend: Any, texts: Iterable[str]) -> Counter[tuple[str, ...]]:
    """Count the words of `texts`, each as the tokens that the base splits it into.

    A byte token, and one for what is unknown, is no part of a word: it ends one.
    """
    unknown = getattr(backend.model, "unk_token", None)
    words: Counter[str] = Counter()
    for text in texts:
        clean = backend.normalizer.normalize_str(text) if backend.normalizer else text
        words.update(word for word, _ in backend.pre_tokenizer.pre_tokenize_str(clean))
    found: Counter[tuple[str, ...]] = Counter()
    for word in sorted(words):
        tokens = [token.value for token in backend.model.tokenize(word)]
        for is_plain, part in itertools.groupby(
            tokens, lambda one: one != unknown and not BYTE.fullmatch(one)
        ):
            if is_plain:
                found[tuple(part)] += words[word]
    return found


def _decode(backend: Any, text: str) -> str:
    """Return `text` encoded and decoded."""
    ids = backend.encode(text, add_special_tokens=False).ids
    return str(backend.decode(ids, skip_special_tokens=False))


def apply_merge(tokens: Sequence[str], pair: Pair) -> list[str]:
    """Return `tokens` with each occurrence of `pair`, from the left, as one token."""
    merged: list[str] = []
    at = 0
    while at < len(tokens):
        is_pair = tuple(tokens[at : at + 2]) == pair
        merged.append(pair[0] + pair[1] if is_pair else tokens[at])
        at += 2 if is_pair else 1
    return merged
