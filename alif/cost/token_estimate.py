"""Estimates of how many tokens a stage will see, before anything is downloaded: a range, and its source.

measured    counted in this run's finished steps, or in files that are here
shipped     the size of a published dataset, from known.json
assumed     what nobody states: the mean length of a row, the vocabulary of another base
"""

from __future__ import annotations

import gzip
import io
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alif import sources, store
from alif.facts import read_facts
from alif.facts.training_facts import BaseFacts, FinetuneFacts, PreferFacts, PretrainFacts, StageFacts
from alif.language import pack as languages
from alif.runs import Run
from alif.settings import Recipe

__all__ = ["TokenCount", "estimate_tokens", "finetune_tokens", "prefer_tokens", "pretrain_tokens"]

OTHER_VOCABULARY = (0.9, 1.0, 1.3)
"""Tokens of another vocabulary than Llama-3's for the same text. Assumed."""
EDITED = (0.02, 0.1, 0.4)
"""Share of the rows that reviewers read which they edit. Assumed."""
LLAMA_3 = 128_256
SLICE = re.compile(r"\[:(\d+)\]$")

KnownSizes = Mapping[str, Any]
"""known.json: published sizes and assumptions, each with its source."""


@dataclass(frozen=True)
class TokenCount:
    """A number that is not known exactly: low, most likely, high."""

    what: str
    low: float
    mid: float
    high: float
    mark: str
    source: str

    def scaled(self, factor: float, what: str = "") -> TokenCount:
        """Return the count times `factor`."""
        low, mid, high = (end * factor for end in (self.low, self.mid, self.high))
        return TokenCount(what or self.what, low, mid, high, self.mark, self.source)

    def widened(self, factors: Sequence[float], note: str) -> TokenCount:
        """Return the count times a factor that is itself a range."""
        low, mid, high = (
            end * factor for end, factor in zip((self.low, self.mid, self.high), factors, strict=True)
        )
        return TokenCount(self.what, low, mid, high, "assumed", f"{self.source}; {note}")

    def capped(self, cap: TokenCount) -> TokenCount:
        """Return the smaller of the two, end by end."""
        low, mid, high = min(self.low, cap.low), min(self.mid, cap.mid), min(self.high, cap.high)
        if high == self.high:
            return self
        return TokenCount(self.what, low, mid, high, cap.mark, f"{self.source}; {cap.source}")


def estimate_tokens(text: str, language: str) -> int:
    """Return about how many tokens Llama-3's tokenizer makes of a text."""
    known = _known_sizes()["bytes_per_token"]
    bytes_per_token = float(known.get(language, known["other"])["value"][1])
    return round(len(text.encode("utf-8", "surrogatepass")) / bytes_per_token)


def pretrain_tokens(
    recipe: Recipe, run: Run, vocabulary: int, bytes_per_token: float | None = None
) -> list[TokenCount]:
    """Return the tokens of stage 1 by source, over all epochs, replay included; their sum is the stage's.

    `bytes_per_token` is what was measured of the base's tokenizer on the taught language, where it was.
    """
    if done := _measured(run, "pretrain"):
        return [done]
    factor = recipe.pretrain.epochs * (1 - recipe.corpus.heldout_share) / (1 - recipe.pretrain.mean_replay)
    convert = _vocabulary_conversion(recipe, vocabulary, bytes_per_token)
    return [
        _with_added_tokens(convert(count.scaled(factor)), recipe, run) for count in _corpus_counts(recipe)
    ]


def finetune_tokens(
    recipe: Recipe, run: Run, vocabulary: int, bytes_per_token: float | None = None
) -> list[TokenCount]:
    """Return the tokens of stage 2 by part of the mixture, over all epochs; arguments as of stage 1."""
    if done := _measured(run, "finetune"):
        return [done]
    factor = recipe.finetune.epochs * (1 - recipe.split.validation_share)
    per_row = _known_count(_known_sizes()["tokens_a_row"], "tokens a row")
    convert = _vocabulary_conversion(recipe, vocabulary, bytes_per_token)
    if (record := run.record("blend")) is not None:
        rows = record.counts.kept
        count = convert(per_row.scaled(rows * factor, f"blend: {rows:,} rows"))
        return [_with_added_tokens(count, recipe, run)]
    steps = {
        "generate": recipe.generate.target_rows,
        "translate": recipe.translate.rows,
        "replay": recipe.replay.rows,
    }
    found = []
    parts = {**recipe.blend, **recipe.replay_part}
    for name, part in parts.items():
        rows = _source_rows(recipe, part.source, part.rows) if part.source else steps.get(name, 0)
        if not part.share and (rows := min(part.rows or rows, rows) * part.repeat):
            count = convert(per_row.scaled(rows * factor, f"{name}: {rows:,} rows"))
            found.append(count if name == "replay" else _with_added_tokens(count, recipe, run))
    left = 1 - sum(part.share for part in parts.values())
    fixed = [sum(getattr(one, end) for one in found) for end in ("low", "mid", "high")]
    for name, part in parts.items():
        if part.share and left > 0:
            low, mid, high = (tokens * part.share / left for tokens in fixed)
            told = f"{name}: {part.share:.0%} of the tokens"
            found.append(TokenCount(told, low, mid, high, "assumed", "the other parts' tokens"))
    return found


def prefer_tokens(
    recipe: Recipe, run: Run, vocabulary: int, bytes_per_token: float | None = None
) -> list[TokenCount]:
    """Return the tokens of stage 3, two texts a pair, over all epochs; arguments as of stage 1."""
    if done := _measured(run, "prefer"):
        return [done]
    files = tuple(part for part in recipe.pairs.source if part != "review")
    rows = {"files": _source_rows(recipe, files, 0)}
    if len(files) < len(recipe.pairs.source):
        rows["review"] = round(recipe.review.share * (recipe.generate.target_rows + recipe.translate.rows))
    if (record := run.record("pairs")) is not None:
        rows = {"all": record.counts.kept}
    per_text = _known_count(_known_sizes()["tokens_a_row"], "tokens a row")
    convert, texts = _vocabulary_conversion(recipe, vocabulary, bytes_per_token), 2 * recipe.prefer.epochs
    found = []
    for name, pairs in rows.items():
        count = convert(per_text.scaled(pairs * texts, f"pairs, {name}: {pairs:,}"))
        found.append(count.widened(EDITED, "the rows that reviewers edit") if name == "review" else count)
    return [_with_added_tokens(count, recipe, run) for count in found if count.high]


def _source_rows(recipe: Recipe, source: Sequence[str], unknown: int) -> int:
    """Return the rows of files and hub ids; a hub id of unknown size has `unknown`."""
    known, rows = _known_sizes()["sources"], 0
    for part in source:
        if match := sources.HUB.fullmatch(part):
            rows += int(known.get(match["id"], {}).get("rows", unknown))
        else:
            paths = sources.resolve_paths((part,), recipe.sources.folder)
            rows += sum(1 for path in paths for _ in store.read_lines(path))
    return rows


def _measured(run: Run, step: str) -> TokenCount | None:
    """Return what a finished stage of the run has counted."""
    if (record := run.record(step)) is None:
        return None
    types: dict[str, type[StageFacts]] = {
        "pretrain": PretrainFacts, "finetune": FinetuneFacts, "prefer": PreferFacts,
    }  # fmt: skip
    facts = read_facts(record.counts.facts, types[step])
    tokens = float(facts.tokens)
    return TokenCount(f"{step}, done", tokens, tokens, tokens, "measured", f"{run.folder(step)}/step.json")


def _known_sizes() -> KnownSizes:
    sizes: KnownSizes = store.read_json(Path(__file__).with_name("known.json"))
    return sizes


def _known_count(known: KnownSizes, what: str) -> TokenCount:
    low, mid, high = known["value"]
    return TokenCount(what, low, mid, high, known["mark"], known["source"])


def _vocabulary_conversion(
    recipe: Recipe, vocabulary: int, bytes_per_token: float | None
) -> Callable[[TokenCount], TokenCount]:
    """Return what turns a count that was stated for Llama-3's vocabulary into one for another."""
    if bytes_per_token:
        known = _known_sizes()["bytes_per_token"]
        code = languages.load_pack(recipe.language.pack).code
        factor = known.get(code, known["other"])["value"][1] / bytes_per_token
        return lambda count: count.scaled(factor)
    if vocabulary == LLAMA_3:
        return lambda count: count
    return lambda count: count.widened(OTHER_VOCABULARY, "another vocabulary than Llama-3's")


def _with_added_tokens(count: TokenCount, recipe: Recipe, run: Run) -> TokenCount:
    """Reduce a count of the taught language by what added tokens save: measured, or as others found."""
    added = recipe.student.added_tokens
    if not added:
        return count
    if record := run.record("base"):
        facts = read_facts(record.counts.facts, BaseFacts)
        if facts.extended:
            code = languages.load_pack(recipe.language.pack).code
            before, after = (one.tokenizer[code].tokens_per_word for one in (facts, facts.extended))
            return count.scaled(after / before)
    known = _known_sizes()["new_tokens"]
    part = min(1.0, math.log2(1 + added) / math.log2(1 + known["tokens"]))
    return count.widened([1 - part * (1 - left) for left in known["value"]], known["source"])


def _corpus_counts(recipe: Recipe) -> Iterator[TokenCount]:
    """Yield the tokens of each source of the corpus."""
    pack = languages.load_pack(recipe.language.pack)
    sizes, cap = _known_sizes(), recipe.corpus.max_chars_per_source
    bytes_per_token = sizes["bytes_per_token"]
    per_token = _known_count(bytes_per_token.get(pack.code, bytes_per_token["other"]), "bytes a token")

    def from_bytes(what: str, size: float, mark: str, source: str) -> TokenCount:
        low, mid, high = (size / end for end in (per_token.high, per_token.mid, per_token.low))
        return TokenCount(what, low, mid, high, mark, f"{source}; {per_token.source}")

    for part in recipe.corpus.source:
        if match := sources.HUB.fullmatch(part):
            name = match["id"] + (f":{match['config']}" if match["config"] else "")
            known = sizes["sources"].get(name, {})
            if "tokens" in known:
                stated = {"value": known["tokens"], "mark": "shipped", "source": known["source"]}
                count = _known_count(stated, name)
            else:
                cut = SLICE.search(match["split"] or "")
                documents = int(cut[1]) if cut else known.get("documents", recipe.corpus.max_documents)
                what = f"{name}: {documents:,} documents"
                count = _known_count(sizes["tokens_a_document"], name).scaled(documents, what)
        else:
            files = [pack.folder / "demo" / "articles.jsonl"]
            if part != "pack":
                files = list(sources.resolve_paths((part,), recipe.sources.folder))
            total = 0
            for path in files:
                with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
                    total += file.seek(0, io.SEEK_END)
            count = from_bytes(part, total, "measured", f"{len(files)} files here")
        if cap:
            size = cap * sizes["bytes_per_character"].get(pack.code, 2.0)
            count = count.capped(from_bytes(count.what, size, "assumed", "corpus.max_chars_per_source"))
        yield count
