"""Invites, passwords, sessions: what opens the desk, and what does not."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from alif.desk import people
from alif.desk.database import Database, attempt, invite, now_ms, person, session
from alif.desk.people import DeskPerson, Refused
from tests.desk.conftest import PASSWORD


def test_an_invite_works_once_and_only_its_hash_is_stored(db: Database) -> None:
    token = people.make_invite(db, "annotator")
    assert people.find_invite(db, token) == people.find_invite(db, token) == ""
    found = people.find_session(db, people.accept_invite(db, token, " آمنہ ", PASSWORD))
    assert found is not None
    assert (found.name, found.role) == ("آمنہ", "annotator")
    with pytest.raises(Refused, match="invite_over"):
        people.accept_invite(db, token, "دوسرا", PASSWORD)
    open_one = people.make_invite(db, "lead")
    with db.reading() as connection:
        stored = [
            *connection.scalars(sa.select(invite.c.token_hash)),
            *connection.scalars(sa.select(person.c.password)),
        ]
    assert open_one not in str(stored)
    assert stored[-1].startswith("$argon2id$")


def test_an_invite_that_is_too_old_is_refused(db: Database) -> None:
    token = people.make_invite(db, "annotator")
    with db.writing() as connection:
        connection.execute(invite.update().values(expires_ms=now_ms()))
    assert people.find_invite(db, token) is None
    with pytest.raises(Refused, match="invite_over"):
        people.accept_invite(db, token, "آمنہ", PASSWORD)


@pytest.mark.parametrize("name", ["", " ", "a\u202eb", "a\nb", "a\x00b", "x" * 81, "آمنہ"])
def test_names_that_nobody_can_tell_apart_are_refused(db: Database, name: str) -> None:
    people.accept_invite(db, people.make_invite(db, "annotator"), "آمنہ", PASSWORD)
    with pytest.raises(Refused, match=r"bad_name|name_taken"):
        people.accept_invite(db, people.make_invite(db, "annotator"), name, PASSWORD)


def test_short_passwords_and_unknown_roles_are_refused(db: Database) -> None:
    with pytest.raises(Refused, match="password_length"):
        people.accept_invite(db, people.make_invite(db, "viewer"), "آمنہ", "short")
    with pytest.raises(Refused, match="no_such_role"):
        people.make_invite(db, "owner")
    with pytest.raises(Refused, match="no_such_person"):
        people.make_invite(db, "", 99)


def test_a_new_link_gives_a_new_password_and_ends_the_old_sessions(db: Database) -> None:
    old = people.accept_invite(db, people.make_invite(db, "lead"), "آمنہ", PASSWORD)
    who = people.find_session(db, old)
    assert who is not None
    first, second = people.make_invite(db, "", who.id), people.make_invite(db, "", who.id)
    assert (people.find_invite(db, first), people.find_invite(db, second)) == (None, "آمنہ")
    new = people.accept_invite(db, second, "ignored", "another password")
    assert people.find_session(db, old) is None
    assert people.find_session(db, new) == DeskPerson(who.id, "آمنہ", "lead")
    with pytest.raises(Refused, match="wrong_login"):
        people.log_in(db, "آمنہ", PASSWORD, "::1")
    assert people.find_session(db, people.log_in(db, "آمنہ", "another password", "::1")) is not None


def test_a_session_ends_by_itself_by_logging_out_and_by_being_shut_out(db: Database) -> None:
    token = people.accept_invite(db, people.make_invite(db, "viewer"), "آمنہ", PASSWORD)
    who = people.find_session(db, token)
    assert who is not None
    with db.writing() as connection:
        connection.execute(session.update().values(seen_ms=now_ms() - people.SESSION_IDLE_MS + 5_000))
    assert people.find_session(db, token) == who  # and its last use is written
    with db.writing() as connection:
        assert now_ms() - connection.scalars(sa.select(session.c.seen_ms)).one() < 60_000
        connection.execute(session.update().values(seen_ms=now_ms() - people.SESSION_IDLE_MS - 1))
    assert people.find_session(db, token) is None
    token = people.log_in(db, "آمنہ", PASSWORD, "::1")
    people.set_active(db, who.id, active=False)
    assert people.find_session(db, token) is None
    with pytest.raises(Refused, match="wrong_login"):
        people.log_in(db, "آمنہ", PASSWORD, "::1")
    people.set_active(db, who.id, active=True)
    token = people.log_in(db, "آمنہ", PASSWORD, "::1")
    people.end_session(db, token)
    assert people.find_session(db, token) is None
    assert [tuple(one) for one in people.list_people(db)] == [(who.id, "آمنہ", "viewer", True)]


def test_ten_thousand_logins_cost_few_hashes_and_the_right_password_waits_too(db: Database) -> None:
    people.accept_invite(db, people.make_invite(db, "admin"), "آمنہ", PASSWORD)
    told = set()
    for number in range(10_000):
        with pytest.raises(Refused) as refused:
            people.log_in(db, "آمنہ", f"guess {number}", "10.0.0.7")
        told.add((refused.value.message, refused.value.status))
    assert told == {("wrong_login", 403), ("too_many_logins", 429)}
    with db.reading() as connection:  # counted where a password was looked at
        assert set(connection.scalars(sa.select(attempt.c.failures))) == {people.MAX_FAILURES["name"]}
    with pytest.raises(Refused, match="too_many_logins"):
        people.log_in(db, "آمنہ", PASSWORD, "10.0.0.8")
    with db.writing() as connection:
        connection.execute(attempt.update().values(since_ms=now_ms() - people.THROTTLE_MS))
    assert people.log_in(db, "آمنہ", PASSWORD, "10.0.0.8")


def test_strangers_names_from_one_address_are_throttled_by_the_address(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(people.MAX_FAILURES, "address", 3)
    told = []
    for number in range(5):
        with pytest.raises(Refused) as refused:
            people.log_in(db, f"name {number}", "guess", "10.0.0.7")
        told.append(refused.value.status)
    assert told == [403, 403, 403, 429, 429]


def test_roles_include_those_below_and_a_judge_reviews_nothing() -> None:
    may = {role: [ask for ask in people.ROLES if DeskPerson(1, "x", role).may(ask)] for role in people.ROLES}
    assert may == {
        "admin": ["admin", "lead", "annotator", "judge", "viewer"],
        "lead": ["lead", "annotator", "judge", "viewer"],
        "annotator": ["annotator", "judge", "viewer"],
        "judge": ["judge", "viewer"],
        "viewer": ["viewer"],
    }
