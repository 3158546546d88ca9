"""The family of a model by its name."""

from __future__ import annotations

import pytest

from alif.llm.model_families import find_families, shared_families


@pytest.mark.parametrize(
    ("model", "families"),
    [
        ("gpt-4o", ("gpt",)),
        ("openai/gpt-4o-2024-11-20", ("gpt",)),
        ("gpt4o-urdu-deployment", ("gpt",)),
        ("o3-mini", ("gpt",)),
        ("openai/gpt-oss-120b", ("gpt",)),
        ("us.anthropic.claude-sonnet-4-20250514-v1:0", ("claude",)),
        ("claude-opus-4", ("claude",)),
        ("google/gemini-2.5-pro", ("gemini",)),
        ("models/gemma-3-27b-it", ("gemini",)),
        ("google/medgemma-27b", ("gemini",)),
        ("meta-llama/Llama-3.1-8B-Instruct", ("llama",)),
        ("codellama:70b", ("llama",)),
        ("Qwen/Qwen3-235B-A22B", ("qwen",)),
        ("qwen2.5:7b-instruct", ("qwen",)),
        ("QwQ-32B", ("qwen",)),
        ("mistralai/Mixtral-8x7B-Instruct-v0.1", ("mistral",)),
        ("ministral-8b-latest", ("mistral",)),
        ("deepseek-ai/DeepSeek-R1-Distill-Qwen-7B", ("qwen", "deepseek")),
        ("deepseek-chat", ("deepseek",)),
        ("CohereForAI/aya-expanse-8b", ("command",)),
        ("command-r-plus", ("command",)),
        ("microsoft/phi-4", ("phi",)),
        ("x-ai/grok-4", ("grok",)),
        ("THUDM/glm-4-9b", ("glm",)),
        ("Unbabel/M-Prometheus-14B", ("qwen",)),
        ("my-model", ()),
        ("dolphin-2", ()),
        ("sophia", ()),
        ("", ()),
    ],
)
def test_a_name_tells_its_family(model: str, families: tuple[str, ...]) -> None:
    assert find_families(model) == families


def test_a_judge_of_the_teachers_family_is_found() -> None:
    found = shared_families("openai/gpt-4.1", ["gpt-4o", "claude-sonnet-4", "my-model", "text-davinci-003"])
    assert found == {"gpt-4o": ("gpt",), "text-davinci-003": ("gpt",)}
    assert shared_families("My-Model", ["my-model", "another"]) == {"my-model": ("My-Model",)}
    assert shared_families("llama-3.3-70b", ["DeepSeek-R1-Distill-Llama-70B"]) != {}
    assert shared_families("llama-3.3-70b", ["DeepSeek-V3"]) == {}
