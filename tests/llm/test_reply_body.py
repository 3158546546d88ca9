from __future__ import annotations

import json
from typing import Any

import pytest

from alif.llm.parse import ParsedReply, UnparsableReply, parse_reply
from alif.llm.reply_body import USED_UP, decode_body, stated_status, text_so_far

CITY = "شہر"
USAGE = {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}


def completion(text: str = CITY, finish: str = "stop") -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish}
    return {"id": "c-1", "model": "m", "choices": [choice], "usage": USAGE}


def dumped(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def events(*chunks: object, end: str = "data: [DONE]\n\n") -> str:
    return "".join(f"data: {dumped(chunk)}\n\n" for chunk in chunks) + end


def delta(text: str = "", finish: str | None = None, **fields: object) -> dict[str, Any]:
    return {
        "model": "m",
        "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": finish}],
        **fields,
    }


def ollama(text: str, done: bool, **fields: object) -> dict[str, Any]:
    return {"model": "m", "message": {"role": "assistant", "content": text}, "done": done, **fields}


COUNTS = {"done_reason": "stop", "prompt_eval_count": 9, "eval_count": 4}
RESPONSE = {
    "object": "response", "status": "completed", "model": "m", "error": None, "incomplete_details": None,
    "output": [
        {"type": "reasoning", "content": [{"type": "reasoning_text", "text": "hm"}], "summary": []},
        {"type": "message", "content": [{"type": "output_text", "text": CITY}]},
    ],
    "usage": {"input_tokens": 9, "output_tokens": 4, "total_tokens": 13},
}  # fmt: skip
GEMINI = {
    "candidates": [
        {"content": {"parts": [{"text": "hm", "thought": True}, {"text": CITY}]}, "finishReason": "STOP"}
    ],
    "usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 3, "totalTokenCount": 13},
    "modelVersion": "m",
}
ANTHROPIC = (
    {"type": "message_start", "message": {"model": "m", "content": [], "usage": {"input_tokens": 9}}},
    {"type": "content_block_delta", "delta": {"type": "text_delta", "text": CITY[:1]}},
    {"type": "ping"},
    {"type": "content_block_delta", "delta": {"type": "text_delta", "text": CITY[1:]}},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 4}},
    {"type": "message_stop"},
)


@pytest.mark.parametrize(
    "raw",
    [
        "\ufeff" + dumped(completion()),
        dumped(completion()) + "\n\ndata: [DONE]\n\n",
        dumped(completion()) + "\0" * 40,
        "\0\r\n " + dumped(completion()) + dumped(completion("دوسرا")),
        f"data: {dumped(completion())}\n\ndata: [DONE]\n\n",
        events(delta(CITY[:2]), delta(CITY[2:], "stop"), {"choices": [], "usage": USAGE}),
        ": OPENROUTER PROCESSING\n\n" + events(delta(CITY, "stop", usage=USAGE), end=""),
        "event: message\n" + events(delta(CITY), {"model": "m", "choices": [], "usage": USAGE}),
        events(*ANTHROPIC, end=""),
        events({"type": "response.created"}, {"type": "response.completed", "response": RESPONSE}),
        dumped(ollama(CITY, True, **COUNTS)),
        "\n".join(map(dumped, (ollama(CITY[:1], False), ollama(CITY[1:], False), ollama("", True) | COUNTS))),
        dumped({"model": "m", "response": CITY, "done": True, **COUNTS}),
        dumped(RESPONSE),
        dumped(GEMINI),
        dumped({"model": "m", "choices": [{"text": CITY, "finish_reason": "stop"}], "usage": USAGE}),
        dumped({"code": 0, "data": completion()}),
        dumped([completion()]),
        dumped(dumped(completion())),
    ],
)  # fmt: skip
def test_a_reply_is_read_whatever_is_around_it_and_in_every_interface(raw: str) -> None:
    assert parse_reply(raw) == ParsedReply(CITY, "stop", "m", 9, 0, 4, 0, metered=True)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_every_unicode_encoding_of_json_is_decoded(encoding: str) -> None:
    assert parse_reply(decode_body(dumped(completion()).encode(encoding))).text == CITY


def test_what_ends_by_length_ends_by_length_in_every_interface() -> None:
    cut = RESPONSE | {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
    for raw in (
        dumped(cut),
        events(delta(CITY, "length")),
        dumped(ollama(CITY, True, done_reason="length")),
        dumped({"candidates": [{"content": {"parts": [{"text": CITY}]}, "finishReason": "MAX_TOKENS"}]}),
    ):
        assert (parse_reply(raw).text, parse_reply(raw).finish) == (CITY, "length")


@pytest.mark.parametrize(
    "raw",
    [
        events(delta(CITY), end=""),
        events(*ANTHROPIC[:3], end=""),
        dumped(ollama(CITY, False)),
        dumped(ollama(CITY, False)) + "\n" + dumped(ollama(CITY, True))[:-9],
        events(delta(CITY))[:30],
        dumped({"status": "queued"}),
        dumped(RESPONSE | {"status": "failed"}),
        dumped({"candidates": []}),
        '{"choices": 3, "output": [4, {"type": "message", "content": 5}], "message": {"content": {}}}',
    ],
)
def test_half_a_stream_and_other_objects_are_no_reply(raw: str) -> None:
    if "output" in raw and "choices" in raw:
        assert parse_reply(raw).text == "", "an answer of no text"
        return
    with pytest.raises(UnparsableReply):
        parse_reply(raw)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ({"code": 429}, 429),
        ({"code": "503", "type": "invalid_request_error"}, 503),
        ({"code": "rate_limit_exceeded", "message": "slow down"}, 429),
        ({"code": None, "type": "authentication_error"}, 401),
        ({"status": "RESOURCE_EXHAUSTED"}, 429),
        ({"type": "budget_exceeded", "message": "Budget has been exceeded!"}, 402),
        ("insufficient credits", 402),
        ("model runner has unexpectedly stopped", 0),
        ({"code": "600"}, 0),
        ([], 0),
    ],
)
def test_an_error_in_a_body_states_its_status_by_number_or_by_word(error: object, status: int) -> None:
    assert stated_status(error) == status


@pytest.mark.parametrize(
    ("words", "is_used_up"),
    [
        ("Budget has been exceeded! Current cost: 10.2, Max budget: 10.0", True),
        ("ExceededBudget: User=x over budget. Spend=1.2, Budget=1.0: budget_exceeded", True),
        ("Your credit balance is too low to access the Anthropic API", True),
        ("Insufficient Balance", True),
        ("This request requires more credits; your credits are exhausted", True),
        ("You have run out of credits", True),
        ("You have reached your monthly spending limit", True),
        ("You have exceeded your monthly included credits", True),
        ("organization has no remaining credits", True),
        ("账户余额不足，请充值", True),
        ("Rate limit reached on tokens per minute (TPM): Limit 6000. Upgrade at /settings/billing", False),
        ("Requests have exceeded token rate limit of your current pricing tier", False),
        ("The thinking budget exceeded the limit of 1024", False),
        ("Too many requests, please slow down", False),
        ("Quota exceeded for metric generate_requests_per_minute", False),
    ],
)
def test_a_balance_that_is_used_up_is_told_from_a_full_minute(words: str, is_used_up: bool) -> None:
    assert bool(USED_UP.search(words)) is is_used_up


def test_the_text_of_a_stream_is_read_as_far_as_it_has_come() -> None:
    chunks = [
        'data: {"choices": [{"delta": {"role": "assistant"}}]}',
        'data: {"choices": [{"delta": {"content": "لا"}}]}',
        ": a comment",
        'data: {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "ہور"}}',
        "data: [DONE]",
    ]
    raw = "\r\n\r\n".join(chunks).encode()
    assert text_so_far(raw) == "لاہور"
    assert text_so_far(raw[: raw.index("ہور".encode()) + 1]) == "لا", "half a letter, and half a chunk, wait"
    assert text_so_far(b'{"message": {"content": "a"}, "done": false}\n{"message"') == "a"
    for odd in (
        b"",
        b'{"choices": [{"message": {"content": "x"}}]}',
        b"data: [[[",
        b"<html>\n</html>\n",
        b"3\n",
    ):
        assert text_so_far(odd) == ""
