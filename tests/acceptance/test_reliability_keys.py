"""Faults M3 and M5 of the reliability review: keys go to their own hosts, and secrets stand in no file.

One test for each input that the review lists.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import tomli_w

from alif import pipeline, recipe
from alif.commands import results
from alif.errors import RecipeError
from alif.llm import endpoint
from alif.runs import Run
from alif.settings import Teacher
from tests.acceptance.test_data_daily import made

SECRET = "hunter2horse"


@pytest.mark.parametrize(
    "address",
    [
        f"https://user:{SECRET}@llm.example.org/v1",
        f"https://llm.example.org/v1?key={SECRET}",
        f"https://llm.example.org/v1#{SECRET}",
    ],
)
@pytest.mark.parametrize("table", ["teacher", "system"])
def test_reliability_m5_a_password_in_an_address_is_refused_before_anything_is_written(
    tmp_path: Path, address: str, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = {"extends": "demo", "name": "t", table: {"g": {"model": "m", "base_url": address}}}
    path = tmp_path / "t.toml"
    path.write_text(tomli_w.dumps(values), encoding="utf-8")
    with pytest.raises(RecipeError, match=rf"{table}\.g\.base_url holds a user, a password") as caught:
        pipeline.run_pipeline(recipe.load_recipe(path), Run(tmp_path / "runs" / "t"), (pipeline.SEEDS,))
    assert SECRET not in str(caught.value)
    assert not (tmp_path / "runs").exists()
    run = made(tmp_path, "old")  # as an older version has written it
    (run.root / "recipe.toml").write_text(tomli_w.dumps(values), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RecipeError, match="holds a user, a password"):
        results.write_report("old")
    assert not [one for one in run.root.glob("report.*") if SECRET in one.read_text(encoding="utf-8")]


@pytest.mark.parametrize(
    "line",
    [
        f'teacher.g="{SECRET}"',
        f'teacher="{SECRET}"',
        f"teacher.g.base_url=https://u:{SECRET}@h",
        f'teacher.g={{base_url="https://u:{SECRET}@h", max_tokens="x"}}',
    ],
)
def test_reliability_m5_a_secret_in_a_wrong_place_is_not_repeated(line: str) -> None:
    with pytest.raises(RecipeError) as caught:
        recipe.load_recipe(recipe.find_recipe("demo"), [line])
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("address", "variable", "complaint"),
    [
        ("https://llm.evil.example/v1", "", "OPENAI_API_KEY would be sent to llm.evil.example"),
        ("https://llm.evil.example/v1", "AWS_SECRET_ACCESS_KEY", "AWS_SECRET_ACCESS_KEY would be sent to"),
        ("https://llm.evil.example/v1", "ANTHROPIC_API_KEY", "ANTHROPIC_API_KEY would be sent to"),
        ("https://api.openai.com.evil.example/v1", "", "which is not its own host"),
        ("https://openai.com.evil/v1", "OPENAI_API_KEY", "which is not its own host"),
        ("https://notopenai.com/v1", "OPENAI_API_KEY", "which is not its own host"),
        ("https://api.groq.com/openai/v1", "", "OPENAI_API_KEY would be sent to api.groq.com"),
        ("https://api.groq.com/openai/v1", "ANTHROPIC_API_KEY", "which is not its own host"),
        ("https://x.endpoints.huggingface.cloud/v1", "MY_KEY", "which is not its own host"),
        ("http://api.openai.com/v1", "OPENAI_API_KEY", "unencrypted"),
        ("http://llm.evil.example:8091/v1", "", "unencrypted"),
    ],
)
def test_reliability_m3_a_key_goes_to_its_own_host_only_and_never_in_clear(
    address: str, variable: str, complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_API_KEY", "AWS_SECRET_ACCESS_KEY", "ANTHROPIC_API_KEY", "MY_KEY"):
        monkeypatch.setenv(name, SECRET)
    with pytest.raises(RecipeError, match=complaint) as caught:
        endpoint.read_api_key("teacher.g", Teacher(model="m", base_url=address, api_key_env=variable))
    assert SECRET not in str(caught.value)
    assert caught.value.hint


def test_reliability_m3_what_is_meant_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", SECRET)
    monkeypatch.setenv("GROQ_API_KEY", SECRET)
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)

    def key(address: str, variable: str = "") -> str:
        return endpoint.read_api_key("teacher.g", Teacher(model="m", base_url=address, api_key_env=variable))

    assert key("https://api.openai.com/v1") == SECRET
    assert key("https://api.groq.com/openai/v1", "GROQ_API_KEY") == SECRET
    assert key("https://api.openai.com/v1", "MY_KEY") == SECRET
    assert key("http://localhost:8000/v1", "MY_KEY") == SECRET
    monkeypatch.setenv("ALIF_KEY_HOSTS", "OTHER@a.example, MY_KEY@llm.mine.example")
    assert key("https://llm.mine.example/v1", "MY_KEY") == SECRET
    with pytest.raises(RecipeError, match="not its own host"):
        key("https://llm.evil.example/v1", "MY_KEY")
