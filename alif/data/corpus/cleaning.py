"""Repair and clean one document of stage-1 text, and find why it cannot be used."""

from __future__ import annotations

import json
from dataclasses import replace

from alif.document_files import ENCODING, VISUAL
from alif.language import text
from alif.language.garbled_text import find_garbled_text
from alif.language.language_id import MAJORITY, MANY_WORDS, identify_language, script_share
from alif.language.letter_counts import LetterCount
from alif.language.pack import Pack
from alif.language.personal_data import mask_personal_data
from alif.language.text_repair import repair_text
from alif.records import Document, Dropped
from alif.sources import Row

__all__ = ["clean_document", "find_document_fault", "repair_row"]

MIN_SCRIPT_SHARE = 0.5
"""Least share of a document's letters that are in its language's script."""
LANGUAGE_ID_CHARS = 4_000
"""Characters by which a document's language is identified."""
MAX_CUT_SHARE = 0.2
"""Most of a document that may be cut out because a wrong encoding lost its letters."""
MIN_MIXED_WORDS, MIN_SENTENCE_WORDS = 16, 6
"""Fewest words of a document whose sentences are looked at by themselves, and of such a sentence."""
MAX_FOREIGN_SHARE = 0.4
"""Most of a document that may be sentences in a third language: quotations. Measured: 1 of 3,033 documents of
Urdu, and no English, Bengali or Swahili one, has more."""


def repair_row(row: Row, pack: Pack, mask: bool) -> tuple[Row | Dropped, tuple[str, ...]]:
    """Return a document with its text repaired, lines of lost letters cut out; and the names of the repairs.

    It is dropped where these are too much of it. With `mask` personal data are masked.
    """
    codec = str(row.values.get(ENCODING) or "utf-8")
    visual = bool(row.values.get(VISUAL))
    repaired, names = repair_text(str(row.values["text"]), pack, codec, visual)
    if garbled := find_garbled_text(repaired):
        lines = repaired.split("\n")
        whole = [line for line in lines if not find_garbled_text(line)]
        kept = "\n".join(whole)
        if len(kept) < (1 - MAX_CUT_SHARE) * len(repaired):
            raw = json.dumps(dict(row.values), ensure_ascii=False, default=str)
            return Dropped(raw=raw, reason="garbled_text", evidence=f"{row.where}: {garbled}"), ()
        repaired, names = kept, (*names, "garbled_lines_cut")
    if mask:
        repaired, masked = mask_personal_data(repaired, pack)
        names += masked
    names = names if codec == "utf-8" else (codec, *names)
    return replace(row, values={**row.values, "text": repaired}), names


def clean_document(row: Row, pack: Pack, label: str, max_chars: int, licence: str) -> tuple[Document, bool]:
    """Return a repaired row as it is trained on, and whether it was cut to `max_chars` (0: never cut).

    It is cut behind a whole paragraph where there is one, else behind a whole word.
    """
    cleaned = full = str(row.values["text"]).strip()
    if max_chars and len(full) > max_chars:
        head = full[:max_chars]
        cleaned = (head.rpartition("\n")[0] or head.rpartition(" ")[0] or head).rstrip()
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


def find_document_fault(
    document: Document, pack: Pack, other: Pack, min_words: int
) -> tuple[str, str] | None:
    """Return (reason, evidence) where a document is too short, or not known to be in the pack's language.

    A short text may stay undecided; of a longer one at least the letters prove the language.
    """
    words = len(text.split_words(document.text, pack))
    if words < min_words:
        return "too_short", f"{words} words"
    head = document.text[:LANGUAGE_ID_CHARS]
    found = identify_language(head, (pack, other))
    share = (
        1.0 if found == pack.code and len(head) == len(document.text) else script_share(document.text, pack)
    )
    if share < MIN_SCRIPT_SHARE:
        return "wrong_language", f"{share:.0%} of the letters are {pack.script.name}"
    if found not in (pack.code, "undecided"):
        return "wrong_language", f"taken for {found}"
    decidable = found == "undecided" and words >= MANY_WORDS and pack.script.function_words
    if decidable and (share < MAJORITY or not LetterCount.of(head, pack).proves(pack)):
        return "undecided_language", f"{words} words, neither {pack.code} nor surely another language"
    if words < MIN_MIXED_WORDS:
        return None
    foreign = [  # a text may be in another language sentence by sentence, though not as a whole
        one
        for one in text.split_sentences(head, pack)
        if len(text.split_words(one, pack)) >= MIN_SENTENCE_WORDS
        and identify_language(one, (pack, other)) == "other"
    ]
    share = sum(map(len, foreign)) / len(head)
    evidence = f"{share:.0%} is taken for other: {foreign[0]}" if share > MAX_FOREIGN_SHARE else ""
    return ("wrong_language", evidence) if evidence else None
