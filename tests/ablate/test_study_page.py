"""Table, picture and page of a study."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from alif import store
from alif.ablate.analysis import Analysis, analyse_study
from alif.ablate.frontier import Choice
from alif.ablate.grid import StudyRun
from alif.ablate.study import Study
from alif.ablate.study_page import draw_picture, recommend, write_study
from tests.ablate.conftest import short_study
from tests.made_up import write_step


def test_the_table_keeps_its_contract(study: StudyRun) -> None:
    document = write_study(study)
    assert store.read_json(study.root / "table.json") == document
    rows = document["rows"]
    assert isinstance(rows, list)
    for row in rows:
        assert {"settings", "seed", "metric", "value", "low", "high", "n"} <= row.keys()
        assert row["low"] <= row["value"] <= row["high"]
    of_seeds = {(row["settings"]["adapter.rank"], row["seed"]) for row in rows}
    assert of_seeds == {(rank, seed) for rank in (4, 16) for seed in (None, 3407, 3408)}
    assert document["failures"] == []
    assert document["recommendation"]


def test_the_page_loads_nothing_and_names_every_point(study: StudyRun) -> None:
    write_study(study)
    page = store.read_text(study.root / "report.html")
    assert "<h1>Which rank?</h1>" in page
    assert not re.search(r'(src|href)="(?!#)', page.replace("xlink:href", "xlink_href"))
    assert "2 training seeds" in page
    assert page.count("reference") > 3


def test_the_picture_stands_alone_in_colours_of_its_own(study: StudyRun) -> None:
    write_study(study)
    text = store.read_text(study.root / "picture.svg")
    assert ElementTree.fromstring(text).tag.endswith("svg")
    assert "var(--" not in text
    assert draw_picture(study, analyse_study(study)).count("aria-label") == 1


def test_rows_are_counted_where_points_differ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = short_study(Study(over={"generate.target_rows": (20, 28)}, seeds=1))
    for sibling, kept in zip(found.siblings, (28, 20), strict=True):
        write_step(sibling.run.root, "generate", None, kept, {"near_duplicate": 3})
        write_step(sibling.run.root, "replay", None, 8)
    data = write_study(found)["data"]
    assert data == {
        "generate": [
            {"settings": {"generate.target_rows": rows}, "rows_in": rows + 3, "kept": rows}
            | {"dropped": {"near_duplicate": 3}}
            for rows in (28, 20)
        ]
    }
    assert "3 near duplicate" in store.read_text(found.root / "report.html")


def test_it_recommends_only_where_it_is_sure(study: StudyRun) -> None:
    def told(within: bool, **probability: float) -> str:
        analysis: Analysis = replace(analyse_study(study), choice=Choice(probability, within))
        return recommend(study, analysis)

    assert told(True, a=0.97, b=0.03).startswith("Take a (probability 0.97 of being the best): the most Urdu")
    unsure = told(False, a=0.6, b=0.38, c=0.02)
    assert unsure.startswith("The data cannot tell which is the best (a 0.60, b 0.38; 0.95 would be enough)")
    assert "every point loses more English than the margin of 2 %" in unsure
    assert told(True, a=1.0) == "Only one point is measured: there is nothing to choose from."
    alone = replace(study, study=study.study.model_copy(update={"seeds": 1}))
    one = recommend(alone, replace(analyse_study(study), choice=Choice({"a": 1.0, "b": 0.0}, True)))
    assert one.startswith(
        "The data cannot tell which is the best from one training each; by the items alone a 1.00"
    )
    nothing = recommend(study, replace(analyse_study(study), choice=None))
    assert nothing.startswith("Nothing can be recommended")


def test_what_failed_stands_on_the_page_and_in_the_table(study: StudyRun) -> None:
    wider = replace(
        study,
        siblings=(
            *study.siblings,
            replace(study.siblings[0], run=replace(study.siblings[0].run, root=study.root / "gone")),
        ),
    )
    document = write_study(wider)
    failures = document["failures"]
    assert isinstance(failures, list)
    assert [(one["step"], one["state"]) for one in failures] == [("seeds", "todo")]
    assert "gone is not finished: seeds todo" in store.read_text(study.root / "report.html")
    write_study(study)
