"""The funnel and the coverage of the page: sums that agree with the step, money per accepted row, holes that are seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from alif import store
from alif.data.synthesis.funnel import Funnel
from alif.llm import Reply
from alif.report import data_section
from alif.report import page as report
from alif.report.snapshot import RunSnapshot, read_run
from tests import made_up


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_up.build(tmp_path_factory.mktemp("runs"), until="generate")


@pytest.fixture(scope="module")
def run(root: Path) -> RunSnapshot:
    return read_run(root)


def test_each_way_to_tell_the_funnel_sums_to_the_step(root: Path, run: RunSnapshot) -> None:
    found, counts = (
        data_section.funnel_section(run),
        store.read_json(root / "generate" / "step.json")["counts"],
    )
    for group in (found["tasks"], found["teachers"], found["ways"], {"whole": found["whole"]}):
        assert sum(sums["pieces"] for sums in group.values()) == counts["rows_in"]
        assert sum(sums["accepted"] for sums in group.values()) == counts["kept"]
        assert sum(sums["requests"] for sums in group.values()) == found["whole"]["requests"]
        for sums in group.values():
            assert sums["pieces"] == sums["accepted"] + sum(sums["dropped"].values())
    assert found["whole"]["dropped"] == counts["dropped"]
    assert found["whole"]["pieces"] - found["whole"]["parsed"] == counts["dropped"]["truncated"] == 3


def test_money_per_accepted_row_is_the_teacher_s_own(run: RunSnapshot) -> None:
    teachers = data_section.funnel_section(run)["teachers"]
    assert teachers["scripted"]["usd_per_accepted"] == 0.0
    assert teachers["dear"]["usd"] == 2.0
    assert teachers["dear"]["usd_per_accepted"] == pytest.approx(2.0 / teachers["dear"]["accepted"])
    assert data_section.funnel_section(run)["ways"]["reverse"]["usd"] == 0.5


def test_where_nothing_was_accepted_a_row_has_no_price(tmp_path: Path) -> None:
    root = made_up.build(tmp_path, until="seeds")
    funnel = Funnel()
    reply = Reply(text="", finish="stop", model="m", request="r", tokens_in=1, tokens_out=1, cost_usd=0.25)
    funnel.add(("qa", "t", "plain"), reply, 0, ["unparsable"])
    made_up.step(root, "generate", 0, {"unparsable": 1}, funnel=funnel.facts(["qa"]))
    assert data_section.funnel_section(read_run(root))["whole"]["usd_per_accepted"] is None
    assert "an accepted row" not in report.write_report([root]).read_text(encoding="utf-8")


def test_a_run_that_has_generated_nothing_has_neither(tmp_path: Path) -> None:
    root = made_up.build(tmp_path, until="seeds")
    assert data_section.funnel_section(read_run(root)) == {}
    assert data_section.coverage_section(read_run(root)) == {}
    page = report.write_report([root]).read_text(encoding="utf-8")
    assert 'id="coverage"' not in page
    assert "requests sent" not in page


def test_a_hole_is_framed_with_what_was_expected_and_nothing_else_is(run: RunSnapshot) -> None:
    topics = data_section.coverage_section(run)["topics"]
    holes = [
        (topic, task)
        for topic, cells in topics.items()
        for task, cell in cells.items()
        if cell[2] is not None
    ]
    assert holes == [("law", "qa")]
    assert topics["law"]["qa"] == (0, 0.0, 4.4)
    assert topics["health"]["reasoning"] == (3, 0.188, None)


def test_the_page_shows_picture_and_table_by_task_teacher_and_way(root: Path) -> None:
    page = report.write_report([root]).read_text(encoding="utf-8")
    for part in (
        'aria-label="What the teachers wrote, by task:',
        'aria-label="What the teachers wrote, by teacher:',
        'aria-label="What the teachers wrote, by way of asking:',
        "$2.00",
        "5 bold keys",
        "<small>of 4</small>",
        "translation is saturated",
        "61 of 90 refused rows",
        "likeness 0.810",
    ):
        assert part in page, part


def test_the_json_holds_what_the_page_shows(root: Path) -> None:
    report.write_report([root])
    found = store.read_json(root / "report.json")
    assert found["funnel"]["teachers"]["dear"]["usd"] == 2.0
    assert found["coverage"]["holes"] == [{"task": "qa", "topic": "law", "rows": 0, "expected": 4.4}]
    assert found["coverage"]["near_copies"]["pairs"] == 1
