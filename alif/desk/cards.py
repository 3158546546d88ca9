"""What a reader sees of a row, as JSON for the browser: marked texts, what a machine noticed, the draft.

Nothing says who wrote the row: neither teacher nor source leaves the server.
"""

from __future__ import annotations

from collections.abc import Mapping

from alif.desk.review_slots import Work
from alif.language.bidi import text_direction
from alif.language.marked_text import MarkedParagraph, fix_letters, mark_changes, mark_text
from alif.language.pack import Pack
from alif.records import Example
from alif.review.verdicts import TEXTS

__all__ = ["card_of", "direction_of", "fields_of", "preview_of"]

Packs = Mapping[str, Pack | None]


def fields_of(row: Example, packs: Packs) -> list[dict[str, object]]:
    """Return the texts of a row, each as it is, marked, and with its letters mended where that changes it."""
    pack = packs.get(row.language)
    found: list[dict[str, object]] = []
    for name in TEXTS:
        text = getattr(row, name)
        if text or name != "input":
            fixed = fix_letters(text, pack)
            view = mark_text(text, pack)
            found.append({"name": name, "text": text, "view": view, "fixed": fixed * (fixed != text)})
    return found


def direction_of(row: Example, packs: Packs) -> str:
    """Return the direction of the row's language; its letters decide where no pack is known."""
    pack = packs.get(row.language)
    return pack.direction if pack else text_direction(row.output, "ltr")


def card_of(work: Work, packs: Packs) -> dict[str, object]:
    """Return a claimed row as the browser gets it."""
    row = work["row"]
    pack = packs.get(row.language)
    return {
        "slot": work["slot"],
        "kind": work["kind"],
        "id": row.id,
        "task": row.task,
        "language": row.language,
        "dir": direction_of(row, packs),
        "turns": [{"role": turn.role, "view": mark_text(turn.content, pack)} for turn in row.turns],
        "fields": fields_of(row, packs),
        "flags": work["flags"],
        "draft": work["draft"],
    }


def preview_of(row: Example, texts: Mapping[str, str], packs: Packs) -> dict[str, Mapping[str, object]]:
    """Return texts that somebody is editing as readers will see them, and what they change."""
    pack = packs.get(row.language)

    def preview(name: str, text: str) -> dict[str, list[MarkedParagraph]]:
        return {"view": mark_text(text, pack), "changes": mark_changes(getattr(row, name), text, pack)}

    return {name: preview(name, text) for name, text in texts.items() if name in TEXTS}
