"""Stage 2: instruction tuning on the blend, with the loss on the answer only.

runs/NAME/finetune/adapter/         stage 1's adapter, trained on
runs/NAME/finetune/dropped.jsonl    rows longer than a packed row: a row is never cut, its answer would lose its end

<|start|> … ### Instruction: … ### Response:     no loss
H2O <|end|>                                      loss, the end included
"""

from __future__ import annotations

from transformers import PreTrainedTokenizerBase

from alif import recipe, store
from alif.errors import DataError
from alif.records import Counts, Dropped, Example
from alif.runs import Given
from alif.student import adapter as adapters
from alif.student import encode_answer, encode_prompt, write_prompt
from alif.student.base import open_base
from alif.student.device import place
from alif.student.prompts import Template, choose
from alif.train.packs import Piece, pack
from alif.train.stage import check_length, work
from alif.train.texts import training_rows

__all__ = ["piece", "train"]


def train(given: Given, adapter: recipe.Adapter, finetune: recipe.Finetune) -> Counts:
    """Do the step. `adapter` stands in stage 1's adapter already; it is read so that it counts in this step's identity.

    Raises:
        DataError: the blend has no training row, or none that fits a packed row.
        ModelError: base or adapter is missing or another one; the loss is not a number.
    """
    where = place(given.runtime)
    bare = open_base(given.needs["base"], where)
    check_length(bare, "finetune", finetune)
    examples = training_rows(given.needs["blend"], Example)
    found = [(example, piece(example, finetune.template, bare.tokenizer)) for example in examples]
    dropped = [_too_long(example, row, finetune) for example, row in found if len(row.tokens) > finetune.tokens_per_row]
    fitting = [row for _, row in found if len(row.tokens) <= finetune.tokens_per_row]
    store.write_rows(given.folder / "dropped.jsonl", (row.record() for row in dropped))
    if not fitting:
        raise DataError(
            f"{given.needs['blend']}: no training row of at most {finetune.tokens_per_row} tokens among {len(examples)}",
            "Raise finetune.tokens_per_row, or blend more rows.",
        )
    packs = pack(fitting, finetune.tokens_per_row, bare.tokenizer.eos_token_id)
    before = given.needs["pretrain"] / "adapter"
    wrapped = adapters.restore(bare.model, before)
    facts = work(given, bare.base, wrapped, packs, finetune, where=where, start=store.digest(before))
    return Counts.of(len(fitting), dropped, template=choose(finetune.template, bare.tokenizer), **facts)


def piece(example: Example, template: Template, tokenizer: PreTrainedTokenizerBase) -> Piece:
    """Return a row in tokens: the prompt, which carries no loss, and the answer with its end, which does."""
    prompt = encode_prompt(write_prompt(example.instruction, example.input, template, tokenizer), tokenizer)
    answer = encode_answer(example.instruction, example.input, example.output, template, tokenizer)
    return Piece(example.id, (*prompt, *answer), silent=len(prompt))


def _too_long(example: Example, piece: Piece, finetune: recipe.Finetune) -> Dropped:
    evidence = f"{len(piece.tokens)} tokens, a row has {finetune.tokens_per_row}"
    return Dropped(row=example, reason="longer_than_row", evidence=evidence)
