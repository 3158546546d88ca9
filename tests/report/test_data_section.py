"""The funnel and the coverage of the page: sums that agree with the step, cost per accepted row, gaps."""

from __future__ import annotations

from pathlib import Path

import pytest

from alif import store
from alif.facts.data_facts import GenerateFacts
from alif.report import data_section
from alif.report import page as report
from alif.report.snapshot import read_run
from tests import made_up


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_up.build(tmp_path_factory.mktemp("runs"), until="generate")


@pytest.fixture(scope="module")
def facts(root: Path) -> GenerateFacts:
    found = read_run(root).facts("generate", GenerateFacts)
    assert found is not None
    return found


def test_bars_and_legend_sum_to_the_funnel(facts: GenerateFacts) -> None:
    section = data_section.funnel_section(facts)
    assert section is not None
    assert list(section.groups) == list(section.figures) == ["task", "teacher", "strategy"]
    assert section.legend[0][:2] == ("accepted", "one")
    assert section.legend[-1][:2] == ("other reasons", "other")
    for parts in section.groups.values():
        assert sum(counts.pieces for counts in parts.values()) == facts.funnel.whole.pieces
        for counts in parts.values():
            assert counts.pieces == counts.accepted + sum(counts.dropped.values())
            assert f">{counts.pieces:,}</text>" in "".join(section.figures.values())


def test_where_nothing_was_accepted_a_row_has_no_price(tmp_path: Path, facts: GenerateFacts) -> None:
    root = made_up.build(tmp_path, until="seeds")
    nothing = made_up.funnel_counts(0, {"unparsable": 1}, 1, usd=0.25)
    groups = {"tasks": {"qa": nothing}, "teachers": {"t": nothing}, "strategies": {"plain": nothing}}
    funnel = facts.funnel.model_copy(update={"whole": nothing, **groups})
    empty = facts.coverage.model_copy(update={"rows": 0})
    changed = facts.model_copy(update={"funnel": funnel, "coverage": empty})
    made_up.write_step(root, "generate", changed, 0, {"unparsable": 1})
    page = report.write_report([root]).read_text(encoding="utf-8")
    assert "requests sent" in page
    assert "per accepted row" not in page


def test_a_run_that_has_generated_nothing_has_neither(tmp_path: Path) -> None:
    root = made_up.build(tmp_path, until="seeds")
    assert data_section.funnel_section(None) is None
    assert data_section.coverage_section(None) is None
    page = report.write_report([root]).read_text(encoding="utf-8")
    assert 'id="coverage"' not in page
    assert "requests sent" not in page


def test_a_gap_is_framed_with_what_was_expected_and_nothing_else_is(facts: GenerateFacts) -> None:
    section = data_section.coverage_section(facts)
    assert section is not None
    cells = {(topic, task): cell for topic, row in section.topics.items() for task, cell in row.items()}
    assert [key for key, cell in cells.items() if cell.expected is not None] == [("law", "qa")]
    assert cells["law", "qa"] == (0, 0.0, 4.4)
    assert cells["health", "reasoning"] == (3, 0.188, None)


def test_the_page_shows_figure_and_table_by_task_teacher_and_strategy(root: Path) -> None:
    page = report.write_report([root]).read_text(encoding="utf-8")
    for part in (
        'aria-label="What the teachers wrote, by task:',
        'aria-label="What the teachers wrote, by teacher:',
        'aria-label="What the teachers wrote, by strategy:',
        "$2.00",
        "5 bold keys",
        "<small>of 4</small>",
        "translation is saturated",
        "61 of 90 refused rows",
        "similarity 0.810",
    ):
        assert part in page, part


def test_the_json_holds_what_the_page_shows(root: Path) -> None:
    report.write_report([root])
    found = store.read_json(root / "report.json")
    assert found["funnel"]["teachers"]["dear"]["usd"] == 2.0
    assert found["coverage"]["gaps"] == [{"task": "qa", "topic": "law", "rows": 0, "expected": 4.4}]
    assert found["near_duplicates"]["pairs"] == 1
