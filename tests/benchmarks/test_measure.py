"""What every benchmark owes: the same option for the result's place, the same keys in it."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parents[2] / "benchmarks"
SCRIPTS = [
    path.name
    for path in sorted(HERE.glob("*.py"))
    if any(
        isinstance(node, ast.Import) and "measure" in [name.name for name in node.names]
        for node in ast.parse(path.read_text(encoding="utf-8")).body
    )
]


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_benchmark_takes_the_place_of_its_result(name: str) -> None:
    assert '"--json"' in (HERE / name).read_text(encoding="utf-8") or "measure.arguments(" in (
        HERE / name
    ).read_text("utf-8")


def test_a_result_is_written_where_it_was_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "made.json"
    subprocess.run(
        [sys.executable, HERE / "answer_matching.py", "--json", path], check=True, capture_output=True
    )
    written = json.loads(path.read_text(encoding="utf-8"))
    assert list(written) == ["name", "machine", "versions", "command", "measured"]
    assert written["command"] == "python benchmarks/answer_matching.py --json made.json"
    assert written["measured"]["alif"]["right"] >= 0.98


@pytest.mark.parametrize("path", sorted((HERE / "results").glob("*.json")), ids=lambda path: path.stem)
def test_kept_results_have_the_keys_that_scripts_rely_on(path: Path) -> None:
    kept = json.loads(path.read_text(encoding="utf-8"))
    assert kept.keys() >= {"name", "machine", "versions", "command", "measured"}
    assert kept["name"] == path.stem
