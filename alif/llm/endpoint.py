"""Where a teacher lies: its host, how it is spoken to, whether that is this house or the world, and which key opens it.

scripted                            the offline teacher in alif's own process: no key, no price
http://localhost:11434/v1           local (loopback, private network, a name without a dot): no key, no price needed
https://api.openai.com/v1           a provider: needs a key in the environment and a price in the recipe
https://api.anthropic.com           the same, in Anthropic's protocol
https://NAME.openai.azure.com       the same, in Azure's protocol, with or without /openai/deployments/MODEL behind it;
                                    with /openai/v1 at its end in OpenAI's
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from urllib.parse import SplitResult, parse_qs, quote, urlsplit

from alif.errors import RecipeError, ReplyError
from alif.recipe import Teacher

__all__ = [
    "SCRIPTED",
    "api_key_env",
    "base_url",
    "contacted_hosts",
    "deployment_name",
    "hostname",
    "is_local",
    "is_openai",
    "protocol_of",
    "read_api_key",
    "serves_openai",
    "validate_endpoint",
]

SCRIPTED = "scripted"
"""The address of the offline teacher."""
VARIABLES = {"openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY", "azure": "AZURE_OPENAI_API_KEY"}
"""The usual names of the variables that hold keys, by protocol."""
ENDINGS = ("/chat/completions", "/completions", "/messages", "/responses")
"""What stands at the end of addresses in providers' examples, and is the path of one kind of request."""
VERSION = "api-version"
"""What Azure's portal writes behind an address: see `teacher.NAME.api_version`."""
_HOST = re.compile(rb"[A-Za-z0-9._~:%-]+")


def hostname(address: str) -> str:
    """Return the host of an address, with its port where it has one."""
    if address == SCRIPTED:
        return "127.0.0.1"
    return _split(address).netloc.rpartition("@")[2]


def is_local(address: str) -> bool:
    """Tell whether an address lies on this machine or in a private network, where nobody sends a bill."""
    if address == SCRIPTED:
        return True
    name = _split(address).hostname or ""
    try:
        return ipaddress.ip_address(name).is_private
    except ValueError:
        return "." not in name or name.endswith((".localhost", ".local", ".internal"))


def is_openai(address: str) -> bool:
    """Tell whether an address is OpenAI's own."""
    return (_split(address).hostname or "").endswith(".openai.com")


def serves_openai(teacher: Teacher) -> bool:
    """Tell whether OpenAI's models are behind an address, its own or Azure's: they have another name for a setting."""
    azure = protocol_of(teacher) == "azure" or (_split(teacher.base_url).hostname or "").endswith(
        ".openai.azure.com"
    )
    return azure or is_openai(teacher.base_url)


def protocol_of(teacher: Teacher) -> str:
    """Return how a teacher is spoken to: openai, anthropic or azure."""
    if teacher.protocol != "auto":
        return teacher.protocol
    parts = _split(teacher.base_url)
    name = parts.hostname or ""
    if name.endswith(".anthropic.com"):
        return "anthropic"
    azure = name.endswith((".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com"))
    return "azure" if azure and "/v1" not in parts.path else "openai"


def api_key_env(teacher: Teacher) -> str:
    """Return the name of the environment variable that holds a teacher's key."""
    return teacher.api_key_env or VARIABLES[protocol_of(teacher)]


def deployment_name(teacher: Teacher) -> str:
    """Return the name of an Azure deployment, as it stands in a path: from the address, where Azure's portal writes it."""
    return _below(teacher.base_url)[1] or quote(teacher.model, safe="")


def base_url(teacher: Teacher, url: str = "") -> str:
    """Return the URL that every path is below; `url` stands for the address where that is no URL."""
    url = (url or teacher.base_url).rstrip("/")
    spoken = protocol_of(teacher)
    if spoken == "azure":
        return f"{_below(url)[0].removesuffix('/openai')}/openai"
    return url.removesuffix("/v1") if spoken == "anthropic" else url


def _below(address: str) -> tuple[str, str]:
    """Return an Azure address in two: what stands before /deployments/, and the name behind it."""
    before, _, name = address.rstrip("/").partition("/deployments/")
    return before, name


def validate_endpoint(name: str, teacher: Teacher) -> None:
    """Refuse an address that is none, that holds a secret, or that goes on too far.

    It may be a secret: its user, password and query are not repeated, but for Azure's api-version.

    Raises:
        RecipeError: with the recipe key.
    """
    if teacher.base_url == SCRIPTED:
        return
    where, parts = f"teacher.{name}.base_url", _split(teacher.base_url)
    asked = parse_qs(parts.query, keep_blank_values=True)
    if (
        "@" in parts.netloc
        or "#" in teacher.base_url
        or ("?" in teacher.base_url and asked.keys() != {VERSION})
    ):
        raise RecipeError(
            f"{where} holds a user, a password, a query or a #",
            "Keys come from the environment only: name the variable in teacher.NAME.api_key_env.",
        )
    if fault := _fault(teacher.base_url, parts):
        raise RecipeError(
            f"{where} is no address: {fault}", 'Write it like "https://api.openai.com/v1", or "scripted".'
        )
    path = parts.path.rstrip("/")
    ending = next((one for one in ENDINGS if path.endswith(one)), "")
    if ending or asked:
        right = f'address = "{parts.scheme}://{parts.netloc}{path.removesuffix(ending)}"'
        version = (
            f' and api_version = "{asked[VERSION][0]}"' if asked and protocol_of(teacher) == "azure" else ""
        )
        extra = " and ".join(one for one in (ending, f"?{VERSION}" if asked else "") if one)
        raise RecipeError(f"{where} goes on too far, with {extra}", f"Write {right}{version}.")


def _fault(address: str, parts: SplitResult) -> str:
    """Return why requests cannot be sent to an address, "" where they can."""
    if not all(letter.isprintable() and not letter.isspace() for letter in address):
        return "it holds a space, or a sign that cannot be seen"
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return "it is not http:// or https:// and a host"
    try:
        port, host = parts.port, parts.hostname.encode("idna")
    except UnicodeError:
        return "its host is no name"
    except ValueError:
        port = 0
    if port == 0:
        return "its port is no number from 1 to 65535"
    return "" if _HOST.fullmatch(host) else "its host is no name"


def read_api_key(name: str, teacher: Teacher) -> str:
    """Return the key that the environment holds for a teacher, "" where it needs none.

    A local address is sent a key only if the recipe names its variable: the usual OPENAI_API_KEY is not for everyone.

    Raises:
        ReplyError: the variable is not set or cannot be a key; it is named, its value never is.
    """
    local, named = is_local(teacher.base_url), api_key_env(teacher)
    if local and not teacher.api_key_env:
        return ""
    value = os.environ.get(named, "").strip()
    if not value and not local:
        raise ReplyError(
            f"teacher.{name}: {hostname(teacher.base_url)} needs a key, and the environment variable {named} is not set",
            f"export {named}=... and repeat the command; it is never written to any file.",
        )
    if not (value.isascii() and value.isprintable()):
        raise ReplyError(
            f"teacher.{name}: the environment variable {named} holds characters that no key has",
            "Copy the key again, without anything around it.",
        )
    return value


def contacted_hosts(teachers: Mapping[str, Teacher]) -> list[tuple[str, str]]:
    """Return (host, what is sent there) of every teacher, for `alif check`. Sends nothing."""
    found = []
    for name, teacher in teachers.items():
        validate_endpoint(name, teacher)
        sent = f"teacher.{name}: prompts for {teacher.model}"
        if teacher.base_url == SCRIPTED:
            sent += ", to the offline teacher in alif's own process"
        elif not is_local(teacher.base_url) or teacher.api_key_env:
            sent += f", with the key from {api_key_env(teacher)}"
        found.append((hostname(teacher.base_url), sent))
    return found


def _split(address: str) -> SplitResult:
    try:
        return urlsplit(address)
    except ValueError:
        return urlsplit("")
