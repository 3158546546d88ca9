"""The body and the path of a request in each provider's protocol.

openai       POST /chat/completions                      any OpenAI-compatible server
azure        POST /deployments/MODEL/chat/completions    the same body; `model` is the deployment's name
anthropic    POST /v1/messages                           the system message is a field of its own

A reply says itself which protocol it is in: see `parse`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pydantic import JsonValue

from alif.llm import endpoint
from alif.records import Message
from alif.settings import Endpoint, Teacher

__all__ = [
    "needs_no_system_role", "request_body", "request_path", "sent_messages", "stream_fields",
    "suggest_setting",
]  # fmt: skip

_NO_SYSTEM_ROLE = re.compile(
    r"system\b.{0,40}(\bnot\b|n't|\bun)\s?(support|allow|accept|enabl)|not support.{0,30}\bsystem"
    r"|only.{0,20}user.{0,20}assistant|roles must alternate|developer instruction is not",
    re.IGNORECASE,
)
"""Gemma 1 and 2, Mistral 0.1 and others by their chat templates; Gemma at Google; o1-preview."""
_STREAMS_ONLY = re.compile(
    r"(only|must|need|require|enable|non)\b.{0,40}\bstream|\bstream\w*\b.{0,30}(only|must|required|true)",
    re.IGNORECASE,
)
"""DashScope: "This model only support stream mode, please enable the stream parameter"."""


def request_path(teacher: Teacher) -> str:
    """Return the path of a request, below the endpoint's base URL."""
    protocol = endpoint.protocol_of(teacher)
    if protocol == "azure":
        return f"/deployments/{endpoint.deployment_name(teacher)}/chat/completions"
    return "/v1/messages" if protocol == "anthropic" else "/chat/completions"


def request_body(teacher: Teacher, messages: Sequence[Message]) -> dict[str, JsonValue]:
    """Return the body of a request; a live one says `stream` too, see `stream_fields`."""
    messages = sent_messages(teacher, messages)
    turns: list[dict[str, JsonValue]] = [message.model_dump() for message in messages]
    protocol = endpoint.protocol_of(teacher)
    body: dict[str, JsonValue] = {"model": teacher.model}
    if protocol == "anthropic":
        body |= {"max_tokens": teacher.max_tokens, "messages": [t for t in turns if t["role"] != "system"]}
        if system := "\n\n".join(message.content for message in messages if message.role == "system"):
            body["system"] = system
    else:
        body |= {"messages": list(turns), _limit_field(teacher): teacher.max_tokens}
    if protocol != "anthropic" or teacher.temperature != 1.0:  # the only value that some of theirs take
        body["temperature"] = teacher.temperature
    return body | dict(teacher.extra)


def sent_messages(teacher: Teacher, messages: Sequence[Message]) -> Sequence[Message]:
    """Return messages as the model takes them: without `system_role`, its text stands before the user's."""
    system = [message.content for message in messages if message.role == "system"]
    if teacher.system_role or not system:
        return messages
    turns = [message for message in messages if message.role != "system"]
    place = next((number for number, turn in enumerate(turns) if turn.role == "user"), 0)
    content = "\n\n".join([*system, *(turn.content for turn in turns[place : place + 1])])
    return [*turns[:place], Message(role="user", content=content), *turns[place + 1 :]]


def stream_fields(teacher: Teacher) -> dict[str, JsonValue]:
    """Return what a live request says about streaming: the usage comes with its last piece."""
    if not teacher.stream:
        return {"stream": False}
    options: dict[str, JsonValue] = {"stream_options": {"include_usage": True}}
    return {"stream": True, **({} if endpoint.protocol_of(teacher) == "anthropic" else options)}


def needs_no_system_role(words: str) -> bool:
    """Tell whether a refusal says that the model takes no system message; some say it with a 500."""
    return _NO_SYSTEM_ROLE.search(words) is not None


def suggest_setting(key: str, teacher: Endpoint, words: str) -> str:
    """Return which setting of the recipe's table `key` answers a provider's words, "" where none is known."""
    if teacher.system_role and needs_no_system_role(words):
        return f"The model takes no system message: write {key}.system_role = false."
    if "max_completion_tokens" in words:
        other = {"max_tokens": "max_completion_tokens"}.get(_limit_field(teacher), "max_tokens")
        return (
            f'The server has another name for the bound of a reply: write {key}.max_tokens_field = "{other}".'
        )
    if not teacher.stream and _STREAMS_ONLY.search(words):
        return f"The model sends replies in pieces only: write {key}.stream = true."
    field = next((name for name in teacher.extra if name in words), "")
    return f"Check {key}.extra.{field}." if field else ""


def _limit_field(teacher: Endpoint) -> str:
    if teacher.max_tokens_field != "auto":
        return teacher.max_tokens_field
    return "max_completion_tokens" if endpoint.serves_openai(teacher) else "max_tokens"
