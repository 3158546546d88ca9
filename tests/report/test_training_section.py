"""The page's part on training: from the curves alone, of a running training too."""

from __future__ import annotations

from pathlib import Path

import pytest

from alif import store
from alif.report import page as report
from alif.report import plots
from alif.report.plots import CURVE_POINTS, PlotLine
from alif.report.snapshot import read_run
from alif.report.training_section import training_section
from tests import made_up


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return made_up.build(tmp_path, "one")


def curve(run: Path, step: str, rows: list[dict[str, object]]) -> None:
    store.write_rows(run / "runtime" / step / "curve.jsonl", rows)


def test_the_table_tells_speed_gradients_and_on_a_gpu_memory(run: Path) -> None:
    rows = [
        {
            "step": n,
            "loss": 3.0 - n,
            "tokens": 10 * n,
            "tokens_per_s": 100.0 * n,
            "gradient_norm": n / 10,
            "memory_gb": 40 + n,
        }
        for n in range(1, 4)
    ]
    curve(run, "pretrain", [{**row, "peak_share": 0.4} for row in rows])
    found = training_section(read_run(run))
    told = found.rows["stage 1: text"]
    assert told == {
        "steps": 3, "useful tokens": 30, "tokens/s": 200, "loss": 0.0, "gradient norm": 0.2, "largest": 0.3,
        "GPU memory, GB": 43, "% of peak FLOPS": 40.0, "margin": None, "% preferred": None,
    }  # fmt: skip
    page = report.write_report([run]).read_text(encoding="utf-8")
    assert "GPU memory, GB" in page
    curve(run, "pretrain", [{key: row[key] for key in ("step", "loss")} for row in rows])
    assert "GPU memory, GB" not in report.write_report([run]).read_text(
        encoding="utf-8"
    )  # a column that nothing stands in


def test_evaluations_and_samples_stand_side_by_side_right_to_left(run: Path) -> None:
    found = training_section(read_run(run))
    assert "Urdu: 2.800 to 2.200" in found.heldout
    assert "English: 2.150 to 2.250" in found.heldout
    assert [list(written) for written in found.samples["stage 1: text"].values()] == [[60, 120, 180]]
    page = report.write_report([run]).read_text(encoding="utf-8")
    part = page[page.index("What it wrote: stage 1") :]
    assert '<div class="text" lang="ur" dir="rtl"><p dir="rtl">' in part[: part.index("</article>")]
    assert '<bdi dir="ltr">step 120</bdi>' in part


def test_of_many_evaluations_first_middle_and_last_are_shown(run: Path) -> None:
    rows = [
        {
            "step": n,
            "loss": 2.0,
            "bits_per_byte": {"ur": 2.0},
            "samples": [{"prompt": "a", "text": str(n) if n != 5 else ""}],
        }
        for n in range(1, 10)
    ]
    curve(run, "pretrain", rows)
    samples = training_section(read_run(run)).samples["stage 1: text"]
    assert samples == {"a": {1: "1", 5: "", 9: "9"}}
    page = report.write_report([run]).read_text(encoding="utf-8")
    assert ">–</p>" in page[page.index("step 5<") : page.index("step 9<")]  # it wrote nothing


def test_a_long_curve_is_thinned_in_the_picture_alone(run: Path) -> None:
    rows = [
        {"step": n, "loss": 2.0, "tokens": n, "gradient_norm": 1.0 + (n == 8)}
        for n in range(1, 5 * CURVE_POINTS + 4)
    ]
    curve(run, "pretrain", rows)
    told = training_section(read_run(run)).rows["stage 1: text"]
    assert (told["steps"], told["useful tokens"], told["largest"]) == (len(rows), len(rows), 2.0)


def test_a_long_smooth_line_is_drawn_with_few_points() -> None:
    points = [(float(n), float(n % 2)) for n in range(25 * CURVE_POINTS)]
    few, many = (
        len(plots.plot_lines("l", "", {"t": [PlotLine(points, "one", smooth)]}, ""))
        for smooth in (True, False)
    )
    assert 5 * few < many


def test_a_training_that_is_at_work_is_shown(tmp_path: Path) -> None:
    run = made_up.build(tmp_path, until="base")
    rows = [{"step": n, "loss": 2.0, "tokens_per_s": 100.0 + n, "gradient_norm": None} for n in range(1, 4)]
    curve(run, "pretrain", rows)
    page = report.write_report([run]).read_text(encoding="utf-8")
    assert "stage 1: text" in page
    assert "Held-out texts were not evaluated" in page


def test_a_run_without_training_has_no_such_part(tmp_path: Path) -> None:
    page = report.write_report([made_up.build(tmp_path, until="seeds")]).read_text(encoding="utf-8")
    assert "While it trained" not in page
