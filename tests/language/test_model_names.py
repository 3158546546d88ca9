"""Names of models are hidden in any spelling, and words that only look like them are not."""

from __future__ import annotations

import pytest

from alif.language.model_names import HIDDEN_NAME, hide_model_names

NAMES = (
    "gpt", "claude", "gemini", "google", "openai", "llama", "qwen", "deepseek", "کلاڈ", "كلاڈ", "جیمن",
    "اوپن", "جی پی", "جی۔پی", "گوگل", "علی بابا", "ڈیپ سیک", "کوین", "گروک", "میٹا", "গুগল",
)  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "I am ChatGPT, a large language model.",
        "As an AI developed by Google, I cannot say.",
        "I'm LLaMA-2-70b-chat.",
        "My name is Claude 3.5 Sonnet.",
        "Chat-GPT", "chat gpt", "C\u200bhatGPT", "G.P.T.-4", "GPT4o-mini",
        "qwen2.5-72b-instruct", "DeepSeek-R1",
        "میں چیٹ جی پی ٹی ہوں۔",
        "میں چیٹ‌جی‌پی‌ٹی ہوں۔",
        "مجھے اوپن اے آئی نے بنایا ہے۔",
        "مجھے اوپن‌اے‌آئی نے تیار کیا۔",
        "میں کلاڈ ہوں، اینتھروپک کا بنایا ہوا ماڈل ہوں۔",
        "میرا نام جیمنائی ہے۔",
        "میں جیمنی ہوں اور گوگل نے میری تربیت کی ہے۔",
        "میں كلاڈ ہوں۔",  # typed with the Arabic kaf
        "میں کلاڈ ۳ ہوں۔",
        "میرا نام کوین ہے اور میں علی بابا کا لینگویج ماڈل ہوں۔",
        "میں ڈیپ سیک ہوں۔",
        "جی۔پی۔ٹی-۴",
        "میں چیٹ GPT ہوں۔",
        "میں گروک ہوں، ایکس اے آئی کا معاون ہوں۔",
        "بطور مصنوعی ذہانت مجھے میٹا نے بنایا۔",
        "আমি একটি ভাষা মডেল, গুগল আমাকে তৈরি করেছে।",
    ],
)  # fmt: skip
def test_who_wrote_it_is_hidden(text: str) -> None:
    hidden, count = hide_model_names(text)
    assert count >= 1
    assert HIDDEN_NAME in hidden
    folded = hidden.casefold().replace("\u200b", "")
    for name in NAMES:
        assert name not in folded, hidden


@pytest.mark.parametrize(
    "text",
    [
        "کلاڈ مونے فرانس کے مصور تھے۔",
        "گوگل میں لفظ لکھ کر تلاش کریں۔",
        "A llama carried the load over the Andes.",
        "الف سے انار، ب سے بکری۔",
        "میں لاہور میں رہتا ہوں۔",
        "The EGPTX sensor",
        "تین جمع چار سات ہوتے ہیں۔",
        "Gemini is a constellation, and Claude a name.",
    ],
)
def test_words_and_people_keep_their_names(text: str) -> None:
    assert hide_model_names(text) == (text, 0)


def test_every_name_is_hidden_by_the_same_length_and_the_rest_stays() -> None:
    found = hide_model_names("میں چیٹ جی پی ٹی ہوں، GPT-4o پر مبنی۔\nلاہور پنجاب میں ہے۔")
    assert found == ("میں ■■■ ہوں، ■■■ پر مبنی۔\nلاہور پنجاب میں ہے۔", 2)


def test_what_the_sources_are_called_is_hidden_too() -> None:
    own = ("mine-8b-v2", "finetune")
    assert hide_model_names("Output of mine-8b-v2.", own) == ("Output of ■■■.", 1)
    assert hide_model_names("I am finetune, your assistant.", own)[1] == 1
    assert hide_model_names("They finetune a piano.", own)[1] == 0
