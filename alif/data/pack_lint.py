"""What a language pack lacks, what is doubtful in it and why, in the order in which a linguist should mend
it.

    1 wrong      files that cannot be read: encoding, TOML, keys, templates          nothing else can be judged before
    2 missing    letters, words, headings, labels, seeds, texts
    3 wrong      rows: not JSON, an answer left out, the wrong language, letters or sums, too near to another, copied
    4 doubtful   what a person should look at

Each finding is one sentence with its place (path:line) and one with the cure. Nothing is changed and nothing
is sent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from alif import settings, store
from alif.data.filters import rules
from alif.data.filters.filter_context import FilterContext
from alif.data.synthesis import prompts
from alif.data.synthesis.example_pool import ExamplePool
from alif.errors import PackError
from alif.language import language_id, text
from alif.language import pack as packs
from alif.language.pack import Pack, Task
from alif.language.replies import item_format
from alif.records import NOT_REVIEWED, Example, Origin

__all__ = ["Finding", "lint_pack"]

SEEDS = 8
"""Fewest seeds of a task: four are shown in a request, and should not always be the same."""
ARTICLES = 20
"""Fewest texts of the offline demo's first stage."""
EXAMPLES = 5
"""Most undeclared letters that are named."""


@dataclass(frozen=True)
class Finding:
    """One thing to mend."""

    kind: Literal["wrong", "missing", "doubtful"]
    where: str
    """path, path:line or path with a key."""
    what: str
    cure: str


@dataclass(frozen=True)
class _Row:
    """One row of a seed, demo or test file."""

    where: str
    values: dict[str, Any]
    example: Example


def lint_pack(name_or_path: str, language: settings.Language) -> list[Finding]:
    """Return all findings about a pack, in the order to mend them; of `language` only the known one
    counts.
    """
    folder = packs.shipped_packs().get(name_or_path, Path(name_or_path))
    broken = packs.validation_errors(folder)
    if broken:
        return [_fault(error) for error in broken]
    own, other = packs.load_pack(folder), packs.load_pack(language.source)
    found = [*_tables(own), *_tasks(own)]
    rows: list[_Row] = []
    for task in own.tasks.values():
        seeds = list(_rows(own, folder / "seeds" / f"{task.name}.jsonl", task.name, found))
        found += _enough(folder, task, seeds)
        rows += seeds
    demo = [
        row
        for name in own.tasks
        for row in _rows(own, folder / "demo" / "candidates" / f"{name}.jsonl", name, found, True)
    ]
    found += _letters(own, rows + demo)
    found += _faulty(own, other, rows + demo)
    found += _near(own, rows)
    found += _copied(own, rows)
    found += _texts(own, demo)
    ordered = [
        finding for kind in ("wrong", "missing", "doubtful") for finding in found if finding.kind == kind
    ]
    return [
        replace(finding, where=finding.where.replace(str(own.folder), str(folder))) for finding in ordered
    ]


def _fault(error: PackError) -> Finding:
    where, _, what = error.message.partition(": ")
    return Finding("wrong", where, what, error.hint)


def _tables(pack: Pack) -> Iterator[Finding]:
    """Find tables that are still as `alif new` writes them, or too thin to work."""
    path = pack.folder / "pack.toml"
    if pack.name == pack.code:
        yield Finding(
            "missing",
            f"{path}: name",
            f"the language has no name but its code {pack.code}",
            "Prompts name it: write its English name.",
        )
    if not pack.script.distinctive and not pack.script.function_words:
        yield Finding(
            "missing",
            f"{path}: script",
            "neither telling letters nor little words",
            "Without them no neighbour in this script is told apart.",
        )
    if not pack.phrases.refusals:
        yield Finding(
            "missing",
            f"{path}: phrases.refusals",
            "none",
            "Add the sentences by which a model declines or speaks of itself.",
        )
    if not pack.numbers.words:
        yield Finding(
            "doubtful",
            f"{path}: numbers.words",
            "no words for numbers",
            "An answer in words is not read as a number: see packs/ur/pack.toml.",
        )
    if not pack.choices.letters or not pack.choices.asks:
        yield Finding(
            "doubtful", f"{path}: choices", "no letters of choices, or no phrase by which a question asks to choose",
            "An answer that is none of its question's options is not found: see packs/ur/pack.toml.",
        )  # fmt: skip
    for pattern, replacement in pack.compare.spellings.items():
        if text.fold_text(replacement, pack) != replacement:
            yield Finding(
                "doubtful",
                f"{path}: compare.spellings",
                f"{pattern} becomes {replacement}, which folding changes",
                "Write the replacement as it is folded.",
            )
    for name in ("card.md", "README.md"):
        if not (pack.folder / name).is_file():
            yield Finding(
                "missing",
                str(pack.folder / name),
                "no such file",
                "Say who wrote the rows, who has read them, and under which licence.",
            )


def _tasks(pack: Pack) -> Iterator[Finding]:
    """Find tasks that cannot be scored, and prompts whose reply could not be read."""
    for task in pack.tasks.values():
        tables, prompt = (
            pack.folder / "tasks" / f"{task.name}.toml",
            pack.folder / "prompts" / f"{task.name}.jinja",
        )
        if task.native_title == task.title:
            yield Finding(
                "doubtful",
                f"{tables}: native_title",
                f"is the English title, {task.title}",
                "Write it in the language.",
            )
        if task.metric == "exact" and task.scope == "instruction" and not task.headings.answer:
            yield Finding(
                "missing", str(tables), "no heading of the final answer",
                "An exact answer inside a longer text is found by its heading.",
            )  # fmt: skip
        for wording in range(len(task.templates)):
            yield from _prompt(pack, task, prompt, prompts.render_task_prompt(task, pack, 2, wording))


def _prompt(pack: Pack, task: Task, path: Path, prompt: str) -> Iterator[Finding]:
    """Find what a prompt does not say, or says so that the reply could not be read."""
    yield from _format(pack, path, prompt)
    for wanted in (*task.labels, *task.headings.answer[:1]):
        if text.find_phrase(prompt, (wanted,), pack) is None:
            yield Finding(
                "wrong",
                str(path),
                f"the prompt never mentions {wanted}",
                f"tasks/{task.name}.toml expects it in every answer.",
            )


def _format(pack: Pack, path: Path, prompt: str) -> Iterator[Finding]:
    """Read the prompt's own example of the reply as a reply would be read."""
    lines = prompt.split("\n")
    for key in item_format.KEYS.values():
        if not any(line.startswith(f"{key}:") for line in lines):
            yield Finding(
                "wrong", str(path), f'the reply format has no line that begins with "{key}:"',
                "Show the format as prompts/_format.jinja does, and include that file.",
            )  # fmt: skip
            return
    if not any(line.strip() == item_format.SEPARATOR for line in lines):
        yield Finding(
            "wrong",
            str(path),
            f"the reply format has no line with only {item_format.SEPARATOR}",
            "It stands between two tasks.",
        )
        return
    begin = next(
        number for number, line in enumerate(lines) if line.startswith(f"{item_format.KEYS['instruction']}:")
    )
    read = item_format.read_items("\n".join(lines[begin:]), "stop", pack)
    items = [item for item in read if isinstance(item, item_format.Candidate)]
    if len(items) < 2 or not any(not item.tolerances for item in items):
        yield Finding(
            "wrong",
            str(path),
            "a reply in the format that it shows could not be read",
            "Copy the example in prompts/_format.jinja.",
        )


def _rows(pack: Pack, path: Path, task: str, found: list[Finding], optional: bool = False) -> Iterator[_Row]:
    """Yield the rows of a file; what is no row becomes a finding."""
    if not path.is_file():
        if not optional:
            found.append(
                Finding(
                    "missing",
                    str(path),
                    "no such file",
                    f"Write {SEEDS} rows or more: instruction, input, output, author.",
                )
            )
        return
    ids: dict[str, str] = {}
    for number, line in store.read_lines(path):
        where = f"{path}:{number}"
        if not line.strip():
            continue
        try:
            values = store.parse_row(line)
        except ValueError as error:
            found.append(
                Finding("wrong", where, str(error), "Each line is one JSON object; mend or remove that line.")
            )
            continue
        lacking = [key for key in ("instruction", "output") if not str(values.get(key) or "").strip()]
        if lacking:
            found.append(
                Finding("wrong", where, f'"{lacking[0]}" is empty', "A row needs instruction and output.")
            )
            continue
        if not values.get("author"):
            found.append(Finding("doubtful", where, 'no "author"', "Say who wrote the row."))
        if (name := str(values.get("id", ""))) in ids and name:
            found.append(
                Finding(
                    "wrong",
                    where,
                    f"the id {name} stands also in {ids[name]}",
                    "Each row needs an id of its own.",
                )
            )
        ids[name] = where
        texts = {
            key: text.normalise_text(str(values.get(key) or ""), pack).strip() for key in item_format.FIELDS
        }
        yield _Row(
            where, values, Example.make(pack.code, task, **texts, origin=Origin(kind="seed", source=where))
        )


def _enough(folder: Path, task: Task, seeds: Sequence[_Row]) -> Iterator[Finding]:
    path = folder / "seeds" / f"{task.name}.jsonl"
    if path.is_file() and len(seeds) < SEEDS:
        yield Finding(
            "missing", str(path), f"{len(seeds)} seeds", f"Write {SEEDS - len(seeds)} more; 24 are good."
        )
    unread = sum(not row.values.get("reviewed_by") for row in seeds)
    if unread:
        yield Finding(
            "doubtful",
            str(path),
            f"{unread} of {len(seeds)} seeds {NOT_REVIEWED}",
            "Have them read, and name the reader in reviewed_by.",
        )


def _letters(pack: Pack, rows: Sequence[_Row]) -> Iterator[Finding]:
    """Find letters of the pack's script that it does not declare, with the word and place of the first."""
    counts: Counter[str] = Counter()
    first: dict[str, tuple[str, str]] = {}
    for row in rows:
        for char, word in language_id.undeclared_letters(
            "\n".join(getattr(row.example, key) for key in item_format.FIELDS), pack
        ):
            counts[char] += 1
            first.setdefault(char, (word, row.where))
    path = pack.folder / "pack.toml"
    for char, count in counts.most_common(EXAMPLES):
        word, where = first[char]
        yield Finding(
            "wrong", where, f"{char} (U+{ord(char):04X}) in {word} is not among script.letters ({count} times in all)",
            f"Add it to script.letters in {path}, or mend the word; a look-alike belongs in [lookalikes].",
        )  # fmt: skip


def _faulty(own: Pack, known: Pack, rows: Sequence[_Row]) -> Iterator[Finding]:
    """Find rows that the pipeline's own filters would drop, and rows in the known language."""
    checked = FilterContext(own, known, settings.Filter())
    for row in rows:
        fault = rules.first_fault(row.example, checked)
        if fault:
            yield Finding(
                "wrong",
                row.where,
                f"{fault[0].replace('_', ' ')}: {fault[1]}",
                "The filters drop such rows: mend the row or the table.",
            )
            continue
        answer = own.tasks[row.example.task].answer
        said = language_id.identify_language(row.example.instruction, (own, known))
        if answer == "own" and said == known.code:
            yield Finding(
                "doubtful",
                row.where,
                f"the instruction is in {known.name}",
                f"A row of this task is in {own.name}.",
            )


def _near(pack: Pack, rows: Sequence[_Row]) -> Iterator[Finding]:
    """Find seeds that the pool rejects, with the one that they are too near to."""
    crowd = ExamplePool(pack, settings.Pool())
    places: dict[str, str] = {}
    for row in rows:
        if not text.split_words(crowd.compared_text(row.example), pack):
            continue
        nearest = crowd.nearest(row.example)
        if nearest is None:
            crowd.add(row.example)
            places[row.example.id] = row.where
        else:
            yield Finding(
                "wrong", row.where, f"too near to {places[nearest.id]} (ROUGE-L {nearest.similarity:.2f})",
                "Ask for something else, or in other words: the pool keeps only the first of the two.",
            )  # fmt: skip


def _copied(pack: Pack, rows: Sequence[_Row]) -> Iterator[Finding]:
    """Find seeds whose instruction or answer stands word for word in a shipped pack of another language."""
    theirs: dict[str, str] = {}
    for name, folder in packs.shipped_packs().items():
        if name == pack.code:  # the pack itself, or a copy of it that is being edited
            continue
        for path in sorted(folder.glob("seeds/*.jsonl")):
            for number, values in store.read_rows(path):
                for key in ("instruction", "output"):
                    theirs.setdefault(
                        text.fold_text(str(values.get(key, "")), pack), f"{name}/seeds/{path.name}:{number}"
                    )
    for row in rows:
        for key in ("instruction", "output"):
            where = theirs.get(text.fold_text(getattr(row.example, key), pack))
            if where and len(text.split_words(getattr(row.example, key), pack)) > 2:
                yield Finding(
                    "wrong",
                    row.where,
                    f"{key} copied from the pack {where}",
                    "Write a row of this language's own.",
                )
                break


def _texts(pack: Pack, demo: Sequence[_Row]) -> Iterator[Finding]:
    """Find what an offline demo and an evaluation lack."""
    articles = pack.folder / "demo" / "articles.jsonl"
    count = sum(1 for _ in store.read_rows(articles)) if articles.is_file() else 0
    if pack.tasks and count < ARTICLES:
        yield Finding(
            "missing",
            str(articles),
            f"{count} texts for stage 1",
            f"{ARTICLES} short texts make an offline demo.",
        )
    if pack.tasks and not (pack.folder / "test.jsonl").is_file():
        yield Finding(
            "missing",
            str(pack.folder / "test.jsonl"),
            "no test set",
            "Without one no generated answer is measured: eight questions a task, with references and task.",
        )
    if pack.tasks and not demo:
        yield Finding(
            "doubtful",
            str(pack.folder / "demo" / "candidates"),
            "no rows for the offline teacher",
            "The demo then trains on the seeds alone.",
        )
