"""Parse a provider's raw reply into text, finish reason and token counts: a pure function.

Raw replies are stored for ever and parsed whenever they are needed, so a fix here holds for all that was ever
paid for. Providers differ: fields are missing, null, or of another type; no field is trusted more than
necessary.

    {"choices": [{"message": {"content": "…"}, "finish_reason": "stop"}], "usage": {…}}     OpenAI, compatible
    {"type": "message", "content": [{"type": "text", …}], "stop_reason": "end_turn", "usage": …}   Anthropic
    {"error": {"code": "content_filter", …}}      a refusal of this one prompt: an answer too, of no text
    {"error": {"code": 429, …}}                   no answer, also where the status is 200 (OpenRouter)
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from alif.llm.reply_body import read_body, stated_status
from alif.records import sanitize_text

__all__ = ["BLOCKED", "OUT_OF_TOKENS", "ParsedReply", "UnparsableReply", "parse_reply"]

BLOCKED = "content_filter"
"""The finish of a reply or prompt that a provider's filter withholds. That is its answer."""
FILTER_CODES = (BLOCKED, "data_inspection_failed")
"""Codes and types of an error that is a filter's answer to this prompt: Azure, Moonshot; DashScope."""
_FILTER_MESSAGE = re.compile(
    "content exists risk"  # DeepSeek
    "|flagged as potentially violating|access to this content for safety reasons"  # OpenAI
    "|unsafe or sensitive content|不安全或敏感内容"  # Zhipu
    "|content violates usage guidelines"  # xAI
    "|blocked by content filtering policy",  # Anthropic
    re.IGNORECASE,
)
"""The same in words, where the code is that of any bad request."""
_OUTPUT_FILTERED = re.compile("output|generation|生成|usage guidelines", re.IGNORECASE)
"""In a filter's answer to what the model wrote, or that has a price of its own (xAI)."""
OUT_OF_TOKENS = "max_tokens or model output limit was reached"
"""In the refusal (400) of a model that had no token left after its reasoning: an answer too, truncated to
nothing."""
BROKEN_OFF = 502
"""The status of a reply whose choice says that the model's host failed: retry, and perhaps it is billed."""
FINISHES = {
    **dict.fromkeys(
        ("", "stop", "eos", "eos_token", "end_turn", "stop_sequence", "stop_token", "complete", "completed"),
        "stop",
    ),
    **dict.fromkeys(("length", "max_tokens", "max_length", "model_length"), "length"),
    **dict.fromkeys(("refusal", "safety", "prohibited_content", "blocklist", "recitation", "spii"), BLOCKED),
}
"""OpenAI's finish reasons by what others call them, in any case: Anthropic, Together ("eos"), TGI, Mistral,
Gemini."""
LONGEST_TEXT = 1_100_000
"""Characters; a longer text is read as cut off there. No model writes so much: 128,000 tokens are half."""
MOST_TOKENS = 10**9
"""A count above this is an error of the provider's."""


@dataclass(eq=False)
class UnparsableReply(ValueError):
    """A body that holds no answer."""

    reason: str
    status: int = 0
    """The status that the body states, whatever the HTTP status; 0 where it states none."""
    may_be_billed: bool = True
    usage: ParsedReply | None = None
    """The tokens that it reports all the same: what it costs."""


@dataclass(frozen=True)
class ParsedReply:
    """What a raw reply says."""

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
    """Whether the reply says how many tokens the prompt and the output took."""
    has_output: bool = True
    """Whether the model may have generated anything, shown or not; a refused prompt costs no more than
    itself."""


def parse_reply(raw: str, max_tokens: int = MOST_TOKENS) -> ParsedReply:
    """Parse a raw reply to a request for `max_tokens`; one that took them all was cut off, whatever it says.

    Where a provider counts reasoning apart from `max_tokens`, only what follows it can be cut off.

    Raises:
        UnparsableReply: it is not JSON, or holds no answer; it says which.
    """
    try:
        body = read_body(raw)
    except (ValueError, RecursionError) as error:
        start = raw.lstrip()[:1]
        if start == "<":  # a page for people comes from a proxy or gateway before the provider
            raise UnparsableReply("a web page", may_be_billed=False) from error
        raise UnparsableReply("broken JSON" if start else "an empty body") from error
    parsed = _parse_anthropic(body) if _get(body, "type") == "message" else _parse_openai(body)
    written = parsed.tokens_out - (parsed.tokens_reasoning if parsed.tokens_out > max_tokens else 0)
    cut_off = parsed.finish == "stop" and written >= max_tokens
    return replace(parsed, finish="length") if cut_off else parsed


def _parse_openai(body: object) -> ParsedReply:
    """Parse a chat completion, or an error in its place, which may be the provider's answer to the prompt.

    Raises:
        UnparsableReply: it is neither.
    """
    choices = _get(body, "choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = _get(choice, "message")
    usage = _usage(body)
    tokens_in = _count(usage, "prompt_tokens")
    parsed = _metered(
        text=sanitize_text(_content_text(_get(message, "content"))),
        finish=_finish(_get(choice, "finish_reason")),
        model=_get(body, "model"),
        tokens_in=tokens_in,
        tokens_cached=min(tokens_in, _count(_get(usage, "prompt_tokens_details"), "cached_tokens")),
        tokens_out=max(_count(usage, "completion_tokens"), _count(usage, "total_tokens") - tokens_in),
        tokens_reasoning=_count(_get(usage, "completion_tokens_details"), "reasoning_tokens"),
    )
    billed = parsed if parsed.metered else None
    if parsed.finish == "error" or isinstance(_get(choice, "error"), dict):
        raise UnparsableReply("a reply that broke off", BROKEN_OFF, usage=billed)
    if isinstance(message, dict) or parsed.finish == BLOCKED:
        return parsed
    error = _get(body, "error") or (body if isinstance(_get(body, "message"), str) else None)
    details = _get(error, "metadata")  # OpenRouter's, with the words of the provider behind it
    words = (error, _get(error, "message"), _get(details, "raw"), _get(body, "detail"))
    said = " ".join(map(_string, words))
    codes = {str(_get(error, key)) for key in ("code", "type")}
    if OUT_OF_TOKENS in said:
        finish, has_output = "length", True
    elif (
        codes.intersection(FILTER_CODES)
        or _get(details, "flagged_input") is not None
        or _FILTER_MESSAGE.search(said)
    ):
        finish, has_output = BLOCKED, _OUTPUT_FILTERED.search(said) is not None
    elif error:
        raise UnparsableReply("an error", stated_status(error), may_be_billed=False, usage=billed)
    else:
        raise UnparsableReply("a reply without choices", usage=billed)
    return ParsedReply("", finish, "", 0, 0, 0, 0, metered=False, has_output=has_output)


def _parse_anthropic(body: object) -> ParsedReply:
    """Parse a reply of the Messages API; input tokens written into a cache count as any other input."""
    usage, content = _usage(body), _get(body, "content")
    if not isinstance(content, list):
        raise UnparsableReply("a reply without content")
    cached = _count(usage, "cache_read_input_tokens")
    return _metered(
        text=sanitize_text(_content_text([part for part in content if _get(part, "type") == "text"])),
        finish=_finish(_get(body, "stop_reason")),
        model=_get(body, "model"),
        tokens_in=_count(usage, "input_tokens") + _count(usage, "cache_creation_input_tokens") + cached,
        tokens_cached=cached,
        tokens_out=_count(usage, "output_tokens"),
        tokens_reasoning=0,
    )


def _metered(
    text: str,
    finish: str,
    model: object,
    tokens_in: int,
    tokens_cached: int,
    tokens_out: int,
    tokens_reasoning: int,
) -> ParsedReply:
    """Return a reply, and whether its usage is complete: no prompt takes no tokens, and no text is free."""
    metered = tokens_in > 0 and (tokens_out > 0 or not text)
    if len(text) > LONGEST_TEXT:
        text, finish = text[:LONGEST_TEXT], "length"
    return ParsedReply(
        text, finish, _string(model), tokens_in, tokens_cached, tokens_out, tokens_reasoning, metered=metered
    )


def _finish(value: object) -> str:
    """Return a finish reason in OpenAI's words; one without such a word keeps the provider's own.

    Gateways write the provider's behind their own: "content_filter: PROHIBITED_CONTENT".
    """
    word = _string(value)
    first = word.partition(":")[0].casefold()
    return BLOCKED if first == BLOCKED else FINISHES.get(word.casefold(), word)


def _content_text(content: object) -> str:
    """Join the text parts of a content, which is a string, null, or a list of typed parts."""
    if isinstance(content, list):
        return "".join(_content_text(_get(part, "text")) for part in content)
    return content if isinstance(content, str) else ""


def _get(value: object, key: str) -> Any:
    return value.get(key) if isinstance(value, dict) else None


def _string(value: object) -> str:
    return sanitize_text(value) if isinstance(value, str) else ""


def _usage(body: object) -> object:
    """Return what a reply says of its tokens, unless a number in it is impossible."""
    usage = _get(body, "usage")
    values = usage.values() if isinstance(usage, dict) else ()
    possible = all(abs(value) <= MOST_TOKENS for value in values if isinstance(value, int | float))
    return usage if possible else None


def _count(value: object, key: str) -> int:
    """Return a whole number of tokens, written as int or float; 0 for anything else."""
    number = _get(value, key)
    known = isinstance(number, int | float) and not isinstance(number, bool) and 0 < number <= MOST_TOKENS
    return int(number) if known and number == int(number) else 0
