"""Reviewed rows as JSON Lines that other tools read and write: Argilla's, Label Studio's, Potato's.

    plain         {"id": …, "instruction": …, "output": …, "verdicts": [{"reviewer": …, "decision": …}], …}
    edits         {"id": …, "text": "output", "before": …, "after": …}       one line for each edited text
    argilla       {"id": …, "fields": {…}, "responses": {"decision": [{"user_id": …, "value": "approve"}]}, …}
    label-studio  {"data": {…}, "annotations": [{"completed_by": …, "result": [{"type": "choices", …}]}]}
    potato        {"instance_id": …, "user_id": …, "label_annotations": {"decision": {"approve": "true"}}, …}

Each tool asks the same questions: decision, reasons, note, and new_instruction, new_input, new_output where a
text was edited. Nothing says who wrote a row, and people stand under pseudonyms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

from alif.desk.decisions import Decision
from alif.records import Example
from alif.review.verdicts import TEXTS

__all__ = ["READERS", "WRITERS", "ForeignVerdict", "ReviewedRow"]

Json: TypeAlias = dict[str, Any]
Answers: TypeAlias = dict[str, str | list[str]]
"""What was answered, by question."""


class ReviewedRow(NamedTuple):
    """A row with what people decided on it."""

    row: Example
    verdicts: list[tuple[str, Decision]]
    """Each with the pseudonym of who gave it."""
    final: Decision | None
    """A lead's."""
    state: str
    guide: str
    """Version of the guide that reviewers read."""


class ForeignVerdict(NamedTuple):
    """What somebody decided in another tool."""

    item_id: str
    reviewer: str
    sent: Json


def write_plain(one: ReviewedRow) -> Iterator[Json]:
    """Yield a row with its verdicts, as a person reads it."""
    given = [
        {"reviewer": name, "edited": bool(verdict["texts"]), **verdict} for name, verdict in one.verdicts
    ]
    final = {name: value for name, value in (one.final or {}).items() if name != "name"} or None
    yield {**_fields(one), "state": one.state, "verdicts": given, "final": final}


def write_edits(one: ReviewedRow) -> Iterator[Json]:
    """Yield what each edit changed, before and after."""
    for name, verdict in one.verdicts:
        for text, after in verdict["texts"].items():
            before = getattr(one.row, text)
            yield {"id": one.row.id, "task": one.row.task, "reviewer": name, "text": text, "before": before,
                   "after": after, "guide": one.guide}  # fmt: skip


def write_argilla(one: ReviewedRow) -> Iterator[Json]:
    """Yield one record, as `dataset.records.to_json` has it."""
    fields = _fields(one)
    responses: dict[str, list[Json]] = {}
    for name, verdict in one.verdicts:
        for question, value in _answers(verdict).items():
            responses.setdefault(question, []).append({"user_id": name, "value": value})
    told = {name: fields.pop(name) for name in ("task", "language", "guide")}
    yield {"id": fields.pop("id"), "fields": fields, "metadata": told, "suggestions": {}, "vectors": {},
           "responses": responses, "status": "completed" if one.state != "open" else "pending"}  # fmt: skip


def read_argilla(record: Json) -> Iterator[ForeignVerdict]:
    """Yield the verdicts of a record, one a user."""
    by_user: dict[str, Answers] = {}
    for question, answers in (record.get("responses") or {}).items():
        for one in answers:
            by_user.setdefault(str(one["user_id"]), {})[question] = one["value"]
    for user, given in by_user.items():
        yield ForeignVerdict(str(record["id"]), user, _as_verdict(given))


def write_label_studio(one: ReviewedRow) -> Iterator[Json]:
    """Yield one task with its annotations."""
    annotations = []
    for name, verdict in one.verdicts:
        result = []
        for question, answer in _answers(verdict).items():
            kind = ("choices", "choices") if question in ("decision", "reasons") else ("textarea", "text")
            value = {kind[1]: [answer] if isinstance(answer, str) else answer}
            result.append({"from_name": question, "to_name": "output", "type": kind[0], "value": value})
        by = {"completed_by": {"email": name}, "lead_time": verdict["dwell_ms"] / 1000}
        annotations.append({**by, "was_cancelled": False, "result": result})
    yield {"data": _fields(one), "annotations": annotations}


def read_label_studio(record: Json) -> Iterator[ForeignVerdict]:
    """Yield the verdicts of a task that were not cancelled."""
    for one in record.get("annotations") or []:
        by = one["completed_by"]
        user = (by.get("email") or by.get("username") or by.get("id")) if isinstance(by, dict) else by
        answers: Answers = {}
        for result in one["result"]:
            value = result["value"]
            answers[result["from_name"]] = value.get("choices") or value["text"]
        if not one.get("was_cancelled"):
            yield ForeignVerdict(
                str(record["data"]["id"]), str(user), _as_verdict(answers, one.get("lead_time"))
            )


def write_potato(one: ReviewedRow) -> Iterator[Json]:
    """Yield a line for each verdict, or one for a row that nobody has read."""
    shown = "\n\n".join(filter(None, (getattr(one.row, name) for name in TEXTS)))
    line = {**_fields(one), "instance_id": one.row.id, "displayed_text": shown}
    if not one.verdicts:
        yield {**line, "user_id": "", "label_annotations": {}, "span_annotations": {}, "behavioral_data": {}}
    for name, verdict in one.verdicts:
        labels = {
            question: {"text_box": value} if isinstance(value, str) else dict.fromkeys(value, "true")
            for question, value in _answers(verdict).items()
        }
        labels["decision"] = {verdict["decision"]: "true"}
        yield {**line, "user_id": name, "label_annotations": labels, "span_annotations": {},
               "behavioral_data": {"time_spent": verdict["dwell_ms"] / 1000}}  # fmt: skip


def read_potato(record: Json) -> Iterator[ForeignVerdict]:
    """Yield the verdict of a line."""
    answers: Answers = {}
    for question, labels in (record.get("label_annotations") or {}).items():
        chosen = [name for name, value in labels.items() if value in ("true", True)]
        answers[question] = labels.get("text_box", chosen)
    if answers.get("decision"):
        item_id = record.get("instance_id") or record["id"]
        spent = (record.get("behavioral_data") or {}).get("time_spent")
        yield ForeignVerdict(str(item_id), str(record["user_id"]), _as_verdict(answers, spent))


Writer = Callable[[ReviewedRow], Iterator[Json]]
WRITERS: Mapping[str, Writer] = {
    "plain": write_plain,
    "edits": write_edits,
    "argilla": write_argilla,
    "label-studio": write_label_studio,
    "potato": write_potato,
}
READERS = {"argilla": read_argilla, "label-studio": read_label_studio, "potato": read_potato}
"""Read one record of a tool. What is not as it should be raises KeyError, TypeError, ValueError or
AttributeError."""


def _fields(one: ReviewedRow) -> Json:
    row = one.row
    turns = {"turns": "\n\n".join(f"{turn.role}: {turn.content}" for turn in row.turns)} if row.turns else {}
    texts = {name: getattr(row, name) for name in TEXTS}
    return {"id": row.id, **turns, **texts, "task": row.task, "language": row.language, "guide": one.guide}


def _answers(verdict: Decision) -> Answers:
    """Return what was answered to each question; questions without an answer are left out."""
    answers: Answers = {"decision": verdict["decision"], "reasons": verdict["reasons"]}
    answers |= {f"new_{name}": text for name, text in verdict["texts"].items()} | {"note": verdict["note"]}
    return {question: answer for question, answer in answers.items() if answer}


def _as_verdict(answers: Answers, seconds: float | None = None) -> Json:
    """Return a verdict as a browser would send it."""

    def text(question: str) -> str:
        found = answers.get(question) or ""
        return found if isinstance(found, str) else "\n".join(found)

    texts = {name: text(f"new_{name}") for name in TEXTS if answers.get(f"new_{name}")}
    return {"decision": text("decision"), "reasons": answers.get("reasons") or [], "texts": texts,
            "note": text("note"), "dwell_ms": round(float(seconds or 0) * 1000)}  # fmt: skip
