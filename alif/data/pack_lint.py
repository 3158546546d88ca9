"""Check a language pack: what is missing, wrong or doubtful, in the order to correct it.

    1 wrong      files that cannot be read: encoding, TOML, keys, templates; nothing else can be judged before
    2 missing    letters, words, headings, labels, seeds, texts
    3 wrong      rows: not JSON, an empty answer, wrong language, letters or sums, near-duplicates, copies
    4 doubtful   what a person should look at

Each finding is one sentence with its place (path:line) and one with the cure. Nothing is changed or sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from alif import settings, store
from alif.data.lint_finding import Finding, doubtful, missing, wrong
from alif.data.pack_lint_choices import lint_choices
from alif.data.pack_lint_rows import LintRow, lint_articles, lint_rows, lint_seed_count, read_lint_rows
from alif.data.pack_lint_tests import lint_test_set
from alif.data.pack_lint_unfinished import lint_unfinished
from alif.data.synthesis.prompts import render_task_prompt
from alif.language import language_id, text
from alif.language import pack as packs
from alif.language.pack import Pack
from alif.language.replies import item_format

__all__ = ["lint_pack"]

TOPIC_PHRASES = 3
ARTICLES = 20
"""Fewest texts of the offline demo's first stage."""
LIKE_URDU = "see packs/ur/pack.toml."


def lint_pack(name_or_path: str, language: settings.Language) -> list[Finding]:
    """Return all findings about a pack, in the order to correct them; `language` names the source."""
    folder = packs.shipped_packs().get(name_or_path, Path(name_or_path))
    if broken := packs.validation_errors(folder):
        places = ((*error.message.partition(": "), error.hint) for error in broken)
        return [wrong(where, what, hint) for where, _, what, hint in places]
    own, known = packs.load_pack(folder), packs.load_pack(language.source)
    found = [*_lint_tables(own), *lint_unfinished(own, known), *_lint_tasks(own)]
    seeds: list[LintRow] = []
    demo: list[LintRow] = []
    for task in own.tasks:
        path = folder / "seeds" / f"{task}.jsonl"
        rows = list(read_lint_rows(own, path, task, found)) if path.is_file() else []
        found += lint_seed_count(path, rows)
        seeds += rows
    for task in own.tasks:
        path = folder / "demo" / "candidates" / f"{task}.jsonl"
        demo += read_lint_rows(own, path, task, found) if path.is_file() else ()
    found += lint_rows(own, known, seeds, demo)
    articles, test_set = folder / "demo" / "articles.jsonl", folder / "test.jsonl"
    count = sum(1 for _ in store.read_rows(articles)) if articles.is_file() else 0
    if own.tasks and count < ARTICLES:
        cure = f"{ARTICLES} short texts make an offline demo."
        found.append(missing(str(articles), f"{count} texts for stage 1", cure))
    if own.tasks and not test_set.is_file():
        cure = (
            "Without one no generated answer is measured: eight questions a task, with references and task."
        )
        found.append(missing(str(test_set), "no test set", cure))
    if own.tasks and not demo:
        cure = "The demo then trains on the seeds alone."
        found.append(doubtful(str(folder / "demo" / "candidates"), "no rows for the offline teacher", cure))
    found += lint_articles(own, known)
    found += lint_choices(own)
    found += lint_test_set(own)
    found.sort(key=lambda finding: ("wrong", "missing", "doubtful").index(finding.kind))
    return [replace(one, where=one.where.replace(str(own.folder), str(folder))) for one in found]


def _lint_tables(pack: Pack) -> Iterator[Finding]:
    """Find tables that are still as `alif new` writes them, or too thin to work."""
    path = pack.folder / "pack.toml"
    if pack.name == pack.code:
        what = f"the language has no name but its code {pack.code}"
        yield missing(f"{path}: name", what, "Prompts name it: write its English name.")
    if not pack.script.distinctive and not pack.script.function_words:
        cure = "Without them no related language of this script is told apart."
        yield missing(f"{path}: script", "neither distinctive letters nor function words", cure)
    if not pack.phrases.refusals:
        cure = "Add the sentences by which a model declines or speaks of itself."
        yield missing(f"{path}: phrases.refusals", "none", cure)
    if not pack.numbers.words:
        cure = f"An answer in words is not read as a number: {LIKE_URDU}"
        yield doubtful(f"{path}: numbers.words", "no words for numbers", cure)
    if not pack.choices.letters or not pack.choices.asks:
        what = "no letters of choices, or no phrase by which a question asks to choose"
        cure = f"An answer that is none of its question's options is not found: {LIKE_URDU}"
        yield doubtful(f"{path}: choices", what, cure)
    for pattern, replacement in pack.compare.spellings.items():
        if text.fold_text(replacement, pack) != replacement:
            what = f"{pattern} becomes {replacement}, which folding changes"
            yield doubtful(f"{path}: compare.spellings", what, "Write the replacement as it is folded.")
    yield from _lint_slots(pack, path)
    for name in ("card.md", "README.md"):
        if not (pack.folder / name).is_file():
            cure = "Say who wrote the rows, who has read them, and under which licence."
            yield missing(str(pack.folder / name), "no such file", cure)


def _lint_slots(pack: Pack, path: Path) -> Iterator[Finding]:
    """Find what keeps the slots of requests from being drawn or understood."""
    slots = pack.slots
    if not slots:
        if pack.tasks:
            cure = f"Requests then say nothing of topic, place, asker and length: {LIKE_URDU}"
            yield doubtful(f"{path}: slots", "no table", cure)
        return
    for name, phrases in slots.topics.items():
        if len(phrases) < TOPIC_PHRASES:
            what = f"{len(phrases)} phrases of {name}"
            yield doubtful(f"{path}: slots.topics", what, f"{TOPIC_PHRASES} or more keep a topic varied.")
    forms = (forms.values() for task in pack.tasks.values() for forms in task.forms.values())
    said = [*slots.topics.values(), slots.regions, slots.world, slots.askers, slots.difficulties, *forms]
    wholes = [slots.heading, slots.line, slots.passage_line, *slots.registers.values()]
    texts = [*wholes, *(value for _, value in slots.lengths), *(one for phrases in said for one in phrases)]
    for char, word in language_id.undeclared_letters("\n".join(texts), pack):
        what = f"{char} (U+{ord(char):04X}) in {word} is not among script.letters"
        yield wrong(f"{path}: slots", what, "Correct the word, there or in the table forms of a task.")


def _lint_tasks(pack: Pack) -> Iterator[Finding]:
    """Find tasks that cannot be scored, and prompts that omit what an answer needs."""
    for task in pack.tasks.values():
        tables = str(pack.folder / "tasks" / f"{task.name}.toml")
        path = str(pack.folder / "prompts" / f"{task.name}.jinja")
        if task.native_title == task.title:
            what = f"is the English title, {task.title}"
            yield doubtful(f"{tables}: native_title", what, "Write it in the language.")
        if task.metric == "exact" and task.scope == "instruction" and not task.headings.answer:
            cure = "An exact answer inside a longer text is found by its heading."
            yield missing(tables, "no heading of the final answer", cure)
        for variant in range(len(task.templates)):
            prompt = render_task_prompt(task, pack, 2, variant)
            yield from _lint_reply_format(pack, path, prompt)
            for wanted in (*task.labels, *task.headings.answer[:1]):
                if text.find_phrase(prompt, (wanted,), pack) is None:
                    cure = f"tasks/{task.name}.toml expects it in every answer."
                    yield wrong(path, f"the prompt never mentions {wanted}", cure)


def _lint_reply_format(pack: Pack, path: str, prompt: str) -> Iterator[Finding]:
    """Read the prompt's own example of the reply as a reply would be read."""
    lines = prompt.split("\n")
    for key in item_format.KEYS.values():
        if not any(line.startswith(f"{key}:") for line in lines):
            cure = "Show the format as prompts/_format.jinja does, and include that file."
            yield wrong(path, f'the reply format has no line that begins with "{key}:"', cure)
            return
    if not any(line.strip() == item_format.SEPARATOR for line in lines):
        what = f"the reply format has no line with only {item_format.SEPARATOR}"
        yield wrong(path, what, "It separates two tasks.")
        return
    first = next(
        at for at, line in enumerate(lines) if line.startswith(f"{item_format.KEYS['instruction']}:")
    )
    read = item_format.read_items("\n".join(lines[first:]), "stop", pack)
    items = [item for item in read if isinstance(item, item_format.Candidate)]
    if len(items) < 2 or all(item.tolerances for item in items):
        what = "a reply in the format that it shows could not be read"
        yield wrong(path, what, "Copy the example in prompts/_format.jinja.")
