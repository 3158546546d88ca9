"""Compare a translation with its original: what is lost, added, not translated, or written around it.

    RULES = (("lost_code", …), ("lost_number", …), …)       (before, after, own, known) → "" or the evidence

The first fault found is the reason. What only many translations together show is `run_check`'s.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import regex

from alif.dedup.repetition import find_repetition
from alif.language import language_id, text
from alif.language.letter_counts import in_script, is_letter
from alif.language.number_faults import find_added_numbers, find_changed_numbers
from alif.language.pack import Pack
from alif.language.protected_spans import (
    find_added_spans,
    find_lost_signs,
    find_lost_spans,
    prose_of,
    without_protected,
)
from alif.language.replies.lone_text import find_wrapping
from alif.language.text_structure import find_lost_structure

__all__ = ["QUESTION_MARKS", "RULES", "find_translation_fault", "is_ended"]

MIN_SCRIPT_SHARE = 0.5
"""Least share of a translation's letters in the pack's script, protected spans left out."""
MIN_WORDS = 4
"""Shorter texts may stay as they are where they may be names: a name, a formula, a label."""
MIN_LANGUAGE_WORDS = 6
"""Of a translation in the pack's script, to be told from a neighbour's language."""
MIN_COPIED_WORDS = 3
"""Words of the original in a row that were not translated; fewer are a term."""
MANY_COPIED_WORDS = 4
"""In a longer row even names and terms between function words, or terms alone, are no name."""
MAX_EXAMPLE_WORDS = 7
"""Of a stretch in quotation marks or behind a colon that stays: what is to be corrected or translated."""
MAX_REPEATED_SHARE = 0.5
"""Of word 4-grams that are repeats, as the step `filter` has it."""
MAX_LOOKALIKES = 3
"""Letters of another keyboard that are slips."""
MOST_TIMES, LEAST_SHARE = 4, 0.2
"""Length of a translation in lengths of its original, of texts of some length."""
SOME_CHARS = 80
LONGEST_QUESTION = 150
"""Characters; in a longer one the mark is often left out."""
QUESTION_MARKS = "?؟？՞፧;"
_CLOSERS = "*_`\"'”’»›)]） \n\t"
_EDGES = ' :："“”«»„「」'
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+(?:['’]\p{L}+)?")
_PIECE = regex.compile(r"[\p{L}\p{M}\p{N}]+(?:[-'’/_.@][\p{L}\p{M}\p{N}]+)*|[^\s\p{L}\p{M}\p{N}]+|\n")
"""A word, a name with marks inside, or the marks between words."""
_PLAIN = regex.compile(r"\p{Ll}{2,}(?:-\p{Ll}+)*")
_QUOTED = regex.compile(r"[\"“«‘'„「][^\"“”«»„」\n]{2,}[\"”»’'“」]")
_BEHIND_COLON = regex.compile(r"[:：]\s*[^\n]*")

Rule = Callable[[str, str, Pack, Pack], str]


def find_translation_fault(
    key: str, before: str, after: str, own: Pack, known: Pack
) -> tuple[str, str] | None:
    """Return (reason, evidence) of the first fault in `after`, the translation of `before`, or None."""
    if not after:
        return "missing_field", f"{key} is lost"
    found = ((reason, rule(before, after, own, known)) for reason, rule in RULES)
    return next(((reason, f"{key}: {evidence}") for reason, evidence in found if evidence), None)


def is_ended(value: str, pack: Pack) -> bool:
    """Tell whether a text ends as a sentence does: with a mark, perhaps behind it a quotation mark."""
    bare = value.rstrip(_CLOSERS)
    return bool(bare) and bare[-1] in f"{pack.sentences.marks}.!?:;…-–—{QUESTION_MARKS}"


def _find_copy(before: str, after: str, own: Pack, known: Pack) -> str:
    """Find a text that was left as it was; what may be a name or has no word in a language may stay."""
    if not prose_of(before):
        return ""
    words = text.split_words(without_protected(after), own)
    if words != text.split_words(without_protected(before), own):
        return ""
    long = len(words) >= MIN_WORDS and language_id.identify_language(after, (own, known)) == known.code
    return "not translated" if long or _has_plain_word(before, own, known) else ""


def _has_plain_word(before: str, own: Pack, known: Pack) -> bool:
    """Tell whether a text of the known language, in another script, has a word that is no name or sign."""
    if own.script.name == known.script.name:
        return False
    words = without_protected(before).split()
    return any(word.islower() and word.strip(".,;:!?").isalpha() and len(word) > 2 for word in words)


def _find_language(before: str, after: str, own: Pack, known: Pack) -> str:
    prose = without_protected(after)
    for one in _find_examples(before, after):
        prose = prose.replace(one, " ")
    words = text.split_words(prose, own)
    if after == before and not prose_of(before):
        return ""
    share = language_id.script_share(prose, own)
    if len(words) >= MIN_WORDS:
        found = language_id.identify_language(prose, (own, known))
        if found == known.code and own.script.name == known.script.name:
            return known.name
        quoted = language_id.script_share(_QUOTED.sub(" ", prose), own)
        if max(share, quoted) < MIN_SCRIPT_SHARE and not _keeps_names(prose, before, own):
            return f"{share:.0%} of the letters are {own.script.name}"
    elif not share and _has_plain_word(before, own, known):
        return f"no letter is {own.script.name}"
    given = set(before.split())
    told = [one for one in prose.split() if one not in given and in_script(one[0], own.script.name)]
    if len(told) < MIN_LANGUAGE_WORDS or not is_ended(before, known):
        return ""
    other = language_id.identify_language(" ".join(told), (own, known)) == "other"
    return f"another language of the script {own.script.name}" if other else ""


def _keeps_names(prose: str, before: str, own: Pack) -> bool:
    """Tell whether what is in another script is names and terms of the original, and at most half."""
    words = [word for word in _PIECE.findall(prose) if is_letter(word[0])]
    foreign = [word for word in words if not in_script(word[0], own.script.name)]
    plain = sum(word.islower() and word.isalpha() for word in foreign)
    return all(word in before for word in foreign) and plain <= len(words) - len(foreign) > 0


def _find_untranslated(before: str, after: str, own: Pack, known: Pack) -> str:
    """Find several words of the original in a row, one a function word, one no name, that were left."""
    if after == before and not prose_of(before):
        return ""
    if own.script.name != known.script.name and not any(char.isascii() and char.isalpha() for char in after):
        return ""
    shown = _find_examples(before, after)
    left_out = _QUOTED.sub(lambda found: " " if _may_stay(found[0]) else found[0], after)
    for one in shown:
        left_out = left_out.replace(one, " ")
    given = {word for word in _PIECE.findall(before) if word.islower() and word.isalpha()}
    if sum(word in given for word in _PIECE.findall(left_out)) > 1:  # what stands around was left, too
        left_out = after
    left = f" {' '.join(_PIECE.findall(without_protected(left_out)))} "
    function_words = set(known.script.function_words).difference(own.script.function_words)
    run: list[str] = []
    for piece in (*_PIECE.findall(without_protected(before)), "\n"):
        if f" {' '.join([*run, piece])} " in left:
            run.append(piece)
            continue
        if _is_untranslated(run, function_words):
            return " ".join(run)
        run = [piece] if f" {piece} " in left else []
    return ""


def _find_examples(before: str, after: str) -> list[str]:
    """Return what stands behind a colon in both: what is to be corrected, or translated."""
    behind = (found[0].strip(_EDGES) for found in _BEHIND_COLON.finditer(before))
    return [one for one in behind if len(one.split()) > 1 and one in after and _may_stay(one)]


def _may_stay(example: str) -> bool:
    """Tell whether a stretch in quotation marks or behind a colon is short, or a title."""
    words = _WORD.findall(example)
    speech = example[:1] in _EDGES and example.rstrip(_CLOSERS)[-1:] in (".", "!", "?", ",")
    small = sum(word.islower() and len(word) > 4 for word in words)
    return (len(words) <= MAX_EXAMPLE_WORDS and not speech) or not small


def _is_untranslated(run: list[str], function_words: set[str]) -> bool:
    plain = [word for word in run if _PLAIN.fullmatch(word)]
    functional = [word for word in plain if word in function_words]
    words = sum(any(map(str.isalnum, one)) for one in run)
    content = len(plain) - len(functional)
    term = not functional and "(" in run  # with its abbreviation behind it
    if words > MANY_COPIED_WORDS:
        within = bool(functional and content and len(plain) > 2)
        told = not term and (within or len(functional) > 1 or content > 3 or run[0] in function_words)
    else:
        told = bool(functional and content) or len(functional) > 2
    return words >= MIN_COPIED_WORDS and told


def _find_script(before: str, after: str, own: Pack, known: Pack) -> str:
    """Find letters of a script that is neither the pack's nor the original's, or of another keyboard.

    Single look-alikes are mended; several kinds in place of the right letters are another language's typing.
    """
    typed = Counter((wrong, right) for _, wrong, right in language_id.find_lookalikes(after, own))
    throughout = [wrong for (wrong, right), times in typed.items() if times >= after.count(right)]
    if len(throughout) > 1 and typed.total() > MAX_LOOKALIKES:
        return " ".join(throughout)
    letters = {char for char in after if is_letter(char) and not in_script(char, own.script.name)}
    scripts = {own.script.name, *([own.roman.script] if own.roman else []), known.script.name}
    strange = {char for char in letters - set(before) if not any(in_script(char, one) for one in scripts)}
    if strange and not any(regex.match(r"\p{Greek}", char) for char in strange):
        return " ".join(sorted(strange)[:5])
    return ""


def _find_doubled(before: str, after: str, own: Pack, known: Pack) -> str:
    """Find a text, or a sentence of it, that stands there more often than in the original."""
    words, given = text.split_words(after, own), text.split_words(before, known)
    half, varied = len(words) // 2, 2 * len(set(given)) > len(given)  # "no, no, no" is not
    if half > 1 and words == words[:half] * 2 and varied:
        return "all of it twice"
    sentences = Counter(
        folded
        for one in text.split_sentences(after, own)
        if len(folded := tuple(text.split_words(one, own))) >= MIN_WORDS
    )
    most = max(Counter(text.split_sentences(before, known)).values(), default=1)
    if repeated := next((one for one, times in sentences.items() if times > most), None):
        return f"{sentences[repeated]} times {' '.join(repeated)}"
    return find_repetition(after, own, MAX_REPEATED_SHARE) if varied else ""


def _find_lost_question(before: str, after: str, own: Pack, known: Pack) -> str:
    """Find a question that has become a statement: it was answered, or the fields were exchanged."""
    short = len(before) <= LONGEST_QUESTION and before.rstrip(" *_`\n").endswith("?")
    asked = short and set(QUESTION_MARKS) & set(own.sentences.marks)
    bare = after.rstrip(_CLOSERS)
    told = bare[-1:] in set(f"{own.sentences.marks}.") - set(QUESTION_MARKS)
    return "no question any more" if asked and told and not set(QUESTION_MARKS) & set(after) else ""


def _find_length(before: str, after: str, own: Pack, known: Pack) -> str:
    if len(after) > MOST_TIMES * len(before) + SOME_CHARS:
        return f"{len(after):,} characters for {len(before):,}"
    return (
        f"{len(after):,} of {len(before):,} characters"
        if len(before) >= SOME_CHARS and len(after) < LEAST_SHARE * len(before)
        else ""
    )


RULES: tuple[tuple[str, Rule], ...] = (
    ("lost_code", lambda before, after, own, known: ", ".join(find_lost_spans(before, after))),
    ("added_code", lambda before, after, own, known: ", ".join(find_added_spans(before, after))),
    ("copies_prompt", _find_copy),
    (
        "lost_number",
        lambda before, after, own, known: ", ".join(
            find_changed_numbers(before, after, known, own) or find_lost_signs(before, after, known, own)
        ),
    ),
    ("lost_structure", lambda before, after, own, known: find_lost_structure(before, after)),
    ("wrong_language", _find_language),
    ("untranslated_words", _find_untranslated),
    ("wrong_script", _find_script),
    ("repetition", _find_doubled),
    ("lost_question", _find_lost_question),
    ("wrong_length", _find_length),
    ("wrapped", lambda before, after, own, known: find_wrapping(after, own, known, before, "translation")),
    (
        "added_number",
        lambda before, after, own, known: ", ".join(find_added_numbers(before, after, known, own)),
    ),
)
"""Every rule by the reason that it gives, in the order in which they are asked."""
