"""Who may start a run, with what, after which checks: not by accident, nor forged, nor over the cap."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from alif import recipe as recipes
from alif.desk import run_control
from alif.desk.office import Office, open_office
from alif.runs import Run
from tests import made_up
from tests.desk.conftest import HOSTILE, Site, serving

PRICED = ["teacher.scripted.usd_per_million_in=1.0", "teacher.scripted.usd_per_million_out=1.0"]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Path, str]]:
    """What is started; no process is."""
    found: list[tuple[str, Path, str]] = []
    note = lambda run, path, by: found.append((run.name, path, by))  # noqa: E731
    monkeypatch.setattr(run_control, "start_run", note)
    return found


@pytest.fixture
def new_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A desk of a run that has not begun, with a teacher that costs money."""
    monkeypatch.chdir(tmp_path)
    yield from serve(
        open_office(Run(Path("runs/demo")), recipes.load_recipe(recipes.shipped_recipes()["demo"], PRICED))
    )


def serve(office: Office) -> Iterator[Site]:
    with serving(office) as found:
        yield found
    office.exchange.close()
    office.db.close()


def digest(page: str) -> str:
    found = re.search(r'name="digest" value="(\w+)"', page)
    assert found is not None
    return found[1]


def test_only_leads_fill_in_start_and_stop(new_site: Site, started: list[object]) -> None:
    for role in ("annotator", "judge", "viewer"):
        browser = new_site.person(role, role)
        for path in ("/recipe", "/start"):
            assert browser.get(path)[0] == 403
        for path in ("/recipe", "/start", "/stop"):
            assert browser.post(path, cap="1")[0] == 403
    assert new_site.browser().post("/start")[2]["location"] == "/login"
    assert started == []


def test_a_forged_request_starts_and_changes_nothing(new_site: Site, started: list[object]) -> None:
    lead = new_site.person("زید", "lead")
    body = f"digest={digest(lead.get('/start')[1])}&cap=1"
    foreign: tuple[dict[str, str], ...] = (
        {"Origin": "https://evil.example"},
        {},
        {"Sec-Fetch-Site": "cross-site", "Origin": f"http://{lead.host}"},
    )
    for headers in foreign:
        for path in ("/start", "/stop", "/recipe"):
            assert lead.send("POST", path, body, **headers)[0] == 403
    assert started == []


def test_a_paid_start_needs_the_cap_typed_and_the_recipe_that_was_shown(
    new_site: Site, started: list[object]
) -> None:
    lead = new_site.person("زید", "lead")
    page = lead.get("/start")[1]
    assert "$1.00" in page
    assert 'name="cap"' in page
    shown = digest(page)
    for cap in ("", "0", "10", "x", "nan", "1e0000000001", HOSTILE):
        assert lead.post("/start", digest=shown, cap=cap)[0] == 422
    assert lead.post("/recipe", **{"replay.rows": "9"})[2]["location"] == "/start"
    assert lead.post("/start", digest=shown, cap="1")[0] == 409, "it was changed meanwhile"
    assert lead.post("/start", digest="", cap="1")[0] == 409
    assert started == []
    assert lead.post("/start", digest=digest(lead.get("/start")[1]), cap=" $1.00 ")[0] == 303
    assert started == [("demo", Path("runs/demo/desk_recipe.toml"), "زید")]


def test_the_form_shows_every_key_and_what_was_wrong(new_site: Site) -> None:
    lead = new_site.person("زید", "lead")
    page = lead.get("/recipe")[1]
    recipe = recipes.load_recipe(Path("runs/demo/desk_recipe.toml"))
    assert all(f'name="{key}"' in page for key, *_ in recipes.list_settings(recipe) if key != "name")
    for sent in ({"sources.folder": "/etc"}, {"finetune.schedule": HOSTILE}, {"text": f"x = {HOSTILE}"}):
        status, told, _ = lead.post("/recipe", **sent)
        assert status == 422
        assert next(iter(sent)) in told or "the text" in told
        assert "<img" not in told
    assert recipes.load_recipe(Path("runs/demo/desk_recipe.toml")) == recipe
    many = "&".join(f"k{number}=1" for number in range(3000))
    assert lead.send("POST", "/recipe", many, Origin=f"http://{lead.host}")[0] == 400


def test_what_the_form_writes_passes_alif_check(new_site: Site) -> None:
    lead = new_site.person("زید", "lead")
    assert lead.post("/recipe", **{"replay.rows": "9", "about": "نیا"})[0] == 303
    page = lead.get("/start?check=1")[1]
    assert "کوئی خرابی نہیں ملی" in page
    assert "127.0.0.1" in page, "who would be contacted"
    assert lead.post("/recipe", **{"corpus.source": '["none.jsonl"]'})[0] == 303
    page = lead.get("/start?check=1&gpu=h200")[1]
    assert "none.jsonl" in page
    assert "stage.hours" not in page


def test_drift_is_told_before_anything_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, started: list[object]
) -> None:
    monkeypatch.chdir(tmp_path)
    root = made_up.build(Path("runs"), until="seeds")
    for site in serve(open_office(Run(root), recipes.load_recipe(root / "recipe.toml"))):
        lead = site.person("زید", "lead")
        status, told, _ = lead.post("/start", digest=digest(lead.get("/start")[1]), cap="1")
        assert status == 409
        assert "was built with" in told
        assert lead.post("/stop")[0] == 409
    assert started == []
