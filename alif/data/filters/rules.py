"""Check every row that a model wrote: plain predicates, each of which finds nothing, or a fault with its evidence.

    FILTERS = (damaged, refusal, wrong_language, wrong_letters, …)        (row, Checked) → "" or the evidence

The first fault found is the reason in dropped.jsonl and in the funnel. No filter mends a row, and none knows a language:
letters, phrases, headings and labels are the pack's. The pack's own seeds must pass them all, which a test proves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from alif import recipe, store
from alif.data.filters.translation_direction import is_in_target_language, wrong_target_language
from alif.language import language_id, text
from alif.language import pack as packs
from alif.language.answers import arithmetic, choices
from alif.language.answers.choices import OfferedChoices
from alif.language.pack import Pack, Task
from alif.records import Counts, Dropped, Example
from alif.runs import StepContext

__all__ = ["FILTERS", "OTHER_TASK", "FilterContext", "filter_rows", "first_fault", "language_fault"]

REPEATED_WORDS = 4
"""Words in one gram of the repetition check. Source: Gopher, arXiv 2112.11446, table A1 (repeated 2- to 4-grams)."""
FEWEST_GRAMS = 8
"""Grams that an answer must have before repetition can be told."""
FEWEST_WORDS = 4
"""Shorter answers may repeat their input or be in any script: a label, a name, a number, a formula."""

MOST_DECLINING_WORDS = 30
"""A longer answer that declines says why; "I'm sorry, but I can't assist with that. If you have other questions …" does not."""

MOST_CHOOSING_WORDS = 40
"""A longer free answer is a text about what it has chosen, and need not repeat its words."""

OTHER_TASK = "other"
"""The task of a row that names none: of a published set, translated or replayed."""
OTHER = Task(name=OTHER_TASK, title="Other", native_title="", weight=1, templates=())
"""What is known of a row whose task is not the pack's: translated rows of a published set."""


@dataclass(frozen=True)
class FilterContext:
    """What rows are checked against."""

    own: Pack
    known: Pack
    limits: recipe.Filter

    def task(self, row: Example) -> Task:
        return self.own.tasks.get(row.task, OTHER)


def filter_rows(given: StepContext, language: recipe.Language, filter: recipe.Filter) -> Counts:
    """Part the rows of `generate` and `translate` into those that pass every filter and those that do not."""
    checked = FilterContext(packs.load_pack(language.pack), packs.load_pack(language.source), filter)
    kept: list[Example] = []
    dropped: list[Dropped] = []
    for step in ("generate", "translate"):
        for row in store.read_models(given.inputs[step] / "examples.jsonl", Example):
            found = first_fault(row, checked)
            if found is None:
                kept.append(row)
            else:
                dropped.append(Dropped(row=row, reason=found[0], evidence=found[1]))
    store.write_rows(given.folder / "examples.jsonl", kept)
    store.write_rows(given.folder / "dropped.jsonl", (row.record() for row in dropped))
    return Counts.of(len(kept), dropped, tasks=_by_task(kept, dropped, checked.own))


def first_fault(row: Example, checked: FilterContext) -> tuple[str, str] | None:
    """Return (reason, evidence) of the first filter that finds fault with a row, or None."""
    for name, find in FILTERS:
        evidence = find(row, checked)
        if evidence:
            return name, evidence
    return None


def language_fault(row: Example, own: Pack, known: Pack, least: float) -> str:
    """Say how a row is in another language than its task asks for; "" if it is not.

    An answer of three words may be in any script: a name, a formula. A request may be in the known language if it is about a
    text or labels in the pack's. A row of translation needs letters of the pack's script somewhere. Where the task allows the
    language in its other script, little words tell it there from the known one.

    `least` is the least share of an answer's letters in the right script, 0..1.
    """
    task = own.tasks.get(row.task, OTHER)
    if task.answer == "either":
        return _neither(row, own, known, least)
    if task.answer_script != "own":
        return _in_no_script(row, task, own, known)
    return _not_in(task.answer, row, own, known, least)


def _not_in(answer: Literal["own", "known"], row: Example, own: Pack, known: Pack, least: float) -> str:
    right, wrong = (own, known) if answer == "own" else (known, own)
    found = language_id.identify_language(row.output, (own, known))
    proven = found == right.code and least <= language_id.MAJORITY
    if not proven and len(text.split_words(row.output, right)) >= FEWEST_WORDS:
        share = language_id.script_share(row.output, right)
        if share < least:
            return f"output: {share:.0%} of the letters are {right.script.name}"
        if found == wrong.code:
            return f"output: {wrong.name}"
    if answer == "own" and language_id.has_no_target_script(_asked(row), own):
        return f"no letter of instruction and input is {own.script.name}"
    if (
        answer == "own"
        and found != own.code
        and language_id.identify_language(_whole(row), (own, known)) == "other"
    ):
        return f"another language of the script {own.script.name}"
    return ""


def _in_no_script(row: Example, task: Task, own: Pack, known: Pack) -> str:
    """Say what of a row is not in the pack's language, in its own script or the one that people type it in."""
    both = [own.code, *([own.roman.code] if own.roman else [])]
    answer = both[1:] if task.answer_script == "roman" else both
    asked = [*both, known.code]  # "make this Roman Urdu: …"
    for name, value, right in (("request", _asked(row), asked), ("output", row.output, answer)):
        found = language_id.identify_language(value, (own, known))
        if found not in (*right, "undecided") and len(text.split_words(value, own)) >= FEWEST_WORDS:
            return f"{name}: {found}, not {' or '.join(right)}"
    return ""


def _whole(row: Example) -> str:
    return f"{row.instruction}\n{row.input}\n{row.output}"


def _neither(row: Example, own: Pack, known: Pack, least: float) -> str:
    if language_id.has_no_target_script(_whole(row), own):
        return f"no letter of the row is {own.script.name}"
    shares = {pack.script.name: language_id.script_share(row.output, pack) for pack in (own, known)}
    if max(shares.values()) >= least:
        return ""
    return f"output: {', '.join(f'{name} {share:.0%}' for name, share in shares.items())}"


def _damaged(row: Example, checked: FilterContext) -> str:
    where = [key for key, value in _texts(row) if "\ufffd" in value]
    return f"U+FFFD in {', '.join(where)}" if where else ""


def _refusal(row: Example, checked: FilterContext) -> str:
    """Find a model that speaks of itself, or an answer that declines and says little else."""
    for pack in (checked.own, checked.known):
        bare = len(text.split_words(row.output, pack)) <= MOST_DECLINING_WORDS
        if found := text.find_phrase(
            row.output, pack.phrases.refusals + (pack.phrases.declines if bare else ()), pack
        ):
            return found
    return ""


def _wrong_letters(row: Example, checked: FilterContext) -> str:
    found = [hit for _, value in _texts(row) for hit in language_id.find_lookalikes(value, checked.own)]
    return ", ".join(f"{word}: {wrong} for {right}" for word, wrong, right in found[:5])


def _wrong_language(row: Example, checked: FilterContext) -> str:
    return language_fault(row, checked.own, checked.known, checked.limits.min_script_share)


def _wrong_direction(row: Example, checked: FilterContext) -> str:
    task = checked.task(row)
    return (
        wrong_target_language(row, task.into, checked.own, checked.known) if task.answer == "either" else ""
    )


def _copy(row: Example, checked: FilterContext) -> str:
    """Find an answer that repeats its instruction or input, or a translation that only repeats words of them.

    A translation may repeat the one that its request offers or corrects, where that is in the language that it asks for.
    """
    answer = text.split_words(row.output, checked.own)
    if len(answer) < FEWEST_WORDS:
        return ""
    for key, value in _texts(row)[:2]:
        given = text.split_words(value, checked.own)
        if given == answer:
            return f"output repeats {key}"
        if checked.task(row).answer == "either" and _untranslated(row, answer, given, checked):
            return f"output repeats words of {key}"
    return ""


def _untranslated(row: Example, answer: Sequence[str], given: Sequence[str], checked: FilterContext) -> bool:
    if f" {' '.join(answer)} " not in f" {' '.join(given)} ":
        return False
    return not is_in_target_language(
        row, checked.task(row).into, checked.own, checked.known
    ) and not _offered(row, checked)


def _too_short(row: Example, checked: FilterContext) -> str:
    asked = len(text.split_words(_asked(row), checked.own))
    if asked < checked.limits.min_words:
        return f"{asked} words of instruction and input"
    return "" if text.split_words(row.output, checked.own) else "no word in the output"


def _too_long(row: Example, checked: FilterContext) -> str:
    answer = len(text.split_words(row.output, checked.own))
    return f"{answer} words of output" if answer > checked.limits.max_words else ""


def _repetition(row: Example, checked: FilterContext) -> str:
    words = text.split_words(row.output, checked.own)
    grams = [tuple(words[start : start + REPEATED_WORDS]) for start in range(len(words) - REPEATED_WORDS + 1)]
    share = 1 - len(set(grams)) / len(grams) if len(grams) >= FEWEST_GRAMS else 0.0
    return (
        f"{share:.0%} of the {REPEATED_WORDS}-word runs are repeats"
        if share > checked.limits.max_repeated_4gram_share
        else ""
    )


def _no_final_answer(row: Example, checked: FilterContext) -> str:
    """Find an answer in several lines without the heading under which its task has the final answer."""
    headings = checked.task(row).headings.answer
    if not headings or "\n" not in row.output.strip():
        return ""
    whole = text.final_answer(row.output, checked.task(row), checked.own) == row.output.strip()
    return f"no line begins with {' or '.join(headings)}" if whole else ""


def _wrong_label(row: Example, checked: FilterContext) -> str:
    """Find a label that is none of the task's, or that the instruction does not name where a text is to be labelled."""
    task = checked.task(row)
    label = text.final_answer(row.output, task, checked.own)
    if task.labels:
        return _none_of(label, row.instruction, task.labels, checked.own)
    labelled = task.metric == "exact" and task.scope == "instruction+input"
    if not labelled or text.find_phrase(row.instruction, (label,), checked.own):
        return ""
    return f"the instruction does not name {label}"


def _none_of(label: str, instruction: str, labels: Sequence[str], own: Pack) -> str:
    """Find a label that is none of the task's, or none of those that the instruction names where it names some."""
    named = [name for name in labels if choices.is_label_offered(name, instruction, own)]
    right = named if len(named) > 1 else labels
    return (
        ""
        if text.split_words(label, own) in [text.split_words(name, own) for name in right]
        else f"{label} is none of {', '.join(right)}"
    )


def _wrong_choice(row: Example, checked: FilterContext) -> str:
    """Find an answer that is none of the options that its question letters or numbers."""
    task = checked.task(row)
    if task.answer == "either":
        return ""  # a question that is to be translated
    offered = _offered(row, checked)
    answer = text.final_answer(row.output, task, checked.own)
    if not offered or (
        task.metric != "exact" and len(text.split_words(answer, checked.own)) > MOST_CHOOSING_WORDS
    ):
        return ""
    return choices.invalid_choice(answer, offered, checked.own)


def _offered(row: Example, checked: FilterContext) -> OfferedChoices | None:
    """Return the options that a row's question offers."""
    exact = checked.task(row).metric == "exact"
    labelled = exact and checked.task(row).scope == "instruction+input"  # its input is what the label is for
    return choices.find_choices(row.instruction if labelled else _asked(row), checked.own, exact)


def _wrong_arithmetic(row: Example, checked: FilterContext) -> str:
    """Find a sum that does not hold, or a final number that is not the result which the working ends with.

    A question with such a sum in it is a puzzle with a rule of its own, or asks whether the sum is right.
    """
    if not checked.limits.arithmetic or _false_sum(_asked(row), checked.own):
        return ""
    return _false_sum(row.output, checked.own) or _other_result(row, checked)


def _asked(row: Example) -> str:
    return f"{row.instruction}\n{row.input}"


def _false_sum(value: str, pack: Pack) -> str:
    return next((equation for equation, holds in arithmetic.check_equations(value, pack) if not holds), "")


def _other_result(row: Example, checked: FilterContext) -> str:
    """Find a final number that a closed working does not come to."""
    task = checked.task(row)
    answer = text.final_answer(row.output, task, checked.own)
    working, _, last = row.output.strip().rpartition("\n")
    if not task.headings.answer or last == answer or not last.endswith(answer):
        return ""
    result = arithmetic.final_number_conflict(answer, working, _asked(row), checked.own)
    return f"the working ends with {float(result.value):g}, the answer is {answer}" if result else ""


def _texts(row: Example) -> list[tuple[str, str]]:
    return [("instruction", row.instruction), ("input", row.input), ("output", row.output)]


FILTERS: tuple[tuple[str, Callable[[Example, FilterContext], str]], ...] = (
    ("replacement_char", _damaged),
    ("refusal", _refusal),
    ("wrong_language", _wrong_language),
    ("lookalike_letters", _wrong_letters),
    ("wrong_translation_direction", _wrong_direction),
    ("copies_prompt", _copy),
    ("too_short", _too_short),
    ("too_long", _too_long),
    ("repetition", _repetition),
    ("no_final_answer", _no_final_answer),
    ("wrong_label", _wrong_label),
    ("wrong_choice", _wrong_choice),
    ("wrong_arithmetic", _wrong_arithmetic),
)
"""Every filter, in the order in which it is asked. Each returns the evidence of a fault, "" if there is none."""


def _by_task(kept: Iterable[Example], dropped: Iterable[Dropped], pack: Pack) -> dict[str, dict[str, int]]:
    rows = [("kept", row.task) for row in kept]
    rows += [("dropped", refused.row.task) for refused in dropped if isinstance(refused.row, Example)]
    counted = Counter(rows)
    names = dict.fromkeys([*pack.tasks, *(task for _, task in rows)])
    return {name: {"kept": counted["kept", name], "dropped": counted["dropped", name]} for name in names}
