"""`alif estimate --compare`: the same requests to every teacher, measured side by side.

runs/NAME/runtime/teachers.jsonl    the rows of every teacher that were kept, for a blind audit (docs/desk.md)
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence

from alif import console, store
from alif.errors import AlifError, BudgetError, MissingExtra, RecipeError
from alif.facts.screening_facts import Interval, ScreenedTeacher, TeacherMeasures
from alif.formatting import format_usd
from alif.language.pack import load_pack
from alif.runs import Run, make_context
from alif.settings import ExternalSystem, Recipe

__all__ = ["compare_teachers"]

PER_TABLE = 3
"""Teachers side by side: so many fit into 80 columns."""


def compare_teachers(run: Run, recipe: Recipe, count: int, *, perplexity: bool, json: bool) -> None:
    """Ask, measure and print; then raise where a teacher failed or the cap was reached."""
    if importlib.util.find_spec("torch") is None:
        raise MissingExtra("alif estimate --compare", "train")
    from alif.data.pilot.teacher_screening import screen_teachers
    from alif.evaluate.stats import Bootstrap
    from alif.evaluate.system import external_systems
    from alif.evaluate.teacher_measures import measure_teachers
    from alif.student.base import TINY

    if perplexity and recipe.student.base == TINY:
        raise RecipeError(
            f'--perplexity: student.base = "{TINY}" is made from nothing by each run, and has read nothing',
            "Name a published base, or leave --perplexity out.",
        )
    with run.locked():
        context, base = make_context(run, "rehearse", recipe.runtime), None
        if perplexity:  # loaded before anything is paid
            system = ExternalSystem(model=recipe.student.base, revision=recipe.student.revision)
            load = external_systems(context, {"base": system}, 0)[0].load
            base = load and load()
        found = screen_teachers(context, recipe, count)
        store.write_rows(run.root / "runtime" / "teachers.jsonl", _answer_lines(found))
    own, known = load_pack(recipe.language.pack), load_pack(recipe.language.source)
    bootstrap = Bootstrap(recipe.evaluate.bootstrap_samples, recipe.evaluate.seed)
    rows = measure_teachers(found, own, known, bootstrap, base)
    if json:
        console.print_json({"teachers": [row.model_dump(mode="json") for row in rows]})
    else:
        lines = [line for line in _table_lines(rows) if any(line[1:])]
        for start in range(1, len(rows) + 1, PER_TABLE):
            shown = [[line[0], *line[start : start + PER_TABLE]] for line in lines]
            console.print_table(shown[0], shown[1:])
            console.print_result()
        console.print_result(
            f"± 95 %, over requests; each verdict is against {rows[0].teacher}, request by request.\n"
            f"Distinct words and pairs: of as many {own.name} words of each teacher."
        )
        for row in rows:
            console.print_result(f"{row.teacher}: {row.model}")
            if row.problem:
                console.print_result(f"! {row.problem}")
    failed = {one.name: one.problem for one in found if one.problem}
    if capped := [problem for problem in failed.values() if isinstance(problem, BudgetError)]:
        raise capped[0]
    if failed:
        message = f"{len(failed)} of {len(found)} teachers failed: {', '.join(failed)}"
        raise AlifError(message, "Fix the problems listed above, and repeat: no stored reply is paid again.")


def _answer_lines(teachers: Sequence[ScreenedTeacher]) -> Iterator[dict[str, str | float]]:
    """Yield the kept rows of each teacher: those of one place in replies to one request are compared."""
    for one in teachers:
        for number, reply in one.replies.items():
            for place, row in enumerate(reply.kept):
                texts = row.model_dump(include={"language", "task", "instruction", "input", "output"})
                usd = round(reply.usd / len(reply.kept), 9)
                yield {
                    "prompt": f"{number}.{place}",
                    "cluster": str(number),
                    "source": one.name,
                    **texts,
                    "usd": usd,
                }


def _table_lines(rows: Sequence[TeacherMeasures]) -> Iterator[list[str]]:
    """Yield the lines of the table: a label, then a cell for each teacher."""

    def verdict(metric: str) -> list[str]:
        found = (row.against_first.get(metric) for row in rows)
        return ["  verdict", *(one.verdict if one else "" for one in found)]

    yield ["", *(row.teacher for row in rows)]
    yield ["requests", *(f"{row.requests:,}" for row in rows)]
    yield ["items", *(f"{row.items:,}" for row in rows)]
    yield ["kept", *(f"{row.kept:,}" for row in rows)]
    yield ["accepted", *(_cell(row.acceptance, 1, " %") for row in rows)]
    yield verdict("acceptance")
    yield ["price of 1,000 kept rows", *(_cell(row.usd_per_kept_row, 0, "$") for row in rows)]
    yield verdict("usd_per_kept_row")
    yield ["faulty rows", *(_cell(row.fidelity["any"], 1, " %") for row in rows)]
    yield verdict("fidelity")
    for name in list(rows[0].fidelity)[1:]:
        shares = [row.fidelity[name] for row in rows]
        if any(one and one.value for one in shares):
            yield [f"  {name}", *(_cell(one, 1, " %") for one in shares)]
    yield ["dropped", *(f"{row.items - row.kept:,}" for row in rows)]
    for reason in dict.fromkeys(reason for row in rows for reason in row.reasons):
        yield [f"  {reason}", *(f"{row.reasons.get(reason, 0):,}" for row in rows)]
    for field, label in (("instruction", "words of an instruction"), ("output", "words of an answer")):
        yield [label, *(_cell(row.words[f"{field}_median"], 0) for row in rows)]
        yield ["  variation (cv)", *(_cell(row.words[f"{field}_cv"], 2) for row in rows)]
        yield ["  distinct words", *(_cell(row.distinct[f"{field}_1"], 3) for row in rows)]
        yield ["  distinct pairs", *(_cell(row.distinct[f"{field}_2"], 3) for row in rows)]
    yield ["bits/byte of an answer", *(_cell(row.bits_per_byte, 3) for row in rows)]


def _cell(found: Interval | None, digits: int, unit: str = "") -> str:
    """Return a value with the larger half of its interval; of a thousand prices that is a share of them."""
    if found is None:
        return ""
    value, half = found.value, max(found.high - found.value, found.value - found.low)
    if unit == "$":
        return f"{format_usd(1000 * value)} ± {100 * half / value if value else 0:.0f} %"
    scale = 100 if unit else 1
    return f"{scale * value:.{digits}f} ± {scale * half:.{digits}f}{unit}"
