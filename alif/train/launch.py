"""A stage on several GPUs: the same work in as many processes, of which each trains on its part of every step's rows.

    alif run RECIPE                       holds the run, waits
      └─ torchrun ─┬─ rank 0  ──▶  runs/NAME/pretrain, as if it were alone
                   └─ rank 1 …     runs/NAME/runtime/pretrain/ranks/, removed at the end

`runtime.gpus` says how many; on a machine without a GPU as many processes on its CPU. The model is copied to each GPU and the
gradients are averaged, or, with `runtime.fsdp`, weights, gradients and optimiser are shared out (FSDP2; `fsdp2.json` holds its
settings). Both are accelerate's, through the same Trainer. A checkpoint does not know how many processes wrote it.
"""

from __future__ import annotations

import dataclasses
import json
import os
import pickle
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import torch

from alif import store
from alif.cost import batch_layout
from alif.errors import AlifError, RecipeError
from alif.records import Counts
from alif.runs import StepContext
from alif.student import distributed
from alif.student.base import read_base

__all__ = ["FOLDER", "launch_workers", "run_finetune", "run_pretrain"]

FOLDER = "ranks"
"""Under a step's scratch folder: what the processes are told, and what they answer."""
JOB, ANSWER, FAILURE = "job.pickle", "counts.json", "failure.json"


def run_pretrain(context: StepContext, **tables: Any) -> Counts:
    """Do stage 1 on as many GPUs as the recipe wants."""
    return launch_workers("alif.train.pretrain", context, tables)


def run_finetune(context: StepContext, **tables: Any) -> Counts:
    """Do stage 2 on as many GPUs as the recipe wants."""
    return launch_workers("alif.train.finetune", context, tables)


def launch_workers(module: str, context: StepContext, tables: Mapping[str, Any]) -> Counts:
    """Do a stage's `train` here, or in as many processes as the recipe wants GPUs.

    Raises:
        RecipeError: there are fewer GPUs here, or the stage does not go with so many.
        AlifError: as the stage itself does, or one of the processes ended.
    """
    gpus = context.runtime.gpus
    if gpus == 1:
        return _train(module, context, tables)
    there = 0 if context.runtime.device == "cpu" else torch.cuda.device_count()
    if 0 < there < gpus:
        raise RecipeError(
            f"runtime.gpus = {gpus}, but there are {there} here", f"Set runtime.gpus to {there} or less."
        )
    batch_layout.check_batch_layout(
        context.step, tables[context.step], context.runtime, read_base(context.inputs["base"]).quantise
    )
    folder = context.scratch / FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    with store.friendly_os_errors(folder):
        folder.mkdir(parents=True)
        (folder / JOB).write_bytes(pickle.dumps((module, context, tables)))
    code = _run(folder, gpus)
    if (folder / FAILURE).is_file():
        told = store.read_json(folder / FAILURE)
        raise AlifError(told["message"], told["hint"])
    if code:
        raise AlifError(
            f"{context.step}: one of {gpus} processes ended with exit code {code}",
            f"Its words are in {folder}.",
        )
    counts = Counts.model_validate(store.read_json(folder / ANSWER))
    shutil.rmtree(folder)
    return counts


def _train(module: str, context: StepContext, tables: Mapping[str, Any]) -> Counts:
    counts: Counts = import_module(module).train(context, **tables)
    return counts


def _run(folder: Path, gpus: int) -> int:
    """Start the processes, wait for them, and return torchrun's exit code. Only the first one's words reach the screen."""
    quiet = ",".join(f"{rank}:3" for rank in range(1, gpus))
    command = [
        *(sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={gpus}"),
        *(f"--log-dir={folder}", f"--redirects={quiet}", "-m", "alif.train.launch", str(folder)),
    ]
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"),
        "TORCH_CPP_LOG_LEVEL": "ERROR",
    }
    # torchrun's own words about a failed process would bury the sentence that the process has left
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, env={**environment, "LOGLEVEL": "CRITICAL"}
    ) as process:
        return process.wait()


def main() -> None:
    """Be one of the processes: do the stage's work, and end when the process that started all ends."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    folder = Path(sys.argv[1])
    module, context, tables = pickle.loads((folder / JOB).read_bytes())
    distributed.init_process_group(cpu=context.runtime.device == "cpu" or not torch.cuda.is_available())
    if not distributed.is_main_process():
        context = dataclasses.replace(context, folder=folder / f"rank-{distributed.rank()}")
    try:
        counts = _train(module, context, tables)
    except AlifError as error:
        store.write_json(folder / FAILURE, {"message": error.message, "hint": error.hint})
        raise SystemExit(error.exit_code) from error
    if distributed.is_main_process():
        store.write_json(folder / ANSWER, json.loads(counts.model_dump_json()))
    distributed.destroy_process_group()


def _end_with_parent() -> None:
    """End this process when its standard input ends: whoever held the other end was killed, and with it the run's lock."""
    while os.read(0, 1):
        pass
    os._exit(1)


if __name__ == "__main__":
    main()
