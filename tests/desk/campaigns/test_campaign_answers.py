"""Answers of either shape; what is missing, doubled or no answer is told with its line."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from alif.desk.campaigns.campaign_answers import sample_prompts
from alif.desk.campaigns.campaign_plan import read_plan
from alif.errors import DataError
from alif.runs import Run
from tests.desk.campaigns.made_campaign import SOURCES, answer_lines, write_plan


def sample(folder: Path, lines: list[dict[str, Any]] | None = None, **plan: Any) -> Any:
    return sample_prompts(read_plan(write_plan(folder, lines, **plan))[0], Run(folder / "run"), "ur")


def test_the_sample_is_the_same_each_time_and_spread_over_tasks(tmp_path: Path) -> None:
    found = sample(tmp_path, answer_lines(40), n=20)
    assert Counter(one.task for one in found.prompts) == {"qa": 10, "reasoning": 10}
    assert all(set(one.answers) == set(SOURCES) for one in found.prompts)
    assert found == sample(tmp_path, answer_lines(40)[::-1], n=20)._replace(prompts=found.prompts)
    other = answer_lines(40)
    other[0]["output"] += "!"
    assert sample(tmp_path, other, n=40).digest != sample(tmp_path, answer_lines(40), n=40).digest


def test_questions_with_the_answers_of_all_systems_are_read_too(tmp_path: Path) -> None:
    row = {"id": "q1", "task": "qa", "language": "ur", "instruction": "سوال", "input": "", "reference": "x",
           "sample": True, "marks": {},
           "answers": {name: f"جواب {name}" for name in (*SOURCES, "other")}}  # fmt: skip
    path = tmp_path / "run" / "evaluate" / "answers.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(row) + "\n", encoding="utf-8")
    found = sample(tmp_path, answers="evaluate", n=1)
    assert found.prompts[0].answers[SOURCES[1]].output == f"جواب {SOURCES[1]}"


def test_prompts_that_a_source_left_out_are_counted(tmp_path: Path) -> None:
    found = sample(tmp_path, answer_lines(12)[:-1], n=11)
    assert (found.complete, found.left_out) == (11, 1)
    with pytest.raises(DataError, match="n = 12, but 11 prompts"):
        sample(tmp_path, answer_lines(12)[:-1], n=12)


def test_faults_are_told_with_their_line(tmp_path: Path) -> None:
    lines = answer_lines(12)
    with pytest.raises(
        DataError, match=r"answers\.jsonl:37: zebra-teacher answers the prompt p0 a second time"
    ):
        sample(tmp_path, [*lines, lines[0]])
    with pytest.raises(DataError, match=r"answers\.jsonl:1: output: "):
        sample(tmp_path, [{**lines[0], "output": 3}, *lines[1:]])
    with pytest.raises(DataError, match="no answer of yak"):
        sample(tmp_path, lines, sources=["zebra-teacher", "yak"])
    with pytest.raises(DataError, match="alif estimate --compare run"):
        sample(tmp_path, lines, answers="teachers")
    with pytest.raises(DataError, match="no such file"):
        sample(tmp_path, lines, answers="nowhere.jsonl")
