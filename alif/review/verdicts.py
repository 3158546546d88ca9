"""Human review by files: sampled rows go out, verdicts come in, and the run waits in between.

    runs/NAME/review_requests.jsonl  sampled Examples that still need a verdict
    runs/NAME/review/edits.jsonl  answers before and after an edit, as preference pairs
    runs/NAME/verdicts.jsonl     {"id": "5b0f…", "decision": "reject", "reviewer": "Amna", "reason": "fact"}

With `review.lot_rows` unread rows are accepted or dropped by lots (`lots`); else they pass unread. All
verdicts on one row must agree; where reviewers differ, the row waits for a lead's decision: a line with
`"final": true`, which counts alone. `alif desk` writes the file from a browser. An edit is normalised as a
teacher's row is, so that what a keyboard adds (NUL, marks of direction, trailing spaces) neither reaches the
training data nor makes two equal edits differ.
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
from alif.records import Dropped, Example, PreferencePair, Verdict
from alif.review.lots import apply_lot, count_lots, draw_lots
from alif.runs import StepContext

__all__ = [
    "REASONS", "TEXTS", "VERDICTS", "PlacedVerdict", "check_verdict", "read_verdicts", "review_rows",
    "verdicts_path",
]  # fmt: skip

VERDICTS = "verdicts.jsonl"
"""Where people put their verdicts, in the run's folder."""
EDITS = "edits.jsonl"
"""Answers that reviewers edited beside what stood there, in the step's folder: pairs that another run's
`pairs.source` may name. Rows with another prompt too are in no pair; their ids name the row before."""
REASONS = (
    "grammar", "fact", "ethics", "culture", "instruction", "translationese", "incomplete", "language",
    "other",
)  # fmt: skip
"""Why a row can be rejected. Source: Alif, arXiv 2510.09051 (grammar, factual errors, unethical content), and
what its readers look for beside: culturally off, not what was asked, worded as a translation, cut off."""
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

    def describe(self) -> str:
        """Return who decided what, and where it stands."""
        return f"{self.verdict.reviewer} says {self.verdict.decision} ({self.where})"


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
    if path and (review.share > 0 or review.lot_rows or review.verdicts):
        packs = {pack.code: pack for pack in map(load_pack, (language.source, language.pack))}
        verdicts = read_verdicts(path, {row.id: packs.get(row.language) for row in rows})
    conflicts = {
        name: "; ".join(one.describe() for one in placed)
        for name, placed in verdicts.items()
        if not placed[0].verdict.final and len({one.decision for one in placed}) > 1
    }
    faulty = {
        name: placed[0].verdict.decision != "approve"
        for name, placed in verdicts.items()
        if len(placed) >= review.reviewers or placed[0].verdict.final
    }
    lots = draw_lots(rows, review)
    judged = {lot.name: lot.judge(faulty, review) for lot in dict.fromkeys(lots.values())}
    count, rng = math.ceil(review.share * len(rows)), sampling.seeded_rng(review.seed, "review")
    sampled = {row.id for row in sampling.sample_rows(rows, count, rng)}
    sampled |= {name for _, drawn in judged.values() for name in drawn}
    unread = sampled - faulty.keys()
    if waiting := [row for row in rows if row.id in unread or row.id in conflicts]:
        store.write_rows(context.requests, waiting)
        told = count_lots([facts for facts, _ in judged.values()])
        raise _waiting(context, review, f"{len(unread)} of {len(sampled)} rows{told}", conflicts)
    context.requests.unlink(missing_ok=True)
    kept: set[str] = set()
    for row in rows:
        result: Example | Dropped = row
        if row.id in verdicts:
            result = _apply_verdicts(row, verdicts[row.id])
        elif lot := lots.get(row.id):
            result = apply_lot(row, judged[lot.name][0])
        if isinstance(result, Example) and result.id in kept:
            result = Dropped(row=result, reason="duplicate", evidence=f"the same as {result.id}")
        if isinstance(result, Example):
            kept.add(result.id)
            output.keep(result)
            if result.output != row.output and (result.instruction, result.input) == (
                row.instruction,
                row.input,
            ):
                output.write(PreferencePair.of(result, row.output), EDITS)
        else:
            output.drop(result)
    decisions = Counter(placed[0].verdict.decision for placed in verdicts.values())
    read = decisions.total()
    counts = {name: decisions[name] for name in ("approve", "edit", "reject")}
    found = tuple(facts for facts, _ in judged.values())
    return ReviewFacts(read=read, unread=len(rows) - read, **counts, lots=found)


def _waiting(
    context: StepContext, review: settings.Review, unread: str, conflicts: Mapping[str, str]
) -> Waiting:
    """Return what people are asked for: verdicts on rows, and a decision where reviewers disagree."""
    people = "one person's verdict" if review.reviewers == 1 else f"verdicts of {review.reviewers} people"
    told = [] if unread.startswith("0 ") else [f"{unread} wait for {people}: {context.requests}"]
    told += [f"row {name}: {said}" for name, said in list(conflicts.items())[:MOST_FAULTS]]
    if len(conflicts) > MOST_FAULTS:
        told.append(f"and {len(conflicts) - MOST_FAULTS} more rows on which reviewers disagree")
    verdict = '{"id": "…", "decision": "approve", "reviewer": "you"'
    hint = (
        f"Read them in a browser: alif desk {context.requests.parent.name}. Or write one line a verdict into "
        f"{review.verdicts or context.requests.with_name(VERDICTS)}: {verdict}}}; decisions are approve, "
        f"edit (with the new texts), reject (with a reason: {', '.join(REASONS)}). Then repeat the command."
    )
    if conflicts:
        hint += f' Where reviewers disagree, a lead\'s line counts alone: {verdict}, "final": true}}.'
    return Waiting("\n".join(told), hint)


def verdicts_path(review: settings.Review, root: Path) -> Path:
    """Return the file of verdicts of the run in `root`."""
    return Path(review.verdicts) if review.verdicts else root / VERDICTS


def read_verdicts(path: Path, packs: Mapping[str, Pack | None]) -> dict[str, list[PlacedVerdict]]:
    """Return the verdicts by row id, one for each reviewer, a final one first; a repeated line counts once.

    Args:
        path: JSON Lines, one verdict a line.
        packs: the id of every row under review, with the pack of its language.

    Raises:
        ReviewError: with every fault of the file, each with path:line.
    """
    found: dict[str, list[PlacedVerdict]] = {}
    faults: list[ReviewError] = []
    refused = False  # two people may disagree: then the row waits for a lead
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
            placed = check_verdict(row, f"{path}:{number}", packs)
        except ReviewError as fault:
            faults.append(fault)
            refused = True
            continue
        earlier = found.setdefault(placed.verdict.id, [])
        final = placed.verdict.final
        for other in earlier:
            if other.verdict.final == final and other.decision != placed.decision:
                refused |= final or other.verdict.reviewer == placed.verdict.reviewer
                message = (
                    f"{placed.where}: {placed.verdict.reviewer} says {placed.verdict.decision}, "
                    f"{other.verdict.reviewer} says {other.verdict.decision} otherwise ({other.where})"
                )
                hint = "Decide together and leave one decision for this row in the file."
                faults.append(ReviewError(message, hint))
                break
        if final and not (earlier and earlier[0].verdict.final):
            earlier.insert(0, placed)
        elif all(other.verdict.reviewer != placed.verdict.reviewer for other in earlier):
            earlier.append(placed)
    if refused:
        listed = [fault.message for fault in faults[:MOST_FAULTS]]
        if len(faults) > MOST_FAULTS:
            listed.append(f"and {len(faults) - MOST_FAULTS} more")
        raise ReviewError("\n".join(listed), faults[0].hint)
    return found


def check_verdict(row: Mapping[str, object], where: str, packs: Mapping[str, Pack | None]) -> PlacedVerdict:
    """Return one verdict with its texts normalised.

    Raises:
        ReviewError: its first fault.
    """
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
    """Return the row as its reviewers left it: all of them agree, or the first verdict is final."""
    verdict = placed[0].verdict
    reviewers = ", ".join(sorted({one.verdict.reviewer for one in placed}))
    if verdict.decision == "reject":
        notes = "; ".join(one.verdict.note for one in placed if one.verdict.note)
        evidence = f"{reviewers}: {notes}" if notes else reviewers
        return Dropped(row=row, reason=f"rejected_{verdict.reason or 'other'}", evidence=evidence)
    origin = row.origin.model_copy(update={"reviewed_by": reviewers})
    texts = {key: text for key, text in zip(TEXTS, placed[0].texts, strict=True) if text is not None}
    return row.edited(**texts, origin=origin) if texts else row.model_copy(update={"origin": origin})
