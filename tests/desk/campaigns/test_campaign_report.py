"""What a report counts, leaves out and says of agreement and blindness."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from alif.desk.campaigns.ballot_queue import claim_ballots
from alif.desk.campaigns.ballots import cast_ballot, finish_judging, read_answers
from alif.desk.campaigns.campaign_close import close_campaign, read_report
from alif.desk.office import Office
from tests.desk.campaigns.made_campaign import SOURCES, answer_lines, begin, said
from tests.desk.test_review_slots import come_in


def test_judgements_that_were_too_fast_are_left_out_and_counted(
    make_office: Callable[..., Office], tmp_path: Path, database: str
) -> None:
    office = make_office([], database=database)
    campaign_id = begin(office, tmp_path, min_seconds=1.0)
    who = come_in(office.db, "منصف", "judge")
    for number in range(12):
        card = claim_ballots(office.db, who, campaign_id)[0]
        cast_ballot(
            office.db, who, card.id, f"key number {number}", said(dwell_ms=500 if number < 4 else 3000)
        )
    close_campaign(office, campaign_id)
    report = read_report(office, campaign_id)
    assert (report.given, report.too_fast, report.wanted) == (12, 4, 36)
    assert sum(one.judgements for one in report.sources) == 8
    assert report.seconds == 3.0
    assert (report.guesses.share, report.guesses.verdict) == (None, "unsure")
    assert report.agreement["grade"].rows == 0


def test_two_judges_agree_as_far_as_they_do_and_guess_what_they_recognise(
    make_office: Callable[..., Office], tmp_path: Path
) -> None:
    office = make_office([])
    lines = answer_lines(30, SOURCES[:2])
    campaign_id = begin(office, tmp_path, lines, sources=list(SOURCES[:2]), n=30, k=2, second_pass=True)
    by_text = {one["output"].strip(): one["source"] for one in lines}
    for name in ("ایک", "دو"):
        who = come_in(office.db, name, "judge")
        for number in range(60):
            card = claim_ballots(office.db, who, campaign_id)[0]
            grade = "accept" if int(card.prompt, 16) % 2 else "minor"
            cast_ballot(office.db, who, card.id, f"key number {number}", said(grade=grade))
        finish_judging(office.db, who, campaign_id)
        while held := claim_ballots(office.db, who, campaign_id):
            (shown,) = read_answers(office.db, held[:1]).values()
            source = by_text[shown.output.strip()]
            cast_ballot(office.db, who, held[0].id, f"guess {held[0].id}", {"source": source})
    close_campaign(office, campaign_id)
    report = read_report(office, campaign_id)
    grade = report.agreement["grade"]
    assert (grade.rows, grade.raw, grade.alpha) == (60, 1.0, 1.0)
    assert grade.kappa == {"J1, J2": 1.0}
    assert report.agreement["acceptable"].alpha is None  # all are acceptable: undefined, not 1
    assert report.guesses.share is not None
    assert (report.guesses.share.value, report.guesses.share.n) == (1.0, 12)
    assert (report.guesses.chance, report.guesses.verdict) == (0.5, "no")
    assert [letter for letter, _, _ in report.names] == ["A", "B"]
    assert {name for _, name, _ in report.names} == set(SOURCES[:2])
    assert report.seconds == pytest.approx(5.0)
