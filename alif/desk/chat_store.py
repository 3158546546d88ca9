"""Conversations and their turns: a question, its answer, how it was sampled, what its author thinks of it.

A chat is its author's alone: nobody else reads it, and what the author removes is gone. A turn that was asked
again keeps its earlier answers beside it, out of the conversation, until it is removed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import sqlalchemy as sa

from alif.desk.database import TABLES, Database, RowId, now_ms
from alif.desk.people import DeskPerson, Refused
from alif.records import Message

__all__ = [
    "ChatTurn", "Conversing", "add_address", "add_turn", "change_turn", "create_chat", "find_chat",
    "finish_turn", "forget_chat", "forget_turn", "leave_unfinished", "list_addresses", "list_chats",
    "remove_address", "take_turn",
]  # fmt: skip

MOST_CHARS, MOST_REASON, MOST_CHATS = 20_000, 500, 100
"""Characters of a question or a system prompt, of a reason; chats that are listed."""
OPEN = ("waiting", "writing")

chat = sa.Table(
    "chat",
    TABLES,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("person_id", sa.ForeignKey("person.id"), nullable=False, index=True),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("system", sa.Text, nullable=False),
    sa.Column("at_ms", sa.BigInteger, nullable=False),
    sqlite_autoincrement=True,
)
turn = sa.Table(
    "chat_turn",
    TABLES,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("chat_id", sa.ForeignKey("chat.id"), nullable=False, index=True),
    sa.Column("place", sa.Integer, nullable=False),
    sa.Column("current", sa.Boolean, nullable=False, default=True),
    sa.Column("question", sa.Text, nullable=False),
    sa.Column("answer", sa.Text, nullable=False, default=""),
    sa.Column("state", sa.Text, nullable=False, default="waiting"),
    sa.Column("sampling", sa.JSON, nullable=False),
    sa.Column("directions", sa.JSON, nullable=False),
    sa.Column("thumb", sa.Integer, nullable=False, default=0),
    sa.Column("reason", sa.Text, nullable=False, default=""),
    sa.Column("at_ms", sa.BigInteger, nullable=False),
    sqlite_autoincrement=True,  # the line of questions knows a turn by its number, also one that is gone
)
address = sa.Table(
    "chat_address",
    TABLES,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("title", sa.Text, nullable=False, unique=True),
    sa.Column("settings", sa.JSON, nullable=False),
)


class ChatTurn(NamedTuple):
    """One question with its answer."""

    id: int
    place: int
    question: str
    answer: str
    state: str
    """waiting, writing, done, stopped, failed (then `answer` says why)."""
    sampling: Mapping[str, object]
    directions: Mapping[str, str]
    """Of question and answer, where they were switched."""
    thumb: int
    reason: str


class Conversing(NamedTuple):
    """A chat with its turns."""

    id: int
    model: str
    language: str
    system: str
    turns: Sequence[ChatTurn]

    def messages(self, before: int) -> list[Message]:
        """Return system prompt, earlier turns and the question at a place, as a model is asked."""
        found = [Message(role="system", content=self.system)] if self.system else []
        for one in self.turns:
            if one.place < before and one.state in ("done", "stopped") and one.answer:
                found.append(Message(role="user", content=one.question))
                found.append(Message(role="assistant", content=one.answer))
        question = next(one.question for one in self.turns if one.place == before)
        return [*found, Message(role="user", content=question)]


def create_chat(db: Database, who: DeskPerson, model: str, language: str, system: str) -> int:
    """Begin a conversation; return its number."""
    if len(system) > MOST_CHARS:
        raise Refused("too_large", 413)
    values = {"person_id": who.id, "model": model, "language": language, "system": system, "at_ms": now_ms()}
    with db.writing() as connection:
        return int(connection.execute(chat.insert().values(values).returning(chat.c.id)).scalar_one())


def list_chats(db: Database, who: DeskPerson) -> list[tuple[int, str]]:
    """Return a person's chats by number and first question, the latest first."""
    first = sa.select(turn.c.question).where(turn.c.chat_id == chat.c.id, turn.c.current)
    query = sa.select(chat.c.id, first.order_by(turn.c.place).limit(1).scalar_subquery())
    mine = query.where(chat.c.person_id == who.id).order_by(chat.c.id.desc()).limit(MOST_CHATS)
    with db.reading() as connection:
        return [(number, question or "") for number, question in connection.execute(mine)]


def find_chat(db: Database, who: DeskPerson | None, chat_id: int) -> Conversing:
    """Return a person's chat with its turns; None: whoever's it is, for the model.

    Raises:
        Refused: there is none of theirs.
    """
    known = chat.c.id == chat_id
    query = sa.select(chat).where(known if who is None else known & (chat.c.person_id == who.id))
    turns = sa.select(turn).where(turn.c.chat_id == chat_id, turn.c.current).order_by(turn.c.place)
    with db.reading() as connection:
        found = connection.execute(query).first()
        if found is None:
            raise Refused("no_such_chat", 404)
        rows = [
            ChatTurn(one.id, one.place, one.question, one.answer, one.state, one.sampling, one.directions,
                     one.thumb, one.reason)
            for one in connection.execute(turns)
        ]  # fmt: skip
    return Conversing(found.id, found.model, found.language, found.system, rows)


def add_turn(
    db: Database,
    who: DeskPerson,
    chat_id: int,
    question: str,
    sampling: Mapping[str, object],
    place: int | None = None,
) -> int:
    """Ask; at a `place` that was asked before, instead of the turn there and of all behind it.

    Raises:
        Refused: it is nobody's chat of theirs, empty, too long, or an answer is still being written.
    """
    if not question.strip():
        raise Refused("nothing_asked")
    if len(question) > MOST_CHARS:
        raise Refused("too_large", 413)
    with db.writing() as connection:
        mine = (chat.c.id == chat_id) & (chat.c.person_id == who.id)
        if connection.execute(sa.select(chat.c.id).where(mine).with_for_update()).first() is None:
            raise Refused("no_such_chat", 404)
        within = (turn.c.chat_id == chat_id) & turn.c.current
        rows = connection.execute(sa.select(turn.c.place, turn.c.state).where(within)).all()
        if any(one.state in OPEN for one in rows):
            raise Refused("still_writing", 409)
        place = max((one.place for one in rows), default=-1) + 1 if place is None else place
        replaced = within & (turn.c.place >= place)
        connection.execute(turn.update().where(replaced).values(current=False))
        before = sa.select(sa.func.count()).where(turn.c.chat_id == chat_id, turn.c.place == place)
        draw = connection.scalar(before) or 0
        added = turn.insert().values(
            chat_id=chat_id, place=place, question=question, sampling={**sampling, "draw": draw},
            directions={}, at_ms=now_ms(),
        )  # fmt: skip
        return int(connection.execute(added.returning(turn.c.id)).scalar_one())


def take_turn(db: Database, turn_id: int) -> tuple[Conversing, ChatTurn] | None:
    """Note that a turn is being answered, and return it with its chat; None: it is gone."""
    known = (turn.c.id == turn_id) & (turn.c.state == "waiting")
    with db.writing() as connection:
        taken = turn.update().where(known).values(state="writing").returning(turn.c.chat_id)
        chat_id = connection.execute(taken).scalar()
    if chat_id is None:
        return None
    found = find_chat(db, None, chat_id)
    return next(((found, one) for one in found.turns if one.id == turn_id), None)


def finish_turn(db: Database, turn_id: int, state: str, answer: str) -> None:
    """Keep an answer; one that was removed or stopped meanwhile stays so."""
    with db.writing() as connection:
        known = (turn.c.id == turn_id) & turn.c.state.in_(OPEN)
        connection.execute(turn.update().where(known).values(state=state, answer=answer))


def leave_unfinished(db: Database) -> None:
    """Mark what an earlier desk did not end."""
    with db.writing() as connection:
        connection.execute(turn.update().where(turn.c.state.in_(OPEN)).values(state="stopped"))


def change_turn(db: Database, who: DeskPerson, turn_id: int, changes: Mapping[str, object]) -> None:
    """Set a thumb with its reason, or a direction.

    Raises:
        Refused: the turn is not theirs.
    """
    with db.writing() as connection:
        changed = turn.update().where(turn.c.id == turn_id, _is_mine(who)).values(**changes)
        if connection.execute(changed).rowcount == 0:
            raise Refused("no_such_chat", 404)


def forget_turn(db: Database, who: DeskPerson, turn_id: int) -> None:
    """Remove a turn of the author's with all its earlier answers."""
    query = sa.select(turn.c.chat_id, turn.c.place).where(turn.c.id == turn_id, _is_mine(who))
    with db.writing() as connection:
        found = connection.execute(query).first()
        if found is None:
            raise Refused("no_such_chat", 404)
        connection.execute(turn.delete().where(turn.c.chat_id == found.chat_id, turn.c.place == found.place))


def forget_chat(db: Database, who: DeskPerson, chat_id: int) -> None:
    """Remove a chat of the author's with all that was said."""
    with db.writing() as connection:
        connection.execute(turn.delete().where(turn.c.chat_id == chat_id, _is_mine(who)))
        mine = (chat.c.id == chat_id) & (chat.c.person_id == who.id)
        if connection.execute(chat.delete().where(mine)).rowcount == 0:
            raise Refused("no_such_chat", 404)


def _is_mine(who: DeskPerson) -> sa.ColumnElement[bool]:
    return turn.c.chat_id.in_(sa.select(chat.c.id).where(chat.c.person_id == who.id))


def add_address(db: Database, title: str, settings: Mapping[str, object]) -> None:
    """Offer another model to everybody who may chat; an equal title replaces it."""
    with db.writing() as connection:
        db.upsert(connection, address, {"title": title}, {"settings": settings})


def list_addresses(db: Database) -> dict[str, Mapping[str, object]]:
    """Return the models that were added, by title."""
    with db.reading() as connection:
        return dict(
            connection.execute(sa.select(address.c.title, address.c.settings).order_by(address.c.id)).all()
        )


def remove_address(db: Database, title: str) -> None:
    """Offer a model no more."""
    with db.writing() as connection:
        connection.execute(address.delete().where(address.c.title == title))
