"""Keep questions that the student is measured on out of what it is trained on.

A row is dropped if its prompt is a test prompt, or if it shares a run of 13 words with one; words are the pack's, so spelling
variants and punctuation make no difference.
"""

from __future__ import annotations

from collections.abc import Iterator

from alif import recipe, sources
from alif.language import text
from alif.language.pack import Pack
from alif.records import Dropped, Example

__all__ = ["RUN_WORDS", "BenchmarkIndex"]

RUN_WORDS = 13
"""Words in a row that two texts share only if one was copied. Source: GPT-3, arXiv 2005.14165, appendix C (N = 13)."""
KEYS = (("instruction", "input"), ("question",))
"""The fields that make a prompt: of a triple, of a benchmark question."""


class BenchmarkIndex:
    """Every question of the pack's test set and of the recipe's benchmarks."""

    def __init__(self, pack: Pack, folder: str, benchmarks: recipe.Benchmarks) -> None:
        self._pack = pack
        self._prompts: dict[tuple[str, ...], str] = {}
        self._runs: dict[tuple[str, ...], str] = {}
        for name, prompt in _prompts(pack, folder, benchmarks):
            words = tuple(text.split_words(prompt, pack))
            self._prompts.setdefault(words, name)
            for run in _runs(words):
                self._runs.setdefault(run, name)

    def __len__(self) -> int:
        return len(self._prompts)

    def evidence(self, row: Example) -> str:
        """Say which question a row gives away, "" if none."""
        prompt = f"{row.instruction}\n{row.input}"
        name = self._prompts.get(tuple(text.split_words(prompt, self._pack)))
        if name:
            return f"the prompt of {name}"
        for run in _runs(tuple(text.split_words(f"{prompt}\n{row.output}", self._pack))):
            if run in self._runs:
                return f"{RUN_WORDS} words of {self._runs[run]}: {' '.join(run)}"
        return ""


def _runs(words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for start in range(len(words) - RUN_WORDS + 1):
        yield words[start : start + RUN_WORDS]


def _prompts(pack: Pack, folder: str, benchmarks: recipe.Benchmarks) -> Iterator[tuple[str, str]]:
    """Yield (name, prompt) of each question; a row without one is passed over, evaluate reports it."""
    own = sources.read_rows(("test.jsonl",), str(pack.folder)) if "pack" in benchmarks.test else ()
    for rows in (
        own,
        sources.read_rows(benchmarks.test, folder),
        sources.read_rows(benchmarks.multiple_choice, folder),
    ):
        for row in rows:
            if isinstance(row, Dropped):
                continue
            for keys in KEYS:
                if isinstance(row.values.get(keys[0]), str):
                    yield f"{row.name}#{row.id}", "\n".join(str(row.values.get(key) or "") for key in keys)
                    break
