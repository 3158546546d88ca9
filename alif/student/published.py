"""A published base without its weights: configuration, tokenizer, and the model's layers on no device.

All that can be known before an hour or a cent is spent is known from these. No code that comes with a model
is ever run, nor is anybody asked whether it should be.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerBase
from transformers.utils.hub import cached_file

from alif import settings, store
from alif.errors import ModelError
from alif.student.gguf_file import load_gguf_tokenizer, locate_gguf, read_gguf
from alif.student.weights import friendly_model_errors

__all__ = ["LANGUAGE_TOWER", "NO_CODE", "PublishedBase", "open_published"]

NO_CODE = {"trust_remote_code": False}
"""For every `from_pretrained`: without it transformers asks on the terminal, and runs a stranger's Python."""

INDEX = "model.safetensors.index.json"

LANGUAGE_TOWER = {
    r"^model\.language_model\.": "model.",
    r"^language_model\.model\.": "model.",
    r"^language_model\.lm_head": "lm_head",
}
"""Where a model that also reads images keeps the weights of its language model, and their names in that."""


@dataclass(frozen=True)
class PublishedBase:
    """What is known of a base before its weights are read."""

    name: str
    """A folder, a GGUF file, a package or a hub id."""
    folder: Path | None
    commit: str
    """The hub's; "" of a folder."""
    config: Any
    """Of a model that also reads images: that of its language tower, which alone is trained."""
    tokenizer: PreTrainedTokenizerBase
    model: Any
    """All its layers, on the meta device."""


def open_published(student: settings.StudentSettings, *, offline: bool = False) -> PublishedBase:
    """Look up a published base without its weights.

    Args:
        student: base and revision.
        offline: use of the hub only what is on this machine already.

    Raises:
        ModelError: no such folder or hub id, gated, no network, damaged, quantized, no language model, no
            tokenizer, no end-of-text token.
    """
    gguf = locate_gguf(student.base)
    name, _, at = student.base.partition("@")
    folder = Path(name).expanduser()
    is_local = gguf is not None or folder.is_dir()
    if not is_local and (name.count("/") != 1 or name.startswith((".", "/", "~"))):
        raise ModelError(
            f'student.base = "{student.base}": no such folder, and not a hub id',
            'Write "tiny", the path of a folder or of a .gguf file, "package:" and the name of an installed '
            'package that holds one, or a hub id such as "meta-llama/Llama-3.1-8B".',
        )
    revision = at or student.revision
    options: dict[str, Any] = {"revision": revision} if revision and not is_local else {}
    options |= {"local_files_only": True} if offline else {}
    source = folder if is_local else name
    if gguf:
        header = read_gguf(gguf, student.revision)
        source, options = gguf.parent, {"gguf_file": gguf.name}
    elif is_local:
        _check_folder(folder)
    with friendly_model_errors(name):
        config = AutoConfig.from_pretrained(source, **NO_CODE, **options)
        if getattr(config, "quantization_config", None):
            raise ModelError(
                f"{name}: its weights are quantized already",
                'Name the base that it was made of; student.quantization = "4bit" quantizes it in training.',
            )
        text = config.get_text_config()
        if type(text) not in AutoModelForCausalLM._model_mapping:
            raise ModelError(
                f"{name}: a {config.model_type} model reads more than text (images, sound), and its language "
                "tower is no model of its own",
                "Choose a base that reads text alone.",
            )
        tokenizer = (
            load_gguf_tokenizer(gguf, header)
            if gguf
            else AutoTokenizer.from_pretrained(source, **NO_CODE, **options)
        )
        with torch.device("meta"):
            build: Any = AutoModelForCausalLM.from_config
            model = build(text, **NO_CODE)
        # …/snapshots/COMMIT/config.json
        commit = "" if is_local else Path(str(cached_file(name, "config.json", **options))).parent.name
    if tokenizer.eos_token_id is None:
        raise ModelError(
            f"{name}: its tokenizer has no end-of-text token",
            "Choose a base whose tokenizer names an eos_token.",
        )
    return PublishedBase(name, folder if folder.is_dir() else None, commit, text, tokenizer, model)


def _check_folder(folder: Path) -> None:
    """Refuse a folder that lacks configuration, weights or tokenizer, or a part of them."""
    needed = {
        "config.json": "configuration",
        "*.safetensors": "weights in safetensors",
        "tokenizer*": "tokenizer",
    }
    for pattern, what in needed.items():
        if not any(folder.glob(pattern)):
            raise ModelError(
                f"{folder}: no {what} ({pattern})", "A base folder holds what save_pretrained writes."
            )
    index = folder / INDEX
    listed = store.read_json(index).get("weight_map", {}) if index.is_file() else {}
    for part in sorted(set(listed.values())):
        if not (folder / part).is_file():
            raise ModelError(
                f"{folder}: no {part}, which {INDEX} lists", "Fetch or copy the whole model again."
            )
    for path in sorted(folder.glob("*.safetensors")):  # before its digest is kept as what the run began with
        with friendly_model_errors(str(path)), safe_open(path, framework="pt"):
            pass
