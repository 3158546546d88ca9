"""From text to tokens: documents for stage 1, prompts and answers for stage 2 and for generation.

A prompt is written whole, with the base's opening token where it has one, so it is encoded without adding
special tokens:

    <|start|>Below is an instruction that describes a task. …

    ### Instruction:
    پانی کا فارمولا کیا ہے؟                                       ("What is the formula of water?")

    ### Response:
    H2O<|end|>                                                    the answer; its end token is learned too

Prompt and answer are encoded apart and joined, because that is how they meet in generation. A conversation is
a row of such pairs: the prompt of a later answer is what stands between the answer before and its own
beginning.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal

import jinja2
from transformers import PreTrainedTokenizerBase

from alif.errors import ModelError
from alif.records import Example, Message

__all__ = [
    "ALPACA", "ALPACA_INPUT", "ALPACA_PREAMBLE", "Template", "choose_template", "encode_answer",
    "encode_documents", "encode_example_parts", "encode_prompt", "opening_token", "write_prompt",
]  # fmt: skip

Template = Literal["auto", "alpaca", "chat"]

ALPACA_PREAMBLE = (
    "Below is an instruction that describes a task. "
    "Write a response that appropriately completes the request.\n\n"
)
ALPACA = ALPACA_PREAMBLE + "### Instruction:\n{instruction}\n\n### Response:\n"
"""Source: tatsu-lab/stanford_alpaca, train.py, PROMPT_DICT; the original used it for Urdu rows too
(traversaal-ai/alif-urdu-llm@67a6a01/Training/train_ft.py). A system prompt stands in place of the
preamble."""

ALPACA_INPUT = (
    "Below is an instruction that describes a task, paired with an input that provides further context. "
    "Write a response that appropriately completes the request.\n\n"
    "### Instruction:\n{instruction}\n\n### Input:\n{input}\n\n### Response:\n"
)

DATE = "26 Jul 2024"
"""The date that Llama-3's chat templates are given: they would read the clock, and no two runs would be
equal. Source: the constant in Llama-3.1's own template."""

SHIELD = "\ufdd2"
"""Stands in a text that a person or a model wrote where it spells a special token, so that it stays text: a
noncharacter, and in no text itself."""

DOCUMENTS_PER_BATCH = 1000
"""Documents that are encoded together, on all cores; the tokenizer's own records of them are large."""


def choose_template(template: Template, tokenizer: PreTrainedTokenizerBase) -> Literal["alpaca", "chat"]:
    """Return the template that "auto" means for this base: its own chat template where it has one.

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


def write_prompt(
    instruction: str,
    input: str,
    template: Template,
    tokenizer: PreTrainedTokenizerBase,
    turns: Sequence[Message] = (),
) -> str:
    """Return the text that the model continues with its answer, opening token and `turns` included.

    Where a text spells a special token it carries a mark, which `encode_prompt` takes away.
    """
    instruction, input = _shield(instruction, tokenizer), _shield(input, tokenizer)
    turns = _shield_turns(turns, tokenizer)
    if choose_template(template, tokenizer) == "chat":
        return _render([*turns, _question(instruction, input)], tokenizer, add_generation_prompt=True)
    opening = opening_token(tokenizer)
    if not turns:
        return opening + (ALPACA_INPUT if input else ALPACA).format(instruction=instruction, input=input)
    texts = _alpaca_texts([*turns, _question(instruction, input, "\n\n### Input:\n")])
    answers = [f"{message.content}{tokenizer.eos_token}" for message in turns if message.role == "assistant"]
    return opening + "".join(part for pair in zip(texts, [*answers, ""], strict=True) for part in pair)


def encode_prompt(prompt: str, tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """Return the tokens of a prompt from `write_prompt`; what only spells a special token is text."""
    if SHIELD not in prompt:
        return list(tokenizer(prompt, add_special_tokens=False)["input_ids"])
    special = _special_tokens(tokenizer)
    tokens: list[int] = []
    for part in re.split(f"({'|'.join(map(re.escape, special))})", prompt):
        if part in special:
            tokens.append(special[part])
        elif part:
            tokens += _encode_text(part.replace(SHIELD, ""), tokenizer)
    return tokens


def encode_answer(
    instruction: str, input: str, output: str, template: Template, tokenizer: PreTrainedTokenizerBase
) -> list[int]:
    """Return the tokens of an answer and its end: end of text, or of a turn in the chat template."""
    if choose_template(template, tokenizer) == "alpaca":
        return [*_encode_text(output, tokenizer), _end_of_text(tokenizer)]
    instruction, input, output = (_shield(text, tokenizer) for text in (instruction, input, output))
    question = _question(instruction, input)
    prompt = _render([question], tokenizer, add_generation_prompt=True)
    whole = _render([question, Message(role="assistant", content=output)], tokenizer)
    if not whole.startswith(prompt):
        raise _discontinuous_template()
    return _with_end(encode_prompt(whole[len(prompt) :].rstrip("\n"), tokenizer), tokenizer)


def encode_example_parts(
    example: Example, template: Template, tokenizer: PreTrainedTokenizerBase
) -> list[tuple[list[int], bool]]:
    """Return a row as parts (tokens, whether they are an answer): prompt, answer, prompt, answer and so on.

    Raises:
        ModelError: the base's chat template changes a conversation when an answer is added to it.
    """
    instruction, input, output = example.instruction, example.input, example.output
    if not example.turns:
        prompt = encode_prompt(write_prompt(instruction, input, template, tokenizer), tokenizer)
        return [(prompt, False), (encode_answer(instruction, input, output, template, tokenizer), True)]
    answers = [*(message.content for message in example.turns if message.role == "assistant"), output]
    turns = _shield_turns(example.turns, tokenizer)
    instruction, input = _shield(instruction, tokenizer), _shield(input, tokenizer)
    if choose_template(template, tokenizer) == "chat":
        return _encode_chat([*turns, _question(instruction, input)], answers, tokenizer)
    texts = _alpaca_texts([*turns, _question(instruction, input, "\n\n### Input:\n")])
    parts: list[tuple[list[int], bool]] = []
    for opening, text, answer in zip(
        [opening_token(tokenizer), *[""] * len(texts)], texts, answers, strict=False
    ):
        parts.append((encode_prompt(opening + text, tokenizer), False))
        parts.append(([*_encode_text(answer, tokenizer), _end_of_text(tokenizer)], True))
    return parts


def encode_documents(texts: Sequence[str], tokenizer: PreTrainedTokenizerBase) -> list[list[int]]:
    """Return the tokens of each document: opening token where the base has one, text, end of text."""
    end = _end_of_text(tokenizer)
    found: list[list[int]] = []
    for start in range(0, len(texts), DOCUMENTS_PER_BATCH):
        some = list(texts[start : start + DOCUMENTS_PER_BATCH])
        encoded = tokenizer(some, add_special_tokens=True, split_special_tokens=True)["input_ids"]
        found += [list(tokens) if tokens and tokens[-1] == end else [*tokens, end] for tokens in encoded]
    return found


def opening_token(tokenizer: PreTrainedTokenizerBase) -> str:
    """Return the text of the token that this tokenizer sets before a text, or ""."""
    first = tokenizer("", add_special_tokens=True)["input_ids"]
    return str(tokenizer.bos_token) if first and first[0] == tokenizer.bos_token_id else ""


@lru_cache(maxsize=8)
def _special_tokens(tokenizer: PreTrainedTokenizerBase) -> dict[str, int]:
    """Return the special tokens by their text, the longest first; one of one character cannot be marked."""
    added = tokenizer.added_tokens_decoder.items()
    named = zip(tokenizer.all_special_tokens, tokenizer.all_special_ids, strict=True)
    found = {str(token): int(number) for number, token in added if token.special} | dict(named)
    return {text: found[text] for text in sorted(found, key=lambda text: (-len(text), text)) if len(text) > 1}


def _shield(text: str, tokenizer: PreTrainedTokenizerBase) -> str:
    """Mark what spells a special token, after its first character."""
    special = [token for token in _special_tokens(tokenizer) if token in text]
    if not special:
        return text
    pattern = "|".join(map(re.escape, special))
    return re.sub(pattern, lambda match: SHIELD.join((match[0][0], match[0][1:])), text.replace(SHIELD, ""))


def _shield_turns(turns: Sequence[Message], tokenizer: PreTrainedTokenizerBase) -> list[Message]:
    return [turn.model_copy(update={"content": _shield(turn.content, tokenizer)}) for turn in turns]


def _encode_text(text: str, tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """Encode human text: what looks like a special token in it is text."""
    return list(tokenizer(text, add_special_tokens=False, split_special_tokens=True)["input_ids"])


def _end_of_text(tokenizer: PreTrainedTokenizerBase) -> int:
    if tokenizer.eos_token_id is None:
        raise ModelError(
            "the base's tokenizer has no end-of-text token",
            "Choose a base whose tokenizer names an eos_token.",
        )
    return int(tokenizer.eos_token_id)


def _with_end(tokens: list[int], tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """Add the end of text where a chat template ends an answer with no special token."""
    return (
        tokens if tokens and tokens[-1] in tokenizer.all_special_ids else [*tokens, _end_of_text(tokenizer)]
    )


def _question(instruction: str, input: str, between: str = "\n\n") -> Message:
    return Message(role="user", content=f"{instruction}{between}{input}" if input else instruction)


def _alpaca_texts(messages: Sequence[Message]) -> list[str]:
    """Return what precedes each answer of a conversation under Alpaca's headings, and the next one."""
    texts, text = [], "" if messages[0].role == "system" else ALPACA_PREAMBLE
    for message in messages:
        if message.role == "assistant":
            texts.append(f"{text}### Response:\n")
            text = "\n\n"
        else:
            heading = "" if message.role == "system" else "### Instruction:\n"
            text += f"{heading}{message.content}\n\n"
    return [*texts, f"{text}### Response:\n"]


def _encode_chat(
    messages: Sequence[Message], answers: Sequence[str], tokenizer: PreTrainedTokenizerBase
) -> list[tuple[list[int], bool]]:
    """Encode a conversation and its last answer, rendered with a mark in place of each answer."""
    marks = [f"\ufdd0{number}\ufdd1" for number in range(len(answers))]  # noncharacters: in no text
    free = iter(marks)
    marked = [
        message.model_copy(update={"content": next(free)}) if message.role == "assistant" else message
        for message in messages
    ]
    rest = _render([*marked, Message(role="assistant", content=next(free))], tokenizer)
    prompt, _, after_last = rest.partition(marks[-1])
    if prompt != _render(marked, tokenizer, add_generation_prompt=True):
        raise _discontinuous_template()
    end = after_last.rstrip("\n")  # of each turn
    parts: list[tuple[list[int], bool]] = []
    for mark, answer in zip(marks, answers, strict=True):
        text, _, rest = rest.partition(mark)
        rest = rest.removeprefix(end)
        parts.append((encode_prompt(text, tokenizer), False))
        parts.append((encode_prompt(_shield(answer.strip(), tokenizer) + end, tokenizer), True))
    parts[-1] = (_with_end(parts[-1][0], tokenizer), True)
    return parts


def _render(
    messages: Sequence[Message], tokenizer: PreTrainedTokenizerBase, *, add_generation_prompt: bool = False
) -> str:
    # Qwen3 would open each answer with an empty thought, to be learned; so it is in the prompt
    constants: dict[str, Any] = {"date_string": DATE, "enable_thinking": False}
    turns = [{"role": message.role, "content": message.content} for message in messages]
    try:
        return str(
            tokenizer.apply_chat_template(
                turns, tokenize=False, add_generation_prompt=add_generation_prompt, **constants
            )
        )
    except (jinja2.exceptions.TemplateError, TypeError, ValueError, KeyError, AttributeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelError(
            f"the base's chat template cannot write these turns ({reason})",
            'Set finetune.prompt_template = "alpaca".',
        ) from error


def _discontinuous_template() -> ModelError:
    return ModelError(
        "the base's chat template does not continue its own prompt with the answer",
        'Set finetune.prompt_template = "alpaca".',
    )
