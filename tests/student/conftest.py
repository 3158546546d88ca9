"""A tokenizer and small models, made from nothing in milliseconds."""

from __future__ import annotations

import pytest
import torch
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

from alif.settings import Tiny
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
