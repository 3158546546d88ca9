"""The checks of one answer by itself: what is wrong with it whatever the question, and where it stands.

    "شہر کا نام هے كراچي"     lookalike_letters    U+0647 ARABIC LETTER HEH ×1, … at 12
    "یہ the best city in the world ہے"     source_language_run    a run of words, not single terms

Letters and words that stand in the question are not held against the answer, nor is code.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import regex

from alif.dedup.repetition import find_repetition
from alif.evaluate.benchmark import ItemResult
from alif.language import language_id, text
from alif.language.garbled_text import find_garbled_text
from alif.language.letter_counts import blank_code
from alif.language.pack import Pack
from alif.records import Example

__all__ = [
    "MAX_FOREIGN_SHARE", "MAX_REPEATED_4GRAM_SHARE", "MIN_LINE_LETTERS", "RUN_WORDS", "AnswerChecks",
    "AnswerFinding",
]  # fmt: skip

MAX_REPEATED_4GRAM_SHARE = 0.3
"""Measured: a numbered list 0.16, a loop 0.96. Stricter than `filter.max_repeated_4gram_share`, which judges
training rows."""
MAX_FOREIGN_SHARE = 0.02
"""Most share of letters in a third script: a π or µ is no fault."""
RUN_WORDS = 4
"""Words of the source language in a row that are no term any more. Source: code-switched Urdu has 0.55 Latin
letters and is legitimate; single terms say nothing."""
QUOTES = frozenset("\"'“”„‘’«»‹›(")
"""Marks behind which words are quoted or explain a term."""
MIN_LINE_LETTERS, MAX_LINES = 24, 100
"""Letters that a line's language is told from, and lines that are looked at."""
MAX_SPANS = 8
"""Places that are kept of one fault in one answer."""

_DAMAGE = regex.compile(
    r"\ufffd|<0x[0-9A-F]{2}>|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]|\u200c{2,}"
)
_OPENERS, _CLOSERS = regex.compile("[\u202a\u202b\u202d\u202e\u2066-\u2068]"), regex.compile("[\u202c\u2069]")


@dataclass(frozen=True)
class AnswerFinding:
    """A fault of one answer, where it shows and what it is."""

    fault: str
    evidence: str = ""
    spans: tuple[tuple[int, int], ...] = ()
    """Where it stands, from and to, in characters of the answer as it is scored; none: the whole answer."""


class AnswerChecks:
    """The checks of one answer by itself."""

    def __init__(
        self,
        question: Example,
        answer: ItemResult,
        written: str,
        words: Sequence[str],
        own: Pack,
        known: Pack,
    ) -> None:
        self.question, self.answer, self.written, self.words = question, answer, written, words
        self.own, self.known = own, known
        self.asked = f"{question.instruction}\n{question.input}"
        self.prose = blank_code(written)
        task, roman = own.tasks.get(question.task), own.roman.code if own.roman else ""
        self.roman = roman
        wanted = known.code if question.language == known.code else ""
        if task and task.answer != "either" and not wanted:  # elsewhere the request decides
            by_script = {"own": own.code, "roman": roman, "either": ""}
            wanted = known.code if task.answer == "known" else by_script[task.answer_script]
        reference = _identify(question.output, own, known)
        self.wanted = wanted or reference
        self.allowed = {self.wanted, reference, "undecided"}

    def findings(self) -> Iterator[AnswerFinding]:
        """Yield what is wrong with the answer."""
        if not self.words:
            yield AnswerFinding("empty")
        if not self.answer.finished:
            yield AnswerFinding("unfinished", self.written[-40:])
        if len(self.answer.text) > len(self.written):
            yield AnswerFinding("overlong", f"{len(self.answer.text):,} characters")
        wrong = [*self.languages()] if self.words else []
        yield from wrong or self.source_language_run()
        for check in (self.lookalikes, self.foreign_script, self.broken_characters):
            yield from check()
        if repeated := find_repetition(self.written, self.own, MAX_REPEATED_4GRAM_SHARE):
            yield AnswerFinding("repetition", repeated)
        yield from self.refusal()
        digits = {system for system in self.own.numbers.digits if not set(system).isdisjoint(self.prose)}
        if len(digits) > 1 and any(set(one).isdisjoint(self.asked) for one in digits):
            yield AnswerFinding("mixed_digits", " ".join(sorted(set("".join(digits)) & set(self.prose))))

    def languages(self) -> Iterator[AnswerFinding]:
        """Compare the languages of the answer and of its lines with those that were asked for."""
        if self.wanted == "undecided":
            return
        found = language_id.identify_language(self.written, (self.own, self.known))
        own = {self.own.code, self.roman}
        if found not in self.allowed:
            if found in own and self.wanted in own:
                yield AnswerFinding("wrong_script", f"{found}, not {self.wanted}")
            elif found in own and self.question.language == self.known.code:
                yield AnswerFinding("taught_language", found)
            else:
                yield AnswerFinding("wrong_language", f"{found}, not {self.wanted}")
            return
        lines = [*regex.finditer(r"[^\n]+", self.written)] if "\n" in self.written else []
        wrong = [line for line in lines[:MAX_LINES] if self.is_wrong_line(line[0])]
        if wrong:
            yield AnswerFinding("wrong_language_line", wrong[0][0].strip()[:80], _spans(wrong))

    def is_wrong_line(self, line: str) -> bool:
        """Tell whether a line is in a third script, or in one of the languages that was not asked for.

        A list of names is in no language: in the same script the line needs function words.
        """
        if len(line) < MIN_LINE_LETTERS or line.strip() in self.asked:
            return False
        prose = " ".join(language_id.unquoted_parts(blank_code(line), self.own))
        if sum(map(str.isalpha, prose)) < MIN_LINE_LETTERS:
            return False
        shares = {pack: language_id.script_share(prose, pack) for pack in (self.own, self.known)}
        if max(shares.values()) < 1 - language_id.MAJORITY:
            return True
        found = _identify(prose, self.own, self.known)
        if found in self.allowed or found not in (self.own.code, self.roman, self.known.code):
            return False
        least = self.known.script.function_word_share
        spoken = (language_id.function_word_share(prose, self.known) or 0.0) >= least > 0
        return spoken or found == self.own.code or (self.wanted == self.own.code and not shares[self.own])

    def lookalikes(self) -> Iterator[AnswerFinding]:
        """Name the letters that look right and are another language's."""
        pairs = language_id.find_lookalikes(self.written, self.own)
        wrong = [(word, char) for word, char, _ in pairs if word not in self.asked]
        if wrong:
            counts = Counter(char for word, char in wrong for _ in range(word.count(char)))
            named = [f"{_name(char)} ×{count}" for char, count in counts.most_common()]
            letters = "".join(map(regex.escape, counts))
            places = regex.finditer(f"[{letters}]", self.written)
            yield AnswerFinding("lookalike_letters", ", ".join(named), _spans(places))

    def foreign_script(self) -> Iterator[AnswerFinding]:
        """Find letters that are in neither language's script."""
        places = [
            one
            for one in _third_script(self.own, self.known).finditer(self.prose)
            if one[0] not in self.asked
        ]
        size = sum(len(one[0]) for one in places)
        if size and size > MAX_FOREIGN_SHARE * sum(map(str.isalpha, self.prose)):
            scripts = Counter(_name(letter).split()[1] for one in places for letter in one[0])
            yield AnswerFinding("foreign_script", ", ".join(scripts), _spans(places))

    def source_language_run(self) -> Iterator[AnswerFinding]:
        """Find runs of words in the source language's script where the answer should be in another."""
        if self.own.script.name == self.known.script.name or self.wanted != self.own.code:
            return
        runs = _run_of_words(self.known.script.name).finditer(self.prose)
        places = [
            one for one in runs if one[0] not in self.asked and self.prose[: one.start()][-1:] not in QUOTES
        ]
        if places:
            yield AnswerFinding("source_language_run", places[0][0][:80], _spans(places))

    def broken_characters(self) -> Iterator[AnswerFinding]:
        """Find what a tokenizer or a wrong encoding has broken."""
        places: list[regex.Match[str] | re.Match[str]] = [*_DAMAGE.finditer(self.prose)]
        forms = self.own.clean.presentation_forms
        if forms and not self.prose.isascii():
            places += [one for one in _one_of(forms).finditer(self.prose) if one[0] not in self.asked]
        opened, closed = (len(sign.findall(self.written)) for sign in (_OPENERS, _CLOSERS))
        unpaired = opened != closed
        garbled = "" if places else find_garbled_text(self.prose)
        if places or unpaired or garbled:
            named = [_name(one[0][0]) if len(one[0]) < 3 else one[0] for one in places[:MAX_SPANS]]
            evidence = (
                garbled or ", ".join(dict.fromkeys(named)) or f"{opened} direction marks, {closed} closed"
            )
            yield AnswerFinding("broken_characters", evidence, _spans(places))

    def refusal(self) -> Iterator[AnswerFinding]:
        """Find a refusal where the reference does not refuse."""
        phrase = text.find_refusal(self.written, self.own, self.known)
        rubric = getattr(getattr(self.question, "key", None), "rubric", ())
        declines = self.own.phrases.declines + self.known.phrases.declines
        excused = (rubric and phrase in declines) or text.find_refusal(
            self.question.output, self.own, self.known
        )
        if phrase and not excused:
            yield AnswerFinding("refusal", phrase)


@functools.lru_cache(maxsize=8192)
def _identify(value: str, own: Pack, known: Pack) -> str:
    return language_id.identify_language(value, (own, known))


@functools.lru_cache
def _third_script(own: Pack, known: Pack) -> regex.Pattern[str]:
    return regex.compile(
        rf"(?:[\p{{L}}--[\p{{Script={own.script.name}}}\p{{Script={known.script.name}}}"
        r"\p{Script=Common}\p{Script=Inherited}]]\p{M}*)+",
        regex.V1,
    )


@functools.lru_cache
def _run_of_words(script: str) -> regex.Pattern[str]:
    word = rf"\p{{Script={script}}}[\p{{Script={script}}}'’\-]*"
    return regex.compile(rf"{word}(?:[ ,.?!;:\"“”()]+{word}){{{RUN_WORDS - 1},}}")


@functools.lru_cache
def _one_of(letters: str) -> re.Pattern[str]:
    return re.compile(f"[{re.escape(letters)}]")  # large sets are faster in re


def _spans(places: Iterable[regex.Match[str] | re.Match[str]]) -> tuple[tuple[int, int], ...]:
    return tuple(one.span() for one in places)[:MAX_SPANS]


def _name(char: str) -> str:
    """Return a character's number and name: "U+064A ARABIC LETTER YEH"."""
    return f"U+{ord(char):04X} {unicodedata.name(char, 'control character')}"
