"""A base model: what it is, loading it, with or without an adapter, and merging.

    runs/NAME/base/base.json   {"base": "tiny", "revision": "", "parameters": 328256, "digest": "9b1e…"}
    runs/NAME/base/model/      the weights, where they were made here: "tiny", a GGUF file, added tokens

A published base stays where it is, in a folder or on the hub; base.json pins it by digest or by commit, and
loading another one in its place is refused: an adapter on the wrong base gives garbage without an error.
"""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import torch
from peft import PeftModel
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    BitsAndBytesConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from alif import settings, store
from alif.errors import MissingExtra, ModelError
from alif.facts.training_facts import GgufSource
from alif.records import FrozenModel
from alif.settings import Runtime
from alif.student import adapter as adapters
from alif.student import vocabulary, weights
from alif.student.device import DeviceConfig, setup_torch
from alif.student.gguf_file import dequantize_gguf, locate_gguf, read_gguf
from alif.student.published import LANGUAGE_TOWER, NO_CODE, open_published
from alif.student.sibling import add_sibling
from alif.student.weights import friendly_model_errors

__all__ = [
    "TINY", "Base", "LoadedBase", "Student", "extend_base", "load_student", "load_tokenizer",
    "merge_adapter", "open_base", "quantization_config", "read_base", "record_base",
]  # fmt: skip

TINY = "tiny"


class Base(FrozenModel):
    """What base.json says."""

    base: str
    """"tiny", a local folder, a GGUF file, "package:NAME", or a hub id."""
    revision: str = ""
    """The hub's commit."""
    parameters: int
    digest: str
    """SHA-256 of the model's folder; for a hub id its commit."""
    gguf: GgufSource | None = None
    """Where the weights were dequantized from."""
    quantise: str = "none"
    """Quantization of the frozen base while an adapter is trained on it: "none" or "4bit"."""

    def hub_options(self) -> dict[str, Any]:
        """Return what pins it for `from_pretrained`, without code of its own."""
        return NO_CODE | ({"revision": self.revision} if self.revision else {})


@dataclass(frozen=True)
class LoadedBase:
    """A base alone, on the CPU, to put an adapter on."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    base: Base


@dataclass(frozen=True)
class Student:
    """A model ready for inference, and what belongs to it."""

    model: PreTrainedModel | PeftModel
    tokenizer: PreTrainedTokenizerBase
    base: Base
    device: torch.device


def load_student(
    base_folder: Path, adapter: Path | None, runtime: Runtime, dtype: torch.dtype | None = None
) -> Student:
    """Set up torch; return the base of a run, with the adapter of one of its stages or none, for inference.

    Args:
        base_folder: the finished folder of step `base`.
        adapter: the folder `adapter/` of a stage, that of a merged model, or None for the base alone.
        runtime: device and CPU threads.
        dtype: float32 for merging; None: bfloat16 on a GPU, float32 on a CPU.

    Raises:
        ModelError: base or adapter is missing, damaged or another one than recorded.
    """
    device = setup_torch(runtime)
    device = replace(device, dtype=dtype or device.dtype)
    bare = open_base(base_folder, device)
    model: Any = bare.model
    if adapter is not None:
        add_sibling(model, adapter)
        model = adapters.load_adapter(model, adapter)
        for name, parameter in model.named_parameters():
            if "modules_to_save" in name:
                parameter.data = parameter.data.to(device.dtype)  # as autocast read them in training
    model = model.to(device.device).eval().requires_grad_(False)
    return Student(model, bare.tokenizer, bare.base, device.device)


def merge_adapter(student: Student) -> PreTrainedModel:
    """Return the plain model with the adapter merged in; `student` must be float32, and is used up."""
    if not isinstance(student.model, PeftModel):
        return student.model
    if any(p.dtype != torch.float32 for p in student.model.parameters()):
        raise ValueError("merge in float32: load_student(..., dtype=torch.float32)")
    merged: PreTrainedModel = student.model.merge_and_unload()
    return merged


def open_base(base_folder: Path, device: DeviceConfig, *, training: bool = False) -> LoadedBase:
    """Return the base that step `base` recorded, quantized where the recipe wants that in `training`.

    Raises:
        ModelError: it is missing, damaged, another one than recorded, or too large for the device.
    """
    base = read_base(base_folder)
    own = base_folder / "model"
    source = str(own) if own.is_dir() else base.base
    folder = Path(source)
    # a published folder is recorded by what a model is read from, one that was made here by all its files
    if folder.is_dir() and base.digest not in (weights.digest_model(folder), store.sha256_tree(folder)):
        raise ModelError(
            f"{source}: not the model that this run began with",
            f"Put it back, or remove {base_folder} and later steps.",
        )
    in_4_bits = training and base.quantise == "4bit"
    on_gpu = device.device.type == "cuda"
    available = torch.cuda.mem_get_info(device.device)[1] if on_gpu else psutil.virtual_memory().total
    needed = base.parameters * device.dtype.itemsize
    if needed > available and not in_4_bits:
        dtype = str(device.dtype).removeprefix("torch.")
        raise ModelError(
            f"{base.base} does not fit: {base.parameters:,} parameters in {dtype} are {needed / 1e9:,.0f} GB,"
            f" and this {'GPU' if on_gpu else 'machine'} has {available / 1e9:,.0f} GB",
            "Choose a smaller base, or a larger GPU: `alif plan RECIPE --gpu NAME` shows what fits.",
        )
    with friendly_model_errors(source):
        options = base.hub_options() if source == base.base else dict(NO_CODE)
        tokenizer = AutoTokenizer.from_pretrained(source, **options)
        if in_4_bits:
            options |= {"quantization_config": quantization_config(device)}
        model = _load_whole(source, dtype=device.dtype, **options)
    return LoadedBase(model, tokenizer, base)


def _load_whole(source: str, **options: Any) -> PreTrainedModel:
    """Load a model whose weights are all in its files: transformers initialises missing ones at random.

    Of a model that reads images too it is the language tower.

    Raises:
        ModelError: a weight is missing, or has another shape than config.json says.
    """
    load: Any = AutoModelForCausalLM.from_pretrained  # transformers has no types here
    pins = {key: options[key] for key in ("revision", "trust_remote_code") if key in options}
    config = AutoConfig.from_pretrained(source, **pins)
    if is_tower := config.get_text_config() is not config:
        options |= {"config": config.get_text_config(), "key_mapping": LANGUAGE_TOWER}
    model, found = load(source, output_loading_info=True, ignore_mismatched_sizes=True, **options)
    if is_tower:
        del model._weight_conversions  # save_pretrained would give the weights back their names in the tower
    problems = {
        "has no": sorted(found["missing_keys"]),
        "has another shape of": sorted(str(one[0]) for one in found["mismatched_keys"]),
    }
    for what, names in problems.items():
        if names:
            more = f" and {len(names) - 1} more weights" if len(names) > 1 else ""
            raise ModelError(
                f"{source}: not the model that config.json describes: it {what} {names[0]}{more}",
                "Fetch or copy the whole model again: config.json and every safetensors file from one place.",
            )
    whole: PreTrainedModel = model
    return whole


def quantization_config(device: DeviceConfig) -> Any:
    """Return the settings of QLoRA's 4-bit base: NF4 and double quantization.

    Raises:
        ModelError: there is no GPU.
        MissingExtra: bitsandbytes is not installed.

    Source: arXiv 2305.14314.
    """
    if device.device.type != "cuda":
        raise ModelError(
            'student.quantization = "4bit" needs a GPU, and none is used here',
            'Set it to "none", or use a GPU.',
        )
    if importlib.util.find_spec("bitsandbytes") is None:
        raise MissingExtra('student.quantization = "4bit"', "low-memory")
    return BitsAndBytesConfig(  # type: ignore[no-untyped-call]  # transformers has no types here
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=device.dtype,
    )


def extend_base(source: Base, texts: Iterable[str], added_tokens: int, folder: Path) -> Base:
    """Write `source` with at most `added_tokens` more tokens, learned from `texts`, to `folder`.

    Raises:
        ModelError: its tokenizer cannot be extended.
    """
    name = str(folder) if folder.is_dir() else source.base
    with friendly_model_errors(name):
        model = _load_whole(name, dtype="auto", **source.hub_options())
        tokenizer = AutoTokenizer.from_pretrained(name, **source.hub_options())
    extended = vocabulary.extend_tokenizer(tokenizer, texts, added_tokens)
    vocabulary.initialise_embeddings(model, extended)
    beside = folder.with_name(".extended")  # the old weights may be mapped from `folder` still
    with weights.friendly_disk_errors(folder):
        model.save_pretrained(beside)
        extended.tokenizer.save_pretrained(beside)
        shutil.rmtree(folder, ignore_errors=True)
        beside.rename(folder)
    return source.model_copy(
        update={"parameters": model.num_parameters(), "digest": store.sha256_tree(folder)}
    )


def read_base(base_folder: Path) -> Base:
    """Return what step `base` recorded."""
    return Base.model_validate(store.read_json(base_folder / "base.json"))


def record_base(student: settings.StudentSettings, folder: Path) -> Base:
    """Look up a published base: that it exists and can be used here, its commit and size.

    A folder and a hub id stay where they are and are not read; a GGUF file is dequantized to `folder`.

    Raises:
        ModelError: no such folder, file, package or hub id, gated, no network, no tokenizer, no end-of-text
            token.
    """
    if gguf := locate_gguf(student.base):
        source = read_gguf(gguf, student.revision)
        dequantize_gguf(gguf, source, folder)
        here = record_base(student.model_copy(update={"base": str(folder), "revision": ""}), folder)
        return here.model_copy(update={"base": student.base, "gguf": source})
    found = open_published(student)
    digest = weights.digest_model(found.folder) if found.folder else found.commit
    parameters = adapters.count_parameters(found.model).total
    return Base(base=found.name, revision=found.commit, parameters=parameters, digest=digest)


def load_tokenizer(base: Base, folder: Path) -> PreTrainedTokenizerBase:
    """Return a published base's tokenizer, without its weights; arguments and errors as in `record_base`."""
    with friendly_model_errors(base.base):
        options: dict[str, Any] = NO_CODE | ({"revision": base.revision} if base.revision else {})
        source = folder if folder.is_dir() else base.base
        found: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(source, **options)
    return found
