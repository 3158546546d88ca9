"""What a judge answers: a verdict on two answers, or a yes or no for each point of a rubric.

    Reason: A names the river, B another one.         {"reason": "…", "verdicts": ["A"]}
    Verdict: A
    1: yes                                            {"reason": "…", "verdicts": ["yes", "no"]}
    2: no

Both forms are read from every judge, whatever it was asked for. The words are the same in all languages, so
that a verdict is read by no translation. Prose is no verdict, and neither are two verdicts that differ.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from pydantic import JsonValue

from alif.language.replies.reply_cleanup import strip_thinking
from alif.strict_json import parse_json

__all__ = ["VERDICTS", "VERDICT_SCHEMA", "read_points", "read_reason", "read_verdict", "verdict_form"]

VERDICTS = ("A", "B", "tie")
POINTS = ("yes", "no")
VERDICT_SCHEMA: Mapping[str, JsonValue] = {
    "type": "json_schema",
    "json_schema": {
        "name": "judgement",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {
                "reason": {"type": "string"},
                "verdicts": {"type": "array", "items": {"type": "string", "enum": [*VERDICTS, *POINTS]}},
            },
            "required": ["reason", "verdicts"],
            "additionalProperties": False,
        },
    },
}
"""The field `response_format` of a request, in OpenAI's protocol; one for both kinds of question."""
MAX_REASON_CHARS = 500
_MARKS = r"[- \t*_`>#\"'\[\](){}<]*"
_VERDICT = re.compile(
    rf"^{_MARKS}verdict{_MARKS}[:：]{_MARKS}(?:answer[ \t]+)?(A|B|tie){_MARKS}[.۔।]?{_MARKS}$",
    re.IGNORECASE | re.MULTILINE,
)
_POINT = re.compile(
    rf"^{_MARKS}([0-9]{{1,2}}){_MARKS}[:：.)]{_MARKS}(yes|no){_MARKS}[.۔।]?{_MARKS}$",
    re.IGNORECASE | re.MULTILINE,
)
_REASON = re.compile(rf"^{_MARKS}reason{_MARKS}[:：][ \t]*(.+)$", re.IGNORECASE | re.MULTILINE)
_FENCED = re.compile(r"```(?:json)?\s*(\{.*\})\s*```", re.DOTALL)


def verdict_form(points: int, *, json: bool) -> str:
    """Return the form in which a judge is to answer: a verdict, or for `points` a yes or no each."""
    choices = [f"<{' | '.join(POINTS if points else VERDICTS)}>"] * (points or 1)
    if json:
        return '{"reason": "<…>", "verdicts": [' + ", ".join(f'"{one}"' for one in choices) + "]}"
    if points:
        return "\n".join(f"{number}: {one}" for number, one in enumerate(choices, 1))
    return f"Reason: <…>\nVerdict: {choices[0]}"


def read_verdict(reply: str) -> str | None:
    """Return the one verdict of a reply, one of `VERDICTS`; None where it has none, or two that differ."""
    found = _read_json(reply)
    words = found[1] if found else _VERDICT.findall(strip_thinking(reply)[0])
    verdicts = {name for word in words for name in VERDICTS if word.casefold() == name.casefold()}
    return verdicts.pop() if len(verdicts) == 1 and len(words) >= 1 else None


def read_points(reply: str, points: int) -> tuple[bool, ...] | None:
    """Return whether each point is met; None where the reply does not say it of every point, once."""
    found = _read_json(reply)
    if found:
        answers = dict(enumerate(found[1], 1))
    else:
        pairs = {(int(number), word) for number, word in _POINT.findall(strip_thinking(reply)[0])}
        answers = dict(pairs)
        if len(answers) < len(pairs):
            return None
    marks = {number: word.casefold() for number, word in answers.items()}
    if set(marks) != set(range(1, points + 1)) or not set(marks.values()) <= set(POINTS):
        return None
    return tuple(marks[number] == POINTS[0] for number in range(1, points + 1))


def read_reason(reply: str) -> str:
    """Return the reason that a reply gives, or its beginning where it gives none."""
    found = _read_json(reply)
    text = strip_thinking(reply[: 100 * MAX_REASON_CHARS])[0]
    line = _REASON.search(text)
    return (found[0] if found else line[1] if line else text).strip()[:MAX_REASON_CHARS]


def _read_json(reply: str) -> tuple[str, list[str]] | None:
    """Return reason and verdicts of a reply that is a JSON object of ours."""
    text = strip_thinking(reply)[0].strip()
    fenced = _FENCED.fullmatch(text)
    try:
        value = parse_json(fenced[1] if fenced else text) if text.startswith(("{", "```")) else None
    except ValueError:
        return None
    if not isinstance(value, dict):
        return None
    verdicts = value.get("verdicts", value.get("verdict"))
    words = [verdicts] if isinstance(verdicts, str) else verdicts
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        return None
    return str(value.get("reason", "")), words
