"""Pages of blind campaigns: their list, one card at a time for judges, the report after the close.

Before the close nothing here names a source but the plan, which an admin sees, and the guesses at the end.
"""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import JSONResponse, Response

from alif.desk.campaigns import ballots
from alif.desk.campaigns.ballot_queue import Slot, claim_ballots, find_held
from alif.desk.campaigns.campaign_close import close_campaign, read_report
from alif.desk.campaigns.campaign_plan import ASPECTS, GRADES, measure_power
from alif.desk.campaigns.campaign_store import find_campaign, list_campaigns, start_campaign
from alif.desk.campaigns.judgement import FLAGS
from alif.desk.people import Refused
from alif.desk.visit import Page, Visit
from alif.language.bidi import text_direction
from alif.language.marked_text import mark_changes, mark_text

__all__ = ["PAGES"]


def show_campaigns(visit: Visit) -> Response:
    """List all campaigns; an admin sees their plans and what they can show."""
    found = list_campaigns(visit.office.db)
    own = ballots.count_own(visit.office.db, visit.person)
    rows = [(one, own[one.id], measure_power(one.plan)) for one in found]
    return visit.page("campaigns.html", campaigns=rows)


def start(visit: Visit) -> Response:
    """Let judges begin."""
    start_campaign(visit.office.db, visit.request.path_params["campaign"])
    return visit.redirect("/campaigns")


def close(visit: Visit) -> Response:
    """End a campaign and show its report."""
    campaign_id = visit.request.path_params["campaign"]
    close_campaign(visit.office, campaign_id)
    return visit.redirect(f"/campaigns/{campaign_id}")


def show_report(visit: Visit) -> Response:
    """Show what a closed campaign found."""
    report = read_report(visit.office, visit.request.path_params["campaign"])
    return visit.page("campaign_report.html", report=report, pack=visit.office.pack)


def show_judging(visit: Visit) -> Response:
    """Show the empty card of an open campaign, which the browser fills."""
    found = find_campaign(visit.office.db, visit.request.path_params["campaign"])
    if found.state != "open":
        raise Refused("not_open", 409)
    shown = {"title": found.plan.title, "rubric": found.plan.rubric, "kind": found.plan.kind}
    return visit.page("judging.html", campaign=found.id, **shown, grades=GRADES, aspects=ASPECTS, flags=FLAGS)


def claim(visit: Visit) -> Response:
    """Answer the cards that the person holds now."""
    office, campaign_id = visit.office, visit.request.path_params["campaign"]
    held = claim_ballots(office.db, visit.person, campaign_id)
    own = ballots.count_own(office.db, visit.person)[campaign_id]
    return JSONResponse({"cards": _cards_of(visit, held), **own})


def judge(visit: Visit) -> Response:
    """Store a judgement; the same key again is answered the same."""
    ballot_id, key = (str(visit.json.get(name)) for name in ("ballot", "key"))
    repeated = ballots.cast_ballot(visit.office.db, visit.person, ballot_id, key, visit.json)
    return JSONResponse({"repeated": repeated})


def undo(visit: Visit) -> Response:
    """Take back the person's last judgement."""
    campaign_id, key = visit.request.path_params["campaign"], str(visit.json.get("key"))
    found = ballots.take_back(visit.office.db, visit.person, campaign_id, key)
    return JSONResponse({"cards": _cards_of(visit, found)})


def put_off(visit: Visit) -> Response:
    """Leave a card to somebody else."""
    ballot_id, key = (str(visit.json.get(name)) for name in ("ballot", "key"))
    ballots.put_off(visit.office.db, visit.person, ballot_id, key)
    return JSONResponse({})


def finish(visit: Visit) -> Response:
    """End the person's judging: what comes is guesses."""
    ballots.finish_judging(visit.office.db, visit.person, visit.request.path_params["campaign"])
    return JSONResponse({})


def preview(visit: Visit) -> Response:
    """Answer an edit as readers will see it, and what it changes."""
    text = visit.json.get("text")
    held = find_held(visit.office.db, visit.person, str(visit.json.get("ballot")))
    if not isinstance(text, str) or not held:
        raise Refused("lease_lost", 409)
    answer = ballots.read_answers(visit.office.db, held)[held[0].answers[0]]
    pack = visit.office.packs.get(answer.language)
    return JSONResponse({"view": mark_text(text, pack), "changes": mark_changes(answer.output, text, pack)})


PAGES: list[Page] = [
    ("GET", "/campaigns", show_campaigns, "viewer"),
    ("GET", "/campaigns/{campaign}", show_report, "viewer"),
    ("POST", "/campaigns/{campaign}/start", start, "admin"),
    ("POST", "/campaigns/{campaign}/close", close, "admin"),
    ("GET", "/judging/{campaign}", show_judging, "judge"),
    ("POST", "/api/judging/{campaign}/claim", claim, "judge"),
    ("POST", "/api/judging/{campaign}/judgement", judge, "judge"),
    ("POST", "/api/judging/{campaign}/undo", undo, "judge"),
    ("POST", "/api/judging/{campaign}/later", put_off, "judge"),
    ("POST", "/api/judging/{campaign}/finish", finish, "judge"),
    ("POST", "/api/judging/{campaign}/preview", preview, "judge"),
]


def _cards_of(visit: Visit, held: Sequence[Slot]) -> list[dict[str, object]]:
    """Return cards as the browser gets them: texts in their places, random ids, names only where to guess."""
    office, cards = visit.office, list[dict[str, object]]()
    answers = ballots.read_answers(office.db, held)
    for one in held:
        shown = [answers[name] for name in one.answers]
        pack = office.packs.get(shown[0].language)
        asked = [
            [
                {"name": name, "view": mark_text(text, pack)}
                for name, text in (("instruction", answer.instruction), ("input", answer.input))
                if text
            ]
            for answer in shown
        ]
        card = {
            "ballot": one.id,
            "kind": "guess" if one.kind == "guess" else "pair" if len(shown) > 1 else "answer",
            "task": shown[0].task,
            "language": shown[0].language,
            "dir": pack.direction if pack else text_direction(shown[0].output, "ltr"),
            "asked": asked[:1] if asked[0] == asked[-1] else asked,
            "answers": [{"text": one.output, "view": mark_text(one.output, pack)} for one in shown],
        }
        if one.kind == "guess":
            plan = find_campaign(office.db, visit.request.path_params["campaign"]).plan
            card["names"] = sorted(plan.sources)
        cards.append(card)
    return cards
