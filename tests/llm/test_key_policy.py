"""Which host a key may be sent to."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from alif.errors import RecipeError
from alif.llm.key_policy import OWN_HOSTS, check_key_goes_home


@pytest.mark.parametrize("variable", sorted(OWN_HOSTS))
def test_a_usual_variable_is_for_its_own_domains(variable: str) -> None:
    for domain in OWN_HOSTS[variable]:
        check_key_goes_home("teacher.g", urlsplit(f"https://api.{domain}/v1"), variable, True)
        for host in (f"{domain}.evil.example", f"not{domain}", "evil.example"):
            with pytest.raises(RecipeError, match="not its own host"):
                check_key_goes_home("teacher.g", urlsplit(f"https://{host}/v1"), variable, True)


def test_a_refusal_names_what_to_write(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RecipeError) as caught:
        check_key_goes_home("teacher.g", urlsplit("https://api.groq.com/v1"), "OPENAI_API_KEY", False)
    assert 'teacher.g.api_key_env = "GROQ_API_KEY"' in caught.value.hint
    with pytest.raises(RecipeError) as caught:
        check_key_goes_home("teacher.g", urlsplit("https://llm.example"), "MY_KEY", True)
    assert 'export ALIF_KEY_HOSTS="MY_KEY@llm.example"' in caught.value.hint
    monkeypatch.setenv("ALIF_KEY_HOSTS", "MY_KEY@llm.example")
    check_key_goes_home("teacher.g", urlsplit("https://llm.example"), "MY_KEY", True)
