"""What a failed attempt means: retry, wait, or stop with a sentence.

429, 500, 503 …               refused: not billed, retry
timeout, connection lost      no reply: perhaps billed, retry
401, 403, 404, 400, 402       refused for good: stop
no balance, daily quota       refused until a person acts or the day ends: stop
"""

from __future__ import annotations

import contextlib
import email.utils
import math
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from alif.errors import ReplyError
from alif.formatting import format_duration
from alif.llm.endpoint import api_key_env, hostname
from alif.llm.parse import ParsedReply
from alif.llm.protocol import needs_no_system_role, suggest_setting
from alif.llm.reply_body import USED_UP, read_body
from alif.settings import Endpoint

__all__ = ["TIMEOUT", "ProviderError", "from_status", "provider_words", "retry_after"]

LONGEST_WAIT_S = 900.0
"""A provider that asks to wait longer than this is reported to the user instead of being waited for."""
MAYBE_BILLED = (408, 499, 502, 504, 520, 522, 524)
"""Statuses of a gateway that stopped waiting: the model behind it may have answered."""
RATE_LIMITED = (429, 529)
"""Too many requests of ours; too many of everybody's (Anthropic)."""
RETRIED = (408, 409, 425, 429, 499)
"""Statuses below 500 that are worth a retry."""
TIMEOUT = "timeout"

_QUOTA = "exceeded your current quota"
"""OpenAI's word for a balance that is used up, where a gateway leaves its code out; Gemini's for a full
minute, with a wait."""
_DAILY_QUOTA = re.compile(r'"quotaId"\s*:\s*"[^"]*PerDay')
"""Gemini names the quota that is used up, and asks for a wait of seconds all the same."""
_RETRY_DELAY = re.compile(r'"retryDelay"\s*:\s*"(?P<s>[0-9]+(?:\.[0-9]+)?)s"')
_PER_DAY = re.compile("per.?day|daily", re.IGNORECASE)
_NO_MODEL = re.compile("model|deployment|endpoints? found", re.IGNORECASE)
"""What providers say where they have no such model: Azure's are deployments, OpenRouter says "no endpoints
found"."""
_SPACE = re.compile(r"\s+")
_TAG = re.compile("<[^>]*>")
_TITLE = re.compile("<title[^>]*>(?P<title>[^<]+)", re.IGNORECASE)


@dataclass(eq=False)
class ProviderError(Exception):
    """One attempt without a reply."""

    reason: str
    """A few words for the ledger: "429", "timeout", "broken JSON" …"""
    may_be_billed: bool
    rate_limited: bool = False
    unreachable: bool = False
    """Whether there was no connection at all."""
    wait_s: float | None = None
    """How long the provider asks to wait."""
    stop: ReplyError | None = None
    """Set where a retry cannot help."""
    words: str = ""
    """What the provider said, in brackets."""
    unreadable: bool = False
    """Whether a response came that holds neither a completion nor a refusal that is known."""
    for_all: bool = False
    """Whether every prompt meets it: money or the day's quota is used up, key or model is wrong."""
    usage: ParsedReply | None = None
    """What the provider says that the attempt took, though it brought no reply."""

    @property
    def account(self) -> str:
        """The reason and what the provider said."""
        return f"{self.reason}: {self.words[2:-1]}" if self.words else self.reason


def from_status(
    status: int,
    headers: Mapping[str, str],
    body: str,
    key: str,
    endpoint: Endpoint,
    *,
    api_key: str,
    url: str = "",
) -> ProviderError:
    """Classify a refusal.

    Args:
        status: the HTTP status.
        headers: the response's headers, with case-insensitive keys.
        body: the response's body.
        key: the recipe key of the endpoint's table, such as "teacher.gpt".
        endpoint: its settings.
        api_key: removed from whatever of the body is shown.
        url: what was requested.
    """
    wait_s = retry_after(headers, body)
    # OpenRouter's 402 with a wait: the balance is there, but too much of it is reserved by requests in flight
    balance_reserved = status == 402 and wait_s is not None
    too_long = wait_s is not None and wait_s > LONGEST_WAIT_S
    daily_limit = _PER_DAY.search(body) is not None and (wait_s is None or too_long)
    words, host = provider_words(body, api_key), hostname(endpoint.base_url)
    stop: ReplyError | None = None
    for_all = status in (401, 402, 404)
    used_up = USED_UP.search(body) or (_QUOTA in body and wait_s is None and not _DAILY_QUOTA.search(body))
    if not balance_reserved and (status == 402 or (status < 500 and used_up)):
        for_all = True
        stop = ReplyError(
            f"{key}: the balance or quota at {host} is used up{words}",
            "Top it up there and repeat the command: it continues where it stopped.",
        )
    elif too_long or (status == 429 and (daily_limit or _DAILY_QUOTA.search(body))):
        for_all = True
        asked = f", it asks to wait {format_duration(wait_s)}" if too_long and wait_s else ""
        stop = ReplyError(
            f"{key}: {host} gives no more for now{asked}{words}",
            "Repeat the command later: it continues where it stopped.",
        )
    elif (status < 500 and status not in RETRIED and not balance_reserved) or needs_no_system_role(words):
        stop = _explain_refusal(key, endpoint, status, words, body, api_key, url)
    return ProviderError(
        str(status),
        may_be_billed=status in MAYBE_BILLED,
        rate_limited=balance_reserved or status in RATE_LIMITED,
        wait_s=wait_s,
        stop=stop,
        words=words,
        for_all=for_all and stop is not None,
    )


def _explain_refusal(
    key: str, endpoint: Endpoint, status: int, words: str, body: str, api_key: str, url: str
) -> ReplyError:
    host, model = hostname(endpoint.base_url), endpoint.model
    sender = f"the key from {api_key_env(endpoint)}" if api_key else "a request without a key"
    named = _NO_MODEL.search(words.replace(urlsplit(url).path, "")) and body.lstrip()[:1] != "<"
    no_model = "model_not_found" in body or named
    if status == 401:  # without the provider's words: some repeat the key
        return ReplyError(
            f"{key}: {host} refuses {sender}",
            f"Check the environment variable {api_key_env(endpoint)}, and "
            f"that {key}.api_key_env names the right one.",
        )
    if status == 403:
        message = f"{key}: {host} does not let {sender} use {model}{words}"
        return ReplyError(message, "Ask the provider for access, or name another model.")
    if status == 404 and url and not no_model:
        message = f"{key}: there is nothing at {url}, or no model {model}{words}"
        ending = "" if "/v1/" in url else ", most end in /v1,"
        return ReplyError(message, f"Check {key}.base_url{ending} and {key}.model.")
    if status == 404:
        message = f"{key}: {host} knows no model {model}{words}"
        return ReplyError(message, f"Check {key}.model and {key}.base_url.")
    message = f"{key}: {host} refuses the request with status {status}{words}"
    hint = f"Check {key}: model, base_url, temperature and max_tokens."
    return ReplyError(message, suggest_setting(key, endpoint, words) or hint)


def provider_words(body: str, api_key: str) -> str:
    """Return an error body's message in brackets, else how the body begins; short and without the API key.

    It is `{"error": {"message": …}}`, the same in a list, or FastAPI's `{"detail": …}`; a page has a title.
    """
    found: object = None
    with contextlib.suppress(ValueError, RecursionError):
        found = read_body(body)
    for name in ("error", "detail", "message", "msg"):
        found = found[0] if isinstance(found, list) and found else found
        found = found.get(name, found) if isinstance(found, dict) else found
    if not isinstance(found, str):
        title = _TITLE.search(body[:10_000])
        found = title["title"] if title else _TAG.sub(" ", body[:1_000])
    words = _SPACE.sub(" ", found).strip("\ufeff\0 ")
    words = words.replace(api_key, "***") if api_key else words
    words = "".join(letter if letter.isprintable() else "\ufffd" for letter in words)
    return f" ({words[:200]})" if words else ""


def retry_after(headers: Mapping[str, str], body: str = "") -> float | None:
    """Return the seconds that a provider asks to wait; None where it does not say.

    Its header says so in milliseconds, seconds or as a date, which is compared with the response's own: our
    clock may differ. Gemini's body has `"retryDelay": "34s"`.
    """
    for header, unit_s in (("retry-after-ms", 1e-3), ("retry-after", 1.0)):
        with contextlib.suppress(KeyError, ValueError):
            seconds = float(headers[header]) * unit_s
            if 0 <= seconds < math.inf:
                return seconds
    with contextlib.suppress(KeyError, ValueError):
        moment, now = email.utils.parsedate_to_datetime(headers["retry-after"]).timestamp(), time.time()
        with contextlib.suppress(KeyError, ValueError):
            now = email.utils.parsedate_to_datetime(headers["date"]).timestamp()
        return max(0.0, moment - now)
    delay = _RETRY_DELAY.search(body)
    return float(delay["s"]) if delay else None
