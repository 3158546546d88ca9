"""Run llama.cpp's converter, quantiser or tokenizer in a process of its own, in any environment that has it.

    python gguf_worker.py convert LLAMA_CPP SPLIT MODEL_FOLDER --outfile FILE --outtype f16
    python gguf_worker.py quantise FROM TO q4_k_m THREADS [IMPORTANCE.npz]
    python gguf_worker.py tokenize FILE < texts.json > tokens.json

The converter runs where transformers and torch are, the others where llama-cpp-python is. This file is run by
its path and imports nothing of alif, so the second may be another environment than alif's.
"""

from __future__ import annotations

import ctypes
import json
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

__all__ = ["convert", "quantise", "tokenize"]


def convert(source: str, split: str, *arguments: str) -> None:
    """Run convert_hf_to_gguf.py of `source`; where it does not know how a tokenizer splits, it is `split`."""
    sys.path[:0] = [source, str(Path(source, "gguf-py"))]
    from conversion import base  # noqa: PLC0415

    recognise: Any = base.TextModel.get_vocab_base_pre

    def name_split(model: Any, tokenizer: Any) -> Any:
        try:
            return recognise(model, tokenizer)
        except NotImplementedError:
            if split:
                return split
            raise

    base.TextModel.get_vocab_base_pre = name_split
    # The converter imports it before it looks for tokenizer.model, which our exports do not have.
    unused: Any = ModuleType("sentencepiece")
    unused.SentencePieceProcessor = None
    sys.modules.setdefault("sentencepiece", unused)
    script = str(Path(source, "convert_hf_to_gguf.py"))
    sys.argv = [script, *arguments]
    runpy.run_path(script, run_name="__main__")


def quantise(source: str, target: str, kind: str, threads: str, importance: str = "") -> None:
    """Write a GGUF file of fewer bits; columns that are large by `importance` are rounded with more care."""
    import llama_cpp  # noqa: PLC0415

    settings = llama_cpp.llama_model_quantize_default_params()
    settings.ftype = getattr(llama_cpp, f"LLAMA_FTYPE_MOSTLY_{kind.upper()}")
    settings.nthread = int(threads)
    if importance:
        import numpy as np  # noqa: PLC0415

        with np.load(importance) as file:
            columns = {name: np.ascontiguousarray(file[name], np.float32) for name in file.files}
        entry: Any = llama_cpp.llama_model_imatrix_data
        entries = (entry * (len(columns) + 1))()  # the last has no name, which ends the list
        for place, (name, values) in enumerate(columns.items()):
            pointer = values.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
            entries[place] = entry(name.encode(), pointer, values.size)
        settings.imatrix = entries
    code = llama_cpp.llama_model_quantize(source.encode(), target.encode(), ctypes.byref(settings))
    if code:
        sys.exit(f"llama.cpp's quantiser ended with code {code}")


def tokenize(path: str) -> None:
    """Write the token ids of each text on standard input, special tokens read as such and none added."""
    import llama_cpp  # noqa: PLC0415

    model = llama_cpp.Llama(path, vocab_only=True, verbose=False)
    texts = json.load(sys.stdin)
    found = [model.tokenize(text.encode(), add_bos=False, special=True) for text in texts]
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    work: dict[str, Callable[..., None]] = {"convert": convert, "quantise": quantise, "tokenize": tokenize}
    work[sys.argv[1]](*sys.argv[2:])
