"""How llama.cpp splits text is chosen by the tokens that it gives, not by the words of a pattern."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers

from alif.release.gguf_tokenizer import SPLITS, choose_split

TEXTS = [
    "پانی کا فارمولا H2O ہے، اور 1,234.5 میٹر۔",
    "It's 12 o'clock: we've 345 birds (and 6 cats).\n\nDON'T!",
    "লাল নদী ৪২ কিলোমিটার।\n### Response:\nहाँ, ठीक है।",
    "x = [1, 22, 333, 4444]\n\n\n    return x  # ok...",
] * 3


def tokenizer_folder(folder: Path, split: pre_tokenizers.PreTokenizer | None) -> Path:
    """A byte-level BPE that splits in this way, in a model folder."""
    bpe = Tokenizer(models.BPE())
    bytes_alone = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    bpe.pre_tokenizer = pre_tokenizers.Sequence([split, bytes_alone]) if split else bytes_alone
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=600, min_frequency=1, initial_alphabet=alphabet, show_progress=False
    )
    bpe.train_from_iterator(TEXTS, trainer)
    bpe.save(str(folder / "tokenizer.json"))
    return folder


@pytest.mark.parametrize("name", ["llama-bpe", "qwen2", "qwen35"])
def test_a_tokenizer_that_splits_as_a_published_one_is_named_so(tmp_path: Path, name: str) -> None:
    (pattern,) = SPLITS[name]
    found = choose_split(tokenizer_folder(tmp_path, pre_tokenizers.Split(Regex(pattern), "isolated")), TEXTS)
    assert (found.name, found.same, found.fits) == (name, len(TEXTS), True)


def test_the_demos_tokenizer_has_the_tokens_of_llama_3s_split(tiny_run: Path) -> None:
    found = choose_split(
        tiny_run / "base" / "model", ["پانی کا فارمولا کیا ہے؟ 42 اور (100)۔", "A red door."]
    )
    assert (found.name, found.fits) == ("llama-bpe", True)


def test_one_that_splits_as_none_does_fits_none(tmp_path: Path) -> None:
    found = choose_split(
        tokenizer_folder(tmp_path, pre_tokenizers.Split(Regex("[aeiou ہیا]"), "isolated")), TEXTS
    )
    assert not found.fits


def test_what_is_no_byte_pair_encoding_is_left_to_the_converter(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text(json.dumps({"model": {"type": "Unigram"}}))
    assert choose_split(tmp_path, TEXTS).name == ""
