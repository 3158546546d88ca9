"""Completion-only labels with the chat templates of the recipes' bases: only the answer and its end token."""

from __future__ import annotations

import copy

import pytest

from alif.errors import ModelError
from alif.records import Example, Message, Origin
from alif.student import write_prompt
from alif.train.finetune import encode_example
from alif.train.packing import Segment

LLAMA_3 = (
    "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{% set system = messages[0]['content'] %}"
    "{% set messages = messages[1:] %}{% else %}{% set system = '' %}{% endif %}"
    "<|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2023\nToday Date: "
    "{{ date_string if date_string is defined else strftime_now('%d %b %Y') }}\n\n{{ system }}<|eot_id|>"
    "{% for m in messages %}<|start_header_id|>{{ m['role'] }}<|end_header_id|>\n\n"
    "{{ m['content'] | trim }}<|eot_id|>{% endfor %}"
    "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}"
)
"""After meta-llama/Llama-3.1-8B-Instruct, without tools."""

QWEN_3 = (
    "{% for m in messages %}{% if m.role == 'assistant' and loop.last %}"
    "<|im_start|>assistant\n<think>\n\n</think>\n\n{{ m.content }}<|im_end|>\n"
    "{% else %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if enable_thinking is defined and enable_thinking is false %}<think>\n\n</think>\n\n"
    "{% endif %}{% endif %}"
)
"""After Qwen/Qwen3-0.6B, without tools."""

GEMMA = (
    "{{ bos_token }}{% for m in messages %}"
    "{% set role = 'model' if m['role'] == 'assistant' else m['role'] %}"
    "<start_of_turn>{{ role }}\n{{ m['content'] | trim }}<end_of_turn>\n{% endfor %}"
    "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
)
"""After google/gemma-2-2b-it."""

TEMPLATES = {
    "llama-3": (LLAMA_3, "<|eot_id|>", ["<|start_header_id|>", "<|end_header_id|>"]),
    "qwen-3": (QWEN_3, "<|im_end|>", ["<|im_start|>"]),
    "gemma": (GEMMA, "<end_of_turn>", ["<start_of_turn>"]),
}
ROWS = [
    ("پانی کا فارمولا کیا ہے؟", "", "H2O"),
    ("جملہ مکمل کریں۔", "لاہور ایک", "لاہور ایک شہر ہے۔\n\nاور دوسری سطر۔"),
    ("What is 2 + 2?", "", "4"),
]


@pytest.fixture(params=TEMPLATES)
def chatty(request, tokenizer):
    template, end, others = TEMPLATES[request.param]
    other = copy.deepcopy(tokenizer)
    other.add_special_tokens({"additional_special_tokens": [end, *others]})
    other.chat_template = template
    return other, end


@pytest.mark.parametrize(("instruction", "input", "output"), ROWS)
def test_loss_is_on_the_answer_and_its_end(chatty, instruction, input, output):
    tokenizer, end = chatty
    found = encode_example(
        Example.make("ur", "qa", instruction, input, output, Origin(kind="seed")), "auto", tokenizer
    )
    ((start, end_at),) = found.labelled
    prompt, learned = list(found.tokens[:start]), list(found.tokens[start:])
    assert end_at == len(found.tokens)
    assert tokenizer.decode(learned) == output + end
    assert learned.count(tokenizer.convert_tokens_to_ids(end)) == 1
    assert tokenizer.decode(prompt) == write_prompt(instruction, input, "auto", tokenizer)
    assert tokenizer.bos_token_id not in prompt[1:]


@pytest.mark.parametrize(("instruction", "input", "output"), ROWS)
def test_prompt_and_answer_are_the_tokens_of_the_whole_conversation(chatty, instruction, input, output):
    """Encoded apart and joined, they are what the template's own text is encoded to."""
    tokenizer, _ = chatty
    found = encode_example(
        Example.make("ur", "qa", instruction, input, output, Origin(kind="seed")), "auto", tokenizer
    )
    asked = f"{instruction}\n\n{input}" if input else instruction
    turns = [{"role": "user", "content": asked}, {"role": "assistant", "content": output}]
    whole = tokenizer.apply_chat_template(turns, tokenize=False, date_string="26 Jul 2024")
    assert list(found.tokens) == tokenizer(whole.rstrip("\n"), add_special_tokens=False)["input_ids"]


def test_an_answer_never_begins_with_an_empty_thought(chatty):
    tokenizer, _ = chatty
    found = encode_example(
        Example.make("en", "qa", "q", "", "answer", Origin(kind="seed")), "auto", tokenizer
    )
    assert "<think>" not in tokenizer.decode(found.tokens[found.labelled[0][0] :])


CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n"
    "{% if m.role == 'assistant' %}{% generation %}{{ m.content }}<|im_end|>{% endgeneration %}"
    "{% else %}{{ m.content }}<|im_end|>{% endif %}\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
TURNS = (
    Message(role="system", content="مختصر جواب دیں۔"),
    Message(role="user", content="پانی کا فارمولا کیا ہے؟"),
    Message(role="assistant", content="H2O"),
    Message(role="user", content="اور نمک کا؟"),
    Message(role="assistant", content="NaCl: سوڈیم اور کلورین۔"),
)
"""Be brief. What is the formula of water? And of salt? Sodium and chlorine."""


def conversation(turns: tuple[Message, ...] = TURNS, input: str = "") -> Example:
    row = Example.make("ur", "qa", "شکریہ، اور آکسیجن؟", input, "O2", Origin(kind="seed"))
    return row.with_turns(turns)


def labelled(found: Segment) -> list[int]:
    return [index for start, end in found.labelled for index in range(start, end)]


def test_the_labelled_tokens_are_transformers_assistant_tokens(tokenizer):
    other = copy.deepcopy(tokenizer)
    other.add_special_tokens({"additional_special_tokens": ["<|im_start|>", "<|im_end|>"]})
    other.chat_template = CHATML
    row = conversation()
    found = encode_example(row, "auto", other)
    messages = [
        *(message.model_dump() for message in row.turns),
        {"role": "user", "content": row.instruction},
        {"role": "assistant", "content": row.output},
    ]
    expected = other.apply_chat_template(
        messages, tokenize=True, return_dict=True, return_assistant_tokens_mask=True
    )
    ids, mask = expected["input_ids"], expected["assistant_masks"]
    assert found.tokens == ids[: len(found.tokens)]
    assert not other.decode(ids[len(found.tokens) :]).strip()  # a newline after the last answer
    assert labelled(found) == [index for index, is_answer in enumerate(mask) if is_answer]
    assert len(found.labelled) == 3


def test_loss_is_on_every_answer_and_never_on_system_or_user(chatty):
    tokenizer, end = chatty
    row = conversation(TURNS[1:] if "start_of_turn" in tokenizer.chat_template else TURNS)
    found = encode_example(row, "auto", tokenizer)
    answers = [tokenizer.decode(found.tokens[start:stop]) for start, stop in found.labelled]
    assert answers == [f"{text}{end}" for text in ("H2O", "NaCl: سوڈیم اور کلورین۔", "O2")]
    prompt = write_prompt(row.instruction, row.input, "auto", tokenizer, row.turns)
    assert tokenizer.decode(found.tokens[: found.labelled[-1][0]]) == prompt


@pytest.mark.parametrize("turns", [TURNS, TURNS[1:], TURNS[:1]], ids=["all", "no system", "system only"])
@pytest.mark.parametrize("input", ["", "لاہور"])
def test_without_a_chat_template_a_conversation_has_alpacas_headings(tokenizer, turns, input):
    row = conversation(turns, input)
    found = encode_example(row, "auto", tokenizer)
    answers = [tokenizer.decode(found.tokens[start:stop]) for start, stop in found.labelled]
    earlier = [message.content for message in turns if message.role == "assistant"]
    assert answers == [f"{text}<|end|>" for text in (*earlier, "O2")]
    text = tokenizer.decode(found.tokens)
    assert text.startswith("<|start|>" + (TURNS[0].content if turns[0].role == "system" else "Below is an"))
    assert text.count("### Response:\n") == text.count("### Instruction:\n") == len(answers)
    prompt = write_prompt(row.instruction, row.input, "auto", tokenizer, row.turns)
    assert tokenizer.decode(found.tokens[: found.labelled[-1][0]]) == prompt
    assert ("### Input:\nلاہور\n\n### Response:" in text) is bool(input)


def test_what_looks_like_a_heading_in_an_answer_is_text(tokenizer):
    turns = (Message(role="user", content="a"), Message(role="assistant", content="### Response:\nb<|end|>"))
    found = encode_example(conversation(turns), "auto", tokenizer)
    start, stop = found.labelled[0]
    assert tokenizer.decode(found.tokens[start:stop]) == "### Response:\nb<|end|><|end|>"
    assert list(found.tokens[start:stop]).count(tokenizer.eos_token_id) == 1


def test_a_template_that_changes_earlier_text_is_refused_for_conversations(tokenizer):
    other = copy.deepcopy(tokenizer)
    other.chat_template = (
        "{% if add_generation_prompt %}ask {% endif %}{% for m in messages %}{{ m.content }} {% endfor %}"
    )
    with pytest.raises(ModelError, match="does not continue its own prompt"):
        encode_example(conversation(), "auto", other)
