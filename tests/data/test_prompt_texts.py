"""The wordings of requests are files; each has the fields that are filled in."""

from __future__ import annotations

from dataclasses import asdict
from string import Formatter

from alif.data.prompt_texts import PROMPTS_FOLDER, PromptTexts, load_prompt_texts, prompt_digest

FIELDS = {
    "request": {"items"},
    "user": {"count", "rows", "grounding", "slots", "request"},
    "grounding": {"passage"},
    "reverse_user": {"count", "rows", "passage"},
    "translate_row": {"known", "own", "native", "no_input", "keep"},
}


def test_every_file_is_read_and_has_its_fields(texts: PromptTexts) -> None:
    wordings = asdict(texts)
    assert {path.stem for path in PROMPTS_FOLDER.glob("*.txt")} == set(wordings)
    for name, fields in FIELDS.items():
        assert {field for _, field, _, _ in Formatter().parse(wordings[name]) if field} == fields
    assert load_prompt_texts() == texts


def test_a_changed_wording_has_another_digest(texts: PromptTexts) -> None:
    assert prompt_digest(texts.request) == prompt_digest(str(texts.request))
    assert prompt_digest(texts.request) != prompt_digest(f"{texts.request} ")
