"""Mix the parts into training and validation rows, with the sums shown.

    [blend.generate]                          the teacher's rows, as reviewed
    [blend.translate]                         the translated rows, as reviewed
    [blend.replay]  share = 0.2               rows of the known language: a fifth of the tokens
    [blend.roman]   source = "roman.jsonl", repeat = 3, licence = "…"     any published set, three times

A row is in the mixture once, in the first part that has it; one that gives away a question of the test set
or a benchmark is dropped. Parts with a share are drawn when the others are, as many tokens as that takes.
What is held out, `validation_split` says; it is there once and in its own words, while rows to train on may
be repeated and get one of several wordings.

Source: the paper's mixture is Urdu-Instruct, translated Alpaca, Alpaca and OpenOrca replay (Alif, arXiv
2510.09051); wordings: NeMo Data Designer's notes, where another one moved a score by 15 points.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from alif import console, sampling, settings, sources, store
from alif.cost.token_estimate import estimate_tokens
from alif.data.mixture.decontaminate import drop_leak, open_index, read_origins
from alif.data.mixture.validation_split import sample_validation
from alif.data.published_row import nothing_left, read_published_row
from alif.dedup.overlap_index import OverlapIndex
from alif.errors import RecipeError
from alif.facts.data_facts import BlendFacts, BlendPartFacts
from alif.language import pack as packs
from alif.language.pack import Pack
from alif.records import Dropped, Example, RowId
from alif.runs import StepContext

__all__ = ["build_blend"]

STEPS = {
    "generate": ("review", "teacher"),
    "translate": ("review", "translated"),
    "replay": ("replay", "replay"),
}
"""The step whose rows a part without a source is made of, and their kind."""


def build_blend(
    context: StepContext,
    *,
    language: settings.Language,
    sources: settings.Sources,
    blend: Mapping[str, settings.Part],
    split: settings.Split,
    benchmarks: settings.Benchmarks,
    decontaminated: Mapping[str, settings.BenchmarkTable],
    translated_from: Mapping[str, settings.Translate] | None = None,
    replay_part: Mapping[str, settings.Part] | None = None,
) -> BlendFacts:
    """Keep the rows of the mixture and write the ids of its validation rows.

    Raises:
        RecipeError: a part that is no step's and names no source, or a share that its rows cannot fill.
        DataError: no row of a part's source is left.
    """
    own, known, output = packs.load_pack(language.pack), packs.load_pack(language.source), context.output
    output.require("examples.jsonl", "dropped.jsonl", "held_out.jsonl")
    index = open_index(own, known, sources.folder, benchmarks, decontaminated)
    origins: dict[str, Example] = {}
    for table in (translated_from or {}).values():
        reviewed = store.read_models(context.inputs["review"] / "examples.jsonl", Example)
        wanted = {row.origin.source for row in reviewed if row.origin.kind == "translated"}
        origins = read_origins(table, sources.folder, known, wanted)
    mixer = _Mixer(context, own, known, sources.folder, index, origins)
    blend = {**blend, **(replay_part or {})}
    for name, part in blend.items():
        if not part.share:
            mixer.draw(name, part, split.seed)
    mixer.draw_shares({name: part for name, part in blend.items() if part.share}, split.seed)
    parts = {name: mixer.parts[name] for name in blend}
    held_out, missing = sample_validation(parts, split, own)
    facts = {}
    for name, rows in parts.items():
        facts[name] = _write_part(mixer.facts[name], rows, blend[name], held_out, context, split.seed)
        _log_part(name, blend[name], facts[name], missing.get(name, 0))
    return BlendFacts(
        parts=facts, held_out=len(held_out), benchmark_prompts=len(index), contaminated=mixer.contaminated
    )


@dataclass
class _Mixer:
    """The rows that were drawn so far."""

    context: StepContext
    own: Pack
    known: Pack
    folder: str
    index: OverlapIndex
    origins: Mapping[str, Example]
    parts: dict[str, list[Example]] = field(default_factory=dict)
    facts: dict[str, BlendPartFacts] = field(default_factory=dict)
    part_of: dict[str, str] = field(default_factory=dict)
    """The part of each row that was drawn, by id."""
    contaminated: Counter[str] = field(default_factory=Counter)
    """Dropped rows by the benchmark that they give away."""

    def draw(self, name: str, part: settings.Part, seed: int) -> None:
        """Draw the rows of a part by their number."""
        rows = self._read(name, part)
        rng = sampling.seeded_rng(seed, "blend", name)
        self._take(name, rows, sampling.sample_rows(rows, part.rows or len(rows), rng))

    def draw_shares(self, parts: Mapping[str, settings.Part], seed: int) -> None:
        """Draw the rows of parts by their share of the mixture's tokens.

        Raises:
            RecipeError: the rows are too few, or the shares leave nothing for the other parts.
        """
        left = 1 - sum(part.share for part in parts.values())
        fixed = sum(
            count_tokens(row) * one.repeat for name, one in self.facts.items() for row in self.parts[name]
        )
        if parts and (left <= 0 or not fixed):
            names = ", ".join(f"blend.{name}.share" for name in parts)
            hint = "A share is of the whole mixture: lower them, or give one part rows."
            raise RecipeError(f"{names}: nothing is left of the mixture for parts without a share", hint)
        for name, part in parts.items():
            rows = self._read(name, part)
            order = [*rows]
            sampling.seeded_rng(seed, "blend", name).shuffle(order)
            wanted, there, chosen = fixed / left * part.share, 0, set[str]()
            for row in order:
                if there < wanted:
                    there += count_tokens(row) * part.repeat
                    chosen.add(row.id)
            if there < wanted:
                most = there / (there + fixed / left * (1 - part.share))
                hint = f"Lower it to {int(100 * most) / 100}, name more rows, or set blend.{name}.repeat."
                told = f"the mixture would need {wanted:,.0f} tokens of it, and its {len(rows):,} rows have"
                raise RecipeError(f"blend.{name}.share = {part.share}: {told} {there:,}", hint)
            self._take(name, rows, [row for row in rows if row.id in chosen])

    def _take(self, name: str, rows: Sequence[Example], drawn: list[Example]) -> None:
        self.parts[name] = drawn
        self.part_of |= {row.id: name for row in drawn}
        for row in rows:
            if row.id not in self.part_of:
                self.context.output.not_sampled(row)
        self.facts[name] = self.facts[name].model_copy(update={"drawn": len(drawn)})

    def _read(self, name: str, part: settings.Part) -> list[Example]:
        """Return the rows of a part that may be drawn and drop the others.

        Raises:
            DataError: no row of a source is left.
        """
        kept: dict[str, Example] = {}
        dropped: Counter[str] = Counter()
        first = ""
        for row in self.context.output.read(self._read_part(name, part)):
            if isinstance(row, Dropped):
                fault: Dropped | None = row
            elif row.id in self.part_of:
                fault = Dropped(row=row, reason="duplicate", evidence=f"also in {self.part_of[row.id]}")
            elif twin := kept.get(row.id):
                evidence = f"the same as {twin.origin.source or row.id}"
                fault = Dropped(row=row, reason="duplicate", evidence=evidence)
            else:
                fault = drop_leak(row, self.index, self.origins)
            if fault is None and isinstance(row, Example):
                kept[row.id] = row
            elif fault is not None:
                self.context.output.drop(fault)
                dropped[fault.reason] += 1
                first = first or fault.evidence
                if fault.nearest and fault.reason == "contaminated":
                    self.contaminated[fault.nearest.id.partition("#")[0]] += 1
        if part.source and not kept:
            raise nothing_left(f"blend.{name}.source", dropped, first)
        self.facts[name] = BlendPartFacts(
            requested=part.rows,
            share=part.share,
            repeat=part.repeat,
            available=len(kept) + dropped.total(),
            dropped=dropped.total(),
            drawn=0,
            validation=0,
        )
        return list(kept.values())

    def _read_part(self, name: str, part: settings.Part) -> Iterator[Example | Dropped]:
        """Yield the rows of a part: a step's, or a source's with its licence."""
        both = (self.own, self.known)
        if part.source:
            for row in sources.read_rows(part.source, self.folder):
                yield read_published_row(row, both, both, "source", part.licence)
        elif name in STEPS:
            step, kind = STEPS[name]
            for found in store.read_models(self.context.inputs[step] / "examples.jsonl", Example):
                if found.origin.kind == kind:
                    licence = found.origin.licence or part.licence
                    yield found.model_copy(
                        update={"origin": found.origin.model_copy(update={"licence": licence})}
                    )
        else:
            hint = f"Give it source, or name it after a step: {', '.join(STEPS)}."
            raise RecipeError(f"blend.{name}: no source", hint)


def count_tokens(row: Example) -> int:
    """Return about how many tokens a row has, its turns included."""
    texts = (*(message.content for message in row.turns), row.instruction, row.input, row.output)
    return estimate_tokens("\n".join(texts), row.language)


def _write_part(
    facts: BlendPartFacts,
    rows: Sequence[Example],
    part: settings.Part,
    held_out: set[str],
    context: StepContext,
    seed: int,
) -> BlendPartFacts:
    """Write the rows of a part and return its facts with what is held out, and the tokens."""
    output, tokens = context.output, Counter[bool]()
    licences: Counter[str] = Counter()
    for row in rows:
        validation = row.id in held_out
        output.keep(row if validation else _word(row, part, seed, 0))
        for turn in range(1, 1 if validation else part.repeat):
            output.write(_word(row, part, seed, turn), "examples.jsonl")
        if validation:
            output.write(RowId(id=row.id), "held_out.jsonl")
        tokens[validation] += count_tokens(row) * (1 if validation else part.repeat)
        licences[row.origin.licence] += 1
    return facts.model_copy(
        update={
            "validation": sum(row.id in held_out for row in rows),
            "tokens": tokens[False],
            "validation_tokens": tokens[True],
            "licences": dict(sorted(licences.items())),
        }
    )


def _word(row: Example, part: settings.Part, seed: int, turn: int) -> Example:
    """Return the row with its instruction in one of the part's wordings, by lot at each of its turns."""
    if not part.wordings:
        return row
    wording = sampling.seeded_rng(seed, "wording", row.id, turn).choice(part.wordings)
    return row.edited(instruction=wording.replace("{instruction}", row.instruction))


def _log_part(name: str, part: settings.Part, facts: BlendPartFacts, missing: int) -> None:
    fewer = facts.requested - facts.drawn
    unknown = facts.licences.get("", 0) if part.source else 0
    console.log(
        f"{name:>10}  {facts.drawn:,} of {facts.available:,} rows: "
        f"{facts.drawn - facts.validation:,} to train on, {facts.validation:,} to validate, "
        f"{facts.dropped:,} dropped"
        + (f", each {facts.repeat} times" if facts.repeat > 1 else "")
        + (f", {fewer} fewer than requested" if fewer > 0 else "")
        + (f"; {unknown:,} of unknown licence: set blend.{name}.licence" if unknown else "")
        + (f"; {missing} fewer to validate: the others have near-duplicates" if missing else "")
    )
