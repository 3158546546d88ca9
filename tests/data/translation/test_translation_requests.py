"""A translation is asked for as a row, or text by text where the row is long."""

from __future__ import annotations

from typing import Any

from alif.data.prompt_texts import load_prompt_texts
from alif.data.translation.translation_items import TranslationItem
from alif.data.translation.translation_requests import translate_item
from alif.language.pack import load_pack
from alif.llm import ChatRequest, Reply
from alif.records import Dropped, Example
from alif.settings import Teacher
from tests.data.conftest import row

EN, UR, TEXTS = load_pack("en"), load_pack("ur"), load_prompt_texts()
SENTENCES = {
    "Tell me about the bridge.": "مجھے پل کے بارے میں بتائیے۔",
    "The bridge is old.": "پل پرانا ہے۔",
    "It was built in 1920.": "یہ 1920 میں بنا تھا۔",
    "Many people use it.": "بہت لوگ اسے استعمال کرتے ہیں۔",
}
LONG = row(
    "qa", "Tell me about the bridge.",
    "The bridge is old.\n\n```py\nx = 1\n```\n\nIt was built in 1920.\n\nMany people use it.",
    kind="source", language="en",
)  # fmt: skip


def talk(
    item: TranslationItem, tokens: int, answers: dict[str, str], form: Any = "row"
) -> tuple[Any, list[ChatRequest]]:
    """Hold the conversation; return its result and the requests."""
    teacher = Teacher(model="m", max_tokens=tokens)
    conversation = translate_item(item, "t", teacher, UR, EN, TEXTS, form)
    asked = [next(conversation)]
    while True:
        said = answers.get(asked[-1].messages[-1].content, "معذرت")
        reply = Reply(
            text=said,
            finish="stop",
            model="m",
            request=f"r{len(asked)}",
            tokens_in=1,
            tokens_out=1,
            cost_usd=0.0,
        )
        try:
            asked.append(conversation.send(reply))
        except StopIteration as end:
            return end.value, asked


def test_a_long_row_is_split_and_rejoined_and_its_code_is_never_sent() -> None:
    found, asked = talk(TranslationItem(LONG), 20, SENTENCES)
    assert isinstance(found, Example), found
    assert found.instruction == SENTENCES["Tell me about the bridge."]
    assert (
        found.output
        == "پل پرانا ہے۔\n\n```py\nx = 1\n```\n\nیہ 1920 میں بنا تھا۔\n\nبہت لوگ اسے استعمال کرتے ہیں۔"
    )
    assert [one.messages[-1].content for one in asked] == list(SENTENCES)
    before = [message.content for message in asked[-1].messages]
    assert "یہ 1920 میں بنا تھا۔" in before, (
        "a piece is asked for behind the one before it, so that terms agree"
    )
    assert found.origin.parents == (LONG.id,)


def test_the_first_faulty_piece_ends_it() -> None:
    wrong = SENTENCES | {"It was built in 1920.": "یہ 1930 میں بنا تھا۔"}
    found, asked = talk(TranslationItem(LONG), 20, wrong)
    assert isinstance(found, Dropped)
    assert (found.reason, len(asked)) == ("lost_number", 3)
    assert "1920" in found.evidence


def test_a_translation_model_is_sent_one_text_at_a_time_without_a_conversation() -> None:
    plain = row("qa", "Tell me about the bridge.", "The bridge is old.", kind="source", language="en")
    found, asked = talk(TranslationItem(plain), 4096, SENTENCES, "text")
    assert isinstance(found, Example)
    assert (found.instruction, found.output) == (SENTENCES["Tell me about the bridge."], "پل پرانا ہے۔")
    assert [len(one.messages) for one in asked] == [2, 2]


def test_a_row_that_fits_is_one_request_and_an_added_field_is_a_fault() -> None:
    plain = row("qa", "Tell me about the bridge.", "The bridge is old.", kind="source", language="en")
    text = "Instruction: Tell me about the bridge.\nInput: <noinput>\nOutput: The bridge is old."
    right = "Instruction: مجھے پل کے بارے میں بتائیے۔\nInput: <noinput>\nOutput: پل پرانا ہے۔"
    assert isinstance(talk(TranslationItem(plain), 4096, {text: right})[0], Example)
    found, _ = talk(TranslationItem(plain), 4096, {text: right.replace("<noinput>", "پل کی تصویر۔")})
    assert isinstance(found, Dropped)
    assert found.reason == "added_field"


def test_single_letters_of_another_keyboard_are_mended() -> None:
    plain = TranslationItem(
        row("translation", "c", "", "The bridge is old.", kind="source", language="en"), "c"
    )
    found, _ = talk(plain, 4096, {"The bridge is old.": "یہ پل پرانا ہي ہے۔"})
    assert isinstance(found, Example)
    assert found.output == "یہ پل پرانا ہی ہے۔"
