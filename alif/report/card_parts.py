"""The parts that data card and model card share, as Markdown: seeds, steps, origins and licences, cost."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PureWindowsPath

from alif.formatting import format_duration, format_usd
from alif.records import NOT_REVIEWED, STEP_NAMES
from alif.report.snapshot import RunSnapshot

__all__ = [
    "author_kind",
    "count_origins",
    "describe_cost",
    "describe_seeds",
    "escape_markdown",
    "format_counts",
    "markdown_table",
    "public_name",
    "steps_table",
    "yaml_text",
]

MODEL_AUTHOR = "language model"
"""How a pack marks a text that a model wrote. Source: `Origin.author`."""
ROW_STEPS = STEP_NAMES[: STEP_NAMES.index("base")]
MARKUP = re.compile(r"[\\`*\[\]<>|]|(?<!\w)_|_(?!\w)")


def escape_markdown(text: object) -> str:
    """Return text of a pack, recipe or row as one line of inert Markdown: no link, no HTML, no new cell."""
    return MARKUP.sub(r"\\\g<0>", " ".join(str(text).splitlines()))


def markdown_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table, its cells escaped."""
    lines = [columns, ["---"] * len(columns), *([escape_markdown(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def yaml_text(text: str) -> str:
    """Return text of a pack, recipe or row as a quoted YAML string: it adds no key, `no` is no boolean."""
    return json.dumps(" ".join(text.splitlines()), ensure_ascii=False)


def format_counts(counts: Mapping[str, int]) -> str:
    """Return counts by name: `2 truncated, 12 near_duplicate`."""
    return ", ".join(f"{count} {name}" for name, count in counts.items())


def public_name(model: str) -> str:
    """Return a model's name for publication: of a folder the last part, since a path may name a person."""
    local = model.startswith(("/", "~", ".")) or PureWindowsPath(model).is_absolute()
    return PureWindowsPath(model).name if local else model


def author_kind(author: str, model: str = "") -> str:
    """Return whether a person or a model wrote a text: people are never named."""
    return "a language model" if author in (MODEL_AUTHOR, model) else "a person"


def describe_seeds(run: RunSnapshot) -> str:
    """Return who wrote the seeds and how many have been read, as counts."""
    if not run.seeds:
        return ""
    origins = [seed.origin for seed in run.seeds]
    written = Counter(author_kind(origin.author).replace("a person", "people") for origin in origins)
    reviewed = sum(bool(origin.reviewed_by) for origin in origins)
    read = (
        f"{reviewed} of them were read and accepted by a reviewer" if reviewed else f"they are {NOT_REVIEWED}"
    )
    authors = " and ".join(f"{count} written by {kind}" for kind, count in sorted(written.items()))
    return f"{len(origins)} seeds, {authors}; {read}."


def steps_table(run: RunSnapshot) -> str:
    """Return a table of the rows of each step: in, kept, not sampled, dropped by reason."""
    counts = {step: run.steps[step].counts for step in ROW_STEPS if step in run.steps}
    rows = [(step, c.rows_in, c.kept, c.not_sampled, format_counts(c.dropped)) for step, c in counts.items()]
    return (
        markdown_table(("step", "rows in", "kept", "not sampled", "dropped"), rows)
        if rows
        else "No rows yet."
    )


def count_origins(run: RunSnapshot) -> str:
    """Return the mixture's rows and the corpus's documents by origin and licence."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for row in run.read_examples("blend"):
        strategy = row.origin.strategy.removeprefix("plain").removeprefix(", ")
        parts = (row.origin.kind, strategy, public_name(row.origin.model))
        counts[row.language, ", ".join(filter(None, parts)), row.origin.licence] += 1
    for document in run.read_documents():
        counts[document.language, f"text, {document.source}", document.licence] += 1
    rows = [(*key[:2], key[2] or "not stated", count) for key, count in sorted(counts.items())]
    return markdown_table(("language", "origin", "licence", "n"), rows) if rows else "No rows yet."


def describe_cost(run: RunSnapshot) -> str:
    """Return what the run has paid and how long it worked."""
    usd = sum(record.cost_usd for record in run.steps.values())
    seconds = sum(record.seconds for record in run.steps.values())
    return f"{format_usd(usd)} paid to providers, {format_duration(seconds)} of work on one machine."
