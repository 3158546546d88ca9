"""Replay that the base's own sibling writes: through an address, or by a model that runs here."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from alif.data.mixture.replay import sample_replay
from alif.data.mixture.self_replay import SELF
from alif.llm import Message, ScriptedReply
from alif.records import Counts
from alif.runs import StepContext
from alif.settings import Replay, Sources, StudentSettings, Teacher, Translate
from tests.data.conftest import LANGUAGE, rows_of, run_work
from tests.fake_provider import serve_provider

ANSWERS = {
    "Name a river.": ScriptedReply(text="The Indus is a river."),
    "Name a town.": ScriptedReply(text="The town is", finish="length"),
    "Name a hill.": ScriptedReply(text="I'm sorry, but I can't help with that."),
    "Name a lake.\n\nIn Pakistan.": ScriptedReply(text="<think>Hm.</think>\n\nManchar is a lake there."),
    "Name a fruit.": ScriptedReply(text="آم ایک مزیدار پھل ہے جو گرمیوں میں ملتا ہے۔"),
}


def answer(messages: Sequence[Message], draw: int) -> ScriptedReply:
    return ANSWERS[messages[-1].content]


def run(
    context: StepContext, folder: Path, model: Teacher | StudentSettings, name: str = "sibling"
) -> Counts:
    rows = [
        {
            "instruction": prompt.partition("\n")[0],
            "input": prompt.partition("\n\n")[2],
            "output": "An old answer.",
        }
        for prompt in ANSWERS
    ]
    (folder / "prompts.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    replay = Replay(
        source=(SELF,), prompts=("prompts.jsonl",), rows=9, model=name, licence="CC0", max_new_tokens=64
    )
    return run_work(
        sample_replay, context, LANGUAGE, Sources(folder=str(folder)), replay, Translate(), {name: model}
    )


def test_a_teacher_answers_the_prompts_and_what_is_no_answer_is_dropped(
    context: Callable[..., StepContext], tmp_path: Path
) -> None:
    step = context("replay")
    with serve_provider(answer) as server:
        teacher = Teacher(model="m", base_url=server.address, usd_per_million_in=0, usd_per_million_out=0)
        counts = run(step, tmp_path, teacher)
        assert run(context("replay", run="run"), tmp_path, teacher).kept == counts.kept
        assert len(server.served) == len(ANSWERS), "stored replies are not asked for again"
    assert counts.kept == 2
    assert dict(counts.dropped) == {"refusal": 1, "truncated": 1, "wrong_language": 1}
    found = {row["instruction"]: row for row in rows_of(step.folder)}
    assert found["Name a river."]["output"] == "The Indus is a river."
    assert found["Name a lake."]["output"] == "Manchar is a lake there."
    origin = found["Name a river."]["origin"]
    assert (origin["kind"], origin["strategy"], origin["model"], origin["licence"]) == (
        "replay",
        SELF,
        "m",
        "CC0",
    )
    assert len(origin["parents"]) == 1


def test_a_model_that_runs_here_answers_them(context: Callable[..., StepContext], tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from alif.settings import Tiny
    from alif.student import tiny

    tokenizer = tiny.train_tokenizer([*ANSWERS, "The Indus is a river."] * 3, 320)
    for part in (tiny.build_tiny(Tiny(width=32, feed_forward=48), tokenizer), tokenizer):
        part.save_pretrained(tmp_path / "model")
    name = str(tmp_path / "model")
    step = context("replay", device="cpu")
    counts = run(step, tmp_path, StudentSettings(base=name), name)
    assert counts.rows_in == len(ANSWERS) == counts.kept + sum(counts.dropped.values())
    assert sum(1 for path in step.scratch.glob("answers-*.jsonl")) == 1
