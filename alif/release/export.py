"""Step `export`: base and adapter become one plain model folder that any library opens.

    base + finetune/adapter ─▶ merge in float32 ─▶ cast to export.dtype ─▶ model/ ─▶ load again, compare
    logits

The merged model must give the logits of base + adapter, and the saved file those of the merged model; both
differences are in the step's facts. The tokenizer carries the prompt of stage 2 as its chat template, so a
server writes the same prompt, and generation_config.json has the end tokens that chat and evaluation use.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, GenerationConfig, PreTrainedModel, PreTrainedTokenizerBase

from alif import console, store
from alif.errors import ModelError
from alif.facts import read_facts
from alif.facts.release_facts import ExportFacts
from alif.facts.training_facts import FinetuneFacts
from alif.runs import StepContext, StepRecord
from alif.settings import Export
from alif.student import load_student, merge_adapter
from alif.student.chat_template import ALPACA_PREAMBLE, opening_token
from alif.student.text_generation import end_tokens
from alif.student.weights import friendly_disk_errors, friendly_model_errors

__all__ = ["alpaca_chat_template", "export"]

PROMPTS, PROMPT_TOKENS = 8, 32
"""Random token sequences that are compared, and their length: no text, so that no language is favoured."""
TOLERANCE = {"float32": 1e-4, "float16": 1e-2, "bfloat16": 6e-2}
"""Largest accepted difference of a logit, as a share of the largest logit. Merging in float32 errs by about
1e-5; rounding to float16 or bfloat16 errs by up to 2^-11 or 2^-8, summed over the layers."""


def export(context: StepContext, export: Export) -> ExportFacts:
    """Merge, cast, save, load again and compare.

    Raises:
        ModelError: the merged or the saved model gives other logits than base + adapter.
    """
    with console.progress_bar("export", 4, "parts") as bar:
        student = load_student(
            context.inputs["base"],
            context.inputs["finetune"] / "adapter",
            context.runtime,
            dtype=torch.float32,
        )
        tokenizer, device = student.tokenizer, student.device
        generator = torch.Generator().manual_seed(3407)
        prompts = torch.randint(0, len(tokenizer), (PROMPTS, PROMPT_TOKENS), generator=generator).to(device)
        expected = _logits(student.model, prompts)
        bar.advance()
        merged = merge_adapter(student)
        merging = _compare(expected, _logits(merged, prompts), "float32", "the merged model")
        bar.advance()
        folder = context.folder / "model"
        record = StepRecord.model_validate(store.read_json(context.inputs["finetune"] / "step.json"))
        if read_facts(record.counts.facts, FinetuneFacts).template == "alpaca":
            tokenizer.chat_template = alpaca_chat_template(tokenizer)
        _save(merged, tokenizer, folder, getattr(torch, export.dtype))
        bar.advance()
        with friendly_model_errors(str(folder)):
            loaded: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
        found = _logits(loaded.to(device).eval(), prompts)
        saved = _compare(expected, found, export.dtype, "the exported model")
        bar.advance()
    return ExportFacts(
        base=student.base.base,
        base_revision=student.base.revision,
        base_digest=student.base.digest,
        dtype=export.dtype,
        parameters=sum(parameter.numel() for parameter in loaded.parameters()),
        bytes=sum(file.stat().st_size for file in folder.iterdir()),
        largest_logit=round(float(expected.abs().max()), 4),
        merging_moved_logits_by=merging,
        export_moved_logits_by=saved,
        same_next_token=round(float((expected.argmax(-1) == found.argmax(-1)).float().mean()), 4),
    )


def alpaca_chat_template(tokenizer: PreTrainedTokenizerBase) -> str:
    """Return a Jinja chat template that writes a conversation as `write_prompt` does with "alpaca"."""
    # Line ends stand in Jinja strings: servers trim those that follow a block.
    return (
        f"{{{{ {opening_token(tokenizer)!r} }}}}"
        f"{{% if messages[0]['role'] != 'system' %}}{{{{ {ALPACA_PREAMBLE!r} }}}}{{% endif %}}"
        "{% for message in messages %}"
        "{% if message['role'] == 'assistant' %}"
        "{{ '### Response:\\n' + message['content'] + eos_token + ('' if loop.last else '\\n\\n') }}"
        "{% else %}"
        "{{ ('' if message['role'] == 'system' else '### Instruction:\\n') + message['content'] + '\\n\\n' }}"
        "{% endif %}"
        "{% endfor %}"
        "{% if add_generation_prompt %}{{ '### Response:\\n' }}{% endif %}"
    )


def _logits(model: Any, prompts: torch.Tensor) -> torch.Tensor:
    """Return float32 logits (prompts, tokens, vocabulary) on the CPU, one prompt at a time to save memory."""
    with torch.inference_mode():
        return torch.cat([model(prompt[None]).logits.float().cpu() for prompt in prompts])


def _compare(expected: torch.Tensor, found: torch.Tensor, dtype: str, what: str) -> float:
    """Return the largest difference of a logit; refuse one that rounding cannot explain."""
    difference = float((expected - found).abs().max())
    if not difference <= TOLERANCE[dtype] * float(expected.abs().max()):
        raise ModelError(
            f"{what} answers differently from base + adapter (a logit moved by {difference:.3g})",
            "This base cannot be merged in this dtype: try --set 'export.dtype=\"float32\"'.",
        )
    return float(f"{difference:.3g}")


def _save(
    merged: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, folder: Path, dtype: torch.dtype
) -> None:
    """Cast the weights, but not rotary positions' buffers, and write weights, configuration and tokenizer."""
    for parameter in merged.parameters():
        parameter.data = parameter.data.to(dtype)
    merged.config.dtype = dtype
    settings: Any = GenerationConfig  # transformers has no types here
    merged.generation_config = settings(
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=sorted(end_tokens(merged, tokenizer)),
        pad_token_id=tokenizer.eos_token_id if tokenizer.pad_token_id is None else tokenizer.pad_token_id,
        do_sample=False,
    )
    with friendly_disk_errors(folder):
        merged.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        for file in folder.iterdir():
            file.chmod(0o644)  # safetensors keeps its files to their owner
