"""Licences are read from cards, and what they oblige to is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from alif import settings
from alif.student.licences import read_licence
from alif.student.published import PublishedBase, open_published


@pytest.fixture
def base(model, tokenizer, tmp_path: Path) -> PublishedBase:
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    return open_published(settings.StudentSettings(base=str(tmp_path)))


@pytest.mark.parametrize(
    ("card", "licence"),
    [
        ("---\nlicense: apache-2.0\n---\n# A model\n", "apache-2.0"),
        ("\ufeff---\r\nlicense: other\r\nlicense_name: llama3.2\r\n---\r\n", "llama3.2"),
        ("# A model\n\nlicense: mit\n", ""),
        ("---\nlicense: [\n---\n", ""),
        ("---\n- mit\n---\n", ""),
        ("---\nlicense:\n---\n", ""),
    ],
)
def test_the_licence_is_read_from_the_card(base: PublishedBase, card: str, licence: str) -> None:
    assert base.folder is not None
    (base.folder / "README.md").write_text(card, encoding="utf-8", newline="")
    assert read_licence(base) == licence


def test_without_a_card_no_licence_is_stated(base: PublishedBase) -> None:
    assert read_licence(base) == ""
    assert read_licence(replace(base, name="no/such-model", folder=None)) == ""
