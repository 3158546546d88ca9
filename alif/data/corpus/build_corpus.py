"""Build the stage-1 text of both languages: cleaned, deduplicated, capped by source, a part held out.

    examples.jsonl   {"id": "…", "language": "ur", "text": "…", "title": "…", "source": "iqbal_urdu", …}
    held_out.jsonl   {"id": "…"}   never trained on; bits per byte are measured there

Rows stream through: of each kept document only id, length and a digest of its words stay in memory. A capped
source is read in random order, so that its first pages do not stand for the whole, and only until it is full.
Its rows, and all rows where documents are sampled, wait in a file (`RowSpool`); what was chosen is then
written in the source's order.
"""

from __future__ import annotations

import hashlib
import tempfile
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from alif import console, sampling, settings, sources
from alif.data.corpus.cleaning import clean_document
from alif.data.corpus.prepare import SourceJob, find_fault, prepare_rows
from alif.data.corpus.row_spool import Fault, RowSpool, open_spool
from alif.data.mixture.decontaminate import drop_leak, open_kept_out
from alif.data.published_row import nothing_left
from alif.dedup.minhash import MinHashIndex
from alif.dedup.overlap_index import OverlapIndex
from alif.facts.data_facts import CorpusFacts, SourceFacts
from alif.language import language_id, text
from alif.language import pack as packs
from alif.language.pack import Pack
from alif.records import Document, Dropped, RowId
from alif.runs import StepContext
from alif.sources import Row

__all__ = ["LARGEST_SHARE", "build_corpus"]

ROWS_PER_UPDATE = 1000
"""Rows after which the progress bar is told."""

LARGEST_SHARE = 0.1
"""Most of its source's cap that one document may fill: a novel is cut, so that the cap holds several."""


def build_corpus(
    context: StepContext,
    language: settings.Language,
    sources: settings.Sources,
    corpus: settings.Corpus,
    kept_out: Mapping[str, settings.Benchmarks | settings.BenchmarkTable] | None = None,
) -> CorpusFacts:
    """Keep the documents of both languages and write the ids of those held out.

    None of them gives away a question of `kept_out`.

    Raises:
        DataError: none of a language's texts could be kept.
    """
    context.output.require("examples.jsonl", "held_out.jsonl", "dropped.jsonl")
    target, known = packs.load_pack(language.pack), packs.load_pack(language.source)
    seen: dict[int, int] = {}
    facts: dict[str, SourceFacts] = {}
    index = open_kept_out(target, known, sources.folder, kept_out or {})
    for key, pack, other, source in (
        ("corpus.source", target, known, corpus.source),
        ("corpus.source_language_files", known, target, corpus.source_language_files),
    ):
        with open_spool(context.scratch) as spool, tempfile.TemporaryFile(dir=context.scratch) as values:
            near = MinHashIndex(values, corpus.near_duplicates) if corpus.near_duplicates else None
            builder = _LanguageBuilder(context, language, corpus, pack, other, seen, spool, index, near)
            facts |= builder.build(key, source, sources.folder)
    return CorpusFacts(held_out=sum(one.held_out for one in facts.values()), sources=facts)


@dataclass
class _Source:
    """The documents of one source that are kept."""

    label: str
    licence: str
    numbers: array[int] = field(default_factory=lambda: array("q"))
    """Numbers in the spool of rows that may be written, in the source's order."""
    ids: array[int] = field(default_factory=lambda: array("Q"))
    lengths: array[int] = field(default_factory=lambda: array("Q"))
    """Ids and characters of what was written."""
    truncated: int = 0
    lookalikes: int = 0
    """Documents with look-alike letters."""
    lookalike: str = ""
    """The first of them: word, wrong letter, right letter."""
    repairs: Counter[str] = field(default_factory=Counter)
    """Documents by what was repaired in them."""


class _LanguageBuilder:
    """The corpus of one language; `seen` maps digests to ids in both."""

    def __init__(
        self,
        context: StepContext,
        language: settings.Language,
        corpus: settings.Corpus,
        pack: Pack,
        other: Pack,
        seen: dict[int, int],
        spool: RowSpool,
        index: OverlapIndex | None,
        near: MinHashIndex | None,
    ) -> None:
        self.context, self.output, self.language = context, context.output, language
        self.corpus, self.pack, self.other = corpus, pack, other
        self.seen, self.spool, self.index, self.near = seen, spool, index, near
        self.max_chars = int(LARGEST_SHARE * corpus.max_chars_per_source)
        self.dropped: Counter[str] = Counter()
        self.first_evidence = ""

    def build(self, key: str, source: tuple[str, ...], folder: str) -> dict[str, SourceFacts]:
        """Keep and hold out documents of every source; return the facts by "language source"."""
        spooled = bool(self.corpus.max_chars_per_source or self.corpus.max_documents)
        found: list[_Source] = []
        for name, parts in sources.list_sources(source, folder).items():
            licence = self.pack.licence if name == "pack" else ""
            one = _Source(f"{self.pack.code}/demo/articles" if name == "pack" else name, licence)
            rows = self._prepared(one, parts, known=key != "corpus.source")
            found.append(one)
            if spooled:
                self._choose(one, rows)
                continue
            for row, fault in rows:
                document, _ = clean_document(row, self.pack, one.label, 0, licence)
                if digest := self._check(document, fault):
                    self.seen[digest] = int(document.id, 16)
                    self._keep(one, document)
        if source and not any(one.numbers or one.ids for one in found):
            raise nothing_left(key, self.dropped, self.first_evidence)
        if spooled:
            self._write_chosen(found)
        for one in found:
            if one.repairs:
                told = ", ".join(f"{name} {count:,}" for name, count in one.repairs.most_common())
                console.log(f"{one.label}: repaired documents: {told}")
            if one.lookalikes:
                console.log(
                    f"{one.label}: {one.lookalikes:,} of {len(one.ids):,} documents have letters of another "
                    f"keyboard, such as {one.lookalike}"
                )
        return {f"{self.pack.code} {one.label}": self._hold_out(one) for one in found if one.ids}

    def _prepared(
        self, source: _Source, parts: tuple[str, ...], known: bool
    ) -> Iterator[tuple[Row, Fault | None]]:
        """Yield the rows that have a text, repaired, with what is known to be wrong; drop the others."""
        job = SourceJob(
            language=self.language,
            known=known,
            corpus=self.corpus,
            parts=parts,
            label=source.label,
            licence=source.licence,
            max_chars=self.max_chars,
        )
        prepared = prepare_rows(job, self.context.runtime, self.context.scratch)
        with console.progress_bar(f"corpus {self.pack.code} {source.label}", 0, "documents") as bar:
            for count, one in enumerate(self.output.read(prepared), 1):
                if not count % ROWS_PER_UPDATE:
                    bar.to(count)
                source.repairs.update(one.repairs)
                if isinstance(one.row, Dropped):
                    self._drop(one.row)
                else:
                    yield one.row, one.fault

    def _choose(self, source: _Source, rows: Iterable[tuple[Row, Fault | None]]) -> None:
        """Note the rows without a fault, in random order until the cap is full where there is one."""
        order = [self.spool.append(row, fault) for row, fault in rows]
        cap = space = self.corpus.max_chars_per_source
        if cap:
            sampling.seeded_rng(self.corpus.seed, "corpus", self.pack.code, source.label).shuffle(order)
        chosen: list[int] = []
        for place, number in enumerate(order):
            document, _ = self._clean(source, number)
            digest = self._check(document, self.spool.read(number)[1])
            if not digest:
                continue
            if cap and len(document.text) > space:
                for left_out in order[place:]:
                    self.output.not_sampled(self.spool.read(left_out)[0].where)
                break
            space -= len(document.text)
            self.seen[digest] = int(document.id, 16)
            chosen.append(number)
        source.numbers.extend(sorted(chosen))

    def _write_chosen(self, found: list[_Source]) -> None:
        """Keep the chosen rows, or a sample of them, in the order of the sources."""
        numbers = [number for one in found for number in one.numbers]
        if self.corpus.max_documents:
            rng = sampling.seeded_rng(self.corpus.seed, "documents", self.pack.code)
            numbers = sampling.sample_rows(numbers, self.corpus.max_documents, rng)
        sampled = set(numbers)
        for source in found:
            for number in source.numbers:
                if number not in sampled:
                    self.output.not_sampled(self.spool.read(number)[0].where)
                    continue
                document, truncated = self._clean(source, number)
                self._keep(source, document)
                source.truncated += truncated

    def _clean(self, source: _Source, number: int) -> tuple[Document, bool]:
        row, _ = self.spool.read(number)
        return clean_document(row, self.pack, source.label, self.max_chars, source.licence)

    def _check(self, document: Document, known: Fault | None) -> int:
        """Return a digest, never 0, of a document without a fault and a twin; drop another one and return 0.

        Documents share it that differ in spelling, punctuation and spaces only. `known` is what was found
        where the row was prepared.
        """
        words = text.split_words(document.text, self.pack)
        digest = int.from_bytes(hashlib.sha256(" ".join(words).encode()).digest()[:8]) or 1
        fault: tuple[str, str] | None = None
        if (twin := self.seen.get(digest)) is not None:  # first: the other looks take longer
            fault = "duplicate", f"the same as {twin:016x}"
        elif known is None:
            fault = find_fault(document, self.pack, self.other, self.corpus)
        elif known[0]:
            fault = known
        if not fault and self.index and (leak := drop_leak(document, self.index)):
            self._drop(leak)
            return 0
        near = self.near.find_or_add(words, int(document.id, 16)) if self.near and not fault else None
        if near is not None:
            fault = "near_duplicate", f"nearly the same as {near:016x}"
        if fault:
            self._drop(Dropped(row=document, reason=fault[0], evidence=fault[1]))
            return 0
        return digest

    def _keep(self, source: _Source, document: Document) -> None:
        source.ids.append(int(document.id, 16))
        source.lengths.append(len(document.text))
        if found := language_id.find_lookalikes(document.text, self.pack):
            source.lookalikes += 1
            source.lookalike = source.lookalike or "{}: {} for {}".format(*found[0])
        self.output.keep(document)

    def _drop(self, dropped: Dropped) -> None:
        self.first_evidence = self.first_evidence or dropped.evidence
        self.dropped[dropped.reason] += 1
        self.output.drop(dropped)

    def _hold_out(self, source: _Source) -> SourceFacts:
        """Write the ids of a source's held-out documents: at least one where there are two."""
        total, share = len(source.ids), self.corpus.heldout_share
        count = max(round(share * total), 1) if share and total > 1 else 0
        rng = sampling.seeded_rng(self.corpus.seed, "held out", self.pack.code, source.label)
        held = sampling.sample_rows(range(total), count, rng)
        for place in held:
            self.output.write(RowId(id=f"{source.ids[place]:016x}"), "held_out.jsonl")
        return SourceFacts(
            documents=total,
            characters=sum(source.lengths),
            held_out=len(held),
            held_out_characters=sum(source.lengths[place] for place in held),
            truncated=source.truncated,
            lookalikes=source.lookalikes,
            repairs=dict(source.repairs.most_common()),
        )
