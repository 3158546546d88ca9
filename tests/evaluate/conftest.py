"""A run folder with a tiny base, two adapters, a corpus and a blend: what the step evaluate is given."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch

from alif import store
from alif.language import pack as packs
from alif.records import Document, Example, Origin
from alif.settings import Adapter, Runtime, Tiny
from alif.student import Base, Student, load_student
from alif.student import adapter as adapters
from alif.student import tiny as tinies
from alif.student.base import open_base
from alif.student.device import setup_torch

RUNTIME = Runtime(device="cpu", threads=1)


def _documents(code: str) -> list[Document]:
    path = packs.load_pack(code).folder / "demo" / "articles.jsonl"
    found = [Document.make(code, row["text"], title=row["title"]) for _, row in store.read_rows(path)][:12]
    return [
        one.model_copy(update={"source": "first" if index < 7 else "second"})
        for index, one in enumerate(found)
    ]


def _rows() -> list[Example]:
    test = store.read_rows(packs.load_pack("ur").folder / "seeds" / "qa.jsonl")
    rows = store.read_rows(packs.load_pack("en").folder / "demo" / "rows.jsonl")
    found = [("ur", row) for _, row in test] + [("en", row) for _, row in rows]
    return [
        Example.make(code, "qa", row["instruction"], row.get("input", ""), row["output"], Origin(kind="seed"))
        for code, row in found
    ]


@pytest.fixture(scope="session")
def needs(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """The finished folders of the steps before evaluate."""
    root = tmp_path_factory.mktemp("run")
    documents, rows = [*_documents("ur"), *_documents("en")], _rows()
    store.write_rows(root / "corpus" / "examples.jsonl", documents)
    store.write_rows(root / "corpus" / "held_out.jsonl", ({"id": one.id} for one in documents[::2]))
    store.write_rows(root / "blend" / "examples.jsonl", rows)
    store.write_rows(root / "blend" / "held_out.jsonl", ({"id": one.id} for one in rows[::9]))
    tokenizer = tinies.train_tokenizer([one.text for one in documents], 512)
    model = tinies.build_tiny(Tiny(width=32, feed_forward=48), tokenizer)
    model.save_pretrained(root / "base" / "model")
    tokenizer.save_pretrained(root / "base" / "model")
    base = Base(
        base="tiny", parameters=model.num_parameters(), digest=store.sha256_tree(root / "base" / "model")
    )
    store.write_json(root / "base" / "base.json", base.model_dump())
    for number, stage in enumerate(("pretrain", "finetune"), 1):
        student = open_base(root / "base", setup_torch(RUNTIME))
        wrapped = adapters.add_adapter(student.model, Adapter(rank=4, seed=number))
        torch.manual_seed(number)
        for name, parameter in wrapped.named_parameters():
            if "lora_B" in name:
                parameter.data.normal_(0, 0.2 * number)
        adapters.save_adapter(wrapped, root / stage / "adapter", "tiny")
    return {step: root / step for step in ("base", "corpus", "blend", "pretrain", "finetune", "merge")}


@pytest.fixture(scope="session")
def student(needs: Mapping[str, Path]) -> Student:
    """The base of that run."""
    return load_student(needs["base"], None, RUNTIME)
