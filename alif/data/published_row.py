"""Read a row of a published set as an example, through the same door as a teacher's reply.

    {"instruction": "…", "input": "N/A", "output": "…"}    no input
    {"instruction": "…", "output": "<noinput>"}            dropped: empty
    {"instruction": "नदी क्या है?", …, "language": "hi"}       dropped: wrong_language

Source: the faults of Alpaca's rows that gururise/AlpacaDataCleaned lists.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from alif import sources
from alif.data.filters.filter_context import OTHER_TASK, prompt_of
from alif.data.filters.text_rules import find_empty_output, find_text_fault, row_texts
from alif.data.normalise_example import normalise_example
from alif.errors import DataError
from alif.language import text
from alif.language.language_id import identify_language, script_share
from alif.language.pack import Pack
from alif.language.replies.no_input import says_no_input, says_nothing
from alif.records import Dropped, Example, Kind
from alif.sources import Row

__all__ = ["find_oversize", "find_sentence_fault", "nothing_left", "read_published_row"]


MAX_ROW_CHARS = 200_000
"""Of a row that is translated or replayed: a longer one is a book or a damaged file."""
MIN_SENTENCE_WORDS = 12
"""Of a text in the right script without a mark at its end, to be told from another language's."""


def find_oversize(row: Row) -> Dropped | None:
    """Return a row of more characters than a row of training data has as dropped, None where it has not."""
    size = sum(len(value) for value in row.values.values() if isinstance(value, str))
    if size <= MAX_ROW_CHARS:
        return None
    raw = json.dumps(row.values, ensure_ascii=False, default=str)
    evidence = f"{row.where}: {size:,} characters, a row has at most {MAX_ROW_CHARS:,}"
    return Dropped(raw=raw, reason="too_long", evidence=evidence)


def read_published_row(
    row: Row | Dropped, wanted: Sequence[Pack], packs: Sequence[Pack], kind: Kind, licence: str = ""
) -> Example | Dropped:
    """Read a row in the language that it names, or that it is written in: one of `wanted`.

    The first of them is taken where that is undecided; `packs` are both of the run.
    """
    if isinstance(row, Dropped):
        return row
    found = sources.to_example(row, "", OTHER_TASK, kind, licence)
    if isinstance(found, Dropped):
        return found
    if fault := find_text_fault(row_texts(found), wanted[0]):  # before cleaning, which halves garbled letters
        return Dropped(row=found, reason=fault[0], evidence=f"{row.where}: {fault[1]}")
    code = _find_language(found, packs)
    pack = next((pack for pack in wanted if code in (pack.code, "undecided")), None)
    if pack is None:
        codes = " or ".join(pack.code for pack in wanted)
        return Dropped(row=found, reason="wrong_language", evidence=f"{row.where}: {code}, not {codes}")
    given = "" if any(says_no_input(found.input.strip(), one) for one in packs) else found.input
    example = normalise_example(found.model_copy(update={"language": pack.code, "input": given}), pack)
    empty = next(filter(None, (find_empty_output(example, one) for one in packs)), "")
    if says_nothing(example.instruction, pack):
        empty = "the instruction says nothing"
    return Dropped(row=example, reason="empty", evidence=f"{row.where}: {empty}") if empty else example


def _find_language(row: Example, packs: Sequence[Pack]) -> str:
    """Return the code of the pack that a row names, or is written in; another language, or "undecided".

    A text in a third language is that whatever it is named, unless its prompt or its answer is in one of the
    packs' languages: an exercise of translation.
    """
    named = row.language.strip().casefold()
    codes = [pack.code for pack in packs]
    for pack in packs:
        if re.split("[-_]", named)[0] == pack.code or named in (pack.name.casefold(), pack.native_name):
            named = pack.code
    if named and named not in codes:
        return named
    written = identify_language(f"{prompt_of(row)}\n{row.output}", packs)
    if written == "other" and not {*codes} & {
        identify_language(one, packs) for one in (prompt_of(row), row.output)
    }:
        return "another language"
    return named or (written if written in codes else "undecided")


def find_sentence_fault(sentence: str, wanted: Pack, packs: Sequence[Pack]) -> tuple[str, str] | None:
    """Return (reason, evidence) where a text, as it was read, is nothing to translate from `wanted`."""
    if says_nothing(text.normalise_text(sentence, wanted), wanted):
        return "empty", "nothing to translate"
    code = identify_language(sentence, packs)
    ended = sentence.rstrip()[-1:] in wanted.sentences.marks
    if code == "other" and not ended and script_share(sentence, wanted) == 1:
        few = len(text.split_words(sentence, wanted)) < MIN_SENTENCE_WORDS
        code = "undecided" if few else code  # a title, or names
    if code in {"other", *(pack.code for pack in packs)} - {wanted.code}:
        return "wrong_language", f"{code}, not {wanted.code}"
    return find_text_fault({"sentence": sentence}, wanted)


def nothing_left(key: str, dropped: Mapping[str, int], first: str) -> DataError:
    """Return the error of a source of which nothing is left, with the reasons and the first evidence."""
    if not dropped:
        return DataError(
            f"{key}: it holds no row", "Name a file that has rows, or remove it from the recipe."
        )
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in dropped.items())
    return DataError(
        f"{key}: none of {sum(dropped.values()):,} rows can be kept: {reasons}; the first: {first}",
        'A text is a line of a .txt file or "text" in a row; `alif.sources` lists the other shapes of rows.',
    )
