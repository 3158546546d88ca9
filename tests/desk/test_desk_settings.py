"""Settings are kept; who opts out of texts that hurt gets none, and gives back what they hold."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pydantic import ValidationError

from alif.desk import practice, review_slots
from alif.desk.desk_settings import DeskSettings, opt_out, read_settings, store_settings
from alif.desk.office import Office
from tests.desk.conftest import row
from tests.desk.test_review_slots import come_in

ETHICS = [row(f"سوال {n}", f"جواب {n}", "ethics") for n in range(3)]


def test_settings_are_kept_and_those_that_cannot_be_are_refused(office: Office) -> None:
    with office.db.writing() as connection:
        assert read_settings(connection) == DeskSettings()
        store_settings(office.db, connection, planted_percent=5)
        store_settings(office.db, connection, sensitive_tasks=["qa"])
        assert read_settings(connection) == DeskSettings(planted_percent=5, sensitive_tasks=("qa",))
        for changed in ({"planted_percent": 21}, {"norming": "maybe"}, {"colour": 1}):
            with pytest.raises(ValidationError):
                store_settings(office.db, connection, **changed)


def test_who_opts_out_gets_no_sensitive_rows_and_gives_back_those_they_hold(
    make_office: Callable[..., Office], database: str
) -> None:
    office = make_office([*ETHICS, row("سوال", "جواب")], database=database)
    one, other = come_in(office.db, "آمنہ"), come_in(office.db, "زید")
    practice.add_calibration(office.db, ETHICS[0].id, {"decision": "approve", "reasons": [], "note": ""})

    def tasks(who: practice.DeskPerson) -> list[str]:
        return sorted(work["row"].task for work in review_slots.claim_slots(office.db, who))

    def choose(*, out: bool) -> None:
        with office.db.writing() as connection:
            opt_out(office.db, connection, one.id, out=out)
            practice.release_hidden(connection, one)

    choose(out=True)
    assert tasks(one) == ["qa"]  # not even practice
    choose(out=False)
    assert tasks(one) == ["ethics"]
    practice.remove_calibration(office.db, f"calibration {ETHICS[0].id}")
    practice.remove_calibration(office.db, "none")
    assert tasks(one) == ["ethics", "ethics", "qa"]
    choose(out=True)
    assert tasks(one) == ["qa"]
    assert tasks(other) == ["ethics"] * 3
