"""A base folder for the tests of faults."""

from __future__ import annotations

from pathlib import Path

import pytest

from alif.settings import Tiny
from alif.student import tiny as tinies
from tests.small_bases import TEXTS


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """A base folder as save_pretrained leaves it."""
    folder = tmp_path / "llama"
    tokenizer = tinies.train_tokenizer(TEXTS * 3, 320)
    tinies.build_tiny(Tiny(width=32, feed_forward=48), tokenizer).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
