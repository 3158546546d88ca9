"""The licence of a base, as its card states it.

    README.md    license: other
                 license_name: llama3.2

A GGUF file states its own (`gguf_file.read_gguf`). What a licence obliges to: `facts.licence_duties`.
"""

from __future__ import annotations

from pathlib import Path

from huggingface_hub.repocard import metadata_load
from transformers.utils.hub import cached_file
from yaml import YAMLError  # type: ignore[import-untyped]

from alif.student.published import PublishedBase
from alif.student.weights import LIBRARY_ERRORS

__all__ = ["read_licence"]


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
