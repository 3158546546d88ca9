"""Human review by files: sampled rows go out, verdicts come in, and the run waits in between.

    runs/NAME/review_requests.jsonl  sampled Examples that still need a verdict
    runs/NAME/verdicts.jsonl     {"id": "5b0f…", "decision": "reject", "reviewer": "Amna", "reason": "fact"}

All verdicts on one row must agree; where reviewers differ, people decide, not a rule. A row that was not
sampled passes unread. An edit is normalised as a teacher's row is, so that what a keyboard adds (NUL, marks
of direction, trailing spaces) neither reaches the training data nor makes two equal edits differ.
Source: human review for grammar, facts and unethical content, Alif, arXiv 2510.09051.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from alif import sampling, settings, store
from alif.errors import DataError, ReviewError, Waiting
from alif.facts.review_facts import ReviewFacts
from alif.language.pack import Pack, load_pack
from alif.language.text import normalise_text
from alif.records import Dropped, Example, Verdict
from alif.runs import StepContext

__all__ = ["REASONS", "VERDICTS", "read_verdicts", "review_rows"]

VERDICTS = "verdicts.jsonl"
"""Where people put their verdicts, in the run's folder."""
REASONS = ("grammar", "fact", "ethics", "language", "other")
"""Why a row can be rejected. Source: Alif, arXiv 2510.09051 (grammar, factual errors, unethical content)."""
TEXTS = ("instruction", "input", "output")
MOST_FAULTS = 20
"""Faults of a verdict file that one message lists."""


@dataclass(frozen=True)
class PlacedVerdict:
    """A verdict with the line it stands on and its edited texts, normalised; None: as in the row."""

    verdict: Verdict
    where: str
    texts: tuple[str | None, ...]

    @property
    def decision(self) -> tuple[str | None, ...]:
        return (self.verdict.decision, *self.texts)


def review_rows(context: StepContext, language: settings.Language, review: settings.Review) -> ReviewFacts:
    """Apply people's verdicts to the filtered rows, or pass all rows on where the recipe asks for nobody.

    Raises:
        Waiting: rows are still without enough verdicts; the message names both files.
        ReviewError: verdicts that cannot be read, name no row or contradict others, each with path:line.
    """
    output = context.output
    output.require("examples.jsonl", "dropped.jsonl")
    rows = list(output.read(store.read_models(context.inputs["filter"] / "examples.jsonl", Example)))
    path = context.paths.get("verdicts")
    verdicts: dict[str, list[PlacedVerdict]] = {}
    if path and (review.share > 0 or review.verdicts):
        packs = {pack.code: pack for pack in map(load_pack, (language.source, language.pack))}
        verdicts = read_verdicts(path, {row.id: packs.get(row.language) for row in rows})
    count, rng = math.ceil(review.share * len(rows)), sampling.seeded_rng(review.seed, "review")
    sampled = sampling.sample_rows(rows, count, rng)
    waiting = [row for row in sampled if len(verdicts.get(row.id, ())) < review.reviewers]
    if waiting:
        store.write_rows(context.requests, waiting)
        people = "one person's verdict" if review.reviewers == 1 else f"verdicts of {review.reviewers} people"
        raise Waiting(
            f"{len(waiting)} of {len(sampled)} rows wait for {people}: {context.requests}",
            f"Write one line a verdict into {review.verdicts or context.requests.with_name(VERDICTS)}: "
            '{"id": "…", "decision": "approve", "reviewer": "you"}; '
            "decisions are approve, edit (with the new texts) and reject (with a reason: "
            f"{', '.join(REASONS)}). Then repeat the command.",
        )
    context.requests.unlink(missing_ok=True)
    kept: set[str] = set()
    for row in rows:
        result = _apply_verdicts(row, verdicts[row.id]) if row.id in verdicts else row
        if isinstance(result, Example) and result.id in kept:
            result = Dropped(row=result, reason="duplicate", evidence=f"the same as {result.id}")
        if isinstance(result, Example):
            kept.add(result.id)
            output.keep(result)
        else:
            output.drop(result)
    decisions = Counter(placed[0].verdict.decision for placed in verdicts.values())
    read = decisions.total()
    counts = {name: decisions[name] for name in ("approve", "edit", "reject")}
    return ReviewFacts(read=read, unread=len(rows) - read, **counts)


def read_verdicts(path: Path, packs: Mapping[str, Pack | None]) -> dict[str, list[PlacedVerdict]]:
    """Return the verdicts by row id, one for each reviewer; a repeated line counts once.

    Args:
        path: JSON Lines, one verdict a line.
        packs: the id of every row under review, with the pack of its language.

    Raises:
        ReviewError: with every fault of the file, each with path:line.
    """
    found: dict[str, list[PlacedVerdict]] = {}
    faults: list[ReviewError] = []
    try:
        lines = list(store.read_rows(path))
    except DataError as error:
        is_read = "not JSON" in error.message  # else the file may not be one
        is_table = is_read and path.read_bytes().lstrip(b'\xef\xbb\xbf "').startswith(b"id")  # its header
        hint = "A verdict file is JSON Lines: save the table as one JSON object a line."
        raise ReviewError(
            f"{error.message}{', but a CSV table' if is_table else ''}", hint if is_table else error.hint
        ) from error
    for number, row in lines:
        try:
            placed = _check_verdict(row, f"{path}:{number}", packs)
            earlier = found.setdefault(placed.verdict.id, [])
            for other in earlier:
                if placed.decision != other.decision:
                    raise ReviewError(
                        f"{placed.where}: {placed.verdict.reviewer} says {placed.verdict.decision}, "
                        f"{other.verdict.reviewer} says {other.verdict.decision} otherwise ({other.where})",
                        "Decide together and leave one decision for this row in the file.",
                    )
        except ReviewError as fault:
            faults.append(fault)
            continue
        if all(other.verdict.reviewer != placed.verdict.reviewer for other in earlier):
            earlier.append(placed)
    if faults:
        listed = [fault.message for fault in faults[:MOST_FAULTS]]
        if len(faults) > MOST_FAULTS:
            listed.append(f"and {len(faults) - MOST_FAULTS} more")
        raise ReviewError("\n".join(listed), faults[0].hint)
    return found


def _check_verdict(row: Mapping[str, object], where: str, packs: Mapping[str, Pack | None]) -> PlacedVerdict:
    """Return one verdict with its texts normalised, or raise its first fault."""
    decision = row.get("decision")
    if isinstance(decision, str):
        row = {**row, "decision": decision.strip().casefold()}
    try:
        verdict = Verdict.model_validate(row)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        needs = "A verdict needs id, decision (approve, edit, reject) and reviewer."
        raise ReviewError(f'{where}: "{key}": {first["msg"]}', needs) from error
    if verdict.id not in packs:
        raise ReviewError(
            f"{where}: no row under review has the id {verdict.id}",
            "Copy ids from review_requests.jsonl, or remove the line.",
        )
    pack = packs[verdict.id]
    given = (getattr(verdict, key) for key in TEXTS)
    texts = tuple(
        None if text is None else (normalise_text(text, pack) if pack else text).strip() for text in given
    )
    edited = any(text is not None for text in texts)
    if not verdict.reviewer.strip():
        raise ReviewError(f'{where}: "reviewer" is empty', "Say who read the row.")
    if verdict.decision == "edit" and not edited:
        hint = f"Give the new {', '.join(TEXTS)}, or approve the row."
        raise ReviewError(f"{where}: an edit without a text", hint)
    if verdict.decision != "edit" and edited:
        hint = 'Make it "edit", or leave the texts out.'
        raise ReviewError(f"{where}: {verdict.decision} with a new text", hint)
    if "" in (texts[0], texts[2]):
        raise ReviewError(f"{where}: an edit may not empty instruction or output", "Reject the row instead.")
    if verdict.reason and verdict.reason not in REASONS:
        raise ReviewError(f"{where}: no such reason: {verdict.reason}", f"Reasons: {', '.join(REASONS)}.")
    return PlacedVerdict(verdict, where, texts)


def _apply_verdicts(row: Example, placed: Sequence[PlacedVerdict]) -> Example | Dropped:
    """Return the row as its reviewers left it; all of them agree."""
    verdict = placed[0].verdict
    reviewers = ", ".join(sorted(one.verdict.reviewer for one in placed))
    if verdict.decision == "reject":
        notes = "; ".join(one.verdict.note for one in placed if one.verdict.note)
        evidence = f"{reviewers}: {notes}" if notes else reviewers
        return Dropped(row=row, reason=f"rejected_{verdict.reason or 'other'}", evidence=evidence)
    origin = row.origin.model_copy(update={"reviewed_by": reviewers})
    texts = {key: text for key, text in zip(TEXTS, placed[0].texts, strict=True) if text is not None}
    return row.edited(**texts, origin=origin) if texts else row.model_copy(update={"origin": origin})
