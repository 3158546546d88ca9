"""A run as tables and figures, all from its own files: the funnel, the rows, the trainings, the scores.

Every picture is a table with its number of observations, most with a figure above it. Figures are the
report's; their inline styles become attributes, since the desk's policy allows no inline style.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from markupsafe import Markup

from alif import store
from alif.facts.data_facts import GenerateFacts
from alif.language.language_id import find_lookalikes
from alif.language.letter_counts import LetterCount
from alif.language.text import split_words
from alif.records import Example
from alif.report import plots
from alif.report.data_section import funnel_section
from alif.report.merge_section import merge_section
from alif.report.page import plot_text
from alif.report.score_matrix import build_matrix
from alif.report.snapshot import DroppedRow, RunSnapshot
from alif.report.training_section import training_section

__all__ = ["Picture", "draw_rows", "draw_training", "strict_svg"]

MOST_ROWS = 50_000
"""Rows that are looked at of one step: about what the paper generated."""
LENGTHS = (25, 50, 100, 200, 400)
"""Words at which a class of the histogram ends."""
VERDICTS = ("read", "unread", "rejected", "dropped")
"""What became of a row that a teacher wrote: kept and read by people or not, rejected by people, dropped by
the filter's rules."""
LABEL = 40
"""Most characters of a bar's name."""
COLOURS = ("one", "two", "four", "other")


class Picture(NamedTuple):
    """A table with its figure; `name` and `columns` are keys of the texts, or words as they are."""

    name: str
    n: int
    """Observations."""
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    figures: Sequence[Markup] = ()
    legend: Sequence[tuple[str, str]] = ()
    """What each colour stands for."""


def draw_rows(run: RunSnapshot) -> list[Picture]:
    """Return the pictures of rows and scores; a step that is not done has none."""
    found = (draw_funnel, draw_requests, draw_verdicts, draw_texts, draw_scores)
    return [picture for draw in found for picture in draw(run)]


def strict_svg(svg: Markup) -> Markup:
    """Return a figure whose styles are attributes; the font is the page's."""

    def attributes(match: re.Match[str]) -> str:
        pairs = (part.split(":", 1) for part in match[1].split(";") if ":" in part)
        return "".join(
            f' {name.strip()}="{value.strip()}"'
            for name, value in pairs
            if not name.strip().startswith("font")
        ).lstrip()

    return Markup(re.sub(r'\bstyle="([^"]*)"', attributes, svg))


def draw_funnel(run: RunSnapshot) -> Iterator[Picture]:
    """Yield what became of the rows of each step: in = kept + dropped + not sampled."""
    counted = {step: record.counts for step, record in run.steps.items() if record.counts.rows_in}
    if not counted:
        return
    bars = {
        step: [counts.kept, sum(counts.dropped.values()), counts.not_sampled]
        for step, counts in counted.items()
    }
    rows = [
        (step, counts.rows_in, *bars[step], ", ".join(f"{n:,} {why}" for why, n in counts.dropped.items()))
        for step, counts in counted.items()
    ]
    told = "; ".join(f"{step}: {one.kept} of {one.rows_in} kept" for step, one in counted.items())
    figure = plots.plot_bars("run-funnel", told, bars, ("one", "four", "other"), "rows")
    columns = ("step", "rows_in", "kept", "dropped", "not_sampled", "reasons")
    legend = [("kept", "one"), ("dropped", "four"), ("not_sampled", "other")]
    yield Picture("funnel", sum(one.rows_in for one in counted.values()), columns, rows, [figure], legend)


def draw_requests(run: RunSnapshot) -> Iterator[Picture]:
    """Yield what the teachers' replies brought, with its price."""
    facts = run.facts("generate", GenerateFacts)
    section = funnel_section(facts)
    if facts is None or section is None:
        return
    rows = [
        (name, one.requests, one.pieces, one.parsed, one.accepted, one.usd, one.usd_per_accepted)
        for part in section.groups.values()
        for name, one in part.items()
    ]
    columns = ("part", "requests", "pieces", "parsed", "accepted", "usd", "usd_per_accepted")
    legend = [(name, colour) for name, colour, _ in section.legend]
    yield Picture("requests", facts.funnel.whole.requests, columns, rows, [*section.figures.values()], legend)


def draw_verdicts(run: RunSnapshot) -> Iterator[Picture]:
    """Yield task by teacher by what became of the row."""
    counts: dict[tuple[str, str], Counter[str]] = {}

    def count(task: str, teacher: str, verdict: str) -> None:
        if teacher:
            counts.setdefault((task, teacher), Counter())[verdict] += 1

    last = next((step for step in ("review", "filter") if step in run.steps), "")
    for row in run.read_examples(last) if last else chain(*map(run.read_examples, ("generate", "translate"))):
        count(row.task, row.origin.teacher, "read" if row.origin.reviewed_by else "unread")
    for step, verdict in (("filter", "dropped"), ("review", "rejected")):
        for dropped in read_dropped(run, step):
            count(dropped.task, str(dropped.origin.get("teacher", "")), verdict)
    if not counts:
        return
    rows = [(*key, *(one[verdict] for verdict in VERDICTS)) for key, one in sorted(counts.items())]
    bars = {" · ".join(key)[:LABEL]: [one[verdict] for verdict in VERDICTS] for key, one in counts.items()}
    n = sum(one.total() for one in counts.values())
    figure = plots.plot_bars("run-verdicts", f"{n} rows by task and teacher", bars, COLOURS, "rows")
    yield Picture(
        "verdicts",
        n,
        ("task", "teacher", *VERDICTS),
        rows,
        [figure],
        list(zip(VERDICTS, COLOURS, strict=True)),
    )


def draw_texts(run: RunSnapshot) -> Iterator[Picture]:
    """Yield length in words, share of scripts, and who wrote the rows, of the latest rows there are."""
    pack, last = (
        run.target.pack,
        next((one for one in ("blend", "review", "filter", "generate", "seeds") if one in run.steps), ""),
    )
    if pack is None or not last:
        return
    kinds: dict[str, Counter[int]] = {}
    letters: dict[str, Counter[str]] = {}
    for row in first_rows(run, last):
        if row.language != pack.code:
            continue
        words = len(split_words(row.output, pack))
        kinds.setdefault(row.origin.kind, Counter())[sum(words >= end for end in LENGTHS)] += 1
        count = LetterCount.of(row.output, pack)
        found = letters.setdefault(row.task, Counter())
        found["own"] += count.in_script - count.out_of_inventory
        found["other_letters"] += count.out_of_inventory
        found["other_script"] += count.total - count.in_script
        found["lookalike_rows"] += bool(find_lookalikes(row.output, pack))
        found["rows"] += 1
    if not kinds:
        return
    n, names = sum(one.total() for one in kinds.values()), sorted(kinds)
    starts = (0, *LENGTHS)
    labels = [f"{a}–{b - 1}" for a, b in zip(starts, LENGTHS, strict=False)] + [f"{LENGTHS[-1]}+"]
    bars = {label: [kinds[kind][place] for kind in names] for place, label in enumerate(labels)}
    colours = plots.COLOURS[1 : len(names) + 1]
    figure = plots.plot_bars("run-lengths", f"{n} answers by their words", bars, colours, "rows")
    legend = list(zip(names, colours, strict=True))
    yield Picture(
        "lengths", n, ("words", *names), [(label, *one) for label, one in bars.items()], [figure], legend
    )
    names = ["own", "other_letters", "other_script"]
    shares = {
        task: [round(100 * one[name] / (sum(map(one.__getitem__, names)) or 1), 2) for name in names]
        for task, one in letters.items()
    }
    table = [(task, one["rows"], *shares[task], one["lookalike_rows"]) for task, one in letters.items()]
    per_mille = {task: [round(10 * part) for part in one] for task, one in shares.items()}
    figure = plots.plot_bars("run-scripts", "Letters", per_mille, ("one", "four", "two"), "of 1,000 letters")
    columns = ("task", "rows", *names, "lookalike_rows")
    yield Picture(
        "scripts", n, columns, table, [figure], list(zip(names, ("one", "four", "two"), strict=True))
    )


def draw_training(run: RunSnapshot) -> Iterator[Picture]:
    """Yield the curves of each training, one that is going on included."""
    section = training_section(run)
    if not section.rows:
        return
    columns = ("training", *section.columns)
    rows = [(title, *(row[key] for key in section.columns)) for title, row in section.rows.items()]
    figures = (section.loss, section.heldout, section.speed, section.gradients)
    steps = sum(int(row["steps"] or 0) for row in section.rows.values())
    legend = [(name, colour) for name, colour, _ in section.legend] if section.heldout else []
    yield Picture("training", steps, columns, rows, figures, legend)


def draw_scores(run: RunSnapshot) -> Iterator[Picture]:
    """Yield each system's main scores with interval and difference from the base, and what merging traded."""
    matrix = build_matrix([run])
    if not matrix.rows:
        return
    rows = [
        (row.title, column.title, column.metric, column.language, cell.value, cell.interval, cell.change,
         cell.words, column.n)
        for place, column in enumerate(matrix.columns)
        for row in matrix.rows
        for cell in [row.cells[place]]
    ]  # fmt: skip
    columns = ("system", "benchmark", "metric", "language", "value", "interval", "change", "sure", "n")
    merged = merge_section(run)
    legend = [(name, colour) for name, colour, _ in plots.legend(run.systems).values()]
    yield Picture("scores", sum(one.n for one in matrix.columns), columns, rows, [plot_text(run)], legend)
    if merged:
        weights = [(name, *pair) for name, pair in merged.weights.items()]
        yield Picture("tradeoff", len(weights), ("system", "w1", "w2"), weights, [merged.figure])


def first_rows(run: RunSnapshot, step: str) -> Iterator[Example]:
    """Yield the kept rows of a step, at most MOST_ROWS."""
    yield from (row for _, row in zip(range(MOST_ROWS), run.read_examples(step), strict=False))


class WrittenRow(DroppedRow):
    """A dropped row with its ancestry."""

    origin: Mapping[str, object] = {}


def read_dropped(run: RunSnapshot, step: str) -> Iterator[WrittenRow]:
    """Yield the rows that a step dropped; none where it is not done."""
    path: Path = run.root / step / "dropped.jsonl"
    if step in run.steps and path.is_file():
        yield from store.read_models(path, WrittenRow)
