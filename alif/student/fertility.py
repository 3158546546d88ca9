"""How well a tokenizer fits a language: how many pieces it cuts a text into, and what it cannot write.

    {"tokenizer": {"ur": {"tokens_per_word": 2.31, "bytes_per_token": 3.9, …}, "en": {…}}, "tokenizer_cost": 1.8}

A language that costs twice the tokens of the known one fits half as much text into a row, takes twice the time and money,
and is harder to learn: it is the first thing to know of a base model.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from transformers import AutoTokenizer, PreTrainedTokenizerBase

from alif import store
from alif.language import text as texts
from alif.language.pack import Pack
from alif.student.base import friendly_model_errors

__all__ = ["MOST_CHARACTERS", "compare_fertility", "fertility_of_folder", "measure_fertility"]

MOST_CHARACTERS = 400_000
"""Text of each language that is looked at: the shares are stable long before."""
_BYTE = re.compile(r"<0x[0-9A-F]{2}>")


def measure_fertility(
    tokenizer: PreTrainedTokenizerBase, several: Sequence[str], pack: Pack
) -> dict[str, float]:
    """Return tokens per word, bytes per token, and the shares of unknown tokens and of tokens that are parts of a letter."""
    counts: Counter[int] = Counter()
    words = size = read = 0
    for text in several:
        if read >= MOST_CHARACTERS:
            break
        read += len(text)
        counts.update(tokenizer.encode(text, add_special_tokens=False))
        words += len(texts.split_words(text, pack))
        size += len(text.encode())
    tokens = counts.total()
    unknown = counts[tokenizer.unk_token_id] if tokenizer.unk_token_id is not None else 0
    parts = sum(count for token, count in counts.items() if _part(tokenizer, token))
    return {
        "tokens": tokens,
        "words": words,
        "tokens_per_word": round(tokens / max(words, 1), 3),
        "bytes_per_token": round(size / max(tokens, 1), 3),
        "unknown": round(unknown / max(tokens, 1), 4),
        "part_of_a_letter": round(parts / max(tokens, 1), 4),
    }


def fertility_of_folder(folder: Path, own: Pack, known: Pack) -> dict[str, Any] | None:
    """Return `compare` of a tokenizer on this machine by the packs' demo articles; None where there is no tokenizer or no text.

    Raises:
        ModelError: the tokenizer cannot be read.
    """
    several = {pack: _articles(pack) for pack in (own, known)}
    if not any(folder.glob("tokenizer*")) or not all(several.values()):
        return None
    with friendly_model_errors(str(folder)):
        tokenizer = AutoTokenizer.from_pretrained(folder)
    return compare_fertility(tokenizer, several)


def _articles(pack: Pack) -> list[str]:
    path = pack.folder / "demo" / "articles.jsonl"
    return [str(row["text"]) for _, row in store.read_rows(path)] if path.is_file() else []


def _part(tokenizer: PreTrainedTokenizerBase, token: int) -> bool:
    """Tell whether a token is some bytes of a letter only: byte fallback, or half a character of a byte-level vocabulary."""
    if _BYTE.fullmatch(str(tokenizer.convert_ids_to_tokens(token))):
        return True
    return "\ufffd" in str(tokenizer.decode([token]))


def compare_fertility(
    tokenizer: PreTrainedTokenizerBase, by_pack: Mapping[Pack, Sequence[str]]
) -> dict[str, Any]:
    """Return `fitness` by language as "tokenizer", and the tokens of a word of the first per one of the second as its cost."""
    found = {pack.code: measure_fertility(tokenizer, several, pack) for pack, several in by_pack.items()}
    own, known = (found[pack.code]["tokens_per_word"] for pack in by_pack)
    return {"tokenizer": found, "tokenizer_cost": round(own / known, 3) if known else None}
