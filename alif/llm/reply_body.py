"""The chat completion in a response body, whatever a server put around it and whichever interface it speaks.

    BOM, UTF-16, NULs, what follows the first value       taken away
    data: {…}  data: [DONE]; one JSON value a line         a stream nobody asked for: its chunks are joined
    {"message": …, "done": true}   {"output": […]}         Ollama's own interface; OpenAI's Responses
    {"candidates": […]}   {"data": {"choices": […]}}       Gemini's own interface; a gateway's envelope

What is none of these is returned as it is. Any field may be missing or of another type.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["USED_UP", "decode_body", "read_body", "stated_status", "text_so_far", "value_at"]

_DECODER = json.JSONDecoder(strict=False)
_AROUND = "\ufeff\0 \t\r\n"
_EVENT = re.compile("(data|event|id|retry)?:")
"""The beginning of server-sent events; a comment begins with the colon."""
ERROR_STATUS = {
    "invalid_request_error": 400, "authentication_error": 401, "billing_error": 402, "permission_error": 403,
    "not_found_error": 404, "request_too_large": 413, "rate_limit_error": 429, "api_error": 500,
    "timeout_error": 504, "overloaded_error": 529,
    "context_length_exceeded": 400, "invalid_api_key": 401, "model_not_found": 404, "insufficient_quota": 429,
    "rate_limit_exceeded": 429, "too_many_requests": 429, "budget_exceeded": 429, "badrequesterror": 400,
    "invalid_argument": 400, "unauthenticated": 401, "permission_denied": 403, "not_found": 404,
    "resource_exhausted": 429, "unavailable": 503,
}  # fmt: skip
"""Statuses of errors that are named by a word only. Source: docs.anthropic.com/en/api/errors (the first ten),
OpenAI's and LiteLLM's codes, google.rpc.Code."""
USED_UP = re.compile(
    r"(insufficient|not.enough|\bno\b).{0,12}(quota|balance|fund|credit|(?<!token.)budget)"
    r"|(balance|funds?|credits?|(?<!token.)(?<!thinking.)budget)\b.{0,40}"
    r"(insufficient|exhausted|depleted|used.up|exceeded|too.low|run.out|expired)"
    r"|(out.of|used.all|exceeded).{0,30}(\bfunds|credits?\b|budget|spend)"
    r"|(spend|spending|budget|billing|credit).{0,6}limit|budget_exceeded|billing_hard_limit"
    r"|exceeded_current_quota|payment.required|arrearage|余额不足|欠费",
    re.IGNORECASE,
)
"""What providers and gateways (LiteLLM: budget_exceeded) say where nothing is left, also with 429."""
ENVELOPES = ("data", "result", "response", "body")
"""Keys under which gateways put the provider's reply."""


def value_at(value: object, *path: str | int) -> Any:
    """Return what lies at a path of keys and indices within a JSON value, None where there is nothing."""
    for step in path:
        if isinstance(step, str) and isinstance(value, dict):
            value = value.get(step)
        elif isinstance(step, int) and isinstance(value, list) and step < len(value):
            value = value[step]
        else:
            return None
    return value


def decode_body(raw: bytes) -> str:
    """Return a body as text; bytes that are not in its encoding become U+FFFD."""
    raw = raw.lstrip(b"\0") if raw[:2] == b"\0\0" else raw
    return raw.decode(json.detect_encoding(raw), "replace")


def read_body(text: str) -> object:
    """Return the JSON value in a body, in OpenAI's or Anthropic's shape where it holds a reply.

    Raises:
        ValueError: there is none, or a stream that ends in the middle.
        RecursionError: it is nested too deep.
    """
    text = text.strip(_AROUND)
    if _EVENT.match(text):
        lines = (line[5:].strip(_AROUND) for line in re.split("[\r\n]+", text) if line.startswith("data:"))
        data = [line for line in lines if line]
        chunks = [_DECODER.decode(line) for line in data if line != "[DONE]"]
        value = _join_chunks(chunks, ended=data[-1:] == ["[DONE]"])
    else:
        value, end = _DECODER.raw_decode(text)
        if value_at(value, "done") is False:
            rest = [line for line in text[end:].split("\n") if line.strip(_AROUND)]
            value = _join_chunks([value, *map(_DECODER.decode, rest)], ended=False)
    if isinstance(value, str):
        value = _DECODER.decode(value)
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if value_at(value, "error"):
        return value
    inside = next(
        (value_at(value, key) for key in ENVELOPES if isinstance(value_at(value, key), dict)), value
    )
    return _as_completion(inside) or value


def text_so_far(raw: bytes) -> str:
    """Return the text in as much of a stream of chunks as has come; "" of a body that is no stream."""
    text = ""
    for line in decode_body(raw).split("\n")[:-1]:
        with contextlib.suppress(ValueError, RecursionError):
            text += _delta_text(_DECODER.decode(line.strip(_AROUND).removeprefix("data:").strip(_AROUND)))
    return text


def _delta_text(chunk: object) -> str:
    """Return what a chunk of a stream adds to the text."""
    delta = value_at(chunk, "choices", 0, "delta") or value_at(chunk, "delta") or value_at(chunk, "message")
    said = value_at(delta, "content") or value_at(delta, "text") or value_at(chunk, "response")
    return said if isinstance(said, str) else ""


def stated_status(error: object) -> int:
    """Return the HTTP status that an error in a body stands for, 0 where it says nothing known."""
    words = [str(value_at(error, key)).casefold() for key in ("code", "status", "type")]
    codes = [int(word) for word in words if re.fullmatch("[45][0-9]{2}", word)]
    codes += [402] if USED_UP.search(f"{words} {error}") else []
    return next(iter(codes + [ERROR_STATUS[word] for word in words if word in ERROR_STATUS]), 0)


def _join_chunks(chunks: Sequence[object], *, ended: bool) -> object:
    """Return the reply that the chunks of a stream make.

    Raises:
        ValueError: it has no end.
    """
    text, finish, model, usage = "", "", "", dict[str, Any]()
    for chunk in chunks:
        choice = value_at(chunk, "choices", 0)
        if value_at(chunk, "error") or value_at(choice, "message"):
            return chunk
        if str(value_at(chunk, "type")) in ("response.completed", "response.incomplete", "response.failed"):
            return value_at(chunk, "response")
        delta = value_at(choice, "delta") or value_at(chunk, "delta") or value_at(chunk, "message")
        text += _delta_text(chunk)
        reasons = (
            value_at(choice, "finish_reason"),
            value_at(delta, "stop_reason"),
            value_at(chunk, "done_reason"),
        )
        finish = next((reason for reason in reasons if reason), finish)
        model = value_at(chunk, "model") or value_at(delta, "model") or model
        counts = value_at(chunk, "usage") or value_at(delta, "usage") or _ollama_usage(chunk)
        usage |= counts if isinstance(counts, dict) else {}
        ended = ended or bool(finish) or value_at(chunk, "done") is True
    if not ended:
        raise ValueError("a stream that broke off")
    if value_at(chunks, 0, "type") == "message_start":
        part = {"type": "text", "text": text}
        return {"type": "message", "content": [part], "stop_reason": finish, "usage": usage, "model": model}
    return _completion(text, finish, usage, model)


def _as_completion(value: object) -> object:
    """Return a reply of another interface in OpenAI's shape; None where it is no reply."""
    model, usage, finish = (value_at(value, key) for key in ("model", "usage", "finish_reason"))
    choice, candidate = value_at(value, "choices", 0), value_at(value, "candidates", 0)
    if value_at(value, "type") == "message" or value_at(choice, "message"):
        return value
    if isinstance(value_at(value, "output"), list) and value_at(value, "status") != "failed":  # of Responses
        output, usage = value_at(value, "output"), value_at(value, "usage")
        contents = [value_at(item, "content") for item in output if value_at(item, "type") == "message"]
        parts = [part for content in contents if isinstance(content, list) for part in content]
        reason = str(value_at(value, "incomplete_details", "reason") or "stop")
        counts = {
            "prompt_tokens": value_at(usage, "input_tokens"),
            "prompt_tokens_details": value_at(usage, "input_tokens_details"),
            "completion_tokens": value_at(usage, "output_tokens"),
            "completion_tokens_details": value_at(usage, "output_tokens_details"),
        }
        finish = "length" if reason == "max_output_tokens" else reason
        return _completion(parts, finish, counts, model)
    content = value_at(value, "message", "content")
    content = value_at(value, "response") if content is None else content
    if candidate:
        counts = value_at(value, "usageMetadata")
        usage = {
            "prompt_tokens": value_at(counts, "promptTokenCount"),
            "completion_tokens": value_at(counts, "candidatesTokenCount"),
            "total_tokens": value_at(counts, "totalTokenCount"),
        }
        parts = value_at(candidate, "content", "parts") or []
        content = [part for part in parts if not value_at(part, "thought")] if isinstance(parts, list) else ""
        finish, model = value_at(candidate, "finishReason"), value_at(value, "modelVersion")
    elif choice:  # of the old completions
        content, finish = value_at(choice, "text"), value_at(choice, "finish_reason")
    elif value_at(value, "done") is True:
        usage, finish = _ollama_usage(value), value_at(value, "done_reason")
    return _completion(content, finish, usage, model) if isinstance(content, str | list) else None


def _completion(content: object, finish: object, usage: object, model: object) -> Mapping[str, Any]:
    choice = {"message": {"content": content}, "finish_reason": finish}
    return {"choices": [choice], "usage": usage, "model": model}


def _ollama_usage(value: object) -> dict[str, Any]:
    names = {"prompt_tokens": "prompt_eval_count", "completion_tokens": "eval_count"}
    return {name: value_at(value, key) for name, key in names.items() if value_at(value, key)}
