"""The recipe's benchmarks, read: the questions to ask, the examples before them, and how they are judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from alif import sampling, settings
from alif.benchmark_items import Item, benchmark_language, read_examples, read_items, short_form_tables
from alif.errors import RecipeError
from alif.evaluate.benchmark import count_sample
from alif.language import text
from alif.language.pack import Pack
from alif.records import Dropped
from alif.runs import StepOutput

__all__ = ["RETENTION_MARGIN", "QuestionSet", "read_question_sets"]

RETENTION_MARGIN = 0.01
"""Loss of a share that still counts as retained in the source language: one point."""


@dataclass(frozen=True)
class QuestionSet:
    """A benchmark with the items that are asked, and what its prompts need."""

    name: str
    table: settings.BenchmarkTable
    items: Sequence[Item]
    pack: Pack
    """Of its language."""
    examples: Sequence[Item] = ()
    """Before each question, as many as the most shots."""
    margin: float | None = None

    @property
    def label(self) -> str:
        """The benchmark in a score, which has the language beside it: `arc_easy` of `arc_easy.en`."""
        return self.name.removesuffix(f".{self.pack.code}")


def read_question_sets(
    output: StepOutput,
    benchmarks: settings.Benchmarks,
    benchmark: Mapping[str, settings.BenchmarkTable],
    folder: str,
    evaluate: settings.Evaluate,
    own: Pack,
    known: Pack,
) -> list[QuestionSet]:
    """Return the questions of every benchmark; rows that are none are dropped, each with its place.

    Raises:
        RecipeError: a language that is not the recipe's, a data set without a revision, too few examples.
        DataError: a file that cannot be read, or of which no row can be used.
    """
    found = []
    short = short_form_tables(benchmarks.multiple_choice, folder, own, known)
    for name, table in {**short, **benchmark}.items():
        pack, items = benchmark_language(name, table, own, known), []
        for row in output.read(read_items(name, table, folder, pack)):
            if isinstance(row, Dropped):
                output.drop(row)
            else:
                items.append(row)
        each = table.questions or evaluate.questions_each
        chosen = sampling.sample_by_hash(items, each, evaluate.seed, lambda item: item.id)
        count_sample(output, items, chosen, lambda item: item.id)
        examples = read_examples(name, table, folder, pack)
        before = _choose_examples(table, chosen, examples, pack, evaluate.seed, name)
        margin = table.margin or (RETENTION_MARGIN if pack is known else None)
        found.append(QuestionSet(name, table, chosen, pack, before, margin))
    return found


def _choose_examples(
    table: settings.BenchmarkTable,
    items: Sequence[Item],
    examples: Sequence[Item],
    pack: Pack,
    seed: int,
    name: str,
) -> list[Item]:
    """Return the examples before each question, as many as the most shots; none asks what an item asks.

    Raises:
        RecipeError: too few are left.
    """
    asked = {text.fold_text(item.question, pack) for item in items}
    left = [one for one in examples if text.fold_text(one.question, pack) not in asked]
    if len(left) < max(table.shots):
        hint = "Name other examples: a question is no example of itself."
        raise RecipeError(f"benchmark.{name}: only {len(left)} examples are not asked themselves", hint)
    order = [*left]
    sampling.seeded_rng(seed, "examples", name).shuffle(order)
    return order[: max(table.shots)]
