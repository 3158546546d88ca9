"""Does an answer state a short reference? Every table is the pack's.

    "قومی کھیل ہاکی ہے۔" ("the national game is hockey")      states "ہاکی", "یہ ہاکی نہیں" ("not") does not
    "شہر لاہور" ("the city of Lahore")                        "لاہور", "لاہور ہائی کورٹ" (the High Court) not
    "نیلا، سرخ اور سبز" ("blue, red and green")                "سرخ، سبز، نیلا"

A name among other words may be part of a longer name. So a sentence states it only where a word such as "is"
stands beside it, and a kind or a title is left out only where the other side has none or the same.
"""

from __future__ import annotations

import functools

import regex

from alif.language.answers.answer_words import answer_tokens
from alif.language.answers.match import clause_mark, contains_answer, is_same_list, is_same_text
from alif.language.answers.stated_value import drop_reasons
from alif.language.answers.value_reader import find_values
from alif.language.normalisation import phrase_words, split_words
from alif.language.pack import Pack
from alif.language.text import find_phrase, split_sentences

__all__ = ["MAX_SHORT", "is_stated"]

MAX_SHORT = 10
"""Words of a reference that a sentence may state in its own words."""
_FOREIGN_WITH_NAME = regex.compile(r"[\x00-\x7f]*\(([^()\x00-\x7f][^()]*)\)[\s.]*")
"""A name in Latin letters with the language's own in brackets: Thursday (جمعرات)."""
_ABBREVIATION = regex.compile(r"(?<![A-Za-z\d])[A-Z]{1,5}(?![A-Za-z\d])")
_LABELLED = regex.compile(r"[^\n:：]*[:：]\s*(\D[^\n:：]*)")


def is_stated(answer: str, reference: str, pack: Pack) -> bool:
    """Tell whether an answer says a reference, alone or in a sentence that adds no other answer."""
    same = is_same_text(answer, reference, pack, spaces=False) or is_same_list(answer, reference, pack)
    if same or len(answer_tokens(reference, pack)) > MAX_SHORT:
        return same
    if find_phrase(reference, pack.statements.undecidable, pack):
        undecided = find_phrase(answer, pack.statements.undecidable, pack) is not None
        return undecided and not find_values(answer, pack)
    foreign, labelled = _FOREIGN_WITH_NAME.fullmatch(answer), _LABELLED.fullmatch(answer)
    names = [answer, drop_reasons(answer, pack), *(found[1] for found in (foreign, labelled) if found)]
    right = _spell_letters(reference, pack)
    if any(_is_same_name(_spell_letters(name, pack), right, pack) for name in names):
        return True
    if not contains_answer(answer, reference, pack):
        return False
    clauses = [clause for clause in clause_mark(pack).split(answer) if split_words(clause, pack)]
    others = [clause for clause in clauses if not _is_same_name(clause, reference, pack)]
    if len(others) < len(clauses):  # "Karachi, not Lahore": the others are no further answers
        return not any(_verbs(pack).isdisjoint(split_words(clause, pack)) for clause in others)
    return _is_said_of(split_sentences(answer, pack)[0], reference, pack)


def _is_said_of(sentence: str, reference: str, pack: Pack) -> bool:
    """Tell whether a sentence has a reference where its answer stands."""
    given, wanted = answer_tokens(sentence, pack), answer_tokens(reference, pack)
    table = pack.statements
    for start in range(len(given) - len(wanted) + 1):
        stop = start + len(wanted)
        last, following = "".join(given[max(start - 1, 0) : start]), "".join(given[stop : stop + 1])
        if given[start:stop] != wanted or last in table.qualifiers:
            continue
        ends = not following and (last in table.before or (table.verbless and start > 1))
        if ends or following in phrase_words(table.after, pack):
            return True
    return False


def _spell_letters(name: str, pack: Pack) -> str:
    """Return a name with its abbreviations spelled as they are spoken: DNA, ڈی این اے."""
    if not (letters := pack.statements.letters):
        return name
    return _ABBREVIATION.sub(lambda found: " ".join(letters[ord(one) - ord("A")] for one in found[0]), name)


def _is_same_name(one: str, other: str, pack: Pack) -> bool:
    """Tell whether two texts are the same words but for frame, titles and a kind that one of them says."""
    (words, kinds), (other_words, other_kinds) = _bare_name(one, pack), _bare_name(other, pack)
    return words == other_words and not (kinds and other_kinds and kinds.isdisjoint(other_kinds))


@functools.lru_cache(maxsize=4096)
def _bare_name(name: str, pack: Pack) -> tuple[str, frozenset[int]]:
    """Return the letters of a name without frame, titles and kinds, and its kinds; all where none is left."""
    spaced = " ".join(answer_tokens(name, pack))
    pattern, kinds = _beside_names(pack)
    bare = pattern.sub("", spaced).replace(" ", "")
    found = frozenset(kinds[word] for word in pattern.findall(spaced) if word in kinds)
    return (bare, found) if bare else (spaced.replace(" ", ""), frozenset())


@functools.lru_cache
def _beside_names(pack: Pack) -> tuple[regex.Pattern[str], dict[str, int]]:
    """Return the pattern of frame, titles and kinds, and the place of each kind's group."""
    table = pack.statements
    kinds = {
        " ".join(answer_tokens(noun, pack)): place
        for place, nouns in enumerate(table.kinds)
        for noun in nouns
    }
    frame = {*table.frame, *table.titles, *pack.choices.words} - {*table.qualifiers}
    words = {" ".join(answer_tokens(word, pack)) for word in frame} | {*kinds}
    every = "|".join(map(regex.escape, sorted(filter(None, words), key=len, reverse=True))) or "(?!)"
    return regex.compile(rf"(?<!\S)(?:{every})(?!\S)"), kinds


@functools.lru_cache
def _verbs(pack: Pack) -> frozenset[str]:
    table = pack.statements
    phrases = (*table.frame, *table.after, *table.before, *pack.phrases.negations, *pack.choices.words)
    return phrase_words(phrases, pack)
