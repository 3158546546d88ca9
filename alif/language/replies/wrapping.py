"""What can stand around one text that was asked for: told from the text itself by its original.

    Translation: …   اردو ترجمہ: …   Sure, here it is:        announces
    Note: I kept …   Let me know if …                          is_remark
    Option 2: …                                                is_labelled

Words are the packs': `keys.translation`, `keys.note`, `keys.version`, `phrases.openings`, `phrases.offers`. A
stretch in another language is foreign, unless its words are out of the original.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

from alif.language import language_id
from alif.language.letter_counts import in_script
from alif.language.pack import Pack
from alif.language.protected_spans import prose_of
from alif.language.replies.field_labels import KEYS, label_styles, read_label
from alif.language.text import find_phrase, split_words

__all__ = ["HEAD", "MAX_HEAD_WORDS", "MIN_REMARK_WORDS", "Kind", "Wrapping", "filled_lines"]

Kind: TypeAlias = Literal["translation", "question"]
MAX_HEAD_WORDS = 14
"""Of what stands before a colon, to announce the text behind it."""
MIN_SCRIPT_SHARE = 0.5
"""Least share of letters in the pack's script in a stretch of its language."""
MAX_LANGUAGE_WORDS = 3
"""Of a head that names the language: in Urdu."""
MIN_REMARK_WORDS = 4
"""Of a sentence in the other language within a text; fewer are a name or a term."""

HEAD = re.compile(r"(?P<head>[^:：\n]{1,120}?)[*_`]{0,3}[:：](?=[\s*_]|$)[*_`]{0,3}[ \t]*")
"""What stands before a colon at the beginning of a line."""


@dataclass(frozen=True)
class Wrapping:
    """What can stand around one text, told from the text by its original."""

    own: Pack
    known: Pack
    source: str
    kind: Kind

    @cached_property
    def original(self) -> str:
        """The text that this one mirrors; a question mirrors none."""
        return self.source if self.kind == "translation" else ""

    @cached_property
    def given(self) -> frozenset[str]:
        """The words of the original, or of the answer to a question."""
        return frozenset(split_words(self.source, self.own))

    @cached_property
    def lines(self) -> int:
        """Lines that the text may have."""
        return max(len(filled_lines(self.original)), 1)

    def names(self, text: str, key: str) -> bool:
        """Tell whether a text has one of both packs' words of a kind."""
        phrases = {
            "translation": self.own.keys.translation + self.known.keys.translation,
            "note": self.own.keys.note + self.known.keys.note,
            "version": self.own.keys.version + self.known.keys.version,
            "openings": self.own.phrases.openings + self.known.phrases.openings,
            "offers": self.own.phrases.offers + self.known.phrases.offers,
        }[key]
        return find_phrase(text, phrases, self.own) is not None

    def is_foreign(self, text: str, head: bool = False) -> bool:
        """Tell whether a stretch is in another language, and its words are not out of the original."""
        prose = "" if text.strip() in self.source else prose_of(text)
        if not prose:
            return False
        if self.own.script.name == self.known.script.name:
            found = language_id.identify_language(prose, (self.own, self.known))
            return found == self.known.code or (head and found == "other")
        if language_id.script_share(prose, self.own) >= MIN_SCRIPT_SHARE:
            return False
        words = [
            word for word in split_words(prose, self.own) if not in_script(word[0], self.own.script.name)
        ]
        return 2 * sum(map(self.given.__contains__, words)) < len(words)

    def announces(self, head: str) -> bool:
        """Tell whether what stands before a colon, or alone on the first line, announces the text."""
        words = split_words(head, self.own)
        if not words or len(words) > MAX_HEAD_WORDS:
            return False
        if self.names(head, "openings") or self.is_field(f"{head}:"):
            return True
        if self.kind == "question":
            return language_id.identify_language(head, (self.own, self.known)) == self.known.code
        languages = {*split_words(f"{self.own.name} {self.own.native_name} {self.known.name}", self.own)}
        foreign = len(words) > 1 and self.is_foreign(head, head=True)
        named = len(words) <= MAX_LANGUAGE_WORDS and not languages.isdisjoint(words)
        return foreign or named or self.names(head, "translation")

    def is_remark(self, line: str) -> bool:
        """Tell whether a line is a note, an offer, or in another language."""
        bare = line.strip(" \t*_#>-•([（")
        head = HEAD.match(bare)
        if head and self.names(" ".join(split_words(head["head"], self.own)[:2]), "note"):
            return True
        echo = line.strip() == self.original.strip()
        return echo or self.names(bare, "offers") or self.is_foreign(bare)

    def is_field(self, line: str) -> bool:
        styles = (*label_styles(self.own), *label_styles(self.known))
        return any(read_label(line, style) for style in styles)

    def is_labelled(self, line: str) -> bool:
        """Tell whether a line begins with the label of a note, a version or a field."""
        head = HEAD.match(line.lstrip(" \t*_#>-•(["))
        if not head or len(words := split_words(head["head"], self.own)) > MIN_REMARK_WORDS:
            return False
        first = " ".join(words[:2])
        field = line.lstrip(" *_").startswith(tuple(f"{key}:" for key in KEYS.values()))
        return field or self.names(first, "note") or self.names(first, "version")


def filled_lines(text: str) -> list[str]:
    """Return the lines that are not blank."""
    return [line for line in text.split("\n") if line.strip()]
