"""Have the teachers translate rows of the known language; what comes back with a fault is dropped.

    rows ─▶ translate, check each ─▶ check them together ─▶ translate back ─▶ rewrite, answer anew
            lost_code, lost_number …        lost_name, cut_off …      lost_number, lost_name …

The last two are there where the recipe asks. A row that cannot be rewritten stays as it was translated.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from alif import console, settings, store
from alif.data import teachers
from alif.data.prompt_texts import REWRITE_FILE, PromptTexts, load_prompt_texts, prompt_digest
from alif.data.published_row import nothing_left
from alif.data.translation.back_translation import BackTranslations
from alif.data.translation.rewrite import Rewrites
from alif.data.translation.run_check import FieldPair, find_outliers, plain_words
from alif.data.translation.translation_items import TranslationItem, read_items, sample_items
from alif.data.translation.translation_requests import (
    Conversation,
    compared_texts,
    read_translation,
    translate_item,
    translation_messages,
    translation_request,
)
from alif.data.unreadable_replies import UNREADABLE, ReadableReplies
from alif.facts.data_facts import TranslateFacts
from alif.formatting import format_usd
from alif.language import pack as packs
from alif.language.pack import Pack
from alif.llm import ChatRequest, Reply
from alif.llm.session import EndpointSession
from alif.records import Dropped, Example
from alif.runs import StepContext

__all__ = [
    "TranslationItem",
    "check_readable",
    "read_items",
    "read_translation",
    "sample_items",
    "translate_rows",
    "translation_messages",
    "translation_request",
    "translators",
]

FIRST_REQUESTS = 16
"""Requests that are sent first: they may show that no reply can be read."""
REQUESTS_AT_ONCE = 512
"""Requests that wait in line at the same time; it changes nothing in the result."""

Results: TypeAlias = dict[int, Example | Dropped]


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
    backwards = BackTranslations(output, own, known, texts, plain_words(one.row.output for one in items))
    rewrites = Rewrites(own, known)
    work = _Translation(context, own, known, texts, teacher, translate, sample, backwards, rewrites)
    results = asyncio.run(work.run(sources.folder)) if sample else {}
    kept: dict[str, Example] = {}
    for result in results.values():
        if isinstance(result, Dropped):
            output.drop(result)
        elif twin := kept.get(result.id):
            evidence = f"the same as {twin.origin.source}"
            output.drop(Dropped(row=result, reason="duplicate", evidence=evidence))
        else:
            kept[result.id] = result
            output.keep(result)
    sentences = sum(bool(item.request_template) for item in sample)
    sent = {
        "translate, rows": texts.translate_row + texts.keep if sentences < len(sample) else "",
        "translate, sentences": texts.translate_text + texts.keep if sentences else "",
        "translate, rewritten": store.read_text(REWRITE_FILE) if rewrites.rewritten else "",
    }
    return TranslateFacts(
        requested=translate.rows,
        available=len(items),
        sentences=sentences,
        prompts={name: (prompt_digest(prompt),) for name, prompt in sent.items() if prompt},
        rewritten=rewrites.rewritten,
        not_rewritten=dict(sorted(rewrites.refused.items())),
        back_translation=backwards.facts(),
    )


def translators(
    teacher: Mapping[str, settings.Teacher], translate: settings.Translate
) -> dict[str, settings.Teacher]:
    """Return the teachers that translate: all but the one that translates back."""
    return {name: one for name, one in teacher.items() if name != translate.back_translator}


@dataclass(frozen=True)
class _Translation:
    """The stages that a sample of rows goes through; a stage's requests of all rows are sent together."""

    context: StepContext
    own: Pack
    known: Pack
    texts: PromptTexts
    teacher: Mapping[str, settings.Teacher]
    translate: settings.Translate
    sample: Sequence[TranslationItem]
    backwards: BackTranslations
    rewrites: Rewrites

    async def run(self, folder: str) -> Results:
        """Return what becomes of each row of the sample."""
        own, known, texts, translate = self.own, self.known, self.texts, self.translate
        asked = translators(self.teacher, translate)
        names = [translation_request(item, own, known, texts, asked)[0] for item in self.sample]
        back = translate.back_translator
        async with teachers.open_endpoints(
            self.context, self.teacher, own, known, texts, folder, role="translator"
        ) as models:
            talks = {
                place: translate_item(item, name, asked[name], own, known, texts, translate.request)
                for place, (item, name) in enumerate(zip(self.sample, names, strict=True))
            }
            results = await self._converse(models, "translate", talks, first=FIRST_REQUESTS)
            self._drop_outliers(results)
            if back:
                teacher = self.teacher[back]
                talks = {
                    place: self.backwards.check_row(self.sample[place], row, back, teacher)
                    for place, row in _rows(results)
                }
                results |= await self._converse(models, "translate back", talks)
            if translate.rewrite:
                talks = {
                    place: self.rewrites.rewrite_row(row, names[place])
                    for place, row in _rows(results)
                    if not self.sample[place].request_template
                }
                results |= await self._converse(models, "rewrite", talks)
        self.context.output.cost_usd = models.cost_usd
        return results

    async def _converse(
        self, models: EndpointSession, title: str, talks: Mapping[int, Conversation], first: int = 0
    ) -> Results:
        """Hold all conversations, turn by turn; the `first` replies may show that nothing can be read."""
        results: Results = {}
        waiting: dict[int, ChatRequest] = {}

        def go_on(place: int, reply: Reply | None) -> None:
            try:
                waiting[place] = talks[place].send(reply)  # type: ignore[arg-type]  # None begins it
            except StopIteration as end:
                results[place] = end.value

        for place in talks:
            go_on(place, None)
        with console.progress_bar(title, len(talks), "rows") as bar:
            while waiting:
                turn, waiting = waiting, {}
                at_once = len(turn) if self.context.runtime.batch else first or REQUESTS_AT_ONCE
                places = list(turn)
                while places:
                    part, places = places[:at_once], places[at_once:]
                    replies = await models.reply_all(
                        [turn[place] for place in part],
                        on_reply=lambda: bar.advance(facts=format_usd(models.paid_usd)),
                    )
                    heard = ReadableReplies()
                    for number, (place, reply) in enumerate(zip(part, replies, strict=True)):
                        go_on(place, reply)
                        if number < first:
                            result = results.get(place)
                            readable = not isinstance(result, Dropped) or result.reason not in UNREADABLE
                            heard.add(turn[place].endpoint, reply, readable)
                    heard.check()
                    first, at_once = 0, REQUESTS_AT_ONCE
        return dict(sorted(results.items()))

    def _drop_outliers(self, results: Results) -> None:
        """Drop rows that lack what the run's other translations have: a name, an end, a usual length."""
        pairs = [
            FieldPair(place, key, before, getattr(row, key))
            for place, row in _rows(results)
            for key, before in compared_texts(self.sample[place])
        ]
        rows = dict(_rows(results))
        for place, (reason, evidence) in find_outliers(
            pairs, self.own, self.known, names=not self.translate.back_translator
        ).items():
            results[place] = Dropped(row=rows[place], reason=reason, evidence=evidence)


def _rows(results: Results) -> list[tuple[int, Example]]:
    return [(place, row) for place, row in results.items() if isinstance(row, Example)]


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
