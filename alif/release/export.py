"""Step `export`: base and adapter become one plain model folder that any library opens.

    base + finetune/adapter ─▶ merged in float32 ─▶ cast once to export.dtype ─▶ model/ ─▶ opened again, logits compared

The adapter model is the judge: the merged one must answer as it does, and the file must hold what was merged. Both differences
stand in the step's facts. The tokenizer carries the prompt of stage 2 as its chat template, so a server writes the same prompt.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, GenerationConfig, PreTrainedModel, PreTrainedTokenizerBase

from alif import console, store
from alif.errors import ModelError
from alif.recipe import Export
from alif.records import Counts
from alif.runs import StepContext
from alif.student import load_student, merge_adapter
from alif.student.base import friendly_model_errors
from alif.student.chat_template import ALPACA, choose_template, write_prompt
from alif.student.weights import friendly_disk_errors

__all__ = ["export", "prompt_template"]

PROMPTS, PROMPT_TOKENS = 8, 32
"""Texts that are compared, each of so many tokens drawn by lot: no text may tell the models apart, whatever its language."""
TOLERANCE = {"float32": 1e-4, "float16": 1e-2, "bfloat16": 6e-2}
"""Largest accepted difference of a logit, as a share of the largest logit. Merging in float32 errs by about 1e-5; a number in
float16 or bfloat16 is off by up to 2^-11 or 2^-8 of itself, and the layers add that up."""
ANSWER_TOKENS = 256
"""Longest answer in the model's own generation settings."""


def export(context: StepContext, export: Export) -> Counts:
    """Merge, cast, save, open again and compare.

    Raises:
        ModelError: the merged or the saved model answers differently from base + adapter.
    """
    with console.progress_bar("export", 4, "parts") as bar:
        student = load_student(
            context.inputs["base"],
            context.inputs["finetune"] / "adapter",
            context.runtime,
            dtype=torch.float32,
        )
        prompts = _prompts(len(student.tokenizer), student.device)
        asked = _logits(student.model, prompts)
        bar.advance()
        merged = merge_adapter(student)
        merging = _compare(asked, _logits(merged, prompts), "float32", "the merged model")
        bar.advance()
        folder = context.folder / "model"
        _save(merged, student.tokenizer, folder, export, _template(context))
        bar.advance()
        with friendly_model_errors(str(folder)):
            again: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
        again.to(student.device).eval()
        saved = _compare(asked, _logits(again, prompts), export.dtype, "the exported model")
        bar.advance()
    return Counts(
        facts={
            "base": student.base.base,
            "base_revision": student.base.revision,
            "base_digest": student.base.digest,
            "dtype": export.dtype,
            "parameters": sum(parameter.numel() for parameter in again.parameters()),
            "bytes": sum(file.stat().st_size for file in folder.iterdir()),
            "largest_logit": round(float(asked.abs().max()), 4),
            "merging_moved_logits_by": merging,
            "export_moved_logits_by": saved,
            "same_next_token": round(
                float((asked.argmax(-1) == _logits(again, prompts).argmax(-1)).float().mean()), 4
            ),
        }
    )


def prompt_template(template: str, tokenizer: PreTrainedTokenizerBase) -> str:
    """Return the chat template that writes a single question as stage 2 did: the base's own, or Alpaca's headings."""
    if choose_template(template, tokenizer) == "chat":  # type: ignore[arg-type]  # a recipe's value, read back from its record
        return str(tokenizer.chat_template)
    opening_token = write_prompt("", "", "alpaca", tokenizer).removesuffix(ALPACA.format(instruction=""))
    before, after = ALPACA.split("{instruction}")
    question = "{{ messages[-1]['content'] }}"
    return f"{opening_token}{before}{question}{{{{ {after.removesuffix(chr(10))!r} + '\\n' }}}}"


def _template(context: StepContext) -> str:
    """Return finetune.prompt_template as stage 2 was trained: its record is part of what this step needs."""
    record = store.read_json(context.inputs["finetune"] / "step.json")
    return str(record["identity"].get("finetune.prompt_template", "auto"))


def _prompts(vocabulary: int, device: torch.device) -> torch.Tensor:
    """Return token ids of shape (PROMPTS, PROMPT_TOKENS), the same for the same vocabulary."""
    generator = torch.Generator().manual_seed(3407)
    return torch.randint(0, vocabulary, (PROMPTS, PROMPT_TOKENS), generator=generator).to(device)


def _logits(model: Any, prompts: torch.Tensor) -> torch.Tensor:
    """Return float32 logits of shape (prompts, tokens, vocabulary), on the CPU; one prompt at a time bounds the memory."""
    with torch.inference_mode():
        return torch.cat([model(prompt[None]).logits.float().cpu() for prompt in prompts])


def _compare(expected: torch.Tensor, found: torch.Tensor, dtype: str, what: str) -> float:
    """Return the largest difference of a logit; refuse one that rounding cannot explain."""
    difference = float((expected - found).abs().max())
    if not difference <= TOLERANCE[dtype] * float(expected.abs().max()):
        raise ModelError(
            f"{what} answers differently from base + adapter (a logit moved by {difference:.3g})",
            "This base cannot be merged in these numbers: try --set 'export.dtype=\"float32\"', or use base and adapter.",
        )
    return float(f"{difference:.3g}")


def _save(
    merged: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, folder: Path, export: Export, template: str
) -> None:
    """Cast the weights, never the buffers of rotary positions, and write weights, configuration and tokenizer."""
    dtype = getattr(torch, export.dtype)
    for parameter in merged.parameters():
        parameter.data = parameter.data.to(dtype)
    merged.config.dtype = dtype
    merged.generation_config = _generation(merged, tokenizer)
    tokenizer.chat_template = prompt_template(template, tokenizer)
    with friendly_disk_errors(folder):
        merged.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        for file in folder.iterdir():
            file.chmod(0o644)  # safetensors keeps its files to their owner


def _generation(merged: Any, tokenizer: PreTrainedTokenizerBase) -> Any:
    """Return settings for greedy answers that end where the base or its tokenizer says."""
    settings: Any = GenerationConfig
    named = merged.generation_config.eos_token_id
    ends = {tokenizer.eos_token_id, *(named if isinstance(named, list) else [named])} - {None}
    return settings(
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=sorted(ends),
        pad_token_id=tokenizer.eos_token_id if tokenizer.pad_token_id is None else tokenizer.pad_token_id,
        do_sample=False,
        max_new_tokens=ANSWER_TOKENS,
    )
