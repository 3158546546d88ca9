"""Keep questions that the student is measured on out of what it is trained on.

A row is dropped if its prompt is a test prompt, or if it shares a run of 13 words with one. Words are the
pack's, so spelling variants and punctuation make no difference.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from alif import benchmark_items, settings, sources
from alif.dedup.ngrams import word_ngrams
from alif.language import text
from alif.language.pack import Pack
from alif.records import Dropped, Example
from alif.sources import PackFiles

__all__ = ["BenchmarkIndex"]

NGRAM = 13
"""Words in a row that two texts share only if one was copied. Source: GPT-3, arXiv 2005.14165, appendix C (N
= 13)."""


class BenchmarkIndex:
    """Every prompt of the pack's test set and of the recipe's benchmarks, which may be the packs' too."""

    def __init__(
        self,
        pack: Pack,
        known: Pack,
        folder: str,
        benchmarks: settings.Benchmarks,
        tables: Mapping[str, settings.BenchmarkTable],
    ) -> None:
        self._pack = pack
        self._prompts: dict[tuple[str, ...], str] = {}
        self._ngrams: dict[tuple[str, ...], str] = {}
        for name, prompt in _read_prompts(pack, known, folder, benchmarks, tables):
            words = tuple(text.split_words(prompt, pack))
            self._prompts.setdefault(words, name)
            for gram in word_ngrams(words, NGRAM):
                self._ngrams.setdefault(gram, name)

    def __len__(self) -> int:
        return len(self._prompts)

    def find_overlap(self, row: Example) -> str:
        """Say which question a row gives away, "" if none."""
        prompt = f"{row.instruction}\n{row.input}"
        if name := self._prompts.get(tuple(text.split_words(prompt, self._pack))):
            return f"the prompt of {name}"
        for gram in word_ngrams(text.split_words(f"{prompt}\n{row.output}", self._pack), NGRAM):
            if gram in self._ngrams:
                return f"{NGRAM} words of {self._ngrams[gram]}: {' '.join(gram)}"
        return ""


def _read_prompts(
    pack: Pack,
    known: Pack,
    folder: str,
    benchmarks: settings.Benchmarks,
    tables: Mapping[str, settings.BenchmarkTable],
) -> Iterator[tuple[str, str]]:
    """Yield (name, prompt) of each question; a row without one is skipped, evaluate reports it."""
    for row in sources.read_rows(benchmarks.test, folder, PackFiles(pack, ("test.jsonl",))):
        if not isinstance(row, Dropped) and isinstance(row.values.get("instruction"), str):
            told = (str(row.values.get(key) or "") for key in ("instruction", "input"))
            yield f"{row.name}#{row.id}", "\n".join(told)
    short = benchmark_items.short_form_tables(benchmarks.multiple_choice, folder, pack, known)
    for name, table in {**short, **tables}.items():
        language = benchmark_items.benchmark_language(name, table, pack, known)
        for item in benchmark_items.read_items(name, table, folder, language):
            if not isinstance(item, Dropped):
                yield f"{name}#{item.id}", item.question
