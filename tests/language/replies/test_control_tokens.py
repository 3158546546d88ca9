"""What chat templates leave in a reply is taken off its ends and found in its rows."""

from __future__ import annotations

import pytest

from alif.language import pack as packs
from alif.language.replies.control_tokens import find_control_token, strip_answer_tags, strip_turn_tokens
from alif.language.replies.item_format import Candidate, read_items
from alif.language.replies.reply_cleanup import strip_thinking
from alif.records import Dropped

DRAFT = "Instruction: draft\nInput: <noinput>\nOutput: draft\n"
ITEM = "Instruction: ask\nInput: <noinput>\nOutput: say"


@pytest.mark.parametrize(
    "reply",
    [
        f"{ITEM}<|im_end|>",
        f"{ITEM}</s>",
        f"<s>{ITEM}</s>",
        f"{ITEM}<end_of_turn>\n",
        f"{ITEM}<turn|>",
        f"{ITEM}<|im_end|>\n<|endoftext|>",
        f"{ITEM}<｜end▁of▁sentence｜>",
        f"{ITEM}<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\nThat is all!",
        f"{ITEM}<|im_end|>\n<|im_start|>user\nMore!<|im_end|>\n<|im_start|>assistant\n{DRAFT}",
        f"<|im_start|>assistant\n{ITEM}<|im_end|>",
        f"<|start_header_id|>assistant<|end_header_id|>\n\n{ITEM}",
        f"<start_of_turn>model\n{ITEM}<end_of_turn>",
        f"<answer>{ITEM}</answer>",
        f"{ITEM}</answer>",
        f"<think>{DRAFT}</think><answer>\n{ITEM}\n</answer>",
        f"<seed:think>{DRAFT}</seed:think>{ITEM}",
        f"◁think▷{DRAFT}◁/think▷{ITEM}",
        f"{DRAFT}◁/think▷{ITEM}",
        f"<|channel>thought\n{DRAFT}<channel|>{ITEM}",
        f"<|channel>thought\n<channel|>{ITEM}<turn|>",
        f"thought\n{DRAFT}<channel|>{ITEM}",
        f"{DRAFT}</think>{ITEM}",
        f"{DRAFT.rstrip()}</think>\n\n{ITEM}",
        f"<|channel|>analysis<|message|>{DRAFT}<|end|><|start|>assistant<|channel|>final<|message|>{ITEM}<|return|>",
        f"<|channel|>analysis<|message|>{DRAFT}<|end|><|channel|>final <|constrain|>text<|message|>{ITEM}",
        f"analysisWe need one item. {DRAFT}assistantfinal{ITEM}",
        f"<|START_THINKING|>{DRAFT}<|END_THINKING|><|START_RESPONSE|>{ITEM}<|END_RESPONSE|>",
        f"<|begin_of_thought|>{DRAFT}<|end_of_thought|>\n<|begin_of_solution|>{ITEM}<|end_of_solution|>",
        f"<unused94>thought\n{DRAFT}<unused95>{ITEM}",
        f"<think></think>\n<think>{DRAFT}</think>{ITEM}",
    ],
)
def test_only_the_item_is_read(reply: str) -> None:
    [found] = read_items(reply, "stop", packs.load_pack("ur"))
    assert isinstance(found, Candidate)
    assert (found.instruction, found.input, found.output) == ("ask", "", "say")


@pytest.mark.parametrize(
    "reply", [f"<|channel|>analysis<|message|>{DRAFT}", f"<|channel>thought\n{DRAFT}", f"<seed:think>{DRAFT}"]
)
def test_thinking_that_does_not_end_has_no_item(reply: str) -> None:
    [found] = read_items(reply, "length", packs.load_pack("ur"))
    assert isinstance(found, Dropped)
    assert found.reason == "truncated"


@pytest.mark.parametrize(
    "token",
    [
        "<|im_end|>", "<|eot_id|>", "</s>", "<s>", "<|turn>", "<turn|>", "<｜Assistant｜>", "[/INST]",
        "<unused7>", "<<SYS>>", "[|endofturn|]", "<end_of_turn>", "<0x0A>", "<eos>", "<|fim_middle|>",
        "◁redacted▷",
    ],
)  # fmt: skip
def test_an_item_with_a_control_token_is_dropped(token: str) -> None:
    found = read_items(f"{ITEM} {token} more\n###\n{ITEM}", "stop", packs.load_pack("ur"))
    assert [one.reason if isinstance(one, Dropped) else one.output for one in found] == [
        "control_token",
        "say",
    ]
    assert found[0].evidence == token  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "output", ["x</answer>", "<think>x", "a<seed:think>b", "</thinking>", "a </answer>\nb"]
)
def test_a_tag_beside_text_is_a_control_token(output: str) -> None:
    assert find_control_token("ask", "", output)


def test_an_item_that_ends_its_turn_before_the_next_is_whole() -> None:
    found = read_items(f"{ITEM}<|im_end|>\n###\n{ITEM}<|im_end|>", "stop", packs.load_pack("ur"))
    assert [one.output for one in found if isinstance(one, Candidate)] == ["say", "say"]


@pytest.mark.parametrize(
    "text",
    [
        "a < b",
        "x |> f <| y",
        "<s>old</s> new",
        "<b>bold</b>",
        "[1, 2]",
        "List<int>",
        "<noinput>",
        "a<|b",
        "if x<y|z>w",
    ],
)
def test_other_text_has_none(text: str) -> None:
    assert find_control_token(text) == ""
    assert strip_turn_tokens(text) == text
    assert strip_answer_tags(text) == text
    assert strip_thinking(text) == (text, False)
