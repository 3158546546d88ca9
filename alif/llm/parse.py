"""What a provider's reply says: a pure function from the raw JSON to text, finish and tokens.

Raw replies are kept for ever and read anew whenever they are needed: what is mended here holds for all that was ever paid for.
Providers differ: fields are missing, null, or of another type; nothing here trusts them further than it must.

    {"choices": [{"message": {"content": "…"}, "finish_reason": "stop"}], "usage": {…}}           OpenAI and its like
    {"type": "message", "content": [{"type": "text", …}], "stop_reason": "end_turn", "usage": …}   Anthropic
    {"error": {"code": "content_filter", …}}      a refusal of this one prompt: an answer too, of no text
    {"error": {"code": 429, …}}                   no answer, also where the status is 200 (OpenRouter)
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from alif.llm.chat_model import sanitize_text

__all__ = ["BLOCKED", "OUT_OF_TOKENS", "ParsedReply", "UnparsableReply", "parse_reply"]

BLOCKED = "content_filter"
"""The finish of an answer, or of a prompt, that a provider's filter holds back. That is its answer."""
FILTERED = (BLOCKED, "data_inspection_failed")
"""Codes and types of an error that is a filter's answer to this prompt: Azure, Moonshot; DashScope."""
_FILTERED = re.compile(
    "content exists risk"  # DeepSeek
    "|flagged as potentially violating|access to this content for safety reasons"  # OpenAI, whose code means other faults too
    "|unsafe or sensitive content|不安全或敏感内容"  # Zhipu
    "|content violates usage guidelines"  # xAI
    "|blocked by content filtering policy",  # Anthropic
    re.IGNORECASE,
)
"""The same in words, where the code is that of any bad request."""
_PERHAPS_WRITTEN = re.compile("output|generation|生成|usage guidelines", re.IGNORECASE)
"""In a filter's answer that came after the model's, or that has a price of its own (xAI)."""
OUT_OF_TOKENS = "max_tokens or model output limit was reached"
"""In the refusal (400) of a model that had no token left to answer after it had thought: an answer too, cut off at nothing."""
BROKEN_OFF = 502
"""The status of a reply whose choice says that the model's host failed: try again, and perhaps it is billed."""
FINISHES = {
    **dict.fromkeys(
        ("", "stop", "eos", "eos_token", "end_turn", "stop_sequence", "stop_token", "complete", "completed"),
        "stop",
    ),
    **dict.fromkeys(("length", "max_tokens", "max_length", "model_length"), "length"),
    **dict.fromkeys(("refusal", "safety", "prohibited_content", "blocklist", "recitation", "spii"), BLOCKED),
}
"""OpenAI's finish reasons by what others call them, in whatever case: Anthropic, Together ("eos"), TGI, Mistral, Gemini."""
MOST_TOKENS = 10**9
"""More than any request takes: who says so does not know."""


@dataclass(eq=False)
class UnparsableReply(ValueError):
    """A body that holds no answer."""

    why: str
    status: int = 0
    """The status that the body states for itself, whatever it was sent with; 0 where it states none."""
    billed: bool = True
    """Whether the provider may send a bill for it."""


@dataclass(frozen=True)
class ParsedReply:
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
    """Whether the reply says how many tokens it took, the prompt and what was written."""
    written: bool = True
    """Whether the model may have written anything, shown or not; a refused prompt costs no more than itself."""


def parse_reply(raw: str) -> ParsedReply:
    """Read a raw reply.

    Raises:
        NoReply: it is not JSON, or holds no answer; it says which.
    """
    try:
        body = json.loads(raw, strict=False)
    except (ValueError, RecursionError) as error:
        raise _unreadable(raw) from error
    if _get(body, "type") == "message":
        return _anthropic(body)
    choice = _first(_get(body, "choices"))
    message = _get(choice, "message")
    if not isinstance(message, dict):
        return _error(body)
    finish = _finish(_get(choice, "finish_reason"))
    if finish == "error" or isinstance(_get(choice, "error"), dict):
        raise UnparsableReply("a reply that broke off", BROKEN_OFF)
    usage = _usage(body)
    tokens_in = _count(usage, "prompt_tokens")
    tokens_out = max(_count(usage, "completion_tokens"), _count(usage, "total_tokens") - tokens_in)
    text = sanitize_text(_text(message.get("content")))
    return ParsedReply(
        text=text,
        finish=finish,
        model=_word(_get(body, "model")),
        tokens_in=tokens_in,
        tokens_cached=min(tokens_in, _count(_get(usage, "prompt_tokens_details"), "cached_tokens")),
        tokens_out=tokens_out,
        tokens_reasoning=_count(_get(usage, "completion_tokens_details"), "reasoning_tokens"),
        metered=_metered(tokens_in, tokens_out, text),
    )


def _unreadable(raw: str) -> UnparsableReply:
    """Return what a body is that is not JSON; a page for people comes from whoever stands before the provider."""
    start = raw.lstrip()[:1]
    if start == "<":
        return UnparsableReply("a web page", billed=False)
    return UnparsableReply("broken JSON" if start else "an empty body")


def _error(body: Any) -> ParsedReply:
    """Read a body without choices: an error, which may be the provider's answer to the prompt.

    Raises:
        NoReply: it is not.
    """
    error = _get(body, "error")
    details = _get(error, "metadata")  # OpenRouter's, with the words of whom it asked
    words = (error, _get(error, "message"), _get(details, "raw"), _get(body, "detail"))
    said = " ".join(_word(part) for part in words)
    if OUT_OF_TOKENS in said:
        return _nothing("length", written=True)
    codes = {str(_get(error, key)) for key in ("code", "type")}
    if codes.intersection(FILTERED) or _get(details, "flagged_input") is not None or _FILTERED.search(said):
        return _nothing(BLOCKED, written=_PERHAPS_WRITTEN.search(said) is not None)
    code = str(_get(error, "code"))
    raise UnparsableReply("a reply without choices", int(code) if re.fullmatch("[45][0-9]{2}", code) else 0)


def _nothing(finish: str, *, written: bool) -> ParsedReply:
    return ParsedReply("", finish, "", 0, 0, 0, 0, metered=False, written=written)


def _anthropic(body: dict[str, Any]) -> ParsedReply:
    """Read a reply of the Messages interface; what was written into a cache counts as any other input."""
    usage, content = _usage(body), _get(body, "content")
    if not isinstance(content, list):
        raise UnparsableReply("a reply without content")
    cached = _count(usage, "cache_read_input_tokens")
    tokens_in = _count(usage, "input_tokens") + _count(usage, "cache_creation_input_tokens") + cached
    tokens_out = _count(usage, "output_tokens")
    text = sanitize_text(_text([part for part in content if _get(part, "type") == "text"]))
    return ParsedReply(
        text=text,
        finish=_finish(_get(body, "stop_reason")),
        model=_word(_get(body, "model")),
        tokens_in=tokens_in,
        tokens_cached=cached,
        tokens_out=tokens_out,
        tokens_reasoning=0,
        metered=_metered(tokens_in, tokens_out, text),
    )


def _metered(tokens_in: int, tokens_out: int, text: str) -> bool:
    """Tell whether a usage is whole: no prompt is nothing, and no text took no tokens."""
    return tokens_in > 0 and (tokens_out > 0 or not text)


def _finish(value: Any) -> str:
    """Return why a reply ended, in OpenAI's words; what has no such word keeps the provider's own."""
    word = _word(value)
    return FINISHES.get(word.casefold(), word)


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
    return sanitize_text(value) if isinstance(value, str) else ""


def _usage(body: dict[str, Any]) -> dict[str, Any] | None:
    """Return what a reply says of its tokens, unless that cannot be."""
    usage = _get(body, "usage")
    numbers = (
        (value for value in usage.values() if isinstance(value, int | float))
        if isinstance(usage, dict)
        else ()
    )
    return usage if all(abs(number) <= MOST_TOKENS for number in numbers) else None


def _count(value: Any, key: str) -> int:
    """Return a whole number of tokens, whichever way it is written."""
    number = _get(value, key)
    known = isinstance(number, int | float) and not isinstance(number, bool) and 0 < number <= MOST_TOKENS
    return int(number) if known and number == int(number) else 0
