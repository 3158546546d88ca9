"""Which shape a row of published data has, where it has several: a conversation, a triple, a text.

    {"instruction": "…", "input": "", "output": "…", "text": "…"}   a triple: Alpaca's `text` repeats it all
    {"messages": […], "prompt": "…", "text": "…"}                   a conversation
    {"text": "…"}                                                   a text

The shape that says most of the row wins, in every step. An empty cell or list is no shape; an empty answer
beside an instruction is a triple without its output. Where a step reads pairs of answers, `split_pair` does:

    {"prompt": "…", "chosen": "…", "rejected": "…"}             texts: TRL; Intel's `system` and `question`
    {"instruction": "…", "output": "…", "rejected": "…"}        a triple: its output is the chosen answer
    {"prompt": […], "chosen": [answer], "rejected": [answer]}   messages behind a common prompt
    {"chosen": [user, answer], "rejected": [user, answer]}      the prompt in both: UltraFeedback
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

__all__ = ["find_shape", "flatten_instance", "read_field", "split_pair"]

FIELDS = {
    "instruction": ("instruction", "prompt", "question"),
    "input": ("input", "context"),
    "output": ("output", "response", "completion", "answer"),
}
"""The names of instruction, input and output: Alif's, Alpaca's and Dolly's, plain question and answer."""


def find_shape(values: Mapping[str, Any]) -> Literal["conversation", "triple", "text"]:
    """Return how a row is read."""
    if isinstance(turns := values.get("messages") or values.get("conversations"), list) and turns:
        return "conversation"
    answered = any(values.get(key) is not None for key in FIELDS["output"])
    asked = read_field(values, "instruction")
    return "triple" if answered and asked is not None and str(asked).strip() else "text"


def flatten_instance(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row with the first of its `instances` (Self-Instruct's seeds) in place of them."""
    match values.get("instances"):
        case [dict() as first, *_]:
            return {**values, **first}
    return dict(values)


def read_field(values: Mapping[str, Any], field: str) -> Any:
    """Return the first filled cell of a field of a triple, under any of its names; None without one."""
    return next((value for key in FIELDS[field] if (value := values.get(key)) not in (None, "")), None)


def split_pair(values: Mapping[str, Any]) -> tuple[dict[str, Any], str] | str:
    """Return a pair as the row that its chosen answer makes and the rejected answer, or what it lacks."""
    chosen = _as_messages(values["chosen"] if "chosen" in values else read_field(values, "output"))
    rejected = _as_messages(values.get("rejected"))
    if not chosen or not rejected:
        return "a pair needs chosen and rejected, each a text or messages"
    good, bad = (message.get("content", message.get("value")) for message in (chosen[-1], rejected[-1]))
    if not isinstance(good, str) or not isinstance(bad, str):
        return "chosen and rejected need a content that is text"
    if chosen[:-1] != rejected[:-1]:
        return "chosen and rejected answer different prompts"
    row = {key: value for key, value in values.items() if key not in ("chosen", "messages", "conversations")}
    lists = (value for key in ("prompt", "conversations") if isinstance(value := values.get(key), list))
    if before := chosen[:-1] or next(lists, []):
        return {**row, "messages": [*before, chosen[-1]]}, bad
    return {"system_prompt": values.get("system"), **row, "output": good}, bad


def _as_messages(answer: Any) -> list[dict[str, Any]]:
    """Return an answer, a text or one message or several, as messages; none where it is none of them."""
    if isinstance(answer, str):
        return [{"role": "assistant", "content": answer}]
    messages = [answer] if isinstance(answer, Mapping) else answer
    if not isinstance(messages, list) or not all(isinstance(message, Mapping) for message in messages):
        return []
    return [dict(message) for message in messages]
