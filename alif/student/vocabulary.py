"""More tokens for a language that the base's tokenizer cuts into crumbs: Llama-3 needs 3 of them for an Urdu word.

    before   ▁کتا · ب · یں        after   ▁کتابیں ("books")       its row begins as the mean of the rows of its pieces

The base's byte-pair encoding is trained on, over the corpus as the base itself cuts it: a new token is a pair of tokens that
often stand together, and its merge comes after all old ones. So a text is cut as before until new merges join what is left, no
old token changes, and text in which no new merge applies keeps its tokens. Fewer tokens are not yet a better model: compare in
bits per byte.

Source: mean of the pieces, arXiv 2406.11477; byte-pair encoding, arXiv 1508.07909.
"""

from __future__ import annotations

import heapq
import itertools
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from tokenizers import Tokenizer
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from alif import console
from alif.errors import ModelError

__all__ = ["ExtendedTokenizer", "extend_tokenizer", "initialise_embeddings", "learn_tokens"]

Pair = tuple[str, str]


@dataclass(frozen=True)
class ExtendedTokenizer:
    """A tokenizer with new tokens."""

    tokenizer: PreTrainedTokenizerBase
    pieces: Mapping[int, Sequence[int]]
    """The ids of the old tokens that a new token stands for, by its id."""


def extend_tokenizer(
    tokenizer: PreTrainedTokenizerBase, texts: Iterable[str], wanted: int
) -> ExtendedTokenizer:
    """Return a tokenizer with at most `wanted` more tokens, learned from `texts`; the same for the same texts.

    Raises:
        ModelError: the tokenizer is no byte-pair encoding, or cuts no text into words before it.
    """
    backend: Any = getattr(tokenizer, "backend_tokenizer", None)
    content = json.loads(backend.to_str()) if backend is not None else {"model": {}}
    if content["model"].get("type") != "BPE" or not content.get("pre_tokenizer"):
        raise ModelError(
            "student.added_tokens needs a base whose tokenizer is a byte-pair encoding over words",
            "Llama-3's and Qwen's are. Set student.added_tokens = 0 for this base.",
        )
    vocabulary = content["model"]["vocab"]
    for added in content[
        "added_tokens"
    ]:  # else those that stand behind the vocabulary would move behind the new tokens
        vocabulary.setdefault(added["content"], added["id"])
    merges = learn_tokens(_words(backend, texts), wanted, vocabulary)
    joined = content["model"]["merges"]
    as_pairs = not joined or isinstance(joined[0], list)
    pieces: dict[str, list[str]] = {}
    number = len(tokenizer)
    for left, right in merges:
        joined.append([left, right] if as_pairs else f"{left} {right}")
        if left + right not in vocabulary:
            vocabulary[left + right] = number
            number += 1
            pieces[left + right] = [*pieces.get(left, [left]), *pieces.get(right, [right])]
    tokenizer._tokenizer = Tokenizer.from_str(json.dumps(content))
    return ExtendedTokenizer(
        tokenizer,
        {vocabulary[token]: [vocabulary[part] for part in parts] for token, parts in pieces.items()},
    )


def learn_tokens(
    words: Mapping[tuple[str, ...], int], wanted: int, vocabulary: Mapping[str, int]
) -> list[Pair]:
    """Return merges that make `wanted` tokens which `vocabulary` lacks, the most frequent pair first, of equals the smaller.

    Args:
        words: how often each word stands in the corpus, as a tuple of its tokens.
        wanted: new tokens; fewer where no pair stands there twice.
        vocabulary: tokens that exist.
    """
    cut = [list(word) for word in words]
    often = list(words.values())
    counts: Counter[Pair] = Counter()
    where: dict[Pair, set[int]] = defaultdict(set)
    for index, tokens in enumerate(cut):
        _count(tokens, often[index], index, counts, where)
    queue = [
        (-count, pair) for pair, count in counts.items()
    ]  # with entries that no longer hold, passed over below
    heapq.heapify(queue)
    merges: list[Pair] = []
    made: set[str] = set()
    with console.progress_bar("vocabulary", wanted, "tokens") as bar:
        while len(made) < wanted and queue:
            count, best = heapq.heappop(queue)
            if counts[best] != -count or -count < 2:
                continue
            merges.append(best)
            made |= {best[0] + best[1]} - vocabulary.keys()
            changed: set[Pair] = set()
            for index in where.pop(best):
                changed |= _count(cut[index], -often[index], index, counts, where)
                cut[index] = _merge(cut[index], best)
                changed |= _count(cut[index], often[index], index, counts, where)
            for pair in changed:
                heapq.heappush(queue, (-counts[pair], pair))
            bar.to(len(made))
    return merges


def initialise_embeddings(model: PreTrainedModel, grown: ExtendedTokenizer) -> None:
    """Give `model` rows for the new tokens, in embeddings and head: each the mean of its pieces' rows."""
    given: Any = model
    given.resize_token_embeddings(
        max(given.get_input_embeddings().weight.shape[0], len(grown.tokenizer)), mean_resizing=False
    )
    layers = [given.get_input_embeddings(), given.get_output_embeddings()]
    with torch.no_grad():
        for weight in {id(layer.weight): layer.weight for layer in layers}.values():  # a tied matrix once
            for token, parts in grown.pieces.items():
                weight[token] = weight[list(parts)].float().mean(dim=0).to(weight.dtype)


def _words(backend: Any, texts: Iterable[str]) -> Counter[tuple[str, ...]]:
    """Count the words of `texts`, each as the tokens that the base cuts it into."""
    found: Counter[str] = Counter()
    for text in texts:
        clean = backend.normalizer.normalize_str(text) if backend.normalizer else text
        found.update(word for word, _ in backend.pre_tokenizer.pre_tokenize_str(clean))
    cut: Counter[tuple[str, ...]] = Counter()
    for word in sorted(found):
        cut[tuple(token.value for token in backend.model.tokenize(word))] += found[word]
    return cut


def _count(
    tokens: Sequence[str], often: int, index: int, counts: Counter[Pair], where: dict[Pair, set[int]]
) -> set[Pair]:
    """Count the pairs of a word, or with a negative number take them back; return them."""
    pairs = list(itertools.pairwise(tokens))
    for pair in pairs:
        counts[pair] += often
        if often > 0:
            where[pair].add(index)
    return set(pairs)


def _merge(tokens: Sequence[str], pair: Pair) -> list[str]:
    merged: list[str] = []
    at = 0
    while at < len(tokens):
        both = tuple(tokens[at : at + 2]) == pair
        merged.append(pair[0] + pair[1] if both else tokens[at])
        at += 2 if both else 1
    return merged
