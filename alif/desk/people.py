"""Who may sit at the desk: one-time invites, argon2id passwords, sessions on the server, throttled logins.

A token has 256 random bits and only its hash is stored, so the database opens no door. There is no default
password: the first person comes by the link that `alif desk` prints.
"""

from __future__ import annotations

import functools
import hashlib
import secrets
import threading
import unicodedata
from dataclasses import dataclass

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from alif.desk.database import ROLES, Database, attempt, invite, now_ms, person, session
from alif.errors import AlifError
from alif.records import sanitize_text

__all__ = [
    "WATCHER", "DeskPerson", "Refused", "accept_invite", "end_session", "find_invite", "find_session",
    "list_people", "log_in", "make_invite", "set_active",
]  # fmt: skip

INVITE_MS = 7 * 86_400_000
SESSION_IDLE_MS = 12 * 3_600_000
SEEN_EVERY_MS = 60_000
"""A session's last use is written at most so often: reading a page is not a write each time."""
THROTTLE_MS = 15 * 60_000
MAX_FAILURES = {"name": 10, "address": 50}
"""Wrong passwords in THROTTLE_MS for an account or from an address; then no password is looked at."""
WATCHER = "watcher"
"""What `DeskPerson.may` calls whoever sees the run: not those who read rows blind, for teachers are named."""
MIN_PASSWORD = 10
MAX_PASSWORD, MAX_NAME = 1024, 80
"""Characters."""

_hasher = PasswordHasher()  # argon2id with RFC 9106's parameters for little memory: 64 MiB, 3 passes
_hashing = threading.Semaphore(2)
"""Each hash takes 64 MiB: more at once would let strangers fill the memory."""


@dataclass(frozen=True)
class DeskPerson:
    """Somebody who has logged in."""

    id: int
    name: str
    role: str

    def may(self, role: str) -> bool:
        """Tell whether the person's role allows what `role` may do; each role includes reading pages."""
        if role == "annotator":
            return self.role in ("admin", "lead", "annotator")
        if role == WATCHER:
            return self.role in ("admin", "lead", "viewer")
        return ROLES.index(self.role) <= ROLES.index(role)


class Refused(AlifError):
    """What a person at the desk is told: `message` is a key of the texts, `status` the HTTP status."""

    def __init__(self, message: str, status: int = 422, hint: str = "") -> None:
        super().__init__(message, hint)
        self.status = status


def make_invite(db: Database, role: str, person_id: int | None = None, *, from_console: bool = False) -> str:
    """Return the token of a new one-time link; a later one for the same person replaces it.

    Raises:
        Refused: no such role, or no such person.
    """
    if person_id is None and role not in ROLES:
        raise Refused("no_such_role")
    token = secrets.token_urlsafe(32)
    with db.writing() as connection:
        if person_id is not None:
            found = connection.execute(sa.select(person.c.role).where(person.c.id == person_id)).first()
            if found is None:
                raise Refused("no_such_person", 404)
            role = found.role
        stale = invite.c.expires_ms < now_ms()
        if from_console:
            stale |= invite.c.from_console
        elif person_id is not None:
            stale |= invite.c.person_id == person_id
        connection.execute(invite.delete().where(stale))
        connection.execute(
            invite.insert().values(
                token_hash=_token_hash(token),
                role=role,
                person_id=person_id,
                from_console=from_console,
                expires_ms=now_ms() + INVITE_MS,
            )
        )
    return token


def find_invite(db: Database, token: str) -> str | None:
    """Return the name that an open invite is for, "" for a new person; None: used, expired or never made."""
    query = sa.select(person.c.name).select_from(invite.outerjoin(person)).where(_is_open(token))
    with db.reading() as connection:
        found = connection.execute(query).first()
    return None if found is None else found.name or ""


def accept_invite(db: Database, token: str, name: str, password: str) -> str:
    """Make the invited person, or give them a new password, and return the token of a session.

    Raises:
        Refused: the invite is used or expired, or the name or the password cannot be used.
    """
    name = unicodedata.normalize("NFC", name).strip()
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise Refused("password_length")
    if find_invite(db, token) is None:
        raise Refused("invite_over", 410)
    hashed = _hash(password)
    with db.writing() as connection:
        used = connection.execute(
            invite.delete().where(_is_open(token)).returning(invite.c.role, invite.c.person_id)
        ).first()
        if used is None:
            raise Refused("invite_over", 410)
        if used.person_id is not None:
            known = person.c.id == used.person_id
            connection.execute(person.update().where(known).values(password=hashed, active=True))
            connection.execute(session.delete().where(session.c.person_id == used.person_id))
            return _start_session(connection, used.person_id)
        if not name or len(name) > MAX_NAME or any(unicodedata.category(one)[0] == "C" for one in name):
            raise Refused("bad_name")
        if connection.execute(sa.select(person.c.id).where(person.c.name == name)).first():
            raise Refused("name_taken", 409)
        added = person.insert().values(name=name, role=used.role, password=hashed).returning(person.c.id)
        return _start_session(connection, connection.execute(added).scalar_one())


def log_in(db: Database, name: str, password: str, address: str) -> str:
    """Return the token of a new session. A stranger's name costs as much time as a wrong password.

    Raises:
        Refused: wrong, or too many wrong ones lately.
    """
    name = sanitize_text(unicodedata.normalize("NFC", name)).strip()
    keys = {kind: _token_hash(f"{kind} {of}") for kind, of in (("name", name), ("address", address))}
    recent = attempt.c.since_ms > now_ms() - THROTTLE_MS
    with db.reading() as connection:
        for kind, key in keys.items():
            failures = connection.scalar(sa.select(attempt.c.failures).where(attempt.c.key == key, recent))
            if (failures or 0) >= MAX_FAILURES[kind]:
                raise Refused("too_many_logins", 429)
        query = sa.select(person.c.id, person.c.password).where(person.c.name == name, person.c.active)
        found = connection.execute(query).first()
    if (
        len(password) <= MAX_PASSWORD
        and _is_right(found.password if found else _nobody(), password)
        and found
    ):
        with db.writing() as connection:
            connection.execute(attempt.delete().where(attempt.c.key == keys["name"]))
            return _start_session(connection, found.id)
    with db.writing() as connection:
        connection.execute(attempt.delete().where(~recent))
        for key in sorted(keys.values()):  # in one order, so that two of them never wait for each other
            first = {"failures": 1, "since_ms": now_ms()}
            db.upsert(connection, attempt, {"key": key}, first, {"failures": attempt.c.failures + 1})
    raise Refused("wrong_login", 403)


def find_session(db: Database, token: str) -> DeskPerson | None:
    """Return whose session it is; None: unknown, idle for too long, or the person was shut out."""
    key, now = _token_hash(token), now_ms()
    query = sa.select(person.c.id, person.c.name, person.c.role, session.c.seen_ms).select_from(
        session.join(person)
    )
    with db.reading() as connection:
        found = connection.execute(query.where(session.c.token_hash == key, person.c.active)).first()
    if found is None or found.seen_ms < now - SESSION_IDLE_MS:
        return None
    if found.seen_ms < now - SEEN_EVERY_MS:
        with db.writing() as connection:
            connection.execute(session.update().where(session.c.token_hash == key).values(seen_ms=now))
    return DeskPerson(found.id, found.name, found.role)


def end_session(db: Database, token: str) -> None:
    """Log out."""
    with db.writing() as connection:
        connection.execute(session.delete().where(session.c.token_hash == _token_hash(token)))


def list_people(db: Database) -> list[sa.Row[tuple[int, str, str, bool]]]:
    """Return everybody's id, name, role and whether they may log in."""
    query = sa.select(person.c.id, person.c.name, person.c.role, person.c.active).order_by(person.c.id)
    with db.reading() as connection:
        return list(connection.execute(query))


def set_active(db: Database, person_id: int, *, active: bool) -> None:
    """Let a person log in, or shut them out at once."""
    with db.writing() as connection:
        connection.execute(person.update().where(person.c.id == person_id).values(active=active))
        if not active:
            connection.execute(session.delete().where(session.c.person_id == person_id))


def _start_session(connection: sa.Connection, person_id: int) -> str:
    token, now = secrets.token_urlsafe(32), now_ms()
    connection.execute(session.delete().where(session.c.seen_ms < now - SESSION_IDLE_MS))
    connection.execute(
        session.insert().values(token_hash=_token_hash(token), person_id=person_id, seen_ms=now)
    )
    return token


def _is_open(token: str) -> sa.ColumnElement[bool]:
    return (invite.c.token_hash == _token_hash(token)) & (invite.c.expires_ms > now_ms())


def _token_hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _hash(password: str) -> str:
    with _hashing:
        return _hasher.hash(password.encode("utf-8", "surrogatepass"))


def _is_right(hashed: str, password: str) -> bool:
    with _hashing:
        try:
            return _hasher.verify(hashed, password.encode("utf-8", "surrogatepass"))
        except VerificationError:
            return False


@functools.cache
def _nobody() -> str:
    """Return a hash to compare with where there is no such person."""
    return _hash(secrets.token_urlsafe())
