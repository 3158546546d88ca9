"""What a step is, and what it is handed when it runs: settings, inputs and declared paths, nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

from alif.errors import MissingExtra
from alif.records import FrozenModel
from alif.runs.output import StepOutput
from alif.settings import Recipe, Runtime

__all__ = ["Step", "StepContext", "lazy_import"]


@dataclass(frozen=True)
class StepContext:
    """What a step is handed, beside the recipe tables named in `Step.settings`."""

    run: str
    """The name that the run was made with: its requests stand under it in the ledger."""
    step: str
    folder: Path
    """Write results here; it becomes runs/NAME/STEP when the step is done."""
    scratch: Path
    """runs/NAME/runtime/STEP: survives a kill. For checkpoints, curves and logs, never for results."""
    inputs: Mapping[str, Path]
    """Folders of the finished steps in `Step.inputs`, by name."""
    paths: Mapping[str, Path]
    """The files and folders that `Step.paths` declared, by label."""
    runtime: Runtime
    ledger: Path
    """Requests and replies: the run's own file, or one shared with sibling runs (`runtime.ledger`)."""
    requests: Path
    """Where rows that wait for people are written: runs/NAME/STEP_requests.jsonl."""
    output: StepOutput
    """Counts rows where they are read, and writes those that are kept, dropped or not sampled."""


@dataclass(frozen=True)
class Step:
    """One named piece of work; its name is its folder and its command."""

    name: str
    work: Callable[..., FrozenModel]
    """work(context, **the recipe tables named in `settings`) → the step's facts (see `alif.facts`)."""
    about: str
    """One line of help."""
    settings: tuple[str, ...] = ()
    """Recipe tables that it is handed, and all that it can read of the recipe."""
    inputs: tuple[Step, ...] = ()
    paths: Callable[[Recipe, Path], Mapping[str, Path]] = field(default=lambda recipe, root: {})
    """paths(recipe, run folder) → files and folders that it reads, by label. They count by content."""
    enabled: Callable[[Recipe], bool] = field(default=lambda recipe: True)
    """Whether the recipe asks for it. One that it does not ask for does nothing, and counts in no identity: a
    run that was made before there was such a step has not drifted."""
    disposable: tuple[str, ...] = ()
    """Patterns of what is removed from its scratch folder once it is finished, such as "checkpoints". Not
    earlier: until the results are on the disk under their name, these are all that a long step has to resume
    from."""
    shared: tuple[str, ...] = ()
    """Patterns of files in its scratch folder that hold for every run, because their names cover all that
    they depend on: sibling runs link them."""


def lazy_import(where: str) -> Callable[..., FrozenModel]:
    """Return a function that imports `module:function` when it is called."""
    module, _, function = where.partition(":")

    def work(context: StepContext, **tables: object) -> FrozenModel:
        try:
            found = getattr(import_module(module), function)
        except ModuleNotFoundError as error:
            if error.name in ("torch", "transformers", "peft", "accelerate", "tokenizers", "safetensors"):
                raise MissingExtra(f"alif {context.step}", "train") from error
            raise
        return found(context, **tables)  # type: ignore[no-any-return]

    return work
