"""What a judge is sent: the pack's or the English prompt, and the answers between tags with a code.

    system   You compare two answers … Reply in exactly this form …: Reason: <…> Verdict: <A | B | tie>
    user     <request-3f9c0b1a72d4> … </request-3f9c0b1a72d4>
             <reference-3f9c0b1a72d4> … </reference-3f9c0b1a72d4>
             <answer_A-3f9c0b1a72d4> … </answer_A-3f9c0b1a72d4>
             <answer_B-3f9c0b1a72d4 cut="8000 of 10000000 characters"> … </answer_B-3f9c0b1a72d4>

No name of a system is ever shown. The code is a hash of everything that stands between the tags, so that no
text can close a tag, and the same question is the same request: a stored verdict is not paid for twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from alif.facts.evaluation_facts import AnswerRow
from alif.language.pack import Pack
from alif.language.prompt_templates import load_prompt, render_prompt
from alif.language.replies.verdict_format import verdict_form
from alif.llm import Message

__all__ = ["MOST_CHARS", "JudgePrompts", "cut_text", "load_judge_prompts", "pair_messages", "rubric_messages"]

MOST_CHARS = 8000
"""Characters of a text that a judge is shown, three pages. What is longer is cut, and the tag says so."""
REPLY_SHOWN = 2000
"""Characters of a reply that could not be read, when the judge is asked again."""


@dataclass(frozen=True)
class JudgePrompts:
    """The prompts in one language."""

    texts: Mapping[str, str]
    """pair, rubric and again, as Jinja."""
    pack: Pack

    def render(self, name: str, points: int, *, json: bool) -> str:
        """Return a prompt with the form of the reply at its end."""
        text = render_prompt(self.texts[name], self.pack.name, self.pack.native_name, points)
        return f"{text}\n\n{verdict_form(points, json=json)}"

    def digests(self) -> dict[str, str]:
        """Return the first 16 digits of the SHA-256 of each prompt's wording."""
        return {name: hashlib.sha256(text.encode()).hexdigest()[:16] for name, text in self.texts.items()}

    def repeat(self, messages: Sequence[Message], reply: str, points: int, *, json: bool) -> list[Message]:
        """Return the conversation that asks once more after a reply that could not be read."""
        said = Message(role="assistant", content=reply[:REPLY_SHOWN] or "…")
        return [*messages, said, Message(role="user", content=self.render("again", points, json=json))]


def load_judge_prompts(folder: Path, own: Pack) -> JudgePrompts:
    """Read the three prompts of a folder; those of a pack may come from a stranger and are checked.

    Raises:
        PackError: one is not there, or is more than text with the pack's names.
    """
    inside = own.folder if folder.is_relative_to(own.folder) else folder
    names = ("pair", "rubric", "again")
    return JudgePrompts({name: load_prompt(folder / f"{name}.jinja", inside) for name in names}, own)


def cut_text(text: str) -> tuple[str, str]:
    """Return what a judge is shown of a text, and what the tag says of the rest."""
    cut = len(text) > MOST_CHARS
    return text[:MOST_CHARS], f' cut="{MOST_CHARS} of {len(text)} characters"' if cut else ""


def pair_messages(
    row: AnswerRow, first: str, second: str, prompts: JudgePrompts, *, json: bool
) -> list[Message]:
    """Return the messages that compare two texts, answers to the same question."""
    parts = {"request": _request(row), "reference": row.reference, "answer_A": first, "answer_B": second}
    if row.rubric:  # one of many good texts
        del parts["reference"]
    system = prompts.render("pair", 0, json=json)
    return [Message(role="system", content=system), Message(role="user", content=_enclose(parts))]


def rubric_messages(row: AnswerRow, answer: str, prompts: JudgePrompts, *, json: bool) -> list[Message]:
    """Return the messages that check a text against the question's rubric."""
    points = "\n".join(f"{number}. {point}" for number, point in enumerate(row.rubric, 1))
    parts = {"request": _request(row), "points": points, "answer": answer}
    system = prompts.render("rubric", len(row.rubric), json=json)
    return [Message(role="system", content=system), Message(role="user", content=_enclose(parts))]


def _request(row: AnswerRow) -> str:
    return f"{row.instruction}\n\n{row.input}" if row.input else row.instruction


def _enclose(parts: Mapping[str, str]) -> str:
    """Return the texts between tags whose code stands in none of them."""
    shown = {name: cut_text(text) for name, text in parts.items() if text or name.startswith("answer")}
    whole = "\x1f".join(f"{name}\x1f{text}" for name, (text, _) in shown.items())
    code = whole
    while code in whole:
        code = hashlib.sha256(f"{code}\x1f{whole}".encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return "\n".join(f"<{name}-{code}{cut}>\n{text}\n</{name}-{code}>" for name, (text, cut) in shown.items())
