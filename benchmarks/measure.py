"""The result file of a benchmark: what it measured, with the machine, the package versions and the command.

{"name": "train_cpu", "machine": {…}, "versions": {…}, "command": "python benchmarks/…", "measured": {…}}
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("alif-llm", "torch", "transformers", "peft", "accelerate", "tokenizers", "numpy")


def arguments(about: str | None, name: str) -> argparse.ArgumentParser:
    """Return a parser with the option of every benchmark: --json PATH, by default its file in results/."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--json", type=Path, default=RESULTS / f"{name}.json", help="where the result is written"
    )
    return parser


def result(name: str, measured: Any, packages: Iterable[str] = PACKAGES) -> dict[str, Any]:
    """Return the content of a result file."""
    return {
        "name": name,
        "machine": machine(),
        "versions": versions(packages),
        "command": command(),
        "measured": measured,
    }


def write(path: Path, content: dict[str, Any]) -> None:
    """Write `content` to `path` as JSON, atomically: a benchmark may be killed at any time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}")
    temporary.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    temporary.replace(path)


def machine() -> dict[str, Any]:
    """Return processor, cores, memory in GB, system, and the GPU where there is one."""
    found: dict[str, Any] = {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "system": f"{platform.system()} {platform.machine()}",
    }
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        device = torch.cuda.get_device_properties(0)
        found["gpu"] = {
            "name": device.name,
            "memory_gb": round(device.total_memory / 1e9, 1),
            "cuda": torch.version.cuda,
        }
    return found


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Return the versions of Python and of those packages that are installed."""
    found = {"python": platform.python_version()}
    for name in packages:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def command() -> str:
    """Return the command line, without folders: a result does not name those of its machine."""
    arguments = [part if part.startswith("-") else Path(part).name for part in sys.argv[1:]]
    return " ".join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *arguments])


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")),
        platform.processor(),
    )
