"""Have the teachers translate rows of the known language; what comes back with a fault is dropped.

    {"instruction": "…", "input": "…", "output": "…"}     a row: all three texts in one request, its own task
    {"en": "The bridge is closed."}, {"text": "…"}        a sentence: an exercise of the translation task

A row that has both is the triple (`row_shape.find_shape`): Alpaca's `text` is its whole prompt.

An exercise has one of the task's request templates as instruction, the sentence as input, its translation as
output.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from alif import console, sampling, settings, sources
from alif.data import teachers
from alif.data.demo.demo_files import translated_ids
from alif.data.normalise_example import normalise_example
from alif.data.prompt_texts import PromptTexts, load_prompt_texts, prompt_digest
from alif.data.published_row import find_sentence_fault, nothing_left, read_published_row
from alif.data.translation.check import find_translation_fault
from alif.data.unreadable_replies import UNREADABLE, ReadableReplies, name_refusal
from alif.errors import PackError
from alif.facts.data_facts import TranslateFacts
from alif.formatting import format_usd
from alif.language import pack as packs
from alif.language import text
from alif.language.pack import Pack
from alif.language.replies import item_format, lone_text
from alif.language.replies.control_tokens import find_control_token
from alif.language.replies.item_format import FIELDS, NO_INPUT
from alif.llm import ChatRequest, Message, Reply
from alif.records import Dropped, Example, Origin
from alif.row_shape import find_shape, flatten_instance
from alif.runs import StepContext
from alif.sources import PackFiles

__all__ = [
    "TranslationItem",
    "check_readable",
    "read_items",
    "read_translation",
    "sample_items",
    "translate_rows",
    "translation_messages",
    "translation_request",
]

FIRST_REQUESTS = 16
"""Requests that are sent first: they may show that no reply can be read."""
REQUESTS_AT_ONCE = 512
"""Requests that wait in line at the same time; it changes nothing in the result."""


@dataclass(frozen=True)
class TranslationItem:
    """A row to translate, or a sentence where `request_template` asks for its translation."""

    row: Example
    request_template: str = ""


def translate_rows(
    context: StepContext,
    language: settings.Language,
    sources: settings.Sources,
    teacher: Mapping[str, settings.Teacher],
    translate: settings.Translate,
) -> TranslateFacts:
    """Keep translations of a sample of `translate.rows` rows.

    Raises:
        PackError: sentences to translate, and the pack has no request templates for them.
        DataError: rows are wanted, and no row of the sources can be translated.
        ReplyError: nothing can be read of what a teacher answers.
    """
    own, known, output = packs.load_pack(language.pack), packs.load_pack(language.source), context.output
    output.require("examples.jsonl", "dropped.jsonl")
    texts = load_prompt_texts(context.paths["prompts"])
    items: list[TranslationItem] = []
    first = ""
    for one in output.read(read_items(own, known, sources.folder, translate)):
        if isinstance(one, Dropped):
            first = first or one.evidence
            output.drop(one)
        else:
            items.append(one)
    if translate.rows and not items:
        raise nothing_left("translate.source", output.dropped, first)
    sample = sample_items(items, translate)
    sampled = set(map(id, sample))
    for item in (one for one in items if id(one) not in sampled):
        output.not_sampled(item.row)
    kept: dict[str, Example] = {}
    if sample:
        replies = asyncio.run(_ask_all(context, sample, own, known, texts, teacher, sources.folder))
        for item, (name, reply) in zip(sample, replies, strict=True):
            result = read_translation(item, name, reply, own, known)
            if isinstance(result, Dropped):
                output.drop(result)
            elif twin := kept.get(result.id):
                evidence = f"the same as {twin.origin.source}"
                output.drop(Dropped(row=result, reason="duplicate", evidence=evidence))
            else:
                kept[result.id] = result
                output.keep(result)
    sentences = sum(bool(item.request_template) for item in sample)
    sent: dict[str, tuple[str, ...]] = {}
    if sentences < len(sample):
        sent["translate, rows"] = (prompt_digest(texts.translate_row + texts.keep),)
    if sentences:
        sent["translate, sentences"] = (prompt_digest(texts.translate_text + texts.keep),)
    return TranslateFacts(requested=translate.rows, available=len(items), sentences=sentences, prompts=sent)


def read_items(
    own: Pack, known: Pack, folder: str, settings: settings.Translate
) -> Iterator[TranslationItem | Dropped]:
    """Yield everything that could be translated, nothing if no rows are asked for."""
    if not settings.rows:
        return
    ids = translated_ids(own) if "pack" in settings.source else set()
    for row in sources.read_rows(settings.source, folder, PackFiles(known, ("demo/rows.jsonl",))):
        if isinstance(row, Dropped):
            yield row
            continue
        if row.pack and ids and row.id not in ids:
            continue
        given = [value for key in (known.code, "text") if isinstance(value := row.values.get(key), str)]
        if not given or find_shape(flatten_instance(row.values)) != "text":
            found = read_published_row(row, (known,), (known, own), "source")
            if isinstance(found, Dropped):
                yield found
            elif any(message.role == "user" for message in found.turns):
                evidence = f"{row.where}: the last turn alone says too little to be translated"
                yield Dropped(row=found, reason="earlier_turns", evidence=evidence)
            else:
                yield TranslationItem(found)
            continue
        sentence = next((value for value in given if value.strip()), "")
        task = next((task for task in own.tasks.values() if task.request_templates), None)
        if task is None:
            hint = "Sentences to translate need one: tasks/translation.toml, request_templates."
            raise PackError(f"{own.folder}: no task has request_templates", hint)
        template = sampling.seeded_rng(settings.seed, "carrier", row.name, row.id).choice(
            task.request_templates
        )
        licence = str(row.values.get("licence") or (row.pack.licence if row.pack else ""))
        origin = Origin(kind="source", source=f"{row.name}#{row.id}", licence=licence)
        exercise = Example.make(known.code, task.name, template, sentence, "", origin)
        if fault := find_sentence_fault(sentence, known, (known, own)):
            yield Dropped(row=exercise, reason=fault[0], evidence=f"{row.where}: {fault[1]}")
        else:
            yield TranslationItem(normalise_example(exercise, known), template)


def sample_items(items: Sequence[TranslationItem], settings: settings.Translate) -> list[TranslationItem]:
    """Return the items that are translated."""
    return sampling.sample_rows(items, settings.rows, sampling.seeded_rng(settings.seed, "translate"))


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
    row, names = item.row, {"known": known.name, "own": own.name, "native": own.native_name}
    template = texts.translate_text if item.request_template else texts.translate_row
    system = template.format(keep=texts.keep.format(**names), no_input=NO_INPUT, **names)
    user = (
        row.input if item.request_template else item_format.write_item(row.instruction, row.input, row.output)
    )
    return [Message(role="system", content=system), Message(role="user", content=user)]


async def _ask_all(
    context: StepContext,
    sample: Sequence[TranslationItem],
    own: Pack,
    known: Pack,
    texts: PromptTexts,
    endpoints: Mapping[str, settings.Teacher],
    folder: str,
) -> list[tuple[str, Reply]]:
    """Return the teacher's name and the reply for each item."""
    replies: list[tuple[str, Reply]] = []
    with console.progress_bar("translate", len(sample), "rows") as bar:
        async with teachers.open_endpoints(
            context, endpoints, own, known, texts, folder, role="translator"
        ) as models:
            asked = [translation_request(item, own, known, texts, endpoints) for item in sample]
            while len(replies) < len(sample):
                at_once = REQUESTS_AT_ONCE if replies else FIRST_REQUESTS
                first = len(replies)
                part = asked[first:] if context.runtime.batch else asked[first : first + at_once]
                questions = [ChatRequest(name, messages) for name, messages in part]
                found = await models.reply_all(
                    questions, on_reply=lambda: bar.advance(facts=format_usd(models.paid_usd))
                )
                replies += zip([name for name, _ in part], found, strict=True)
                if not first:
                    check_readable(sample, replies[:FIRST_REQUESTS], own, known)
        context.output.cost_usd = models.cost_usd
    return replies


def check_readable(
    sample: Sequence[TranslationItem],
    replies: Sequence[tuple[str, Reply]],
    own: Pack,
    known: Pack,
    *,
    ended: bool = False,
) -> None:
    """Refuse to go on where nothing can be read of what a teacher answered first, or in the end.

    Raises:
        ReplyError: with what to change.
    """
    heard = ReadableReplies()
    for item, (name, reply) in zip(sample, replies, strict=False):
        result = read_translation(item, name, reply, own, known)
        heard.add(name, reply, not isinstance(result, Dropped) or result.reason not in UNREADABLE)
    heard.check(ended=ended)


def read_translation(
    item: TranslationItem, teacher: str, reply: Reply, own: Pack, known: Pack
) -> Example | Dropped:
    """Return the translated row, or what is wrong with it."""
    row = item.row
    if reply.unanswered:
        evidence = f"{row.origin.source}, finish: {reply.finish}"
        return Dropped(row=row, reason="unanswered", evidence=evidence)
    if item.request_template:
        said = lone_text.read_text(reply.text, reply.finish, own, known, row.input, "translation")
        if isinstance(said, Dropped):
            return said.model_copy(update={"evidence": f"{row.origin.source}, {said.evidence}"})
        translated = {"instruction": item.request_template, "input": row.input, "output": said.text}
        compared = [("output", row.input)]
    else:
        pieces = [
            name_refusal(piece, own, known) for piece in item_format.read_items(reply.text, reply.finish, own)
        ]
        if len(pieces) != 1 or isinstance(pieces[0], Dropped):
            reason = pieces[0].reason if isinstance(pieces[0], Dropped) else "unparsable"
            evidence = f"{row.origin.source}: {len(pieces)} pieces, one item is wanted"
            return Dropped(raw=reply.text, reason=reason, evidence=evidence)
        translated = {key: getattr(pieces[0], key) for key in FIELDS}
        compared = [(key, value) for key in FIELDS if (value := getattr(row, key))]
        translated |= {
            key: lone_text.strip_wrapping(translated[key], own, known, before, "translation")
            for key, before in compared
        }
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
    for key, before in compared:
        if fault := find_translation_fault(key, before, translated[key], own, known):
            return Dropped(row=result, reason=fault[0], evidence=fault[1])
    return result
