"""Tell a teacher whose replies are empty or cannot be read from one that has nothing new to say.

    64 of 64 replies are empty, finish: length ─▶ raise max_tokens, or switch thinking off

The first is a fault that costs the same for every request to come: the run stops with what to change.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from alif.errors import ReplyError
from alif.language.pack import Pack
from alif.language.replies.item_format import Candidate
from alif.language.replies.reply_cleanup import strip_thinking
from alif.language.text import find_refusal
from alif.llm import Reply
from alif.llm.parse import BLOCKED
from alif.records import Dropped

__all__ = ["UNREADABLE", "ReadableReplies", "describe_unreadable", "name_refusal"]

UNREADABLE = frozenset(
    {"unanswered", "empty", "truncated", "unparsable", "missing_field", "control_token", "refusal"}
)
"""Reasons of pieces from which nothing could be read."""
ENOUGH = 8
"""Replies of a teacher, none of them readable, that are no accident where another's can be read."""
FEW = 4
"""The same where no teacher's can."""
SHOWN = 120
"""Characters of a reply in a message."""


@dataclass
class ReadableReplies:
    """What could be read of each teacher's replies."""

    readable: Counter[str] = field(default_factory=Counter)
    unreadable: dict[str, list[Reply]] = field(default_factory=dict)
    """Until the teacher's first reply that can be read."""

    def add(self, teacher: str, reply: Reply, readable: bool) -> None:
        """Count a reply."""
        self.readable[teacher] += readable
        if not self.readable[teacher]:
            self.unreadable.setdefault(teacher, []).append(reply)

    def check(self, *, ended: bool = False) -> None:
        """Refuse to go on with a teacher of which nothing could be read so far, or in the end.

        Raises:
            ReplyError: with what to change.
        """
        least = ENOUGH if self.readable.total() else 1 if ended else FEW
        for teacher, replies in self.unreadable.items():
            if not self.readable[teacher] and len(replies) >= least:
                raise describe_unreadable(f"teacher.{teacher}", replies)


def name_refusal(piece: Candidate | Dropped, *packs: Pack) -> Candidate | Dropped:
    """Return a piece that keeps to no format under the reason `refusal` where the teacher declines in it."""
    unparsable = isinstance(piece, Dropped) and piece.reason == "unparsable"
    if unparsable and (found := find_refusal(piece.raw or "", *packs)):
        return Dropped(raw=piece.raw, reason="refusal", evidence=found)
    return piece


def describe_unreadable(key: str, replies: list[Reply]) -> ReplyError:
    """Return what is wrong with replies of which none can be read, and what to change in the table `key`."""
    kinds = Counter(_fault(reply) for reply in replies)
    (fault, finish), count = kinds.most_common(1)[0]
    example = next(reply for reply in replies if _fault(reply) == (fault, finish))
    message = f"{key}: {count} of {len(replies)} replies {fault}"
    message += f", finish: {finish}" if finish else f": {' '.join(example.text.split())[:SHOWN]!r}"
    if fault == "are cut off":
        hint = f"Raise {key}.max_tokens, or ask for less: generate.rows_per_request."
    elif finish == BLOCKED:
        hint = "The provider's filter withholds them: name another model or provider."
    elif fault == "are empty" and finish in ("stop", "length"):
        hint = (
            f"Perhaps all went into thinking: raise {key}.max_tokens, or switch thinking off by a field "
            f'of the provider, such as {key}.extra = {{ reasoning_effort = "low" }} or '
            "{ chat_template_kwargs = { enable_thinking = false } }."
        )
    elif fault == "cannot be read":
        hint = "Name a model that keeps to the format that the prompt asks for."
    else:
        hint = f"Name another model, or other settings of {key}."
    return ReplyError(message, hint)


def _fault(reply: Reply) -> tuple[str, str]:
    """Return what is wrong with a reply of which nothing can be read, and its finish where that says more."""
    if reply.unanswered:
        return "are missing", reply.finish
    if not strip_thinking(reply.text)[0].strip():
        return "are empty", reply.finish
    return ("are cut off", reply.finish) if reply.finish != "stop" else ("cannot be read", "")
