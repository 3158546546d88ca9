"""A conversation by messages: with a GGUF file by llama.cpp in this process, or with a server at an address.

Neither needs torch: `pip install alif-llm llama-cpp-python` can talk to what `alif export --to gguf` wrote.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alif.errors import DataError, MissingExtra, ModelError
from alif.records import Message
from alif.strict_json import parse_json

__all__ = ["MessageConversation", "open_messages"]

CONTEXT = 2048
"""Tokens that a GGUF file is opened for: every base of ours reads as many."""
TIMEOUT_S = 600.0
Answer = Callable[[Sequence[Message], int], str]


@dataclass
class MessageConversation:
    """The turns so far, as `Conversation` has them."""

    answer: Answer
    """Returns the answer to messages, of at most so many tokens."""
    system: str = ""
    max_new_tokens: int = 256
    turns: list[Message] = field(default_factory=list)

    def ask(self, question: str) -> str:
        """Return the answer to `question` and remember both.

        Raises:
            ModelError: the server or llama.cpp refuses, as where the question is too long.
        """
        first = [Message(role="system", content=self.system)] if self.system else []
        asked = Message(role="user", content=question)
        text = self.answer([*first, *self.turns, asked], self.max_new_tokens).strip()
        self.turns += [asked, Message(role="assistant", content=text)]
        return text

    def clear(self, system: str | None = None) -> None:
        """Forget all turns, and set another system prompt where one is given."""
        self.turns.clear()
        self.system = self.system if system is None else system


def open_messages(model: str) -> MessageConversation:
    """Return a conversation with the server at an address, or with a GGUF file or the one in a folder.

    Raises:
        DataError: no such file, or several in the folder.
        ModelError: no server there, or llama.cpp cannot open the file.
        MissingExtra: llama-cpp-python is not installed.
    """
    if model.startswith(("http://", "https://")):
        return MessageConversation(_ask_server(model.rstrip("/")))
    path = Path(model)
    files = sorted(path.glob("*.gguf")) if path.is_dir() else [path]
    if len(files) != 1 or not files[0].is_file():
        there = ", ".join(file.name for file in files) if len(files) > 1 else "none"
        raise DataError(f"{model}: one GGUF file is needed, there is {there}", "Name the file.")
    return MessageConversation(_ask_llama_cpp(files[0]))


def _ask_llama_cpp(path: Path) -> Answer:
    """Return how a GGUF file answers."""
    try:
        import llama_cpp  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtra("a GGUF file", "llama-cpp") from error
    try:
        model: Any = llama_cpp.Llama(str(path), n_ctx=CONTEXT, verbose=False)
    except (ValueError, RuntimeError, OSError) as error:
        raise ModelError(
            f"{path}: llama.cpp cannot open it ({error})", "Export or fetch it again."
        ) from error

    def answer(messages: Sequence[Message], tokens: int) -> str:
        asked = [message.model_dump() for message in messages]
        try:
            found = model.create_chat_completion(asked, max_tokens=tokens, temperature=0.0)
        except ValueError as error:  # more tokens than it reads
            raise ModelError(str(error), "Ask a shorter question, or begin again with /new.") from error
        return str(found["choices"][0]["message"]["content"] or "")

    return answer


def _ask_server(address: str) -> Answer:
    """Return how the first model of an OpenAI-compatible server answers."""
    (name, *_) = [str(model["id"]) for model in _send(f"{address}/models")["data"]] or [""]

    def answer(messages: Sequence[Message], tokens: int) -> str:
        asked = [message.model_dump() for message in messages]
        body = {"model": name, "messages": asked, "max_tokens": tokens, "temperature": 0.0}
        return str(_send(f"{address}/chat/completions", body)["choices"][0]["message"]["content"] or "")

    return answer


def _send(url: str, body: object = None) -> Any:
    """Return the JSON that an address answers; without `body` it is a GET."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as reply:
            return parse_json(reply.read().decode("utf-8"))
    except urllib.error.HTTPError as error:
        said = error.read().decode("utf-8", "replace")[:200]
        raise ModelError(f"{url}: answers {error.code}: {said}", "Is this the address of its /v1?") from error
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{url}: no model server answers there ({error})", "alif serve RUN starts one."
        ) from error
