"""Human review by files: sampled rows go out, verdicts come in, and the run waits in between.

    runs/NAME/review_requests.jsonl  sampled Examples that still need a verdict
    runs/NAME/verdicts.jsonl     {"id": "5b0f…", "decision": "reject", "reviewer": "Amna", "reason": "fact"}

All verdicts on one row must agree: where readers differ, people settle it, not a rule. A row that was not
drawn passes unread. Source: human review for grammar, facts and unethical content, Alif, arXiv 2510.09051.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from alif import settings, store
from alif.errors import DataError, ReviewError, Waiting
from alif.facts.review_facts import ReviewFacts
from alif.records import Dropped, Example, Verdict
from alif.runs import StepContext

__all__ = ["REASONS", "VERDICTS", "review_rows"]

VERDICTS = "verdicts.jsonl"
"""Where people put their verdicts, in the run's folder."""
REASONS = ("grammar", "fact", "ethics", "language", "other")
"""Why a row can be rejected. Source: Alif, arXiv 2510.09051 (grammar, factual errors, unethical content)."""
TEXTS = ("instruction", "input", "output")


@dataclass(frozen=True)
class _Placed:
    """A verdict and the line it stands on."""

    verdict: Verdict
    where: str


def review_rows(context: StepContext, review: settings.Review) -> ReviewFacts:
    """Apply people's verdicts to the filtered rows, or pass all rows on where the recipe asks for nobody.

    Raises:
        Waiting: rows are still without enough verdicts; the message names both files.
        ReviewError: a verdict that cannot be read, names no row or contradicts another, with path:line.
    """
    output = context.output
    output.require("examples.jsonl", "dropped.jsonl")
    rows = list(output.read(store.read_models(context.inputs["filter"] / "examples.jsonl", Example)))
    path = context.paths.get("verdicts")
    asked = review.share > 0 or bool(review.verdicts)
    verdicts = _read(path, {row.id for row in rows}) if asked and path else {}
    _await_people(context, review, rows, verdicts)
    kept: set[str] = set()
    for row in rows:
        result = _apply(row, verdicts.get(row.id, []))
        if isinstance(result, Example) and result.id in kept:
            result = Dropped(row=result, reason="duplicate", evidence=f"the same as {result.id}")
        if isinstance(result, Example):
            kept.add(result.id)
            output.keep(result)
        else:
            output.drop(result)
    decisions = Counter(placed[0].verdict.decision for placed in verdicts.values())
    return ReviewFacts(
        read=decisions.total(),
        unread=len(rows) - decisions.total(),
        approve=decisions["approve"],
        edit=decisions["edit"],
        reject=decisions["reject"],
    )


def _read(path: Path, known: Collection[str]) -> dict[str, list[_Placed]]:
    """Return the verdicts by row id, one for each reviewer; a repeated line counts once."""
    found: dict[str, list[_Placed]] = {}
    try:
        lines = [(f"{path}:{number}", row) for number, row in store.read_rows(path)]
    except DataError as error:
        raise ReviewError(error.message, error.hint) from error
    for where, row in lines:
        placed = _Placed(_verdict(row, where), where)
        if placed.verdict.id not in known:
            raise ReviewError(
                f"{where}: no row under review has the id {placed.verdict.id}",
                "Copy ids from review_requests.jsonl, or remove the line.",
            )
        earlier = found.setdefault(placed.verdict.id, [])
        for other in earlier:
            _agree(placed, other)
        if all(other.verdict.reviewer != placed.verdict.reviewer for other in earlier):
            earlier.append(placed)
    return found


def _verdict(row: Mapping[str, object], where: str) -> Verdict:
    try:
        verdict = Verdict.model_validate(row)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ReviewError(
            f'{where}: "{key}": {first["msg"]}',
            "A verdict needs id, decision (approve, edit, reject) and reviewer.",
        ) from error
    texts = [getattr(verdict, key) for key in TEXTS]
    if not verdict.reviewer.strip():
        raise ReviewError(f'{where}: "reviewer" is empty', "Say who read the row.")
    if verdict.decision == "edit" and all(text is None for text in texts):
        raise ReviewError(
            f"{where}: an edit without a text", f"Give the new {', '.join(TEXTS)}, or approve the row."
        )
    if verdict.decision != "edit" and any(text is not None for text in texts):
        raise ReviewError(
            f"{where}: {verdict.decision} with a new text", 'Make it "edit", or leave the texts out.'
        )
    if verdict.decision == "edit" and "" in (texts[0], texts[2]):
        raise ReviewError(f"{where}: an edit may not empty instruction or output", "Reject the row instead.")
    if verdict.reason and verdict.reason not in REASONS:
        raise ReviewError(f"{where}: no such reason: {verdict.reason}", f"Reasons: {', '.join(REASONS)}.")
    return verdict


def _agree(one: _Placed, other: _Placed) -> None:
    def decision(placed: _Placed) -> tuple[object, ...]:
        return (placed.verdict.decision, *(getattr(placed.verdict, key) for key in TEXTS))

    if decision(one) != decision(other):
        raise ReviewError(
            f"{one.where}: {one.verdict.reviewer} says {one.verdict.decision}, {other.verdict.reviewer} says "
            f"{other.verdict.decision} otherwise ({other.where})",
            "Decide together and leave one decision for this row in the file.",
        )


def _await_people(
    context: StepContext,
    review: settings.Review,
    rows: Sequence[Example],
    verdicts: Mapping[str, list[_Placed]],
) -> None:
    """Write the sampled rows that still lack verdicts and wait; once there are none, take the file away."""
    rng = random.Random(f"{review.seed}/review")
    sampled = rng.sample(range(len(rows)), math.ceil(review.share * len(rows)))
    waiting = [
        rows[index] for index in sorted(sampled) if len(verdicts.get(rows[index].id, [])) < review.reviewers
    ]
    if not waiting:
        context.requests.unlink(missing_ok=True)
        return
    store.write_rows(context.requests, waiting)
    people = "one person's verdict" if review.reviewers == 1 else f"verdicts of {review.reviewers} people"
    path = review.verdicts or context.requests.with_name(VERDICTS)
    raise Waiting(
        f"{len(waiting)} of {len(sampled)} rows wait for {people}: {context.requests}",
        f'Write one line a verdict into {path}: {{"id": "…", "decision": "approve", "reviewer": "you"}}; '
        "decisions are approve, edit (with the new texts) and reject (with a reason: "
        f"{', '.join(REASONS)}). Then repeat the command.",
    )


def _apply(row: Example, placed: Sequence[_Placed]) -> Example | Dropped:
    if not placed:
        return row
    verdict = placed[0].verdict
    readers = ", ".join(sorted(one.verdict.reviewer for one in placed))
    if verdict.decision == "reject":
        notes = "; ".join(one.verdict.note for one in placed if one.verdict.note)
        return Dropped(
            row=row,
            reason=f"rejected_{verdict.reason or 'other'}",
            evidence=f"{readers}: {notes}" if notes else readers,
        )
    origin = row.origin.model_copy(update={"reviewed_by": readers})
    texts = {key: getattr(verdict, key) for key in TEXTS if getattr(verdict, key) is not None}
    return row.edited(**texts, origin=origin) if texts else row.model_copy(update={"origin": origin})
