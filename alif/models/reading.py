"""What a provider's reply says: a pure function from the raw JSON to text, finish and tokens.

Raw replies are kept for ever, so this reading can be mended and repeated without asking again. Providers differ: fields are
missing, null, or of another type; nothing here trusts them further than it must.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from alif.models.chat import whole

__all__ = ["BLOCKED", "Reading", "read"]

BLOCKED = "content_filter"
"""A provider's word for an answer, or with status 400 a prompt, that its filter holds back. That is its answer."""


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
    blocked = _get(_get(body, "error"), "code") == BLOCKED
    choice = {"message": {}, "finish_reason": BLOCKED} if blocked else _first(_get(body, "choices"))
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
