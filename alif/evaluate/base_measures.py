"""What a base knows before it is trained, in numbers that can be compared between bases.

    heldout       bits per byte of text in the taught language
    answers       bits per byte of the test set's reference answers, after examples of their task
    pack_choices  accuracy in the source language's multiple choice

All by log-probability. A small base writes no right answer, and its exact match is 0; how likely it finds the
right answer orders bases long before.

Source: bits per byte of the right answer tells small models apart best, arXiv 2508.13144 and 2504.11393.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from alif import sampling, sources
from alif.benchmark_items import Item, read_items
from alif.errors import DataError
from alif.evaluate.benchmark import LikelihoodRequest
from alif.evaluate.compare import score_metric
from alif.evaluate.heldout import answers_benchmark, heldout_benchmark
from alif.evaluate.question_benchmark import question_benchmarks
from alif.evaluate.question_sets import QuestionSet
from alif.evaluate.stats import Bootstrap
from alif.evaluate.system import ask_student
from alif.language.pack import Pack
from alif.records import Document, Example, Message, Score
from alif.settings import BenchmarkTable, Evaluate
from alif.sources import PackFiles
from alif.student import Student

__all__ = ["SHOTS", "BaseTexts", "measure_base", "read_base_texts"]

SHOTS = 3
"""Examples of its task before a question: the pack's shortest seeds, so that prompts stay short where the
language costs many tokens."""
CHOICES_EACH = 4
"""Multiple-choice questions for each question of the test set: they take a tenth of the time."""


@dataclass(frozen=True)
class BaseTexts:
    """What every base is measured on."""

    own: Pack
    known: Pack
    documents: Sequence[Document]
    read: Sequence[str]
    """All text of the taught language, of which `documents` are a sample."""
    known_texts: Sequence[str]
    answers: Sequence[Example]
    """Test questions with the examples before them as turns."""
    choices: QuestionSet | None


def read_base_texts(
    own: Pack, known: Pack, text: tuple[str, ...], documents: int, questions: int
) -> BaseTexts:
    """Read what bases are measured on.

    Args:
        own: the taught language.
        known: the source language.
        text: files with text of the taught language; "pack": the pack's demo articles.
        documents: most documents that are measured; 0: all.
        questions: most questions of the pack's test set; 0: all.

    Raises:
        DataError: no text of the taught language.
    """
    seed = Evaluate().seed
    found = _read_texts(text, own)
    if not found:
        raise DataError(f"{own.folder}: the pack has no demo articles", "Name files of text: --text FILE.")
    choices = None
    if (known.folder / "choices.jsonl").is_file():
        table = BenchmarkTable(form="choice", files=("pack",), language=known.code)
        items = [one for one in read_items("choices", table, "", known) if isinstance(one, Item)]
        asked = sampling.sample_by_hash(items, CHOICES_EACH * questions, seed, lambda item: item.id)
        choices = QuestionSet("choices", table, asked, known)
    return BaseTexts(
        own=own,
        known=known,
        documents=sampling.sample_by_hash(found, documents, seed, lambda row: row.id),
        read=[row.text for row in found],
        known_texts=[row.text for row in _read_texts(("pack",), known)],
        answers=list(_few_shot_rows(own, questions, seed)),
        choices=choices,
    )


def measure_base(student: Student, texts: BaseTexts, window: int) -> tuple[Score, ...]:
    """Return what one base scores, on text of the taught language first.

    Args:
        student: the base, loaded.
        texts: what it is measured on.
        window: longest stretch that is read at once, in tokens, as in training.

    Raises:
        ModelError: its log-probabilities are not finite.
    """
    window = min(window, getattr(student.model.config, "max_position_embeddings", None) or window)
    benchmarks = [heldout_benchmark(texts.documents, window, texts.known.code)]
    benchmarks += [answers_benchmark(texts.answers, "alpaca")] if texts.answers else []
    benchmarks += question_benchmarks(texts.choices, "alpaca", 0) if texts.choices else []
    bootstrap = Bootstrap(Evaluate().bootstrap_samples, Evaluate().seed)
    scores = []
    for benchmark in benchmarks:
        if isinstance(benchmark.request, LikelihoodRequest):  # all are; some configs tell no window
            asked = replace(benchmark, request=replace(benchmark.request, window=window))
            whole, *_ = benchmark.score(ask_student(student, asked)).metrics
            scores.append(score_metric("base", whole, bootstrap))
    return tuple(scores)


def _read_texts(source: tuple[str, ...], pack: Pack) -> list[Document]:
    files = PackFiles(pack, ("demo/articles.jsonl",))
    if "pack" in source and not files.paths():
        return []
    rows = sources.read_documents(source, "", language=pack.code, pack=files)
    return [row for row in rows if isinstance(row, Document)]


def _few_shot_rows(pack: Pack, questions: int, seed: int) -> Iterator[Example]:
    """Yield questions of the pack's test set, equally many of each task, each after examples of its task."""

    def read(name: str, task: str) -> list[Example]:
        files = PackFiles(pack, (name,))
        if not files.paths():
            return []
        rows = sources.read_examples(("pack",), "", language=pack.code, task=task, kind="seed", pack=files)
        return [row for row in rows if isinstance(row, Example)]

    rows, shots = read("test.jsonl", ""), dict[str, tuple[Message, ...]]()
    count = questions or len(rows)
    for row in sampling.sample_stratified(rows, count, seed, lambda row: row.id, lambda row: row.task):
        if row.task not in shots:
            seeds = sorted(
                read(f"seeds/{row.task}.jsonl", row.task), key=lambda one: len(one.model_dump_json())
            )
            shots[row.task] = tuple(
                message
                for one in seeds[:SHOTS]
                for message in (
                    Message(role="user", content=f"{one.instruction}\n\n{one.input}".strip()),
                    Message(role="assistant", content=one.output),
                )
            )
        yield row.with_turns(shots[row.task])
