"""Clean one document of stage-1 text, and find why it cannot be used."""

from __future__ import annotations

from alif.language import language_id, text
from alif.language.pack import Pack
from alif.records import Document
from alif.sources import Row

__all__ = ["clean_document", "find_document_fault"]

MIN_SCRIPT_SHARE = 0.5
"""Least share of a document's letters that are in its language's script."""
LANGUAGE_ID_CHARS = 4_000
"""Characters by which a document's language is identified."""


def clean_document(row: Row, pack: Pack, label: str, max_chars: int, licence: str) -> tuple[Document, bool]:
    """Return a row as it is trained on, and whether it was cut to `max_chars` (0: never cut)."""
    full = text.normalise_text(str(row.values["text"]), pack).strip()
    cleaned = _truncate(full, max_chars) if max_chars else full
    told = {key: value for key in ("licence", "author") if isinstance(value := row.values.get(key), str)}
    title = row.values.get("title")
    document = Document.make(
        pack.code,
        cleaned,
        title=text.normalise_text(title, pack).strip() if title and isinstance(title, str) else "",
        source=label,
        licence=told.get("licence") or licence,
        author=told.get("author", ""),
    )
    return document, len(cleaned) < len(full)


def _truncate(value: str, max_chars: int) -> str:
    """Return at most `max_chars` characters: whole paragraphs where there is one, else whole words."""
    if len(value) <= max_chars:
        return value
    head = value[:max_chars]
    return (head.rpartition("\n")[0] or head.rpartition(" ")[0] or head).rstrip()


def find_document_fault(
    document: Document, pack: Pack, other: Pack, min_words: int
) -> tuple[str, str] | None:
    """Return (reason, evidence) where a document is too short or in another language than the pack's."""
    words = len(text.split_words(document.text, pack))
    if words < min_words:
        return "too_short", f"{words} words"
    share = language_id.script_share(document.text, pack)
    if share < MIN_SCRIPT_SHARE:
        return "wrong_language", f"{share:.0%} of the letters are {pack.script.name}"
    found = language_id.identify_language(document.text[:LANGUAGE_ID_CHARS], (pack, other))
    if found not in (pack.code, "undecided"):
        return "wrong_language", f"taken for {found}"
    return None
