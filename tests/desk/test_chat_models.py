"""Which models can be talked to, and which addresses a lead may add."""

from __future__ import annotations

from pathlib import Path

import pytest

from alif import recipe as recipes
from alif import store
from alif.desk import chat_store
from alif.desk.chat_models import STUDENT, list_models, read_address
from alif.desk.office import Office
from alif.desk.people import Refused
from alif.runs import Run


def test_the_runs_model_those_added_and_the_recipes_are_offered(office: Office, tmp_path: Path) -> None:
    run, recipe = Run(tmp_path / "new"), recipes.load_recipe(recipes.shipped_recipes()["demo"])
    assert list_models(office.db, run, recipe) == [], "the scripted teacher cannot be talked to"
    store.write_json(run.root / "base" / "base.json", {})
    chat_store.add_address(office.db, "ہمارا", {"model": "m", "base_url": "http://localhost:1/v1"})
    judged = recipes.load_recipe(
        recipes.shipped_recipes()["demo"],
        ['judge.j.model="j"', 'judge.j.base_url="http://localhost:2/v1"', 'system.s.model="hub/name"'],
    )
    found = {one.key: one.settings for one in list_models(office.db, run, judged)}
    assert list(found) == [STUDENT, "address.ہمارا", "judge.j"]
    assert found[STUDENT] is None
    assert found["judge.j"] is not None
    assert found["judge.j"].base_url == "http://localhost:2/v1"


def test_a_price_that_is_left_out_is_unknown(office: Office) -> None:
    typed = {"title": " x ", "model": "m", "base_url": "http://localhost:1/v1"}
    title, model = read_address({**typed, "usd_per_million_in": " ", "usd_per_million_out": "2.5"})
    assert (title, model.usd_per_million_in, model.usd_per_million_out) == ("x", None, 2.5)


@pytest.mark.parametrize(
    "typed",
    [
        {"base_url": "scripted"},
        {"base_url": ""},
        {"base_url": "file:///etc/passwd"},
        {"base_url": "http://user:key@host/v1"},
        {"base_url": "https://host/v1?key=x"},
        {"base_url": "http://ho st/v1"},
        {"model": "  "},
        {"title": ""},
        {"title": "x" * 61},
        {"usd_per_million_in": "-1"},
        {"usd_per_million_in": "nan"},
        {"usd_per_million_out": "free"},
    ],
)
def test_addresses_that_no_request_may_go_to_are_refused(typed: dict[str, str]) -> None:
    with pytest.raises(Refused) as error:
        read_address({"title": "x", "model": "m", "base_url": "http://localhost:1/v1", **typed})
    assert "key@host" not in str(error.value)
