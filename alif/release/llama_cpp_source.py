"""llama.cpp's converter, which no wheel holds: from a checkout, else from the source package on the index.

llama-cpp-python's source package carries the llama.cpp that its library is built from, converter included.
pip fetches it once, by digest; 113 Python files of it are kept in the user's cache folder.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from alif import console, store
from alif.errors import AlifError, DataError, MissingExtra

__all__ = ["find_llama_python", "locate_converter", "unpack_converter"]

VERSION = "0.3.36"
DIGEST = "832db0699007f1be95a7e41ef12e88926b02ba836461e36a36372db2760c1a2e"
"""Of the source package on PyPI."""
CONVERTER = "convert_hf_to_gguf.py"
WANTED = (CONVERTER, "conversion/", "gguf-py/gguf/")
"""What the converter is made of."""
HINT = "Name a checkout of github.com/ggml-org/llama.cpp with --llama-cpp FOLDER."


def locate_converter(folder: Path | None, cache: Path | None = None) -> Path:
    """Return a folder that holds llama.cpp's converter: `folder`, else the one in the user's cache.

    Raises:
        DataError: `folder` holds none.
        AlifError: pip cannot fetch it.
    """
    if folder is not None:
        if not (folder / CONVERTER).is_file():
            raise DataError(f"{folder}: no {CONVERTER}", HINT)
        return folder.resolve()
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    kept = (cache or home / "alif") / f"llama-cpp-python-{VERSION}"
    if not (kept / CONVERTER).is_file():
        console.log(f"Fetching llama.cpp's converter (77 MB, once) from llama-cpp-python {VERSION}")
        with tempfile.TemporaryDirectory() as place:
            unpack_converter(_download(Path(place)), kept)
    return kept


def _download(place: Path) -> Path:
    """Fetch the source package by pip, from the index that pip is set to."""
    wanted = place / "wanted.txt"
    wanted.write_text(f"llama-cpp-python=={VERSION} --hash=sha256:{DIGEST}\n", encoding="utf-8")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(place)]
    command += ["--no-binary", "llama-cpp-python", "--requirement", str(wanted)]
    asked = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    found = sorted(place.glob("*.tar.gz"))
    if asked.returncode or not found:
        said = asked.stderr.strip().rpartition("\n")[2]
        raise AlifError(f"pip cannot fetch llama-cpp-python {VERSION}: {said[:300]}", HINT)
    return found[0]


def unpack_converter(archive: Path, target: Path) -> None:
    """Write the converter of llama-cpp-python's source package to `target`, whole or not at all.

    Raises:
        DataError: it is not in there.
    """
    with store.friendly_os_errors(target), tarfile.open(archive) as packed:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as place:
            whole = Path(place) / "llama.cpp"
            for member in packed:
                inside = member.name.partition("/vendor/llama.cpp/")[2]
                if member.isfile() and inside.startswith(WANTED):
                    member.name = inside
                    packed.extract(member, whole, filter="data")
            if not (whole / CONVERTER).is_file():
                raise DataError(f"{archive.name}: no {CONVERTER} in it", HINT)
            whole.rename(target)


def find_llama_python(given: str) -> str:
    """Return a Python that has llama-cpp-python: `given`, else this one; "" where none has.

    Raises:
        MissingExtra: `given` has it not.
    """
    if not given:
        return sys.executable if importlib.util.find_spec("llama_cpp") else ""
    script = "import importlib.util as i, sys; sys.exit(not i.find_spec('llama_cpp'))"
    try:
        missing = subprocess.run([given, "-c", script], capture_output=True, check=False).returncode
    except OSError as error:
        raise DataError(f"{given}: cannot be run ({error.strerror})", "Name ENV/bin/python.") from error
    if missing:
        raise MissingExtra(f"llama.cpp in {given}", "llama-cpp")
    return given
