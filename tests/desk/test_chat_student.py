"""The run's model as a process of its own: it answers, is stopped, and ends with whoever asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from alif import store
from alif.desk.chat_student import StudentProcess, has_model, model_stamp
from alif.errors import ModelError
from alif.records import Message
from alif.runs import Run
from tests.release.conftest import tiny_run

__all__ = ["tiny_run"]

HOW = {"temperature": 0.0, "max_tokens": 24, "seed": 1}


def ask(text: str) -> list[Message]:
    return [Message(role="user", content=text)]


def test_it_answers_is_stopped_and_ends(tiny_run: Path) -> None:
    student = StudentProcess(Run(tiny_run))
    seen: list[str] = []
    try:
        answer = student.answer(ask("سلام"), HOW, lambda text: not seen.append(text))
        assert student.answer(ask("سلام"), HOW, lambda text: True) == answer, "the same seed, the same answer"
        stopped = student.answer(ask("لکھتے جاؤ"), {**HOW, "max_tokens": 120}, lambda text: False)
        assert isinstance(stopped, str)
        with pytest.raises(ModelError, match="more than the model can read"):
            student.answer(ask("کتاب " * 3000), HOW, lambda text: True)
        assert student.is_alive
    finally:
        student.close()
    assert not student.is_alive


def test_a_model_that_cannot_be_loaded_says_why(tmp_path: Path) -> None:
    run = Run(tmp_path / "broken")
    assert not has_model(run)
    store.write_text(run.root / "recipe.toml", "name = ")
    store.write_json(run.root / "base" / "base.json", {})
    assert has_model(run)
    before = model_stamp(run)
    with pytest.raises(ModelError, match="not TOML"):
        StudentProcess(run)
    (run.root / "base" / "step.json").touch()
    assert model_stamp(run) != before
