"""What licences and teachers' terms oblige to, and which licence cannot be given to what was made of another.

The duties are the short form of texts that count in their own words.
"""

from __future__ import annotations

import re

__all__ = ["find_conflict", "licence_duty", "needs_llama_name", "teacher_terms"]

DUTIES = (
    ("non-?commercial|research|cc-by-nc|mnpl", "no commercial use; name its authors"),
    (
        "llama-?2",
        "pass on its licence, use policy and notice; above 700 million users a month ask Meta; its answers "
        "may train no model but a Llama",
    ),
    (
        "llama",
        'the name of what you publish begins with "Llama", and it shows "Built with Llama"; pass on its '
        "licence, use policy and notice; above 700 million users a month ask Meta",
    ),
    ("gemma", "pass on its terms with the prohibited uses, and say that you changed it"),
    ("qwen|tongyi", 'show "Built with Qwen"; pass on its licence; above 100 million users ask Alibaba'),
    ("rail|bigscience", "its limits of use stand in your licence too"),
    ("gpl", "what you make of it goes on under the same licence"),
    ("cc-by-nd", "publish nothing that you changed or made of it"),
    ("cc-by-sa", "name its authors, say what you changed, and publish under the same licence"),
    ("cc-by", "name its authors, and say what you changed"),
    ("apache", "enclose the licence and its NOTICE, and say that you changed it"),
    (r"\bmit\b|bsd|\bisc\b", "enclose its copyright notice"),
    ("cc0|unlicense|public-domain", "nothing"),
)
"""What is asked of a model that is made of one under a licence, by the first pattern in its name. Source: the
licences' own texts (Llama 3.1's section 1.b, Gemma's terms 3.1, Qwen's licence agreement, Apache-2.0's
section 4)."""
LIMITS = (
    ("non-?commercial|research|cc-by-nc|-nc-|-nc$|mnpl", "allows no commercial use"),
    ("cc-by(-nc)?-nd", "allows nothing that is made of it"),
    ("llama", "goes on under its own licence"),
    ("gemma", "goes on under its own terms"),
    ("qwen|tongyi", "goes on under its own licence"),
    ("rail|bigscience", "has limits of use that go on"),
    ("gpl", "goes on under the same licence"),
    ("cc-by(-nc)?-sa", "goes on under the same licence"),
)
"""What a licence must have in common with the one that is given to what was made under it."""
OTHER = "other"
"""A licence by this name stands for the terms that the card lists, all of them."""
TERMS = (
    ("gpt-oss", "gpt-oss: Apache-2.0, no limit on its answers"),
    (r"openai|gpt-|\bo[134]\b", "OpenAI: answers may train no model that competes with OpenAI's"),
    ("anthropic|claude", "Anthropic: answers may train no competing model without its consent"),
    ("google|gemini", "Google: answers may train no model that competes with Gemini"),
    ("llama", 'Llama: the name of a model trained on its answers begins with "Llama" (Llama 3 and later)'),
    ("gemma", "Gemma: a model trained on its answers stands under Gemma's terms"),
    ("deepseek", "DeepSeek: answers may train other models"),
    ("qwen", "Qwen: the licence of the model that was asked (Apache-2.0 has no limit on answers)"),
    ("mistral", "Mistral: the licence of the model, or the terms of its API"),
)
"""What providers and models say of training on their answers, by the first pattern in model or host. Source:
their terms of use as of autumn 2026, and Llama 3.1's section 1.b; they change: read them."""


def licence_duty(licence: str) -> str:
    """Return what a licence obliges to, in a clause."""
    if not licence:
        return "its files state none, and without one nothing may be published: ask its makers"
    name = _plain(licence)
    return next((duty for pattern, duty in DUTIES if re.search(pattern, name)), "read it before you publish")


def find_conflict(licence: str, claimed: str) -> str:
    """Return why what was made under `licence` cannot be published under `claimed`, or ""."""
    name, given = _plain(licence), _plain(claimed)
    for pattern, limit in LIMITS:
        derivatives = "-nd" in pattern
        if re.search(pattern, name) and (derivatives or not (given == OTHER or re.search(pattern, given))):
            return f"{licence} {limit}"
    return ""


def needs_llama_name(licence_or_model: str) -> bool:
    """Whether a model made of it must be called Llama-…: Llama 3 and later, Llama 2 not."""
    return bool(re.search(r"(?<!code)llama(?!-?[12])(-?[3-9]|$)", _plain(licence_or_model)))


def teacher_terms(model: str, host: str) -> str:
    """Return what a teacher's makers say of training on its answers, in a sentence."""
    for pattern, terms in TERMS:
        if re.search(pattern, _plain(model)) or re.search(pattern, _plain(host)):
            return terms
    return f"those of {host or model}: read them before you publish"


def _plain(name: str) -> str:
    """Return the name of a licence or model as the patterns know it."""
    return re.sub(r"[\s_]+", "-", name.strip().lower())
