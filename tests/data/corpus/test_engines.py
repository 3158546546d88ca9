"""Parts of a source are prepared by processes, a Ray cluster or a Slurm array, and a lost one again."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from alif.data.corpus.engines import run_parts
from alif.errors import AlifError, DataError
from alif.settings import Runtime


def write_part(folder: Path, part: int) -> None:
    (folder / f"part-{part:02}").write_text(str(part))


def die_once(folder: Path, part: int) -> None:
    """Kill the process of part 1, as a machine that runs out of memory does, the first time."""
    tried = folder / "tried"
    if part == 1 and not tried.exists():
        tried.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    write_part(folder, part)


def refuse(folder: Path, part: int) -> None:
    raise DataError(f"part {part}: no text", "Name another file.")


def always_die(folder: Path, part: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def parts_of(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("part-*"))


LOCAL = Runtime(processes=2)


def test_every_part_is_done_though_a_process_is_killed(tmp_path: Path) -> None:
    run_parts(die_once, tmp_path, [0, 1, 2], LOCAL)
    assert parts_of(tmp_path) == ["part-00", "part-01", "part-02"]


def test_an_error_of_a_part_is_told_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"^part 0: no text") as caught:
        run_parts(refuse, tmp_path, [0], LOCAL)
    assert caught.value.hint == "Name another file."


def test_processes_that_are_killed_again_and_again_end_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"runtime\.engine: a process was killed 4 times"):
        run_parts(always_die, tmp_path, [0], Runtime(processes=1))


def write_sbatch(folder: Path, script: str) -> None:
    """Write a command sbatch that runs the array here, one task after another."""
    path = folder / "sbatch"
    path.write_text(f"#!/bin/bash\n{script}\n")
    path.chmod(0o755)


SBATCH = """
for argument in "$@"; do
  case $argument in --array=*) array=${argument#--array=};; --wrap=*) wrap=${argument#--wrap=};; esac
done
IFS=,; for task in ${array%%%*}; do echo "$task $wrap" >> "$SEEN"; done
"""


def test_a_job_array_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_sbatch(tmp_path, SBATCH)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("SEEN", str(tmp_path / "seen"))
    run_parts(write_part, tmp_path, [3, 5], Runtime(engine="slurm", processes=8))
    seen = (tmp_path / "seen").read_text().splitlines()
    assert [line.split()[0] for line in seen] == ["3", "5"]
    assert all(f"-m {__name__} " in line and str(tmp_path) in line for line in seen)
    write_sbatch(tmp_path, "echo 'invalid partition' >&2; exit 1")
    with pytest.raises(DataError, match=r"runtime\.engine: invalid partition"):
        run_parts(write_part, tmp_path, [3], Runtime(engine="slurm"))


def test_without_slurm_or_ray_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DataError, match="no command sbatch"):
        run_parts(write_part, tmp_path, [0], Runtime(engine="slurm"))
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(AlifError, match="needs the ray extra"):
        run_parts(write_part, tmp_path, [0], Runtime(engine="ray"))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Ray's own
def test_a_ray_cluster_whose_worker_is_killed(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    run_parts(die_once, tmp_path, [0, 1, 2], Runtime(engine="ray", processes=2))
    assert parts_of(tmp_path) == ["part-00", "part-01", "part-02"]
    with pytest.raises(DataError, match="part 0: no text"):
        run_parts(refuse, tmp_path, [0], Runtime(engine="ray", processes=1))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Ray's own
def test_a_cluster_of_two_nodes_is_joined_by_its_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    cluster.add_node(num_cpus=1)
    monkeypatch.setenv("RAY_ADDRESS", cluster.address)
    try:
        run_parts(die_once, tmp_path, [0, 1, 2, 3], Runtime(engine="ray"))
    finally:
        cluster.shutdown()
    assert len(parts_of(tmp_path)) == 4
