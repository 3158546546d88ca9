"""Say why a document is no prose: loops, menus, lists of keywords or numbers, markup, noise.

What is counted comes from the pack: its words, its function words, its sentence marks.

Source: Gopher, arXiv 2112.11446, table A1; FineWeb-2, arXiv 2506.20920.
"""

from __future__ import annotations

import regex

from alif.dedup.repetition import find_repetition
from alif.language import text
from alif.language.language_id import function_word_share
from alif.language.pack import Pack

__all__ = ["find_quality_fault"]

MAX_REPEATED = 0.6
"""Most of a document's runs of four words that stood in it before. Measured: no poem of 534 has 0.4."""
MIN_WORDS = 20
"""Fewest words of a document that is judged by shares of words."""
MIN_LINES = 6
"""Fewest lines of a document that is judged by shares of lines."""
MIN_LETTER_WORDS = 0.7
"""Least share of words that hold a letter. Gopher has 0.8, and spaces around dashes count as words there."""
MAX_SYMBOLS = 0.1
"""Most signs such as # and | for a word."""
MAX_MARKUP = 0.03
"""Most characters of a document that are signs of code or markup."""
MAX_ELLIPSES, MAX_BULLETS, MAX_SHORT, SHORT_LINE = 0.3, 0.9, 0.8, 4
"""Most lines that end in an ellipsis, begin with a bullet, or are short (in words) and no sentence."""
MIN_FUNCTION_WORDS = 0.25
"""Least share of function words, as a part of the share that the pack asks of a sentence."""

_SYMBOL = regex.compile(r"[#|]")
_MARKUP = regex.compile(r"[{}<>=;\\\[\]]|&\w+;")
_BULLET = regex.compile(r"\s*[-*•●▪■►–]")
_LETTER = regex.compile(r"\p{L}")


def find_quality_fault(value: str, pack: Pack) -> tuple[str, str] | None:
    """Return (reason, evidence) where a document is no prose, None where it is."""
    if repeated := find_repetition(value, pack, MAX_REPEATED):
        return "repetition", repeated
    words = text.split_words(value, pack)
    if len(words) >= MIN_WORDS:
        shares = {
            "few_letters": 1 - sum(_LETTER.search(word) is not None for word in words) / len(words),
            "symbols": len(_SYMBOL.findall(value)) / len(words),
            "markup": sum(map(len, _MARKUP.findall(value))) / len(value),
        }
        most = {"few_letters": 1 - MIN_LETTER_WORDS, "symbols": MAX_SYMBOLS, "markup": MAX_MARKUP}
        for reason, share in shares.items():
            if share > most[reason]:
                return reason, f"{share:.0%} of {len(words)} words"
        known = function_word_share(value, pack)
        if known is not None and known < MIN_FUNCTION_WORDS * pack.script.function_word_share:
            return "no_function_words", f"{known:.1%} of {len(words)} words"
    return _find_line_fault([line for line in value.split("\n") if line.strip()], pack)


def _find_line_fault(lines: list[str], pack: Pack) -> tuple[str, str] | None:
    """Return the fault of a document whose lines are no sentences."""
    ends = tuple(pack.sentences.marks)
    faults = {
        "ellipses": (MAX_ELLIPSES, [line.rstrip().endswith(("…", "...")) for line in lines]),
        "bullets": (MAX_BULLETS, [_BULLET.match(line) is not None for line in lines]),
        "short_lines": (
            MAX_SHORT,
            [len(line.split()) < SHORT_LINE and not line.rstrip().endswith(ends) for line in lines],
        ),
    }
    for reason, (most, hits) in faults.items():
        if len(lines) >= MIN_LINES and sum(hits) > most * len(lines):
            return reason, f"{sum(hits)} of {len(lines)} lines"
    return None
