"""What a provider's reply says: a pure function from the raw JSON to text, finish and tokens.

Raw replies are kept for ever, so this reading can be mended and repeated without asking again. Providers differ: fields are
missing, null, or of another type; nothing here trusts them further than it must.

    {"choices": [{"message": {"content": "…"}, "finish_reason": "stop"}], "usage": {…}}           OpenAI and its like
    {"type": "message", "content": [{"type": "text", …}], "stop_reason": "end_turn", "usage": …}   Anthropic
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from alif.models.chat import whole

__all__ = ["BLOCKED", "OUT_OF_TOKENS", "Reading", "read"]

BLOCKED = "content_filter"
"""A provider's word for an answer, or with status 400 a prompt, that its filter holds back. That is its answer."""
OUT_OF_TOKENS = "max_tokens or model output limit was reached"
"""In the refusal (400) of a model that had no token left to answer after it had thought: an answer too, cut off at nothing."""
ANTHROPIC_FINISH = {"end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length", "refusal": BLOCKED}


@dataclass(frozen=True)
class Reading:
    """A reply as understood."""

    text: str
    finish: str
    model: str
    tokens_in: int
    tokens_cached: int
    """Of `tokens_in`, how many the provider had in its cache."""
    tokens_out: int
    """Reasoning tokens included, whether the provider counts them apart or not."""
    tokens_reasoning: int
    metered: bool
    """Whether the reply says how many tokens it took."""


def read(raw: str) -> Reading:
    """Read a raw reply.

    Raises:
        ValueError: it is not JSON, or holds no answer; the message says which.
    """
    try:
        body = json.loads(raw, strict=False)
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError("an empty body" if not raw.strip() else "broken JSON") from error
    if _get(body, "type") == "message":
        return _anthropic(body)
    choice = _refused(_get(body, "error")) or _first(_get(body, "choices"))
    message = _get(choice, "message")
    if not isinstance(message, dict):
        raise ValueError("a reply without choices")
    usage = _get(body, "usage")
    tokens_in, tokens_out = _count(usage, "prompt_tokens"), _count(usage, "completion_tokens")
    return Reading(
        text=whole(_text(message.get("content"))),
        finish=_word(_get(choice, "finish_reason")) or "stop",
        model=_word(_get(body, "model")),
        tokens_in=tokens_in,
        tokens_cached=min(tokens_in, _count(_get(usage, "prompt_tokens_details"), "cached_tokens")),
        tokens_out=max(tokens_out, _count(usage, "total_tokens") - tokens_in),
        tokens_reasoning=_count(_get(usage, "completion_tokens_details"), "reasoning_tokens"),
        metered=tokens_in + tokens_out > 0,
    )


def _refused(error: Any) -> dict[str, Any] | None:
    """Return the choice that an error stands for, if it is the provider's answer to the prompt."""
    if _get(error, "code") == BLOCKED:
        return {"message": {}, "finish_reason": BLOCKED}
    return {"message": {}, "finish_reason": "length"} if OUT_OF_TOKENS in _word(_get(error, "message")) else None


def _anthropic(body: dict[str, Any]) -> Reading:
    """Read a reply of the Messages interface; what was written into a cache counts as any other input."""
    usage, content = _get(body, "usage"), _get(body, "content")
    if not isinstance(content, list):
        raise ValueError("a reply without content")
    cached = _count(usage, "cache_read_input_tokens")
    tokens_in = _count(usage, "input_tokens") + _count(usage, "cache_creation_input_tokens") + cached
    tokens_out = _count(usage, "output_tokens")
    return Reading(
        text=whole(_text([part for part in content if _get(part, "type") == "text"])),
        finish=ANTHROPIC_FINISH.get(_word(_get(body, "stop_reason")), _word(_get(body, "stop_reason"))) or "stop",
        model=_word(_get(body, "model")),
        tokens_in=tokens_in,
        tokens_cached=cached,
        tokens_out=tokens_out,
        tokens_reasoning=0,
        metered=tokens_in + tokens_out > 0,
    )


def _text(content: Any) -> str:
    """Join the text parts of a content, which is a string, null, or a list of typed parts."""
    if isinstance(content, list):
        return "".join(_text(_get(part, "text")) for part in content)
    return content if isinstance(content, str) else ""


def _get(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, dict) else None


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else None


def _word(value: Any) -> str:
    return whole(value) if isinstance(value, str) else ""


def _count(value: Any, key: str) -> int:
    number = _get(value, key)
    return number if isinstance(number, int) and number > 0 else 0
