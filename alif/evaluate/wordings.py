"""How a benchmark's questions are written: in each wording, after each number of examples.

    columns      question = "پانی کا فارمولا؟"                                ("The formula of water?")
    wordings     "{{ question }}", "سوال: {{ question }} جواب:"               ("question: … answer:")
    shots        0, 4

The first wording after the first number of examples comes first. Examples are the same before every question,
and more of them begin with the fewer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

from alif.benchmark_items import LETTERS, Item
from alif.errors import RecipeError
from alif.evaluate.question_sets import QuestionSet
from alif.language.pack import Pack
from alif.settings import BenchmarkTable

__all__ = ["Prompt", "Variant", "choice_letters", "list_variants", "write_prompts"]

PLAIN, WITH_OPTIONS = "{{ question }}", "{{ question }}\n{{ options }}"
_ENVIRONMENT = ImmutableSandboxedEnvironment(undefined=jinja2.StrictUndefined, keep_trailing_newline=False)


@dataclass(frozen=True)
class Variant:
    """One wording with one number of examples before it."""

    shots: int
    wording: int
    """From 0."""
    template: str


@dataclass(frozen=True)
class Prompt:
    """What is asked for one item, with the examples before it: each its prompt and its right answer."""

    question: str
    examples: tuple[tuple[str, str], ...] = ()


def list_variants(table: BenchmarkTable, *, written: bool) -> list[Variant]:
    """Return what a benchmark is asked in, the main variant first; `written`: for an answer in words."""
    plain = WITH_OPTIONS if written and table.form == "choice" else PLAIN
    wordings = table.wordings or (plain,)
    return [Variant(shots, at, one) for shots in table.shots for at, one in enumerate(wordings)]


def write_prompts(asked: QuestionSet, variants: Sequence[Variant]) -> list[Prompt]:
    """Return the prompt of every item in every variant, one variant after another.

    Raises:
        RecipeError: a wording is no Jinja template, or names a column that a row has not.
    """
    found = []
    for one in variants:
        where = f"benchmark.{asked.name}.wordings, number {one.wording + 1}"
        try:
            template = _ENVIRONMENT.from_string(one.template)
            before = asked.examples[: one.shots]
            shown = tuple((_render(template, example, asked.pack), example.right) for example in before)
            found += [Prompt(_render(template, item, asked.pack), shown) for item in asked.items]
        except jinja2.UndefinedError as error:
            there = ", ".join(dict.fromkeys(("question", "options", *asked.items[0].columns)))
            raise RecipeError(f"{where}: {error.message}", f"A row has {there}.") from error
        except (jinja2.TemplateError, TypeError, ValueError) as error:
            raise RecipeError(f"{where}: {error}", "A wording is a Jinja template.") from error
    return found


def _render(template: jinja2.Template, item: Item, pack: Pack) -> str:
    if not item.columns:  # one of the pack's seeds, which is written out
        return item.question
    letters = choice_letters(len(item.choices), pack)
    options = "\n".join(f"{letter}) {choice}" for letter, choice in zip(letters, item.choices, strict=True))
    own = {"question": item.question, "options": options, "choices": item.choices}
    return template.render({**item.columns, **own})


def choice_letters(count: int, pack: Pack) -> tuple[str, ...]:
    """Return the letters of so many choices: the pack's first series, or A to J where that is too short."""
    series = pack.choices.letters[0] if pack.choices.letters else ()
    return tuple(series[:count] if len(series) >= count else LETTERS[:count])
