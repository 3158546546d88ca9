"""The model's process: answers grow, a stop ends them, and it ends when its input does."""

from __future__ import annotations

import io
import json
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

from alif.release.chat_worker import answer_questions


def question(text: str, max_tokens: int, *, system: str = "") -> str:
    said = [("system", system)] * bool(system) + [("user", "سلام"), ("assistant", "سلام!"), ("user", text)]
    messages = [{"role": role, "content": content} for role, content in said]
    return json.dumps({"messages": messages, "temperature": 0.0, "max_tokens": max_tokens, "seed": 1}) + "\n"


def test_questions_are_answered_one_after_the_other_and_what_is_too_long_is_told(tiny_run: Path) -> None:
    long = question("کتاب " * 3000, 4)
    source = io.StringIO(question("لاہور کہاں ہے؟", 4) + long + question("اور کراچی؟", 4, system="مختصر"))
    told = list(answer_questions(tiny_run, source))
    assert told[0] == {"ready": "tiny"}
    ends = [one for one in told[1:] if "text" not in one]
    assert [next(iter(one)) for one in ends] == ["done", "error", "done"]
    assert "more than the model can read" in ends[1]["error"]


def test_a_stop_ends_an_answer_as_far_as_it_is(tiny_run: Path) -> None:
    reader, writer = os.pipe()
    with os.fdopen(reader, encoding="utf-8") as source, os.fdopen(writer, "w", encoding="utf-8") as target:
        told = answer_questions(tiny_run, source)
        assert "ready" in next(told)
        say(target, question("لکھتے جاؤ", 120))
        grown = [next(told)]
        say(target, json.dumps({"stop": True}) + "\n")
        while "text" in grown[-1]:
            grown.append(next(told))
        assert "done" in grown[-1]
        threading.Thread(target=target.close).start()
        rest: list[Mapping[str, str]] = list(told)
    assert rest == []


def say(target: TextIO, line: str) -> None:
    target.write(line)
    target.flush()


def test_a_run_without_a_model_says_so(tmp_path: Path, tiny_run: Path) -> None:
    (tmp_path / "recipe.toml").write_bytes((tiny_run / "recipe.toml").read_bytes())
    (told,) = answer_questions(tmp_path, io.StringIO(""))
    assert "no model yet" in told["error"]
