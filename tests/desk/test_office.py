"""A desk is opened on a run: its languages first, its own cookie, its database where it was asked for."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from alif.desk.office import Office
from tests.desk.conftest import ROWS


def test_a_desk_speaks_the_runs_language_and_keeps_a_cookie_of_its_own(
    make_office: Callable[..., Office],
) -> None:
    one, other = make_office(), make_office(name="other")
    assert (one.language, sorted(one.texts)) == ("ur", ["en", "ur"])
    assert one.cookie != other.cookie
    assert one.exchange.requests.with_name("desk.sqlite").is_file()
    assert one.exchange.verdicts == one.exchange.requests.with_name("verdicts.jsonl")


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_the_database_may_be_elsewhere(make_office: Callable[..., Office], database: str) -> None:
    office = make_office(ROWS, database=database)
    assert not office.db.is_sqlite
    assert not office.exchange.requests.with_name("desk.sqlite").exists()
