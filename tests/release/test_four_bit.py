"""Four bits by bitsandbytes: the extra is named where it is missing; else the folder opens as it is."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from alif import store
from alif.errors import MissingExtra
from alif.release.four_bit import export_four_bit


@pytest.mark.skipif(bool(importlib.util.find_spec("bitsandbytes")), reason="bitsandbytes is installed")
def test_without_bitsandbytes_the_extra_is_named(exported: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingExtra, match="four bits needs the low-memory extra"):
        export_four_bit(exported / "export" / "model", tmp_path)


def test_the_folder_opens_in_four_bits(exported: Path, tmp_path: Path) -> None:
    pytest.importorskip("bitsandbytes")
    made = export_four_bit(exported / "export" / "model", tmp_path)
    assert 0 < made.same_next_token <= 1
    quantised = store.read_json(tmp_path / "config.json")["quantization_config"]
    assert (quantised["load_in_4bit"], quantised["bnb_4bit_quant_type"]) == (True, "nf4")
