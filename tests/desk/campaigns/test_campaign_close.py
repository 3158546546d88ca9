"""A whole campaign over HTTP: what made judges say is what the report finds, and the files stand alone."""

from __future__ import annotations

import itertools
import json
import random
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from alif.desk.campaigns.campaign_close import close_campaign, read_report
from alif.desk.campaigns.campaign_report import CampaignReport
from alif.desk.office import Office
from alif.desk.people import Refused
from alif.row_shape import split_pair
from tests.desk.campaigns.made_campaign import SOURCES, answer_lines, begin, said
from tests.desk.conftest import Browser, serving

ACCEPTED = dict(zip(SOURCES, (0.9, 0.7, 0.4), strict=True))
"""What the made teachers are worth."""

Card = Mapping[str, Any]


def judge_all(
    browser: Browser, campaign_id: str, decide: Callable[[Card], dict[str, Any]], key: str = "key"
) -> list[Card]:
    """Judge everything by script; return the cards in their order."""
    judged: list[Card] = []
    keys = (f"{key} number {number}" for number in itertools.count())
    while cards := browser.call(f"judging/{campaign_id}/claim")[1]["cards"]:
        for card in cards:
            body = {**decide(card), "ballot": card["ballot"], "key": next(keys)}
            assert browser.call(f"judging/{campaign_id}/judgement", **body) == (200, {"repeated": False})
            judged.append(card)
    return judged


def guess_all(browser: Browser, campaign_id: str, source_of: Mapping[str, str]) -> None:
    """Guess one source in three right."""
    assert browser.call(f"judging/{campaign_id}/finish")[0] == 200
    guessed = itertools.count()

    def guess(card: Card) -> dict[str, Any]:
        right = source_of[card["answers"][0]["text"]]
        wrong = next(name for name in card["names"] if name != right)
        return {"source": wrong if next(guessed) % 3 else right}

    cards = judge_all(browser, campaign_id, guess, "guess")
    assert [card["kind"] for card in cards] == ["guess"] * 6


def draw(number: int, card: Card) -> random.Random:
    """What a judge of this number makes of a card: the same in each run, whatever the order of the cards."""
    return random.Random(f"{number} {card['answers'][0]['text']}")


def test_an_audit_recovers_the_order_and_the_intervals_cover(
    make_office: Callable[..., Office], tmp_path: Path
) -> None:
    """Three made teachers of known acceptance, three scripted judges who err now and then, over HTTP."""
    lines = answer_lines(45)
    truth = random.Random(3)
    good = {one["output"]: truth.random() < ACCEPTED[one["source"]] for one in lines}
    office = make_office([])
    campaign_id = begin(office, tmp_path, lines, n=45, k=1, bar=0.6)
    with serving(office) as site:
        for number in range(3):
            browser = site.person(f"منصف {number}", "judge")

            def decide(card: Card, number: int = number) -> dict[str, Any]:
                fine = good[card["answers"][0]["text"]] != (draw(number, card).random() < 0.03)
                return said(grade="accept" if fine else "major", flags=[] if fine else ["fact"])

            cards = judge_all(browser, campaign_id, decide)
            assert len(cards) == len({str(card["asked"]) for card in cards}) == 45  # no prompt twice
            guess_all(browser, campaign_id, {one["output"]: one["source"] for one in lines})
        admin = site.person("منتظم", "admin")
        assert admin.post(f"/campaigns/{campaign_id}/close")[0] == 303
        page = admin.get(f"/campaigns/{campaign_id}")[1]
    report = read_report(office, campaign_id)
    found = {one.source: one for one in report.sources}
    shares = [found[name].acceptance for name in SOURCES]
    assert [one.value for one in shares if one] == sorted((one.value for one in shares if one), reverse=True)
    for name, interval in zip(SOURCES, shares, strict=True):
        assert interval is not None
        assert interval.low <= ACCEPTED[name] <= interval.high
        assert interval.n == 45
        assert found[name].grades["major"] == round(45 * found[name].flags["fact"].value)
    assert (found[SOURCES[0]].reaches_bar, found[SOURCES[2]].reaches_bar) == ("yes", "no")
    first, last = found[SOURCES[0]], found[SOURCES[2]]
    assert first.usd_per_accepted_row is not None
    assert first.acceptance is not None
    assert first.usd_per_accepted_row.value == pytest.approx(0.001 / first.acceptance.value)
    change = next(
        one for one in report.differences if (one.source, one.against) == (first.source, last.source)
    )
    assert change.p_holm < 0.01
    assert change.difference.low > 0
    assert (report.given, report.wanted, report.judges) == (135, 135, 3)
    assert report.guesses.share is not None
    assert report.guesses.share.value == pytest.approx(report.guesses.chance, abs=1e-6)
    assert (report.guesses.share.n, report.guesses.verdict) == (18, "unsure")
    assert all(name in page for name in SOURCES)
    assert page.index("-teacher") > page.rindex("</h2>")


def test_two_equal_models_are_even_and_a_preference_for_a_side_shows(
    make_office: Callable[..., Office], tmp_path: Path
) -> None:
    """Judges who like the right-hand side and else toss a coin; ties and both bad now and then."""
    lines = answer_lines(40, SOURCES[:2])
    office = make_office([])
    campaign_id = begin(office, tmp_path, lines, kind="ab", sources=list(SOURCES[:2]), n=40, k=2)
    with serving(office) as site:
        for number in range(2):
            browser = site.person(f"منصف {number}", "judge")

            def decide(card: Card, number: int = number) -> dict[str, Any]:
                assert len(card["answers"]) == 2
                rng = draw(number, card)
                return {
                    "side": rng.choices(("right", "left", "equal", "bad"), (60, 25, 10, 5))[0],
                    "dwell_ms": 900,
                }

            cards = judge_all(browser, campaign_id, decide)
            assert len(cards) == 44  # one pair in ten twice
        close_campaign(office, campaign_id)
    report = read_report(office, campaign_id)
    assert report.preferences is not None
    (pair,) = report.preferences.pairs
    assert pair.share.low <= 0.5 <= pair.share.high
    assert pair.votes == 80
    assert pair.votes == pair.wins + pair.losses + pair.equal + pair.bad
    right = report.preferences.right_share
    assert right is not None
    assert right.low > 0.5
    assert report.preferences.consistency is not None
    assert report.preferences.consistency.n == 8
    assert report.preferences.consistency.value < 0.75
    assert report.agreement["winner"].rows == 40


def test_a_better_model_wins_and_its_answers_are_preference_pairs(
    make_office: Callable[..., Office], tmp_path: Path
) -> None:
    lines = answer_lines(20)
    office = make_office([])
    campaign_id = begin(office, tmp_path, lines, kind="ab", n=20, k=1)
    strength = {1: 2, 2: 1, 3: 0}  # by the words of a made answer
    with serving(office) as site:
        for number in range(3):

            def decide(card: Card, number: int = number) -> dict[str, Any]:
                left, right = (strength[one["text"].count("لفظ")] for one in card["answers"])
                better = "left" if left > right else "right"
                return {"side": better if draw(number, card).random() < 0.85 else "equal"}

            judge_all(site.person(f"منصف {number}", "judge"), campaign_id, decide)
        close_campaign(office, campaign_id)
    report = read_report(office, campaign_id)
    assert report.preferences is not None
    assert [one.share.low > 0.5 for one in report.preferences.pairs] == [True] * 3
    strengths = report.preferences.strengths
    assert sorted(strengths, key=lambda name: -strengths[name].value) == list(SOURCES)
    assert report.preferences.longer_share is not None
    assert report.preferences.longer_share.value == 0.0
    folder = office.folder.root / "campaigns" / "first"
    pairs = [json.loads(line) for line in (folder / "pairs.jsonl").read_text("utf-8").splitlines()]
    assert len(pairs) > 40
    for values in pairs:
        row, rejected = split_pair(values)
        assert row["output"].count("لفظ") < rejected.count("لفظ")
        assert row["instruction"].startswith("سوال")


def test_files_stand_without_the_desk_and_say_what_was_planned(
    make_office: Callable[..., Office], tmp_path: Path
) -> None:
    office = make_office([])
    campaign_id = begin(office, tmp_path, k=1, second_pass=True)
    with serving(office) as site:
        judge_all(site.person("منصف", "judge"), campaign_id, lambda card: said(edit="بہتر جواب", note="<b>"))
        with pytest.raises(Refused, match="not_closed"):
            read_report(office, campaign_id)
        close_campaign(office, campaign_id)
        with pytest.raises(Refused, match="not_open"):
            close_campaign(office, campaign_id)
    folder = office.folder.root / "campaigns" / "first"
    report = CampaignReport.model_validate_json((folder / "report.json").read_text("utf-8"))
    assert report.given == 36
    assert report.sources[0].edited == 12
    lines = [json.loads(line) for line in (folder / "judgements.jsonl").read_text("utf-8").splitlines()]
    assert {one["source"] for one in lines} == set(SOURCES)
    assert {one["judge"] for one in lines} == {"J1"}
    assert "منصف" not in (folder / "judgements.jsonl").read_text("utf-8")
    for language in ("ur", "en"):
        page = (folder / f"report.{language}.html").read_text("utf-8")
        assert not re.search(r'(?:src|href)="|url\("/', page)
        assert "data:font/woff2" in page
        assert ".facts{" in page
        names = page.index("zebra-teacher")
        assert all(page.index(name) > page.rindex("</h2>") for name in SOURCES), names
        assert report.sha256 in page
