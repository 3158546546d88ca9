"""Strategies of asking beyond the paper's, each switched on by a share of the requests and counted apart.

    grounded   a passage is shown, and every answer must follow from it                generate.grounded_share
    reverse    a passage is the answer, word for word; the teacher writes the question generate.reverse_share
    revised    draft ─▶ the teacher criticises it ─▶ the teacher writes it again       generate.revise_share

Source: grounding, Updesh, arXiv 2509.21294; reverse instructions, MURI, arXiv 2409.12958; revision with
demonstrations in the target language, arXiv 2506.12158.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from alif.data.prompt_texts import PromptTexts
from alif.data.synthesis.passages import Passage
from alif.data.unreadable_replies import name_refusal
from alif.language import text
from alif.language.pack import Pack
from alif.language.replies import item_format, lone_text, reply_cleanup
from alif.language.replies.control_tokens import find_control_token
from alif.llm import ChatRequest, Message, Reply
from alif.records import Dropped, Example

__all__ = ["ask_with_revision", "combine_replies", "read_question", "read_reply", "reverse_messages"]

MAX_QUESTION_WORDS = 80
"""A longer reply than that is no question."""


def reverse_messages(
    texts: PromptTexts, pack: Pack, shown: Sequence[Example], passage: Passage
) -> list[Message]:
    """Return the messages that ask for the question to a passage."""
    system = texts.reverse_system.format(language=pack.name, native=pack.native_name)
    rows = "\n".join(f"- {row.instruction}" for row in shown)
    user = texts.reverse_user.format(count=len(shown), rows=rows, passage=passage.text)
    return [Message(role="system", content=system), Message(role="user", content=user)]


def read_reply(
    reply: Reply, answer: Passage | None, own: Pack, known: Pack
) -> list[item_format.Candidate | Dropped]:
    """Return the pieces of a reply: items, or where a passage is the `answer` the question to it."""
    if reply.unanswered:
        evidence = f"request {reply.request[:12]}, finish: {reply.finish}"
        return [Dropped(raw="", reason="unanswered", evidence=evidence)]
    if answer:
        return [read_question(reply.text, reply.finish, answer, own, known)]
    pieces = item_format.read_items(reply.text, reply.finish, own)
    return [name_refusal(piece, own, known) for piece in pieces]


def read_question(
    reply: str, finish: str, passage: Passage, own: Pack, known: Pack
) -> item_format.Candidate | Dropped:
    """Read the reply to a reverse request: the question alone; the passage is its answer."""
    found = lone_text.read_text(reply, finish, own, known, passage.text, "question")
    if isinstance(found, Dropped):
        return found
    question = found.text
    if (length := len(text.split_words(question, own))) > MAX_QUESTION_WORDS:
        return Dropped(raw=reply, reason="unparsable", evidence=f"{length} words, no question")
    if token := find_control_token(question):
        return Dropped(raw=reply, reason="control_token", evidence=token)
    if around := lone_text.find_wrapping(question, own, known, passage.text, "question"):
        return Dropped(raw=reply, reason="wrapped", evidence=around)
    return item_format.Candidate(question, "", passage.text, reply, found.tolerances)


async def ask_with_revision(
    send_all: Callable[[Sequence[ChatRequest]], Awaitable[Sequence[Reply]]],
    questions: Sequence[ChatRequest],
    revised: Sequence[bool],
    texts: PromptTexts,
    pack: Pack,
) -> list[Reply]:
    """Return the replies to questions; drafts that are to be revised are criticised and written again first.

    Each turn of these conversations is sent as one list, so that it can be one batch.
    """
    drafts = await send_all(questions)
    turns = [[draft] for draft in drafts]
    going_on = {
        number: list(questions[number].messages)
        for number, draft in enumerate(drafts)
        if revised[number] and draft.finish == "stop" and _text_without_thinking(draft).strip()
    }
    for follow_up in (texts.critique.format(language=pack.name), texts.rewrite):
        for number, messages in going_on.items():
            messages.append(Message(role="assistant", content=_text_without_thinking(turns[number][-1])))
            messages.append(Message(role="user", content=follow_up))
        asked = {number: replace(questions[number], messages=list(m)) for number, m in going_on.items()}
        replies = await send_all(list(asked.values())) if asked else []
        for number, reply in zip(asked, replies, strict=True):
            turns[number].append(reply)
            if not _text_without_thinking(reply).strip():
                del going_on[number]
    return [combine_replies(one) for one in turns]


def _text_without_thinking(reply: Reply) -> str:
    """Return what a reply says after its thinking, which its teacher is not sent again."""
    return reply_cleanup.strip_thinking(reply.text)[0]


def combine_replies(turns: Sequence[Reply]) -> Reply:
    """Return the last reply, or the draft if that is empty, with the tokens and the price of all."""
    if len(turns) == 1:
        return turns[0]
    read = turns[-1] if _text_without_thinking(turns[-1]).strip() else turns[0]
    return read.model_copy(
        update={
            "tokens_in": sum(one.tokens_in for one in turns),
            "tokens_out": sum(one.tokens_out for one in turns),
            "cost_usd": sum(one.cost_usd for one in turns),
            "turns": tuple(one.request for one in turns),
        }
    )
