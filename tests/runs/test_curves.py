"""Training curves: half a line at the end is skipped, and points behind a checkpoint are removed."""

from __future__ import annotations

from pathlib import Path

from alif.runs.curves import CURVE, append_point, read_curve, truncate_curve


def test_points_are_read_up_to_a_step_and_without_half_a_line(tmp_path: Path) -> None:
    path = tmp_path / CURVE
    assert read_curve(path) == []
    for step in (1, 2, 3):
        append_point(path, {"step": step, "loss": 3.0 / step})
    with path.open("a", encoding="utf-8") as file:
        file.write('{"step": 4, "los')
    assert [point["step"] for point in read_curve(path)] == [1, 2, 3]
    assert [point["loss"] for point in read_curve(path, 2)] == [3.0, 1.5]


def test_a_resumed_training_goes_on_behind_its_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / CURVE
    for step in (1, 2, 3):
        append_point(path, {"step": step, "loss": 1.0})
    truncate_curve(path, 2)
    append_point(path, {"step": 3, "loss": 0.5})
    assert [point["loss"] for point in read_curve(path)] == [1.0, 1.0, 0.5]
