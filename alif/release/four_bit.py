"""The exported model in four bits for transformers and vLLM: bitsandbytes' NF4, the form of QLoRA's bases.

Embeddings and head keep 16 bits. The numbers of bits are written into the file, so it opens as it is, on a
GPU or a CPU.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig

from alif.errors import MissingExtra
from alif.facts.release_facts import FormChecks
from alif.release.export import sample_logits, save_tokenizer
from alif.student.published import NO_CODE
from alif.student.weights import friendly_disk_errors, friendly_model_errors

__all__ = ["export_four_bit"]


def export_four_bit(model_folder: Path, folder: Path) -> FormChecks:
    """Write the model of `model_folder` in NF4 to `folder`; return how near it is, and what made it.

    Raises:
        MissingExtra: bitsandbytes is not installed.
    """
    if importlib.util.find_spec("bitsandbytes") is None:
        raise MissingExtra("four bits", "low-memory")
    config: Any = BitsAndBytesConfig
    settings = config(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )
    load: Any = AutoModelForCausalLM.from_pretrained
    tokenizer: Any = AutoTokenizer.from_pretrained(model_folder, **NO_CODE)
    with friendly_model_errors(str(model_folder)):
        whole = load(model_folder, dtype=torch.float32, **NO_CODE)
        expected = sample_logits(whole.eval(), len(tokenizer))
        del whole  # two models would not fit where one does
        small = load(model_folder, dtype=torch.bfloat16, quantization_config=settings, **NO_CODE)
    with friendly_disk_errors(folder):
        small.save_pretrained(folder)
        save_tokenizer(tokenizer, folder)
    del small
    with friendly_model_errors(str(folder)):
        again = load(folder, **NO_CODE)
    found = sample_logits(again.eval(), len(tokenizer))
    return FormChecks(
        same_next_token=round(float((expected.argmax(-1) == found.argmax(-1)).float().mean()), 4),
        made_by=f"bitsandbytes {importlib.metadata.version('bitsandbytes')}, NF4",
    )
