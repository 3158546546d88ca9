"""Where an endpoint is: its host, its protocol, whether it is local, and which API key it needs.

scripted                          the offline teacher in alif's own process: no key, no price
http://localhost:11434/v1         local (loopback, private network, no dot): no key, no price needed
https://api.openai.com/v1         a provider: needs a key in the environment and a price in the recipe
https://api.anthropic.com         the same, in Anthropic's protocol
https://NAME.openai.azure.com     the same, in Azure's protocol, also with /openai/deployments/MODEL;
                                  with /openai/v1 at its end in OpenAI's

An endpoint is named in messages by the recipe key of its table, such as "teacher.gpt".
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from urllib.parse import SplitResult, parse_qs, quote, urlsplit

from alif.errors import RecipeError, ReplyError
from alif.llm import key_policy
from alif.settings import Endpoint, Recipe

__all__ = [
    "SCRIPTED", "api_key_env", "base_url", "contacted_hosts", "deployment_name", "find_address_fault",
    "hostname", "is_local", "is_openai", "protocol_of", "read_api_key", "serves_openai", "validate_endpoint",
    "validate_endpoints",
]  # fmt: skip

SCRIPTED = "scripted"
"""The base_url of the offline teacher."""
KEY_VARIABLES = {
    "openai": "OPENAI_API_KEY",
    "anthropic": "ANTHROPIC_API_KEY",
    "azure": "AZURE_OPENAI_API_KEY",
}
"""The usual names of the variables that hold keys, by protocol."""
REQUEST_PATHS = ("/chat/completions", "/completions", "/messages", "/responses")
"""Ends of the addresses in providers' examples: the path of one kind of request, not a base URL."""
VERSION = "api-version"
"""The query that Azure's portal writes behind an address: see `teacher.NAME.api_version`."""
_HOST = re.compile(rb"[A-Za-z0-9._~:%-]+")


def _split(address: str) -> SplitResult:
    try:
        return urlsplit(address)
    except ValueError:
        return urlsplit("")


def hostname(address: str) -> str:
    """Return the host of an address, with its port where it has one."""
    return "127.0.0.1" if address == SCRIPTED else _split(address).netloc.rpartition("@")[2]


def is_local(address: str) -> bool:
    """Tell whether an address is on this machine or in a private network, where nobody sends a bill."""
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


def serves_openai(endpoint: Endpoint) -> bool:
    """Tell whether OpenAI itself or Azure serves the model: `max_tokens` has another name there."""
    host = _split(endpoint.base_url).hostname or ""
    return protocol_of(endpoint) == "azure" or host.endswith((".openai.com", ".openai.azure.com"))


def protocol_of(endpoint: Endpoint) -> str:
    """Return an endpoint's protocol: openai, anthropic or azure."""
    if endpoint.base_url == SCRIPTED:
        return "openai"
    if endpoint.protocol != "auto":
        return endpoint.protocol
    parts = _split(endpoint.base_url)
    name = parts.hostname or ""
    if name.endswith(".anthropic.com"):
        return "anthropic"
    azure = name.endswith((".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com"))
    return "azure" if azure and "/v1" not in parts.path else "openai"


def api_key_env(endpoint: Endpoint) -> str:
    """Return the name of the environment variable that holds an endpoint's API key."""
    return endpoint.api_key_env or KEY_VARIABLES[protocol_of(endpoint)]


def deployment_name(endpoint: Endpoint) -> str:
    """Return an Azure deployment's name as a path segment: the one in the address, or the model's."""
    return endpoint.base_url.rstrip("/").partition("/deployments/")[2] or quote(endpoint.model, safe="")


def base_url(endpoint: Endpoint) -> str:
    """Return the URL that every path is below."""
    url, protocol = endpoint.base_url.rstrip("/"), protocol_of(endpoint)
    if protocol == "azure":
        return f"{url.partition('/deployments/')[0].removesuffix('/openai')}/openai"
    return url.removesuffix("/v1") if protocol == "anthropic" else url


def validate_endpoint(key: str, endpoint: Endpoint) -> None:
    """Refuse an address that is malformed, holds a secret, or is longer than a base URL.

    User, password and query are not repeated in messages, but for Azure's api-version: they may be secrets.

    Raises:
        RecipeError: with the recipe key.
    """
    if endpoint.base_url == SCRIPTED:
        return
    where, parts = f"{key}.base_url", _split(endpoint.base_url)
    query = parse_qs(parts.query, keep_blank_values=True)
    has_query = "?" in endpoint.base_url and query.keys() != {VERSION}
    if "@" in parts.netloc or "#" in endpoint.base_url or has_query:
        raise RecipeError(
            f"{where} holds a user, a password, a query or a #",
            f"Keys come from the environment only: name the variable in {key}.api_key_env.",
        )
    if fault := find_address_fault(endpoint.base_url, parts):
        raise RecipeError(
            f"{where} is no address: {fault}", 'Write it like "https://api.openai.com/v1", or "scripted".'
        )
    path = parts.path.rstrip("/")
    ending = next((one for one in REQUEST_PATHS if path.endswith(one)), "")
    if ending or query:
        cure = f'base_url = "{parts.scheme}://{parts.netloc}{path.removesuffix(ending)}"'
        if query and protocol_of(endpoint) == "azure":
            cure += f' and api_version = "{query[VERSION][0]}"'
        extra = " and ".join(one for one in (ending, f"?{VERSION}" if query else "") if one)
        raise RecipeError(f"{where} has more than a base URL: {extra}", f"Write {cure}.")


def validate_endpoints(recipe: Recipe) -> None:
    """Refuse a recipe with a secret in an address, before anything of it is written or printed.

    Raises:
        RecipeError: with the recipe key.
    """
    tables: tuple[tuple[str, Mapping[str, Endpoint]], ...] = (
        ("teacher", recipe.teacher),
        ("system", recipe.system),
        ("judge", recipe.judge),
    )
    for table, endpoints in tables:
        for name, one in endpoints.items():
            if one.base_url:
                validate_endpoint(f"{table}.{name}", one)


def find_address_fault(address: str, parts: SplitResult) -> str:
    """Return why requests cannot be sent to an address, "" where they can."""
    if not all(letter.isprintable() and not letter.isspace() for letter in address):
        return "it holds a space, or a character that cannot be seen"
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


def read_api_key(key: str, endpoint: Endpoint) -> str:
    """Return an endpoint's API key from the environment, "" where it needs none.

    A local address is sent a key only if the recipe names its variable: the usual OPENAI_API_KEY is not for
    everyone.

    Raises:
        ReplyError: the variable is not set or cannot be a key; it is named, its value never is.
        RecipeError: the key would go to another host than its own, or unencrypted.
    """
    local, variable = is_local(endpoint.base_url), api_key_env(endpoint)
    if local and not endpoint.api_key_env:
        return ""
    if not local:
        key_policy.check_key_goes_home(key, _split(endpoint.base_url), variable, bool(endpoint.api_key_env))
    value = os.environ.get(variable, "").strip()
    if not value and not local:
        raise ReplyError(
            f"{key}: {hostname(endpoint.base_url)} needs a key, "
            f"and the environment variable {variable} is not set",
            f"export {variable}=... and repeat the command; it is never written to any file.",
        )
    if not (value.isascii() and value.isprintable()):
        raise ReplyError(
            f"{key}: the environment variable {variable} holds characters that no key has",
            "Copy the key again, without anything around it.",
        )
    return value


def contacted_hosts(endpoints: Mapping[str, Endpoint]) -> list[tuple[str, str]]:
    """Return (host, what is sent there) of every endpoint, by recipe key, for `alif check`. Sends nothing."""
    found = []
    for key, endpoint in endpoints.items():
        validate_endpoint(key, endpoint)
        sent = f"{key}: prompts for {endpoint.model}"
        if endpoint.base_url == SCRIPTED:
            sent += ", to the offline teacher in alif's own process"
        elif not is_local(endpoint.base_url) or endpoint.api_key_env:
            sent += f", with the key from {api_key_env(endpoint)}"
        found.append((hostname(endpoint.base_url), sent))
    return found
