from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from alif.errors import RecipeError
from alif.settings import Tiny
from alif.student import tiny as tinies

TOKENIZER = tinies.train_tokenizer(("پانی زندگی ہے۔ Water is life.",) * 3, 320)


@given(st.text())
def test_any_text_comes_back(text):
    tokens = TOKENIZER(text, add_special_tokens=False, split_special_tokens=True)["input_ids"]
    assert TOKENIZER.decode(tokens) == text.encode("utf-8", "replace").decode()


def test_training_again_gives_the_same_tokenizer(tmp_path):
    texts = ["پانی زندگی ہے۔", "Water is life.", "one two three four"] * 5
    for name in ("a", "b"):
        tinies.train_tokenizer(texts, 320).save_pretrained(tmp_path / name)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_a_text_opens_with_start_and_a_saved_tokenizer_is_the_same(tokenizer, tmp_path):
    tokenizer.save_pretrained(tmp_path)
    again = AutoTokenizer.from_pretrained(tmp_path)
    assert isinstance(again, PreTrainedTokenizerFast)
    tokens = again("لاہور")["input_ids"]
    assert tokens == tokenizer("لاہور")["input_ids"]
    assert tokens[0] == again.bos_token_id
    assert again.eos_token_id not in tokens


def test_marks_stay_with_their_letters():
    splits = [
        piece for piece, _ in TOKENIZER.backend_tokenizer.pre_tokenizer.pre_tokenize_str("اِسلام آباد 12345")
    ]
    assert len(splits) == 5  # two words, a space, digits in threes


def test_the_same_seed_builds_the_same_model(tokenizer):
    one, two, other = (tinies.build_tiny(Tiny(seed=seed), tokenizer).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert any(not torch.equal(one[name], other[name]) for name in one)


def test_heads_that_do_not_divide_are_told(tokenizer):
    with pytest.raises(RecipeError, match="do not divide"):
        tinies.build_tiny(Tiny(width=66), tokenizer)
