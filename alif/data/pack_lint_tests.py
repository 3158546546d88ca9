"""What is wrong in the test set of a pack, test.jsonl: how its answers are marked."""

from __future__ import annotations

from collections.abc import Iterator

from alif import sources
from alif.data.lint_finding import Finding, doubtful, wrong
from alif.language import text
from alif.language.answers.answer_key import AnswerKey
from alif.language.pack import Pack
from alif.records import NOT_REVIEWED, Dropped

__all__ = ["lint_test_set"]

MARKED_BY = ("accept", "rubric", "references")
RUBRIC_POINTS = range(3, 6)


def lint_test_set(pack: Pack) -> Iterator[Finding]:
    """Find rows that nothing can mark, and rows whose own output would be marked wrong."""
    files = sources.PackFiles(pack, ("test.jsonl",))
    unread = 0
    for row in sources.read_rows(("pack",) if files.paths() else (), "", files):
        if isinstance(row, Dropped):
            where, _, what = row.evidence.partition(": ")
            yield wrong(where, what, "Correct or remove that line.")
            continue
        where, values = row.where, row.values
        output, task = str(values.get("output") or ""), pack.tasks.get(str(values.get("task") or ""))
        unread += not values.get("reviewed_by")
        try:
            key = AnswerKey.of_row(values)
        except ValueError:
            yield wrong(where, "accept, refuse, rubric or references is no list", "Write a list of texts.")
            continue
        if len(given := [name for name in MARKED_BY if getattr(key, name)]) != 1:
            what = f"is marked by {' and '.join(given) or 'nothing'}"
            cure = (
                "Give accept (short answers), rubric (free text) or references (translations): one of them."
            )
            yield wrong(where, what, cure)
        answer = text.final_answer(output, task, pack) if task else output
        if key.accept and not key.is_accepted(answer, pack):
            cure = "List the output's own form in accept, and in refuse nothing that it says."
            yield wrong(where, "its own output is not accepted", cure)
        for form in key.refuse:
            if key.is_accepted(form, pack):
                yield wrong(where, f"{form} is both accepted and refused", "Take it out of refuse.")
        if key.rubric and len(key.rubric) not in RUBRIC_POINTS:
            yield wrong(where, f"the rubric has {len(key.rubric)} points", "Write three to five.")
        if key.references and output != key.references[0]:
            yield wrong(where, "the first of its references is not its output", "Write the output there.")
    if unread:
        cure = "Have them read, and name the reader in reviewed_by."
        yield doubtful(str(pack.folder / "test.jsonl"), f"{unread} test questions {NOT_REVIEWED}", cure)
