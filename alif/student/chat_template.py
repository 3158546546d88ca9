"""From text to tokens: documents for stage 1, prompts and answers for stage 2 and for asking.

A prompt is written whole, with the base's opening token where it has one, so whoever reads it adds no special tokens:

    <|start|>Below is an instruction that describes a task. …

    ### Instruction:
    پانی کا فارمولا کیا ہے؟                                       ("What is the formula of water?")

    ### Response:
    H2O<|end|>                                                    the answer; its end token is learned too

Prompt and answer are encoded apart and joined, because that is how they meet when the model is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from transformers import PreTrainedTokenizerBase

from alif.errors import ModelError

__all__ = [
    "ALPACA",
    "ALPACA_INPUT",
    "choose_template",
    "encode_answer",
    "encode_documents",
    "encode_prompt",
    "write_prompt",
]

Template = Literal["auto", "alpaca", "chat"]

ALPACA = """\
Below is an instruction that describes a task. Write a response that appropriately completes the request.

### Instruction:
{instruction}

### Response:
"""
"""Source: tatsu-lab/stanford_alpaca, train.py, PROMPT_DICT; the original used it for Urdu rows too
(traversaal-ai/alif-urdu-llm@67a6a01/Training/train_ft.py)."""

ALPACA_INPUT = """\
Below is an instruction that describes a task, paired with an input that provides further context. \
Write a response that appropriately completes the request.

### Instruction:
{instruction}

### Input:
{input}

### Response:
"""

DATE = "26 Jul 2024"
"""What Llama-3's chat templates are told as today: they would ask the clock, and no two runs would be equal.
Source: the constant in Llama-3.1's own template."""

AT_ONCE = 1000
"""Documents that are encoded together, on all cores; the tokenizer's own records of them are large."""


def choose_template(template: Template, tokenizer: PreTrainedTokenizerBase) -> Literal["alpaca", "chat"]:
    """Say which template "auto" means for this base.

    Raises:
        ModelError: "chat" is asked for and the base has no chat template.
    """
    has_chat = bool(getattr(tokenizer, "chat_template", None))
    if template == "chat" and not has_chat:
        raise ModelError(
            'finetune.prompt_template = "chat", but the base has no chat template',
            'Use "auto" or "alpaca", or an instruct base.',
        )
    return "chat" if has_chat and template != "alpaca" else "alpaca"


def write_prompt(instruction: str, input: str, template: Template, tokenizer: PreTrainedTokenizerBase) -> str:
    """Return the whole text that the model continues with its answer, opening token included."""
    if choose_template(template, tokenizer) == "chat":
        return _chat(instruction, input, None, tokenizer)
    form = ALPACA_INPUT if input else ALPACA
    return _opening(tokenizer) + form.format(instruction=instruction, input=input)


def encode_prompt(prompt: str, tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """Return the tokens of a prompt from `write_prompt`."""
    return list(tokenizer(prompt, add_special_tokens=False)["input_ids"])


def encode_answer(
    instruction: str, input: str, output: str, template: Template, tokenizer: PreTrainedTokenizerBase
) -> list[int]:
    """Return the tokens of an answer, with the one that ends it: end of text, or of a turn in the base's chat template."""
    end = _end(tokenizer)
    if choose_template(template, tokenizer) == "alpaca":
        return [*_plain(tokenizer, output), end]
    prompt = _chat(instruction, input, None, tokenizer)
    whole = _chat(instruction, input, output, tokenizer)
    if not whole.startswith(prompt):
        raise ModelError(
            "the base's chat template does not continue its own prompt with the answer",
            'Set finetune.prompt_template = "alpaca".',
        )
    tokens = encode_prompt(whole[len(prompt) :].rstrip("\n"), tokenizer)
    return tokens if tokens and tokens[-1] in tokenizer.all_special_ids else [*tokens, end]


def encode_documents(texts: Sequence[str], tokenizer: PreTrainedTokenizerBase) -> list[list[int]]:
    """Return the tokens of each document: the base's opening token where it has one, the text, the end of text."""
    end = _end(tokenizer)
    found: list[list[int]] = []
    for start in range(0, len(texts), AT_ONCE):
        some = list(texts[start : start + AT_ONCE])
        encoded = tokenizer(some, add_special_tokens=True, split_special_tokens=True)["input_ids"]
        found += [list(tokens) if tokens and tokens[-1] == end else [*tokens, end] for tokens in encoded]
    return found


def _plain(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    """Encode human text: what looks like a special token in it is text."""
    return list(tokenizer(text, add_special_tokens=False, split_special_tokens=True)["input_ids"])


def _end(tokenizer: PreTrainedTokenizerBase) -> int:
    if tokenizer.eos_token_id is None:
        raise ModelError(
            "the base's tokenizer has no end-of-text token",
            "Choose a base whose tokenizer names an eos_token.",
        )
    return int(tokenizer.eos_token_id)


def _opening(tokenizer: PreTrainedTokenizerBase) -> str:
    """Return the text of the token that this tokenizer sets before a text, or ""."""
    first = tokenizer("", add_special_tokens=True)["input_ids"]
    return str(tokenizer.bos_token) if first and first[0] == tokenizer.bos_token_id else ""


def _chat(instruction: str, input: str, output: str | None, tokenizer: PreTrainedTokenizerBase) -> str:
    turns = [{"role": "user", "content": f"{instruction}\n\n{input}" if input else instruction}]
    if output is not None:
        turns.append({"role": "assistant", "content": output})
    # Qwen3 would open each answer with an empty thought that is learned like an answer; so it stands in the prompt.
    told: dict[str, Any] = {"date_string": DATE, "enable_thinking": False}
    text = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=output is None, **told)
    return str(text)
