"""Tokenizer fertility: how many tokens a tokenizer needs for a language, and what it cannot write.

    {"tokenizer": {"ur": {"tokens_per_word": 2.31, …}, "en": {…}}, "tokenizer_cost": 1.8}

A language that costs twice the tokens of the source language fits half as much text into a row, takes twice
the time and money, and is harder to learn: it is the first thing to know about a base model.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from transformers import AutoTokenizer, PreTrainedTokenizerBase

from alif import store
from alif.facts.training_facts import FertilityFacts, TokenizerFertility
from alif.language import text as texts
from alif.language.pack import Pack
from alif.student.device import quiet_libraries
from alif.student.published import NO_CODE
from alif.student.weights import friendly_model_errors

__all__ = ["MAX_CHARS", "compare_fertility", "fertility_of_folder", "measure_fertility"]

MAX_CHARS = 400_000
"""Characters of each language that are read: the shares are stable long before."""
_BYTE = re.compile(r"<0x[0-9A-F]{2}>")


def measure_fertility(
    tokenizer: PreTrainedTokenizerBase, documents: Sequence[str], pack: Pack
) -> TokenizerFertility:
    """Return tokens per word, bytes per token, and shares of unknown tokens and partial characters."""
    counts: Counter[int] = Counter()
    words = size = read = 0
    for text in documents:
        if read >= MAX_CHARS:
            break
        read += len(text)
        counts.update(tokenizer.encode(text, add_special_tokens=False))
        words += len(texts.split_words(text, pack))
        size += len(text.encode())
    tokens = counts.total()
    unknown = counts[tokenizer.unk_token_id] if tokenizer.unk_token_id is not None else 0
    parts = sum(  # only some bytes of a character
        count
        for token, count in counts.items()
        if _BYTE.fullmatch(str(tokenizer.convert_ids_to_tokens(token)))
        or "\ufffd" in str(tokenizer.decode([token]))
    )
    return TokenizerFertility(
        tokens=tokens,
        words=words,
        tokens_per_word=round(tokens / max(words, 1), 3),
        bytes_per_token=round(size / max(tokens, 1), 3),
        unknown=round(unknown / max(tokens, 1), 4),
        part_of_a_letter=round(parts / max(tokens, 1), 4),
    )


def compare_fertility(
    tokenizer: PreTrainedTokenizerBase, by_pack: Mapping[Pack, Sequence[str]]
) -> FertilityFacts:
    """Return the fertility by language, and the tokens per word of the first over the second's."""
    found = {pack.code: measure_fertility(tokenizer, several, pack) for pack, several in by_pack.items()}
    own, source = (found[pack.code].tokens_per_word for pack in by_pack)
    return FertilityFacts(tokenizer=found, tokenizer_cost=round(own / source, 3) if source else None)


def fertility_of_folder(folder: Path, own: Pack, source: Pack) -> FertilityFacts | None:
    """Compare a local tokenizer on the packs' demo articles; None where there is no tokenizer or no text.

    Raises:
        ModelError: the tokenizer cannot be read.
    """
    quiet_libraries()
    by_pack: dict[Pack, list[str]] = {}
    for pack in (own, source):
        path = pack.folder / "demo" / "articles.jsonl"
        by_pack[pack] = [str(row["text"]) for _, row in store.read_rows(path)] if path.is_file() else []
    if not any(folder.glob("tokenizer*")) or not all(by_pack.values()):
        return None
    with friendly_model_errors(str(folder)):
        tokenizer = AutoTokenizer.from_pretrained(folder, **NO_CODE)
    return compare_fertility(tokenizer, by_pack)
