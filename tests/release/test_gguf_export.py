"""GGUF export: the converter is told how text is split, its refusals are sentences, few bits need llama.cpp.

A stand-in has the converter's files and command line; the real one is run by benchmarks/export_forms.py, and
here where llama-cpp-python is installed.
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from alif.errors import MissingExtra, ModelError
from alif.release import gguf_export
from alif.release.llama_cpp_source import locate_converter
from alif.student.gguf_file import read_gguf

pytest.importorskip("gguf")
TEXTS = ["پانی کا فارمولا کیا ہے؟", "42 کتابیں", "A red door."]
BASE = """
class TextModel:
    def get_vocab_base_pre(self, tokenizer):
        raise NotImplementedError("BPE pre-tokenizer was not recognized - update get_vocab_base_pre()")
"""
CONVERT = """
import sys, gguf, sentencepiece
from conversion.base import TextModel
folder, target, kind = sys.argv[1], sys.argv[sys.argv.index("--outfile") + 1], sys.argv[-1]
if kind == "f16":
    sys.exit("ERROR: Model FooForCausalLM is not supported")
writer = gguf.GGUFWriter(target, "llama")
writer.add_tokenizer_pre(TextModel().get_vocab_base_pre(None))
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()
"""


@pytest.fixture
def llama_cpp(tmp_path: Path) -> Path:
    folder = tmp_path / "llama.cpp"
    (folder / "conversion").mkdir(parents=True)
    (folder / "conversion" / "base.py").write_text(BASE)
    (folder / "convert_hf_to_gguf.py").write_text(CONVERT)
    return folder


def test_the_converter_is_told_how_the_tokenizer_splits(
    exported: Path, tmp_path: Path, llama_cpp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gguf_export, "find_llama_python", lambda given: "")
    target = tmp_path / "tiny-q8_0.gguf"
    facts = gguf_export.export_gguf(exported / "export" / "model", target, "q8_0", TEXTS, llama_cpp=llama_cpp)
    assert read_gguf(target).pre_tokenizer == facts.split == "llama-bpe"
    assert facts.same_texts is None
    assert (tmp_path / "Modelfile").is_file()


def test_refusals_of_the_converter_are_sentences(
    exported: Path, tmp_path: Path, llama_cpp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gguf_export, "find_llama_python", lambda given: "")
    model, target = exported / "export" / "model", tmp_path / "tiny.gguf"
    with pytest.raises(ModelError, match="FooForCausalLM is not supported") as error:
        gguf_export.export_gguf(model, target, "f16", TEXTS, llama_cpp=llama_cpp)
    assert error.value.hint
    content = json.loads((model / "tokenizer.json").read_text())
    content["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"] = "[کاAed]"
    (model / "tokenizer.json").write_text(json.dumps(content))
    with pytest.raises(ModelError, match="splits text in none of the ways of this tokenizer") as error:
        gguf_export.export_gguf(model, target, "q8_0", TEXTS, llama_cpp=llama_cpp)
    assert "Llama-3" in error.value.hint


def test_four_bits_need_llama_cpp(exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gguf_export, "find_llama_python", lambda given: "")
    with pytest.raises(MissingExtra, match="quantizing to q4_k_m needs the gguf extra"):
        gguf_export.export_gguf(exported / "export" / "model", tmp_path / "x.gguf", "q4_k_m", TEXTS)


@pytest.mark.skipif(not importlib.util.find_spec("llama_cpp"), reason="llama-cpp-python is not installed")
@pytest.mark.parametrize("quant", gguf_export.QUANTS)
def test_llama_cpp_reads_the_same_tokens(exported: Path, tmp_path: Path, quant: str) -> None:
    if not (Path.home() / ".cache" / "alif").is_dir():
        pytest.skip("the converter has not been fetched here")
    target = tmp_path / f"tiny-{quant}.gguf"
    model = exported / "export" / "model"
    facts = gguf_export.export_gguf(model, target, quant, TEXTS, llama_cpp=locate_converter(None))
    assert facts.same_texts == len(TEXTS)
