"""Chat: commands and memory on a terminal, single questions from a pipe, a sentence without torch."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
import time
from pathlib import Path

import pytest

from alif.errors import MissingExtra
from alif.release import chat
from alif.release.conversation import Conversation, open_student
from tests.release.conftest import CPU


def test_each_piped_line_is_a_question_of_its_own(
    exported: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("سلام\n\n  لاہور کہاں ہے؟  \nسلام\n/quit\nنہیں\n"))
    chat.chat_loop(exported, as_json=True)
    turns = json.loads(capsys.readouterr().out)["turns"]
    assert [turn["question"] for turn in turns] == ["سلام", "لاہور کہاں ہے؟", "سلام"]
    assert turns[0]["answer"] == turns[2]["answer"]


def test_one_question_prints_one_answer(exported: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chat.chat_loop(exported, "سلام")
    out = capsys.readouterr().out
    chat.print_answer(Conversation(open_student(exported, CPU), "alpaca").ask("سلام"))
    assert out == capsys.readouterr().out
    assert "\u2067" not in out


def test_on_a_terminal_turns_are_remembered_until_a_command_clears_them(
    tiny_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    conversation = Conversation(open_student(tiny_run, CPU), max_new_tokens=4)
    lines = iter(["سلام", "", "کیسے ہو؟", "/system  مختصر جواب دیں۔ ", "/wrong", "پانی", "/quit", "نہیں"])
    answered = chat.answer_lines(conversation, lines, remember=True)
    assert next(answered)[0] == "سلام"
    assert next(answered)[0] == "کیسے ہو؟"
    assert len(conversation.turns) == 4
    assert next(answered)[0] == "پانی"
    assert len(conversation.turns) == 2
    assert conversation.system == "مختصر جواب دیں۔"
    assert list(answered) == []
    said = capsys.readouterr().err
    assert "with a system prompt" in said
    assert "/wrong: no such command" in said
    assert list(chat.answer_lines(conversation, iter(["/new"]), remember=True)) == []
    assert conversation.turns == []
    assert conversation.system


def test_a_terminal_shows_a_prompt_and_isolated_answers(exported: Path) -> None:
    (exported.parent / "runs").mkdir()
    (exported.parent / "runs" / "tiny").symlink_to(exported)
    master, terminal = pty.openpty()
    command = [sys.executable, "-m", "alif", "chat", "tiny"]
    child = subprocess.Popen(command, cwd=exported.parent, stdin=terminal, stdout=terminal, stderr=terminal)
    os.close(terminal)
    os.write(master, "سلام\n/new\n/quit\n".encode())
    said = b""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            said += os.read(master, 4096)
        except OSError:  # the child has closed its side
            break
    os.close(master)
    assert child.wait(30) == 0
    text = said.decode()
    for part in ("/system TEXT", "you", "answer", "A new conversation"):
        assert part in text


def test_a_line_that_is_repeated_many_times_is_printed_once(capsys: pytest.CaptureFixture[str]) -> None:
    chat.print_answer("استدلال:\n" + "جواب:\n" * 50 + "a\na\na")
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["استدلال:", "جواب:", "[repeated 49 times]", "a", "a", "a"]


def test_without_torch_the_extra_is_named(tiny_run: Path) -> None:
    """In a process where torch, transformers and peft cannot be imported, as after a plain `pip install`."""
    script = (
        "import sys; from pathlib import Path\n"
        "sys.modules |= dict.fromkeys(('torch', 'transformers', 'peft'))\n"
        "from alif.errors import MissingExtra; from alif.release import chat\n"
        "try: chat.chat_loop(Path(sys.argv[1]), 'x')\n"
        "except MissingExtra as error: print(error)"
    )
    found = subprocess.run(
        [sys.executable, "-c", script, str(tiny_run)], capture_output=True, text=True, check=True
    )
    assert found.stdout == f"{MissingExtra('alif chat', 'train')}\n"
