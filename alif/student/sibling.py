"""The instruct sibling of a base, read tensor by tensor: no second model is in memory.

    merged = base + w1 · (ours − base) + w2 · (instruct − base)

    runs/NAME/merge/instruct/model/   the sibling, where it was in a GGUF file; else it stays where it is
    runs/NAME/merge/merge-0.6-0.4/    an adapter in PEFT's format: LoRA times w1, embeddings as merged
        sibling.json                  {"model": "…-Instruct", "weight": 0.4, …}: it is added on loading

Two models of one shape need not be of one base, so weights are looked at too: those of a sibling point where
the base's do, those of a stranger anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from transformers import PreTrainedModel
from transformers.utils.hub import cached_file

from alif import store
from alif.errors import ModelError
from alif.records import FrozenModel
from alif.settings import Merge, StudentSettings
from alif.student import weights
from alif.student.linear_layers import embedding_weights
from alif.student.published import INDEX, LANGUAGE_TOWER, PublishedBase, open_published
from alif.student.weights import friendly_model_errors

__all__ = [
    "OWN", "SIBLING", "Sibling", "TensorFiles", "add_sibling", "check_related", "check_sibling",
    "open_sibling", "open_tensors",
]  # fmt: skip

SIBLING = "sibling.json"
OWN = "instruct"
SAME_KEYS = (
    "model_type", "num_attention_heads", "num_key_value_heads", "head_dim", "hidden_act", "rope_parameters",
)  # fmt: skip
"""Keys of a configuration that must be the same, and that no tensor's shape tells."""
STRANGER = 0.2
"""Cosine of two models' matrices below which they are not of one base. Measured: 0 give or take 0.02 for
random matrices of 64 x 64, less for larger ones; 0.41 to 0.82 for the demo's model, whose LoRA outgrows its
base, after both stages. A published sibling moves far less."""
HINT = "merge.instruct is the instruct model that was made of this run's base."


class Sibling(FrozenModel):
    """sibling.json."""

    model: str
    """A folder, a GGUF file or a hub id."""
    revision: str
    digest: str
    weight: float
    """w2."""


@dataclass(frozen=True)
class TensorFiles:
    """The tensors of a model's safetensors files."""

    model: str
    places: Mapping[str, tuple[Path, str]]
    """File and name in it, by the name of the model's parameter."""

    def find(self, parameter: str) -> tuple[Path, str]:
        """Return file and name of one.

        Raises:
            ModelError: there is none.
        """
        without_prefix = parameter.partition(".")[2]  # GPT-2's files leave "transformer." out
        place = self.places.get(parameter) or self.places.get(without_prefix)
        if place is None:
            raise ModelError(f"{self.model}: its safetensors files have no {parameter}", HINT)
        return place

    def read(self, parameter: str) -> torch.Tensor:
        """Return one in float32; errors as of `find`."""
        path, name = self.find(parameter)
        with friendly_model_errors(str(path)), safe_open(path, framework="pt") as file:
            found: torch.Tensor = file.get_tensor(name)
        return found.float()


def open_tensors(model: str, revision: str, own: Path) -> TensorFiles:
    """Return the tensors of a model: in the folder `own` where that exists, else in its folder or on the hub.

    Raises:
        ModelError: it has no safetensors files.
    """
    source = own if own.is_dir() else Path(model).expanduser()

    def fetch(file: str, **options: Any) -> Path | None:
        where = source if source.is_dir() else model
        found = cached_file(where, file, revision=revision or None, **options)
        return Path(str(found)) if found else None

    places = {}
    with friendly_model_errors(model):
        index = fetch(INDEX, _raise_exceptions_for_missing_entries=False)
        files = set(store.read_json(index)["weight_map"].values()) if index else {"model.safetensors"}
        for path in map(fetch, sorted(files)):
            with safe_open(path, framework="pt") as file:
                for key in file.keys():  # noqa: SIM118  # it is no dictionary
                    name = key
                    for pattern, plain in LANGUAGE_TOWER.items():
                        name = re.sub(pattern, plain, name)
                    places[name] = (Path(str(path)), key)
    return TensorFiles(model, places)


def open_sibling(merge: Merge, *, offline: bool = False) -> PublishedBase:
    """Look up the sibling without its weights; errors as of `open_published`."""
    try:
        return open_published(StudentSettings(base=merge.instruct, revision=merge.revision), offline=offline)
    except ModelError as error:
        told = error.message.removeprefix(f'student.base = "{merge.instruct}": ')
        raise ModelError(f'merge.instruct = "{merge.instruct}": {told}', error.hint) from error


def check_sibling(base: PublishedBase, sibling: PublishedBase, *, extended: bool) -> None:
    """Refuse a sibling of another family, shape or vocabulary.

    Args:
        base: the run's base.
        sibling: the instruct model.
        extended: tokens were added to the base; the sibling has none of them.

    Raises:
        ModelError: it is another one.
    """
    name = f'merge.instruct = "{sibling.name}"'
    for key in SAME_KEYS:
        found, wanted = (getattr(one.config, key, None) for one in (sibling, base))
        if str(found) != str(wanted):
            raise ModelError(f"{name}: its {key} is {found}, and the base's is {wanted}", HINT)
    known, special = base.tokenizer.get_vocab(), sibling.tokenizer.get_added_vocab()
    for token, number in sibling.tokenizer.get_vocab().items():
        if known.get(token) != number and token not in special:  # those are often renamed
            raise ModelError(f"{name}: another vocabulary: token {number} is {token!r} there", HINT)
    resized = embedding_weights(base.model) if extended else set()
    shapes = {parameter: tuple(weight.shape) for parameter, weight in sibling.model.named_parameters()}
    for parameter, weight in base.model.named_parameters():
        there, here = shapes.pop(parameter, ()), tuple(weight.shape)
        fewer_rows = weight in resized and there[1:] == here[1:] and there < here
        if there != here and not fewer_rows:
            told = f"has the shape {list(there)}" if there else "is not there"
            raise ModelError(f"{name}: {parameter} {told}, and has {list(here)} in the base", HINT)
    if shapes:
        raise ModelError(f"{name}: it has {min(shapes)}, which the base does not have", HINT)


def check_related(base: TensorFiles, sibling: TensorFiles, model: Any) -> None:
    """Refuse a sibling that was made of another base of the same shape, which a matrix of a block tells.

    Raises:
        ModelError: it was, or a weight of `model` is missing in its files.
    """
    for name, _ in model.named_parameters():
        sibling.find(name)
    embeddings = embedding_weights(model)
    parameter = next(
        name for name, weight in model.named_parameters() if weight.ndim == 2 and weight not in embeddings
    )
    ours, theirs = (tensors.read(parameter).flatten() for tensors in (base, sibling))
    cosine = float(torch.cosine_similarity(ours, theirs, dim=0))
    if not cosine >= STRANGER:
        raise ModelError(
            f'merge.instruct = "{sibling.model}": it was made of another base: {parameter} has a cosine of '
            f"{cosine:.2f} with the base's",
            HINT,
        )


def add_sibling(model: PreTrainedModel, folder: Path) -> None:
    """Add w2 · (instruct − base) to the base in `model`, in place, if the merged model in `folder` has a w2.

    Raises:
        ModelError: the sibling is gone, or another one than it was merged with.
    """
    if not (folder / SIBLING).is_file():
        return
    sibling = Sibling.model_validate(store.read_json(folder / SIBLING))
    own = folder.parent / OWN / "model"
    place = own if own.is_dir() else Path(sibling.model).expanduser()
    if place.is_dir() and sibling.digest not in (weights.digest_model(place), store.sha256_tree(place)):
        raise ModelError(
            f"{place}: not the model that {folder.name} was merged with",
            f"Put it back, or remove {folder.parent} and later steps.",
        )
    tensors = open_tensors(sibling.model, sibling.revision, own)
    for name, parameter in model.named_parameters():
        theirs = tensors.read(name)
        known = parameter.data[: len(theirs)]  # tokens that were added here have no other end
        known.copy_(torch.lerp(known.float(), theirs, sibling.weight))
