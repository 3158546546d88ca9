"""Choices by log-probability: a choice as target after its question, a sentence after nothing.

No letters A to D are asked for: knowledge is measured, not the format. A score divides the bits of a choice
by its bytes, because a long answer would lose otherwise.
"""

from __future__ import annotations

from transformers import PreTrainedTokenizerBase

from alif.student.likelihood import LikelihoodInput, document_inputs

__all__ = ["encode_choice", "encode_sentence"]


def encode_choice(
    question: str, choice: str, tokenizer: PreTrainedTokenizerBase, separator: str = " "
) -> LikelihoodInput:
    """Return the question as context and the choice as target, tokenized as the one text that they are.

    Encoded apart, " Lahore" would begin with a token that no text has where a tokenizer writes spaces itself
    (Llama-2's). What both have in common is context, without the end that some tokenizers append.
    """

    def encode(text: str) -> list[int]:
        tokens = list(tokenizer(text, add_special_tokens=True, split_special_tokens=True)["input_ids"])
        return tokens[:-1] if len(tokens) > 1 and tokens[-1] == tokenizer.eos_token_id else tokens

    context, whole = encode(question), encode(f"{question}{separator}{choice}")
    common = next(
        (at for at, (one, other) in enumerate(zip(context, whole, strict=False)) if one != other),
        min(len(context), len(whole) - 1),
    )
    if not common:  # no opening token, and the question's first token goes on into the choice
        return LikelihoodInput([int(tokenizer.eos_token_id)], whole)
    return LikelihoodInput(whole[:common], whole[common:])


def encode_sentence(sentence: str, tokenizer: PreTrainedTokenizerBase) -> LikelihoodInput:
    """Return a whole sentence as target, after what opens a text."""
    return document_inputs([sentence], tokenizer)[0]
