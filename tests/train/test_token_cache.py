from __future__ import annotations

import numpy as np
import pytest

from alif.student import encode_documents
from alif.student import tiny as tinies
from alif.train import token_cache

TEXTS = ["پانی زندگی ہے۔", "", "Water is life. " * 40, "لاہور", "a"]


@pytest.fixture(scope="module")
def tokenizer():
    return tinies.train_tokenizer([*TEXTS, "پانی زندگی ہے۔ Water is life."] * 2, 320)


@pytest.mark.parametrize("at_once", [1, 2, 100])
def test_tokens_are_those_of_the_tokenizer_and_lie_on_disk(tokenizer, tmp_path, at_once):
    found = token_cache.tokenise_documents(TEXTS, tokenizer, tmp_path, "base", at_once)
    assert [one.tolist() for one in found] == encode_documents(TEXTS, tokenizer)
    assert all(isinstance(one, np.memmap) for one in found)
    assert len(list((tmp_path / "tokens").glob("*.npy"))) == 2 * -(-len(TEXTS) // at_once)


def test_what_is_there_is_not_made_again(tokenizer, tmp_path, monkeypatch):
    token_cache.tokenise_documents(TEXTS[:4], tokenizer, tmp_path, "base", 2)
    asked = []
    real = encode_documents
    monkeypatch.setattr(
        token_cache,
        "encode_documents",
        lambda texts, tokenizer: asked.append(texts) or real(texts, tokenizer),
    )
    found = token_cache.tokenise_documents(TEXTS, tokenizer, tmp_path, "base", 2)
    assert asked == [TEXTS[4:]]
    assert [one.tolist() for one in found] == real(TEXTS, tokenizer)
    token_cache.tokenise_documents(TEXTS, tokenizer, tmp_path, "another base", 2)
    assert len(asked) == 4


def test_half_a_shard_is_not_read(tokenizer, tmp_path):
    token_cache.tokenise_documents(TEXTS, tokenizer, tmp_path, "base")
    (path,) = (path for path in (tmp_path / "tokens").glob("*.npy") if ".ends" not in path.name)
    path.unlink()  # a kill between its two files
    assert [
        one.tolist() for one in token_cache.tokenise_documents(TEXTS, tokenizer, tmp_path, "base")
    ] == encode_documents(TEXTS, tokenizer)


def test_no_texts(tokenizer, tmp_path):
    assert token_cache.tokenise_documents([], tokenizer, tmp_path, "base") == []
