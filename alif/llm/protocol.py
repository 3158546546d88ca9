"""The body and the path of a request in each provider's protocol.

openai       POST /chat/completions                              any OpenAI-compatible server azure
POST /deployments/MODEL/chat/completions            the same body; `model` is the deployment's name anthropic
POST /v1/messages                                   the system message is a field of its own

A reply says itself which protocol it is in: see `parse`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from alif.llm import endpoint
from alif.records import Message
from alif.settings import Teacher

__all__ = ["request_body", "request_path"]


def request_path(teacher: Teacher) -> str:
    """Return the path of a request, below the endpoint's base URL."""
    protocol = endpoint.protocol_of(teacher)
    if protocol == "azure":
        return f"/deployments/{endpoint.deployment_name(teacher)}/chat/completions"
    return "/v1/messages" if protocol == "anthropic" else "/chat/completions"


def request_body(teacher: Teacher, messages: Sequence[Message]) -> Mapping[str, JsonValue]:
    """Return the body of a request."""
    turns: list[dict[str, JsonValue]] = [message.model_dump() for message in messages]
    if endpoint.protocol_of(teacher) != "anthropic":
        limit = "max_completion_tokens" if endpoint.serves_openai(teacher) else "max_tokens"
        return {
            "model": teacher.model,
            "messages": list(turns),
            "temperature": teacher.temperature,
            limit: teacher.max_tokens,
        }
    body: dict[str, JsonValue] = {
        "model": teacher.model,
        "max_tokens": teacher.max_tokens,
        "messages": [turn for turn in turns if turn["role"] != "system"],
    }
    if system := "\n\n".join(message.content for message in messages if message.role == "system"):
        body["system"] = system
    if teacher.temperature != 1.0:  # Anthropic's default, and the only value that some models take
        body["temperature"] = teacher.temperature
    return body
