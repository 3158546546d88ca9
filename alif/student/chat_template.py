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

from collections.abc import Sequence
from typing import Any, Literal

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
    """Return the text that the model continues with its answer, opening token and `turns` included."""
    if choose_template(template, tokenizer) == "chat":
        return _render([*turns, _question(instruction, input)], tokenizer, add_generation_prompt=True)
    opening = opening_token(tokenizer)
    if not turns:
        return opening + (ALPACA_INPUT if input else ALPACA).format(instruction=instruction, input=input)
    texts = _alpaca_texts([*turns, _question(instruction, input, "\n\n### Input:\n")])
    answers = [f"{message.content}{tokenizer.eos_token}" for message in turns if message.role == "assistant"]
    return opening + "".join(part for pair in zip(texts, [*answers, ""], strict=True) for part in pair)


def encode_prompt(prompt: str, tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """Return the tokens of a prompt from `write_prompt`."""
    return list(tokenizer(prompt, add_special_tokens=False)["input_ids"])


def encode_answer(
    instruction: str, input: str, output: str, template: Template, tokenizer: PreTrainedTokenizerBase
) -> list[int]:
    """Return the tokens of an answer and its end: end of text, or of a turn in the chat template."""
    if choose_template(template, tokenizer) == "alpaca":
        return [*_encode_text(output, tokenizer), _end_of_text(tokenizer)]
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
    if choose_template(template, tokenizer) == "chat":
        return _encode_chat([*example.turns, _question(instruction, input)], answers, tokenizer)
    texts = _alpaca_texts([*example.turns, _question(instruction, input, "\n\n### Input:\n")])
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
        parts.append((encode_prompt(answer.strip() + end, tokenizer), True))
    parts[-1] = (_with_end(parts[-1][0], tokenizer), True)
    return parts


def _render(
    messages: Sequence[Message], tokenizer: PreTrainedTokenizerBase, *, add_generation_prompt: bool = False
) -> str:
    # Qwen3 would open each answer with an empty thought, to be learned; so it is in the prompt
    constants: dict[str, Any] = {"date_string": DATE, "enable_thinking": False}
    turns = [{"role": message.role, "content": message.content} for message in messages]
    return str(
        tokenizer.apply_chat_template(
            turns, tokenize=False, add_generation_prompt=add_generation_prompt, **constants
        )
    )


def _discontinuous_template() -> ModelError:
    return ModelError(
        "the base's chat template does not continue its own prompt with the answer",
        'Set finetune.prompt_template = "alpaca".',
    )
