"""Alif: take an open language model to your own language. The names below are the public API.

Each is imported when it is used first, so `import alif` is light and `alif --help` loads no torch.
docs/api.md has an example of each.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alif.api import LoadedRun, compare, load, read_recipe, run
    from alif.dedup.rouge_index import RougeLIndex
    from alif.errors import AlifError
    from alif.language.answers.arithmetic import check_equations
    from alif.language.answers.match import compare_answers
    from alif.language.language_id import identify_language
    from alif.language.pack import Pack, load_pack
    from alif.language.text import split_words
    from alif.records import Example
    from alif.settings import Recipe

__all__ = [
    "AlifError", "Example", "LoadedRun", "Pack", "Recipe", "RougeLIndex", "check_equations", "compare",
    "compare_answers", "identify_language", "load", "load_pack", "read_recipe", "run", "split_words",
]  # fmt: skip
_MODULES = {
    "AlifError": "errors",
    "Example": "records",
    "Pack": "language.pack",
    "Recipe": "settings",
    "RougeLIndex": "dedup.rouge_index",
    "check_equations": "language.answers.arithmetic",
    "compare_answers": "language.answers.match",
    "identify_language": "language.language_id",
    "load_pack": "language.pack",
    "split_words": "language.text",
}
"""Where a name is defined; the others are in `alif.api`."""


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'alif' has no attribute {name!r}")
    return getattr(import_module(f"alif.{_MODULES.get(name, 'api')}"), name)


def __dir__() -> list[str]:
    return __all__
