from __future__ import annotations

import pytest

from alif.errors import RecipeError
from alif.llm import protocol
from alif.recipe import dump_recipe, identity_settings, validate_recipe
from alif.records import Message
from alif.settings import Teacher

SYSTEM = [Message(role="system", content="Be brief."), Message(role="user", content="سلام")]


def test_bodies() -> None:
    own = protocol.request_body(
        Teacher(model="m", base_url="http://pc:1/v1", temperature=0.5, max_tokens=9), SYSTEM
    )
    assert own == {
        "model": "m",
        "messages": [m.model_dump() for m in SYSTEM],
        "temperature": 0.5,
        "max_tokens": 9,
    }
    azure = (
        "https://mine.services.ai.azure.com",
        "https://mine.openai.azure.com",
        "https://mine.openai.azure.com/openai/v1",
    )
    for where in ("https://api.openai.com/v1", *azure):
        assert "max_completion_tokens" in protocol.request_body(Teacher(model="m", base_url=where), SYSTEM), (
            where
        )
    claude = Teacher(model="c", base_url="https://api.anthropic.com", max_tokens=9)
    assert protocol.request_body(claude, SYSTEM) == {
        "model": "c",
        "max_tokens": 9,
        "messages": [{"role": "user", "content": "سلام"}],
        "system": "Be brief.",
    }
    assert protocol.request_body(claude.model_copy(update={"temperature": 0.3}), SYSTEM)["temperature"] == 0.3
    assert protocol.request_path(claude) == "/v1/messages"


def teacher(**settings: object) -> Teacher:
    return Teacher.model_validate({"model": "m", "base_url": "http://pc:1/v1", "max_tokens": 9, **settings})


@pytest.mark.parametrize(
    ("turns", "sent"),
    [
        ([("system", "s"), ("user", "u")], [("user", "s\n\nu")]),
        (
            [("user", "u"), ("assistant", "a"), ("user", "v")],
            [("user", "u"), ("assistant", "a"), ("user", "v")],
        ),
        (
            [("system", "s"), ("assistant", "hi"), ("user", "u"), ("assistant", "a"), ("user", "v")],
            [("assistant", "hi"), ("user", "s\n\nu"), ("assistant", "a"), ("user", "v")],
        ),
        ([("system", "s")], [("user", "s")]),
    ],
)
def test_without_a_system_role_its_text_stands_before_the_first_question(
    turns: list[tuple[str, str]], sent: list[tuple[str, str]]
) -> None:
    messages = [Message.model_validate({"role": role, "content": content}) for role, content in turns]
    found = protocol.sent_messages(teacher(system_role=False), messages)
    assert [(one.role, one.content) for one in found] == sent
    assert protocol.sent_messages(teacher(), messages) == messages


def test_the_bound_has_the_name_that_the_server_wants_and_a_stream_is_asked_for() -> None:
    named = teacher(max_tokens_field="max_completion_tokens", stream=True, extra={"top_p": 0.9})
    body = protocol.request_body(named, SYSTEM)
    assert (body["max_completion_tokens"], body["top_p"]) == (9, 0.9)
    assert "max_tokens" not in body
    assert "stream" not in body, "a batch has no stream"
    assert protocol.stream_fields(named) == {"stream": True, "stream_options": {"include_usage": True}}
    assert protocol.stream_fields(teacher()) == {"stream": False}


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("model", "a key of the recipe"),
        ("Stream", "a key of the recipe"),
        ("max_tokens", "a key of the recipe"),
        ("max_completion_tokens", "write max_tokens"),
        ("messages", "prompts are the pack's"),
        ("n", "one reply is read"),
        ("stop", "would pass as whole"),
        ("api_key", "keys come from the environment"),
        ("extra_body", "write the fields themselves"),
    ],
)
def test_a_free_field_overwrites_nothing_of_alif_s_own(field: str, said: str) -> None:
    values = {"name": "r", "teacher": {"gpt": {"model": "m", "extra": {field: "sk-1"}}}}
    with pytest.raises(RecipeError, match=said):
        validate_recipe(values, "r.toml")


def test_a_free_field_is_written_back_and_is_identity_only_where_there_is_one() -> None:
    def loaded(**fields: object) -> tuple[str, dict[str, object]]:
        recipe = validate_recipe({"name": "r", "teacher": {"gpt": {"model": "m", **fields}}}, "r.toml")
        return dump_recipe(recipe), identity_settings("teacher", recipe.teacher)

    plain, known = loaded()
    assert "extra" not in plain
    assert not {"teacher.gpt.extra", "teacher.gpt.system_role"} & known.keys(), (
        "runs made before stay as they are"
    )
    written, known = loaded(extra={"chat_template_kwargs": {"enable_thinking": False}}, system_role=False)
    assert "enable_thinking = false" in written
    assert known["teacher.gpt.extra"] == {"chat_template_kwargs": {"enable_thinking": False}}
    assert known["teacher.gpt.system_role"] is False


@pytest.mark.parametrize(
    ("words", "setting"),
    [
        ("System role not supported", "system_role = false"),
        ("'messages[0].role' does not support 'system' with this model.", "system_role = false"),
        ("Conversation roles must alternate user/assistant/user/assistant/...", "system_role = false"),
        ("Only user and assistant roles are supported!", "system_role = false"),
        ("Developer instruction is not enabled for models/gemma-3-27b-it", "system_role = false"),
        ("This model does not support system messages", "system_role = false"),
        (
            "Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens' instead.",
            'max_tokens_field = "max_completion_tokens"',
        ),
        ("This model only support stream mode, please enable the stream parameter", "stream = true"),
        ("enable_thinking must be set to false for non-streaming calls", "stream = true"),
        ("Stream must be set to true", "stream = true"),
        ("Unrecognized request argument supplied: top_k", "extra.top_k"),
        ("Invalid temperature", ""),
        ("upstream error: only one", ""),
        ("The system is not available", ""),
    ],
)
def test_a_refusal_leads_to_the_setting_that_answers_it(words: str, setting: str) -> None:
    hint = protocol.suggest_setting("teacher.gpt", teacher(extra={"top_k": 9}), words)
    assert hint.removesuffix(".").endswith(f"teacher.gpt.{setting}" if setting else "")
    assert bool(hint) is bool(setting)
    named = teacher(max_tokens_field="max_completion_tokens")
    unknown = protocol.suggest_setting("teacher.gpt", named, "Unknown field max_completion_tokens")
    assert unknown.endswith('teacher.gpt.max_tokens_field = "max_tokens".')
