from __future__ import annotations

import copy

import pytest

from alif.errors import ModelError
from alif.student import encode_answer, encode_documents, encode_prompt, write_prompt
from alif.student.chat_template import choose_template

CHATML = (
    "{% for m in messages %}<|im|>{{ m.role }}\n{{ m.content }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im|>assistant\n{% endif %}"
)


@pytest.fixture
def chatty(tokenizer):
    other = copy.deepcopy(tokenizer)
    other.chat_template = CHATML
    return other


def test_a_plain_base_gets_alpacas_headings(tokenizer):
    prompt = write_prompt("پانی کیا ہے؟", "", "auto", tokenizer)
    assert prompt.startswith("<|start|>Below is an instruction that describes a task. Write")
    assert prompt.endswith("### Instruction:\nپانی کیا ہے؟\n\n### Response:\n")
    assert "\n\n### Input:\nلاہور\n\n" in write_prompt("کہاں ہے؟", "لاہور", "auto", tokenizer)


def test_a_prompt_opens_with_one_opening_token(tokenizer):
    tokens = encode_prompt(write_prompt("x", "", "alpaca", tokenizer), tokenizer)
    assert tokens.count(tokenizer.bos_token_id) == 1
    assert tokens[0] == tokenizer.bos_token_id


def test_braces_in_a_row_are_text(tokenizer):
    assert "{input} {0}" in write_prompt("{input} {0}", "{x}", "alpaca", tokenizer)


def test_an_answer_ends_with_the_end_token_and_only_there(tokenizer):
    tokens = encode_answer("x", "", "لاہور <|end|> شہر", "alpaca", tokenizer)
    assert [at for at, token in enumerate(tokens) if token == tokenizer.eos_token_id] == [len(tokens) - 1]
    assert tokenizer.decode(tokens[:-1]) == "لاہور <|end|> شہر"


def test_documents_begin_and_end_with_their_tokens_once(tokenizer):
    for tokens in encode_documents(["لاہور", "a <|start|> b"], tokenizer):
        assert tokens[0] == tokenizer.bos_token_id
        assert tokens[-1] == tokenizer.eos_token_id
        assert not {tokenizer.bos_token_id, tokenizer.eos_token_id} & set(tokens[1:-1])
    assert encode_documents([], tokenizer) == []


def test_a_chat_template_is_used_where_there_is_one(chatty):
    assert choose_template("auto", chatty) == "chat"
    assert choose_template("alpaca", chatty) == "alpaca"
    assert write_prompt("سوال", "متن", "auto", chatty) == "<|im|>user\nسوال\n\nمتن<|end|>\n<|im|>assistant\n"


def test_prompt_and_answer_join_to_the_templates_own_text(chatty):
    tokens = encode_answer("سوال", "", "جواب", "auto", chatty)
    assert chatty.decode(tokens) == "جواب<|end|>"
    assert tokens[-1] == chatty.eos_token_id


def test_a_template_without_an_end_gets_one(chatty):
    turns = "{% for m in messages %}[{{ m.role }}] {{ m.content }} {% endfor %}"
    chatty.chat_template = turns + "{% if add_generation_prompt %}[assistant] {% endif %}"
    assert encode_answer("q", "", "a", "chat", chatty)[-1] == chatty.eos_token_id


def test_a_template_that_does_not_continue_itself_is_refused(chatty):
    chatty.chat_template = (
        "{% if add_generation_prompt %}ask {% else %}tell {% endif %}{{ messages[-1].content }}"
    )
    with pytest.raises(ModelError, match="does not continue its own prompt"):
        encode_answer("q", "", "a", "chat", chatty)


def test_no_clock_in_a_prompt(chatty):
    chatty.chat_template = "{{ date_string if date_string is defined else strftime_now('%d %b %Y') }}"
    assert write_prompt("q", "", "chat", chatty) == "26 Jul 2024"


def test_asking_for_a_chat_template_that_is_not_there_is_told(tokenizer):
    with pytest.raises(ModelError, match="no chat template"):
        write_prompt("q", "", "chat", tokenizer)


def test_a_tokenizer_without_an_end_is_told(tokenizer):
    other = copy.deepcopy(tokenizer)
    other.eos_token = None
    with pytest.raises(ModelError, match="no end-of-text token"):
        encode_documents(["x"], other)
