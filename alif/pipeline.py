"""The order of the steps, in one tuple; `run` walks it.

     pack ─▶ seeds ─▶ generate ─┐
                                ├▶ filter ─▶ review ─┐
     sources ──────▶ translate ─┘                    ├▶ blend ─┐
     sources ──────▶ replay ─────────────────────────┘         ├▶ finetune ─▶ evaluate, export ─▶ chat
     sources ──────▶ corpus ─▶ base ─▶ pretrain ───────────────┘

Each step's function is imported when the step runs, so that listing the steps loads no torch. What a step may
read (`settings`), which finished folders it is handed (`inputs`) and which files it opens (`paths`) stand
here and nowhere else: together they are its identity. """

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from alif import console, sources
from alif.errors import MissingExtra
from alif.formatting import format_duration, format_usd
from alif.recipe import Recipe
from alif.records import STEP_NAMES, FrozenModel
from alif.remote import backup
from alif.runs import Run, Step, StepContext, is_current, rerun_step, run_step

if TYPE_CHECKING:
    from alif.language.pack import Pack

__all__ = ["PIPELINE", "required_steps", "rerun", "run_pipeline", "step_by_name"]


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


def _data(recipe: Recipe, *tables: tuple[str, ...]) -> dict[str, Path]:
    """Return the data files that source tuples name, by path as the recipe gives it."""
    return {
        str(path): path for table in tables for path in sources.resolve_paths(table, recipe.sources.folder)
    }


def _load(name_or_path: str) -> Pack:
    from alif.language import pack  # noqa: PLC0415  (here, so that `alif --help` answers without it)

    return pack.load_pack(name_or_path)


def _pack(recipe: Recipe) -> dict[str, Path]:
    """Return what counts of both packs: tables, tasks and prompts."""
    both = (_load(name) for name in (recipe.language.pack, recipe.language.source))
    return {f"pack/{label}": path for one in both for label, path in one.parts().items()}


def _pack_file(recipe: Recipe, *names: str) -> dict[str, Path]:
    """Return files of the taught language's pack, such as "seeds"."""
    folder = _load(recipe.language.pack).folder
    return {f"pack/{name}": folder / name for name in names if (folder / name).exists()}


def _known_file(recipe: Recipe, *names: str) -> dict[str, Path]:
    """Return files of the known language's pack, such as "demo/rows.jsonl"."""
    folder = _load(recipe.language.source).folder
    return {f"known/{name}": folder / name for name in names if (folder / name).exists()}


def _translated(recipe: Recipe) -> dict[str, Path]:
    """Return the file that decides which demo rows are translated and which are replayed."""
    return _pack_file(recipe, "demo/translations.jsonl")


def _script(recipe: Recipe) -> dict[str, Path]:
    """Return what the scripted teacher answers from, where a recipe has one."""
    scripted = [teacher for teacher in recipe.teacher.values() if teacher.base_url == "scripted"]
    found: dict[str, Path] = {}
    for teacher in scripted:
        found |= _data(recipe, teacher.parallel_files)
        found |= _pack_file(
            recipe, "demo/candidates", "demo/faults.jsonl", "demo/questions.jsonl"
        ) | _translated(recipe)
        found |= _known_file(recipe, "demo/rows.jsonl")
    return found


def _seed_files(recipe: Recipe, root: Path) -> Mapping[str, Path]:
    own = _pack_file(recipe, "seeds") if "pack" in recipe.seeds.source else {}
    return _pack(recipe) | own | _data(recipe, recipe.seeds.source)


def _generate_files(recipe: Recipe, root: Path) -> dict[str, Path]:
    if not recipe.generate.grounded_share and not recipe.generate.reverse_share:
        return _pack(recipe) | _script(recipe)
    own = _pack_file(recipe, "demo/articles.jsonl") if "pack" in recipe.generate.passages else {}
    return _pack(recipe) | _script(recipe) | own | _data(recipe, recipe.generate.passages)


def _translate_files(recipe: Recipe, root: Path) -> Mapping[str, Path]:
    own = _known_file(recipe, "demo/rows.jsonl") if "pack" in recipe.translate.source else {}
    return (
        _pack(recipe) | _script(recipe) | _translated(recipe) | own | _data(recipe, recipe.translate.source)
    )


def _replay_files(recipe: Recipe, root: Path) -> Mapping[str, Path]:
    own = _known_file(recipe, "demo/rows.jsonl") if "pack" in recipe.replay.source else {}
    return _translated(recipe) | own | _data(recipe, recipe.replay.source)


def _corpus_files(recipe: Recipe, root: Path) -> Mapping[str, Path]:
    own = _pack_file(recipe, "demo/articles.jsonl") if "pack" in recipe.corpus.source else {}
    known = (
        _known_file(recipe, "demo/articles.jsonl") if "pack" in recipe.corpus.source_language_files else {}
    )
    return (
        _pack(recipe) | own | known | _data(recipe, recipe.corpus.source, recipe.corpus.source_language_files)
    )


def _test_files(recipe: Recipe, root: Path) -> dict[str, Path]:
    own = _pack_file(recipe, "test.jsonl") if "pack" in recipe.benchmarks.test else {}
    return own | _data(recipe, recipe.benchmarks.test, recipe.benchmarks.multiple_choice)


def _blend_files(recipe: Recipe, root: Path) -> Mapping[str, Path]:
    return _test_files(recipe, root) | _data(recipe, *(part.source for part in recipe.blend.values()))


def _base_files(recipe: Recipe, root: Path) -> Mapping[str, Path]:
    folder = Path(recipe.student.base)
    return {"base": folder} if recipe.student.base != "tiny" and folder.is_dir() else {}


def _pack_files(recipe: Recipe, root: Path) -> Mapping[str, Path]:
    return _pack(recipe)


def _review_files(recipe: Recipe, root: Path) -> Mapping[str, Path]:
    """Return the verdicts of people: a verdict that is added after the step was done is drift, and is
    named."""
    path = Path(recipe.review.verdicts) if recipe.review.verdicts else root / "verdicts.jsonl"
    return {"verdicts": path} if path.is_file() else {}


def _evaluate_files(recipe: Recipe, root: Path) -> Mapping[str, Path]:
    return _pack(recipe) | _test_files(recipe, root)


DISPOSABLE = ("checkpoints", "best", "tokens", "packs*")
"""What training keeps in its scratch folder to go on from after a kill (`train.checkpoints`, `train.shards`,
`train.stage`)."""

SEEDS = Step(
    "seeds", lazy_import("alif.data.synthesis.seeds:load_seeds"), "read and check the human seeds",
    settings=("language", "sources", "seeds", "pool"), paths=_seed_files,
)  # fmt: skip
GENERATE = Step(
    "generate", lazy_import("alif.data.synthesis.generate:generate"), "ask the teacher for new rows: all tasks, one pool",
    settings=("language", "sources", "teacher", "generate", "pool"), inputs=(SEEDS,), paths=_generate_files,
)  # fmt: skip
TRANSLATE = Step(
    "translate", lazy_import("alif.data.translation.translate:translate_rows"), "have the teacher translate rows of the known language",
    settings=("language", "sources", "teacher", "translate"), paths=_translate_files,
)  # fmt: skip
FILTER = Step(
    "filter", lazy_import("alif.data.filters.rules:filter_rows"), "check every row that a model wrote",
    settings=("language", "filter"), inputs=(GENERATE, TRANSLATE), paths=_pack_files,
)  # fmt: skip
REVIEW = Step(
    "review", lazy_import("alif.review.verdicts:review_rows"), "have people read rows, where the recipe asks for it",
    settings=("review",), inputs=(FILTER,), paths=_review_files,
)  # fmt: skip
REPLAY = Step(
    "replay", lazy_import("alif.data.mixture.replay:sample_replay"), "draw rows of the known language, against forgetting",
    settings=("language", "sources", "replay", "translate"), paths=_replay_files,
)  # fmt: skip
CORPUS = Step(
    "corpus", lazy_import("alif.data.corpus.build_corpus:build_corpus"), "gather and clean stage-1 text",
    settings=("language", "sources", "corpus"), paths=_corpus_files,
)  # fmt: skip
BLEND = Step(
    "blend", lazy_import("alif.data.mixture.blend:build_blend"), "mix the parts into training and validation rows",
    settings=("language", "sources", "blend", "split", "benchmarks"), inputs=(REVIEW, REPLAY), paths=_blend_files,
)  # fmt: skip
BASE = Step(
    "base", lazy_import("alif.train.prepare_base:prepare_base"), "make the tiny base model, or record a published one",
    settings=("language", "student", "tiny"), inputs=(CORPUS,), paths=_base_files, disposable=DISPOSABLE,
)  # fmt: skip
PRETRAIN = Step(
    "pretrain", lazy_import("alif.train.launch:run_pretrain"), "stage 1: continued pre-training on the corpus",
    settings=("language", "adapter", "pretrain"), inputs=(BASE, CORPUS), disposable=DISPOSABLE,
)  # fmt: skip
FINETUNE = Step(
    "finetune", lazy_import("alif.train.launch:run_finetune"), "stage 2: instruction tuning, loss on the answer only",
    settings=("language", "adapter", "finetune"), inputs=(BASE, PRETRAIN, BLEND), disposable=DISPOSABLE,
)  # fmt: skip
EVALUATE = Step(
    "evaluate", lazy_import("alif.evaluate.measure:evaluate_stages"), "measure each stage on held-out text, rows and questions",
    settings=("language", "sources", "benchmarks", "evaluate", "pretrain", "finetune"),
    inputs=(BASE, CORPUS, BLEND, PRETRAIN, FINETUNE), paths=_evaluate_files,
)  # fmt: skip
EXPORT = Step(
    "export", lazy_import("alif.release.export:export"), "merge adapter and base into one model folder",
    settings=("export",), inputs=(BASE, FINETUNE),
)  # fmt: skip

STEPS = {
    step.name: step
    for step in (
        SEEDS, GENERATE, TRANSLATE, FILTER, REVIEW, REPLAY, CORPUS, BLEND, BASE, PRETRAIN, FINETUNE, EVALUATE, EXPORT,
    )
}  # fmt: skip
PIPELINE: tuple[Step, ...] = tuple(STEPS[name] for name in STEP_NAMES)


def step_by_name(name: str) -> Step:
    """Return the step of that name."""
    return STEPS[name]


def required_steps(step: Step) -> tuple[Step, ...]:
    """Return `step` and all that it needs, in the order of the pipeline."""
    names = {step.name} | {one.name for need in step.inputs for one in required_steps(need)}
    return tuple(one for one in PIPELINE if one.name in names)


def run_pipeline(recipe: Recipe, folder: Run, steps: tuple[Step, ...] = PIPELINE) -> int:
    """Do those of `steps` that are not done, in order; return how many were done now.

    Raises:
        AlifError: before anything is written, where a pack or a data file of these steps is not there.
        DriftError: before anything is done, where a finished step was built with other settings.
    """
    for step in steps:
        step.paths(recipe, folder.root)
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
            if worked:
                _log_step(step, folder)
            if worked or step.name not in there:
                _send(step, folder, where, send_ledger)
    return done


def rerun(step: Step, recipe: Recipe, folder: Run, work: Callable[..., FrozenModel]) -> bool:
    """Do a finished step again by `work`, in the mirror too; return whether its rows changed.

    Raises:
        AlifError: the step is not done.
    """
    where = recipe.runtime.backup
    with folder.locked(), backup.background_backup(folder.root, where) as send_ledger:
        changed = rerun_step(step, recipe, folder, work)
        _send(step, folder, where, send_ledger)
    return changed


def _send(step: Step, folder: Run, where: str, send_ledger: Callable[[], None]) -> None:
    """Copy a step that is done to the mirror."""
    send_ledger()  # before the rows that were made of its replies
    backup.upload_step(folder.root, step.name, where)
    backup.prune(folder.root, f"runtime/{step.name}", where)


def _log_step(step: Step, folder: Run) -> None:
    record = folder.record(step.name)
    assert record is not None
    counts = record.counts
    rows = f"{counts.rows_in} in, {counts.kept} kept"
    if counts.not_sampled:
        rows += f", {counts.not_sampled} not sampled"
    if counts.dropped:
        rows += ", dropped: " + ", ".join(f"{count} {reason}" for reason, count in counts.dropped.items())
    money = f", {format_usd(record.cost_usd)}" if record.cost_usd else ""
    console.log(f"{step.name:>10}  {rows}{money}, {format_duration(record.seconds)}")
