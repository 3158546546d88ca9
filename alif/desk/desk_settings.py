"""What a lead sets for the readers of a run, and what each reader chose: kept in the desk's tables."""

from __future__ import annotations

from typing import Literal

import sqlalchemy as sa
from pydantic import Field

from alif.desk.database import TABLES, Database
from alif.records import FrozenModel

__all__ = ["DeskSettings", "has_opted_out", "opt_out", "read_settings", "store_settings"]

setting = sa.Table(
    "setting",
    TABLES,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.JSON, nullable=False),
)
opted_out = sa.Table(
    "opted_out", TABLES, sa.Column("person_id", sa.ForeignKey("person.id"), primary_key=True)
)
"""Who reads no sensitive rows; nobody is asked why."""


class DeskSettings(FrozenModel):
    """How a run is read."""

    sensitive_tasks: tuple[str, ...] = ("ethics",)
    """Rows of these tasks are blurred until a key is pressed, and may be opted out of."""
    planted_percent: int = Field(0, ge=0, le=20)
    """Checks for every hundred rows that an annotator reads: half of them have a planted error."""
    norming: Literal["none", "open", "closed"] = "none"
    """Whether the rows that everybody reads first are drawn, and whether agreement on them is shown."""


def read_settings(connection: sa.Connection) -> DeskSettings:
    """Return what was set, defaults for the rest."""
    return DeskSettings.model_validate(dict(connection.execute(sa.select(setting)).all()))


def store_settings(db: Database, connection: sa.Connection, **changed: object) -> None:
    """Store what was changed.

    Raises:
        ValidationError: a value that cannot be.
    """
    values = read_settings(connection).model_dump(mode="json") | changed
    for name, value in DeskSettings.model_validate(values).model_dump(mode="json").items():
        db.upsert(connection, setting, {"name": name}, {"value": value})


def has_opted_out(connection: sa.Connection, person_id: int) -> bool:
    """Tell whether a person reads no sensitive rows."""
    known = opted_out.c.person_id == person_id
    return connection.scalar(sa.select(opted_out.c.person_id).where(known)) is not None


def opt_out(db: Database, connection: sa.Connection, person_id: int, *, out: bool) -> None:
    """Have a person read no sensitive rows from now on, or all rows again."""
    if out:
        db.upsert(connection, opted_out, {"person_id": person_id}, {})
    else:
        connection.execute(opted_out.delete().where(opted_out.c.person_id == person_id))
