from __future__ import annotations

import pytest

from alif.errors import RecipeError, ReplyError
from alif.models import address
from alif.recipe import Teacher


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
    assert address.is_local(where) is local


@pytest.mark.parametrize(
    "where",
    ["api.openai.com/v1", "ftp://host/v1", "http://", "http://me:secret@host/v1", "https://host.org/v1?key=secret", "http://["],
)
def test_an_address_that_is_none_or_holds_a_secret_is_refused_without_repeating_the_secret(where: str) -> None:
    with pytest.raises(RecipeError, match=r"teacher\.gpt\.address") as caught:
        address.check("gpt", Teacher(model="m", address=where))
    assert "secret" not in str(caught.value)


def test_a_key_comes_from_the_environment_and_goes_only_where_the_recipe_sends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", " sk-1\n")
    assert address.key("gpt", Teacher(model="m")) == "sk-1"
    assert address.key("gpt", Teacher(model="m", address="http://localhost:1/v1")) == ""
    monkeypatch.setenv("MY_KEY", "sk-2")
    assert address.key("gpt", Teacher(model="m", address="http://localhost:1/v1", key="MY_KEY")) == "sk-2"
    monkeypatch.setenv("MY_KEY", "schlüssel")
    with pytest.raises(ReplyError, match="MY_KEY") as caught:
        address.key("gpt", Teacher(model="m", key="MY_KEY"))
    assert "schlüssel" not in str(caught.value)
    monkeypatch.delenv("MY_KEY")
    with pytest.raises(ReplyError, match="MY_KEY is not set"):
        address.key("gpt", Teacher(model="m", key="MY_KEY"))


def test_hosts_tell_what_goes_where() -> None:
    found = address.hosts(
        {
            "gpt": Teacher(model="gpt-4o"),
            "own": Teacher(model="q", address="http://pc:1/v1"),
            "demo": Teacher(model="d", address="scripted"),
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
    teacher = Teacher(model="m", address=where)
    assert (address.protocol(teacher), address.variable(teacher)) == (spoken, variable)
    assert address.variable(teacher.model_copy(update={"key": "MINE"})) == "MINE"
    assert address.protocol(teacher.model_copy(update={"protocol": "anthropic"})) == "anthropic"
