"""Ollama's Modelfile has the end tokens, and the headings where the base has no template of its own."""

from __future__ import annotations

from pathlib import Path

from alif import store
from alif.release.modelfile import write_modelfile


def test_headings_and_end_tokens_are_written_out(exported: Path, tmp_path: Path) -> None:
    text = write_modelfile(exported / "export" / "model", tmp_path / "tiny-f16.gguf").read_text("utf-8")
    assert text.startswith("FROM ./tiny-f16.gguf\nPARAMETER temperature 0\n")
    assert 'PARAMETER stop "<|end|>"' in text
    assert "{{ else }}### Instruction:\n{{ .Content }}\n\n{{ end }}{{ end }}### Response:\n" in text
    assert "<|start|>" not in text, "llama.cpp adds it"


def test_a_template_of_the_base_is_left_to_the_file(exported: Path, tmp_path: Path) -> None:
    model = exported / "export" / "model"
    written = store.read_json(model / "tokenizer_config.json")
    store.write_json(model / "tokenizer_config.json", written | {"chat_template": "{{ messages }}"})
    assert "TEMPLATE" not in write_modelfile(model, tmp_path / "tiny-f16.gguf").read_text("utf-8")
