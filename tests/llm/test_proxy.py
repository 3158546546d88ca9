from __future__ import annotations

import pytest

from alif.errors import ReplyError
from alif.llm.proxy import find_proxy

URL = "https://api.openai.com/v1"


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in ("http", "https", "all", "no"):
        monkeypatch.delenv(f"{kind}_proxy", raising=False)
        monkeypatch.delenv(f"{kind}_proxy".upper(), raising=False)


@pytest.mark.parametrize(
    ("value", "url"),
    [
        ("http://proxy.example:3128", "http://proxy.example:3128"),
        ("proxy.example:3128", "http://proxy.example:3128"),
        ("http://me:p%40ss@10.0.0.1:8080/", "http://me:p%40ss@10.0.0.1:8080/"),
        ("http://[::1]:3128", "http://[::1]:3128"),
        ("https://proxy.example", "https://proxy.example"),
    ],
)
def test_a_proxy_is_found_in_its_variable(monkeypatch: pytest.MonkeyPatch, value: str, url: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", value)
    proxy = find_proxy("teacher.gpt", URL)
    assert proxy is not None
    assert (proxy.url, proxy.variable) == (url, "HTTPS_PROXY")
    assert "p%40ss" not in str(proxy)
    assert find_proxy("teacher.gpt", "http://models.example/v1") is None, "that is HTTP_PROXY's"


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
@pytest.mark.parametrize(
    "value",
    [
        "http://127.0.0.1:6153export",
        "http://me:secret@host:99999",
        "http://host:abc",
        "http://host:0",
        "http://me:secret@:3128",
        "http://ho st:3128",
        "http://",
        "http://[::1:3128",
        "http://me:secret@host:3128 ",
        "socks5://me:secret@host:1080",
        "http//host:3128",
    ],
)
def test_what_is_no_proxy_is_refused_and_its_variable_named(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ReplyError, match=rf"teacher\.gpt: {variable} names a proxy") as caught:
        find_proxy("teacher.gpt", URL)
    assert "secret" not in str(caught.value)
