"""A conversation: earlier turns are encoded as in training; the oldest are dropped when it is too long."""

from __future__ import annotations

from pathlib import Path

import pytest

from alif.errors import AlifError, ModelError
from alif.records import Message
from alif.release.conversation import Conversation, open_student
from alif.student import Student, write_prompt
from alif.student.adapter import latest_adapter
from tests.release.conftest import CPU


@pytest.fixture(scope="module")
def student(tiny_run: Path) -> Student:
    return open_student(tiny_run, CPU)


def test_earlier_turns_and_the_system_prompt_are_in_the_prompt(student: Student) -> None:
    conversation = Conversation(student, system="مختصر جواب دیں۔", max_new_tokens=8)
    first = conversation.ask("سلام")
    assert conversation.turns == [
        Message(role="user", content="سلام"),
        Message(role="assistant", content=first),
    ]
    turns = [Message(role="system", content="مختصر جواب دیں۔"), *conversation.turns]
    expected = write_prompt("لاہور کہاں ہے؟", "", "auto", student.tokenizer, turns)
    assert student.tokenizer.decode(conversation._encode("لاہور کہاں ہے؟")) == expected
    conversation.clear()
    assert "سلام" not in student.tokenizer.decode(conversation._encode("لاہور کہاں ہے؟"))


def test_the_oldest_turns_are_dropped_when_the_conversation_is_longer_than_the_model_reads(
    student: Student,
) -> None:
    limit = student.model.config.max_position_embeddings
    conversation = Conversation(student, max_new_tokens=4)
    for number in range(8):
        conversation.ask(f"{number} " + "کتاب " * (limit // 8))
    assert 0 < len(conversation.turns) < 16
    assert conversation.turns[-2].content.startswith("7 ")
    assert len(conversation._encode("?")) <= limit


def test_a_question_that_is_too_long_is_refused(student: Student) -> None:
    with pytest.raises(ModelError, match="more than the model can read"):
        Conversation(student).ask("کتاب " * 3000)


def test_sampling_is_seeded_and_each_question_has_a_seed_of_its_own(student: Student) -> None:
    def answers(seed: int) -> list[str]:
        conversation = Conversation(student, temperature=1.0, seed=seed, max_new_tokens=24)
        return [conversation.ask("سلام"), conversation.ask("سلام")]

    assert answers(1) == answers(1)
    assert answers(1)[0] != answers(2)[0]


def test_an_unfinished_run_answers_with_its_adapter(
    tiny_run: Path, exported: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = [
        Conversation(open_student(run, CPU), max_new_tokens=4).ask("سلام") for run in (tiny_run, exported)
    ]
    assert "finetune model" in capsys.readouterr().err
    assert found[0][:1] == found[1][:1]


def test_a_third_stage_answers_where_it_ran(tiny_run: Path, tmp_path: Path) -> None:
    for name in ("base", "finetune"):
        (tmp_path / name).symlink_to(tiny_run / name)
    (tmp_path / "prefer").mkdir()
    folders = {name: tmp_path / name for name in ("base", "pretrain", "finetune", "prefer")}
    assert latest_adapter(folders) == tmp_path / "finetune" / "adapter"
    (tmp_path / "prefer" / "adapter").symlink_to(tiny_run / "finetune" / "adapter")
    assert latest_adapter(folders) == tmp_path / "prefer" / "adapter"
    assert latest_adapter({"base": tmp_path / "base"}) is None


def test_a_run_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AlifError, match="no model yet"):
        open_student(tmp_path, CPU)
