"""A step's function is imported when it runs, and what is not installed is named by its extra."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from alif.errors import MissingExtra
from alif.runs.step import lazy_import


class Context:
    step = "base"


def test_the_function_is_imported_when_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    context: Any = Context()
    assert lazy_import("tests.runs.test_step:lazy_import")("a:b").__name__ == "work"  # type: ignore[arg-type, attr-defined]
    work = lazy_import("alif.student.base:no_such_function")
    with pytest.raises(AttributeError):
        work(context)
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "alif.train.packing", raising=False)
    with pytest.raises(MissingExtra, match="alif base needs the train extra"):
        lazy_import("alif.train.packing:anything")(context)
