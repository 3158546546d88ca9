"""Code, addresses, placeholders and numbers that a translation must keep.

They are not hidden behind markers, which damage the grammar around them: the teacher is told to keep them,
and a translation that lost one is dropped with what is missing. A text of which nothing else is left has
nothing to translate, and stays as it is.
"""

from __future__ import annotations

import re
from collections import Counter

import regex

from alif.language.code_lines import COMMAND, find_code_lines, is_markup
from alif.language.normalisation import fold_text, split_words
from alif.language.pack import Pack

__all__ = [
    "find_added_spans",
    "find_lost_signs",
    "find_lost_spans",
    "prose_of",
    "protected_numbers",
    "protected_spans",
    "without_protected",
]

_PROTECTED = regex.compile(
    rf"""
    ```.+?``` | `[^`\n]+`                                                                # marked as code
  | \$\$.+?\$\$ | \$(?=\S)[^$\n]*(?<=\S)\$(?!\d) | \\\(.+?\\\) | \\\[.+?\\\]           # formulas
  | \\begin\{{(\w+\*?)\}}.+?\\end\{{\1\}} | \\[A-Za-z]{{2,}}(?:\{{[^{{}}\n]*\}})*
  | \bhttps?://[^\s<>"'»”]+ | \bwww\.[^\s<>"'»”]+ | [A-Za-z0-9._%+-]+@[A-Za-z0-9-]+\.[A-Za-z0-9.-]+
  | </?[A-Za-z][\w-]*(?:\s+[\w:-]+(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'<>]+))?)*\s*/?> | <!--.*?-->    # tags
  | [$\#]?\{{\{{?\s*[A-Za-z_0-9][\w.\[\]:!|-]*\s*\}}\}}? | \{{\}} | \{{%.+?%\}} | \[[A-Z]+[A-Z0-9_-]*\]
  | (?<!\d)%(?:\(\w+\)|\d+\$)?[-+0\#]*\d*(?:\.\d+)?[sdifgeuxXcr@](?![A-Za-z]) | \$[A-Z_]{{2,}}\b
  | \b{COMMAND} | (?<=\s|^)--?[A-Za-z]\w*(?:-\w+)*(?:=\S+)? | (?<![\w.])@[A-Za-z]\w+
  | \bSELECT\s[\w\s.,*()]+?\sFROM\s+[\w.]+(?:\s(?:WHERE|AND|OR|ON|JOIN|LIMIT|(?:ORDER|GROUP)\sBY)\s[\w.]+
        (?:\s?(?:=|<>|!=|[<>]=?|LIKE)\s?(?:'[^'\n]*'|[\w.]+))?)*
  | \b(?:INSERT\sINTO|DELETE\sFROM|(?:CREATE|DROP|ALTER)\sTABLE)\s\w+
  | \b[\w-]+\.(?:py|js|ts|html?|css|json|csv|tsv|txt|md|pdf|xml|ya?ml|toml|ini|cfg|log|sh|bat|exe|sql|java|cpp
        |ipynb|docx?|xlsx?|pptx?|png|jpe?g|gif|svg|mp[34]|wav|zip|gz|tar)\b
  | (?<![\w/.:])~?/(?:[\w.-]+/)+[\w.-]* | \b[A-Z]:\\[\w\\.-]+
  | \b[A-Za-z]+(?:_[A-Za-z0-9]+)+\b | \b[a-z]{{2,}}(?:[A-Z][a-z0-9]+)+\b | \b[A-Za-z_]+\(\)
  | \b[0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}\b | \b[A-Z]{{2,}}(?:-[A-Z0-9]+)*-\d{{4,}}\b
    """,
    regex.DOTALL | regex.ASCII | regex.VERBOSE | regex.MULTILINE,
)
"""Code, formulas, web and mail addresses, tags, placeholders, commands, files, names of variables, ids."""
_FENCE = regex.compile(r"```.+?```", regex.DOTALL)
_MAY_HOLD = re.compile(
    r"[`$\\{<@/_]|%[^\s)]|-[A-Za-z0-9]|[A-Za-z]\(|\.[A-Za-z]|\[[A-Z]|[a-z]{2}[A-Z]"
    r"|SELECT|INSERT|DELETE|CREATE|DROP|ALTER"
    r"|\b(?:git|pip3?|npm|yarn|brew|conda|cargo|apt|apt-get|gem|docker|kubectl|sudo)\s",
    re.ASCII,
)
"""What every such span has a piece of, and most sentences have not: looked for first."""
_PICTURE = regex.compile(
    r"[\p{Extended_Pictographic}--[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u21aa]]", regex.V1
)
_IS_ADDRESS = re.compile(r"https?:|www\.|[^\s@]+@[^\s@]+\.|[$#]?\{|%[(sd]|\$|\\|</?[A-Za-z]")
"""What no translation has of itself: addresses, placeholders, formulas, tags."""
_HAS_MARK = re.compile(r"[^\w\s]", re.ASCII)
_LETTER = regex.compile(r"\p{L}")
_SENTENCE_MARKS = ".,;:!?،؛؟۔।"
"""Marks that end the sentence, not the address before them, in the shipped scripts."""


def protected_spans(text: str) -> Counter[str]:
    """Return code, addresses and names of a text, each as often as it occurs; comments in code are none."""
    fences = [found[0] for found in _FENCE.finditer(text)]
    left = _FENCE.sub("", text) if fences else text
    code, whole = find_code_lines(left)
    return Counter([*fences, *map(_strip_marks, code), *_find_spans(_without_lines(left, whole))])


def find_lost_spans(before: str, after: str) -> list[str]:
    """Return the protected spans of a text that its translation lacks, or has joined to something else."""
    if before == after:
        return []
    spans, found = protected_spans(before), Counter(_find_spans(after))
    code = set(map(_strip_marks, find_code_lines(before)[0]))
    counted = {
        span: after.count(span) if span in code else found[span] or _count_whole(span, after)
        for span in spans
    }
    return [span for span, times in spans.items() if counted[span] < times]


def find_added_spans(before: str, after: str) -> list[str]:
    """Return the addresses, placeholders and formulas of a translation that its original lacks."""
    there = before.casefold()
    spans = (span.rstrip("-.,") for span in _find_spans(after) if _IS_ADDRESS.match(span))
    return [span for span in spans if span.casefold() not in there]


def _count_whole(span: str, text: str) -> int:
    """Count a span that letters of another script may follow directly: a case ending behind an address."""
    if not _HAS_MARK.search(span):
        return 0
    return len(re.findall(rf"(?<![A-Za-z0-9]){re.escape(span)}(?![-/.\w#?=&%~]*[A-Za-z0-9])", text, re.ASCII))


def _find_spans(text: str) -> list[str]:
    spans = _PROTECTED.finditer(text) if _MAY_HOLD.search(text) else ()
    return [*(_strip_marks(found[0]) for found in spans), *_PICTURE.findall(text)]


def _strip_marks(span: str) -> str:
    return span.rstrip(_SENTENCE_MARKS)


def without_protected(text: str) -> str:
    """Return a text with a space for each protected span, and without its code."""
    left = _without_lines(text, find_code_lines(text)[1])
    return _PROTECTED.sub(" ", left) if _MAY_HOLD.search(left) else left


def prose_of(text: str) -> str:
    """Return what of a text is in a language, "" if no letter is: code, markup and formulas have none."""
    left = "" if is_markup(text) else without_protected(text)
    return left if _LETTER.search(left) else ""


def protected_numbers(text: str, pack: Pack) -> Counter[str]:
    """Return the runs of digits of a text, folded; marks that group digits do not split them."""
    folded = fold_text(without_protected(text), pack)
    group = regex.escape(fold_text(pack.numbers.group, pack))
    return Counter(regex.findall(r"\d+", regex.sub(rf"(?<=\d)[{group}](?=\d)", "", folded)))


def find_lost_signs(before: str, after: str, known: Pack, own: Pack) -> list[str]:
    """Return the numbers of a text that lost their minus or per cent sign in its translation."""
    lost = []
    spoken = f" {' '.join(split_words(after, own))} "
    for signed, found, words, least in zip(
        _find_signed(before, known),
        _find_signed(after, own),
        (own.numbers.negative, own.numbers.percents),
        (1.0, 0.5),  # "20% to 30%" may have one word
        strict=True,
    ):
        kept = len(found) + sum(spoken.count(f" {' '.join(split_words(word, own))} ") for word in words)
        if words == own.numbers.percents and regex.search(r"(?<!\d)100(?!\d)", fold_text(after, own)):
            continue  # 90 of 100
        if kept < least * len(signed):
            lost += signed[kept:]
    return lost


def _find_signed(text: str, pack: Pack) -> tuple[list[str], list[str]]:
    """Return the numbers with a minus before them or, as in Urdu print, behind them, and the percentages.

    The dash of a range and a hyphen are no minus.
    """
    signs = (pack.numbers.minus, pack.numbers.percent)
    minus, percent = (f"[{regex.escape(''.join(sign.split()))}]" for sign in signs)
    number = r"\d+(?:[.,٫٬]\d+)*"
    before = rf"(?<![\w\p{{No}}%)\]]|{minus}|[\d\p{{No}})\]]\s){minus}{number}"
    behind = rf"(?<![\w.,]|{minus}){number}{minus}(?!\s?\w|{minus})"
    negatives = regex.findall(f"{before}|{behind}", fold_text(without_protected(text), pack))
    return negatives, regex.findall(rf"\d[\d.,]*\s?{percent}|{percent}\d[\d.,]*", fold_text(text, pack))


def _without_lines(text: str, lines: list[str]) -> str:
    if not lines:
        return text
    left = Counter(lines)
    kept: list[str] = []
    for line in text.split("\n"):
        left[line] -= 1
        kept.append("" if left[line] >= 0 else line)
    return "\n".join(kept)
