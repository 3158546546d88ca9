"""Stage 2: instruction tuning on the blend, with the loss on the answer only, unless the recipe wants the original's.

runs/NAME/finetune/adapter/         stage 1's adapter, trained on; or it and a new one as one adapter of the sum of both ranks
runs/NAME/finetune/dropped.jsonl    rows longer than a packed row: a row is never cut, its answer would lose its end

<|start|> … ### Instruction: … ### Response:     no loss
H2O <|end|>                                      loss, the end included
"""

from __future__ import annotations

import sys

from transformers import PreTrainedTokenizerBase

from alif import settings, store
from alif.errors import DataError
from alif.language import pack as languages
from alif.records import Counts, Dropped, Example
from alif.runs import StepContext
from alif.student import adapter as adapters
from alif.student import distributed, encode_answer, encode_prompt, write_prompt
from alif.student.base import LoadedBase, open_base
from alif.student.chat_template import Template, choose_template
from alif.student.device import setup_torch
from alif.train.heldout_eval import HeldOutEval, heldout_answers
from alif.train.packing import Segment
from alif.train.splits import heldout_rows, training_rows
from alif.train.stage import check_length, lay_out_rows, train_stage

__all__ = ["encode_example", "train_finetune"]


def train_finetune(
    context: StepContext, language: settings.Language, adapter: settings.Adapter, finetune: settings.Finetune
) -> Counts:
    """Do the step. `adapter` stands in stage 1's adapter already, unless finetune.init_from is "merged".

    Raises:
        DataError: the blend has no training row, or none that fits a packed row.
        ModelError: base or adapter is missing or another one; the loss is not a number.
    """
    where = setup_torch(context.runtime)
    bare = open_base(context.inputs["base"], where, training=True)
    check_length(bare, "finetune", finetune)
    examples = training_rows(context.inputs["blend"], Example)
    found = [
        (example, encode_example(example, finetune.prompt_template, bare.tokenizer, finetune.loss_on))
        for example in examples
    ]
    longest = (
        finetune.max_seq_length if finetune.packing == "packed" else sys.maxsize
    )  # padded rows are cut off
    dropped = [_too_long(example, row, finetune) for example, row in found if len(row.tokens) > longest]
    fitting = [row for _, row in found if len(row.tokens) <= longest]
    store.write_rows(context.folder / "dropped.jsonl", (row.record() for row in dropped))
    if not fitting:
        raise DataError(
            f"{context.inputs['blend']}: no training row of at most {finetune.max_seq_length} tokens among {len(examples)}",
            "Raise finetune.max_seq_length, or blend more rows.",
        )
    packs = lay_out_rows(fitting, finetune, bare.tokenizer.eos_token_id)
    before = context.inputs["pretrain"] / "adapter"
    wrapped = adapters.load_adapter(bare.model, before)
    start = store.sha256_tree(before)
    if finetune.init_from == "merged":
        wrapped = adapters.add_adapter(wrapped.merge_and_unload(), adapter)
        start += adapter.model_dump_json()
    looks = _looks(context, language, finetune, bare) if finetune.eval_steps else None
    facts = train_stage(context, bare.base, wrapped, packs, finetune, where=where, start=start, looks=looks)
    if finetune.init_from == "merged" and distributed.is_main_process():
        adapters.combine_adapters(before, context.folder / "adapter")
    return Counts.of(
        len(fitting), dropped, template=choose_template(finetune.prompt_template, bare.tokenizer), **facts
    )


def _looks(
    context: StepContext, language: settings.Language, finetune: settings.Finetune, bare: LoadedBase
) -> HeldOutEval:
    rows = [
        (row, encode_example(row, finetune.prompt_template, bare.tokenizer))
        for row in heldout_rows(context.inputs["blend"], Example)
    ]
    return heldout_answers(
        rows, languages.load_pack(language.pack).code, finetune, finetune.prompt_template, bare.tokenizer
    )


def encode_example(
    example: Example, template: Template, tokenizer: PreTrainedTokenizerBase, loss: str = "answer"
) -> Segment:
    """Return a row in tokens: the prompt, which carries no loss unless that is on "all", and the answer with its end."""
    prompt = encode_prompt(write_prompt(example.instruction, example.input, template, tokenizer), tokenizer)
    answer = encode_answer(example.instruction, example.input, example.output, template, tokenizer)
    return Segment(example.id, (*prompt, *answer), silent=len(prompt) if loss == "answer" else 1)


def _too_long(example: Example, piece: Segment, finetune: settings.Finetune) -> Dropped:
    evidence = f"{len(piece.tokens)} tokens, a row has {finetune.max_seq_length}"
    return Dropped(row=example, reason="too_many_tokens", evidence=evidence)
