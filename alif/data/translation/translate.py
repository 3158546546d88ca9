"""Have the teachers translate rows of the known language, with code, addresses and numbers kept and checked on the way back.

    {"instruction": "…", "input": "…", "output": "…"}     a row: all three texts in one request, its own task
    {"en": "The bridge is closed."}, {"text": "…"}        a sentence: becomes an exercise of the pack's translation task

An exercise has one of the task's carriers as instruction, the sentence as input and its translation as output.

What must survive is not hidden behind placeholders, which damage the grammar around them: the teacher is told to keep it, and
a translation that lost it is dropped with what is missing.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from alif import console, recipe, sampling, sources, store
from alif.data import teachers
from alif.data.demo.demo_files import translated_ids
from alif.data.filters.rules import OTHER_TASK
from alif.data.synthesis import prompts
from alif.errors import PackError
from alif.formatting import format_usd
from alif.language import language_id, text
from alif.language import pack as packs
from alif.language.pack import Pack
from alif.language.replies import item_format, reply_cleanup
from alif.llm import ChatModel, Message, Reply, gather_or_cancel
from alif.records import Counts, Dropped, Example, Origin
from alif.runs import StepContext

__all__ = ["translate_rows"]

AT_ONCE = 512
"""Requests that wait in line at the same time; it changes nothing in the result."""
OWN_LETTERS = 0.5
"""Least share of a translation's letters in the pack's script, code and addresses left out."""
FEWEST_WORDS = 4
"""Shorter texts may stay as they are: a name, a formula, a label."""
_KEPT = re.compile(
    r"```.+?```|`[^`\n]+`|\bhttps?://[^\s<>\"'»”]+|\bwww\.[^\s<>\"'»”]+|[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+\.[A-Za-z0-9.-]+"
    r"|\b[A-Za-z]+(?:_[A-Za-z0-9]+)+\b|\b[a-z]+(?:[A-Z][a-z0-9]+)+\b|\b[A-Za-z_]+\(\)|\{[A-Za-z_]+\}|\b[\w-]+\.(?:py|js|html|json|csv|txt|md|pdf)\b",
    re.DOTALL | re.ASCII,
)
"""Code, web and mail addresses, names of variables, functions and files."""
_POINTS = ".,;:!?"
"""Marks that end the sentence, not the address before them."""


@dataclass(frozen=True)
class TranslationItem:
    """One thing to translate: a whole row, or a sentence where `carrier` asks for its translation."""

    row: Example
    carrier: str = ""


def translate_rows(
    context: StepContext,
    language: recipe.Language,
    sources: recipe.Sources,
    teacher: Mapping[str, recipe.Teacher],
    translate: recipe.Translate,
) -> Counts:
    """Translate `translate.rows` rows, drawn by lot; what comes back with a fault is dropped.

    Raises:
        PackError: sentences to translate, and the pack has no carriers.
    """
    own, known = packs.load_pack(language.pack), packs.load_pack(language.source)
    kept: dict[str, Example] = {}
    wanted_rows, dropped, there = sample_items(own, known, sources.folder, translate)
    cost_usd = 0.0
    if wanted_rows:
        replies, cost_usd = asyncio.run(_ask(context, wanted_rows, (own, known), teacher, sources.folder))
        for wanted, (name, reply) in zip(wanted_rows, replies, strict=True):
            result = _read(wanted, name, reply, own, known)
            if isinstance(result, Example) and result.id in kept:
                result = Dropped(
                    row=result, reason="duplicate", evidence=f"the same as {kept[result.id].origin.source}"
                )
            if isinstance(result, Example):
                kept[result.id] = result
            else:
                dropped.append(result)
    store.write_rows(context.folder / "examples.jsonl", kept.values())
    store.write_rows(context.folder / "dropped.jsonl", (row.record() for row in dropped))
    sentences = sum(bool(wanted.carrier) for wanted in wanted_rows)
    facts = {
        "asked": translate.rows,
        "there": there,
        "sentences": sentences,
        "prompts": _digests(wanted_rows),
    }
    return Counts.of(len(kept), dropped, cost_usd=cost_usd, **facts)


def _digests(wanted: Sequence[TranslationItem]) -> dict[str, list[str]]:
    """Return the digests of the wordings that were sent."""
    said = {"rows": prompts.TRANSLATE_ROW, "sentences": prompts.TRANSLATE_TEXT}
    kinds = {"sentences" if one.carrier else "rows" for one in wanted}
    return {
        f"translate, {kind}": [prompts.prompt_digest(said[kind] + prompts.KEPT)]
        for kind in said
        if kind in kinds
    }


def sample_items(
    own: Pack, known: Pack, folder: str, settings: recipe.Translate
) -> tuple[list[TranslationItem], list[Dropped], int]:
    """Return what is to be translated, what could not be read, and how much there was to draw from."""
    there: list[TranslationItem] = []
    dropped: list[Dropped] = []
    for found in _there(own, known, folder, settings) if settings.rows else ():
        (dropped if isinstance(found, Dropped) else there).append(found)  # type: ignore[arg-type]
    return (
        sampling.sample_indices(there, settings.rows, sampling.seeded_rng(settings.seed, "translate")),
        dropped,
        len(there),
    )


def translation_request(
    wanted: TranslationItem, both: tuple[Pack, Pack], shares: Mapping[str, recipe.Teacher]
) -> tuple[str, list[Message]]:
    """Return which teacher is asked for a translation, and what."""
    own, known = both
    name = teachers.choose_endpoint(shares, wanted.row.task, sampling.seeded_rng("teacher", wanted.row.id))
    asked = (
        prompts.text_translation_messages(wanted.row.input, own, known)
        if wanted.carrier
        else prompts.row_translation_messages(wanted.row, own, known)
    )
    return name, asked


def _there(
    own: Pack, known: Pack, folder: str, settings: recipe.Translate
) -> Iterator[TranslationItem | Dropped]:
    """Yield everything that could be translated."""
    if "pack" in settings.source:
        ids = translated_ids(own)
        for row in sources.read_rows(("demo/rows.jsonl",), str(known.folder)):
            if isinstance(row, Dropped) or not ids or row.id in ids:
                yield _wanted(row, own, known, settings.seed, known.licence)
    for row in sources.read_rows(settings.source, folder):
        yield _wanted(row, own, known, settings.seed)


def _wanted(
    row: sources.Row | Dropped, own: Pack, known: Pack, seed: int, licence: str = ""
) -> TranslationItem | Dropped:
    if isinstance(row, Dropped):
        return row
    sentence = row.values.get(known.code, row.values.get("text"))
    if not isinstance(sentence, str):
        found = sources.to_example(row, known.code, OTHER_TASK, "source", licence)
        return found if isinstance(found, Dropped) else TranslationItem(_normal(found, known))
    task = next((task for task in own.tasks.values() if task.carriers), None)
    if task is None:
        raise PackError(
            f"{own.folder}: no task has carriers",
            "Sentences to translate need one: tasks/translation.toml, carriers.",
        )
    carrier = sampling.seeded_rng(seed, "carrier", row.name, row.id).choice(task.carriers)
    origin = Origin(
        kind="source", source=f"{row.name}#{row.id}", licence=str(row.values.get("licence") or licence)
    )
    exercise = _normal(Example.make(known.code, task.name, carrier, sentence, "", origin), known)
    empty = Dropped(row=exercise, reason="empty", evidence=f"{row.where}: nothing to translate")
    return TranslationItem(exercise, carrier) if exercise.input else empty


def _normal(row: Example, known: Pack) -> Example:
    texts = {key: text.normalise_text(getattr(row, key), known).strip() for key in item_format.FIELDS}
    return Example.make(row.language, row.task, **texts, origin=row.origin)


async def _ask(
    context: StepContext,
    drawn: Sequence[TranslationItem],
    both: tuple[Pack, Pack],
    shares: Mapping[str, recipe.Teacher],
    folder: str,
) -> tuple[list[tuple[str, Reply]], float]:
    """Return the teacher's name and the reply for each row, and what the step has paid."""
    replies: list[tuple[str, Reply]] = []
    with console.progress_bar("translate", len(drawn), "rows") as bar:
        async with teachers.open_endpoints(context, shares, *both, folder) as models:

            async def answered(wanted: TranslationItem) -> tuple[str, Reply]:
                name, asked = translation_request(wanted, both, shares)
                model: ChatModel = models[name]
                reply = await model.reply(asked)
                bar.advance(facts=format_usd(models.paid_usd))
                return name, reply

            at_once = len(drawn) if context.runtime.batch else AT_ONCE
            for first in range(0, len(drawn), at_once):
                replies += await gather_or_cancel(
                    answered(wanted) for wanted in drawn[first : first + at_once]
                )
        return replies, models.cost_usd


def _read(wanted: TranslationItem, teacher: str, reply: Reply, own: Pack, known: Pack) -> Example | Dropped:
    """Return the translated row, or what is wrong with it."""
    row = wanted.row
    if wanted.carrier:
        said, _ = reply_cleanup.strip_thinking(reply.text)
        texts = {"instruction": wanted.carrier, "input": row.input, "output": said}
        if reply.finish != "stop" or not said.strip():
            reason = "truncated" if reply.finish != "stop" else "empty"
            return Dropped(
                raw=reply.text, reason=reason, evidence=f"{row.origin.source}, finish: {reply.finish}"
            )
    else:
        pieces = item_format.read_items(reply.text, reply.finish, own)
        if len(pieces) != 1 or isinstance(pieces[0], Dropped):
            reason = pieces[0].reason if isinstance(pieces[0], Dropped) else "unparsable"
            return Dropped(
                raw=reply.text,
                reason=reason,
                evidence=f"{row.origin.source}: {len(pieces)} pieces, one item is wanted",
            )
        texts = {key: getattr(pieces[0], key) for key in item_format.FIELDS}
    texts = {key: text.normalise_text(value, own).strip() for key, value in texts.items()}
    origin = Origin(
        kind="translated",
        source=row.origin.source,
        licence=row.origin.licence,
        author=reply.model,
        teacher=teacher,
        model=reply.model,
        request=reply.request,
        parents=() if wanted.carrier else (row.id,),
    )
    result = Example.make(own.code, row.task, **texts, origin=origin)
    found = _fault(wanted, result, own, known)
    return Dropped(row=result, reason=found[0], evidence=found[1]) if found else result


def _fault(wanted: TranslationItem, result: Example, own: Pack, known: Pack) -> tuple[str, str] | None:
    """Compare each translated text with its original; return (reason, evidence) of the first fault."""
    row = wanted.row
    if wanted.carrier:
        compared = [("output", row.input, result.output)]
    else:
        compared = [
            (key, getattr(row, key), getattr(result, key)) for key in item_format.FIELDS if getattr(row, key)
        ]
    for key, before, after in compared:
        if not after:
            return "missing_field", f"{key} is lost"
        if lost := _kept(before) - _kept(after):
            return "lost_code", f"{key}: {', '.join(lost)}"
        if lost := _numbers(before, known) - _numbers(after, own):
            return "lost_number", f"{key}: {', '.join(lost)}"
        words = text.split_words(after, own)
        if len(words) < FEWEST_WORDS:
            continue
        if (
            words == text.split_words(before, own)
            and language_id.identify_language(after, (own, known)) == known.code
        ):
            return "copies_prompt", f"{key} is not translated"
        share = language_id.script_share(_KEPT.sub(" ", after), own)
        if share < OWN_LETTERS:
            return "wrong_language", f"{key}: {share:.0%} of the letters are {own.script.name}"
    return None


def _kept(value: str) -> Counter[str]:
    return Counter(found.rstrip(_POINTS) for found in _KEPT.findall(value))


def _numbers(value: str, pack: Pack) -> Counter[str]:
    """Return the runs of digits of a text, in the digits that texts are compared in; marks that group them do not part them."""
    folded = text.fold_text(_KEPT.sub(" ", value), pack)
    group = re.escape(text.fold_text(pack.numbers.group, pack))
    return Counter(re.findall(r"\d+", re.sub(rf"(?<=\d)[{group}](?=\d)", "", folded)))
