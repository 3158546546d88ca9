"""The offline teacher: what it answers, a pure function of the messages and the draw.

For a request of `generate` it samples rows of the pack's demo/candidates, the nearest to each line where the
request has slots, and writes them in the format asked for. Asked to criticise them it finds no fault; asked
for the question to a passage it asks for the demo article with one of demo/questions. For one of `translate`
it looks the row up in demo/translations, or the sentence in the recipe's parallel files. At stated rates it
makes the faults of real teachers: rows of demo/faults, replies cut off at the token limit, numbered or bold
lists, answers left out, items repeated, replies that are no list at all.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from alif import sampling, sources, store
from alif.data.demo.demo_files import Triple, read_demo_rows, to_triple
from alif.data.prompt_texts import REWRITE_FILE, PromptTexts
from alif.data.synthesis.coverage import Cell, Coverage
from alif.data.synthesis.passages import running_text
from alif.data.synthesis.prompts import render_task_prompt
from alif.data.synthesis.slots import Slot, read_slots
from alif.language import text
from alif.language.pack import Pack
from alif.language.replies import item_format
from alif.llm import Message, ReplyFunction, ScriptedReply
from alif.records import Dropped, Example, Origin

__all__ = ["DemoAnswers", "demo_reply", "load_demo_answers"]

FAULTY_ITEMS = 0.2
"""Share of the items that are rows of demo/faults."""
FAULTY_REPLIES = 0.35
"""Share of the replies whose form is faulty."""
FAULTY_TRANSLATIONS = 0.1
"""Share of the translations that lose their numbers or, where there is none, are left undone."""
NO_ANSWER = "I do not know."
NO_FAULT = "The tasks are fine as they are."
VERSION = "1"
"""Changed with this file's choices: a stored reply of another version is not this one's."""
_DIGITS = re.compile(r"\d+")
_SHAPES = {"table": re.compile(r"\|.*\|"), "list": re.compile(r"^[-–•] .*\n[-–•] ", re.MULTILINE)}
"""What an answer in a form looks like, of those forms that can be seen."""


@dataclass(frozen=True)
class DemoAnswers:
    """Everything the offline teacher can answer."""

    candidates: Mapping[str, Sequence[Triple]]
    cells: Mapping[tuple[str, Triple], Cell]
    """Where a candidate of a task stands in the report of coverage; none for a pack without slots."""
    faults: Mapping[str, Sequence[Triple]]
    originals: Mapping[str, str]
    """The answer of the known language's demo rows to their prompt."""
    rows: Mapping[Triple, Triple]
    """A row of the known language to its translation."""
    sentences: Mapping[str, str]
    articles: Sequence[tuple[str, str]]
    """The whole text of each demo article, sentence after sentence, and its title."""
    questions: Sequence[str]
    """Requests for a text on a {title}."""
    answers_digest: str


def load_demo_answers(own: Pack, known: Pack, parallel_files: tuple[str, ...], folder: str) -> DemoAnswers:
    """Read the packs' demo folders and the parallel files, which are relative to `folder`."""
    candidates = {
        task: [to_triple(row) for row in read_demo_rows(own, f"demo/candidates/{task}.jsonl")]
        for task in own.tasks
    }
    coverage, known_origin = Coverage(own), Origin(kind="teacher")
    cells = {
        (task, one): coverage.find_cell(Example.make(own.code, task, *one, known_origin))
        for task, rows in (candidates.items() if own.slots else ())
        for one in rows
    }
    faults: dict[str, list[Triple]] = {task: [] for task in own.tasks}
    for row in read_demo_rows(own, "demo/faults.jsonl"):
        faults[str(row["task"])].append(to_triple(row))
    originals = {str(row["id"]): to_triple(row) for row in read_demo_rows(known, "demo/rows.jsonl")}
    known_answers = {
        "\n\n".join(filter(None, (instruction, given))): output
        for instruction, given, output in originals.values()
    }
    rows: dict[Triple, Triple] = {}
    for row in read_demo_rows(own, "demo/translations.jsonl"):
        if original := originals.get(str(row["source"])):
            instruction, given, output = (text.normalise_text(value, known).strip() for value in original)
            rows[instruction, given, output] = to_triple(row)
    sentences: dict[str, str] = {}
    for pair in sources.read_pairs(parallel_files, folder, known.code, own.code):
        if not isinstance(pair, Dropped):
            sentences.setdefault(text.normalise_text(pair.known, known).strip(), pair.own)
    questions = [str(row["question"]) for row in read_demo_rows(own, "demo/questions.jsonl")]
    articles = [
        (running_text(str(row["text"]), own), str(row["title"]))
        for row in (read_demo_rows(own, "demo/articles.jsonl") if questions else ())
    ]
    content = repr(
        (VERSION, candidates, faults, sorted(rows.items()), sorted(sentences.items()), articles, questions)
    )
    digest = hashlib.sha256(content.encode("utf-8", "replace")).hexdigest()[:16]
    return DemoAnswers(candidates, cells, faults, known_answers, rows, sentences, articles, questions, digest)


def demo_reply(own: Pack, known: Pack, texts: PromptTexts, answers: DemoAnswers) -> ReplyFunction:
    """Return the offline teacher as a pure function of messages and draw."""
    names = {"known": known.name, "own": own.name, "native": own.native_name}
    sentences_system = texts.translate_text.format(keep=texts.keep.format(**names), **names)
    back = {"known": own.name, "own": known.name, "native": known.native_name}
    others: dict[str, Callable[[str], str]] = {
        template.format(keep=texts.keep.format(**back), no_input=item_format.NO_INPUT, **back): (
            lambda user: _translate_back(user, answers, own)
        )
        for template in (texts.translate_row, texts.translate_text)
    }
    rewrite = store.read_text(REWRITE_FILE).format(no_input=item_format.NO_INPUT, **names)
    others[rewrite] = lambda user: _answer_anew(user, answers)
    reverse_system = texts.reverse_system.format(language=own.name, native=own.native_name)
    critique = texts.critique.format(language=own.name)
    before_passage = texts.reverse_user.partition("{passage}")[0].rpartition("}")[2]
    request = re.compile(re.escape(texts.request).replace(r"\{items\}", "(?P<items>[0-9]+)"))

    def answer(messages: Sequence[Message], draw: int) -> ScriptedReply:
        system, user = messages[0].content, messages[-1].content
        rng = sampling.seeded_rng(VERSION, system, user, draw)
        alone = messages[0].role == "user"  # a prompt of the known language, for replay
        if alone or system in others:
            return ScriptedReply(
                text=answers.originals.get(user, NO_ANSWER) if alone else others[system](user)
            )
        if len(messages) > 2:  # criticised and written again: the draft stays as it was
            return ScriptedReply(text=NO_FAULT if user == critique else messages[2].content)
        if system == reverse_system:
            passage = user.rpartition(before_passage)[2]
            title = next((title for whole, title in answers.articles if passage in whole), "")
            if not title:
                return _decline([], rng)
            return ScriptedReply(text=rng.choice(answers.questions).replace("{title}", title))
        asked = request.search(user)
        if asked is None:
            return _translate(user, system == sentences_system, answers, known, rng)
        items = int(asked["items"])
        task = _task_of(system, own, items)
        slots = read_slots(user, own.tasks[task], own.slots) if own.slots else []
        return _write_items(task, items, slots, answers, rng)

    return answer


def _task_of(system: str, own: Pack, items: int) -> str:
    """Return the name of the task whose prompt, in any of its variants, this is."""
    return next(
        name
        for name, task in own.tasks.items()
        for variant in range(len(task.templates))
        if render_task_prompt(task, own, items, variant) == system
    )


def _translate(
    asked: str, sentence: bool, answers: DemoAnswers, known: Pack, rng: random.Random
) -> ScriptedReply:
    """Translate what the demo folder or the parallel files have; anything else comes back as it was sent."""
    found = answers.sentences.get(asked, asked) if sentence else asked
    if not sentence:
        item = item_format.read_items(asked, "stop", known)[0]
        if not isinstance(item, Dropped):
            translation = answers.rows.get((item.instruction, item.input, item.output))
            found = item_format.write_item(*translation) if translation else asked
    if rng.random() < FAULTY_TRANSLATIONS:
        without = _DIGITS.sub("", found)
        found = asked if without == found else without
    return ScriptedReply(text=found)


def _translate_back(asked: str, answers: DemoAnswers, own: Pack) -> str:
    """Return the original of a translation that the demo folder or the parallel files have."""
    for original, translation in answers.rows.items():
        if item_format.write_item(*translation) == asked:
            return item_format.write_item(*original)
    found = (one for one, there in answers.sentences.items() if text.normalise_text(there, own) == asked)
    return next(found, asked)


def _answer_anew(asked: str, answers: DemoAnswers) -> str:
    """Return the translated row whose prompt this is: the demo's translations need no rewriting."""
    rows = (item_format.write_item(*one) for one in answers.rows.values())
    return next((row for row in rows if row.startswith(f"{asked}\n")), asked)


def _write_items(
    task: str, items: int, slots: Sequence[Slot], answers: DemoAnswers, rng: random.Random
) -> ScriptedReply:
    candidates, faults = answers.candidates[task], answers.faults[task]
    if not candidates:
        return _decline([], rng)  # a pack without demo rows: nothing is made up for it
    picked = rng.sample(candidates, len(candidates) if slots else min(items, len(candidates)))
    if slots:
        picked = _pick_nearest(picked, slots, {one: answers.cells[task, one] for one in candidates})
    picked = [rng.choice(faults) if faults and rng.random() < FAULTY_ITEMS else one for one in picked]
    form = rng.choice(FORMS) if rng.random() < FAULTY_REPLIES else _plain
    return form([item_format.write_item(*triple) for triple in picked], rng)


def _pick_nearest(
    candidates: list[Triple], slots: Sequence[Slot], cells: Mapping[Triple, Cell]
) -> list[Triple]:
    """Take the nearest candidate for each slot; of equal ones the first."""
    picked: list[Triple] = []
    for slot in slots[: len(candidates)]:

        def nearness(one: Triple, slot: Slot = slot) -> int:
            _, topic, length, register = cells[one]
            shape = _SHAPES.get(slot.form)
            fits = (slot.topic == topic) if slot.topic else bool(one[1])  # a passage: a row with a text
            fitting = [fits, slot.length == length, slot.register == register]
            return 2 * sum(fitting) + bool(shape and shape.search(one[2]))

        picked.append(max(candidates, key=nearness))
        candidates.remove(picked[-1])
    return picked


def _plain(items: list[str], rng: random.Random) -> ScriptedReply:
    return ScriptedReply(text=f"\n{item_format.SEPARATOR}\n".join(items))


def _cut_off(items: list[str], rng: random.Random) -> ScriptedReply:
    whole = _plain(items, rng).text
    return ScriptedReply(text=whole[: rng.randrange(len(whole) // 2, len(whole))], finish="length")


def _fenced(items: list[str], rng: random.Random) -> ScriptedReply:
    return ScriptedReply(
        text=f"Here are the tasks:\n\n{item_format.SEPARATOR}\n```\n{_plain(items, rng).text}\n```"
    )


def _left_out(items: list[str], rng: random.Random) -> ScriptedReply:
    place = rng.randrange(len(items))
    items[place] = items[place].partition(f"\n{item_format.KEYS['output']}:")[0]
    return _plain(items, rng)


def _decline(items: list[str], rng: random.Random) -> ScriptedReply:
    return ScriptedReply(text="I'm sorry, but I cannot write so many tasks at once. Shall I begin with one?")


_KEY = re.compile(rf"^({'|'.join(item_format.KEYS.values())}): ", re.MULTILINE)
FORMS: tuple[Callable[[list[str], random.Random], ScriptedReply], ...] = (
    _cut_off,
    lambda items, rng: ScriptedReply(text="\n\n".join(f"{n}. {item}" for n, item in enumerate(items, 1))),
    lambda items, rng: _plain([_KEY.sub(r"**\1:** ", item) for item in items], rng),  # bold
    _fenced,
    _left_out,
    lambda items, rng: _plain([*items, items[0]], rng),  # one twice
    _decline,
)
"""The faulty forms of a reply, each as likely as the others."""
