"""A stage on several GPUs: the same work in as many processes, each with its part of every step's rows.

    alif run RECIPE                       holds the run's lock, waits
      └─ torchrun ─┬─ rank 0  ──▶  runs/NAME/pretrain, as if it were alone
                   └─ rank 1 …     runs/NAME/runtime/pretrain/ranks/, removed at the end

`runtime.gpus` is the number of processes; on a machine without a GPU they run on its CPU. The model is copied
to each GPU and gradients are averaged (DDP), or, with `runtime.fsdp`, weights, gradients and optimizer state
are sharded (FSDP2). A checkpoint does not depend on how many processes wrote it.
"""

from __future__ import annotations

import dataclasses
import os
import pickle
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path

import torch

from alif import store
from alif.cost import batch_layout
from alif.errors import AlifError, RecipeError
from alif.facts.training_facts import FinetuneFacts, PreferFacts, PretrainFacts, StageFacts
from alif.records import Counts, FrozenModel
from alif.runs import StepContext, StepOutput
from alif.settings import Adapter, Finetune, Language, Prefer, Pretrain, Stage
from alif.student import distributed
from alif.student.base import read_base

__all__ = ["FAILURE", "FOLDER", "launch_stage", "run_finetune", "run_prefer", "run_pretrain"]

FOLDER = "ranks"
"""Under a step's scratch folder: what the processes are given, and what they return."""
JOB, ANSWER, FAILURE = "job.pickle", "answer.pickle", "failure.json"

Tables = Mapping[str, FrozenModel]
"""The recipe tables that a stage is handed, by name."""


def run_pretrain(
    context: StepContext, language: Language, adapter: Adapter, pretrain: Pretrain
) -> PretrainFacts:
    """Run stage 1 on as many GPUs as the recipe wants."""
    tables = {"language": language, "adapter": adapter, "pretrain": pretrain}
    facts = launch_stage("alif.train.pretrain:train_pretrain", context, tables, pretrain)
    return PretrainFacts.model_validate(facts.model_dump())


def run_finetune(
    context: StepContext, language: Language, adapter: Adapter, finetune: Finetune
) -> FinetuneFacts:
    """Run stage 2 on as many GPUs as the recipe wants."""
    tables = {"language": language, "adapter": adapter, "finetune": finetune}
    facts = launch_stage("alif.train.finetune:train_finetune", context, tables, finetune)
    return FinetuneFacts.model_validate(facts.model_dump())


def run_prefer(
    context: StepContext, language: Language, adapter: Adapter, finetune: Finetune, prefer: Prefer
) -> PreferFacts:
    """Run stage 3 on as many GPUs as the recipe wants."""
    tables = {"language": language, "adapter": adapter, "finetune": finetune, "prefer": prefer}
    facts = launch_stage("alif.train.prefer:train_prefer", context, tables, prefer)
    return PreferFacts.model_validate(facts.model_dump())


def launch_stage(work: str, context: StepContext, tables: Tables, stage: Stage) -> StageFacts:
    """Run `work` ("module:function") here, or in as many processes as the recipe wants GPUs.

    Raises:
        RecipeError: there are fewer GPUs here, or the stage cannot be split over so many.
        AlifError: as the stage itself does, or one of the processes ended.
    """
    gpus = context.runtime.gpus
    if gpus == 1:
        return _stage_function(work)(context, **tables)
    available = 0 if context.runtime.device == "cpu" else torch.cuda.device_count()
    if 0 < available < gpus:
        raise RecipeError(
            f"runtime.gpus = {gpus}, but there are {available} here",
            f"Set runtime.gpus to {available} or less.",
        )
    quantization = read_base(context.inputs["base"]).quantise
    batch_layout.check_batch_layout(context.step, stage, context.runtime, quantization)
    folder = context.scratch / FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    with store.friendly_os_errors(folder):
        folder.mkdir(parents=True)
        (folder / JOB).write_bytes(pickle.dumps((work, context, tables)))
    quiet = ",".join(f"{rank}:3" for rank in range(1, gpus))  # only rank 0 prints to the screen
    command = [
        *(sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={gpus}"),
        *(f"--log-dir={folder}", f"--redirects={quiet}", "-m", "alif.train.launch", str(folder)),
    ]
    # torchrun's own messages about a failed process would hide the sentence that the process has left
    quiet_torch = {"TORCH_CPP_LOG_LEVEL": "ERROR", "LOGLEVEL": "CRITICAL"}
    environment = {"OMP_NUM_THREADS": "1", **os.environ, **quiet_torch}
    with subprocess.Popen(command, stdin=subprocess.PIPE, env=environment) as process:
        code = process.wait()
    if (folder / FAILURE).is_file():
        failure = store.read_json(folder / FAILURE)
        raise AlifError(failure["message"], failure["hint"])
    if code:
        raise AlifError(
            f"{context.step}: one of {gpus} processes ended with exit code {code}",
            f"Their logs are in {folder}.",
        )
    facts, counts = pickle.loads((folder / ANSWER).read_bytes())
    context.output.adopt(counts)
    shutil.rmtree(folder)
    return facts  # type: ignore[no-any-return]  # pickled by `main`


def _stage_function(work: str) -> Callable[..., StageFacts]:
    module, _, name = work.partition(":")
    function: Callable[..., StageFacts] = getattr(import_module(module), name)
    return function


def main() -> None:
    """Be one of the processes: do the stage's work, and end when the process that started all ends."""

    def end_with_parent() -> None:
        while os.read(0, 1):  # standard input ends when the parent was killed
            pass
        os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()
    folder = Path(sys.argv[1])
    work, context, tables = pickle.loads((folder / JOB).read_bytes())
    distributed.init_process_group(cpu=context.runtime.device == "cpu" or not torch.cuda.is_available())
    if not distributed.is_main_process():
        own = folder / f"rank-{distributed.rank()}"
        own.mkdir()
        context = dataclasses.replace(context, folder=own, output=StepOutput(own))
    try:
        with context.output:
            facts = _stage_function(work)(context, **tables)
        counts: Counts = context.output.count(facts)
    except AlifError as error:
        store.write_json(folder / FAILURE, {"message": error.message, "hint": error.hint})
        raise SystemExit(error.exit_code) from error
    if distributed.is_main_process():
        (folder / ANSWER).write_bytes(pickle.dumps((facts, counts)))
    distributed.destroy_process_group()


if __name__ == "__main__":
    main()
