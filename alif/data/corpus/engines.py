"""Where the parts of a source are prepared: processes of this machine, a Ray cluster, or a Slurm job array.

    runtime.engine = "local"    `runtime.processes` processes
    runtime.engine = "ray"      tasks of the cluster that RAY_ADDRESS names, or of one here (extra "ray")
    runtime.engine = "slurm"    `sbatch --array`; the run's folder lies on a disk that all nodes see

A part whose process or node is lost is prepared again, a few times.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

from alif import console
from alif.errors import DataError, MissingExtra
from alif.settings import Runtime

__all__ = ["run_parts"]

MOST_TRIES = 4
"""Times that lost parts are begun."""

Work = Callable[[Path, int], None]


def run_parts(work: Work, folder: Path, parts: Sequence[int], runtime: Runtime) -> None:
    """Call work(folder, part) for every part; each is done, or left as it was, when it returns.

    Raises:
        DataError: a part's own error, or processes that are lost again and again.
    """
    {"local": _run_local, "ray": _run_ray, "slurm": _run_slurm}[runtime.engine](work, folder, parts, runtime)


def _run_local(work: Work, folder: Path, parts: Sequence[int], runtime: Runtime) -> None:
    context = multiprocessing.get_context("spawn")
    workers = min(runtime.processes or os.cpu_count() or 1, len(parts))
    for left in range(MOST_TRIES - 1, -1, -1):
        try:
            with ProcessPoolExecutor(workers, context) as pool:
                for task in [pool.submit(work, folder, part) for part in parts]:
                    task.result()
            return
        except BrokenProcessPool as error:
            if not left:
                raise _engine_error(
                    f"a process was killed {MOST_TRIES} times", "Is there enough memory?"
                ) from error
            console.log("corpus: a process was killed; its part is prepared again")


def _run_ray(work: Work, folder: Path, parts: Sequence[int], runtime: Runtime) -> None:
    try:
        import ray  # noqa: PLC0415  (an extra)
    except ImportError as error:
        raise MissingExtra('runtime.engine = "ray"', "ray") from error
    already = ray.is_initialized()
    if not already:
        cluster = os.environ.get("RAY_ADDRESS")
        cores = None if cluster else runtime.processes or os.cpu_count()
        ray.init(cluster, num_cpus=cores, include_dashboard=None if cluster else False, log_to_driver=False)
    try:
        task = ray.remote(max_retries=MOST_TRIES - 1, num_cpus=1)(work)
        ray.get([task.remote(folder.resolve(), part) for part in parts])
    except ray.exceptions.RayTaskError as error:
        failed: Any = error
        raise failed.as_instanceof_cause() from error
    except ray.exceptions.RayError as error:
        raise _engine_error(str(error).splitlines()[0], "See the cluster's own log: ray status.") from error
    finally:
        if not already:
            ray.shutdown()


def _run_slurm(work: Work, folder: Path, parts: Sequence[int], runtime: Runtime) -> None:
    if not shutil.which("sbatch"):
        raise _engine_error("no command sbatch", 'Run it on a login node, or with runtime.engine = "local".')
    array = ",".join(map(str, parts)) + (f"%{runtime.processes}" if runtime.processes else "")
    task = f'"{sys.executable}" -m {work.__module__} "{folder.resolve()}"'
    command = ["sbatch", "--wait", "--job-name=alif-corpus", f"--array={array}", "--requeue"]
    command += [f"--output={folder.resolve()}/slurm-%a.log", f"--wrap={task}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        logs = f"See {folder}/slurm-*.log; the same command goes on with the parts that are missing."
        raise _engine_error(done.stderr.strip() or f"sbatch ended with {done.returncode}", logs)


def _engine_error(what: str, hint: str) -> DataError:
    return DataError(f"runtime.engine: {what}", hint)
