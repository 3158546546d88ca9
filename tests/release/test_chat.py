"""Chat: single questions, from a pipe or as JSON, to the exported model or to what there is."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import pytest

from alif.errors import AlifError, ModelError
from alif.release import chat
from alif.release.export import export
from alif.runs import StepContext
from alif.settings import Export, Runtime

CPU = Runtime(device="cpu", threads=1)


@pytest.fixture
def exported(context: StepContext, tiny_run: Path, tmp_path: Path) -> Path:
    export(context, Export(dtype="float32"))
    run = tmp_path / "tiny"
    shutil.copytree(tiny_run, run)
    shutil.copytree(context.folder / "model", run / "export" / "model")
    return run


def test_each_piped_line_is_answered(
    exported: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("سلام\n\n  لاہور کہاں ہے؟  \n/quit\nنہیں\n"))
    chat.chat_loop(exported, as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert [turn["question"] for turn in told["turns"]] == ["سلام", "لاہور کہاں ہے؟"]
    assert all(isinstance(turn["answer"], str) for turn in told["turns"])


def test_one_question_prints_one_answer(exported: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chat.chat_loop(exported, "سلام")
    out = capsys.readouterr().out
    student = chat.open_student(exported, CPU)
    assert out.strip() == (chat.answer_question(student, "سلام") or "(no answer)")
    assert "\u2067" not in out


def test_an_unfinished_run_answers_with_its_adapter(
    tiny_run: Path, exported: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    student = chat.open_student(tiny_run, CPU)
    assert "finetune model" in capsys.readouterr().err
    merged = chat.open_student(exported, CPU)
    assert (
        chat.answer_question(student, "سلام", tokens=4)[:1]
        == chat.answer_question(merged, "سلام", tokens=4)[:1]
    )


def test_a_line_said_over_and_over_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    chat._show("استدلال:\n" + "جواب:\n" * 50 + "a\na\na")
    assert capsys.readouterr().out.splitlines() == ["استدلال:", "جواب:", "[49 times more]", "a", "a", "a"]


def test_drawing_is_seeded(tiny_run: Path) -> None:
    student = chat.open_student(tiny_run, CPU)
    drawn = [
        chat.answer_question(student, "سلام", temperature=1.0, seed=seed, tokens=24) for seed in (1, 1, 2)
    ]
    assert drawn[0] == drawn[1]
    assert drawn[0] != drawn[2]


def test_a_question_that_is_too_long_is_refused(tiny_run: Path) -> None:
    with pytest.raises(ModelError, match="more than the model can read"):
        chat.answer_question(chat.open_student(tiny_run, CPU), "کتاب " * 3000)


def test_a_run_without_a_model_says_so(tmp_path: Path) -> None:
    with pytest.raises(AlifError, match="no model yet"):
        chat.open_student(tmp_path, CPU)
