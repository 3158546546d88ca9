"""Forms of a run's exported model that people run elsewhere, each a folder beside the merged model.

    export/model/                 merged: transformers, vLLM
    export/adapter/               LoRA and the base that it belongs to: PEFT, vLLM --enable-lora
    export/gguf-q4_k_m/           llama.cpp, Ollama, LM Studio; also gguf-q8_0, gguf-f16
    export/bnb4/                  bitsandbytes' NF4: transformers, vLLM
        form.json                 FormFacts

A form is made from the merged model, and says of which; it is complete or absent.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from itertools import islice
from pathlib import Path

from alif import store
from alif.errors import DataError
from alif.facts.release_facts import FormChecks, FormFacts
from alif.records import Example
from alif.release import adapter_export, four_bit, gguf_export
from alif.release.adapter_export import digest_weights
from alif.settings import Recipe
from alif.student.base import read_base
from alif.student.device import setup_torch

__all__ = ["FORMS", "export_form", "read_forms"]

FORMS = ("gguf", "adapter", "bnb4")
RECORD = "form.json"
TEXTS = 300
"""Rows of the run whose tokens are compared."""
STEPS = ("base", "finetune", "prefer", "merge")


def export_form(
    root: Path, recipe: Recipe, form: str, *, quant: str, llama_cpp: Path | None = None, python: str = ""
) -> tuple[Path, FormFacts]:
    """Write one form of a run's model; return its folder and facts.

    Raises:
        DataError: the merged model is not there.
        MissingExtra: a package that makes the form is not installed.
        ModelError: the form would not be the same model.
    """
    model = root / "export" / "model"
    if not (model / "config.json").is_file():
        raise DataError(f"{model}: no merged model", f"alif export {root.name} makes it.")
    setup_torch(recipe.runtime)
    base = read_base(root / "base")
    base_digest = base.digest
    place = root / "export" / (f"gguf-{quant}" if form == "gguf" else form)
    with _replacing_folder(place) as folder:
        if form == "gguf":
            rows = islice(store.read_models(root / "blend" / "examples.jsonl", Example), TEXTS)
            texts = [f"{row.instruction}\n\n{row.output}" for row in rows]
            target = folder / f"{root.name}-{quant}.gguf"
            made = gguf_export.export_gguf(model, target, quant, texts, llama_cpp=llama_cpp, python=python)
        elif form == "adapter":
            steps = {name: root / name for name in STEPS if (root / name).is_dir()}
            named = adapter_export.export_adapter(steps, recipe.export, recipe.runtime, model, folder)
            base_digest, made = named.digest, FormChecks(made_by=f"PEFT {version('peft')}")
        else:
            made = four_bit.export_four_bit(model, folder)
        found = FormFacts(
            form=place.name,
            run=root.name,
            base=base.base,
            base_revision=base.revision,
            base_digest=base_digest,
            model_digest=digest_weights(model),
            bytes=sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()),
            **made.model_dump(),
        )
        store.write_json(folder / RECORD, found.model_dump(mode="json"))
    return place, found


def read_forms(root: Path) -> dict[Path, FormFacts]:
    """Return the forms of a run's model that are there, by folder."""
    found = sorted((root / "export").glob(f"*/{RECORD}"))
    return {path.parent: FormFacts.model_validate(store.read_json(path)) for path in found}


@contextmanager
def _replacing_folder(folder: Path) -> Iterator[Path]:
    """Yield an empty folder, which replaces `folder` at the end of the block."""
    beside = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(beside, ignore_errors=True)
    try:
        beside.mkdir()
        yield beside
        for path in beside.rglob("*"):
            path.chmod(0o755 if path.is_dir() else 0o644)  # safetensors keeps its files to their owner
        shutil.rmtree(folder, ignore_errors=True)
        beside.rename(folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
