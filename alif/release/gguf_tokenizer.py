"""Which of llama.cpp's ways to split text before byte-pair merges gives a tokenizer's own tokens.

llama.cpp cannot run the pattern of a tokenizer.json: it knows some dozens by name, and its converter refuses
a tokenizer whose tokens of one check text it has not seen. New tokens, and a tokenizer that was made here,
change those. So the ways are tried on the run's own texts, and the one with the same tokens is named.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Regex, Tokenizer, pre_tokenizers

from alif import store

__all__ = ["SAME_TEXTS", "SplitChoice", "choose_split"]

SAME_TEXTS = 0.99
"""Share of texts that must have the same tokens; a text with two spaces in a row may differ."""
_SHORT, _SPACES = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)", r"|\s*[\r\n]+|\s+(?!\S)|\s+"
_GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)"
_UPPER, _LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
_SIGN, _SIGNS = r"[^\r\n\p{L}\p{N}]?", r" ?[^\s\p{L}\p{N}]+"
SPLITS = {
    "llama-bpe": (rf"{_SHORT}|{_SIGN}\p{{L}}+|\p{{N}}{{1,3}}|{_SIGNS}[\r\n]*{_SPACES}",),
    "qwen2": (rf"{_SHORT}|{_SIGN}\p{{L}}+|\p{{N}}|{_SIGNS}[\r\n]*{_SPACES}",),
    "qwen35": (rf"{_SHORT}|{_SIGN}[\p{{L}}\p{{M}}]+|\p{{N}}| ?[^\s\p{{L}}\p{{M}}\p{{N}}]+[\r\n]*{_SPACES}",),
    "gpt-4o": (
        rf"{_SIGN}{_UPPER}*{_LOWER}+{_SHORT}?|{_SIGN}{_UPPER}+{_LOWER}*{_SHORT}?"
        rf"|\p{{N}}{{1,3}}|{_SIGNS}[\r\n/]*{_SPACES}",
    ),
    "smollm": (r"\p{N}", _GPT2),
    "gpt-2": (_GPT2,),
}
"""llama.cpp's names, and the patterns that split one after the other. Source: ggml-org/llama.cpp,
src/llama-vocab.cpp, llm_tokenizer_bpe."""
WHOLE_WORDS = ("llama-bpe",)
"""Those with which a word that is a token is not merged from its parts. Source: ignore_merges, there."""


@dataclass(frozen=True)
class SplitChoice:
    """A way to split text, by llama.cpp's name, and how many of the texts it gives the same tokens."""

    name: str
    same: int
    texts: int

    @property
    def fits(self) -> bool:
        """Whether it may be named."""
        return self.same >= SAME_TEXTS * self.texts


def choose_split(model_folder: Path, texts: Sequence[str]) -> SplitChoice:
    """Return the way that gives most of `texts` the tokens that the folder's tokenizer.json gives them.

    Of equal ones it is the one with the tokenizer's own pattern.
    """
    content = store.read_json(model_folder / "tokenizer.json")
    if content["model"].get("type") != "BPE":
        return SplitChoice("", 0, len(texts))
    own = [one.ids for one in Tokenizer.from_str(json.dumps(content)).encode_batch(list(texts))]
    written = json.dumps(content["pre_tokenizer"])
    choices: dict[SplitChoice, tuple[int, bool]] = {}
    for name, patterns in SPLITS.items():
        content["model"]["ignore_merges"] = name in WHOLE_WORDS
        other = Tokenizer.from_str(json.dumps(content))
        splits = [pre_tokenizers.Split(Regex(pattern), "isolated") for pattern in patterns]
        byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
        other.pre_tokenizer = pre_tokenizers.Sequence([*splits, byte_level])
        found = other.encode_batch(list(texts))
        same = sum(ids == one.ids for ids, one in zip(own, found, strict=True))
        is_own = all(json.dumps(pattern) in written for pattern in patterns)
        choices[SplitChoice(name, same, len(texts))] = (same, is_own)
    return max(choices, key=lambda choice: choices[choice])
