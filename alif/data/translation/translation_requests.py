"""Ask for a translation and read it: a whole row in one request, or text by text where it is long.

    Conversation: a generator that yields requests, is sent their replies, and returns what came of them

    row ─▶ "Instruction: … Input: … Output: …" ─▶ row                      one request, so that terms agree
    long row ─▶ text, text, text ─▶ row        each sees the one before it, so that terms agree

What comes back is read by the same functions in both ways.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Literal, TypeAlias

from alif import sampling, settings
from alif.data import teachers
from alif.data.prompt_texts import PromptTexts
from alif.data.translation.check import find_translation_fault
from alif.data.translation.long_texts import split_text
from alif.data.translation.translation_items import TranslationItem
from alif.data.unreadable_replies import name_refusal
from alif.language import text
from alif.language.pack import Pack
from alif.language.protected_spans import prose_of
from alif.language.replies import item_format, lone_text
from alif.language.replies.control_tokens import find_control_token
from alif.language.replies.item_format import FIELDS, NO_INPUT
from alif.language.text_repair import mend_lookalikes
from alif.llm import ChatRequest, Message, Reply
from alif.records import Dropped, Example, Origin

__all__ = [
    "Conversation", "build_row", "compared_texts", "read_texts", "read_translation", "request_texts",
    "translate_item", "translation_messages", "translation_request",
]  # fmt: skip

CHARS_PER_TOKEN = 1.5
"""Characters of a row for each token that its translation may have, with the worst of usual tokenizers."""

Conversation: TypeAlias = Generator[ChatRequest, Reply, Example | Dropped]
Texts: TypeAlias = dict[str, str]
Form: TypeAlias = Literal["row", "text"]


def translate_item(
    item: TranslationItem,
    name: str,
    teacher: settings.Teacher,
    own: Pack,
    known: Pack,
    texts: PromptTexts,
    form: Form = "row",
) -> Conversation:
    """Have a teacher translate a row or a sentence; one that is longer than its replies is split."""
    found = yield from request_texts(item, name, teacher, own, known, texts, form, check=True)
    return found if isinstance(found, Dropped) else build_row(item, name, *found, own, known)


def request_texts(
    item: TranslationItem,
    name: str,
    teacher: settings.Teacher,
    own: Pack,
    known: Pack,
    texts: PromptTexts,
    form: Form = "row",
    *,
    check: bool = False,
) -> Generator[ChatRequest, Reply, tuple[Texts, Reply] | Dropped]:
    """Ask for the translated texts of an item; with `check` a long one ends at the first faulty piece."""
    limit = int(teacher.max_tokens * CHARS_PER_TOKEN)
    pairs = compared_texts(item)
    if (form == "row" or item.request_template) and sum(len(value) for _, value in pairs) <= limit:
        reply = yield ChatRequest(name, translation_messages(item, own, known, texts))
        read = read_texts(item, reply, own, known)
        return read if isinstance(read, Dropped) else (read, reply)
    system = Message(role="system", content=_system(texts.translate_text, own, known, texts))
    found: Texts = {}
    before: tuple[Message, ...] = ()
    answered: Reply | None = None
    for key, value in pairs:
        found[key] = ""
        for piece in split_text(value, limit, known):
            if not prose_of(piece):  # code alone stays as it is
                found[key] += piece
                continue
            asked = Message(role="user", content=piece.strip())
            answered = yield ChatRequest(name, [system, *before, asked])
            if answered.unanswered:
                evidence = f"{item.row.origin.source}, finish: {answered.finish}"
                return Dropped(row=item.row, reason="unanswered", evidence=evidence)
            said = lone_text.read_text(
                answered.text, answered.finish, own, known, asked.content, "translation"
            )
            if isinstance(said, Dropped):
                return said.model_copy(update={"evidence": f"{item.row.origin.source}, {said.evidence}"})
            if check and (fault := find_translation_fault(key, asked.content, said.text, own, known)):
                return Dropped(row=item.row, reason=fault[0], evidence=f"{fault[1]}, in {said.text}")
            if form == "row":  # a model that only translates knows no conversation
                before = (asked, Message(role="assistant", content=said.text))
            found[key] += piece.replace(asked.content, said.text)
    if answered is None:
        return Dropped(row=item.row, reason="no_prose", evidence="nothing in it is in a language")
    return found, answered


def translation_request(
    item: TranslationItem,
    own: Pack,
    known: Pack,
    texts: PromptTexts,
    endpoints: Mapping[str, settings.Teacher],
) -> tuple[str, list[Message]]:
    """Return which teacher is asked for a translation, and what."""
    rng = sampling.seeded_rng("teacher", item.row.id)
    name = teachers.choose_endpoint(endpoints, item.row.task, rng)
    return name, translation_messages(item, own, known, texts)


def translation_messages(item: TranslationItem, own: Pack, known: Pack, texts: PromptTexts) -> list[Message]:
    """Return the messages that ask for a translation: answered by one item, or by the sentence alone."""
    row = item.row
    template = texts.translate_text if item.request_template else texts.translate_row
    user = (
        row.input if item.request_template else item_format.write_item(row.instruction, row.input, row.output)
    )
    return [
        Message(role="system", content=_system(template, own, known, texts)),
        Message(role="user", content=user),
    ]


def _system(template: str, own: Pack, known: Pack, texts: PromptTexts) -> str:
    names = {"known": known.name, "own": own.name, "native": own.native_name}
    return template.format(keep=texts.keep.format(**names), no_input=NO_INPUT, **names)


def compared_texts(item: TranslationItem) -> Sequence[tuple[str, str]]:
    """Return (field of the translated row, what it is a translation of) of every text that is translated."""
    if item.request_template:
        return [("output", item.row.input)]
    return [(key, value) for key in FIELDS if (value := getattr(item.row, key))]


def read_translation(
    item: TranslationItem, teacher: str, reply: Reply, own: Pack, known: Pack
) -> Example | Dropped:
    """Return the translated row, or what is wrong with it."""
    found = read_texts(item, reply, own, known)
    return found if isinstance(found, Dropped) else build_row(item, teacher, found, reply, own, known)


def read_texts(item: TranslationItem, reply: Reply, own: Pack, known: Pack) -> Texts | Dropped:
    """Return the translated texts by field, without what stands around them, or why there are none."""
    row = item.row
    if reply.unanswered:
        evidence = f"{row.origin.source}, finish: {reply.finish}"
        return Dropped(row=row, reason="unanswered", evidence=evidence)
    if item.request_template:
        said = lone_text.read_text(reply.text, reply.finish, own, known, row.input, "translation")
        if isinstance(said, Dropped):
            return said.model_copy(update={"evidence": f"{row.origin.source}, {said.evidence}"})
        return {"output": said.text}
    pieces = [
        name_refusal(piece, own, known) for piece in item_format.read_items(reply.text, reply.finish, own)
    ]
    if len(pieces) != 1 or isinstance(pieces[0], Dropped):
        reason = pieces[0].reason if isinstance(pieces[0], Dropped) else "unparsable"
        evidence = f"{row.origin.source}: {len(pieces)} pieces, one item is wanted"
        return Dropped(raw=reply.text, reason=reason, evidence=evidence)
    found = {key: getattr(pieces[0], key) for key in FIELDS}
    return found | {
        key: lone_text.strip_wrapping(found[key], own, known, before, "translation")
        for key, before in compared_texts(item)
    }


def build_row(
    item: TranslationItem, teacher: str, texts: Texts, reply: Reply, own: Pack, known: Pack
) -> Example | Dropped:
    """Return the row that translated texts make, or the first fault in them."""
    row = item.row
    given = {"instruction": item.request_template, "input": row.input} if item.request_template else {}
    translated = {"instruction": "", "input": "", "output": ""} | texts | given
    translated = {key: text.normalise_text(value, own).strip() for key, value in translated.items()}
    origin = Origin(
        kind="translated",
        source=row.origin.source,
        licence=row.origin.licence,
        author=reply.model,
        teacher=teacher,
        model=reply.model,
        request=reply.request,
        parents=() if item.request_template else (row.id,),
    )
    result = Example.make(own.code, row.task, **translated, origin=origin)
    if token := find_control_token(result.instruction, result.input, result.output):
        return Dropped(row=result, reason="control_token", evidence=token)
    for key, before in compared_texts(item):
        if fault := find_translation_fault(key, before, translated[key], own, known):
            return Dropped(row=result, reason=fault[0], evidence=fault[1])
    if not row.input and not given and result.input:
        return Dropped(row=result, reason="added_field", evidence=f"input: {result.input}")
    mended = {key: mend_lookalikes(translated[key], own) for key, _ in compared_texts(item)}
    return Example.make(own.code, row.task, **{**translated, **mended}, origin=origin)
