"""A base model: what it is, loading it, with or without an adapter, and merging.

    runs/NAME/base/base.json   {"base": "tiny", "revision": "", "parameters": 328256, "digest": "9b1e…"}
    runs/NAME/base/model/      the weights, where the base was made here ("tiny", or a published one with new tokens)

A published base stays where it is, in a folder or on the hub; base.json pins it by digest or by commit, and loading another one
in its place is refused: an adapter on the wrong base gives garbage without a complaint.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from safetensors import SafetensorError, safe_open
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    BitsAndBytesConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.utils.hub import cached_file

from alif import settings, store
from alif.errors import MissingExtra, ModelError
from alif.records import FrozenModel
from alif.settings import Runtime
from alif.student import adapter as adapters
from alif.student import vocabulary, weights
from alif.student.device import DeviceConfig, setup_torch

__all__ = [
    "TINY",
    "Base",
    "LoadedBase",
    "Student",
    "inspect_base",
    "load_student",
    "load_tokenizer",
    "merge_adapter",
    "open_base",
    "read_base",
]

TINY = "tiny"


class Base(FrozenModel):
    """What base.json says."""

    base: str
    """"tiny", a local folder, or a hub id."""
    revision: str = ""
    """The hub's commit."""
    parameters: int
    digest: str
    """SHA-256 of the model's folder; for a hub id its commit."""
    quantise: str = "none"
    """Numbers of the frozen base while an adapter is trained on it: "none" or "4bit"."""


@dataclass(frozen=True)
class LoadedBase:
    """A base alone, on the CPU, to put an adapter on."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    base: Base


@dataclass(frozen=True)
class Student:
    """A model that can be asked, and what belongs to it."""

    model: PreTrainedModel | PeftModel
    tokenizer: PreTrainedTokenizerBase
    base: Base
    device: torch.device


def load_student(
    base_folder: Path, adapter: Path | None, runtime: Runtime, dtype: torch.dtype | None = None
) -> Student:
    """Return the base of a run, with the adapter of one of its stages or none, ready to be asked.

    Args:
        base_folder: the finished folder of step `base`.
        adapter: the folder `adapter/` of a stage, or None for the base alone.
        runtime: device and CPU threads.
        dtype: float32 for merging; None: bfloat16 on a GPU, float32 on a CPU.

    Raises:
        ModelError: base or adapter is missing, damaged or another one than recorded.
    """
    where = setup_torch(runtime)
    where = DeviceConfig(where.device, dtype or where.dtype)
    bare = open_base(base_folder, where)
    model: Any = bare.model
    if adapter is not None:
        model = adapters.load_adapter(model, adapter)
        for name, parameter in model.named_parameters():
            if "modules_to_save" in name:
                parameter.data = parameter.data.to(where.dtype)  # as autocast read them in training
    model = model.to(where.device).eval().requires_grad_(False)
    return Student(model, bare.tokenizer, bare.base, where.device)


def merge_adapter(student: Student) -> PreTrainedModel:
    """Return the plain model with the adapter merged into its weights; `student` must be loaded in float32 and is used up."""
    if not isinstance(student.model, PeftModel):
        return student.model
    if any(p.dtype != torch.float32 for p in student.model.parameters()):
        raise ValueError("merge in float32: load(..., dtype=torch.float32)")
    merged: PreTrainedModel = student.model.merge_and_unload()
    return merged


def open_base(base_folder: Path, where: DeviceConfig, *, training: bool = False) -> LoadedBase:
    """Return the base that step `base` recorded, quantised where it is to be so in training; errors as in `load`."""
    base = read_base(base_folder)
    own = base_folder / "model"
    source = str(own) if own.is_dir() else base.base
    if Path(source).is_dir() and store.sha256_tree(Path(source)) != base.digest:
        raise ModelError(
            f"{source}: not the model that this run began with",
            f"Put it back, or remove {base_folder} and later steps.",
        )
    in_4_bits = training and base.quantise == "4bit"
    if not in_4_bits:
        _room(base, where)
    with friendly_model_errors(source):
        pinned: dict[str, Any] = {"revision": base.revision} if base.revision and source == base.base else {}
        tokenizer = AutoTokenizer.from_pretrained(source, **pinned)
        if in_4_bits:
            pinned |= {"quantization_config": quantisation_config(where)}
        model = _whole(source, dtype=where.dtype, attn_implementation="sdpa", **pinned)
    return LoadedBase(model, tokenizer, base)


def _room(base: Base, where: DeviceConfig) -> None:
    """Refuse a base that the device could not hold if it held nothing else."""
    on_gpu = where.device.type == "cuda"
    here = (
        torch.cuda.mem_get_info(where.device)[1]
        if on_gpu
        else os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    )
    needed = base.parameters * where.dtype.itemsize
    if needed > here:
        told = f"{base.parameters:,} parameters in {str(where.dtype).removeprefix('torch.')} are {needed / 1e9:,.0f} GB"
        raise ModelError(
            f"{base.base} does not fit: {told}, and this {'GPU' if on_gpu else 'machine'} has {here / 1e9:,.0f} GB",
            "Choose a smaller base, or a larger GPU: `alif check RECIPE --gpu NAME` tells what fits, and what helps.",
        )


def _whole(source: str, **settings: Any) -> PreTrainedModel:
    """Return a model whose weights are all in its files: the library draws missing ones by lot, and says so where none looks.

    Raises:
        ModelError: a weight is missing, or has another shape than config.json says.
    """
    load: Any = AutoModelForCausalLM.from_pretrained  # transformers has no types here
    model, found = load(source, output_loading_info=True, ignore_mismatched_sizes=True, **settings)
    wrong = {
        "has no": sorted(found["missing_keys"]),
        "has another shape of": sorted(str(one[0]) for one in found["mismatched_keys"]),
    }
    for what, names in wrong.items():
        if names:
            more = f" and {len(names) - 1} more weights" if len(names) > 1 else ""
            raise ModelError(
                f"{source}: not the model that config.json describes: it {what} {names[0]}{more}",
                "Fetch or copy the whole model again: config.json and every safetensors file from one place.",
            )
    whole: PreTrainedModel = model
    return whole


def quantisation_config(where: DeviceConfig) -> Any:
    """Return the settings of QLoRA's 4-bit base: NF4, its constants quantised too, products in the place's own numbers.

    Raises:
        ModelError: there is no GPU.
        MissingExtra: bitsandbytes is not installed.

    Source: arXiv 2305.14314.
    """
    if where.device.type != "cuda":
        raise ModelError(
            'student.quantization = "4bit" needs a GPU, and none is used here',
            'Set it to "none", or use a GPU.',
        )
    if importlib.util.find_spec("bitsandbytes") is None:
        raise MissingExtra('student.quantization = "4bit"', "low-memory")
    settings = {
        "bnb_4bit_quant_type": "nf4",
        "bnb_4bit_use_double_quant": True,
        "bnb_4bit_compute_dtype": where.dtype,
    }
    return BitsAndBytesConfig(load_in_4bit=True, **settings)  # type: ignore[no-untyped-call]  # transformers has no types here


def extend_base(source: Base, texts: Iterable[str], wanted: int, folder: Path) -> Base:
    """Write `source` with at most `wanted` more tokens, learned from `texts`, to `folder`; return what it is now.

    Raises:
        ModelError: its tokenizer cannot be extended.
    """
    where = str(folder) if source.base == TINY else source.base
    with friendly_model_errors(where):
        pinned = {"revision": source.revision} if source.revision else {}
        model = _whole(where, dtype="auto", **pinned)
        found = AutoTokenizer.from_pretrained(where, **pinned)
    grown = vocabulary.extend_tokenizer(found, texts, wanted)
    vocabulary.initialise_embeddings(model, grown)
    beside = folder.with_name(".grown")  # the old weights may be mapped from `folder` still
    with weights.friendly_disk_errors(folder):
        model.save_pretrained(beside)
        grown.tokenizer.save_pretrained(beside)
        shutil.rmtree(folder, ignore_errors=True)
        beside.rename(folder)
    return source.model_copy(
        update={"parameters": model.num_parameters(), "digest": store.sha256_tree(folder)}
    )


def read_base(base_folder: Path) -> Base:
    """Return what step `base` recorded."""
    return Base.model_validate(store.read_json(base_folder / "base.json"))


def inspect_base(student: settings.Student) -> Base:
    """Look a published base up, without its weights: that it exists, can be used here, its commit and size.

    Raises:
        ModelError: no such folder or hub id, gated, no network, no tokenizer, no end-of-text token.
    """
    name, _, at = student.base.partition("@")
    folder = Path(name).expanduser()
    if not folder.is_dir() and name.count("/") != 1:
        raise ModelError(
            f'student.base = "{student.base}": no such folder, and not a hub id',
            'Write "tiny", the path of a folder, or a hub id such as "meta-llama/Llama-3.1-8B".',
        )
    if folder.is_dir():
        _check_folder(folder)
    revision = at or student.revision
    pinned = {"revision": revision} if revision and not folder.is_dir() else {}
    with friendly_model_errors(name):
        config = AutoConfig.from_pretrained(folder if folder.is_dir() else name, **pinned)
        tokenizer = AutoTokenizer.from_pretrained(folder if folder.is_dir() else name, **pinned)
        with torch.device("meta"):
            build: Any = AutoModelForCausalLM.from_config
            parameters = adapters.count_parameters(build(config)).total
        commit = (
            "" if folder.is_dir() else Path(str(cached_file(name, "config.json", **pinned))).parent.name
        )  # snapshots/COMMIT/
    if tokenizer.eos_token_id is None:
        raise ModelError(
            f"{name}: its tokenizer has no end-of-text token",
            "Choose a base whose tokenizer names an eos_token.",
        )
    if folder.is_dir():
        return Base(base=name, parameters=parameters, digest=store.sha256_tree(folder))
    return Base(base=name, revision=commit, parameters=parameters, digest=commit)


def load_tokenizer(base: Base) -> PreTrainedTokenizerBase:
    """Return a published base's tokenizer, without its weights; errors as in `inspect`."""
    with friendly_model_errors(base.base):
        found: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
            base.base, **({"revision": base.revision} if base.revision else {})
        )
    return found


def _check_folder(folder: Path) -> None:
    """Refuse a folder that lacks configuration, weights or tokenizer."""
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
    for path in sorted(folder.glob("*.safetensors")):  # before its digest is kept as what the run began with
        with friendly_model_errors(str(path)), safe_open(path, framework="pt"):
            pass


@contextlib.contextmanager
def friendly_model_errors(source: str) -> Iterator[None]:
    """Turn the libraries' refusals to open a model into sentences."""
    try:
        yield
    except SafetensorError as error:
        raise ModelError(
            f"{source}: a damaged safetensors file ({error})", "Fetch or copy the model again."
        ) from error
    except (OSError, ValueError, KeyError, ImportError) as error:
        told = " ".join(str(error).split())
        reason = told if len(told) <= 200 else f"{told[:200].rpartition(' ')[0]} …"
        if "gated" in told:
            hint = "Accept its licence on the hub, and set HF_TOKEN to a token of that account."
        elif "Connection" in told or "connect" in told or "offline" in told:
            reason = "it is not on this machine, and huggingface.co cannot be reached"
            hint = "Connect to the network once, or name a folder that holds the model."
        else:
            hint = "Check the name and the revision, or name a folder that save_pretrained wrote."
        raise ModelError(f"{source}: cannot be opened as a model ({reason})", hint) from error
