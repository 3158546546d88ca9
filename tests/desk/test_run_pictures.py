"""A run as pictures: every number from its files, each table with its n, figures that the policy lets by."""

from __future__ import annotations

from pathlib import Path

import pytest
from markupsafe import Markup

from alif import store
from alif.desk.run_pictures import Picture, draw_rows, draw_training, strict_svg
from alif.records import Dropped, Example, Origin
from alif.report.snapshot import read_run
from tests import made_up


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Picture]:
    root = made_up.build(tmp_path_factory.mktemp("run"), weights=[0.5])
    rows = list(store.read_models(root / "generate" / "examples.jsonl", Example))
    read = [
        row.model_copy(update={"origin": row.origin.model_copy(update={"reviewed_by": "آمنہ"})})
        for row in rows
    ]
    store.write_rows(root / "review" / "examples.jsonl", [*read[:7], *rows[7:]])
    for step, reason, count in (("filter", "too_short", 3), ("review", "rejected_fact", 2)):
        dropped = [Dropped(row=row, reason=reason).record() for row in rows[:count]]
        store.write_rows(root / step / "dropped.jsonl", dropped)
    run = read_run(root)
    return {one.name: one for one in (*draw_rows(run), *draw_training(run))}


def test_rows_in_are_kept_dropped_and_not_sampled(pictures: dict[str, Picture]) -> None:
    funnel = pictures["funnel"]
    assert funnel.rows
    for _, rows_in, kept, dropped, not_sampled, _ in funnel.rows:
        assert rows_in == kept + dropped + not_sampled
    assert funnel.n == sum(row[1] for row in funnel.rows)


def test_rows_are_counted_by_task_teacher_and_what_became_of_them(pictures: dict[str, Picture]) -> None:
    found = pictures["verdicts"]
    assert found.columns == ("task", "teacher", "read", "unread", "rejected", "dropped")
    sums = [sum(row[place] for row in found.rows) for place in (2, 4, 5)]
    assert sums == [7, 2, 3]
    assert {row[1] for row in found.rows} == {"scripted"}
    assert found.n == sum(sum(row[2:]) for row in found.rows)


def test_lengths_and_letters_are_of_the_taught_language_alone(pictures: dict[str, Picture]) -> None:
    lengths, scripts = pictures["lengths"], pictures["scripts"]
    assert lengths.n == scripts.n == sum(row[1] for row in scripts.rows)
    assert lengths.n == sum(sum(row[1:]) for row in lengths.rows)
    for row in scripts.rows:
        assert sum(row[2:5]) == pytest.approx(100, abs=0.02)


def test_trainings_scores_and_merged_models_are_shown_with_their_n(pictures: dict[str, Picture]) -> None:
    assert {"training", "scores", "tradeoff", "requests"} <= set(pictures)
    assert all(one.n > 0 and one.rows for one in pictures.values())
    assert all(len(row) == len(one.columns) for one in pictures.values() for row in one.rows)


def test_figures_have_no_style_of_their_own_and_keep_every_colour(pictures: dict[str, Picture]) -> None:
    figures = [strict_svg(svg) for one in pictures.values() for svg in one.figures if svg]
    assert len(figures) > 8
    for svg in figures:
        assert "style=" not in svg
        assert 'dir="ltr"' in svg
        assert 'fill="var(--' in svg or 'stroke="var(--' in svg
    odd = strict_svg(Markup('<path style="fill: none; stroke-width: 2; font: 12px x"/>'))
    assert odd == '<path fill="none" stroke-width="2"/>'


def test_a_run_that_has_done_nothing_has_no_pictures(tmp_path: Path) -> None:
    root = made_up.build(tmp_path, until="seeds")
    (root / "seeds" / "step.json").unlink()
    assert draw_rows(read_run(root)) == []


def test_a_row_that_no_teacher_wrote_is_in_no_teachers_count(tmp_path: Path) -> None:
    root = made_up.build(tmp_path, until="review")
    row = Example.make("ur", "qa", "سوال", "", "جواب", Origin(kind="source"))
    for step in ("review", "filter", "generate"):
        store.write_rows(root / step / "examples.jsonl", [row])
        store.write_rows(root / step / "dropped.jsonl", [])
    assert "verdicts" not in {one.name for one in draw_rows(read_run(root))}
