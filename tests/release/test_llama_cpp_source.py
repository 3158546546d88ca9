"""Where llama.cpp is: a checkout, the source package, an environment of its own; a sentence where not."""

from __future__ import annotations

import sys
import tarfile
from pathlib import Path

import pytest

from alif.errors import DataError, MissingExtra
from alif.release.llama_cpp_source import VERSION, find_llama_python, locate_converter, unpack_converter


def package(folder: Path, *names: str) -> Path:
    """A source package that holds files of these names."""
    source = folder / "file"
    source.write_text("pass\n")
    with tarfile.open(folder / "llama_cpp_python.tar.gz", "w:gz") as packed:
        for name in names:
            packed.add(source, f"llama_cpp_python-1/{name}")
    return folder / "llama_cpp_python.tar.gz"


def test_the_converter_is_taken_out_of_the_source_package(tmp_path: Path) -> None:
    inside = [
        f"vendor/llama.cpp/{name}"
        for name in ("convert_hf_to_gguf.py", "conversion/base.py", "src/llama.cpp")
    ]
    kept = tmp_path / "cache" / f"llama-cpp-python-{VERSION}"
    unpack_converter(package(tmp_path, *inside, "setup.py"), kept)
    there = sorted(path.relative_to(kept).as_posix() for path in kept.rglob("*") if path.is_file())
    assert there == ["conversion/base.py", "convert_hf_to_gguf.py"]
    assert locate_converter(None, cache=tmp_path / "cache") == kept


def test_a_package_without_a_converter_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no convert_hf_to_gguf\.py in it"):
        unpack_converter(package(tmp_path, "vendor/llama.cpp/README.md"), tmp_path / "cache" / "kept")
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_folder_that_is_no_checkout_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no convert_hf_to_gguf\.py") as error:
        locate_converter(tmp_path)
    assert "ggml-org/llama.cpp" in error.value.hint
    (tmp_path / "convert_hf_to_gguf.py").touch()
    assert locate_converter(tmp_path) == tmp_path


def test_a_python_without_llama_cpp_is_refused(tmp_path: Path) -> None:
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S "$@"\n')
    bare.chmod(0o755)
    with pytest.raises(MissingExtra, match="needs the llama-cpp extra"):
        find_llama_python(str(bare))
    with pytest.raises(DataError, match="cannot be run"):
        find_llama_python(str(tmp_path / "nothing"))
