"""A run that holds a real tiny model with a trained-looking adapter, made in a second."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from alif import store
from alif.language import pack as packs
from alif.release.export import export
from alif.runs import Run, StepContext, make_context
from alif.settings import Adapter, Export, Runtime, Tiny
from alif.student import adapter as adapters
from alif.student import tiny
from tests import made_up

CPU = Runtime(device="cpu", threads=1)
SMALL = Tiny(vocabulary=512, width=32, layers=2, heads=4, key_value_heads=2, feed_forward=48)


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with base and finetune done, not exported."""
    root = made_up.build(tmp_path_factory.mktemp("runs"), "tiny", until="evaluate")
    texts = [
        row["text"] for _, row in store.read_rows(packs.load_pack("ur").folder / "demo" / "articles.jsonl")
    ]
    tokenizer = tiny.train_tokenizer(texts, SMALL.vocabulary)
    model = tiny.build_tiny(SMALL, tokenizer)
    folder = root / "base" / "model"
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    base = {
        "base": "tiny",
        "revision": "",
        "parameters": model.num_parameters(),
        "digest": store.sha256_tree(folder),
    }
    store.write_json(root / "base" / "base.json", base)
    wrapped = adapters.add_adapter(model, Adapter(rank=4, alpha=8))
    torch.manual_seed(1)
    for parameter in wrapped.parameters():
        if parameter.requires_grad:
            parameter.data += 0.05 * torch.randn_like(parameter)
    adapters.save_adapter(wrapped, root / "finetune" / "adapter", base["digest"])
    return root


@pytest.fixture
def context(tiny_run: Path, tmp_path: Path) -> StepContext:
    """What the step export is handed."""
    inputs = {name: tiny_run / name for name in ("base", "finetune")}
    folder = tmp_path / "export"
    folder.mkdir()
    return make_context(Run(tiny_run), "export", CPU, inputs=inputs, folder=folder)


@pytest.fixture
def exported(context: StepContext, tiny_run: Path, tmp_path: Path) -> Path:
    """A copy of the run with its model exported in float32."""
    export(context, Export(dtype="float32"))
    run = tmp_path / "tiny"
    shutil.copytree(tiny_run, run)
    shutil.copytree(context.folder / "model", run / "export" / "model")
    return run
