from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alif.models.reading import read


def completion(content: Any, usage: Any = None, finish: Any = "stop") -> str:
    return json.dumps({"model": "m", "choices": [{"message": {"content": content}, "finish_reason": finish}], "usage": usage})


def test_tokens_of_providers_that_count_differently() -> None:
    openai = read(
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
    assert (openai.tokens_in, openai.tokens_cached, openai.tokens_out, openai.tokens_reasoning) == (100, 80, 50, 40)
    apart = read(completion("شہر", {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 150}))
    assert apart.tokens_out == 50, "reasoning that is only in the total is paid for too"
    assert not read(completion("شہر")).metered


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        ("", "an empty body"),
        (completion("شہر")[:40], "broken JSON"),
        ("[" * 100_000, "broken JSON"),
        ('{"choices": []}', "without choices"),
        ('{"error": {"message": "overloaded"}}', "without choices"),
        ("[]", "without choices"),
        ("null", "without choices"),
        ('{"choices": [{"message": null}]}', "without choices"),
    ],
)
def test_what_is_no_reply(raw: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read(raw)


def test_what_is_a_reply_all_the_same() -> None:
    assert read(completion([{"type": "thinking"}, {"type": "text", "text": "شہر"}])).text == "شہر"
    assert read(completion(None, finish="length")).finish == "length"
    assert read('{"error": {"code": "content_filter"}}').finish == "content_filter"
    assert read('{"choices": [{"message": {"content": "a\nb"}}]}').text == "a\nb", "a raw line break inside a string"


def test_nul_and_half_a_character_are_replaced() -> None:
    assert read(completion("ab\x00\ud83dc\ude00")).text == "ab\ufffd\ufffdc\ufffd"
    assert read(completion("😀")).text == "😀"


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(
                    ["choices", "message", "content", "usage", "prompt_tokens", "error", "code", "text", "finish_reason"]
                ),
                inner,
            )
        ),
    )
)
def test_any_json_is_read_or_refused(value: Any) -> None:
    try:
        reading = read(json.dumps(value))
    except ValueError:
        return
    reading.text.encode()
    assert reading.tokens_in >= reading.tokens_cached >= 0


def test_a_reply_of_anthropic() -> None:
    usage = {"input_tokens": 7, "cache_creation_input_tokens": 2, "cache_read_input_tokens": 3, "output_tokens": 5}
    content = [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "سل"}, {"type": "text", "text": "ام"}]
    reply = {"type": "message", "model": "c", "content": content, "stop_reason": "max_tokens", "usage": usage}
    found = read(json.dumps(reply))
    assert (found.text, found.finish, found.model) == ("سلام", "length", "c")
    assert (found.tokens_in, found.tokens_cached, found.tokens_out, found.metered) == (12, 3, 5, True)
    for reason, finish in (("end_turn", "stop"), ("refusal", "content_filter"), (None, "stop"), ("odd", "odd")):
        assert read(json.dumps(reply | {"stop_reason": reason})).finish == finish
    with pytest.raises(ValueError, match="without content"):
        read(json.dumps(reply | {"content": None}))


def test_a_model_that_had_no_token_left_has_answered_nothing() -> None:
    message = "Could not finish the message because max_tokens or model output limit was reached. Please try again."
    found = read(json.dumps({"error": {"message": message, "code": None}}))
    assert (found.text, found.finish, found.metered) == ("", "length", False)
