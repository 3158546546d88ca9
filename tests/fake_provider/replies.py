"""What the fake provider sends, in the protocol in which it was asked: whole replies and refusals.

The same request gets the same bytes, and tokens are counted by one rule in both protocols.
"""

from __future__ import annotations

import hashlib
import json
import sys
from typing import Any

from alif.llm.chat_model import ScriptedReply
from alif.records import Message

__all__ = ["completion", "counted", "error", "is_anthropic", "messages", "named", "tokens"]

BYTES_PER_TOKEN = 4
"""How this server counts tokens: UTF-8 bytes, about what GPT-4o's tokenizer makes of Urdu."""
HUGE_BYTES = 1_000_000
STOP_REASONS = {"stop": "end_turn", "length": "max_tokens", "content_filter": "refusal"}


def is_anthropic(path: str) -> bool:
    """Tell whether a path belongs to Anthropic's protocol."""
    return path.startswith("/v1/messages")


def named(body: dict[str, Any], draw: int) -> str:
    """Return the name of a reply, made of everything that decides it."""
    return hashlib.sha256(json.dumps([body, draw], sort_keys=True).encode()).hexdigest()[:24]


def messages(body: dict[str, Any]) -> list[Message]:
    """Return the messages of a request in either protocol."""
    system = [{"role": "system", "content": body["system"]}] if "system" in body else []
    return [Message.model_validate(message) for message in (*system, *body["messages"])]


def error(message: str, code: str) -> dict[str, Any]:
    """Return a refusal's body; both protocols understand it."""
    return {"type": "error", "error": {"message": message, "type": code, "code": code}}


def completion(
    name: str, body: dict[str, Any], reply: ScriptedReply, fault: str, anthropic: bool = False
) -> dict[str, Any]:
    """Return a whole reply, cut off at the request's max_tokens as real servers do."""
    most = body.get("max_tokens") or body.get("max_completion_tokens") or sys.maxsize
    text, finish = reply.text, reply.finish
    if tokens(text) > most:
        text = text.encode()[: most * BYTES_PER_TOKEN].decode("utf-8", "ignore")
        finish = "length"
    tokens_in, tokens_out = sum(tokens(message.content) + 4 for message in messages(body)), tokens(text)
    model = f"{body['model']}-of-another-name" if fault == "misnamed" else body["model"]
    text += {"huge": "\n" + " " * HUGE_BYTES, "nul": "\x00", "surrogate": "\ud83d"}.get(fault, "")
    if anthropic:
        return {
            "id": f"msg_{name}",
            "type": "message",
            "role": "assistant",
            "model": model,
            "content": [{"type": "text", "text": text}],
            "stop_reason": STOP_REASONS.get(finish, finish),
            "stop_sequence": None,
            "usage": {"input_tokens": tokens_in, "output_tokens": tokens_out},
        }
    return {
        "id": f"chatcmpl-{name}",
        "object": "chat.completion",
        "created": 0,
        "model": model,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish}],
        "usage": {
            "prompt_tokens": tokens_in,
            "completion_tokens": tokens_out,
            "total_tokens": tokens_in + tokens_out,
        },
    }


def counted(content: dict[str, Any]) -> tuple[int, int]:
    """Return the tokens of a reply, in and out."""
    usage = content["usage"]
    if "input_tokens" in usage:
        return usage["input_tokens"], usage["output_tokens"]
    return usage["prompt_tokens"], usage["completion_tokens"]


def tokens(text: str) -> int:
    """Count the tokens of a text."""
    return -(-len(text.encode()) // BYTES_PER_TOKEN)
