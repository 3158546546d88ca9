"""The licence of a base, as its card states it, and what it obliges to whoever publishes a model made of it.

    README.md    license: other
                 license_name: llama3.2

A GGUF file states its own (`gguf_file.read_gguf`). The duties are the short form of texts that count in their
own words.
"""

from __future__ import annotations

import re
from pathlib import Path

from huggingface_hub.repocard import metadata_load
from transformers.utils.hub import cached_file
from yaml import YAMLError  # type: ignore[import-untyped]

from alif.student.published import PublishedBase
from alif.student.weights import LIBRARY_ERRORS

__all__ = ["licence_duty", "read_licence"]

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
    ("cc-by-sa", "name its authors, say what you changed, and publish under the same licence"),
    ("cc-by", "name its authors, and say what you changed"),
    ("apache", "enclose the licence and its NOTICE, and say that you changed it"),
    (r"\bmit\b|bsd|\bisc\b", "enclose its copyright notice"),
    ("cc0|unlicense|public-domain", "nothing"),
)
"""What is asked of a model that is made of one under a licence, by the first pattern in its name. Source: the
licences' own texts (Llama 3.1's section 1.b, Gemma's terms 3.1, Qwen's licence agreement, Apache-2.0's
section 4)."""


def read_licence(base: PublishedBase) -> str:
    """Return the name of the licence of a folder or hub id, or "" where its card states none."""
    card: str | Path | None = base.folder / "README.md" if base.folder else None
    try:
        card = card or cached_file(base.name, "README.md", revision=base.commit or None)
        stated = (metadata_load(card) if card and Path(card).is_file() else None) or {}
    except (*LIBRARY_ERRORS, YAMLError):  # no card on the hub, or one that is no YAML
        return ""
    names = [stated.get("license_name"), stated.get("license")]
    return next((str(name) for name in names if name), "")


def licence_duty(licence: str) -> str:
    """Return what a licence obliges to, in a clause."""
    if not licence:
        return "its files state none, and without one nothing may be published: ask its makers"
    name = re.sub(r"[\s_]+", "-", licence.lower())
    return next((duty for pattern, duty in DUTIES if re.search(pattern, name)), "read it before you publish")
