"""The adapter alone, in the form that servers load, naming its base by the digest of the base's weights.

    export/adapter/
      adapter_config.json  adapter_model.safetensors     LoRA on linear layers; nothing else
      adapter_base.json                                  {"base": …, "revision": …, "digest": …}
      base/                                              a model folder, where the run's own base is another

vLLM refuses an adapter that carries copies of embeddings and head. They are put into the base, which is then
the run's own and lies beside the adapter; a run that trained linear layers alone needs none. An adapter on
another base gives fluent garbage without an error, so `merge_exported` compares digests first.
"""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils.hub import cached_file

from alif import store
from alif.errors import DataError, ModelError
from alif.records import FrozenModel
from alif.release.export import compare_logits, find_adapter, sample_logits, save_model, save_tokenizer
from alif.settings import Export, Runtime
from alif.student import load_student, merge_adapter
from alif.student.adapter import CONFIG, WEIGHTS
from alif.student.device import quiet_libraries
from alif.student.published import NO_CODE
from alif.student.sibling import SIBLING
from alif.student.weights import friendly_disk_errors, friendly_model_errors, read_weights, write_weights

__all__ = ["AdapterBase", "digest_weights", "export_adapter", "merge_exported"]

BASE = "adapter_base.json"
TRAVELLING = ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "generation_config.json")
"""Files of the merged model that go with an adapter."""


class AdapterBase(FrozenModel):
    """adapter_base.json: the base that an exported adapter belongs to."""

    base: str
    """A hub id or a folder's name; "base": the folder beside."""
    revision: str = ""
    made_of: str = ""
    """Of the folder beside: the base that the run began with."""
    digest: str
    """SHA-256 over the names and bytes of the base's safetensors files."""


def digest_weights(folder: Path) -> str:
    """Return the SHA-256 of a model folder's weights.

    Raises:
        ModelError: it holds none.
    """
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise ModelError(f"{folder}: no weights in safetensors", "Name the folder of the whole base model.")
    return store.sha256_tree(*files)


def export_adapter(
    steps: Mapping[str, Path], export: Export, runtime: Runtime, model_folder: Path, folder: Path
) -> AdapterBase:
    """Write adapter, and base where it is the run's own, to `folder`; load both again by PEFT and compare.

    Raises:
        ModelError: they give other logits than the adapter of the run on its base.
    """
    source = find_adapter(steps, export)
    student = load_student(steps["base"], source, runtime, dtype=torch.float32)
    expected = sample_logits(student.model, len(student.tokenizer))
    state = read_weights(source / WEIGHTS)
    lora = {name: tensor for name, tensor in state.items() if ".lora_" in name}
    own = len(lora) < len(state) or (source / SIBLING).is_file() or (steps["base"] / "model").is_dir()
    settings = store.read_json(source / CONFIG)
    if own:
        for name, parameter in student.model.named_parameters():
            if ".lora_B." in name:
                parameter.data.zero_()  # so that merging leaves the linear layers as they are
        tokenizer = AutoTokenizer.from_pretrained(model_folder, **NO_CODE)
        save_model(merge_adapter(student), tokenizer, folder / "base", getattr(torch, export.dtype))
        place = folder / "base"
        named = AdapterBase(base=place.name, made_of=student.base.base, digest=digest_weights(place))
    else:
        base = student.base
        place = Path(base.base).expanduser()
        if not place.is_dir():
            place = Path(str(cached_file(base.base, "config.json", revision=base.revision))).parent
        name = Path(base.base).name if Path(base.base).is_dir() else base.base
        named = AdapterBase(base=name, revision=base.revision, digest=digest_weights(place))
    del student
    settings |= {
        "base_model_name_or_path": named.base,
        "revision": named.revision or None,
        "modules_to_save": None,
        "ensure_weight_tying": False,
    }
    write_weights(folder / WEIGHTS, lora)
    store.write_json(folder / CONFIG, settings)
    store.write_json(folder / BASE, named.model_dump(mode="json"))
    with friendly_disk_errors(folder):
        for name in TRAVELLING:
            if (model_folder / name).is_file():
                shutil.copyfile(model_folder / name, folder / name)
    _, found = _open_both(folder, place)
    compare_logits(expected, found, export.dtype if own else "float32", "the exported adapter on its base")
    return named


def merge_exported(adapter: Path, base: Path | None, folder: Path) -> None:
    """Write the adapter of an exported folder, merged onto its base in float32, to `folder` in bfloat16.

    Args:
        adapter: what `export_adapter` wrote.
        base: the base's folder; None: the one beside the adapter.
        folder: the model folder to write; it must not be there.

    Raises:
        DataError: no adapter or no base there, or something lies at `folder`.
        ModelError: the base is another one than the adapter was trained on.
    """
    if not (adapter / BASE).is_file():
        raise DataError(
            f"{adapter}: no {BASE}: not an exported adapter", "alif export RUN --to adapter writes one."
        )
    if folder.exists():
        raise DataError(f"{folder}: is there already", "Name a folder that is not there.")
    named = AdapterBase.model_validate(store.read_json(adapter / BASE))
    place = base or adapter / "base"
    if not place.is_dir():
        at = f" at {named.revision}" if named.revision else ""
        raise DataError(f"{place}: no such folder", f"Its base is {named.base}{at}: name the folder.")
    if (found := digest_weights(place)) != named.digest:
        raise ModelError(
            f"{place}: not the base of this adapter: its weights are sha256:{found[:12]}…, and the adapter "
            f"was trained on {named.base}, sha256:{named.digest[:12]}…",
            "On another base an adapter gives garbage without an error. Fetch that base, whole.",
        )
    quiet_libraries()
    merged, _ = _open_both(adapter, place)
    tokenizer = AutoTokenizer.from_pretrained(adapter, **NO_CODE)
    save_model(merged.merge_and_unload(), tokenizer, folder, torch.bfloat16)
    save_tokenizer(tokenizer, folder)


def _open_both(adapter: Path, base: Path) -> tuple[Any, torch.Tensor]:
    """Return the adapter on its base in float32, as PEFT alone opens it, with its logits."""
    with friendly_model_errors(str(adapter)):
        load: Any = AutoModelForCausalLM.from_pretrained
        bare = load(base, dtype=torch.float32, **NO_CODE)
        tokenizer: Any = AutoTokenizer.from_pretrained(adapter, **NO_CODE)
        with warnings.catch_warnings():
            # PEFT 0.21 on transformers 5.23
            warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)
            wrapped = PeftModel.from_pretrained(bare, str(adapter)).eval()
    return wrapped, sample_logits(wrapped, len(tokenizer))
