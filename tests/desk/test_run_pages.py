"""The run's pages: those who read rows blind do not see them; live words; nothing hostile is markup."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from alif import recipe as recipes
from alif import store
from alif.desk.office import Office, open_office
from alif.desk.run_pages import duration_words, live_words, show_cell
from alif.desk.run_watch import view_run
from alif.records import Example
from alif.runs import Run
from tests import made_up
from tests.desk.conftest import HOSTILE, Site, serving


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(made_up.build(tmp_path))


@pytest.fixture
def run_site(run: Run) -> Iterator[Site]:
    office = open_office(run, recipes.load_recipe(run.root / "recipe.toml"))
    with serving(office) as found:
        yield found
    office.exchange.close()
    office.db.close()


def test_readers_of_blind_rows_see_no_teachers_and_strangers_nothing(run_site: Site) -> None:
    paths = ("/run", "/run/state.json", "/run/funnel.csv")
    for role, allowed in (("admin", 200), ("lead", 200), ("viewer", 200), ("annotator", 403), ("judge", 403)):
        browser = run_site.person(role, role)
        assert {browser.get(path)[0] for path in paths} == {allowed}, role
        assert ('href="/run"' in browser.get("/guide")[1]) == (allowed == 200)
    assert {run_site.browser().get(path)[2].get("location") for path in paths} == {"/login"}


def test_every_picture_has_its_n_and_its_table_as_csv(run_site: Site) -> None:
    viewer = run_site.person("ناظر", "viewer")
    page = viewer.get("/run")[1]
    assert page.count("n = ") >= 6
    assert page.count("<svg viewBox") >= 8
    assert "style=" not in page
    assert "<script>" not in page
    rows = list(csv.reader(io.StringIO(viewer.get("/run/funnel.csv")[1])))
    assert rows[0][:3] == ["step", "rows_in", "kept"]
    assert all(int(row[1]) == sum(map(int, row[2:5])) for row in rows[1:])
    for name in ("none", "..", "%2e%2e%2fledger", "../../recipe"):
        assert viewer.get(f"/run/{name}.csv")[0] == 404


def test_hostile_texts_of_a_run_are_only_text(run: Run, run_site: Site) -> None:
    rows = list(store.read_models(run.root / "blend" / "examples.jsonl", Example))
    hostile = [row.model_copy(update={"task": f"=1+1{HOSTILE}"}) for row in rows]
    for step in ("blend", "review", "filter", "generate"):
        store.write_rows(run.root / step / "examples.jsonl", hostile)
    run.write_note("judge", "failed", 1.0, HOSTILE)
    (run.root / "judge" / "step.json").unlink(missing_ok=True)
    viewer = run_site.person("ناظر", "viewer")
    page = viewer.get("/run")[1]
    assert "<img" not in page
    assert "<script>document" not in page
    cells = [row[0] for row in csv.reader(io.StringIO(viewer.get("/run/scripts.csv")[1]))]
    assert any(cell.startswith("'=1+1") for cell in cells)


def test_the_live_words_follow_the_run(run: Run, make_office: Callable[..., Office]) -> None:
    office = make_office(name="demo", rows=[])
    t = office.texts["en"]
    recipe = recipes.load_recipe(run.root / "recipe.toml")

    def words() -> dict[str, str | float | None]:
        return live_words(view_run(run, recipe), t)

    assert words()["state"] == t["states"]["done"]
    assert words()["spent"] == "$0 / $1.00"
    with run.locked():
        assert words() | {"state": "running", "work": "–", "left": "", "share": None} == words()
        note = {"name": "replay", "done": 30, "total": 60, "unit": "rows", "paces": [1.0, 0.25]}
        store.write_json(run.progress, note)
        assert words() | {"work": "replay", "done": "30 / 60 rows", "share": 0.5} == words()
        assert words()["left"] == "about 30.0 s to 2 min left for this step"
        store.write_json(run.progress, {**note, "total": 0})
        assert (words()["share"], words()["left"]) == (None, t["run"]["left_unknown"])
    assert duration_words(7500, office.texts["ur"]) == "2 گھنٹے 05 منٹ"
    assert [show_cell("usd", None, t), show_cell("usd", 0.0, t), show_cell("n", None, t)] == ["?", "$0", "–"]


def test_a_run_that_has_not_begun_has_a_page_too(make_office: Callable[..., Office]) -> None:
    with serving(make_office(rows=[])) as site:
        page = site.person("ناظر", "viewer").get("/run")[1]
    assert "شروع نہیں ہوا" in page


def test_a_damaged_file_of_the_run_is_told_by_its_name(run: Run, run_site: Site) -> None:
    (run.root / "blend" / "step.json").write_text("{")
    status, page, _ = run_site.person("ناظر", "viewer").get("/run")
    assert status == 500
    assert "step.json" in page
    assert "Remove that folder" in page
