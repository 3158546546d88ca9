"""Licences: what they oblige to, and which cannot be given to what was made under another."""

from __future__ import annotations

import pytest

from alif.facts.licence_duties import find_conflict, licence_duty, needs_llama_name, teacher_terms


@pytest.mark.parametrize(
    ("licence", "duty"),
    [
        ("llama3.1", 'begins with "Llama"'),
        ("Llama 3.1 Community License", 'Built with Llama"'),
        ("llama2", "no model but a Llama"),
        ("gemma", "prohibited uses"),
        ("qwen-research", "no commercial use"),
        ("tongyi-qianwen", "Built with Qwen"),
        ("Qwen License Agreement", "Built with Qwen"),
        ("cc-by-nc-sa-4.0", "no commercial use"),
        ("CC BY-NC 4.0", "no commercial use"),
        ("cc-by-sa-3.0", "same licence"),
        ("CC BY 4.0", "name its authors, and say what you changed"),
        ("bigscience-bloom-rail-1.0", "limits of use"),
        ("Apache-2.0", "NOTICE"),
        ("MIT", "copyright notice"),
        ("bsd-3-clause", "copyright notice"),
        ("agpl-3.0", "same licence"),
        ("cc0-1.0", "nothing"),
        ("other", "read it"),
        ("", "ask its makers"),
    ],
)
def test_the_duty_of_a_licence_is_told(licence: str, duty: str) -> None:
    assert duty in licence_duty(licence)


@pytest.mark.parametrize(
    ("licence", "claimed", "conflict"),
    [
        ("CC BY-NC 4.0", "apache-2.0", "allows no commercial use"),
        ("cc-by-nc-sa-4.0", "mit", "allows no commercial use"),
        ("cc-by-nc-4.0", "cc-by-nc-4.0", ""),
        ("cc-by-nc-4.0", "other", ""),
        ("CC BY-SA 3.0", "mit", "same licence"),
        ("CC BY-SA 3.0", "cc-by-sa-4.0", ""),
        ("cc-by-nd-4.0", "cc-by-nd-4.0", "nothing that is made of it"),
        ("cc-by-nd-4.0", "other", "nothing that is made of it"),
        ("llama3.1", "apache-2.0", "its own licence"),
        ("llama3.1", "llama3.1", ""),
        ("gemma", "mit", "its own terms"),
        ("gpl-3.0", "mit", "same licence"),
        ("qwen-research", "apache-2.0", "no commercial use"),
        ("MIT", "apache-2.0", ""),
        ("CC BY 4.0", "mit", ""),
        ("", "mit", ""),
    ],
)
def test_a_licence_that_cannot_be_given_says_why(licence: str, claimed: str, conflict: str) -> None:
    found = find_conflict(licence, claimed)
    assert (conflict in found) if conflict else found == ""


@pytest.mark.parametrize(
    ("name", "needed"),
    [
        ("llama3.1", True),
        ("meta-llama/Llama-3.1-8B-Instruct", True),
        ("llama-4-scout", True),
        ("llama2", False),
        ("TinyLlama-1.1B", False),
        ("apache-2.0", False),
        ("gpt-4o-mini", False),
    ],
)
def test_who_must_be_called_llama(name: str, needed: bool) -> None:
    assert needs_llama_name(name) == needed


@pytest.mark.parametrize(
    ("model", "host", "told"),
    [
        ("gpt-4o-mini", "api.openai.com", "OpenAI"),
        ("claude-x", "api.anthropic.com", "Anthropic"),
        ("openai/gpt-oss-120b", "api.together.xyz", "no limit"),
        ("qwen-pro3", "models.example", "Qwen"),
        ("meta-llama/Llama-3.3-70B-Instruct", "api.together.xyz", "begins with"),
        ("my-model", "models.example", "models.example: read them"),
    ],
)
def test_what_a_teachers_makers_say_is_told(model: str, host: str, told: str) -> None:
    assert told in teacher_terms(model, host)
