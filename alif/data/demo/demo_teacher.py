"""The offline teacher's part: what it answers, a pure function of the messages and the draw.

For a request of `generate` it takes rows of the pack's demo/candidates by lot and writes them in the format asked for; asked to
judge them it finds no fault, and asked for the question to a passage it asks for the demo article with one of demo/questions.
For one of `translate` it looks the row up in demo/translations, or the sentence in the recipe's phrasebook. At stated rates it
commits the faults that real teachers commit: rows of demo/faults, replies cut off at the token limit, numbered or bold lists,
answers left out, items repeated, replies that are no list at all.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from alif import sampling, sources
from alif.data.demo.demo_files import Triple, read_demo_lines, read_triples
from alif.data.synthesis import prompts, strategies
from alif.language import text
from alif.language.pack import Pack
from alif.language.replies import item_format
from alif.llm import Message, ReplyFunction, ScriptedReply
from alif.records import Dropped

__all__ = [
    "FAULTY_ITEMS",
    "FAULTY_REPLIES",
    "FAULTY_TRANSLATIONS",
    "DemoAnswers",
    "demo_reply",
    "load_demo_answers",
]

FAULTY_ITEMS = 0.2
"""Part of the items that are rows of demo/faults."""
FAULTY_REPLIES = 0.35
"""Part of the replies whose form is faulty."""
FAULTY_TRANSLATIONS = 0.1
"""Part of the translations that lose their numbers or, where there is none, are left undone."""
NO_FAULT = "The tasks are fine as they are."
VERSION = "1"
"""Changed with this file's choices: a stored reply of another version is not this one's."""
_ITEMS = re.compile(re.escape(prompts.REQUEST).replace(r"\{items\}", "(?P<items>[0-9]+)"))
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True)
class DemoAnswers:
    """Everything the script can answer."""

    candidates: Mapping[str, Sequence[Triple]]
    faults: Mapping[str, Sequence[Triple]]
    rows: Mapping[Triple, Triple]
    """A row of the known language to its translation."""
    sentences: Mapping[str, str]
    articles: Sequence[tuple[str, str]]
    """The whole text of each demo article, sentence after sentence, and its title."""
    questions: Sequence[str]
    """Requests for a text on a {title}."""
    edition: str
    """Digest of all of them."""


def load_demo_answers(own: Pack, known: Pack, phrasebook: tuple[str, ...], folder: str) -> DemoAnswers:
    """Read the packs' demo folders and the phrasebook's files, which are relative to `folder`."""
    candidates = {
        task: [triple for _, triple in read_triples(own, f"demo/candidates/{task}.jsonl")]
        for task in own.tasks
    }
    faults: dict[str, list[Triple]] = {task: [] for task in own.tasks}
    for values, triple in read_triples(own, "demo/faults.jsonl"):
        faults[str(values["task"])].append(triple)
    originals = {str(values["id"]): triple for values, triple in read_triples(known, "demo/rows.jsonl")}
    translations = [
        (str(values["source"]), triple) for values, triple in read_triples(own, "demo/translations.jsonl")
    ]
    rows = {_normal(originals[name], known): triple for name, triple in translations if name in originals}
    sentences: dict[str, str] = {}
    for pair in sources.read_pairs(phrasebook, folder, known.code, own.code):
        if not isinstance(pair, Dropped):
            sentences.setdefault(text.normalise_text(pair.known, known).strip(), pair.own)
    questions = [str(row["question"]) for row in read_demo_lines(own, "demo/questions.jsonl")]
    articles = [
        (strategies.running_text(str(row["text"]), own), str(row["title"]))
        for row in read_demo_lines(own, "demo/articles.jsonl")
    ]
    articles = articles if questions else []
    content = repr(
        (VERSION, candidates, faults, sorted(rows.items()), sorted(sentences.items()), articles, questions)
    )
    edition = hashlib.sha256(content.encode("utf-8", "replace")).hexdigest()[:16]
    return DemoAnswers(candidates, faults, rows, sentences, articles, questions, edition)


def _normal(triple: Triple, pack: Pack) -> Triple:
    instruction, input, output = (text.normalise_text(value, pack).strip() for value in triple)
    return instruction, input, output


def demo_reply(own: Pack, known: Pack, answers: DemoAnswers) -> ReplyFunction:
    """Return the teacher as a pure function of messages and draw."""
    of_sentences = prompts.text_translation_messages("", own, known)[0].content
    reverse, critique = strategies.reverse_system(own), strategies.CRITIQUE.format(language=own.name)

    def answer(messages: Sequence[Message], draw: int) -> ScriptedReply:
        system, user = messages[0].content, messages[-1].content
        numbers = sampling.seeded_rng(VERSION, system, user, draw)
        if len(messages) > 2:  # judged and written again: the draft stays as it was
            return ScriptedReply(text=NO_FAULT if user == critique else messages[2].content)
        if system == reverse:
            return _question(user.rpartition(strategies.REVERSE_TEXT)[2], answers, numbers)
        asked = _ITEMS.search(user)
        if asked is None:
            return _translation(user, system == of_sentences, answers, known, numbers)
        items = int(asked["items"])
        task = _task(system, own, items)
        return _items(answers.candidates[task], answers.faults[task], items, numbers)

    return answer


def _question(passage: str, answers: DemoAnswers, numbers: random.Random) -> ScriptedReply:
    """Ask for the demo article that a passage is from."""
    title = next((title for whole, title in answers.articles if passage in whole), "")
    return (
        ScriptedReply(text=numbers.choice(answers.questions).replace("{title}", title))
        if title
        else _declined([], numbers)
    )


def _task(system: str, own: Pack, items: int) -> str:
    """Return the name of the task whose prompt, in any of its wordings, this is."""
    wordings = (
        (name, task, place) for name, task in own.tasks.items() for place in range(len(task.templates))
    )
    return next(
        name
        for name, task, place in wordings
        if prompts.render_task_prompt(task, own, items, place) == system
    )


def _translation(
    asked: str, sentence: bool, answers: DemoAnswers, known: Pack, numbers: random.Random
) -> ScriptedReply:
    """Translate what the demo folder or the phrasebook has; anything else comes back as it was sent."""
    if sentence:
        found = answers.sentences.get(asked, asked)
    else:
        item = item_format.read_items(asked, "stop", known)[0]
        triple = (
            (item.instruction, item.input, item.output)
            if isinstance(item, item_format.Candidate)
            else ("", "", "")
        )
        found = item_format.write_item(*answers.rows[triple]) if triple in answers.rows else asked
    if numbers.random() < FAULTY_TRANSLATIONS:
        without = _DIGITS.sub("", found)
        found = asked if without == found else without
    return ScriptedReply(text=found)


def _items(
    candidates: Sequence[Triple], faults: Sequence[Triple], items: int, numbers: random.Random
) -> ScriptedReply:
    if not candidates:
        return _declined([], numbers)  # a pack without demo rows: nothing is made up for it
    picked = numbers.sample(candidates, min(items, len(candidates)))
    picked = [
        numbers.choice(faults) if faults and numbers.random() < FAULTY_ITEMS else triple for triple in picked
    ]
    form = numbers.choice(FORMS) if numbers.random() < FAULTY_REPLIES else _plain
    return form([item_format.write_item(*triple) for triple in picked], numbers)


def _plain(items: list[str], numbers: random.Random) -> ScriptedReply:
    return ScriptedReply(text=f"\n{item_format.SEPARATOR}\n".join(items))


def _cut_off(items: list[str], numbers: random.Random) -> ScriptedReply:
    whole = _plain(items, numbers).text
    return ScriptedReply(text=whole[: numbers.randrange(len(whole) // 2, len(whole))], finish="length")


def _numbered(items: list[str], numbers: random.Random) -> ScriptedReply:
    return ScriptedReply(text="\n\n".join(f"{number}. {item}" for number, item in enumerate(items, 1)))


def _bold(items: list[str], numbers: random.Random) -> ScriptedReply:
    return _plain([_KEY.sub(r"**\1:** ", item) for item in items], numbers)


def _fenced(items: list[str], numbers: random.Random) -> ScriptedReply:
    return ScriptedReply(
        text=f"Here are the tasks:\n\n{item_format.SEPARATOR}\n```\n{_plain(items, numbers).text}\n```"
    )


def _left_out(items: list[str], numbers: random.Random) -> ScriptedReply:
    place = numbers.randrange(len(items))
    items[place] = items[place].partition(f"\n{item_format.KEYS['output']}:")[0]
    return _plain(items, numbers)


def _repeated(items: list[str], numbers: random.Random) -> ScriptedReply:
    return _plain([*items, items[0]], numbers)


def _declined(items: list[str], numbers: random.Random) -> ScriptedReply:
    return ScriptedReply(text="I'm sorry, but I cannot write so many tasks at once. Shall I begin with one?")


_KEY = re.compile(rf"^({'|'.join(item_format.KEYS.values())}): ", re.MULTILINE)
FORMS: tuple[Callable[[list[str], random.Random], ScriptedReply], ...] = (
    _cut_off,
    _numbered,
    _bold,
    _fenced,
    _left_out,
    _repeated,
    _declined,
)
"""The faulty forms of a reply, each as likely as the others."""
