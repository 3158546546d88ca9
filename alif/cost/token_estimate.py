"""How many tokens a stage will see, before anything is fetched: as a range, with where each number is from.

measured    counted in this run's finished steps, or in files that lie here
shipped     a published set's size, from known.json
assumed     what is told nowhere: the mean length of a row, the vocabulary of another base
"""

from __future__ import annotations

import gzip
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alif import sources, store
from alif.language import pack as languages
from alif.runs import Run
from alif.settings import Recipe

__all__ = ["TokenCount", "finetune_tokens", "pretrain_tokens"]

OTHER_VOCABULARY = (0.9, 1.0, 1.3)
"""Tokens of another vocabulary than Llama-3's for the same text. Assumed."""
LLAMA_3 = 128_256
SLICE = re.compile(r"\[:(\d+)\]$")


@dataclass(frozen=True)
class TokenCount:
    """A number that is not known exactly: low, most likely, high."""

    what: str
    low: float
    mid: float
    high: float
    mark: str
    source: str

    def times(self, factor: float, what: str = "") -> TokenCount:
        return TokenCount(
            what or self.what,
            self.low * factor,
            self.mid * factor,
            self.high * factor,
            self.mark,
            self.source,
        )

    def widened(self, factors: Sequence[float], note: str) -> TokenCount:
        """Return the amount times a factor that is itself a range."""
        low, mid, high = (
            end * factor for end, factor in zip((self.low, self.mid, self.high), factors, strict=True)
        )
        return TokenCount(self.what, low, mid, high, "assumed", f"{self.source}; {note}")

    def at_most(self, cap: TokenCount) -> TokenCount:
        """Return the smaller of the two, end by end."""
        low, mid, high = min(self.low, cap.low), min(self.mid, cap.mid), min(self.high, cap.high)
        return (
            self
            if high == self.high
            else TokenCount(self.what, low, mid, high, cap.mark, f"{self.source}; {cap.source}")
        )

    def told(self) -> dict[str, Any]:
        return {
            "what": self.what,
            "low": self.low,
            "mid": self.mid,
            "high": self.high,
            "mark": self.mark,
            "source": self.source,
        }


def pretrain_tokens(recipe: Recipe, run: Run, vocabulary: int) -> list[TokenCount]:
    """Return the tokens of stage 1 by source, all epochs and replay in them; they are summed for the stage."""
    if done := _done(run, "pretrain"):
        return [done]
    whole = recipe.pretrain.epochs * (1 - recipe.corpus.heldout_share) / (1 - recipe.pretrain.replay)
    return [_fewer(_other(amount.times(whole), vocabulary), recipe, run) for amount in _texts(recipe)]


def finetune_tokens(recipe: Recipe, run: Run, vocabulary: int) -> list[TokenCount]:
    """Return the tokens of stage 2 by part of the mixture, all epochs in them."""
    if done := _done(run, "finetune"):
        return [done]
    whole = recipe.finetune.epochs * (1 - recipe.split.validation_share)
    a_row = _fact(_facts()["tokens_a_row"], "tokens a row")
    if (record := run.record("blend")) is not None:
        rows = record.counts.kept
        return [_fewer(_other(a_row.times(rows * whole, f"blend: {rows:,} rows"), vocabulary), recipe, run)]
    found = {
        name: a_row.times(rows * whole, f"{name}: {rows:,} rows") for name, rows in _rows(recipe) if rows
    }
    told = {name: _other(amount, vocabulary) for name, amount in found.items()}
    return [amount if name == "replay" else _fewer(amount, recipe, run) for name, amount in told.items()]


def _facts() -> Any:
    return store.read_json(Path(__file__).with_name("known.json"))


def _fact(fact: Mapping[str, Any], what: str) -> TokenCount:
    low, mid, high = fact["value"]
    return TokenCount(what, low, mid, high, fact["mark"], fact["source"])


def _done(run: Run, step: str) -> TokenCount | None:
    record = run.record(step)
    if record is None:
        return None
    tokens = float(record.counts.facts["tokens"])  # type: ignore[arg-type]
    return TokenCount(f"{step}, done", tokens, tokens, tokens, "measured", f"{run.folder(step)}/step.json")


def _other(amount: TokenCount, vocabulary: int) -> TokenCount:
    """Widen an amount that was told for Llama-3's vocabulary and is for another one."""
    if vocabulary == LLAMA_3:
        return amount
    return amount.widened(OTHER_VOCABULARY, "another vocabulary than Llama-3's")


def _fewer(amount: TokenCount, recipe: Recipe, run: Run) -> TokenCount:
    """Shrink an amount of the taught language by what its new tokens save: as this run's base counted, or as others did."""
    if not recipe.student.added_tokens:
        return amount
    record = run.record("base")
    facts: Mapping[str, Any] = record.counts.facts if record else {}
    if "extended" in facts:
        code = languages.load_pack(recipe.language.pack).code
        before, after = (told["tokenizer"][code]["tokens_per_word"] for told in (facts, facts["extended"]))
        return amount.times(after / before)
    fact = _facts()["new_tokens"]
    part = min(1.0, math.log2(1 + recipe.student.added_tokens) / math.log2(1 + fact["tokens"]))
    return amount.widened([1 - part * (1 - left) for left in fact["value"]], fact["source"])


def _texts(recipe: Recipe) -> Iterator[TokenCount]:
    code = languages.load_pack(recipe.language.pack).code
    facts = _facts()
    per_token = _fact(facts["bytes_per_token"].get(code, facts["bytes_per_token"]["other"]), "bytes a token")
    for part in recipe.corpus.source:
        amount = _text(part, recipe, facts, per_token)
        if recipe.corpus.max_chars_per_source:
            size = recipe.corpus.max_chars_per_source * facts["bytes_per_character"].get(code, 2.0)
            amount = amount.at_most(
                _tokens(amount.what, size, per_token, "assumed", "corpus.max_chars_per_source")
            )
        yield amount


def _text(part: str, recipe: Recipe, facts: Mapping[str, Any], per_token: TokenCount) -> TokenCount:
    if match := sources.HUB.fullmatch(part):
        name = match["id"] + (f":{match['config']}" if match["config"] else "")
        known = facts["sources"].get(name, {})
        if "tokens" in known:
            return _fact({"value": known["tokens"], "mark": "shipped", "source": known["source"]}, name)
        cut = SLICE.search(match["split"] or "")
        documents = int(cut[1]) if cut else known.get("documents", recipe.corpus.max_documents)
        return _fact(facts["tokens_a_document"], name).times(documents, f"{name}: {documents:,} documents")
    folder = languages.load_pack(recipe.language.pack).folder
    files = (
        [folder / "demo" / "articles.jsonl"]
        if part == "pack"
        else sources.resolve_paths((part,), recipe.sources.folder)
    )
    return _tokens(
        part, sum(_bytes(path) for path in files), per_token, "measured", f"{len(files)} files here"
    )


def _tokens(what: str, size: float, per_token: TokenCount, mark: str, source: str) -> TokenCount:
    return TokenCount(
        what,
        size / per_token.high,
        size / per_token.mid,
        size / per_token.low,
        mark,
        f"{source}; {per_token.source}",
    )


def _bytes(path: Path) -> int:
    """Return the unpacked size of a file."""
    if path.suffix != ".gz":
        return path.stat().st_size
    with gzip.open(path, "rb") as file:
        return sum(len(block) for block in iter(lambda: file.read(1 << 20), b""))


def _rows(recipe: Recipe) -> Iterator[tuple[str, int]]:
    """Yield (part, rows) of the mixture; what no size is known of counts as what the recipe asks for."""
    steps = {
        "generate": recipe.generate.target_rows,
        "translate": recipe.translate.rows,
        "replay": recipe.replay.rows,
    }
    facts = _facts()["sources"]
    for name, part in recipe.blend.items():
        there = 0 if part.source else steps.get(name, 0)
        for source in part.source:
            match = sources.HUB.fullmatch(source)
            there += (
                int(facts.get(match["id"], {}).get("rows", part.rows)) if match else _lines(source, recipe)
            )
        yield name, min(part.rows, there) if part.rows else there


def _lines(source: str, recipe: Recipe) -> int:
    return sum(
        1 for path in sources.resolve_paths((source,), recipe.sources.folder) for _ in store.read_lines(path)
    )
