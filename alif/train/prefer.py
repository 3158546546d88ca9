"""Stage 3: of two answers to a prompt the preferred one becomes the likelier, by ORPO or DPO.

runs/NAME/prefer/adapter/         stage 2's adapter, trained further; after DPO combined with a new one
runs/NAME/prefer/dropped.jsonl    pairs longer than a row

ORPO needs no reference. DPO's is the model of stage 2: its adapter is merged into the base and a new one put
on that, so that the new adapter switched off is the reference. Either runs on one GPU with one model.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from transformers import PreTrainedTokenizerBase

from alif import settings, store
from alif.errors import DataError
from alif.facts.training_facts import PreferFacts
from alif.language import pack as languages
from alif.records import Dropped, Example, PreferencePair
from alif.runs import StepContext, curves
from alif.runs.splits import heldout_rows
from alif.student import adapter as adapters
from alif.student import distributed
from alif.student.base import open_base
from alif.student.chat_template import Template
from alif.student.device import setup_torch
from alif.train.finetune import encode_example
from alif.train.heldout_eval import heldout_answers
from alif.train.packing import Segment, fill_rows, fit_rows
from alif.train.preference_loss import PreferenceLossModel
from alif.train.stage import continue_adapter, train_stage
from alif.train.student_check import check_length

__all__ = ["encode_pair", "train_prefer"]


def train_prefer(
    context: StepContext,
    language: settings.Language,
    adapter: settings.Adapter,
    finetune: settings.Finetune,
    prefer: settings.Prefer,
) -> PreferFacts:
    """Run the step.

    Raises:
        DataError: no pair fits a row.
        ModelError: base or adapter is missing or another one; the loss is not a number.
    """
    device, template = setup_torch(context.runtime), finetune.prompt_template
    base = open_base(context.inputs["base"], device, training=True)
    check_length(base.base.base, base.model.config, "prefer", prefer)
    pairs, length = _encode_pairs(context, prefer, template, base.tokenizer), prefer.max_seq_length
    rows = fit_rows(pairs, length) if prefer.packing == "packed" else pairs
    dataset = fill_rows(rows, length, base.tokenizer.eos_token_id)
    before, merged, heldout = context.inputs["finetune"] / "adapter", prefer.loss == "dpo", None
    model, start = continue_adapter(base, before, adapter, merged=merged)
    if prefer.eval_steps:
        taught = languages.load_pack(language.pack).code
        answers = heldout_rows(context.inputs["blend"], Example)
        heldout = heldout_answers(answers, taught, prefer, base, template)
    facts = train_stage(
        context,
        base.base,
        model,
        dataset,
        prefer,
        device=device,
        start=start,
        heldout=heldout,
        learner=partial(PreferenceLossModel, prefer=prefer),
    )
    if merged and distributed.is_main_process():
        adapters.combine_adapters(before, context.folder / "adapter")
    points = curves.read_curve(context.scratch / curves.CURVE, facts.steps)
    last = points[-max(1, len(points) // 10) :]
    return PreferFacts(
        loss=prefer.loss,
        pairs=len(pairs),
        first_margin=points[0]["margin"] if points else None,
        last_margin=sum(point["margin"] for point in last) / len(last) if last else None,
        preferred=sum(point["preferred"] for point in last) / len(last) if last else None,
        **facts.model_dump(),
    )


def _encode_pairs(
    context: StepContext, prefer: settings.Prefer, template: Template, tokenizer: PreTrainedTokenizerBase
) -> list[tuple[Segment, Segment]]:
    """Return the pairs in tokens, without those longer than a row."""
    found: list[tuple[Segment, Segment]] = []
    context.output.require("dropped.jsonl")
    rows = list(store.read_models(context.inputs["pairs"] / "examples.jsonl", PreferencePair))
    for pair in context.output.read(rows):
        both = encode_pair(pair, template, tokenizer)
        size = sum(len(one.tokens) for one in both)
        if size > prefer.max_seq_length:
            evidence = f"{size} tokens, a row has {prefer.max_seq_length}"
            context.output.drop(Dropped(row=pair, reason="too_many_tokens", evidence=evidence))
        else:
            context.output.keep(None)
            found.append(both)
    if not found:
        raise DataError(
            f"{context.inputs['pairs']}: no pair of at most {prefer.max_seq_length} tokens among {len(rows)}",
            "Raise prefer.max_seq_length, or name more pairs in pairs.source.",
        )
    return found


def encode_pair(
    pair: PreferencePair, template: Template, tokenizer: PreTrainedTokenizerBase
) -> tuple[Segment, Segment]:
    """Return the chosen and the rejected text of a pair, with labels on the last answer and its end."""
    either = (
        encode_example(pair.model_copy(update={"output": answer}), template, tokenizer)
        for answer in (pair.output, pair.rejected)
    )
    chosen, rejected = (replace(one, labelled=one.labelled[-1:]) for one in either)
    return chosen, rejected
