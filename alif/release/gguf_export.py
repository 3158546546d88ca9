"""The exported model as a GGUF file, by llama.cpp's own converter and quantiser.

    export/model/ ─▶ convert_hf_to_gguf.py ─▶ f16 ─▶ llama_model_quantize ─▶ demo-q4_k_m.gguf
                                                          ▲ importance, measured on the run's own text

Both run as processes, because llama.cpp may be installed in another environment; f16 and q8_0 are written by
the converter alone. Where llama.cpp is installed, the file's tokens are compared with the tokenizer's own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from transformers import AutoTokenizer

from alif.errors import MissingExtra, ModelError
from alif.facts.release_facts import FormChecks
from alif.release import gguf_worker
from alif.release.gguf_tokenizer import SAME_TEXTS, choose_split
from alif.release.importance import measure_importance, write_importance
from alif.release.llama_cpp_source import VERSION, find_llama_python, locate_converter
from alif.release.modelfile import write_modelfile
from alif.student.gguf_file import read_gguf
from alif.student.published import NO_CODE

__all__ = ["QUANTS", "export_gguf"]

QUANTS = ("f16", "q8_0", "q4_k_m")
BY_CONVERTER = ("f16", "q8_0")
CALIBRATION_TEXTS = 64
"""Rows on which importance is measured."""


def export_gguf(
    model_folder: Path,
    target: Path,
    quant: str,
    texts: Sequence[str],
    *,
    llama_cpp: Path | None = None,
    python: str = "",
) -> FormChecks:
    """Write the model of `model_folder` to `target`, a .gguf file; return what was compared and what made it.

    Args:
        model_folder: what the step `export` wrote.
        target: the file; Ollama's Modelfile is written beside it.
        quant: one of QUANTS.
        texts: of the run: on these the tokens are compared, and importance is measured.
        llama_cpp: a checkout of llama.cpp; None: the converter is fetched once.
        python: of an environment with llama-cpp-python; "": this one, where it has it.

    Raises:
        MissingExtra: gguf, or for q4_k_m llama-cpp-python, is not installed.
        ModelError: llama.cpp does not know the architecture, or splits text in another way.
    """
    if find_spec("gguf") is None:
        raise MissingExtra("a GGUF file", "gguf")
    llama_python = find_llama_python(python)
    if quant not in BY_CONVERTER and not llama_python:
        raise MissingExtra(f"quantizing to {quant}", "gguf")
    source, split = locate_converter(llama_cpp), choose_split(model_folder, texts)
    calibration: Sequence[str] = ()
    with tempfile.TemporaryDirectory(dir=target.parent) as place:
        first = target if quant in BY_CONVERTER else Path(place) / "f16.gguf"
        kind = quant if quant in BY_CONVERTER else "f16"
        named = [str(source), split.name if split.fits else "", str(model_folder)]
        try:
            _run_worker(sys.executable, "convert", *named, "--outfile", str(first), "--outtype", kind)
        except ModelError as error:
            if "pre-tokenizer was not recognized" not in error.message:
                raise
            raise ModelError(
                f"{model_folder}: llama.cpp splits text in none of the ways of this tokenizer: {split.name}, "
                f"the nearest, gives {split.same} of {split.texts} texts the same tokens",
                "Choose a base whose tokenizer splits as Llama-3's or Qwen's, or ship the merged model.",
            ) from error
        if first != target:
            importance, calibration = Path(place) / "importance.npz", texts[:CALIBRATION_TEXTS]
            write_importance(importance, measure_importance(model_folder, calibration), model_folder)
            options = (quant, str(os.cpu_count() or 1), str(importance))
            _run_worker(llama_python, "quantise", str(first), str(target), *options)
    write_modelfile(model_folder, target)
    return FormChecks(
        split=read_gguf(target).pre_tokenizer,
        same_texts=_count_same_texts(llama_python, model_folder, target, texts) if llama_python else None,
        texts=len(texts),
        calibrated_on=len(calibration),
        made_by=f"llama.cpp of llama-cpp-python {VERSION}",
    )


def _run_worker(python: str, work: str, *arguments: str, input: str = "") -> str:
    """Run `gguf_worker` in another process; return what it wrote.

    Raises:
        ModelError: llama.cpp refuses, with its last line.
    """
    command = [python, gguf_worker.__file__, work, *arguments]
    environment = os.environ | {"HF_HUB_OFFLINE": "1"}
    asked = subprocess.run(
        command, input=input, capture_output=True, text=True, errors="replace", env=environment, check=False
    )
    if asked.returncode:
        said = asked.stderr.strip().rpartition("\n")[2] or f"it ended with code {asked.returncode}"
        raise ModelError(f"llama.cpp cannot {work} the model: {said[:300]}", "Ship the merged model instead.")
    return asked.stdout


def _count_same_texts(python: str, model_folder: Path, gguf: Path, texts: Sequence[str]) -> int:
    """Return to how many texts llama.cpp gives the tokens of the tokenizer; refuse a file with others."""
    found = json.loads(_run_worker(python, "tokenize", str(gguf), input=json.dumps(list(texts))))
    tokenizer: Any = AutoTokenizer.from_pretrained(model_folder, **NO_CODE)
    own = tokenizer(list(texts), add_special_tokens=False)["input_ids"]
    same: int = sum(ours == theirs for ours, theirs in zip(own, found, strict=True))
    if same < SAME_TEXTS * len(texts):
        raise ModelError(
            f"{gguf.name}: llama.cpp gives {same} of {len(texts)} texts the tokens of the tokenizer",
            "The model would read other text than it was trained on. Ship the merged model.",
        )
    return same
