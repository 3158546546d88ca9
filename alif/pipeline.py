"""The steps in their order; `run_pipeline` runs those that are not done.

     pack ─▶ seeds ─▶ generate ─┐
                                ├▶ filter ─▶ review ─┐
     sources ──────▶ translate ─┘                    ├▶ blend ─┐
     sources ──────▶ replay ─────────────────────────┘         ├▶ finetune ─▶ merge ─▶ evaluate, judge, export
     sources ──────▶ corpus ─▶ base ─▶ pretrain ───────────────┘      │         ▲
     sources, review ─▶ pairs ────────────────────────────────────────┴▶ prefer ┘   where there are pairs

A step's function is imported when it runs, so that listing them loads no torch. What it may read of the
recipe (`settings`), of earlier steps (`inputs`) and of the disk (`paths`) stands here alone: its identity.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from importlib import import_module

from alif import console, step_paths
from alif.errors import AlifError
from alif.formatting import format_usd
from alif.llm import endpoint
from alif.llm.ledger import Ledger
from alif.records import FrozenModel
from alif.remote import backup
from alif.runs import Run, Step, is_current, list_runs, rerun_step, run_step, sharing
from alif.runs.step import lazy_import
from alif.settings import Recipe

__all__ = ["PIPELINE", "required_steps", "rerun", "run_pipeline"]


DISPOSABLE = ("checkpoints", "best", "tokens", "packs*")
"""What training resumes from, in its scratch folder: checkpoints, best weights, token cache, packed rows."""
QUESTIONS = ("benchmarks", "decontaminated")
"""Tables of the questions that are kept out of the mixture."""

SEEDS = Step(
    "seeds",
    lazy_import("alif.data.synthesis.seeds:load_seeds"),
    "read and check the human seeds",
    settings=("language", "sources", "seeds", "pool"),
    paths=step_paths.seed_paths,
)
GENERATE = Step(
    "generate",
    lazy_import("alif.data.synthesis.generate:generate"),
    "ask the teacher for new rows: all tasks, one pool",
    settings=("language", "sources", "teacher", "generate", "pool"),
    inputs=(SEEDS,),
    paths=step_paths.generate_paths,
)
TRANSLATE = Step(
    "translate",
    lazy_import("alif.data.translation.translate:translate_rows"),
    "have the teacher translate rows of the source language",
    settings=("language", "sources", "teacher", "translate"),
    paths=step_paths.translate_paths,
)
FILTER = Step(
    "filter",
    lazy_import("alif.data.filters.rules:filter_rows"),
    "check every row that a model wrote",
    settings=("language", "filter"),
    inputs=(GENERATE, TRANSLATE),
    paths=step_paths.pack_paths,
)
REVIEW = Step(
    "review",
    lazy_import("alif.review.verdicts:review_rows"),
    "have people read rows, where the recipe asks for it",
    settings=("language", "review"),
    inputs=(FILTER,),
    paths=step_paths.review_paths,
)
REPLAY = Step(
    "replay",
    lazy_import("alif.data.mixture.replay:sample_replay"),
    "sample rows of the source language, against forgetting",
    settings=("language", "sources", "replay", "translate", "replay_model"),
    paths=step_paths.replay_paths,
)
CORPUS = Step(
    "corpus",
    lazy_import("alif.data.corpus.build_corpus:build_corpus"),
    "gather and clean stage-1 text",
    settings=("language", "sources", "corpus", "kept_out"),
    paths=step_paths.corpus_paths,
)
BLEND = Step(
    "blend",
    lazy_import("alif.data.mixture.blend:build_blend"),
    "mix the parts into training and validation rows",
    settings=("language", "sources", "blend", "split", *QUESTIONS, "translated_from", "replay_part"),
    inputs=(REVIEW, REPLAY),
    paths=step_paths.blend_paths,
)
PAIRS = Step(
    "pairs",
    lazy_import("alif.data.mixture.preference_pairs:build_pairs"),
    "gather pairs of answers, one of them preferred, where the recipe names some",
    settings=("language", "sources", "pairs", *QUESTIONS),
    inputs=(FILTER, REVIEW, BLEND),
    paths=step_paths.pairs_paths,
    enabled=lambda recipe: bool(recipe.pairs.source),
)
BASE = Step(
    "base",
    lazy_import("alif.train.prepare_base:prepare_base"),
    "make the tiny base model, or record a published one",
    settings=("language", "student", "tiny"),
    inputs=(CORPUS,),
    paths=step_paths.base_paths,
    disposable=DISPOSABLE,
)
PRETRAIN = Step(
    "pretrain",
    lazy_import("alif.train.launch:run_pretrain"),
    "stage 1: continued pre-training on the corpus",
    settings=("language", "adapter", "pretrain"),
    inputs=(BASE, CORPUS),
    disposable=DISPOSABLE,
)
FINETUNE = Step(
    "finetune",
    lazy_import("alif.train.launch:run_finetune"),
    "stage 2: instruction tuning, loss on the answer only",
    settings=("language", "adapter", "finetune"),
    inputs=(BASE, PRETRAIN, BLEND),
    disposable=DISPOSABLE,
)
PREFER = Step(
    "prefer",
    lazy_import("alif.train.launch:run_prefer"),
    "stage 3, where there are pairs: make the preferred answers the likelier ones",
    settings=("language", "adapter", "finetune", "prefer"),
    inputs=(BASE, BLEND, PAIRS, FINETUNE),
    disposable=DISPOSABLE,
    enabled=PAIRS.enabled,
)
MERGE = Step(
    "merge",
    lazy_import("alif.train.merge:merge_models"),
    "weigh what was trained against the base or its instruct sibling, where the recipe asks",
    settings=("merge",),
    inputs=(BASE, FINETUNE, PREFER),
    paths=step_paths.merge_paths,
    enabled=lambda recipe: bool(recipe.merge.weights),
)
EVALUATE = Step(
    "evaluate",
    lazy_import("alif.evaluate.measure:evaluate_systems"),
    "measure each stage on held-out text, rows and questions",
    settings=("language", "sources", "benchmarks", "benchmark", "system", "evaluate", "pretrain", "finetune"),
    inputs=(BASE, CORPUS, BLEND, PAIRS, PRETRAIN, FINETUNE, PREFER, MERGE),
    paths=step_paths.evaluate_paths,
    shared=("results/*.jsonl",),
)
JUDGE = Step(
    "judge",
    lazy_import("alif.evaluate.judge:judge_answers"),
    "have other models compare the answers, where the recipe names judges",
    settings=("language", "judge", "judging", "teacher", "system"),
    inputs=(BLEND, EVALUATE),
    paths=step_paths.judge_paths,
    enabled=lambda recipe: bool(recipe.judge),
)
EXPORT = Step(
    "export",
    lazy_import("alif.release.export:export"),
    "merge adapter and base into one model folder",
    settings=("export",),
    inputs=(BASE, FINETUNE, PREFER, MERGE),
)

PIPELINE: tuple[Step, ...] = (
    SEEDS,
    GENERATE,
    TRANSLATE,
    FILTER,
    REVIEW,
    REPLAY,
    CORPUS,
    BLEND,
    PAIRS,
    BASE,
    PRETRAIN,
    FINETUNE,
    PREFER,
    MERGE,
    EVALUATE,
    JUDGE,
    EXPORT,
)
"""The steps in their order, which is `records.STEP_NAMES`."""

TRAINED = {step.name for step in (BASE, PRETRAIN, FINETUNE, PREFER)}


def required_steps(step: Step) -> tuple[Step, ...]:
    """Return `step` and all that it needs, in the order of the pipeline."""
    names = {step.name} | {one.name for need in step.inputs for one in required_steps(need)}
    return tuple(one for one in PIPELINE if one.name in names)


def run_pipeline(
    recipe: Recipe, folder: Run, steps: tuple[Step, ...] = PIPELINE, siblings: Sequence[Run] = ()
) -> int:
    """Do those of `steps` that are not done, in order; return how many were done now.

    What one of `siblings` has finished with the same identity is linked from there and not done again.

    Raises:
        AlifError: before anything is written, where a pack or a data file of these steps is not there or
            nothing in it could be used.
        ModelError: before anything is written, where the base cannot be trained as these steps would.
        DriftError: before anything is done, where a finished step was built with other settings.
    """
    endpoint.validate_endpoints(recipe)
    _refuse_renamed(folder)
    if siblings:
        with folder.locked():
            sharing.link_twins(steps, recipe, folder, siblings)
    todo = [step.name for step in steps if step.enabled(recipe) and folder.record(step.name) is None]
    if todo and (problems := import_module("alif.data.source_check").find_problems(recipe, todo)):
        raise problems[0]
    for step in steps:
        step.paths(recipe, folder.root)
    if TRAINED & set(todo):
        preflight = import_module("alif.train.preflight").student_problems
        if problems := preflight(recipe, offline=False, with_base=BASE.name in todo):
            raise problems[0]
    done = 0
    where = recipe.runtime.backup
    with folder.locked(), backup.background_backup(folder.root, where) as send_ledger:
        if fetched := backup.restore_run(folder.root, where):
            console.log(f"From {where}: {', '.join(fetched)}")
        for step in PIPELINE:
            is_current(step, recipe, folder)
        folder.write_header(recipe)
        there = backup.up_to_date_steps(folder.root, where)
        for step in steps:
            worked = run_step(step, recipe, folder)
            done += worked
            if worked and (record := folder.record(step.name)):
                console.log(f"{step.name:>10}  {record.describe()}")
            if worked or step.name not in there:
                _send(step, folder, where, send_ledger)
    return done


def _refuse_renamed(folder: Run) -> None:
    """Refuse to begin a run that has paid for replies under another folder name.

    Raises:
        AlifError: a sibling folder was made as this run.
    """
    if (folder.root / "recipe.toml").is_file():
        return
    for other in list_runs(folder.root.parent):
        own = other.root / "ledger.sqlite"
        if other.ledger_name != folder.name or not own.is_file():
            continue
        with closing(Ledger(own)) as ledger:
            if usd := ledger.account(folder.name).usd:
                spent = f"with {format_usd(usd)} spent"
                hint = f"alif run {other.name} continues it. For a new run: --set 'name=\"NAME\"'."
                raise AlifError(f"{other.root} is the run {folder.name} under another name, {spent}", hint)


def rerun(step: Step, recipe: Recipe, folder: Run, work: Callable[..., FrozenModel]) -> bool:
    """Do a finished step again by `work`, in the backup too; return whether its rows changed.

    Raises:
        AlifError: the step is not done.
    """
    where = recipe.runtime.backup
    with folder.locked(), backup.background_backup(folder.root, where) as send_ledger:
        changed = rerun_step(step, recipe, folder, work)
        _send(step, folder, where, send_ledger)
    return changed


def _send(step: Step, folder: Run, where: str, send_ledger: Callable[[], None]) -> None:
    """Copy a step that is done to the backup."""
    send_ledger()  # before the rows that were made of its replies
    backup.upload_path(folder.folder(step.name), f"{folder.name}/{step.name}", where)
    backup.prune_backup(folder.scratch(step.name), f"{folder.name}/runtime/{step.name}", where)
