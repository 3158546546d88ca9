"""The picture of a mixture in the terminal: its parts in rows and tokens, what is held out and left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from alif import console
from alif.dedup.overlap_index import UNDETECTED
from alif.facts.data_facts import BlendFacts
from alif.settings import Recipe

__all__ = ["list_sums", "print_mixture"]

BAR = 14
"""Cells of a full bar: two of them, names and numbers fit into 80 columns."""
EIGHTHS = " ▏▎▍▌▋▊▉"
NAME = 14


def list_sums(recipe: Recipe) -> list[tuple[str, str, str, str]]:
    """Return (part, rows, share, source and licence) of the mixture that a recipe asks for, then their sum.

    Of parts whose rows are not known before they are read, the recipe's own words stand there.
    """
    steps = {
        "generate": (recipe.generate.target_rows, "teachers"),
        "translate": (recipe.translate.rows, ", ".join(recipe.translate.source)),
        "replay": (recipe.replay.rows, ", ".join(recipe.replay.source)),
    }
    asked: dict[str, tuple[int, str, str]] = {}
    for name, part in {**recipe.blend, **recipe.replay_part}.items():
        rows, source = (0, ", ".join(part.source)) if part.source else steps.get(name, (0, ""))
        rows = min(part.rows or rows, rows or part.rows) * part.repeat
        told = f"{part.share:.0%} of the tokens" if part.share else f"{rows:,}" if rows else "all"
        if part.share or rows or part.source:
            asked[name] = (0 if part.share else rows, told, ": ".join(filter(None, (source, part.licence))))
    total = sum(rows for rows, _, _ in asked.values())
    found = [
        (name, told, f"{rows / total:.1%}" if rows and total else "", source)
        for name, (rows, told, source) in asked.items()
    ]
    return [*found, ("all", f"{total:,}", "", "")] if found else []


def print_mixture(facts: BlendFacts) -> None:
    """Print what a finished step `blend` has mixed."""
    rows = {name: (part.drawn - part.validation) * part.repeat for name, part in facts.parts.items()}
    tokens = {name: part.tokens for name, part in facts.parts.items()}
    console.print_result(f"{'to train on':{NAME}} {'rows':>9} {'':{BAR + 6}}  {'tokens':>9}, about")
    for name in facts.parts:
        sides = (_draw_side(counts[name], list(counts.values())) for counts in (rows, tokens))
        console.print_result(f"{_shorten(name):{NAME}} {'  '.join(sides)}".rstrip())
    validation = sum(part.validation_tokens for part in facts.parts.values())
    sums = {"all": (sum(rows.values()), sum(tokens.values())), "to validate": (facts.held_out, validation)}
    for title, (count, size) in sums.items():
        console.print_result(f"{title:{NAME}} {count:>9,} {'':{BAR + 6}}  {size:>9,}")
    console.print_result()
    for name, part in facts.parts.items():
        told = [f"{part.drawn:,} of {part.available:,} rows drawn"]
        told += [f"each {part.repeat} times"] if part.repeat > 1 else []
        told += [f"{part.dropped:,} dropped"] if part.dropped else []
        fewer = part.requested - part.drawn
        told += [f"{fewer:,} fewer than asked for"] if fewer > 0 else []
        licences = (f"{licence or 'licence not stated'} {n:,}" for licence, n in part.licences.items())
        console.print_result(f"{_shorten(name):{NAME}} {', '.join(told)}; {', '.join(licences)}")
    leaks = ", ".join(f"{name} {n:,}" for name, n in Counter(facts.contaminated).most_common())
    console.print_result(
        f"\nCompared with {facts.benchmark_prompts:,} questions of benchmarks; rows that give one away: "
        f"{leaks or 'none'}.\n{UNDETECTED}\n"
    )


def _draw_side(count: int, counts: Sequence[int]) -> str:
    """Return a number, its share and its bar."""
    share, most = count / (sum(counts) or 1), max(counts) or 1
    cells, rest = divmod(round(8 * BAR * count / most), 8)
    bar = "█" * cells + (EIGHTHS[rest] if rest else "")
    return f"{count:>9,} {100 * share:>4.1f}% {bar:{BAR}}"


def _shorten(name: str) -> str:
    return name if len(name) <= NAME else f"{name[: NAME - 1]}…"
