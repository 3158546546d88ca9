"""Every step opens only what it declared: its inputs, its paths, its own folder and scratch, the ledger
with its note of how many requests were sent."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from alif import pipeline
from alif import recipe as recipes
from alif.records import STEP_NAMES
from tests.pipeline_steps import step_by_name

AUDIT = """
import json, os, sys
from pathlib import Path
from alif import pipeline, recipe as recipes
from alif.language.pack import shipped_packs
from alif.runs import Run, execute

opened, watching = set(), False

def hook(event, arguments):
    if watching and event in ("open", "sqlite3.connect"):
        path = arguments[0] if arguments else None
        if isinstance(path, (str, os.PathLike)):
            opened.add(os.path.realpath(path))

sys.addaudithook(hook)
recipe = recipes.load_recipe(recipes.find_recipe("demo"), json.loads(sys.argv[1]))
run = Run(Path("runs") / recipe.name)
guarded = [run.root.resolve(), *(folder.resolve() for folder in shipped_packs().values())]
found = {}
for step in pipeline.PIPELINE:
    work = step.work
    def watched(context, _work=work, **tables):
        global watching
        opened.clear()
        watching = True
        try:
            return _work(context, **tables)
        finally:
            watching = False
            allowed = [context.folder, context.scratch, context.ledger, context.requests]
            allowed += [*context.inputs.values(), *context.paths.values()]
            allowed = [Path(path).resolve() for path in allowed]
            ledger = {f"{context.ledger.resolve()}{end}" for end in ("", "-wal", "-shm", "-journal")}
            ledger.add(str(context.scratch.parent.resolve() / "sent.json"))
            found[context.step] = sorted(
                str(path) for path in map(Path, opened)
                if any(path.is_relative_to(root) for root in guarded) and str(path) not in ledger
                and not path.name.startswith("progress.json")  # written for those who watch, never read
                and not path.is_dir() and not any(path.is_relative_to(one) for one in allowed)
            )
    object.__setattr__(step, "work", watched)
    execute.run_step(step, recipe, run)
print(json.dumps(found))
"""


def test_no_step_opens_what_it_did_not_declare(tmp_path: Path) -> None:
    settings = ["generate.grounded_share=0.2", "review.share=0.0", "replay.rows=20", "merge.weights=[0.5]"]
    asked = subprocess.run(
        [sys.executable, "-c", AUDIT, json.dumps(settings)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert asked.returncode == 0, asked.stderr[-3000:]
    found = json.loads(asked.stdout.splitlines()[-1])
    demo = recipes.load_recipe(recipes.find_recipe("demo"), settings)
    assert found.keys() == {step.name for step in pipeline.PIPELINE if step.enabled(demo)}
    assert found == {name: [] for name in found}


def test_steps_are_named_once_and_need_only_earlier_ones() -> None:
    names = [step.name for step in pipeline.PIPELINE]
    assert tuple(names) == STEP_NAMES
    for place, step in enumerate(pipeline.PIPELINE):
        assert {earlier.name for earlier in step.inputs} <= set(names[:place])


@pytest.mark.parametrize("name", ["finetune", "blend"])
def test_a_step_brings_all_that_it_needs_in_order(name: str) -> None:
    needed = [step.name for step in pipeline.required_steps(step_by_name(name))]
    assert needed[-1] == name
    assert needed == [step.name for step in pipeline.PIPELINE if step.name in needed]
