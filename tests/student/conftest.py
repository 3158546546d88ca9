"""A tokenizer and small models, made from nothing in milliseconds."""

from __future__ import annotations

import pytest
import torch
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

from alif import store
from alif.language.pack import load_pack
from alif.settings import Tiny
from alif.student import Base, Student
from alif.student import tiny as tinies

TEXTS = (
    "پانی زندگی ہے۔ لاہور ایک شہر ہے۔",
    "Water is life. Lahore is a city.",
    "1234 + 56 = 1290\n\n### Instruction:\n",
)


@pytest.fixture(scope="session")
def tokenizer() -> PreTrainedTokenizerFast:
    return tinies.train_tokenizer(TEXTS * 3, 320)


@pytest.fixture(params=[False, True], ids=["untied", "tied"])
def tied(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def model(tokenizer: PreTrainedTokenizerFast, tied: bool) -> LlamaForCausalLM:
    torch.set_num_threads(1)
    return tinies.build_tiny(Tiny(width=32, feed_forward=48, tied=tied), tokenizer).eval()


@pytest.fixture(scope="session")
def student() -> Student:
    """A small untrained model for inference."""
    texts = [
        str(row["text"]) for _, row in store.read_rows(load_pack("ur").folder / "demo" / "articles.jsonl")
    ]
    tokenizer = tinies.train_tokenizer(texts, 512)
    model = tinies.build_tiny(Tiny(width=32, feed_forward=48), tokenizer).eval().requires_grad_(False)
    base = Base(base="tiny", parameters=model.num_parameters(), digest="")
    return Student(model, tokenizer, base, torch.device("cpu"))
