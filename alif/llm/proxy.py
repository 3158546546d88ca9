"""The proxy that the environment names for an endpoint; one that cannot be used is refused at once."""

from __future__ import annotations

import os
import urllib.request
from dataclasses import dataclass
from urllib.parse import urlsplit

from alif.errors import ReplyError
from alif.llm.endpoint import find_address_fault

__all__ = ["Proxy", "find_proxy"]


@dataclass(frozen=True)
class Proxy:
    """A proxy for HTTP."""

    url: str
    """May hold a password: it is shown nowhere."""
    variable: str
    """The environment variable that names it."""

    def __str__(self) -> str:
        return f"the proxy {urlsplit(self.url).netloc.rpartition('@')[2]} that {self.variable} names"


def find_proxy(key: str, url: str) -> Proxy | None:
    """Return the proxy that HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY name for a URL.

    Raises:
        ReplyError: it is none that can be used; `key` is the recipe key of the endpoint's table.
    """
    parts, proxies = urlsplit(url), urllib.request.getproxies()
    kind = parts.scheme if proxies.get(parts.scheme) else "all"
    address = proxies.get(kind)
    if not address or urllib.request.proxy_bypass(parts.netloc):
        return None
    names = [name for name in os.environ if name.lower() == f"{kind}_proxy"]
    # getproxies prefers a variable in small letters; on some systems their settings stand in for one
    variable = min(names, key=str.isupper, default="the system's settings")
    address = address if "://" in address else f"http://{address}"
    hint = f"Set {variable} to an address like http://HOST:PORT, or NO_PROXY to the endpoint's host."
    try:
        proxy = urlsplit(address)
    except ValueError:
        proxy = urlsplit("")
    if proxy.scheme and proxy.scheme not in ("http", "https"):
        raise ReplyError(
            f"{key}: {variable} names a proxy of the kind {proxy.scheme}, only http and https can be used",
            hint,
        )
    if fault := find_address_fault(address, proxy) or ("it has a path" if proxy.path.strip("/") else ""):
        raise ReplyError(f"{key}: {variable} names a proxy that is no address: {fault}", hint)
    return Proxy(address, variable)
