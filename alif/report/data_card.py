"""The data card: what a user of a run's rows must know, written from the run's own records.

Language and script, licence, seeds and who wrote them, teachers and their terms, prompts by hash, the funnel,
cost, limits. The ledger and people's names are never part of it.
"""

from __future__ import annotations

from collections import Counter

from alif.facts.data_facts import FunnelCounts, GenerateFacts, TranslateFacts
from alif.formatting import format_usd
from alif.llm.endpoint import SCRIPTED, hostname
from alif.records import FUNNEL_GROUPS
from alif.report import card_parts
from alif.report.card_parts import escape_markdown, format_counts, markdown_table, public_name
from alif.report.snapshot import RunSnapshot
from alif.report.summary import data_caveats

__all__ = ["REVERSE", "data_card"]

REVERSE = "reverse"
"""The strategy of a row whose instruction alone was written by a model. Source: `Origin.strategy`."""
DIRECTIONS = {"rtl": "right to left", "ltr": "left to right"}
GAPS = 3
"""Most gaps in coverage that are named."""


def data_card(run: RunSnapshot) -> str:
    """Return the card of the run's rows and documents in Markdown."""
    generate = run.facts("generate", GenerateFacts)
    parts = [
        f"# Data of {escape_markdown(run.name)}",
        _describe_languages(run),
        "## Licence",
        _describe_licence(run),
        "## Seeds",
        _seeds_table(run),
        "## Teachers and their terms",
        _teachers_table(run, generate),
        "## Prompts",
        _prompts_table(run, generate),
        "## From replies to rows",
        card_parts.steps_table(run),
        *(_funnel_tables(generate) if generate else ()),
        "## Origins and licences",
        card_parts.count_origins(run),
        "## Cost",
        card_parts.describe_cost(run) + _describe_row_cost(generate),
        "## Known limits",
        "\n".join(f"- {limit}" for limit in _list_limits(run, generate)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _describe_languages(run: RunSnapshot) -> str:
    target, source, pack = run.target, run.source, run.target.pack
    script = f"written in {pack.script.name} script, " if pack else ""
    text = (
        f"Instructions in {escape_markdown(f'{target.name} ({target.native_name}, {target.code})')}, "
        f"{script}{DIRECTIONS[target.direction]}; "
        f"replay in {escape_markdown(f'{source.name} ({source.code})')}, and text for stage 1."
    )
    tasks = [name for name, task in pack.tasks.items() if task.answer_script != "own"] if pack else []
    if pack and pack.roman and tasks:
        text += (
            f" Rows of the task {', '.join(tasks)} may be in {pack.roman.script} script ({pack.roman.code})."
        )
    return text


def _describe_licence(run: RunSnapshot) -> str:
    pack, text = run.target.pack, ""
    if pack and pack.licence:
        text = f"The texts of the pack {pack.code} are {escape_markdown(pack.licence)}. "
    text += (
        "Rows that a model wrote stand under the terms of their teacher and under the licence of the passage "
        "or row that they were made from where the tables below name one. "
    )
    if any(row.origin.strategy == REVERSE for row in run.read_examples("generate")):
        text += (
            f"Where a row's strategy is {REVERSE}, the model wrote the instruction alone: the output is the "
            "passage, word for word, by the passage's author and under its licence. "
        )
    return f"{text}Whether and under which licence they may be published is for their publisher to decide."


def _seeds_table(run: RunSnapshot) -> str:
    """Return the seeds by source, licence and kind of author."""
    counts: Counter[tuple[str, str, str, str]] = Counter()
    for seed in run.seeds:
        origin, file = seed.origin, seed.origin.source.partition("#")[0]
        author = card_parts.author_kind(origin.author) if origin.author else ""
        read = "by a reviewer" if origin.reviewed_by else "by nobody"
        counts[file.rpartition("/")[0] or file, origin.licence, author, read] += 1
    rows = [(*(part or "not stated" for part in key), count) for key, count in sorted(counts.items())]
    table = markdown_table(("source", "licence", "written by", "read", "seeds"), rows)
    return f"{card_parts.describe_seeds(run)}\n\n{table}" if rows else "None yet."


def _teachers_table(run: RunSnapshot, generate: GenerateFacts | None) -> str:
    """Return who wrote, where, at which price, and whose terms apply."""
    models: dict[str, set[str]] = {}
    counts: Counter[str] = Counter()
    for step in ("generate", "translate"):
        for row in run.read_examples(step):
            models.setdefault(row.origin.teacher, set()).add(public_name(row.origin.model))
            counts[row.origin.teacher] += 1
    rows = []
    for name, teacher in run.recipe.teacher.items():
        where, terms = "in this process", "none: the pack's own demo texts"
        if teacher.base_url != SCRIPTED:
            where = hostname(teacher.base_url)
            terms = f"those of {where} and of the model: read them first"
        named = ", ".join(sorted(models.get(name, {public_name(teacher.model)})))
        price = _row_cost(generate.funnel.teachers.get(name) if generate else None)
        rows.append((name, named, where, counts[name], price, terms))
    columns = ("teacher", "model", "where", "rows accepted", "cost per generated row", "terms")
    return markdown_table(columns, rows) if rows else "None."


def _prompts_table(run: RunSnapshot, generate: GenerateFacts | None) -> str:
    """Return the prompts that were sent by hash: the same hash is the same wording."""
    translate = run.facts("translate", TranslateFacts)
    digests = {**(generate.prompts if generate else {}), **(translate.prompts if translate else {})}
    table = markdown_table(
        ("prompt", "wordings"), [(name, ", ".join(found)) for name, found in digests.items()]
    )
    return f"SHA-256 of each wording, first 16 digits.\n\n{table}" if digests else "None was sent."


def _funnel_tables(generate: GenerateFacts) -> list[str]:
    """Return the funnel of `generate` by task, teacher and strategy."""
    columns = ("requests", "pieces", "parsed", "accepted", "dropped", "cost", "cost per accepted row")
    tables = []
    for group, title in FUNNEL_GROUPS.items():
        counts: dict[str, FunnelCounts] = getattr(generate.funnel, group)
        rows = [
            (name, c.requests, c.pieces, c.parsed, c.accepted, *_dropped_and_cost(c))
            for name, c in counts.items()
        ]
        tables += [markdown_table((title, *columns), rows)] if rows else []
    return tables


def _dropped_and_cost(counts: FunnelCounts) -> tuple[str, str, str]:
    return format_counts(counts.dropped), format_usd(counts.usd), _row_cost(counts)


def _row_cost(counts: FunnelCounts | None) -> str:
    return "" if counts is None or counts.usd_per_accepted is None else format_usd(counts.usd_per_accepted)


def _describe_row_cost(generate: GenerateFacts | None) -> str:
    cost = _row_cost(generate.funnel.whole) if generate else ""
    return cost and f" A generated row that was accepted cost {cost}, those that were dropped included."


def _list_limits(run: RunSnapshot, generate: GenerateFacts | None) -> list[str]:
    limits = data_caveats(run)
    if generate and generate.saturated:
        tasks = ", ".join(generate.saturated)
        limits.append(
            f"These tasks ended short of their target, since their teachers had nothing new: {tasks}."
        )
    if generate and (gaps := generate.coverage.gaps[:GAPS]):
        named = ", ".join(f"{gap.task} · {gap.topic} ({gap.rows} rows)" for gap in gaps)
        limits.append(f"Hardly anything on {escape_markdown(named)}, by a rough count of words.")
    if generate and generate.near_duplicates.pairs:
        found = f"{generate.near_duplicates.pairs} pairs of near-duplicates"
        limits.append(f"{found} in a sample of {generate.near_duplicates.rows} rows; they were not dropped.")
    checked = "reviewers alone" if run.recipe.review.share else "nobody"
    covered = "language, letters, form, arithmetic, choices and labels"
    limits.append(f"Checks by machine cover {covered}; {checked} checked the facts.")
    limits.append("Rows that models write carry their models' errors and biases.")
    return limits
