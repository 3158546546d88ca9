"""Whether a row is in the languages that its task asks for: the rule of the step `filter` and of the pool."""

from __future__ import annotations

from typing import Literal

from alif.data.filters.filter_context import MIN_WORDS, prompt_of, task_of
from alif.language import language_id, text
from alif.language.pack import Pack
from alif.language.protected_spans import prose_of
from alif.records import Example

__all__ = ["find_wrong_language"]


def find_wrong_language(row: Example, own: Pack, known: Pack, min_share: float) -> str:
    """Say why a row is in another language than its task asks for; "" if it is not.

    An answer of three words may be in any script: a name, a formula. A request may be in the known language
    if it is about a text or labels in the pack's. A translation needs letters of the pack's script somewhere.
    Where the task allows the language in its other script, function words tell it from the known one.
    `min_share` is the least share of an answer's letters in the right script, 0..1.
    """
    task = task_of(row, own)
    if task.answer == "either":
        if language_id.has_no_target_script(f"{prompt_of(row)}\n{row.output}", own):
            return f"no letter of the row is {own.script.name}"
        shares = {pack.script.name: language_id.script_share(row.output, pack) for pack in (own, known)}
        if max(shares.values()) >= min_share:
            return ""
        return f"output: {', '.join(f'{name} {share:.0%}' for name, share in shares.items())}"
    if task.answer_script != "own":
        both = [own.code, *([own.roman.code] if own.roman else [])]
        answer = both[1:] if task.answer_script == "roman" else both
        asked = [*both, known.code]  # "make this Roman Urdu: …"
        for name, value, right in (("request", prompt_of(row), asked), ("output", row.output, answer)):
            found = language_id.identify_language(value, (own, known))
            if found not in (*right, "undecided") and len(text.split_words(value, own)) >= MIN_WORDS:
                return f"{name}: {found}, not {' or '.join(right)}"
        return ""
    return _find_wrong_answer(task.answer, row, own, known, min_share)


def _find_wrong_answer(
    answer: Literal["own", "known"], row: Example, own: Pack, known: Pack, min_share: float
) -> str:
    right, wrong = (own, known) if answer == "own" else (known, own)
    prose = prose_of(row.output)  # code is in no language
    found = language_id.identify_language(prose, (own, known))
    proven = found == right.code and min_share <= language_id.MAJORITY
    if not proven and len(text.split_words(prose, right)) >= MIN_WORDS:
        share = language_id.script_share(prose, right)
        if share < min_share:
            return f"output: {share:.0%} of the letters are {right.script.name}"
        if found == wrong.code:
            return f"output: {wrong.name}"
    if answer == "known":
        return ""
    if language_id.has_no_target_script(prompt_of(row), own):
        return f"no letter of instruction and input is {own.script.name}"
    whole = f"{prompt_of(row)}\n{prose}"
    if found != own.code and language_id.identify_language(whole, (own, known)) == "other":
        return f"another language of the script {own.script.name}"
    return ""
