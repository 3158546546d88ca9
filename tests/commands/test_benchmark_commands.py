"""`alif benchmark`: pinning says what it cannot look up; translating asks two, keeps what people signed."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alif import store
from alif.benchmark_items import Item, read_items
from alif.cli import run_command
from alif.language.pack import load_pack
from alif.language.replies.item_format import read_items as read_written
from alif.language.replies.item_format import write_item
from alif.llm.chat_model import ScriptedReply
from alif.llm.demo_server import serve_demo
from alif.records import Message
from alif.settings import BenchmarkTable
from tests.hub_server import Hub, Repository

ROWS = [
    {
        "id": "1",
        "question": "What do lions eat?",
        "choices": ["grass from the field", "meat of animals"],
        "gold": 1,
    },
    {"id": "2", "question": "What is 2 + 3?", "choices": ["it is 5", "it is 6"], "gold": 0, "licence": "MIT"},
    {"id": "3", "question": "What is water?", "choices": ["a wet thing", "a dry thing"], "gold": 0},
]
ANSWERS = {
    "What do lions eat?": ("شیر کیا کھاتے ہیں؟", "A) کھیت کی گھاس\nB) جانوروں کا گوشت", "جانوروں کا گوشت"),
    "What is 2 + 3?": ("2 + 3 کتنے ہوتے ہیں؟", "A) یہ 5 ہیں\nB) یہ 6 ہیں", "یہ 5 ہیں"),
    "What is water?": ("پانی کیا ہے؟", "A) گیلی چیز\nB) خشک چیز", "گیلی چیز"),
}


@pytest.fixture
def asked() -> list[str]:
    return []


@pytest.fixture
def translate(document: Callable[..., Any], asked: list[str], tmp_path: Path) -> Any:
    """Return a function that translates questions.jsonl by two teachers, which disagree on two."""

    def reply(messages: list[Message], draw: int) -> ScriptedReply:
        asked.append(messages[-1].content)
        (item,) = read_written(messages[-1].content, "stop", load_pack("en"))
        question, choices, right = ANSWERS[item.instruction]  # type: ignore[union-attr]
        if "What is water?" in messages[-1].content and len([one for one in asked if one == asked[-1]]) == 2:
            choices = "A) گیلی چیز"  # one is lost
        elif "lions" in messages[-1].content and len([one for one in asked if one == asked[-1]]) == 2:
            question = "ببر شیروں کی خوراک کون سی چیز ہوا کرتی ہے؟"
        return ScriptedReply(text=write_item(question, choices, right))

    store.write_rows(tmp_path / "questions.jsonl", ROWS)
    with serve_demo(reply) as server:
        teachers = [
            *("--set", f'teacher.one={{model="m1", base_url="{server.address}"}}'),
            *("--set", f'teacher.two={{model="m2", base_url="{server.address}"}}'),
            *("--set", "teacher.scripted=false"),
            *("--set", "runtime.max_concurrency=1"),
        ]
        yield lambda *more: document(
            "benchmark", "translate", "questions.jsonl", "--pack", "ur", "--recipe", "demo", *teachers, *more
        )


def read(path: str) -> list[dict[str, Any]]:
    return [row for _, row in store.read_rows(Path(path))]


def test_two_translations_are_one_benchmark_and_disagreements_come_first(
    translate: Any, asked: list[str]
) -> None:
    told = translate()
    assert (told["questions"], told["provenance"]) == (3, "machine-translated, 0 of 3 checked by people")
    assert len(asked) == 6
    rows = {row["id"]: row for row in read(told["file"])}
    assert rows["1"]["choices"] == ["کھیت کی گھاس", "جانوروں کا گوشت"]
    assert (rows["1"]["gold"], rows["2"]["licence"], rows["2"]["provenance"]) == (
        1,
        "MIT",
        "machine-translated",
    )
    review = read(told["review"])
    assert [row["id"] for row in review] == ["3", "1", "2"]
    assert [row["agreement"] for row in review][::2] == [0, 1]
    assert "lost_structure: input: 1 of 2 list items" in review[0]["translations"].values()
    table = BenchmarkTable(form="choice", files=(str(Path(told["file"]).resolve()),))
    found = [one for one in read_items("q", table, "", load_pack("ur")) if isinstance(one, Item)]
    assert next((one.right, one.provenance) for one in found) == ("جانوروں کا گوشت", "machine-translated")
    task = json.loads(Path(told["lm_eval"]).read_text(encoding="utf-8"))
    assert (task["task"], task["output_type"], task["doc_to_target"]) == (
        "questions_ur",
        "multiple_choice",
        "gold",
    )
    assert Path(task["dataset_kwargs"]["data_files"]["test"]).is_file()


def test_the_same_command_again_is_free_and_keeps_what_people_signed(
    translate: Any, asked: list[str]
) -> None:
    told = translate()
    review = read(told["review"])
    review[1] |= {"question": "شیر کی خوراک کیا ہے؟", "checked_by": "Amna"}
    store.write_rows(Path(told["review"]), review)
    again = translate()
    assert len(asked) == 6
    assert again["provenance"] == "machine-translated, 1 of 3 checked by people"
    rows = {row["id"]: row for row in read(again["file"])}
    assert (rows["1"]["question"], rows["1"]["checked_by"]) == ("شیر کی خوراک کیا ہے؟", "Amna")
    assert read(again["review"])[1]["checked_by"] == "Amna"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("none.jsonl", "--pack", "ur", "--recipe", "demo"), "no benchmark of the recipe, and no file"),
        (("questions.jsonl", "--pack", "ur", "--recipe", "demo"), "two translators are needed"),
        (("questions.jsonl", "--pack", "xx", "--recipe", "demo"), "no such language pack"),
        (("questions.jsonl", "--pack", "ur", "--recipe", "demo", "--form", "essay"), "no file of form essay"),
    ],
)
def test_what_cannot_be_translated_is_a_sentence(
    arguments: tuple[str, ...], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store.write_rows(tmp_path / "questions.jsonl", ROWS)
    assert run_command(["benchmark", "translate", *arguments]) == 1
    assert told in capsys.readouterr().err


def test_pinning_prints_what_the_hub_has_today(stand_in_hub: Hub, document: Callable[..., Any]) -> None:
    for name in ("o/model", "o/set"):
        stand_in_hub.repositories[name] = Repository(private=False, commits=[name])
    found = document(
        *("benchmark", "pin", "demo"),
        *("--set", 'system={a={model="o/model"}, b={model="o/model", revision="1f"}}'),
        *("--set", 'benchmark.mgsm={form="number", hub="o/set"}'),
    )
    today = {name: one.sha for name, one in stand_in_hub.repositories.items()}
    assert found == {
        "revisions": {"benchmark.mgsm.revision": today["o/set"], "system.a.revision": today["o/model"]},
        "problems": {},
    }


def test_pinning_says_what_could_not_be_looked_up(
    monkeypatch: pytest.MonkeyPatch, document: Callable[..., Any]
) -> None:
    pytest.importorskip("huggingface_hub")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    found = document("benchmark", "pin", "urdu-8b-benchmarks", code=1)
    assert found["revisions"] == {}
    assert set(found["problems"]) >= {"benchmark.belebele", "benchmark.xnli", "system.qalb"}
    assert document("benchmark", "pin", "demo") == {"revisions": {}, "problems": {}}


def test_lm_eval_that_is_not_there_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    if importlib.util.find_spec("lm_eval"):
        pytest.skip("lm-eval is installed")
    assert run_command(["benchmark", "lm-eval", "model", "arc_easy"]) == 1
    assert "[lm-eval]" in capsys.readouterr().err
