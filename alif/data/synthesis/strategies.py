"""Ways to ask beyond the paper's, each switched on by a share of the requests and counted apart in the funnel.

    grounded   a passage is shown, and every answer must follow from it                  generate.grounded_share
    reverse    a passage is the answer, word for word; the teacher writes the question   generate.reverse_share
    revised    draft ─▶ the teacher criticises it ─▶ the teacher writes it again         generate.revise_share

A passage is a piece of a native document, of whole sentences. Its source, licence and id stay in the row's origin.

Source: grounding, Updesh, arXiv 2509.21294; reverse instructions, MURI, arXiv 2409.12958; revision with demonstrations in the
target language, arXiv 2506.12158.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Literal

from alif import recipe, sampling, sources
from alif.data.synthesis import prompts
from alif.language import text
from alif.language.pack import Pack, Task
from alif.language.replies import item_format, reply_cleanup
from alif.llm import Message, Reply
from alif.records import Document, Dropped, Example

__all__ = [
    "CRITIQUE",
    "REVERSE_TEXT",
    "REWRITE",
    "Passage",
    "PassageSampler",
    "Way",
    "ask_with_revision",
    "build_messages",
    "combine_replies",
    "prompt_digests",
    "read_passages",
    "read_question",
    "reverse_system",
    "running_text",
]

Way = Literal["plain", "grounded", "reverse"]
Passage = Document
"""A piece of a document; `source` names the document."""

WORDS = (30, 160)
"""Fewest and most words of a passage."""
MOST_QUESTION_WORDS = 80
"""A longer reply than that is no question."""
GROUNDED = (
    "Every one of the new tasks must be about the passage below, and its answer must follow from the passage alone: nothing "
    "that it does not say. A reader does not see the passage: where a task needs it, its Input repeats the sentences that it "
    "needs.\n\nThe passage:\n\n{passage}\n\n"
)
REVERSE = (
    "You write the question to an answer. The user sends tasks, to show how people ask, and then a text in {language} "
    "({native}) that people have written. Write in natural {language} the one task (a question, a request or an instruction, "
    "one to three sentences) to which this text, word for word, is a complete and fitting answer. Do not repeat sentences of "
    "the text, and do not mention that there is a text. Answer with the task alone: no key, no quotation marks, no comment."
)
REVERSE_TEXT = "The text:\n\n"
CRITIQUE = (
    "Now judge these tasks as a strict native editor of {language} would. For each, name what is wrong or weak: {language} "
    "that sounds translated, wrong letters or grammar, facts in doubt, an answer that is incomplete or does not fit, a task "
    "too much like another. Compare with the tasks that you were shown. Do not write the tasks again yet."
)
REWRITE = "Now write all the tasks again with these faults mended, in the same format, and nothing else."


def read_passages(settings: recipe.Generate, pack: Pack, folder: str) -> list[Passage]:
    """Return the passages that the recipe's ways need, none where it needs none."""
    if not settings.grounded_share and not settings.reverse_share:
        return []
    found: list[Passage] = []
    if "pack" in settings.passages:
        own = sources.read_documents(
            ("demo/articles.jsonl",), str(pack.folder), language=pack.code, licence=pack.licence
        )
        found += [
            piece for document in own if isinstance(document, Document) for piece in _pieces(document, pack)
        ]
    for document in sources.read_documents(settings.passages, folder, language=pack.code):
        found += [] if isinstance(document, Dropped) else _pieces(document, pack)
    return list({passage.id: passage for passage in found}.values())


def running_text(value: str, pack: Pack) -> str:
    """Return a text with one space between its sentences, as passages are written."""
    return " ".join(text.split_sentences(text.normalise_text(value, pack), pack))


def _pieces(document: Document, pack: Pack) -> list[Passage]:
    """Cut a document into passages of whole sentences; what is too short or too long is left out."""
    pieces: list[list[str]] = [[]]
    words = 0
    for sentence in text.split_sentences(text.normalise_text(document.text, pack), pack):
        length = len(text.split_words(sentence, pack))
        if words + length > WORDS[1]:
            pieces.append([])
            words = 0
        pieces[-1].append(sentence)
        words += length
    whole = [" ".join(piece) for piece in pieces]
    source = f"{document.source}#{document.id}"
    facts = {
        "title": document.title,
        "source": source,
        "licence": document.licence,
        "author": document.author,
    }
    kept = [piece for piece in whole if WORDS[0] <= len(text.split_words(piece, pack)) <= WORDS[1]]
    return [Document.make(document.language, piece, **facts) for piece in kept]


class PassageSampler:
    """The passages in an order by lot, dealt one after another and from the top again when all are dealt."""

    def __init__(self, passages: Sequence[Passage], settings: recipe.Generate) -> None:
        self._settings = settings
        self._order = list(passages)
        sampling.seeded_rng(settings.seed, "passages").shuffle(self._order)
        self._by_id = {passage.id: passage for passage in self._order}
        self._dealt = 0

    def passage(self, id: str) -> Passage | None:
        """Return the passage of that id."""
        return self._by_id.get(id)

    def deal(self, pack: Pack, task: str, round_: int, place: int) -> tuple[Way, Passage | None, bool]:
        """Return the way of a request, its passage, and whether its draft is revised."""
        numbers = sampling.seeded_rng(self._settings.seed, "way", round_, place)
        drawn, revised = numbers.random(), numbers.random() < self._settings.revise_share
        if not self._order:
            return "plain", None, revised
        if drawn < self._settings.reverse_share and task == _free(pack):
            return "reverse", self._next(), False
        if drawn >= 1 - self._settings.grounded_share:
            return "grounded", self._next(), revised
        return "plain", None, revised

    def _next(self) -> Passage:
        self._dealt += 1
        return self._order[(self._dealt - 1) % len(self._order)]


def _free(pack: Pack) -> str:
    """Return the task of free writing: the pack's first one whose answer has no labels and no headings."""
    free = (
        name
        for name, task in pack.tasks.items()
        if task.answer == "own"
        and task.scope == "instruction"
        and not task.labels
        and not task.headings.answer
    )
    return next(free, "")


def build_messages(
    way: Way,
    task: Task,
    pack: Pack,
    shown: Sequence[Example],
    items: int,
    wording: int,
    passage: Passage | None,
) -> list[Message]:
    """Return the messages of a request."""
    if passage is None or way == "plain":
        return prompts.synthesis_messages(task, pack, shown, items, wording)
    if way == "reverse":
        examples = "\n".join(f"- {row.instruction}" for row in shown)
        user = f"{len(shown)} tasks, to show how people ask:\n\n{examples}\n\n{REVERSE_TEXT}{passage.text}"
        return [Message(role="system", content=reverse_system(pack)), Message(role="user", content=user)]
    system, user_message = prompts.synthesis_messages(task, pack, shown, items, wording)
    request = prompts.REQUEST.format(items=items)
    content = user_message.content.removesuffix(request) + GROUNDED.format(passage=passage.text) + request
    return [system, Message(role="user", content=content)]


def prompt_digests(requests: Sequence[Mapping[str, Any]], pack: Pack) -> dict[str, list[str]]:
    """Return the digests of the wordings that were sent: of each task that was asked for, all of its own, and of the ways.

    Args:
        requests: the rows of requests.jsonl.
        pack: the language's.
    """
    asked = {
        row["task"] for row in requests if row["way"] != "reverse"
    }  # whose request has a wording of its own
    taken = {row["way"] for row in requests}
    turns = max((len(row.get("turns", ())) for row in requests), default=0)
    sent: dict[str, Sequence[str]] = {
        name: task.templates for name, task in pack.tasks.items() if name in asked
    }
    sent |= {
        way: (wording,) for way, wording in (("grounded", GROUNDED), ("reverse", REVERSE)) if way in taken
    }
    sent |= {"revised": (CRITIQUE, REWRITE)[: turns - 1]} if turns else {}
    return {name: [prompts.prompt_digest(wording) for wording in wordings] for name, wordings in sent.items()}


def reverse_system(pack: Pack) -> str:
    """Return the system message of a reverse request."""
    return REVERSE.format(language=pack.name, native=pack.native_name)


def read_question(reply: str, finish: str, passage: Passage, pack: Pack) -> item_format.Candidate | Dropped:
    """Read the reply to a reverse request: the question alone; the passage is its answer."""
    said, thought = reply_cleanup.strip_thinking(reply)
    question = item_format.strip_label(text.normalise_text(said, pack), pack)
    if finish != "stop":
        return Dropped(raw=reply, reason="truncated", evidence=f"finish: {finish}")
    if not question:
        return Dropped(raw=reply, reason="empty", evidence=f"finish: {finish}")
    if (length := len(text.split_words(question, pack))) > MOST_QUESTION_WORDS:
        return Dropped(raw=reply, reason="unparsable", evidence=f"{length} words, no question")
    return item_format.Candidate(question, "", passage.text, reply, ("thinking",) if thought else ())


async def ask_with_revision(
    send: Callable[[Sequence[Message]], Awaitable[Reply]],
    messages: Sequence[Message],
    revised: bool,
    pack: Pack,
) -> Reply:
    """Return the reply to be read of a request, as `joined` joins what was asked for: a draft, and where it is revised more."""
    draft = await send(messages)
    if not revised or draft.finish != "stop" or not _said(draft).strip():
        return draft
    turns, asked = [draft], list(messages)
    for next_ in (CRITIQUE.format(language=pack.name), REWRITE):
        asked += [Message(role="assistant", content=_said(turns[-1])), Message(role="user", content=next_)]
        turns.append(await send(asked))
        if not _said(turns[-1]).strip():
            break
    return combine_replies(turns)


def _said(reply: Reply) -> str:
    """Return what a reply says after its thinking, which its teacher is not sent again."""
    return reply_cleanup.strip_thinking(reply.text)[0]


def combine_replies(turns: Sequence[Reply]) -> Reply:
    """Return the last reply of a conversation, with the tokens and the price of all.

    A teacher that has nothing to say to its draft leaves it as it is: after an empty reply the first one is read.
    """
    if len(turns) == 1:
        return turns[0]
    read = turns[-1] if _said(turns[-1]).strip() else turns[0]
    sums = {key: sum(getattr(one, key) for one in turns) for key in ("tokens_in", "tokens_out", "cost_usd")}
    return read.model_copy(update=sums | {"turns": tuple(one.request for one in turns)})
