"""Stage 2: instruction tuning on the blend, with the loss on the answers only.

runs/NAME/finetune/adapter/         stage 1's adapter, trained further; or both stages' combined
runs/NAME/finetune/dropped.jsonl    rows longer than a packed row, which are not truncated

<|start|> … ### Instruction: … ### Response:     no loss
H2O <|end|>                                      loss, the end included; so for every answer of a conversation
"""

from __future__ import annotations

import sys

from transformers import PreTrainedTokenizerBase

from alif import settings
from alif.errors import DataError
from alif.facts.training_facts import FinetuneFacts
from alif.language import pack as languages
from alif.records import Dropped, Example
from alif.runs import StepContext
from alif.runs.splits import heldout_rows, training_rows
from alif.student import adapter as adapters
from alif.student import distributed
from alif.student.base import open_base
from alif.student.chat_template import Template, choose_template, encode_example_parts
from alif.student.device import setup_torch
from alif.train.heldout_eval import heldout_answers
from alif.train.packing import Segment
from alif.train.stage import continue_adapter, pack_rows, train_stage
from alif.train.student_check import check_length

__all__ = ["encode_example", "train_finetune"]


def train_finetune(
    context: StepContext, language: settings.Language, adapter: settings.Adapter, finetune: settings.Finetune
) -> FinetuneFacts:
    """Run the step. `adapter` is stage 1's already, unless finetune.init_from is "merged".

    Raises:
        DataError: the blend has no training row, or none that fits a packed row.
        ModelError: base or adapter is missing or another one; the loss is not a number.
    """
    device = setup_torch(context.runtime)
    base = open_base(context.inputs["base"], device, training=True)
    check_length(base.base.base, base.model.config, "finetune", finetune)
    longest = finetune.max_seq_length if finetune.packing == "packed" else sys.maxsize  # padded rows are cut
    segments: list[Segment] = []
    context.output.require("dropped.jsonl")
    examples = training_rows(context.inputs["blend"], Example)
    for example in context.output.read(examples):
        segment = encode_example(example, finetune.prompt_template, base.tokenizer, finetune.loss_on)
        if len(segment.tokens) > longest:
            evidence = f"{len(segment.tokens)} tokens, a row has {finetune.max_seq_length}"
            context.output.drop(Dropped(row=example, reason="too_many_tokens", evidence=evidence))
        else:
            context.output.keep(None)
            segments.append(segment)
    if not segments:
        raise DataError(
            f"{context.inputs['blend']}: no training row of at most {finetune.max_seq_length} tokens "
            f"among {len(examples)}",
            "Raise finetune.max_seq_length, or blend more rows.",
        )
    dataset = pack_rows(segments, finetune, base.tokenizer.eos_token_id)
    merged, heldout = finetune.init_from == "merged", None
    before = context.inputs["pretrain"] / "adapter"
    model, start = continue_adapter(base, before, adapter, merged=merged)
    if finetune.eval_steps:
        taught = languages.load_pack(language.pack).code
        rows, template = heldout_rows(context.inputs["blend"], Example), finetune.prompt_template
        heldout = heldout_answers(rows, taught, finetune, base, template)
    facts = train_stage(
        context, base.base, model, dataset, finetune, device=device, start=start, heldout=heldout
    )
    if merged and distributed.is_main_process():
        adapters.combine_adapters(before, context.folder / "adapter")
    template = choose_template(finetune.prompt_template, base.tokenizer)
    return FinetuneFacts(template=template, **facts.model_dump())


def encode_example(
    example: Example, template: Template, tokenizer: PreTrainedTokenizerBase, loss_on: str = "answer"
) -> Segment:
    """Return a row in tokens; loss is on each answer with its end, or on "all"."""
    tokens: list[int] = []
    labelled: list[tuple[int, int]] = []
    for part, is_answer in encode_example_parts(example, template, tokenizer):
        if is_answer:
            labelled.append((len(tokens), len(tokens) + len(part)))
        tokens += part
    return Segment(example.id, tokens, labelled if loss_on == "answer" else ((1, len(tokens)),))
