"""A run is a folder; a step is a folder in it that appears whole or not at all.

    runs/demo/
      recipe.toml  lock.json          what was asked for; what it was made with
      seeds/ generate/ … export/      one folder a finished step: step.json, examples.jsonl, dropped.jsonl, …
      runtime/generate/ …             logs, curves, checkpoints: whatever may differ between two equal runs
      ledger.sqlite                   every request and reply

`step` says what a step is and what it is handed, `output` counts its rows, `identity` is what its result
depends on, `manifest` what its folder holds, `execute` runs it, `folder` reads and locks a run.
"""

from __future__ import annotations

from alif.runs.execute import make_context, rerun_step, run_step
from alif.runs.folder import FORMAT, Run, StepRecord, StepState, describe_new_ledger, list_runs
from alif.runs.identity import is_current
from alif.runs.output import StepOutput
from alif.runs.step import Step, StepContext

__all__ = [
    "FORMAT", "Run", "Step", "StepContext", "StepOutput", "StepRecord", "StepState",
    "describe_new_ledger", "is_current", "list_runs", "make_context", "rerun_step", "run_step",
]  # fmt: skip
