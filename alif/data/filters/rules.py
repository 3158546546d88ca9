"""Check every row that a model wrote: each rule finds nothing or returns the evidence of a fault.

    FILTERS = (("refusal", …), ("wrong_language", …), …)       (row, FilterContext) → "" or the evidence

Before them stand the rules for texts of any origin, `find_text_fault`. The first fault found is the reason in
dropped.jsonl. No rule repairs a row, and none knows a language:
letters, phrases, headings and labels are the pack's. The pack's own seeds pass all rules, which a test
proves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from alif import settings, store
from alif.data.filters import answer_rules
from alif.data.filters.filter_context import FilterContext, prompt_of, task_of
from alif.data.filters.text_rules import find_empty_output, find_text_fault, row_texts
from alif.data.filters.translation_direction import wrong_target_language
from alif.data.filters.wrong_language import find_wrong_language
from alif.dedup.repetition import find_repetition
from alif.facts.data_facts import FilterFacts, TaskOutcome
from alif.language import language_id, text
from alif.language import pack as packs
from alif.records import Dropped, Example
from alif.runs import StepContext

__all__ = ["FILTERS", "filter_rows", "first_fault"]


def filter_rows(context: StepContext, language: settings.Language, filter: settings.Filter) -> FilterFacts:
    """Keep the rows of `generate` and `translate` that pass every rule."""
    checked = FilterContext(packs.load_pack(language.pack), packs.load_pack(language.source), filter)
    kept: Counter[str] = Counter()
    dropped: Counter[str] = Counter()
    for step in ("generate", "translate"):
        path = context.inputs[step] / "examples.jsonl"
        for row in context.output.read(store.read_models(path, Example)):
            if fault := first_fault(row, checked):
                context.output.drop(Dropped(row=row, reason=fault[0], evidence=fault[1]))
                dropped[row.task] += 1
            else:
                context.output.keep(row)
                kept[row.task] += 1
    context.output.require("examples.jsonl", "dropped.jsonl")
    tasks = dict.fromkeys([*checked.own.tasks, *kept, *dropped])
    return FilterFacts(tasks={name: TaskOutcome(kept=kept[name], dropped=dropped[name]) for name in tasks})


def first_fault(row: Example, checked: FilterContext) -> tuple[str, str] | None:
    """Return (reason, evidence) of the first rule that finds a fault in a row, or None."""
    if fault := find_text_fault(row_texts(row), checked.own):
        return fault
    found = ((reason, rule(row, checked)) for reason, rule in FILTERS)
    return next(((reason, evidence) for reason, evidence in found if evidence), None)


def _find_lookalike_letters(row: Example, checked: FilterContext) -> str:
    found = [
        hit for value in row_texts(row).values() for hit in language_id.find_lookalikes(value, checked.own)
    ]
    return ", ".join(f"{word}: {wrong} for {right}" for word, wrong, right in found[:5])


def _find_wrong_direction(row: Example, checked: FilterContext) -> str:
    task = task_of(row, checked.own)
    if task.answer != "either":
        return ""
    return wrong_target_language(row, task.into, checked.own, checked.known)


def _find_too_short(row: Example, checked: FilterContext) -> str:
    asked = len(text.split_words(prompt_of(row), checked.own))
    if asked < checked.limits.min_words:
        return f"{asked} words of instruction and input"
    return "" if text.split_words(row.output, checked.own) else "no word in the output"


def _find_too_long(row: Example, checked: FilterContext) -> str:
    answer = len(text.split_words(row.output, checked.own))
    return f"{answer} words of output" if answer > checked.limits.max_words else ""


FILTERS: tuple[tuple[str, Callable[[Example, FilterContext], str]], ...] = (
    ("refusal", lambda row, checked: text.find_refusal(row.output, checked.own, checked.known)),
    (
        "wrong_language",
        lambda row, checked: find_wrong_language(
            row, checked.own, checked.known, checked.limits.min_script_share
        ),
    ),
    ("lookalike_letters", _find_lookalike_letters),
    ("wrong_translation_direction", _find_wrong_direction),
    ("copies_prompt", answer_rules.find_copied_prompt),
    ("too_short", _find_too_short),
    ("empty", lambda row, checked: find_empty_output(row, checked.own)),
    ("too_long", _find_too_long),
    (
        "repetition",
        lambda row, checked: find_repetition(
            row.output, checked.own, checked.limits.max_repeated_4gram_share
        ),
    ),
    ("no_final_answer", answer_rules.find_no_final_answer),
    ("wrong_label", answer_rules.find_wrong_label),
    ("wrong_choice", answer_rules.find_wrong_choice),
    ("wrong_arithmetic", answer_rules.find_wrong_arithmetic),
)
"""Every rule by the reason that it gives, in the order in which they are asked."""
