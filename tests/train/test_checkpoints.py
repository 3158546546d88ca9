from __future__ import annotations

import shutil

import pytest

from alif.errors import AlifError
from alif.train import checkpoints


def write(folder, step, purpose="this"):
    with checkpoints.write_checkpoint(folder, step, purpose, 100) as partial:
        (partial / "weights").write_bytes(bytes(100))


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_last_two_are_kept(tmp_path):
    for step in (2, 4, 10, 100):
        write(tmp_path, step)
    assert names(tmp_path) == ["step-10", "step-100"]
    assert checkpoints.newest_checkpoint(tmp_path, "this").name == "step-100"


def test_one_that_was_not_finished_is_never_read(tmp_path):
    write(tmp_path, 10)
    stopped = checkpoints.write_checkpoint(tmp_path, 20, "this", 100)
    (stopped.__enter__() / "weights").write_bytes(bytes(100))
    assert checkpoints.newest_checkpoint(tmp_path, "this").name == "step-10"
    assert names(tmp_path) == ["step-10"]


@pytest.mark.parametrize("harm", ["cut", "remove", "unmark", "garble"])
def test_a_damaged_one_is_passed_over(tmp_path, harm):
    write(tmp_path, 10)
    write(tmp_path, 20)
    path = tmp_path / "step-20" / ("whole.json" if harm in ("unmark", "garble") else "weights")
    path.write_bytes(bytes(50)) if harm in ("cut", "garble") else path.unlink()
    assert checkpoints.newest_checkpoint(tmp_path, "this").name == "step-10"
    assert names(tmp_path) == ["step-10"]


def test_one_for_other_settings_is_not_resumed_from(tmp_path):
    write(tmp_path, 10, "another")
    assert checkpoints.newest_checkpoint(tmp_path, "this") is None
    assert names(tmp_path) == []


def test_nothing_there(tmp_path):
    assert checkpoints.newest_checkpoint(tmp_path, "this") is None


def test_a_full_disk_is_an_error_before_anything_is_written(tmp_path):
    free = shutil.disk_usage(tmp_path).free
    with (
        pytest.raises(AlifError, match="the disk is full"),
        checkpoints.write_checkpoint(tmp_path, 10, "this", 10 * free),
    ):
        pass
    assert names(tmp_path) == []
