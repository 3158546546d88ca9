"""What is wrong in the rows of a pack: its seeds, demo candidates and articles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import regex
from pydantic import JsonValue

from alif import settings, store, strict_json
from alif.data.filters.filter_context import FilterContext
from alif.data.filters.rules import first_fault
from alif.data.lint_finding import Finding, doubtful, missing, wrong
from alif.data.normalise_example import normalise_example
from alif.data.synthesis.example_pool import ExamplePool
from alif.language import language_id, text
from alif.language import pack as packs
from alif.language.pack import Pack
from alif.language.replies.item_format import FIELDS
from alif.records import NOT_REVIEWED, Example, Origin

__all__ = ["SEEDS", "LintRow", "lint_articles", "lint_rows", "lint_seed_count", "read_lint_rows"]

SEEDS = 8
"""Fewest seeds of a task: four are shown in a request, and should not always be the same."""
MAX_LOST_SHARE = 0.05
"""Most share of the articles' paragraphs that may be taken for another language, or of others' for this."""
SHOWN = 5
"""Most undeclared letters that are named."""


@dataclass(frozen=True)
class LintRow:
    """One row of a seed, demo or test file."""

    where: str
    values: dict[str, JsonValue]
    example: Example


def read_lint_rows(pack: Pack, path: Path, task: str, found: list[Finding]) -> Iterator[LintRow]:
    """Yield the rows of a file; what is no row is added to `found`."""
    ids: dict[str, str] = {}
    for number, line in store.read_lines(path):
        where = f"{path}:{number}"
        if not line.strip():
            continue
        try:
            values = strict_json.parse_row(line)
        except ValueError as error:
            found.append(
                wrong(where, str(error), "Each line is one JSON object; correct or remove that line.")
            )
            continue
        texts = {key: str(values.get(key) or "") for key in FIELDS}
        if empty := [key for key in ("instruction", "output") if not texts[key].strip()]:
            found.append(wrong(where, f'"{empty[0]}" is empty', "A row needs instruction and output."))
            continue
        if not values.get("author"):
            found.append(doubtful(where, 'no "author"', "Say who wrote the row."))
        if (name := str(values.get("id", ""))) in ids and name:
            found.append(wrong(where, f"the id {name} is also in {ids[name]}", "Each row needs its own id."))
        ids[name] = where
        row = Example.make(pack.code, task, **texts, origin=Origin(kind="seed", source=where))
        yield LintRow(where, values, normalise_example(row, pack))


def lint_seed_count(path: Path, seeds: Sequence[LintRow]) -> Iterator[Finding]:
    """Find files with too few seeds, or with seeds that nobody has read."""
    if not path.is_file():
        yield missing(
            str(path), "no such file", f"Write {SEEDS} rows or more: instruction, input, output, author."
        )
        return
    if len(seeds) < SEEDS:
        cure = f"Write {SEEDS - len(seeds)} more; 24 are good."
        yield missing(str(path), f"{len(seeds)} seeds", cure)
    if unread := sum(not row.values.get("reviewed_by") for row in seeds):
        cure = "Have them read, and name the reader in reviewed_by."
        yield doubtful(str(path), f"{unread} of {len(seeds)} seeds {NOT_REVIEWED}", cure)


def lint_rows(own: Pack, known: Pack, seeds: Sequence[LintRow], demo: Sequence[LintRow]) -> Iterator[Finding]:
    """Find what is wrong in rows: letters, faults that the filters drop, near-duplicates, copies."""
    rows = [*seeds, *demo]
    yield from _find_undeclared_letters(own, rows)
    checked = FilterContext(own, known, settings.Filter())
    for row in rows:
        if fault := first_fault(row.example, checked):
            what = f"{fault[0].replace('_', ' ')}: {fault[1]}"
            yield wrong(row.where, what, "The filters drop such rows: correct the row or the table.")
        elif (
            own.tasks[row.example.task].answer == "own"
            and language_id.identify_language(row.example.instruction, (own, known)) == known.code
        ):
            what = f"the instruction is in {known.name}"
            yield doubtful(row.where, what, f"A row of this task is in {own.name}.")
    yield from _find_other_style(own, rows)
    pool = ExamplePool(own, settings.Pool())
    places: dict[str, str] = {}
    for row in (one for one in seeds if pool.compared_words(one.example)):
        if nearest := pool.nearest(row.example):
            what = f"too near to {places[nearest.id]} (ROUGE-L {nearest.similarity:.2f})"
            yield wrong(row.where, what, "Ask for something else: the pool keeps only the first of the two.")
        else:
            pool.add(row.example)
            places[row.example.id] = row.where
    yield from _find_copies(own, seeds)


def _find_undeclared_letters(pack: Pack, rows: Sequence[LintRow]) -> Iterator[Finding]:
    """Find letters of the script that the pack does not declare, with word and place of the first."""
    counts: Counter[str] = Counter()
    first: dict[str, tuple[str, str]] = {}
    for row in rows:
        texts = "\n".join((row.example.instruction, row.example.input, row.example.output))
        for char, word in language_id.undeclared_letters(texts, pack):
            counts[char] += 1
            first.setdefault(char, (word, row.where))
    path = pack.folder / "pack.toml"
    for char, count in counts.most_common(SHOWN):
        word, where = first[char]
        yield wrong(
            where,
            f"{char} (U+{ord(char):04X}) in {word} is not among script.letters ({count} times in all)",
            f"Add it to script.letters in {path}, or correct the word; a look-alike belongs in [lookalikes].",
        )


def _find_other_style(pack: Pack, rows: Sequence[LintRow]) -> Iterator[Finding]:
    """Find answers with a mark or spelling that the pack writes otherwise: how often, and the first place."""
    words = [
        (regex.compile(rf"(?<![\p{{L}}\p{{M}}])(?:{pattern})(?![\p{{L}}\p{{M}}])"), right)
        for pattern, right in pack.style.spellings.items()
    ]
    counts: Counter[tuple[str, str]] = Counter()
    first: dict[tuple[str, str], str] = {}
    for row in rows:
        output = row.example.output
        pairs = {(mark, right) for mark, right in pack.style.marks.items() if mark in output}
        pairs |= {(hit[0], hit.expand(right)) for one, right in words for hit in one.finditer(output)}
        for pair in sorted(pairs):
            counts[pair] += 1
            first.setdefault(pair, row.where)
    for (wrong_one, right), count in counts.most_common():
        what = f"{wrong_one} where the pack writes {right} ({count} rows in all)"
        yield doubtful(first[wrong_one, right], what, "One word, one spelling: see style in pack.toml.")


def _find_copies(pack: Pack, rows: Sequence[LintRow]) -> Iterator[Finding]:
    """Find seeds whose instruction or output is word for word that of a shipped pack of another language."""
    theirs: dict[str, str] = {}
    for name, folder in packs.shipped_packs().items():
        if name == pack.code:  # the pack itself, or a copy of it that is being edited
            continue
        for path in sorted(folder.glob("seeds/*.jsonl")):
            for number, values in store.read_rows(path):
                for key in ("instruction", "output"):
                    value = text.fold_text(str(values.get(key, "")), pack)
                    theirs.setdefault(value, f"{name}/seeds/{path.name}:{number}")
    for row in rows:
        for key, value in (("instruction", row.example.instruction), ("output", row.example.output)):
            where = theirs.get(text.fold_text(value, pack))
            if where and len(text.split_words(value, pack)) > 2:
                yield wrong(
                    row.where, f"{key} copied from the pack {where}", "Write a row of the language's own."
                )
                break


def lint_articles(own: Pack, known: Pack) -> Iterator[Finding]:
    """Find that the pack's own texts are taken for another language, or those of a neighbour for this one."""
    path, tables = own.folder / "demo" / "articles.jsonl", f"{own.folder / 'pack.toml'}: script"
    texts = _paragraphs(path)
    taken = Counter(language_id.identify_language(value, (own, known)) for value in texts)
    lost = len(texts) - taken[own.code] - taken["undecided"]
    if lost > MAX_LOST_SHARE * len(texts):
        what = f"{lost} of {len(texts)} paragraphs are taken for another language"
        yield wrong(str(path), what, f"Correct the texts, or letters and function words in {tables}.")
    least = own.script.function_word_share
    found = (language_id.function_word_share(value, own) for value in texts)
    shares = sorted(share for share in found if share is not None)
    few = sum(share < least for share in shares)
    if few > MAX_LOST_SHARE * len(shares):
        usual = shares[int(MAX_LOST_SHARE * len(shares))] / 2
        what = f"{few} of {len(shares)} paragraphs in {path.name} have less than {least}"
        cure = f"Lower it to {usual:.3f}" if usual else "Add words to script.function_words"
        cure = f"{cure}: it is measured anew when words change."
        yield doubtful(f"{tables}.function_word_share", what, cure)
    for name, folder in packs.shipped_packs().items():
        other = packs.load_pack(folder)
        if other.code in (own.code, known.code) or other.script.name != own.script.name:
            continue
        theirs = _paragraphs(folder / "demo" / "articles.jsonl")
        count = sum(language_id.identify_language(value, (own, known)) == own.code for value in theirs)
        if count > MAX_LOST_SHARE * len(theirs):
            what = f"{count} of {len(theirs)} paragraphs of the pack {name} are taken for {own.name}"
            cure = f"Take out what {other.name} has too, or name letters that it lacks in script.distinctive."
            yield wrong(f"{tables}.function_words", what, cure)


def _paragraphs(path: Path) -> list[str]:
    rows = [row for _, row in store.read_rows(path)] if path.is_file() else []
    return [line for row in rows for line in str(row.get("text") or "").splitlines() if line.strip()]
