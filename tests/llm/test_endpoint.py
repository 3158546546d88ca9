from __future__ import annotations

import pytest

from alif.errors import RecipeError, ReplyError
from alif.llm import endpoint, protocol
from alif.settings import Teacher


@pytest.mark.parametrize(
    ("where", "local"),
    [
        ("scripted", True),
        ("http://localhost:11434/v1", True),
        ("http://127.0.0.1:8000/v1", True),
        ("http://[::1]:8000/v1", True),
        ("http://192.168.1.7:8000/v1", True),
        ("http://ollama:11434/v1", True),
        ("http://host.docker.internal:8080/v1", True),
        ("https://api.openai.com/v1", False),
        ("https://8.8.8.8/v1", False),
        ("https://localhost.example.com/v1", False),
        ("https://user@localhost:80@api.example.com/v1", False),
    ],
)
def test_what_is_local(where: str, local: bool) -> None:
    assert endpoint.is_local(where) is local


@pytest.mark.parametrize(
    "where",
    [
        "api.openai.com/v1",
        "ftp://host/v1",
        "http://",
        "http://me:secret@host/v1",
        "https://host.org/v1?key=secret",
        "https://host.org/v1?key=secret&api-version=1",
        "https://host.org/v1#secret",
        "https://host.org/v1#",
        "https://host.org/v1?",
        "sk-secret",
        "http://[",
        "http://127.0.0.1:abc/v1",
        "http://127.0.0.1:99999/v1",
        "http://127.0.0.1:0/v1",
        " http://127.0.0.1/v1",
        "http://127.0.0.1/v1 ",
        "http://bücher .de/v1",
        "http://bücher..de/v1",
        "http://host.org\u200f/v1",
        "http://a<b/v1",
    ],
)
def test_an_address_that_is_none_or_holds_a_secret_is_refused_without_repeating_the_secret(
    where: str,
) -> None:
    with pytest.raises(RecipeError, match=r"teacher\.gpt\.base_url") as caught:
        endpoint.validate_endpoint("teacher.gpt", Teacher(model="m", base_url=where))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "where",
    [
        "http://bücher.de/v1",
        "http://[::1]:8000/v1/",
        "http://my_host:1/v1",
        "HTTPS://API.OPENAI.COM/v1",
        "https://x.org/models",
    ],
)
def test_an_address_may_be_in_any_letters_and_end_anyhow(where: str) -> None:
    endpoint.validate_endpoint("teacher.gpt", Teacher(model="m", base_url=where))


@pytest.mark.parametrize(
    ("where", "right"),
    [
        ("http://pc:1/v1/chat/completions", 'base_url = "http://pc:1/v1".'),
        ("http://pc:1/v1/chat/completions/", 'base_url = "http://pc:1/v1".'),
        ("http://pc:1/v1/completions", 'base_url = "http://pc:1/v1".'),
        ("https://api.anthropic.com/v1/messages", 'base_url = "https://api.anthropic.com/v1".'),
        (
            "https://mine.openai.azure.com/openai/deployments/gpt/chat/completions?api-version=2025-01-01",
            'base_url = "https://mine.openai.azure.com/openai/deployments/gpt" '
            'and api_version = "2025-01-01".',
        ),
        (
            "https://mine.openai.azure.com?api-version=2025-01-01",
            'base_url = "https://mine.openai.azure.com" and api_version = "2025-01-01".',
        ),
        (
            "https://mine.openai.azure.com/openai/v1?api-version=preview",
            'base_url = "https://mine.openai.azure.com/openai/v1".',
        ),
    ],
)
def test_an_address_that_goes_on_too_far_is_told_how_to_write_it(where: str, right: str) -> None:
    with pytest.raises(RecipeError, match=r"teacher\.gpt\.base_url has more than a base URL") as caught:
        endpoint.validate_endpoint("teacher.gpt", Teacher(model="m", base_url=where))
    assert caught.value.hint == f"Write {right}"
    settings = dict(part.split(" = ") for part in right[:-1].split(" and "))
    endpoint.validate_endpoint("teacher.gpt", Teacher(model="m", base_url=settings["base_url"].strip('"')))


@pytest.mark.parametrize(
    "ending",
    ["", "/", "/openai", "/openai/", "/openai/deployments/my%20gpt", "/openai/deployments/my%20gpt/"],
)
def test_every_way_in_which_azures_portal_writes_an_address_leads_to_the_same_place(ending: str) -> None:
    teacher = Teacher(model="my gpt", base_url=f"https://mine.openai.azure.com{ending}")
    where = f"{endpoint.base_url(teacher)}{protocol.request_path(teacher)}"
    assert where == "https://mine.openai.azure.com/openai/deployments/my%20gpt/chat/completions"


def test_a_deployment_in_an_azure_address_is_the_one_that_is_asked() -> None:
    teacher = Teacher(model="gpt-4o", base_url="https://mine.openai.azure.com/openai/deployments/urdu")
    assert protocol.request_path(teacher) == "/deployments/urdu/chat/completions"


def test_a_key_comes_from_the_environment_and_goes_only_where_the_recipe_sends_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", " sk-1\n")
    assert endpoint.read_api_key("teacher.gpt", Teacher(model="m")) == "sk-1"
    assert endpoint.read_api_key("teacher.gpt", Teacher(model="m", base_url="http://localhost:1/v1")) == ""
    monkeypatch.setenv("MY_KEY", "sk-2")
    assert (
        endpoint.read_api_key(
            "teacher.gpt", Teacher(model="m", base_url="http://localhost:1/v1", api_key_env="MY_KEY")
        )
        == "sk-2"
    )
    monkeypatch.setenv("MY_KEY", "schlüssel")
    with pytest.raises(ReplyError, match="MY_KEY") as caught:
        endpoint.read_api_key("teacher.gpt", Teacher(model="m", api_key_env="MY_KEY"))
    assert "schlüssel" not in str(caught.value)
    monkeypatch.delenv("MY_KEY")
    with pytest.raises(ReplyError, match="MY_KEY is not set"):
        endpoint.read_api_key("teacher.gpt", Teacher(model="m", api_key_env="MY_KEY"))


def test_hosts_tell_what_goes_where() -> None:
    found = endpoint.contacted_hosts(
        {
            "gpt": Teacher(model="gpt-4o"),
            "own": Teacher(model="q", base_url="http://pc:1/v1"),
            "demo": Teacher(model="d", base_url="scripted"),
        }
    )
    assert [host for host, _ in found] == ["api.openai.com", "pc:1", "127.0.0.1"]
    assert "OPENAI_API_KEY" in found[0][1]
    assert "OPENAI_API_KEY" not in found[1][1] + found[2][1]


@pytest.mark.parametrize(
    ("where", "spoken", "variable"),
    [
        ("https://api.openai.com/v1", "openai", "OPENAI_API_KEY"),
        ("http://localhost:11434/v1", "openai", "OPENAI_API_KEY"),
        ("https://api.anthropic.com", "anthropic", "ANTHROPIC_API_KEY"),
        ("https://mine.openai.azure.com", "azure", "AZURE_OPENAI_API_KEY"),
        ("https://mine.openai.azure.com/openai/v1", "openai", "OPENAI_API_KEY"),
        ("scripted", "openai", "OPENAI_API_KEY"),
    ],
)
def test_how_an_address_is_spoken_to(where: str, spoken: str, variable: str) -> None:
    teacher = Teacher(model="m", base_url=where)
    assert (endpoint.protocol_of(teacher), endpoint.api_key_env(teacher)) == (spoken, variable)
    assert endpoint.api_key_env(teacher.model_copy(update={"api_key_env": "MINE"})) == "MINE"
    named = teacher.model_copy(update={"protocol": "anthropic"})
    assert endpoint.protocol_of(named) == ("openai" if where == "scripted" else "anthropic")
