"""Step `base`: make the tiny base model from nothing, or record a published one.

    runs/NAME/base/base.json    what it is: name, commit, parameters, digest
    runs/NAME/base/model/       config, weights, tokenizer: for "tiny", a GGUF file and student.added_tokens

The tiny base reads the source language only, with the packer and the trainer of stage 1, so that the run has
what a real one has: a model that knows one language, and something to forget.
"""

from __future__ import annotations

from collections.abc import Sequence

from transformers import AutoTokenizer, PreTrainedTokenizerBase

from alif import console, settings, store
from alif.errors import DataError
from alif.facts.training_facts import BaseFacts, FertilityFacts, TrainingFacts
from alif.language import pack as languages
from alif.records import Document
from alif.runs import StepContext
from alif.runs.splits import training_rows
from alif.settings import Stage
from alif.student import base as bases
from alif.student import encode_documents, fertility
from alif.student import tiny as tinies
from alif.student.base import Base
from alif.student.chat_template import ALPACA, ALPACA_INPUT
from alif.student.device import DeviceConfig, setup_torch
from alif.student.published import NO_CODE
from alif.student.weights import friendly_disk_errors
from alif.train.packing import pack_segments, split_segments
from alif.train.trainer import checkpoint_key, fit_model

__all__ = ["prepare_base"]

WEIGHT_DECAY = 0.1
"""Of the tiny base. Source: GPT-3, arXiv 2005.14165, appendix B."""
WARMUP_STEPS = 20
TEMPLATE_COPIES = 16
"""How often the tokenizer is shown the prompts' headings: they are in every row of stage 2, and should cost
few tokens."""


def prepare_base(
    context: StepContext, language: settings.Language, student: settings.StudentSettings, tiny: settings.Tiny
) -> BaseFacts:
    """Run the step.

    Raises:
        ModelError: a published base that cannot be found, opened or used.
        DataError: the corpus has no document of the source language to train the tiny base on.
    """
    device = setup_torch(context.runtime)
    documents = training_rows(context.inputs["corpus"], Document)
    taught, source = languages.load_pack(language.pack), languages.load_pack(language.source)
    texts = {
        pack: [document.text for document in documents if document.language == pack.code]
        for pack in (taught, source)
    }
    training, folder = None, context.folder / "model"
    if student.base == bases.TINY:
        known = [document for document in documents if document.language == source.code]
        if not known:
            raise DataError(
                f"{context.inputs['corpus']}: no training document of the source language, {source.code}",
                "The tiny base is trained on them: name some in corpus.source_language_files.",
            )
        for _ in context.output.read(known):
            context.output.keep(None)
        base, tokenizer, training = _train_tiny(context, tiny, documents, known, device)
    else:
        base = bases.record_base(student, folder)
        tokenizer = bases.load_tokenizer(base, folder)
    size = len(tokenizer) if training else None
    fitness = fertility.compare_fertility(tokenizer, texts)
    extended: FertilityFacts | None = None
    if student.added_tokens:
        base = bases.extend_base(base, texts[taught], student.added_tokens, folder)
        tokenizer = AutoTokenizer.from_pretrained(folder, **NO_CODE)
        extended, size = fertility.compare_fertility(tokenizer, texts), len(tokenizer)
        console.log(f"base: {size:,} tokens with the added ones, in {folder.parent.name}/{folder.name}")
    base = base.model_copy(update={"quantise": student.quantization})
    store.write_json(context.folder / "base.json", base.model_dump(mode="json"))
    console.log(f"base: {base.base}, {base.parameters:,} parameters")
    return BaseFacts(
        **base.model_dump(), **fitness.model_dump(), vocabulary=size, extended=extended, training=training
    )


def _train_tiny(
    context: StepContext,
    tiny: settings.Tiny,
    documents: Sequence[Document],
    known: Sequence[Document],
    device: DeviceConfig,
) -> tuple[Base, PreTrainedTokenizerBase, TrainingFacts]:
    """Train a tokenizer on `documents` and a model on the `known` ones; write both to `model/`."""
    texts = [document.text for document in documents]
    tokenizer = tinies.train_tokenizer([*texts, *(ALPACA, ALPACA_INPUT) * TEMPLATE_COPIES], tiny.vocabulary)
    model = tinies.build_tiny(tiny, tokenizer)
    encoded = encode_documents([document.text for document in known], tokenizer)
    segments = [
        segment
        for document, tokens in zip(known, encoded, strict=True)
        for segment in split_segments(document.id, tokens, tiny.max_seq_length)
    ]
    dataset = pack_segments(segments, tiny.max_seq_length, tokenizer.eos_token_id)
    stage = Stage(
        epochs=tiny.epochs,
        lr=tiny.lr,
        embedding_lr=tiny.lr,
        weight_decay=WEIGHT_DECAY,
        warmup_steps=WARMUP_STEPS,
        max_seq_length=tiny.max_seq_length,
        batch_size=tiny.batch_size,
        micro_batch_size=tiny.batch_size,
        seed=tiny.seed,
    )
    key = checkpoint_key(dataset, tiny, start="nothing")
    training = fit_model(model, dataset, stage, context, device=device, key=key)
    folder = context.folder / "model"
    with friendly_disk_errors(folder):
        model.cpu().save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    base = Base(base=bases.TINY, parameters=model.num_parameters(), digest=store.sha256_tree(folder))
    return base, tokenizer, training
