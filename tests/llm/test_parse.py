from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alif.llm.parse import UnparsableReply, parse_reply


def completion(content: Any, usage: Any = None, finish: Any = "stop") -> str:
    return json.dumps(
        {
            "model": "m",
            "choices": [{"message": {"content": content}, "finish_reason": finish}],
            "usage": usage,
        }
    )


def test_tokens_of_providers_that_count_differently() -> None:
    openai = parse_reply(
        completion(
            "شہر",
            {
                "prompt_tokens": 100,
                "completion_tokens": 50,
                "total_tokens": 150,
                "prompt_tokens_details": {"cached_tokens": 80},
                "completion_tokens_details": {"reasoning_tokens": 40},
            },
        )
    )
    assert (openai.tokens_in, openai.tokens_cached, openai.tokens_out, openai.tokens_reasoning) == (
        100,
        80,
        50,
        40,
    )
    apart = parse_reply(
        completion("شہر", {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 150})
    )
    assert apart.tokens_out == 50, "reasoning that is only in the total is paid for too"
    assert not parse_reply(completion("شہر")).metered
    floats = parse_reply(completion("شہر", {"prompt_tokens": 3.0, "completion_tokens": 2.0}))
    assert (floats.tokens_in, floats.tokens_out, floats.metered) == (3, 2, True)


@pytest.mark.parametrize(
    "odd", [10**23, 1e300, float("nan"), float("inf"), -(10**23), True, 2.5, "7", None, [3]]
)
def test_a_number_of_tokens_that_cannot_be_is_not_believed(odd: Any) -> None:
    usage = {"prompt_tokens": odd, "prompt_tokens_details": {"cached_tokens": odd}}
    assert not parse_reply(completion("شہر", usage)).metered
    details = {
        "prompt_tokens": 3,
        "completion_tokens": 2,
        "completion_tokens_details": {"reasoning_tokens": odd},
    }
    assert parse_reply(completion("شہر", details)).tokens_reasoning == 0
    assert not parse_reply(completion("شہر", {"prompt_tokens": 3, "completion_tokens": odd})).metered


def test_a_text_that_took_no_tokens_is_not_metered() -> None:
    """Where the usage is half there, the answer is not counted as nothing: the upper bound holds."""
    halves: list[dict[str, Any]] = [
        {"prompt_tokens": 50},
        {"completion_tokens": 50},
        {"prompt_tokens": 50, "total_tokens": 50},
    ]
    assert not any(parse_reply(completion("شہر", usage)).metered for usage in halves)
    assert parse_reply(completion("شہر", {"prompt_tokens": 50, "total_tokens": 60})).metered
    assert parse_reply(completion("", {"prompt_tokens": 50, "completion_tokens": 0})).metered, (
        "no text may take no token"
    )
    for usage in ({"input_tokens": 50}, {"output_tokens": 50}):
        assert not parse_reply(json.dumps(message("شہر", usage))).metered
    assert parse_reply(json.dumps(message("شہر", {"input_tokens": 50, "output_tokens": 5}))).metered
    assert parse_reply(json.dumps(message("", {"input_tokens": 50}))).metered


def message(text: str, usage: Any) -> dict[str, Any]:
    content = [{"type": "text", "text": text}]
    return {"type": "message", "model": "c", "content": content, "stop_reason": "end_turn", "usage": usage}


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        ("", "an empty body"),
        (completion("شہر")[:40], "broken JSON"),
        ("[" * 100_000, "broken JSON"),
        ('{"choices": []}', "without choices"),
        ("[]", "without choices"),
        ("null", "without choices"),
        ('{"choices": [{"message": null}]}', "without choices"),
    ],
)
def test_what_is_no_reply(raw: str, why: str) -> None:
    with pytest.raises(UnparsableReply, match=why) as caught:
        parse_reply(raw)
    assert (caught.value.status, caught.value.may_be_billed) == (0, True), "it may be half of what is billed"


def test_an_error_with_status_200_is_no_reply_and_not_billed() -> None:
    with pytest.raises(UnparsableReply, match="an error") as caught:
        parse_reply('{"error": {"message": "overloaded"}}')
    assert (caught.value.status, caught.value.may_be_billed) == (0, False)


def test_a_page_for_people_comes_from_no_model() -> None:
    with pytest.raises(UnparsableReply, match="a web page") as caught:
        parse_reply("\n<!DOCTYPE html><html>Sign in</html>")
    assert not caught.value.may_be_billed


def test_an_error_sent_as_a_success_keeps_its_status() -> None:
    for code in (402, "429", 503):
        with pytest.raises(UnparsableReply) as caught:
            parse_reply(json.dumps({"error": {"code": code, "message": "no"}}))
        assert caught.value.status == int(code)
    broken = {
        "message": {"content": "نصف"},
        "finish_reason": "error",
        "error": {"code": 500, "message": "upstream"},
    }
    for choice in (broken, broken | {"error": None}, broken | {"finish_reason": "stop"}):
        with pytest.raises(UnparsableReply, match="broke off") as caught:
            parse_reply(json.dumps({"choices": [choice]}))
        assert caught.value.status == 502, "tried again, and perhaps billed"


@pytest.mark.parametrize(
    ("words", "finish"),
    [
        (
            [
                "stop",
                "eos",
                "EOS",
                "eos_token",
                "end_turn",
                "STOP",
                "stop_sequence",
                "complete",
                "Completed",
                "",
                None,
            ],
            "stop",
        ),
        (["length", "max_tokens", "MAX_TOKENS", "model_length"], "length"),
        (["content_filter", "refusal", "SAFETY", "PROHIBITED_CONTENT"], "content_filter"),
        (["tool_calls"], "tool_calls"),
        (["insufficient_system_resource"], "insufficient_system_resource"),
        (["Odd"], "Odd"),
    ],
)
def test_the_words_of_all_providers_for_the_end(words: list[str | None], finish: str) -> None:
    for word in words:
        assert parse_reply(completion("شہر", finish=word)).finish == finish
        assert (
            parse_reply(json.dumps({"type": "message", "content": [], "stop_reason": word})).finish == finish
        )


REFUSALS: list[tuple[object, bool]] = [
    # DeepSeek
    ({"message": "Content Exists Risk", "code": "invalid_request_error"}, False),
    # OpenAI
    (
        {
            "message": "Your prompt was flagged as potentially violating our usage policy",
            "code": "invalid_prompt",
        },
        False,
    ),
    (
        {"message": "We've limited access to this content for safety reasons.", "code": "invalid_prompt"},
        False,
    ),
    # Azure
    (
        {"message": "The response was filtered due to the prompt", "code": "content_filter", "status": 400},
        False,
    ),
    # Moonshot
    (
        {"code": 400, "message": "The request was rejected", "param": "prompt", "type": "content_filter"},
        False,
    ),
    # DashScope
    ({"message": "Input data may contain inappropriate content.", "code": "data_inspection_failed"}, False),
    ({"message": "Output data may contain inappropriate content.", "code": "data_inspection_failed"}, True),
    # Zhipu
    ({"code": "1301", "message": "系统检测到输入或生成内容可能包含不安全或敏感内容"}, True),
    # xAI, which has a price for it
    ("Content violates usage guidelines. Failed check: SAFETY_CHECK_TYPE_BIO", True),
    # Anthropic
    ({"type": "invalid_request_error", "message": "Output blocked by content filtering policy"}, True),
    # OpenRouter
    ({"code": 403, "message": "flagged", "metadata": {"reasons": ["violence"], "flagged_input": "…"}}, False),
    (
        {
            "code": 400,
            "message": "Provider returned error",
            "metadata": {"raw": '{"detail": "Content Exists Risk"}'},
        },
        False,
    ),
]


@pytest.mark.parametrize(("error", "written"), REFUSALS)
def test_a_refusal_of_this_prompt_is_an_answer_of_no_text(error: object, written: bool) -> None:
    found = parse_reply(json.dumps({"error": error}))
    assert (found.text, found.finish, found.metered, found.has_output) == (
        "",
        "content_filter",
        False,
        written,
    )


@pytest.mark.parametrize(
    "error",
    [
        {"code": "invalid_prompt", "message": "Invalid prompt: messages[1].role is unknown"},
        {
            "code": 403,
            "message": "Budget limit exceeded",
            "metadata": {"limit_source": "openrouter_key_limit"},
        },
        {"code": "unsupported_value", "message": "'temperature' does not support 0.7"},
        "no such thing",
        None,
    ],
)
def test_other_refusals_are_none(error: object) -> None:
    with pytest.raises(UnparsableReply):
        parse_reply(json.dumps({"error": error}))


def test_what_is_a_reply_all_the_same() -> None:
    assert parse_reply(completion([{"type": "thinking"}, {"type": "text", "text": "شہر"}])).text == "شہر"
    assert parse_reply(completion(None, finish="length")).finish == "length"
    assert parse_reply('{"error": {"code": "content_filter"}}').finish == "content_filter"
    assert parse_reply('{"choices": [{"message": {"content": "a\nb"}}]}').text == "a\nb", (
        "a raw line break inside a string"
    )


def test_nul_and_half_a_character_are_replaced() -> None:
    assert parse_reply(completion("ab\x00\ud83dc\ude00")).text == "ab\ufffd\ufffdc\ufffd"
    assert parse_reply(completion("😀")).text == "😀"


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "choices",
                        "message",
                        "content",
                        "usage",
                        "prompt_tokens",
                        "error",
                        "code",
                        "text",
                        "finish_reason",
                    ]
                ),
                inner,
            )
        ),
    )
)
def test_any_json_is_read_or_refused(value: Any) -> None:
    try:
        reading = parse_reply(json.dumps(value))
    except ValueError:
        return
    reading.text.encode()
    assert reading.tokens_in >= reading.tokens_cached >= 0


def test_a_reply_of_anthropic() -> None:
    usage = {
        "input_tokens": 7,
        "cache_creation_input_tokens": 2,
        "cache_read_input_tokens": 3,
        "output_tokens": 5,
    }
    content = [
        {"type": "thinking", "thinking": "hm"},
        {"type": "text", "text": "سل"},
        {"type": "text", "text": "ام"},
    ]
    reply = {"type": "message", "model": "c", "content": content, "stop_reason": "max_tokens", "usage": usage}
    found = parse_reply(json.dumps(reply))
    assert (found.text, found.finish, found.model) == ("سلام", "length", "c")
    assert (found.tokens_in, found.tokens_cached, found.tokens_out, found.metered) == (12, 3, 5, True)
    for reason, finish in (
        ("end_turn", "stop"),
        ("refusal", "content_filter"),
        (None, "stop"),
        ("odd", "odd"),
    ):
        assert parse_reply(json.dumps(reply | {"stop_reason": reason})).finish == finish
    with pytest.raises(ValueError, match="without content"):
        parse_reply(json.dumps(reply | {"content": None}))


def test_a_model_that_had_no_token_left_has_answered_nothing() -> None:
    message = (
        "Could not finish the message because max_tokens or model output limit was reached. Please try again."
    )
    found = parse_reply(json.dumps({"error": {"message": message, "code": None}}))
    assert (found.text, found.finish, found.metered) == ("", "length", False)


@pytest.mark.parametrize(
    ("written", "reasoning", "finish"),
    [
        (2047, 0, "stop"),
        (2048, 0, "length"),
        (2049, 0, "length"),
        (2048, 9, "length"),
        (9_000, 8_000, "stop"),
        (9_000, 6_952, "length"),
    ],
)
def test_a_reply_that_took_all_its_tokens_was_cut_off_whatever_it_says(
    written: int, reasoning: int, finish: str
) -> None:
    """Where reasoning is counted apart from max_tokens, only what follows it can be cut off."""
    details = {"completion_tokens_details": {"reasoning_tokens": reasoning}}
    for usage in ({"completion_tokens": written}, {"total_tokens": written + 9}):
        raw = completion("x", {"prompt_tokens": 9, **usage, **details})
        assert parse_reply(raw, 2048).finish == finish


def test_a_body_without_a_message_costs_what_it_reports() -> None:
    usage = {"prompt_tokens": 900, "completion_tokens": 0, "total_tokens": 900}
    for choices in (
        None,
        [],
        [{"finish_reason": "stop"}],
        [{"message": {"content": ""}, "finish_reason": "error"}],
    ):
        with pytest.raises(UnparsableReply) as caught:
            parse_reply(json.dumps({"choices": choices, "usage": usage}))
        assert caught.value.usage is not None
        assert (caught.value.usage.tokens_in, caught.value.usage.tokens_out) == (900, 0)
    with pytest.raises(UnparsableReply) as caught:
        parse_reply('{"choices": []}')
    assert caught.value.usage is None
    blocked = [{"finish_reason": "content_filter: PROHIBITED_CONTENT"}]
    assert parse_reply(json.dumps({"choices": blocked, "usage": usage})).finish == "content_filter"
