"""Stage 2: instruction tuning on the blend, with the loss on the answer only, unless the recipe wants the original's.

runs/NAME/finetune/adapter/         stage 1's adapter, trained on; or it and a new one as one adapter of the sum of both ranks
runs/NAME/finetune/dropped.jsonl    rows longer than a packed row: a row is never cut, its answer would lose its end

<|start|> … ### Instruction: … ### Response:     no loss
H2O <|end|>                                      loss, the end included
"""

from __future__ import annotations

import sys

from transformers import PreTrainedTokenizerBase

from alif import recipe, store
from alif.errors import DataError
from alif.language import pack as languages
from alif.records import Counts, Dropped, Example
from alif.runs import Given
from alif.student import adapter as adapters
from alif.student import encode_answer, encode_prompt, ranks, write_prompt
from alif.student.base import Bare, open_base
from alif.student.device import place
from alif.student.prompts import Template, choose
from alif.train.looks import Looks, answers
from alif.train.packs import Piece
from alif.train.stage import arrange, check_length, work
from alif.train.texts import held_out_rows, training_rows

__all__ = ["piece", "train"]


def train(given: Given, language: recipe.Language, adapter: recipe.Adapter, finetune: recipe.Finetune) -> Counts:
    """Do the step. `adapter` stands in stage 1's adapter already, unless finetune.start is "merged".

    Raises:
        DataError: the blend has no training row, or none that fits a packed row.
        ModelError: base or adapter is missing or another one; the loss is not a number.
    """
    where = place(given.runtime)
    bare = open_base(given.needs["base"], where, training=True)
    check_length(bare, "finetune", finetune)
    examples = training_rows(given.needs["blend"], Example)
    found = [(example, piece(example, finetune.template, bare.tokenizer, finetune.loss)) for example in examples]
    longest = finetune.tokens_per_row if finetune.layout == "packed" else sys.maxsize  # padded rows are cut off
    dropped = [_too_long(example, row, finetune) for example, row in found if len(row.tokens) > longest]
    fitting = [row for _, row in found if len(row.tokens) <= longest]
    store.write_rows(given.folder / "dropped.jsonl", (row.record() for row in dropped))
    if not fitting:
        raise DataError(
            f"{given.needs['blend']}: no training row of at most {finetune.tokens_per_row} tokens among {len(examples)}",
            "Raise finetune.tokens_per_row, or blend more rows.",
        )
    packs = arrange(fitting, finetune, bare.tokenizer.eos_token_id)
    before = given.needs["pretrain"] / "adapter"
    wrapped = adapters.restore(bare.model, before)
    start = store.digest(before)
    if finetune.start == "merged":
        wrapped = adapters.wrap(wrapped.merge_and_unload(), adapter)
        start += adapter.model_dump_json()
    looks = _looks(given, language, finetune, bare) if finetune.look_steps else None
    facts = work(given, bare.base, wrapped, packs, finetune, where=where, start=start, looks=looks)
    if finetune.start == "merged" and ranks.first():
        adapters.join(before, given.folder / "adapter")
    return Counts.of(len(fitting), dropped, template=choose(finetune.template, bare.tokenizer), **facts)


def _looks(given: Given, language: recipe.Language, finetune: recipe.Finetune, bare: Bare) -> Looks:
    rows = [(row, piece(row, finetune.template, bare.tokenizer)) for row in held_out_rows(given.needs["blend"], Example)]
    return answers(rows, languages.load(language.pack).code, finetune, finetune.template, bare.tokenizer)


def piece(example: Example, template: Template, tokenizer: PreTrainedTokenizerBase, loss: str = "answer") -> Piece:
    """Return a row in tokens: the prompt, which carries no loss unless that is on "all", and the answer with its end."""
    prompt = encode_prompt(write_prompt(example.instruction, example.input, template, tokenizer), tokenizer)
    answer = encode_answer(example.instruction, example.input, example.output, template, tokenizer)
    return Piece(example.id, (*prompt, *answer), silent=len(prompt) if loss == "answer" else 1)


def _too_long(example: Example, piece: Piece, finetune: recipe.Finetune) -> Dropped:
    evidence = f"{len(piece.tokens)} tokens, a row has {finetune.tokens_per_row}"
    return Dropped(row=example, reason="longer_than_row", evidence=evidence)
