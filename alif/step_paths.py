"""Which files and folders each step opens beside its inputs; they count by content in its identity.

A step is handed these paths by label and can open nothing else of the run or of a pack.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from alif import sources
from alif.settings import Recipe

if TYPE_CHECKING:
    from alif.language.pack import Pack

__all__ = [
    "base_paths",
    "blend_paths",
    "corpus_paths",
    "evaluate_paths",
    "generate_paths",
    "pack_paths",
    "replay_paths",
    "review_paths",
    "seed_paths",
    "translate_paths",
]


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
    return {f"pack/{label}": path for one in both for label, path in one.identity_files().items()}


def _pack_file(recipe: Recipe, *names: str) -> dict[str, Path]:
    """Return files of the target language's pack, such as "seeds"."""
    folder = _load(recipe.language.pack).folder
    return {f"pack/{name}": folder / name for name in names if (folder / name).exists()}


def _known_file(recipe: Recipe, *names: str) -> dict[str, Path]:
    """Return files of the source language's pack, such as "demo/rows.jsonl"."""
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


def seed_paths(recipe: Recipe, root: Path) -> Mapping[str, Path]:
    """Return the packs and the seed files."""
    own = _pack_file(recipe, "seeds") if "pack" in recipe.seeds.source else {}
    return _pack(recipe) | own | _data(recipe, recipe.seeds.source)


def generate_paths(recipe: Recipe, root: Path) -> dict[str, Path]:
    """Return the packs, the scripted teacher's texts and the passages."""
    if not recipe.generate.grounded_share and not recipe.generate.reverse_share:
        return _pack(recipe) | _script(recipe)
    own = _pack_file(recipe, "demo/articles.jsonl") if "pack" in recipe.generate.passages else {}
    return _pack(recipe) | _script(recipe) | own | _data(recipe, recipe.generate.passages)


def translate_paths(recipe: Recipe, root: Path) -> Mapping[str, Path]:
    """Return the packs, the scripted teacher's texts and the rows to translate."""
    own = _known_file(recipe, "demo/rows.jsonl") if "pack" in recipe.translate.source else {}
    return (
        _pack(recipe) | _script(recipe) | _translated(recipe) | own | _data(recipe, recipe.translate.source)
    )


def replay_paths(recipe: Recipe, root: Path) -> Mapping[str, Path]:
    """Return the source language's rows, and which of them are translated."""
    own = _known_file(recipe, "demo/rows.jsonl") if "pack" in recipe.replay.source else {}
    return _translated(recipe) | own | _data(recipe, recipe.replay.source)


def corpus_paths(recipe: Recipe, root: Path) -> Mapping[str, Path]:
    """Return the packs and the texts of both languages."""
    own = _pack_file(recipe, "demo/articles.jsonl") if "pack" in recipe.corpus.source else {}
    known = (
        _known_file(recipe, "demo/articles.jsonl") if "pack" in recipe.corpus.source_language_files else {}
    )
    return (
        _pack(recipe) | own | known | _data(recipe, recipe.corpus.source, recipe.corpus.source_language_files)
    )


def test_paths(recipe: Recipe, root: Path) -> dict[str, Path]:
    """Return the test set and the multiple-choice files."""
    own = _pack_file(recipe, "test.jsonl") if "pack" in recipe.benchmarks.test else {}
    return own | _data(recipe, recipe.benchmarks.test, recipe.benchmarks.multiple_choice)


def blend_paths(recipe: Recipe, root: Path) -> Mapping[str, Path]:
    """Return the test files, for decontamination, and the parts' own sources."""
    return test_paths(recipe, root) | _data(recipe, *(part.source for part in recipe.blend.values()))


def base_paths(recipe: Recipe, root: Path) -> Mapping[str, Path]:
    """Return the local folder of a published base."""
    folder = Path(recipe.student.base)
    return {"base": folder} if recipe.student.base != "tiny" and folder.is_dir() else {}


def pack_paths(recipe: Recipe, root: Path) -> Mapping[str, Path]:
    """Return both packs."""
    return _pack(recipe)


def review_paths(recipe: Recipe, root: Path) -> Mapping[str, Path]:
    """Return the file of verdicts: one that is added after the step was done is drift, and is named."""
    path = Path(recipe.review.verdicts) if recipe.review.verdicts else root / "verdicts.jsonl"
    return {"verdicts": path} if path.is_file() else {}


def evaluate_paths(recipe: Recipe, root: Path) -> Mapping[str, Path]:
    """Return the packs, the test files and the local folders of other systems."""
    folders = {
        f"system/{name}": Path(system.model) for name, system in recipe.system.items() if not system.base_url
    }
    local = {label: path for label, path in folders.items() if path.is_dir()}
    return _pack(recipe) | test_paths(recipe, root) | local
