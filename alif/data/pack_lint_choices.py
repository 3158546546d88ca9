"""What is wrong in the multiple-choice questions of a pack, choices.jsonl."""

from __future__ import annotations

from collections.abc import Iterator

from alif import sources
from alif.data.lint_finding import Finding, doubtful, wrong
from alif.language import text
from alif.language.pack import Pack
from alif.records import NOT_REVIEWED, Dropped

__all__ = ["lint_choices"]


def lint_choices(pack: Pack) -> Iterator[Finding]:
    """Find rows that cannot be asked, and questions, ids or choices that occur twice."""
    path = pack.folder / "choices.jsonl"
    if not path.is_file():
        return
    places: dict[tuple[str, str], str] = {}
    unread = 0
    for row in sources.read_rows(("pack",), "", *sources.choice_files(pack)):
        checked = row if isinstance(row, Dropped) else sources.missing_choices(row) or row
        if isinstance(checked, Dropped):
            where, _, what = checked.evidence.partition(": ")
            yield wrong(where, what, "Correct or remove that line.")
            continue
        values = checked.values
        question, *choices = (text.fold_text(one, pack) for one in (values["question"], *values["choices"]))
        if len(set(choices)) < len(choices):
            yield wrong(checked.where, "a choice occurs twice", "Each choice needs its own words.")
        for key, value in (("question", question), ("id", checked.id)):
            if (first := places.setdefault((key, value), checked.where)) != checked.where:
                yield wrong(checked.where, f"the {key} is also in {first}", f"Each row needs its own {key}.")
        unread += not values.get("reviewed_by")
    if unread:
        cure = "Have them read, and name the reader in reviewed_by."
        yield doubtful(str(path), f"{unread} questions {NOT_REVIEWED}", cure)
