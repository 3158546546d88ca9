"""Which family a model is of, by its name: a judge that rates its own family's style is no witness.

    openai/gpt-4o ─▶ gpt        us.anthropic.claude-sonnet-4 ─▶ claude       Meta-Llama-3.1-8B ─▶ llama
    DeepSeek-R1-Distill-Qwen-7B ─▶ deepseek, qwen        my-model ─▶ nothing is known

Source: self-preference of judges in Indic languages, Pariksha, arXiv 2406.15053.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

__all__ = ["FAMILIES", "find_families", "shared_families", "warn_of_families"]

FAMILIES: Mapping[str, str] = {
    "gpt": r"(?:chat)?gpt|o[134]|text-davinci|davinci|openai",
    "claude": r"claude|anthropic",
    "gemini": r"gemini|gemma|\w*gemma|palm",
    "llama": r"(?:code|tiny)?llama|vicuna|alpaca",
    "qwen": r"(?:code)?qwen|qwq|qvq|m-prometheus",
    "mistral": r"mistral(?:ai)?|mixtral|ministral|magistral|codestral|devstral|pixtral|zephyr",
    "deepseek": r"deepseek(?:-ai)?",
    "command": r"command|aya|c4ai|cohere\w*",
    "phi": r"phi",
    "grok": r"grok|xai",
    "glm": r"(?:chat)?glm|z-ai|zai|thudm",
    "kimi": r"kimi|moonshot\w*",
    "granite": r"granite",
    "nova": r"nova",
    "olmo": r"olmoe?|tulu",
    "smollm": r"smollm",
    "minimax": r"minimax\w*",
}
"""What names begin with, by family; the owner in front of a hosted name counts too."""
_MODELS = {
    name: re.compile(rf"(?:^|[^a-z0-9])(?:{words})(?=\d|[^a-z0-9]|$)", re.IGNORECASE | re.ASCII)
    for name, words in FAMILIES.items()
}


def find_families(model: str) -> tuple[str, ...]:
    """Return the families that a model's name tells of, in the order of `FAMILIES`; none: unknown."""
    return tuple(name for name, pattern in _MODELS.items() if pattern.search(model))


def shared_families(model: str, others: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return {other: families} of those of `others` that share a family with a model, or are that model."""
    own = find_families(model)
    found = {}
    for other in others:
        both = tuple(name for name in find_families(other) if name in own)
        if both or other.casefold() == model.casefold():
            found[other] = both or (model,)
    return found


def warn_of_families(judge: str, model: str, teachers: Iterable[str]) -> list[tuple[str, str]]:
    """Return (teacher, warning) for each teacher that the judge `judge`, a model, is of one family with."""
    found = []
    for teacher, families in shared_families(model, dict.fromkeys(teachers)).items():
        kin = "the same model as" if model in families else f"of the family {', '.join(families)}, as is"
        warning = (
            f"judge.{judge}: {model} is {kin} the teacher {teacher}. Judges prefer what their own family "
            "writes: what it says of this teacher's students is no evidence."
        )
        found.append((teacher, warning))
    return found
