"""The demo's base model: a small Llama with its own byte-level BPE, made from nothing.

It has the architecture of Llama-3.1 (grouped attention, rotary positions, SwiGLU, an untied head), so that
every later step does with it what it does with the real one.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from alif.errors import RecipeError
from alif.settings import Tiny

__all__ = ["END", "START", "build_tiny", "train_tokenizer"]

START, END = "<|start|>", "<|end|>"

PIECES = r" ?[\p{L}\p{M}]+|\p{N}{1,3}| ?[^\s\p{L}\p{M}\p{N}]+|\s+"
"""No merge crosses these. Marks stay with their letters, unlike in GPT-2's pattern; digits in threes, as in
Llama-3's."""

POSITIONS = 2048
"""Longest text that the model reads, in tokens; more if its own rows are longer."""


def train_tokenizer(texts: Iterable[str], vocabulary: int) -> PreTrainedTokenizerFast:
    """Train a byte-level BPE of at most `vocabulary` entries; any text is decoded unchanged."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PIECES), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        min_frequency=2,
        special_tokens=[START, END],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    bpe.train_from_iterator(texts, trainer)
    bpe.post_processor = processors.TemplateProcessing(
        single=f"{START} $A", special_tokens=[(START, bpe.token_to_id(START))]
    )
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]  # transformers has no types here
        tokenizer_object=bpe, bos_token=START, eos_token=END, clean_up_tokenization_spaces=False
    )


def build_tiny(tiny: Tiny, tokenizer: PreTrainedTokenizerFast) -> LlamaForCausalLM:
    """Return an untrained model, the same for the same `tiny`.

    Raises:
        RecipeError: width and heads do not divide.
    """
    if tiny.width % (2 * tiny.heads) or tiny.heads % tiny.key_value_heads:
        raise RecipeError(
            f"tiny: width {tiny.width}, heads {tiny.heads} and key_value_heads {tiny.key_value_heads} "
            "do not divide",
            "width must be a multiple of 2 x heads, heads a multiple of key_value_heads.",
        )
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=tiny.width,
        intermediate_size=tiny.feed_forward,
        num_hidden_layers=tiny.layers,
        num_attention_heads=tiny.heads,
        num_key_value_heads=tiny.key_value_heads,
        max_position_embeddings=max(POSITIONS, tiny.max_seq_length),
        tie_word_embeddings=tiny.tied,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(tiny.seed)
        return LlamaForCausalLM(config)
