"""The order of the steps, in one tuple; `run` walks it.

     pack ─▶ seeds ─▶ generate ─┐
                                ├▶ filter ─▶ review ─┐
     sources ──────▶ translate ─┘                    ├▶ blend ─┐
     sources ──────▶ replay ─────────────────────────┘         ├▶ finetune ─▶ evaluate, export ─▶ chat
     sources ──────▶ corpus ─▶ base ─▶ pretrain ───────────────┘

Each step's function is imported when the step runs, so that listing the steps loads no torch. What a step may read (`reads`),
which finished folders it is handed (`needs`) and which files it opens (`files`) stand here and nowhere else: together they
are its identity.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from alif import console, mirror, sources
from alif.errors import MissingExtra
from alif.recipe import Recipe
from alif.records import Counts
from alif.runs import Given, Run, Step, finished, perform, redo
from alif.units import dollars, duration

if TYPE_CHECKING:
    from alif.language.pack import Pack

__all__ = ["PIPELINE", "again", "named", "needed", "run"]


def later(where: str) -> Callable[..., Counts]:
    """Return a function that imports `module:function` when it is called."""
    module, _, function = where.partition(":")

    def work(given: Given, **tables: object) -> Counts:
        try:
            found = getattr(import_module(module), function)
        except ModuleNotFoundError as error:
            if error.name in ("torch", "transformers", "peft", "accelerate", "tokenizers", "safetensors"):
                raise MissingExtra(f"alif {given.step}", "train") from error
            raise
        return found(given, **tables)  # type: ignore[no-any-return]

    return work


def _data(recipe: Recipe, *tables: tuple[str, ...]) -> dict[str, Path]:
    """Return the data files that source tuples name, by path as the recipe gives it."""
    return {str(path): path for table in tables for path in sources.paths(table, recipe.sources.folder)}


def _load(name_or_path: str) -> Pack:
    from alif.language import pack  # noqa: PLC0415  (here, so that `alif --help` answers without it)

    return pack.load(name_or_path)


def _pack(recipe: Recipe) -> dict[str, Path]:
    """Return what counts of both packs: tables, tasks and prompts."""
    both = (_load(name) for name in (recipe.language.pack, recipe.language.known))
    return {f"pack/{label}": path for one in both for label, path in one.parts().items()}


def _pack_file(recipe: Recipe, *names: str) -> dict[str, Path]:
    """Return files of the taught language's pack, such as "seeds"."""
    folder = _load(recipe.language.pack).folder
    return {f"pack/{name}": folder / name for name in names if (folder / name).exists()}


def _known_file(recipe: Recipe, *names: str) -> dict[str, Path]:
    """Return files of the known language's pack, such as "demo/rows.jsonl"."""
    folder = _load(recipe.language.known).folder
    return {f"known/{name}": folder / name for name in names if (folder / name).exists()}


def _translated(recipe: Recipe) -> dict[str, Path]:
    """Return the file that decides which demo rows are translated and which are replayed."""
    return _pack_file(recipe, "demo/translations.jsonl")


def _script(recipe: Recipe) -> dict[str, Path]:
    """Return what the scripted teacher answers from, where a recipe has one."""
    scripted = [teacher for teacher in recipe.teacher.values() if teacher.address == "scripted"]
    found: dict[str, Path] = {}
    for teacher in scripted:
        found |= _data(recipe, teacher.phrasebook)
        found |= _pack_file(recipe, "demo/candidates", "demo/faults.jsonl", "demo/questions.jsonl") | _translated(recipe)
        found |= _known_file(recipe, "demo/rows.jsonl")
    return found


def _seed_files(recipe: Recipe) -> Mapping[str, Path]:
    own = _pack_file(recipe, "seeds") if "pack" in recipe.seeds.source else {}
    return _pack(recipe) | own | _data(recipe, recipe.seeds.source)


def _generate_files(recipe: Recipe) -> dict[str, Path]:
    if not recipe.generate.grounded and not recipe.generate.reverse:
        return _pack(recipe) | _script(recipe)
    own = _pack_file(recipe, "demo/articles.jsonl") if "pack" in recipe.generate.passages else {}
    return _pack(recipe) | _script(recipe) | own | _data(recipe, recipe.generate.passages)


def _translate_files(recipe: Recipe) -> Mapping[str, Path]:
    own = _known_file(recipe, "demo/rows.jsonl") if "pack" in recipe.translate.source else {}
    return _pack(recipe) | _script(recipe) | _translated(recipe) | own | _data(recipe, recipe.translate.source)


def _replay_files(recipe: Recipe) -> Mapping[str, Path]:
    own = _known_file(recipe, "demo/rows.jsonl") if "pack" in recipe.replay.source else {}
    return _translated(recipe) | own | _data(recipe, recipe.replay.source)


def _corpus_files(recipe: Recipe) -> Mapping[str, Path]:
    own = _pack_file(recipe, "demo/articles.jsonl") if "pack" in recipe.corpus.source else {}
    known = _known_file(recipe, "demo/articles.jsonl") if "pack" in recipe.corpus.known_source else {}
    return _pack(recipe) | own | known | _data(recipe, recipe.corpus.source, recipe.corpus.known_source)


def _test_files(recipe: Recipe) -> dict[str, Path]:
    own = _pack_file(recipe, "test.jsonl") if "pack" in recipe.benchmarks.test else {}
    return own | _data(recipe, recipe.benchmarks.test, recipe.benchmarks.choices)


def _blend_files(recipe: Recipe) -> Mapping[str, Path]:
    return _test_files(recipe) | _data(recipe, *(part.source for part in recipe.blend.values()))


def _base_files(recipe: Recipe) -> Mapping[str, Path]:
    folder = Path(recipe.student.base)
    return {"base": folder} if recipe.student.base != "tiny" and folder.is_dir() else {}


def _evaluate_files(recipe: Recipe) -> Mapping[str, Path]:
    return _pack(recipe) | _test_files(recipe)


DISPOSABLE = ("checkpoints", "best", "tokens", "packs*")
"""What training keeps in its scratch folder to go on from after a kill (`train.checkpoints`, `train.shards`, `train.stage`)."""

SEEDS = Step(
    "seeds", later("alif.data.seeds:load"), "read and check the human seeds",
    reads=("language", "sources", "seeds", "pool"), files=_seed_files,
)  # fmt: skip
GENERATE = Step(
    "generate", later("alif.data.generate:expand"), "ask the teacher for new rows: all tasks, one pool",
    reads=("language", "sources", "teacher", "generate", "pool"), needs=(SEEDS,), files=_generate_files,
)  # fmt: skip
TRANSLATE = Step(
    "translate", later("alif.data.translate:translate"), "have the teacher translate rows of the known language",
    reads=("language", "sources", "teacher", "translate"), files=_translate_files,
)  # fmt: skip
FILTER = Step(
    "filter", later("alif.data.filters:check"), "check every row that a model wrote",
    reads=("language", "filter"), needs=(GENERATE, TRANSLATE), files=_pack,
)  # fmt: skip
REVIEW = Step(
    "review", later("alif.review.verdicts:review"), "have people read rows, where the recipe asks for it",
    reads=("review",), needs=(FILTER,),
)  # fmt: skip
REPLAY = Step(
    "replay", later("alif.data.replay:draw"), "draw rows of the known language, against forgetting",
    reads=("language", "sources", "replay", "translate"), files=_replay_files,
)  # fmt: skip
CORPUS = Step(
    "corpus", later("alif.data.corpus:gather"), "gather and clean stage-1 text",
    reads=("language", "sources", "corpus"), files=_corpus_files,
)  # fmt: skip
BLEND = Step(
    "blend", later("alif.data.blend:mix"), "mix the parts into training and validation rows",
    reads=("language", "sources", "blend", "split", "benchmarks"), needs=(REVIEW, REPLAY), files=_blend_files,
)  # fmt: skip
BASE = Step(
    "base", later("alif.train.base:prepare"), "make the tiny base model, or record a published one",
    reads=("language", "student", "tiny"), needs=(CORPUS,), files=_base_files, disposable=DISPOSABLE,
)  # fmt: skip
PRETRAIN = Step(
    "pretrain", later("alif.train.launch:pretrain"), "stage 1: continued pre-training on the corpus",
    reads=("language", "adapter", "pretrain"), needs=(BASE, CORPUS), disposable=DISPOSABLE,
)  # fmt: skip
FINETUNE = Step(
    "finetune", later("alif.train.launch:finetune"), "stage 2: instruction tuning, loss on the answer only",
    reads=("language", "adapter", "finetune"), needs=(BASE, PRETRAIN, BLEND), disposable=DISPOSABLE,
)  # fmt: skip
EVALUATE = Step(
    "evaluate", later("alif.evaluate.measure:measure"), "measure each stage on held-out text, rows and questions",
    reads=("language", "sources", "benchmarks", "evaluate", "pretrain", "finetune"),
    needs=(BASE, CORPUS, BLEND, PRETRAIN, FINETUNE), files=_evaluate_files,
)  # fmt: skip
EXPORT = Step(
    "export", later("alif.ship.export:export"), "merge adapter and base into one model folder",
    reads=("export",), needs=(BASE, FINETUNE),
)  # fmt: skip

PIPELINE: tuple[Step, ...] = (
    SEEDS, GENERATE, TRANSLATE, FILTER, REVIEW, REPLAY, CORPUS, BLEND, BASE, PRETRAIN, FINETUNE, EVALUATE, EXPORT,
)  # fmt: skip


def named(name: str) -> Step:
    """Return the step of that name."""
    return next(step for step in PIPELINE if step.name == name)


def needed(step: Step) -> tuple[Step, ...]:
    """Return `step` and all that it needs, in the order of the pipeline."""
    names = {step.name} | {one.name for need in step.needs for one in needed(need)}
    return tuple(one for one in PIPELINE if one.name in names)


def run(recipe: Recipe, folder: Run, steps: tuple[Step, ...] = PIPELINE) -> int:
    """Do those of `steps` that are not done, in order; return how many were done now.

    Raises:
        AlifError: before anything is written, where a pack or a data file of these steps is not there.
        DriftError: before anything is done, where a finished step was built with other settings.
    """
    for step in steps:
        step.files(recipe)
    done = 0
    where = recipe.runtime.mirror
    with folder.locked(), mirror.keeping(folder.root, where) as send_ledger:
        if fetched := mirror.restore(folder.root, where):
            console.note(f"From {where}: {', '.join(fetched)}")
        for step in PIPELINE:
            finished(step, recipe, folder)
        folder.begin(recipe)
        there = mirror.standing(folder.root, where)
        for step in steps:
            worked = perform(step, recipe, folder)
            done += worked
            if worked:
                _tell(step, folder)
            if worked or step.name not in there:
                _send(step, folder, where, send_ledger)
    return done


def again(step: Step, recipe: Recipe, folder: Run, work: Callable[..., Counts]) -> bool:
    """Do a finished step again by `work`, in the mirror too; return whether its rows changed.

    Raises:
        AlifError: the step is not done.
    """
    where = recipe.runtime.mirror
    with folder.locked(), mirror.keeping(folder.root, where) as send_ledger:
        changed = redo(step, recipe, folder, work)
        _send(step, folder, where, send_ledger)
    return changed


def _send(step: Step, folder: Run, where: str, send_ledger: Callable[[], None]) -> None:
    """Copy a step that is done to the mirror."""
    send_ledger()  # before the rows that were made of its replies
    mirror.send(folder.root, step.name, where)
    mirror.forget(folder.root, f"runtime/{step.name}", where)


def _tell(step: Step, folder: Run) -> None:
    record = folder.record(step.name) or {}
    counts = record["counts"]
    dropped = ", ".join(f"{count} {reason}" for reason, count in counts["dropped"].items())
    rows = f"{counts['rows_in']} in, {counts['kept']} kept" + (f", dropped: {dropped}" if dropped else "")
    money = f", {dollars(record['cost_usd'])}" if record["cost_usd"] else ""
    console.note(f"{step.name:>10}  {rows}{money}, {duration(record['seconds'])}")
