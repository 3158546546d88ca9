"""What is written to a provider: the body of a request in its protocol, and where it is sent.

openai       POST /chat/completions                              any OpenAI-compatible server
azure        POST /deployments/MODEL/chat/completions            the same body; `model` is the deployment's name
anthropic    POST /v1/messages                                   the system message stands apart

What comes back says itself which protocol it is in: see `reading`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from alif.llm import endpoint
from alif.llm.chat_model import Message
from alif.recipe import Teacher

__all__ = ["request_body", "request_path"]


def request_path(teacher: Teacher) -> str:
    """Return where a request is sent, below the URL of the address."""
    spoken = endpoint.protocol_of(teacher)
    if spoken == "azure":
        return f"/deployments/{endpoint.deployment_name(teacher)}/chat/completions"
    return "/v1/messages" if spoken == "anthropic" else "/chat/completions"


def request_body(teacher: Teacher, messages: Sequence[Message]) -> dict[str, Any]:
    """Return the body of one request."""
    if endpoint.protocol_of(teacher) == "anthropic":
        return _anthropic(teacher, messages)
    return {
        "model": teacher.model,
        "messages": [message.model_dump() for message in messages],
        "temperature": teacher.temperature,
        "max_completion_tokens" if endpoint.serves_openai(teacher) else "max_tokens": teacher.max_tokens,
    }


def _anthropic(teacher: Teacher, messages: Sequence[Message]) -> dict[str, Any]:
    """Return a body for Messages; a temperature of 1, which is the provider's own, is not sent: some models take no other."""
    system = "\n\n".join(message.content for message in messages if message.role == "system")
    found: dict[str, Any] = {
        "model": teacher.model,
        "max_tokens": teacher.max_tokens,
        "messages": [message.model_dump() for message in messages if message.role != "system"],
    }
    if system:
        found["system"] = system
    if teacher.temperature != 1.0:
        found["temperature"] = teacher.temperature
    return found
