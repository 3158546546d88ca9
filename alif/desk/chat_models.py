"""The models that can be talked to: the run's own, those that a lead added, and those of the recipe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from pydantic import ValidationError

from alif.desk.chat_store import list_addresses
from alif.desk.chat_student import has_model
from alif.desk.database import Database
from alif.desk.people import Refused
from alif.errors import AlifError
from alif.llm import endpoint
from alif.runs import Run
from alif.settings import Endpoint, Recipe, Teacher

__all__ = ["STUDENT", "ChatModelEntry", "list_models", "read_address"]

STUDENT = "student"
"""The run's own model, among the models' keys."""
MOST_TITLE = 60
PRICES = ("usd_per_million_in", "usd_per_million_out")


class ChatModelEntry(NamedTuple):
    """A model that can be chosen for a chat."""

    key: str
    title: str
    settings: Teacher | None
    """None: the run's own."""


def list_models(db: Database, run: Run, recipe: Recipe) -> list[ChatModelEntry]:
    """Return the models that can be talked to: the run's, those that were added, and those of the recipe."""
    found = [ChatModelEntry(STUDENT, run.name, None)] if has_model(run) else []
    for title, settings in list_addresses(db).items():
        found.append(ChatModelEntry(f"address.{title}", title, Teacher.model_validate(settings)))
    tables: Mapping[str, Mapping[str, Endpoint]] = {
        "teacher": recipe.teacher,
        "system": recipe.system,
        "judge": recipe.judge,
    }
    for table, endpoints in tables.items():
        for name, one in endpoints.items():
            if one.base_url not in ("", endpoint.SCRIPTED):
                fields = one.model_dump(include=set(Endpoint.model_fields))
                found.append(ChatModelEntry(f"{table}.{name}", f"{table}.{name}", Teacher(**fields)))
    return found


def read_address(form: Mapping[str, str]) -> tuple[str, Teacher]:
    """Return title and settings of a model that was typed; a price that was left out is unknown, not 0.

    Raises:
        Refused: no title, no model, or no address that a request may be sent to.
    """
    title = form.get("title", "").strip()
    if not 0 < len(title) <= MOST_TITLE:
        raise Refused("bad_name")
    typed = {key: text for key in ("model", "base_url", *PRICES) if (text := form.get(key, "").strip())}
    try:
        model = Teacher.model_validate(typed)
        endpoint.validate_endpoint("chat", model)
    except ValidationError as error:
        raise Refused("bad_address") from error
    except AlifError as error:
        raise Refused("bad_address", 422, f"{error.message}. {error.hint}") from error
    if "base_url" not in typed or model.base_url == endpoint.SCRIPTED:
        raise Refused("bad_address")
    return title, model
