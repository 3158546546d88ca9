"""Gather stage-1 text of both languages: cleaned, each document once, capped by source, with a part held out by document.

    examples.jsonl   {"id": "…", "language": "ur", "text": "…", "title": "…", "source": "iqbal_urdu", …}
    held_out.jsonl   {"id": "…"}   never trained on; bits per byte are measured there

A capped source is read by lot, so that its first pages do not stand for the whole, and only until it is full, so that nothing
is cleaned which is not used. Counts are per source: where one holds three quarters of a language, the report must say so.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence

from alif import console, recipe, sampling, sources, store
from alif.errors import DataError
from alif.language import language_id, text
from alif.language import pack as packs
from alif.language.pack import Pack
from alif.records import Counts, Document, Dropped
from alif.runs import StepContext

__all__ = ["LARGEST_PART", "OWN_LETTERS", "build_corpus"]

OWN_LETTERS = 0.5
"""Least share of a document's letters that are in its language's script."""
JUDGED = 4_000
"""Characters by which a document's language is judged."""
LARGEST_PART = 0.1
"""Most of its source's cap that one document may fill: a novel is cut, so that the cap holds several."""


def build_corpus(
    context: StepContext, language: recipe.Language, sources: recipe.Sources, corpus: recipe.Corpus
) -> Counts:
    """Write the documents of both languages and the ids of those held out.

    Raises:
        DataError: none of a language's texts could be kept.
    """
    kept: list[Document] = []
    dropped: list[Dropped] = []
    held_out: list[str] = []
    facts: dict[str, dict[str, int]] = {}
    seen: dict[str, str] = {}
    taught, known = packs.load_pack(language.pack), packs.load_pack(language.source)
    for key, pack, other, source in (
        ("corpus.source", taught, known, corpus.source),
        ("corpus.source_language_files", known, taught, corpus.source_language_files),
    ):
        own: list[Document] = []
        left: list[Dropped] = []
        for rows in _by_source(pack, sources.folder, source).values():
            for result in _taken(rows, (pack, other), corpus, seen):
                (left if isinstance(result, Dropped) else own).append(result)  # type: ignore[arg-type]
        _refuse_nothing(key, own, left)
        dropped += left
        if corpus.max_documents:
            own = sampling.sample_indices(
                own, corpus.max_documents, sampling.seeded_rng(corpus.seed, "documents", pack.code)
            )
        for label, documents in _grouped(own).items():
            held = sampling.sample_indices(
                documents,
                _held_count(len(documents), corpus),
                sampling.seeded_rng(corpus.seed, "held out", pack.code, label),
            )
            held_out += [document.id for document in held]
            facts[f"{pack.code} {label}"] = _facts(documents, held)
        kept += own
    store.write_rows(context.folder / "examples.jsonl", kept)
    store.write_rows(context.folder / "held_out.jsonl", ({"id": name} for name in held_out))
    store.write_rows(context.folder / "dropped.jsonl", (row.record() for row in dropped))
    return Counts.of(len(kept), dropped, held_out=len(held_out), sources=facts)


def _refuse_nothing(key: str, own: Sequence[Document], left: Sequence[Dropped]) -> None:
    """Refuse sources of which nothing is left: a stage would be trained and measured on no text."""
    if left and not own:
        reasons = ", ".join(
            f"{count} {reason}" for reason, count in Counter(row.reason for row in left).items()
        )
        raise DataError(
            f"{key}: none of {len(left)} texts can be kept: {reasons}; the first: {left[0].evidence}",
            'A text is a line of a .txt file or the value of "text" in a row, in the language that the key is for.',
        )


def _documents(pack: Pack, folder: str, source: tuple[str, ...]) -> Iterator[Document | Dropped]:
    if "pack" in source:
        for row in sources.read_documents(
            ("demo/articles.jsonl",), str(pack.folder), language=pack.code, licence=pack.licence
        ):
            yield (
                row
                if isinstance(row, Dropped)
                else row.model_copy(update={"source": f"{pack.code}/demo/{row.source}"})
            )
    yield from sources.read_documents(source, folder, language=pack.code)


def _by_source(pack: Pack, folder: str, source: tuple[str, ...]) -> dict[str, list[Document | Dropped]]:
    """Group what the sources hold by source; rows that are none stand apart."""
    found: dict[str, list[Document | Dropped]] = {}
    for row in _documents(pack, folder, source):
        found.setdefault(row.source if isinstance(row, Document) else "", []).append(row)
    return found


def _taken(
    rows: Sequence[Document | Dropped], pair: tuple[Pack, Pack], corpus: recipe.Corpus, seen: dict[str, str]
) -> list[Document | Dropped]:
    """Clean the documents of one source until its cap is full; what was looked at is returned in the file's order."""
    pack = pair[0]
    order = list(range(len(rows)))
    name = next((row.source for row in rows if isinstance(row, Document)), "")
    if corpus.max_chars_per_source:
        sampling.seeded_rng(corpus.seed, "corpus", pack.code, name).shuffle(order)
    found: dict[int, Document | Dropped] = {}
    room = corpus.max_chars_per_source
    with console.progress_bar(f"corpus {pack.code} {name}", len(rows), "documents") as bar:
        for index in order:
            bar.advance()
            result = _clean(rows[index], pair, corpus, seen)
            if isinstance(result, Document) and corpus.max_chars_per_source:
                if len(result.text) > room:
                    break
                room -= len(result.text)
            if isinstance(result, Document):
                seen[_digest(result.text, pack)] = result.id
            found[index] = result
    return [found[index] for index in sorted(found)]


def _clean(
    row: Document | Dropped, pair: tuple[Pack, Pack], corpus: recipe.Corpus, seen: dict[str, str]
) -> Document | Dropped:
    """Return a document as it is trained on, or why it is not; it is in the first language of the `pair`."""
    if isinstance(row, Dropped):
        return row
    pack = pair[0]
    cleaned = text.normalise_text(row.text, pack).strip()
    if corpus.max_chars_per_source:
        cleaned = _cut(cleaned, int(LARGEST_PART * corpus.max_chars_per_source))
    facts = {key: getattr(row, key) for key in ("title", "source", "licence", "author")}
    document = Document.make(
        row.language, cleaned, **facts | {"title": text.normalise_text(row.title, pack).strip()}
    )
    count = len(text.split_words(cleaned, pack))
    if count < corpus.min_words:
        return Dropped(row=document, reason="too_short", evidence=f"{count} words")
    share = language_id.script_share(cleaned, pack)
    if share < OWN_LETTERS:
        return Dropped(
            row=document,
            reason="wrong_language",
            evidence=f"{share:.0%} of the letters are {pack.script.name}",
        )
    found = language_id.identify_language(cleaned[:JUDGED], pair)
    if found not in (pack.code, "undecided"):
        return Dropped(row=document, reason="wrong_language", evidence=f"taken for {found}")
    twin = seen.get(_digest(cleaned, pack))
    return Dropped(row=document, reason="duplicate", evidence=f"the same as {twin}") if twin else document


def _digest(cleaned: str, pack: Pack) -> str:
    """Return what two documents share that differ in spelling, punctuation and spaces only."""
    return hashlib.sha256(" ".join(text.split_words(cleaned, pack)).encode()).hexdigest()


def _cut(cleaned: str, most: int) -> str:
    """Return at most `most` characters, whole paragraphs where there is one, whole words otherwise."""
    if len(cleaned) <= most:
        return cleaned
    head = cleaned[:most]
    return (head.rpartition("\n")[0] or head.rpartition(" ")[0] or head).rstrip()


def _grouped(documents: Sequence[Document]) -> dict[str, list[Document]]:
    found: dict[str, list[Document]] = {}
    for document in documents:
        found.setdefault(document.source, []).append(document)
    return found


def _held_count(there: int, corpus: recipe.Corpus) -> int:
    """Return how many documents of a source are held out: at least one where there are two."""
    return max(round(corpus.heldout_share * there), 1) if corpus.heldout_share and there > 1 else 0


def _facts(documents: Sequence[Document], held: Sequence[Document]) -> dict[str, int]:
    characters = sum(len(document.text) for document in documents)
    return {
        "documents": len(documents),
        "characters": characters,
        "held_out": len(held),
        "held_out_characters": sum(len(document.text) for document in held),
    }
