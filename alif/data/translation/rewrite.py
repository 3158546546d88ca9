"""Have translated rows rewritten, natural and at home in the language's own culture, and answered anew.

    translated prompt ─▶ rewritten prompt + new answer        what fails a check stays as it was translated

Source: rewriting of translated prompts before they are answered, The Art of Asking, arXiv 2510.19806.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from alif import store
from alif.data.prompt_texts import REWRITE_FILE
from alif.data.translation.translation_requests import Conversation
from alif.data.unreadable_replies import name_refusal
from alif.language import language_id, text
from alif.language.pack import Pack
from alif.language.protected_spans import find_lost_spans, without_protected
from alif.language.replies import item_format
from alif.language.replies.item_format import FIELDS, KEYS, NO_INPUT
from alif.language.text_repair import mend_lookalikes
from alif.language.text_structure import find_lost_structure
from alif.llm import ChatRequest, Message, Reply
from alif.records import Dropped, Example

__all__ = ["REWRITTEN", "Rewrites", "rewrite_messages"]

REWRITTEN = "rewritten"
"""The strategy of such a row."""
MIN_SCRIPT_SHARE = 0.5


def rewrite_messages(row: Example, own: Pack, known: Pack) -> list[Message]:
    """Return the messages that ask for a translated row to be rewritten."""
    names = {"known": known.name, "own": own.name, "native": own.native_name, "no_input": NO_INPUT}
    asked = item_format.write_item(row.instruction, row.input, "").removesuffix(f"\n{KEYS['output']}: ")
    system = store.read_text(REWRITE_FILE).format(**names)
    return [Message(role="system", content=system), Message(role="user", content=asked)]


@dataclass
class Rewrites:
    """How many rows were rewritten, and why others were not."""

    own: Pack
    known: Pack
    rewritten: int = 0
    refused: Counter[str] = field(default_factory=Counter)

    def rewrite_row(self, row: Example, name: str) -> Conversation:
        """Ask for the rewritten row, and return it, or the row as it was."""
        reply = yield ChatRequest(name, rewrite_messages(row, self.own, self.known))
        found = self._read(row, name, reply)
        if isinstance(found, str):
            self.refused[found] += 1
            return row
        self.rewritten += 1
        return found

    def _read(self, row: Example, name: str, reply: Reply) -> Example | str:
        """Return the rewritten row, or the reason why there is none."""
        pieces = item_format.read_items(reply.text, reply.finish, self.own)
        piece = name_refusal(pieces[0], self.own, self.known)
        if reply.unanswered or len(pieces) > 1 or isinstance(piece, Dropped):
            return piece.reason if isinstance(piece, Dropped) and not reply.unanswered else "unparsable"
        texts = {
            key: mend_lookalikes(text.normalise_text(value, self.own).strip(), self.own)
            for key, value in zip(FIELDS, (piece.instruction, piece.input, piece.output), strict=True)
        }
        if fault := self._find_fault(row, texts):
            return fault
        origin = row.origin.model_copy(
            update={
                "strategy": REWRITTEN, "teacher": name, "model": reply.model, "author": reply.model,
                "request": reply.request,
            }
        )  # fmt: skip
        return Example.make(row.language, row.task, **texts, origin=origin)

    def _find_fault(self, row: Example, texts: Mapping[str, str]) -> str:
        """Return the reason why rewritten texts cannot take the place of the row's, "" if they can."""
        if bool(row.input) != bool(texts["input"]) or not texts["output"]:
            return "missing_field"
        before, after = row.instruction + f"\n{row.input}", texts["instruction"] + f"\n{texts['input']}"
        if find_lost_spans(before, after):
            return "lost_code"
        if find_lost_structure(before, after):
            return "lost_structure"
        shares = [language_id.script_share(without_protected(value), self.own) for value in texts.values()]
        found = language_id.identify_language(f"{after}\n{texts['output']}", (self.own, self.known))
        foreign = min(shares) < MIN_SCRIPT_SHARE or found in (self.known.code, "other")
        return "wrong_language" if foreign else ""
