"""Which files and folders each step opens beside its inputs; they count by content in its identity.

A step is handed these paths by label and can open nothing else of the run or of a pack.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from alif import sources
from alif.errors import PackError
from alif.settings import BenchmarkTable, Recipe

if TYPE_CHECKING:
    from alif.language.pack import Pack

__all__ = [
    "base_paths", "blend_paths", "corpus_paths", "evaluate_paths", "generate_paths",
    "judge_paths", "merge_paths",
    "pack_paths", "pairs_paths", "replay_paths", "review_paths", "seed_paths", "translate_paths",
]  # fmt: skip

PROMPTS = Path(__file__).parent / "data" / "prompts"
"""The wordings of requests to teachers; `data.prompt_texts` reads them."""
REWRITE_PROMPT = PROMPTS.parent / "translation" / "rewrite.txt"
JUDGE_PROMPTS = Path(__file__).parent / "evaluate" / "prompts"
"""The English prompts of judges; a pack may have its own in judge/."""


def _load(name_or_path: str) -> Pack:
    from alif.language import pack  # noqa: PLC0415  (here, so that `alif --help` answers without it)

    return pack.load_pack(name_or_path)


def _data(recipe: Recipe, source: tuple[str, ...], pack: str = "", *names: str) -> dict[str, Path]:
    """Return the files that a source names: by path, "pack" as the `names` of that pack."""
    found = {str(path): path for path in sources.resolve_paths(source, recipe.sources.folder)}
    return found | (_pack_files(pack, *names) if pack and "pack" in source else {})


def _pack_files(pack: str, *names: str) -> dict[str, Path]:
    """Return those of the named files that a pack has, such as "demo/rows.jsonl"."""
    loaded = _load(pack)
    paths = sources.PackFiles(loaded, names).paths()
    return {f"pack/{loaded.code}/{name}": path for name, path in paths.items()}


def _packs(recipe: Recipe) -> dict[str, Path]:
    """Return what counts of both packs: tables, tasks and prompts."""
    both = (_load(name) for name in (recipe.language.pack, recipe.language.source))
    return {f"pack/{label}": path for one in both for label, path in one.identity_files().items()}


def _teacher_paths(recipe: Recipe) -> dict[str, Path]:
    """Return what steps that ask a teacher read: packs, wordings, a scripted teacher's answers."""
    found = _packs(recipe) | {"prompts": PROMPTS}
    for teacher in recipe.teacher.values():
        if teacher.base_url == "scripted":
            demo = ("candidates", "faults.jsonl", "questions.jsonl", "translations.jsonl", "articles.jsonl")
            found |= _pack_files(recipe.language.pack, *(f"demo/{name}" for name in demo))
            found |= _pack_files(recipe.language.source, "demo/rows.jsonl")
            found |= _data(recipe, teacher.parallel_files)
    return found


def seed_paths(recipe: Recipe, root: Path) -> Mapping[str, Path]:
    """Return the packs and the seed files."""
    return _packs(recipe) | _data(recipe, recipe.seeds.source, recipe.language.pack, "seeds")


def generate_paths(recipe: Recipe, root: Path) -> Mapping[str, Path]:
    """Return what the teacher is asked with, and the passages."""
    settings = recipe.generate
    if not settings.slots and not settings.grounded_share and not settings.reverse_share:
        return _teacher_paths(recipe)
    passages = _data(recipe, settings.passages, recipe.language.pack, "demo/articles.jsonl")
    return _teacher_paths(recipe) | passages


def translate_paths(recipe: Recipe, root: Path) -> Mapping[str, Path]:
    """Return what the teacher is asked with, and the rows to translate."""
    rows = _data(recipe, recipe.translate.source, recipe.language.source, "demo/rows.jsonl")
    own = _pack_files(recipe.language.pack, "demo/translations.jsonl")
    rewrite = {"rewrite prompt": REWRITE_PROMPT} if recipe.translate.rewrite else {}
    return _teacher_paths(recipe) | rows | own | rewrite


def replay_paths(recipe: Recipe, root: Path) -> Mapping[str, Path]:
    """Return the packs, the source language's rows, which of them are translated, and who answers prompts."""
    source = (*recipe.replay.source, *(recipe.replay.prompts if recipe.replay_model else ()))
    files = tuple(one for one in source if one != "self")
    found = _packs(recipe) | _data(recipe, files, recipe.language.source, "demo/rows.jsonl")
    found |= _pack_files(recipe.language.pack, "demo/translations.jsonl")
    for name in recipe.replay_model:
        folder = Path(name).expanduser()
        found |= _teacher_paths(recipe) if name in recipe.teacher else {}
        found |= {"sibling": folder} if name not in recipe.teacher and folder.exists() else {}
    return found


def corpus_paths(recipe: Recipe, root: Path) -> Mapping[str, Path]:
    """Return the packs and the texts of both languages."""
    articles = "demo/articles.jsonl"
    target = _data(recipe, recipe.corpus.source, recipe.language.pack, articles)
    known = _data(recipe, recipe.corpus.source_language_files, recipe.language.source, articles)
    tests = test_paths(recipe, recipe.decontaminated) if recipe.corpus.decontaminate else {}
    return _packs(recipe) | target | known | tests


def test_paths(recipe: Recipe, tables: Mapping[str, BenchmarkTable]) -> dict[str, Path]:
    """Return the test set and the files of benchmarks; both packs may have some."""
    found = _data(recipe, recipe.benchmarks.test, recipe.language.pack, "test.jsonl")
    for pack in (recipe.language.pack, recipe.language.source):
        found |= _data(recipe, recipe.benchmarks.multiple_choice, pack, "choices.jsonl")
        for table in tables.values():
            found |= _data(recipe, table.files, pack, "choices.jsonl")
            if max(table.shots):
                found |= _data(recipe, table.examples, pack, f"seeds/{table.examples_task}.jsonl")
    for table in tables.values():
        found |= _data(recipe, table.original)
    return found


def blend_paths(recipe: Recipe, root: Path) -> Mapping[str, Path]:
    """Return the packs, the test files, for decontamination, and the parts' own sources."""
    found = _packs(recipe) | test_paths(recipe, recipe.decontaminated)
    for part in recipe.blend.values():
        found |= _data(recipe, part.source)
    for table in recipe.translated_from.values():
        found |= _data(recipe, table.source, recipe.language.source, "demo/rows.jsonl")
    return found


def pairs_paths(recipe: Recipe, root: Path) -> Mapping[str, Path]:
    """Return the packs, the test files, for decontamination, and the files of pairs, where there are some."""
    files = tuple(part for part in recipe.pairs.source if part != "review")
    tests = test_paths(recipe, recipe.decontaminated)
    return _packs(recipe) | tests | _data(recipe, files) if recipe.pairs.source else {}


def base_paths(recipe: Recipe, root: Path) -> Mapping[str, Path]:
    """Return the local folder of a published base."""
    folder = Path(recipe.student.base)
    return {"base": folder} if recipe.student.base != "tiny" and folder.is_dir() else {}


def merge_paths(recipe: Recipe, root: Path) -> Mapping[str, Path]:
    """Return the local folder or file of the base's instruct sibling."""
    path = Path(recipe.merge.instruct).expanduser()
    return {"instruct": path} if recipe.merge.instruct and path.exists() else {}


def pack_paths(recipe: Recipe, root: Path) -> Mapping[str, Path]:
    """Return both packs."""
    return _packs(recipe)


def review_paths(recipe: Recipe, root: Path) -> Mapping[str, Path]:
    """Return both packs and the verdicts: one that is added to a finished review is drift."""
    path = Path(recipe.review.verdicts) if recipe.review.verdicts else root / "verdicts.jsonl"
    return _packs(recipe) | ({"verdicts": path} if path.is_file() else {})


def evaluate_paths(recipe: Recipe, root: Path) -> Mapping[str, Path]:
    """Return the packs, the test files and the local folders of other systems."""
    folders = {
        f"system/{name}": Path(system.model) for name, system in recipe.system.items() if not system.base_url
    }
    if recipe.evaluate.bert_score:
        folders["bert_score"] = Path(recipe.evaluate.bert_score)
    local = {label: path for label, path in folders.items() if path.is_dir()}
    return _packs(recipe) | test_paths(recipe, recipe.benchmark) | local


def judge_paths(recipe: Recipe, root: Path) -> Mapping[str, Path]:
    """Return the packs, the judges' prompts and the files of people's verdicts, where there are judges.

    Raises:
        RecipeError: a pair that is compared names no system of the recipe.
        PackError: the pack has no prompts of its own.
    """
    if not recipe.judge:
        return {}
    from alif.evaluate.judge_requests import list_pairs  # noqa: PLC0415  (as `load_pack` above)

    list_pairs(recipe.judging.pairs, recipe.systems())
    folder = JUDGE_PROMPTS
    if recipe.judging.prompt_language == "own":
        folder = _load(recipe.language.pack).folder / "judge"
        if not folder.is_dir():
            hint = 'Write pair, rubric and again.jinja there, or set judging.prompt_language = "english".'
            raise PackError(f"{folder}: the pack has no prompts for judges", hint)
    human = {f"human/{path}": path for path in _data(recipe, recipe.judging.human).values()}
    return _packs(recipe) | {"judge prompts": folder} | human
