"""The worker reads requests and writes scores, line by line; a module of two functions stands for COMET."""

from __future__ import annotations

import io
import json
import sys
import types
from typing import Any

import pytest

from alif.evaluate.comet_worker import score_lines


class Model:
    def predict(self, rows: list[dict[str, str]], **options: Any) -> dict[str, list[float]]:
        return {"scores": [len(row["mt"]) / 10 for row in rows]}


def test_a_score_for_each_line_in_order(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    package = types.ModuleType("comet")
    package.download_model = lambda name: f"/{name}"  # type: ignore[attr-defined]
    package.load_from_checkpoint = lambda path: Model()  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "comet", package)
    rows = [{"src": "a", "mt": text, "ref": "b"} for text in ("گھر", "مکان")]
    monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{json.dumps(row)}\n" for row in rows)))
    score_lines("any/model")
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [
        {"score": 0.3},
        {"score": 0.4},
    ]
