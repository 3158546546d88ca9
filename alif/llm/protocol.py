"""The body and the path of a request in each provider's protocol.

openai       POST /chat/completions                      any OpenAI-compatible server
azure        POST /deployments/MODEL/chat/completions    the same body; `model` is the deployment's name
anthropic    POST /v1/messages                           the system message is a field of its own

A reply says itself which protocol it is in: see `parse`.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import JsonValue

from alif.llm import endpoint
from alif.records import Message
from alif.settings import Teacher

__all__ = ["request_body", "request_path", "sent_messages", "stream_fields"]


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
        limit = "max_completion_tokens" if endpoint.serves_openai(teacher) else "max_tokens"
        limit = limit if teacher.max_tokens_field == "auto" else teacher.max_tokens_field
        body |= {"messages": list(turns), limit: teacher.max_tokens}
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
