from __future__ import annotations

import copy
import itertools
import json
from collections import Counter

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from alif.errors import ModelError
from alif.settings import Tiny
from alif.student import tiny as tinies
from alif.student import vocabulary

URDU = ["لاہور ایک بڑا شہر ہے اور لاہور میں کتابیں ہیں۔", "کتابیں پانی زندگی ہے۔ شہر میں پانی ہے۔"] * 3
ENGLISH = "Water is life and a city has books."
BASE = tinies.train_tokenizer([ENGLISH] * 3, 280)


def cut(tokenizer, text):
    return tokenizer(text, add_special_tokens=False)["input_ids"]


@pytest.fixture
def grown():
    return vocabulary.extend_tokenizer(copy.deepcopy(BASE), URDU, 40)


def test_urdu_costs_fewer_tokens_and_english_the_same(grown):
    assert len(grown.tokenizer) == len(BASE) + 40
    assert len(cut(grown.tokenizer, URDU[0])) < 0.7 * len(cut(BASE, URDU[0]))
    assert cut(grown.tokenizer, ENGLISH) == cut(BASE, ENGLISH)


@given(st.text())
def test_any_text_still_comes_back(text):
    tokenizer = vocabulary.extend_tokenizer(copy.deepcopy(BASE), URDU, 40).tokenizer
    assert tokenizer.decode(cut(tokenizer, text)) == text.encode("utf-8", "replace").decode()


def test_a_new_token_is_the_text_of_its_pieces(grown):
    assert set(grown.pieces) == set(range(len(BASE), len(BASE) + 40))
    for token, pieces in grown.pieces.items():
        assert all(piece < len(BASE) for piece in pieces)
        strings = grown.tokenizer.convert_ids_to_tokens(list(pieces))
        assert grown.tokenizer.convert_ids_to_tokens(token) == "".join(strings)


def test_new_rows_are_the_mean_of_their_pieces_and_old_rows_stay(grown):
    for tied in (False, True):
        model = tinies.build_tiny(Tiny(width=32, feed_forward=48, tied=tied), BASE)
        before = [
            layer.weight.detach().clone()
            for layer in (model.get_input_embeddings(), model.get_output_embeddings())
        ]
        vocabulary.initialise_embeddings(model, grown)
        for layer, old in zip(
            (model.get_input_embeddings(), model.get_output_embeddings()), before, strict=True
        ):
            assert layer.weight.shape[0] == len(grown.tokenizer) == model.config.vocab_size
            assert torch.equal(layer.weight[: len(BASE)], old)
            for token, pieces in grown.pieces.items():
                torch.testing.assert_close(layer.weight[token], old[list(pieces)].mean(dim=0))
        assert (model.get_input_embeddings().weight is model.get_output_embeddings().weight) == tied


def test_saved_and_opened_again_it_cuts_the_same(grown, tmp_path):
    grown.tokenizer.save_pretrained(tmp_path)
    again = AutoTokenizer.from_pretrained(tmp_path)
    assert cut(again, URDU[1]) == cut(grown.tokenizer, URDU[1])
    assert again("لاہور")["input_ids"][0] == again.bos_token_id


def test_tokens_behind_the_vocabulary_keep_their_numbers():
    """Llama-3's special tokens stand behind its vocabulary, as these do."""
    tokenizer = copy.deepcopy(BASE)
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|turn|>"]})
    turn = tokenizer.convert_tokens_to_ids("<|turn|>")
    grown = vocabulary.extend_tokenizer(tokenizer, URDU, 20).tokenizer
    assert grown.convert_tokens_to_ids("<|turn|>") == turn == len(BASE)
    tokens = cut(grown, "<|turn|>" + URDU[0])
    assert tokens[0] == turn
    assert turn not in grown("<|turn|>", add_special_tokens=False, split_special_tokens=True)["input_ids"]
    assert max(tokens) > turn


def test_merges_are_learned_by_number_as_a_plain_reading_finds_them():
    words = {("a", "b", "a", "b"): 3, ("b", "a"): 2, ("c",): 9}
    assert vocabulary.learn_merges(words, 10, {})[:2] == [("a", "b"), ("ab", "ab")]
    assert vocabulary.learn_merges(words, 1, {"ab": 1}) == [
        ("a", "b"),
        ("ab", "ab"),
    ]  # a merge into a known token makes no new one


@given(
    st.lists(st.tuples(st.text("abc", min_size=1, max_size=8), st.integers(1, 4)), max_size=8),
    st.integers(0, 12),
)
def test_counts_kept_while_merging_are_those_of_counting_anew(found, wanted):
    words = {tuple(word): often for word, often in found}
    left, slow, made = {word: list(word) for word in words}, [], set()
    while len(made) < wanted:
        counts = Counter()
        for word, tokens in left.items():
            for pair in itertools.pairwise(tokens):
                counts[pair] += words[word]
        best = min(counts, key=lambda pair: (-counts[pair], pair), default=None)
        if best is None or counts[best] < 2:
            break
        slow.append(best)
        made.add(best[0] + best[1])
        left = {word: vocabulary.apply_merge(tokens, best) for word, tokens in left.items()}
    assert vocabulary.learn_merges(words, wanted, {}) == slow


def test_a_tokenizer_of_another_kind_is_refused():
    words = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.WordLevel({"a": 0, "b": 1}, "a")))
    with pytest.raises(ModelError, match="byte-pair encoding over words"):
        vocabulary.extend_tokenizer(words, URDU, 5)


def test_the_same_texts_give_the_same_tokenizer(grown):
    other = vocabulary.extend_tokenizer(copy.deepcopy(BASE), URDU, 40)
    assert json.loads(other.tokenizer.backend_tokenizer.to_str()) == json.loads(
        grown.tokenizer.backend_tokenizer.to_str()
    )
