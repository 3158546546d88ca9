"""What a failure means: try again, wait, or stop with a sentence.

429, 500, 503 …            refused: nobody is billed, try again
timeout, closed, half      lost on the way: perhaps billed, try again
401, 403, 404, 400, 402    refused for good: one sentence
a used-up balance or day   refused until a person or midnight acts: one sentence, not a retry
"""

from __future__ import annotations

import contextlib
import email.utils
import json
import math
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp

from alif.errors import ReplyError
from alif.formatting import format_duration
from alif.llm.endpoint import api_key_env, hostname
from alif.recipe import Teacher

__all__ = ["ProviderError", "from_network_error", "from_status", "retry_after"]

LONGEST_PAUSE_S = 900.0
"""A provider that asks to wait longer than this is told to the user instead of being waited for."""
PERHAPS_BILLED = (408, 499, 502, 504, 520, 522, 524)
"""Statuses of a gateway that stopped waiting: the model behind it may have answered."""
CROWDED = (429, 529)
"""Too many requests of ours; too many of everybody's (Anthropic)."""
FOR_NOW = (408, 409, 425, 429, 499)
"""Statuses below 500 that are worth another try."""

_USED_UP = re.compile(
    "insufficient.(quota|balance|funds|credit)|billing_hard_limit|credit balance", re.IGNORECASE
)
_DAILY_QUOTA = re.compile(r'"quotaId"\s*:\s*"[^"]*PerDay')
"""Gemini names the quota that is used up, and asks for a wait of seconds all the same."""
_RETRY_DELAY = re.compile(r'"retryDelay"\s*:\s*"(?P<s>[0-9]+(?:\.[0-9]+)?)s"')
_FOR_TODAY = re.compile("per.?day|daily", re.IGNORECASE)
_NO_MODEL = re.compile("model|deployment|endpoints? found", re.IGNORECASE)
"""What providers say where they have no such model: Azure's are deployments, OpenRouter has "no endpoints found" for one."""
_SPACE = re.compile(r"\s+")


@dataclass(eq=False)
class ProviderError(Exception):
    """One attempt that brought no reply."""

    why: str
    """A few words for the ledger: "429", "timeout", "broken JSON" …"""
    billed: bool
    """Whether the provider may send a bill for it."""
    crowded: bool = False
    """Whether the provider said that there are too many requests."""
    unreachable: bool = False
    """Whether there was no connection at all."""
    wait_s: float | None = None
    """How long the provider asks to wait."""
    stop: ReplyError | None = None
    """Set where another try cannot help."""


def from_network_error(error: aiohttp.ClientError | TimeoutError) -> ProviderError:
    """Return what it means that a request got no answer at all."""
    if isinstance(
        error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError | aiohttp.ClientHttpProxyError
    ):
        return ProviderError(f"no connection: {type(error).__name__}", billed=False, unreachable=True)
    if isinstance(error, TimeoutError):
        return ProviderError("timeout", billed=True)
    return ProviderError(f"connection lost: {type(error).__name__}", billed=True)


def from_status(
    status: int,
    headers: Mapping[str, str],
    body: str,
    name: str,
    teacher: Teacher,
    *,
    key: str,
    url: str = "",
) -> ProviderError:
    """Return what a refusal by `teacher` means; `url` is what was asked. The `key` is taken out of whatever is said."""
    wait_s = retry_after(headers, body)
    in_flight = (
        status == 402 and wait_s is not None
    )  # OpenRouter: the balance is there, too much of it is under way
    crowded = in_flight or status in CROWDED
    fault = ProviderError(str(status), billed=status in PERHAPS_BILLED, crowded=crowded, wait_s=wait_s)
    long = wait_s is not None and wait_s > LONGEST_PAUSE_S
    for_today = _FOR_TODAY.search(body) is not None and (wait_s is None or long)
    today = status == 429 and (for_today or _DAILY_QUOTA.search(body) is not None)
    words = _words(body, key)
    where, who = (
        hostname(teacher.base_url),
        f"the key from {api_key_env(teacher)}" if key else "a request without a key",
    )
    if not in_flight and (status == 402 or (status < 500 and _USED_UP.search(body))):
        fault.stop = ReplyError(
            f"teacher.{name}: the balance or quota at {where} is used up{words}",
            "Top it up there and repeat the command: it goes on where it stopped.",
        )
    elif today or long:
        asked = f", it asks to wait {format_duration(wait_s)}" if long and wait_s else ""
        fault.stop = ReplyError(
            f"teacher.{name}: {where} gives no more for now{asked}{words}",
            "Repeat the command later: it goes on where it stopped.",
        )
    elif status < 500 and status not in FOR_NOW and not in_flight:
        named = "model_not_found" in body or _NO_MODEL.search(words.replace(urlsplit(url).path, ""))
        fault.stop = _refusal(name, teacher, status, words, who, "" if named else url)
    return fault


def _refusal(name: str, teacher: Teacher, status: int, words: str, who: str, url: str) -> ReplyError:
    where = hostname(teacher.base_url)
    if status == 401:  # without the provider's words: some repeat the key
        return ReplyError(
            f"teacher.{name}: {where} refuses {who}",
            f"Check the environment variable {api_key_env(teacher)}, and that teacher.{name}.api_key_env names the right one.",
        )
    if status == 403:
        message = f"teacher.{name}: {where} does not let {who} use {teacher.model}{words}"
        return ReplyError(message, "Ask the provider for access, or name another model.")
    if status == 404 and url:
        message = f"teacher.{name}: there is nothing at {url}, or no model {teacher.model}{words}"
        ending = "" if "/v1/" in url else ", most end in /v1,"
        return ReplyError(message, f"Check teacher.{name}.base_url{ending} and teacher.{name}.model.")
    if status == 404:
        message = f"teacher.{name}: {where} knows no model {teacher.model}{words}"
        return ReplyError(message, f"Check teacher.{name}.model and teacher.{name}.base_url.")
    message = f"teacher.{name}: {where} refuses the request with status {status}{words}"
    return ReplyError(message, f"Check teacher.{name}: model, address, temperature and max_tokens.")


def _words(body: str, key: str) -> str:
    """Return what the provider says, in brackets, short and without the key."""
    words = _SPACE.sub(" ", _said(body)).strip()
    if key:
        words = words.replace(key, "***")
    words = "".join(letter if letter.isprintable() else "\ufffd" for letter in words)
    return f" ({words[:200]})" if words else ""


def _said(body: str) -> str:
    """Return the message of an error body: `{"error": {"message": …}}`, the same in a list, or FastAPI's `{"detail": …}`."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    for key in ("error", "detail", "message", "msg"):
        found = found[0] if isinstance(found, list) and found else found
        found = found.get(key, found) if isinstance(found, dict) else found
    return found if isinstance(found, str) else ""


def retry_after(headers: Mapping[str, str], body: str = "") -> float | None:
    """Return the seconds that a provider asks to wait; None where it does not say.

    Its header says so in milliseconds, seconds or as a date; Gemini's body in `"retryDelay": "34s"`.
    """
    for header, unit_s in (("retry-after-ms", 1e-3), ("retry-after", 1.0)):
        with contextlib.suppress(KeyError, ValueError):
            seconds = float(headers[header]) * unit_s
            if 0 <= seconds < math.inf:
                return seconds
    with contextlib.suppress(KeyError, ValueError):
        moment = email.utils.parsedate_to_datetime(headers["retry-after"])
        return max(0.0, moment.timestamp() - time.time())
    delay = _RETRY_DELAY.search(body)
    return float(delay["s"]) if delay else None
