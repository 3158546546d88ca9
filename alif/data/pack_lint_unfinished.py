"""Find what `alif new` left for a linguist to do: empty keys, English phrases, comments on what to mend."""

from __future__ import annotations

import re
from collections.abc import Iterator

from alif.data.lint_finding import Finding, doubtful, missing
from alif.language.normalisation import phrase_words
from alif.language.pack import Pack
from alif.language.pack_files import text_files

__all__ = ["lint_unfinished"]

_MEND = re.compile(r"\bmend:", re.IGNORECASE)
"""The mark of such a comment in alif/language/blank."""
PHRASES = ("refusals", "openings", "closings")
CHOICES = ("asks", "collective_words", "words", "ordinals", "last", "choice_nouns", "none_of", "all_of")


def lint_unfinished(own: Pack, known: Pack) -> Iterator[Finding]:
    """Find keys that are empty or as `alif new` wrote them, phrases of the known language, its comments."""
    path = own.folder / "pack.toml"
    if not own.licence:
        cure = "Name the licence of the texts in this folder: rows made from them carry it."
        yield missing(f"{path}: licence", "none", cure)
    yield from _find_empty_keys(own)
    every = (key for table in (known.phrases, known.choices) for key in type(table).model_fields)
    common = {word for _, phrases in _phrase_lists(known, *every) for word in phrase_words(phrases, own)}
    for key, phrases in _phrase_lists(own, *PHRASES, *CHOICES) if own.code != known.code else ():
        words = phrase_words(phrases, own)
        if words and words <= common:
            what = f"only phrases in {known.name}: {phrases[0]}"
            yield missing(f"{path}: {key}", what, f"Add those in {own.name}.")
    for file in text_files(own.folder):
        lines = file.read_text(encoding="utf-8").splitlines()
        left = [number for number, line in enumerate(lines, 1) if _MEND.search(line)]
        if left:
            what = f'{len(left)} comments "mend:" are left, the first here'
            yield doubtful(f"{file}:{left[0]}", what, "Do what each says, and remove the comment.")


def _find_empty_keys(pack: Pack) -> Iterator[Finding]:
    for task in pack.tasks.values():
        given = task.model_fields_set
        translates = (task.answer, task.answer_script) == ("either", "own") or "into" in given
        empty = {
            "labels": "labels" in given and not task.labels,
            "request_templates": translates and not task.request_templates,
            "into.own": translates and not task.into.own,
            "into.known": translates and not task.into.known,
        }
        cures = {
            "labels": "Write the only right answers, as prompt and seeds have them.",
            "request_templates": "Write six requests to translate a text, each in other words.",
            "into.own": f"Write how a request asks for {pack.name}.",
            "into.known": "Write how a request asks for the language of the base model.",
        }
        path = pack.folder / "tasks" / f"{task.name}.toml"
        yield from (
            missing(f"{path}: {key}", "empty", cures[key]) for key, is_empty in empty.items() if is_empty
        )


def _phrase_lists(pack: Pack, *keys: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name, table in (("phrases", pack.phrases), ("choices", pack.choices)):
        for key in keys:
            values = getattr(table, key, ())
            if isinstance(values, tuple) and all(isinstance(one, str) for one in values):
                yield f"{name}.{key}", values
            elif key == "ordinals":
                yield f"{name}.{key}", tuple(phrase for phrases in values for phrase in phrases)
