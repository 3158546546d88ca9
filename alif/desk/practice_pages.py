"""Pages of practice and checks: what a lead sets, rows with known answers, norming, how each reader reads."""

from __future__ import annotations

import sqlalchemy as sa
from pydantic import ValidationError
from starlette.responses import Response

from alif.desk import practice
from alif.desk.adjudication import measure_agreement
from alif.desk.cards import fields_of
from alif.desk.database import item
from alif.desk.decisions import MAX_NOTE
from alif.desk.desk_settings import opt_out, read_settings, store_settings
from alif.desk.people import Refused
from alif.desk.reader_quality import SHARES, measure_readers
from alif.desk.visit import Page, Visit
from alif.language.marked_text import mark_text
from alif.records import Example

__all__ = ["PAGES"]

NORMING_ROWS = 30
MOST_NORMING = 200


def show_practice(visit: Visit) -> Response:
    """Show a lead the settings, the rows with known answers, and a row that may become one."""
    office, after = visit.office, visit.request.query_params.get("after", "")
    of_run = sa.select(item.c.id, item.c.row, item.c.flags).where(item.c.kind == "row")
    taken = sa.select(sa.func.substr(item.c.id, len("calibration ") + 1)).where(
        item.c.kind == "calibration", item.c.state == "open"
    )
    free = of_run.where(item.c.id.not_in(taken)).order_by(item.c.id).limit(1)
    with office.db.reading() as connection:
        found = connection.execute(free.where(item.c.id > after)).first() or connection.execute(free).first()
        tasks = connection.scalars(sa.select(item.c.task).where(item.c.kind == "row").distinct()).all()
        settings = read_settings(connection)
        calibration = [
            (name, one, known, *(mark_text(text, office.packs.get(one.language))
                                 for text in (one.instruction, known["note"])))
            for name, one, known in practice.list_calibration(connection)
        ]  # fmt: skip
        norming = practice.count_norming(connection)
    row = Example.model_validate_json(found.row) if found else None
    return visit.page(
        "practice.html", settings=settings, calibration=calibration, norming=norming, row=row,
        fields=fields_of(row, office.packs) if row else [], flags=found.flags if found else [],
        tasks=sorted({*tasks, *settings.sensitive_tasks}), norming_rows=NORMING_ROWS,
    )  # fmt: skip


def change_practice(visit: Visit) -> Response:
    """Store what a lead has set."""
    form = visit.form
    try:
        with visit.office.db.writing() as connection:
            sensitive = [name.removeprefix("task_") for name in form if name.startswith("task_")]
            percent = int(form.get("planted_percent", ""))
            changed = {"sensitive_tasks": sensitive, "planted_percent": percent}
            store_settings(visit.office.db, connection, **changed)
    except (ValueError, ValidationError) as error:
        raise Refused("not_understood", 400) from error
    return visit.redirect("/practice")


def add_calibration(visit: Visit) -> Response:
    """Keep the row with its known answer for annotators to practise on."""
    form, office = visit.form, visit.office
    decision, reason = form.get("decision", ""), form.get("reason", "")
    note = form.get("note", "").strip()
    if decision not in ("approve", "edit", "reject") or len(note) > MAX_NOTE:
        raise Refused("not_understood", 400)
    if decision == "reject" and reason not in office.reasons:
        raise Refused("needs_reason")
    known = practice.Known(decision=decision, reasons=[reason] if decision == "reject" else [], note=note)
    item_id = visit.request.path_params["item"]
    practice.add_calibration(office.db, item_id, known)
    return visit.redirect(f"/practice?after={item_id}#candidate")


def remove_calibration(visit: Visit) -> Response:
    """Take a row out of practice."""
    practice.remove_calibration(visit.office.db, visit.form.get("item", ""))
    return visit.redirect("/practice")


def change_norming(visit: Visit) -> Response:
    """Draw the rows that everybody reads first, or show what came of them and let the work begin."""
    rows = visit.form.get("rows", "")
    if visit.form.get("act") == "close":
        practice.close_norming(visit.office.db)
    elif rows.isascii() and rows.isdecimal() and 0 < int(rows) <= MOST_NORMING:
        practice.draw_norming(visit.office.db, int(rows))
    else:
        raise Refused("not_understood", 400)
    return visit.redirect("/practice")


def show_norming(visit: Visit) -> Response:
    """Show how far readers agreed on what all read, once that is over and the visitor has read it too."""
    office = visit.office
    with office.db.reading() as connection:
        is_over = read_settings(connection).norming == "closed" and practice.has_read(
            connection, visit.person
        )
        rows = practice.list_norming(connection) if is_over else []
    agreement = measure_agreement(office.db, "norming")
    shown = [(one, fields_of(one.row, office.packs)) for one in rows if len(one.decisions) > 1]
    return visit.page("norming.html", is_over=is_over, rows=shown, agreement=agreement)


def show_readers(visit: Visit) -> Response:
    """Show a lead how each reader reads."""
    with visit.office.db.reading() as connection:
        readers = measure_readers(connection)
    return visit.page("readers.html", readers=readers, shares=SHARES)


def change_opt_out(visit: Visit) -> Response:
    """Have the visitor get no sensitive rows, or get them again; nobody is asked why."""
    with visit.office.db.writing() as connection:
        opt_out(visit.office.db, connection, visit.person.id, out=visit.form.get("out") == "yes")
        practice.release_hidden(connection, visit.person)
    return visit.redirect("/review")


PAGES: list[Page] = [
    ("GET", "/practice", show_practice, "lead"),
    ("POST", "/practice", change_practice, "lead"),
    ("POST", "/practice/calibration/{item}", add_calibration, "lead"),
    ("POST", "/practice/remove", remove_calibration, "lead"),
    ("POST", "/practice/norming", change_norming, "lead"),
    ("GET", "/norming", show_norming, "annotator"),
    ("GET", "/readers", show_readers, "lead"),
    ("POST", "/review/opt-out", change_opt_out, "annotator"),
]
