"""Answers of a local model are written in parts, and what is done is not done again."""

from __future__ import annotations

from pathlib import Path

import pytest

from alif import settings, store
from alif.student import local_answers, tiny
from alif.student.local_answers import answer_prompts
from tests.data.conftest import row


def test_what_is_answered_is_not_answered_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer = tiny.train_tokenizer(["Name a river.", "The Indus is a river."] * 3, 320)
    for part in (tiny.build_tiny(settings.Tiny(width=32, feed_forward=48), tokenizer), tokenizer):
        part.save_pretrained(tmp_path / "model")
    model = settings.StudentSettings(base=str(tmp_path / "model"))
    runtime, rows = settings.Runtime(device="cpu"), [row("qa", f"Name river {n}.", "x") for n in range(5)]
    monkeypatch.setattr(local_answers, "PROMPTS_AT_ONCE", 2)
    first = answer_prompts(model, tmp_path, runtime, rows[:3], 4)
    [path] = tmp_path.glob("answers-*.jsonl")
    assert len(list(store.read_rows(path))) == 3
    whole = answer_prompts(model, tmp_path, runtime, rows, 4)
    assert whole[:3] == first
    assert {finish for _, finish in whole} <= {"stop", "length"}
    monkeypatch.setattr(local_answers, "load_student", None)
    assert answer_prompts(model, tmp_path, runtime, rows, 4) == whole, "nothing is loaded where all is done"
