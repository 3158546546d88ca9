"""Open every data file of a recipe before anything is paid: can it be read, and can any row be used.

    list_sources(recipe)      recipe key → files and hub ids, as the steps read them
    sample_source(file, …)    columns, first rows and language of one file
    find_problems(recipe)     what would leave a step without rows

Hub data sets are not opened: that takes the network. Their addresses are parsed.
"""

from __future__ import annotations

import glob
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from alif import benchmark_items, sources
from alif.data.mixture.preference_pairs import REVIEW, read_pair
from alif.data.mixture.self_replay import SELF
from alif.data.published_row import find_oversize, find_sentence_fault, read_published_row
from alif.errors import AlifError, RecipeError
from alif.language.language_id import identify_language
from alif.language.pack import Pack, load_pack
from alif.records import Dropped, Example
from alif.row_shape import find_shape, flatten_instance
from alif.settings import Recipe
from alif.sources import Row

__all__ = ["SourceSample", "find_problems", "list_sources", "sample_source", "sample_sources"]

SAMPLED_ROWS = 200
"""Rows of a file that are looked at."""
SEARCHED_ROWS = 20_000
"""Where none of them can be used, how far the search for one goes on."""
MOST_FILES = 20
"""Files of one key that are opened, spread over all: a corpus has thousands of shards."""
MIN_TEXTS = 5
"""Texts with a language of their own, below which nothing is said about a file's language."""
PAIRS, QUESTIONS, PREFERENCES = "parallel_files", "benchmarks.multiple_choice", "pairs.source"
BENCHMARK = "benchmark."
QUESTION_STEPS = {"blend", "evaluate"}
DOCUMENTS = ("corpus.source", "corpus.source_language_files", "generate.passages")
ROWS = ("translate.", "replay.")
CLEANED = ("corpus.source", "corpus.source_language_files")
"""Their steps drop what is in another language."""
OWN_LANGUAGE = ("corpus.source", "generate.passages", "seeds.source")


@dataclass(frozen=True)
class SourceSample:
    """What the first rows of one file hold."""

    key: str
    path: str
    rows: int = 0
    usable: int = 0
    columns: tuple[str, ...] = ()
    languages: Mapping[str, int] = field(default_factory=dict)
    """Texts by the language that they are identified as, undecided ones left out."""
    fault: str = ""
    """Where and why the first row that cannot be used is not."""
    licences: Mapping[str, int] = field(default_factory=dict)
    """Usable rows by the licence that they name, "" where they name none."""


def list_sources(recipe: Recipe) -> dict[str, tuple[str, ...]]:
    """Return every recipe key that names data which a run reads, with its value."""
    generate = recipe.generate
    shows_passages = generate.slots or generate.grounded_share or generate.reverse_share
    replays = recipe.replay.rows or recipe.replay.share
    found = {
        "seeds.source": recipe.seeds.source,
        "generate.passages": generate.passages if shows_passages else (),
        "translate.source": recipe.translate.source if recipe.translate.rows else (),
        "replay.source": tuple(one for one in recipe.replay.source if one != SELF) if replays else (),
        "replay.prompts": recipe.replay.prompts if replays and recipe.replay_model else (),
        "corpus.source": recipe.corpus.source,
        "corpus.source_language_files": recipe.corpus.source_language_files,
        PREFERENCES: tuple(part for part in recipe.pairs.source if part != REVIEW),
        "benchmarks.test": recipe.benchmarks.test,
        QUESTIONS: recipe.benchmarks.multiple_choice,
    }
    found |= {f"blend.{name}.source": part.source for name, part in recipe.blend.items()}
    found |= {f"{BENCHMARK}{name}": one.address() for name, one in recipe.benchmark.items()}
    found |= {f"{BENCHMARK}{name}.original": one.original for name, one in recipe.benchmark.items()}
    return found | {f"teacher.{name}.{PAIRS}": one.parallel_files for name, one in recipe.teacher.items()}


def find_problems(recipe: Recipe, steps: Collection[str] | None = None) -> list[AlifError]:
    """Return what would leave a step of a run without rows; with `steps`, of those steps alone."""
    found: list[AlifError] = []
    for one in [*sample_sources(recipe, steps), *_benchmark_problems(recipe, steps)]:
        if isinstance(one, AlifError):
            found.append(one)
        elif problem := _problem(one, recipe):
            found.append(problem)
    if REVIEW in recipe.pairs.source and not (recipe.review.share or recipe.review.verdicts):
        hint = "Set review.share or review.verdicts, or name files of pairs."
        found.append(RecipeError(f'{PREFERENCES} names "{REVIEW}", but nobody is asked to read a row', hint))
    return found


def sample_sources(
    recipe: Recipe, steps: Collection[str] | None = None
) -> Iterator[SourceSample | AlifError]:
    """Yield a sample of every data file, or why it cannot be read."""
    own, known = load_pack(recipe.language.pack), load_pack(recipe.language.source)
    for key, source in list_sources(recipe).items():
        table = key.partition(".")[0]
        read_by = {"benchmarks": QUESTION_STEPS, "teacher": {"generate", "translate"}}.get(table, {table})
        if key.startswith(BENCHMARK) or (steps is not None and not read_by & set(steps)):
            continue
        try:
            paths = sources.resolve_paths(source, recipe.sources.folder)
            if key == QUESTIONS and "pack" in source:
                sources.choice_files(own, known)
        except AlifError as error:
            yield RecipeError(f"{key}: {error.message}", error.hint)
            continue
        for path in paths[:: -(-len(paths) // MOST_FILES) or 1]:
            try:
                yield sample_source(path, key, own, known)
            except AlifError as error:
                yield RecipeError(f"{key}: {error.message}", error.hint)


def _benchmark_problems(recipe: Recipe, steps: Collection[str] | None) -> Iterator[AlifError]:
    """Yield what is wrong with benchmarks: no revision, no row that can be used, too few examples."""
    own, known = load_pack(recipe.language.pack), load_pack(recipe.language.source)
    for name, table in recipe.benchmark.items() if steps is None or QUESTION_STEPS & set(steps) else ():
        try:
            pack = benchmark_items.benchmark_language(name, table, own, known)
            benchmark_items.require_revision(name, table)
            if table.files:  # a data set on the hub takes the network
                rows = benchmark_items.read_items(name, table, recipe.sources.folder, pack)
                next(row for row in rows if not isinstance(row, Dropped))
                benchmark_items.read_examples(name, table, recipe.sources.folder, pack)
        except AlifError as error:
            yield error


def sample_source(path: Path, key: str, own: Pack, known: Pack) -> SourceSample:
    """Read the first rows of a file as the steps would.

    Raises:
        DataError: it cannot be read at all.
    """
    counts: Counter[str] = Counter()
    languages: Counter[str] = Counter()
    licences: Counter[str] = Counter()
    columns: dict[str, None] = {}
    fault = ""
    for row in islice(sources.read_rows((glob.escape(str(path)),), ""), SEARCHED_ROWS):
        if counts["rows"] >= SAMPLED_ROWS and counts["usable"]:
            break
        counts["rows"] += 1
        if isinstance(row, Row):
            columns |= dict.fromkeys(row.values)
        long = find_oversize(row) if isinstance(row, Row) and key.startswith(ROWS) else None
        text = row if isinstance(row, Dropped) else long or _usable_text(row, key, own, known)
        if isinstance(text, Dropped):
            fault = fault or text.evidence
            continue
        counts["usable"] += 1
        named = (row.values.get(key) for key in ("licence", "license")) if isinstance(row, Row) else ()
        licences[next((str(one) for one in named if one), "")] += 1
        languages[identify_language(text, (own, known)) if text else "undecided"] += 1
    del languages["undecided"]
    return SourceSample(
        key,
        str(path),
        counts["rows"],
        counts["usable"],
        tuple(columns),
        dict(languages),
        fault,
        dict(licences),
    )


def _usable_text(row: Row, key: str, own: Pack, known: Pack) -> str | Dropped:
    """Return the text of a row by which its language is identified, or why no step could use the row."""
    if key == QUESTIONS:
        return ""
    if key.endswith(PAIRS):
        texts = [row.values.get(one.code) for one in (known, own)]
        if all(isinstance(text, str) and text.strip() for text in texts):
            return str(texts[1])
        evidence = f"{row.where}: a pair needs {known.code} and {own.code} as text"
        return Dropped(raw="", reason="missing_field", evidence=evidence)
    if key in DOCUMENTS:
        return sources.missing_text(row) or str(row.values["text"])
    given = [value for one in (known.code, "text") if isinstance(value := row.values.get(one), str)]
    if key == "translate.source" and given and find_shape(flatten_instance(row.values)) == "text":
        sentence = next((value for value in given if value.strip()), "")
        fault = find_sentence_fault(sentence, known, (known, own))
        return Dropped(raw="", reason=fault[0], evidence=f"{row.where}: {fault[1]}") if fault else sentence
    found: Example | Dropped
    if key == PREFERENCES:
        found = read_pair(row, own, known)
    elif key.startswith(("translate.", "replay.", "blend.")):
        wanted = (own, known) if key.startswith("blend.") else (known,)
        found = read_published_row(row, wanted, (own, known), "source")
    else:
        found = sources.to_example(row, own.code, "", "source")
    return found if isinstance(found, Dropped) else found.output


def _problem(sample: SourceSample, recipe: Recipe) -> AlifError | None:
    """Return why nothing of a file would be left, None where something is."""
    where = f"{sample.key}: {sample.path}"
    if not sample.rows:
        return RecipeError(f"{where}: the file is empty", "Name another file, or remove it from the recipe.")
    if not sample.usable:
        first = (
            f"none of its {sample.rows:,} rows can be used" if sample.rows > 1 else "its row cannot be used"
        )
        return RecipeError(
            f"{where}: {first}: {sample.fault}",
            "Convert it: a .jsonl file has one object a line, a .json file one array; see `alif.sources`.",
        )
    code = recipe.language.pack if sample.key in OWN_LANGUAGE else recipe.language.source
    wanted = load_pack(code).code
    if (
        sample.key not in CLEANED
        or sum(sample.languages.values()) < MIN_TEXTS
        or sample.languages.get(wanted)
    ):
        return None
    most = max(sample.languages, key=lambda one: sample.languages[one])
    return RecipeError(
        f"{where}: none of its first texts is {wanted}; most are {most}",
        "Name files in that language: the step drops every other text.",
    )
