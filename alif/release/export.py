"""Step `export`: base and adapter become one plain model folder that any library opens.

    base + last adapter ─▶ merge in float32 ─▶ cast to export.dtype ─▶ model/ ─▶ load again, compare
    (or merge-0.6)                                                               logits

The merged model must give the logits of base + adapter, and the saved file those of the merged model; both
differences are in the step's facts. The tokenizer carries the prompt of stage 2 as its chat template, so a
server writes the same prompt, and generation_config.json has the end tokens that chat and evaluation use.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    GenerationConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from alif import console, store
from alif.errors import ModelError, RecipeError
from alif.facts import read_facts
from alif.facts.release_facts import ExportFacts
from alif.facts.training_facts import FinetuneFacts
from alif.runs import StepContext, StepRecord
from alif.settings import Export, Runtime
from alif.student import load_student, merge_adapter
from alif.student.adapter import latest_adapter
from alif.student.base import read_base
from alif.student.chat_template import ALPACA_PREAMBLE, opening_token
from alif.student.published import NO_CODE
from alif.student.text_generation import end_tokens
from alif.student.weights import friendly_disk_errors, friendly_model_errors

__all__ = [
    "alpaca_chat_template", "compare_logits", "export", "find_adapter", "sample_logits", "save_model",
    "save_tokenizer",
]  # fmt: skip

PROMPTS, PROMPT_TOKENS = 8, 32
"""Random token sequences that are compared, and their length: no text, so that no language is favoured."""
TOLERANCE = {"float32": 1e-4, "float16": 1e-2, "bfloat16": 6e-2}
"""Accepted difference of logits at nearly all positions, as a share of the largest logit. Merging in float32
errs by about 1e-5; rounding to float16 or bfloat16 errs by up to 2^-11 or 2^-8, summed over the layers."""
POSITIONS, SAME_TOKEN = 0.95, 0.9
"""Share of positions that must be within TOLERANCE, and of those with the same likeliest token. On random
tokens one position of some hundred is chaotic: its last state nearly cancels, and a rounding turns it."""
SAMPLE_TEXT = "### Instruction:\nWater is  H2O: 1,234.5 ≈ ½\n\t\u06a9\u06cc\u0627\u061f "
"""Headings, numbers, signs and spaces, on which two forms of a tokenizer would differ."""
WORKING_SHARE = 1.25
"""Memory that merging needs, as a multiple of the base in float32: adapter and working memory."""
TRANSFORMERS_5 = ("is_local", "backend", "tokenizer_class", "extra_special_tokens")
"""Keys of tokenizer_config.json whose form transformers 4 does not read."""


def export(context: StepContext, export: Export) -> ExportFacts:
    """Merge, cast, save, load again and compare.

    Raises:
        ModelError: the merged or the saved model gives other logits than base + adapter.
    """
    with console.progress_bar("export", 4, "parts") as bar:
        runtime = _merging_runtime(context)
        adapter = find_adapter(context.inputs, export)
        student = load_student(context.inputs["base"], adapter, runtime, dtype=torch.float32)
        base, tokenizer, device = student.base, student.tokenizer, student.device
        expected = sample_logits(student.model, len(tokenizer))
        bar.advance()
        merged = merge_adapter(student)
        found = sample_logits(merged, len(tokenizer))
        merging = compare_logits(expected, found, "float32", "the merged model")
        bar.advance()
        folder = context.folder / "model"
        record = StepRecord.model_validate(store.read_json(context.inputs["finetune"] / "step.json"))
        if read_facts(record.counts.facts, FinetuneFacts).template == "alpaca":
            tokenizer.chat_template = alpaca_chat_template(tokenizer)
        save_model(merged, tokenizer, folder, getattr(torch, export.dtype))
        del student, merged  # two models would not fit where one does
        bar.advance()
        with friendly_model_errors(str(folder)):
            loaded: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, **NO_CODE)
        found = sample_logits(loaded.to(device).eval(), len(tokenizer))
        saved = compare_logits(expected, found, export.dtype, "the exported model")
        bar.advance()
    return ExportFacts(
        base=base.base,
        base_revision=base.revision,
        base_digest=base.digest,
        dtype=export.dtype,
        parameters=sum(parameter.numel() for parameter in loaded.parameters()),
        bytes=sum(file.stat().st_size for file in folder.iterdir()),
        largest_logit=round(float(expected.abs().max()), 4),
        merging_moved_logits_by=merging,
        export_moved_logits_by=saved,
        same_next_token=round(float((expected.argmax(-1) == found.argmax(-1)).float().mean()), 4),
    )


def find_adapter(steps: Mapping[str, Path], export: Export) -> Path:
    """Return the adapter that is exported: that of the last stage, or of the merged model `export.stage`.

    Raises:
        RecipeError: the run has no such merged model.
    """
    if not export.stage:
        return latest_adapter(steps) or steps["finetune"] / "adapter"
    adapter = steps["merge"] / export.stage
    if not adapter.is_dir():
        there = sorted(path.name for path in adapter.parent.glob("merge-*"))
        raise RecipeError(
            f'export.stage = "{export.stage}": the run has no such model',
            f"It has {', '.join(there) or 'no merged model'}; merge.weights makes others.",
        )
    return adapter


def _merging_runtime(context: StepContext) -> Runtime:
    """Return the recipe's runtime, with the CPU where the GPU cannot hold the model in float32."""
    if context.runtime.device == "cpu" or not torch.cuda.is_available():
        return context.runtime
    needed = read_base(context.inputs["base"]).parameters * torch.float32.itemsize * WORKING_SHARE
    if needed <= torch.cuda.mem_get_info()[1]:
        return context.runtime
    console.log(f"export: {needed / 1e9:,.0f} GB in float32 are more than this GPU has; merging on the CPU")
    return context.runtime.model_copy(update={"device": "cpu"})


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


def sample_logits(model: Any, vocabulary: int) -> torch.Tensor:
    """Return float32 logits (prompts, tokens, vocabulary) on random tokens, the same for every model."""
    generator = torch.Generator().manual_seed(3407)
    known = min(vocabulary, int(model.get_input_embeddings().weight.shape[0]))
    prompts = torch.randint(0, known, (PROMPTS, PROMPT_TOKENS), generator=generator)
    with torch.inference_mode():  # one prompt at a time to save memory
        return torch.cat([model(prompt[None].to(model.device)).logits.float().cpu() for prompt in prompts])


def compare_logits(expected: torch.Tensor, found: torch.Tensor, dtype: str, what: str) -> float:
    """Return the largest difference of a logit; refuse differences that rounding cannot explain."""
    moved = (expected - found).abs().amax(-1)
    close = float((moved <= TOLERANCE[dtype] * float(expected.abs().max())).float().mean())
    same = float((expected.argmax(-1) == found.argmax(-1)).float().mean())
    difference = float(moved.max())
    if not (close >= POSITIONS and same >= SAME_TOKEN and difference < float("inf")):
        raise ModelError(
            f"{what} answers differently from base + adapter (a logit moved by {difference:.3g}, "
            f"the likeliest token is the same at {same:.0%} of positions)",
            "This base cannot be merged in this dtype: try --set 'export.dtype=\"float32\"'.",
        )
    return float(f"{difference:.3g}")


def save_model(
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
        save_tokenizer(tokenizer, folder)
        for file in folder.iterdir():
            file.chmod(0o644)  # safetensors keeps its files to their owner


def save_tokenizer(tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """Write the tokenizer so that transformers 4 reads it too: tokenizer.json by its plain class.

    Its chat template stands in chat_template.jinja and, for servers that read it only there, in
    tokenizer_config.json.
    """
    tokenizer.save_pretrained(folder)
    path = folder / "tokenizer_config.json"
    written = store.read_json(path)
    if isinstance(tokenizer.chat_template, str):
        written["chat_template"] = tokenizer.chat_template
        store.write_json(path, written)
    if not (folder / "tokenizer.json").is_file():
        return
    config = {key: value for key, value in written.items() if key not in TRANSFORMERS_5}
    config["tokenizer_class"] = "PreTrainedTokenizerFast"
    extra = written.get("extra_special_tokens")
    if isinstance(extra, dict):
        config["extra_special_tokens"] = extra
    elif extra:
        config["additional_special_tokens"] = extra
    store.write_json(path, {key: config[key] for key in sorted(config)})
    plain = AutoTokenizer.from_pretrained(folder, **NO_CODE)
    probe = f"{SAMPLE_TEXT}{tokenizer.eos_token}"
    if plain(probe)["input_ids"] != tokenizer(probe)["input_ids"]:  # its own class does more
        store.write_json(path, written)
