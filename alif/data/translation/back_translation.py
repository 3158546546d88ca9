"""Have another model translate rows back, and compare that with the originals.

    lost_number, lost_name, copies_prompt     drop the row
    chrF++ below `FLAGGED_BELOW`              flags it in back_translations.jsonl, and never drops it

A good translation may come back in other words, and chrF++ would reward word-for-word ones.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any

from alif import settings
from alif.data.prompt_texts import PromptTexts
from alif.data.translation.run_check import find_names, is_like
from alif.data.translation.translation_items import TranslationItem
from alif.data.translation.translation_requests import Conversation, compared_texts, request_texts
from alif.facts.data_facts import BackTranslationFacts
from alif.language import text
from alif.language.number_faults import find_added_numbers, find_changed_numbers
from alif.language.pack import Pack
from alif.language.text import find_refusal
from alif.records import Dropped, Example, FrozenModel
from alif.runs import StepOutput

__all__ = ["BackTranslations"]

FLAGGED_BELOW = 40.0
"""chrF++ with the original below which a row is flagged to be looked at."""
FILE = "back_translations.jsonl"


class BackTranslation(FrozenModel):
    """A line of the file."""

    id: str
    chrf: float
    flagged: bool
    texts: dict[str, str]


@functools.cache
def _scorer() -> Any:
    from sacrebleu.metrics.chrf import CHRF  # noqa: PLC0415  (only where a recipe asks for it)

    return CHRF(word_order=2)


@dataclass
class BackTranslations:
    """What came back, and how like the originals it is."""

    output: StepOutput
    own: Pack
    known: Pack
    texts: PromptTexts
    plain: frozenset[str]
    """Words of the originals that are no names."""
    scores: list[float] = field(default_factory=list)
    unread: int = 0

    def check_row(
        self, item: TranslationItem, row: Example, name: str, teacher: settings.Teacher
    ) -> Conversation:
        """Ask for the way back, and return the row or why it is dropped."""
        there = row.edited(input=row.output) if item.request_template else row
        back = TranslationItem(there, item.request_template)
        found = yield from request_texts(back, name, teacher, self.known, self.own, self.texts)
        if isinstance(found, Dropped) or find_refusal("\n".join(found[0].values()), self.known):
            self.unread += 1
            return row
        pairs = [(key, before, found[0].get(key, "")) for key, before in compared_texts(item)]
        for key, before, after in pairs:
            if fault := self._find_fault(before, getattr(row, key), after):
                return Dropped(row=row, reason=fault[0], evidence=f"{key}, translated back: {fault[1]}")
        befores, afters = ("\n".join(one) for one in list(zip(*pairs, strict=True))[1:])
        score = round(float(_scorer().sentence_score(afters, [befores]).score), 1)
        self.scores.append(score)
        told = BackTranslation(id=row.id, chrf=score, flagged=score < FLAGGED_BELOW, texts=found[0])
        self.output.write(told, FILE)
        return row

    def _find_fault(self, before: str, there: str, back: str) -> tuple[str, str] | None:
        if text.split_words(back, self.own) == text.split_words(there, self.own):
            same = text.split_words(before, self.known) == text.split_words(back, self.known)
            return None if same else ("copies_prompt", "not translated")
        known = self.known
        if numbers := find_changed_numbers(before, back, known, known):
            return "lost_number", ", ".join(numbers)
        if numbers := find_added_numbers(before, back, known, known):
            return "added_number", ", ".join(numbers)
        words = {text.fold_text(word, known) for word in text.split_words(back, known)}
        lost = sorted(name for name in find_names(before, self.plain) if not is_like(name, words))
        return ("lost_name", ", ".join(lost)) if lost else None

    def facts(self) -> BackTranslationFacts | None:
        """Return what is reported, None where nothing was translated back."""
        if not self.scores and not self.unread:
            return None
        return BackTranslationFacts(
            rows=len(self.scores),
            unread=self.unread,
            chrf=round(sum(self.scores) / max(len(self.scores), 1), 2),
            flagged=sum(score < FLAGGED_BELOW for score in self.scores),
            flagged_below=FLAGGED_BELOW,
        )
