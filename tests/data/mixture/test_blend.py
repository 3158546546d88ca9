"""The mixture: sums that add up, no row twice, no prompt on both sides, no question of a test in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alif import settings
from alif.data.mixture.blend import build_blend
from alif.errors import DataError, RecipeError
from alif.language import text
from alif.language.pack import Pack, load_pack
from alif.records import Counts, Example
from alif.runs import StepContext
from tests.data.conftest import LANGUAGE, row, rows_of, run_work

PARTS = {name: settings.Part() for name in ("generate", "translate", "replay")}


def reviewed() -> list[Example]:
    """Rows whose prompts are no near-duplicates of each other."""
    made = [row("qa", f"سوال{n} کا جواب{n} کیا{n} ہے؟", f"جواب {n}") for n in range(40)]
    return made + [row("qa", f"ترجمہ{n} کا مطلب{n} کہیے", f"ترجمہ {n}", kind="translated") for n in range(20)]


def replayed() -> list[Example]:
    return [
        row("other", f"What is{n} question{n}?", f"answer {n}", kind="replay", language="en")
        for n in range(10)
    ]


def run(
    step: StepContext,
    folder: Path | str = "",
    parts: dict[str, settings.Part] | None = None,
    validation: float = 0.1,
    tables: dict[str, settings.BenchmarkTable] | None = None,
    translated_from: dict[str, settings.Translate] | None = None,
    **benchmarks: Any,
) -> Counts:
    return run_work(
        build_blend,
        step,
        language=LANGUAGE,
        sources=settings.Sources(folder=str(folder)),
        blend=parts or PARTS,
        split=settings.Split(validation_share=validation),
        benchmarks=settings.Benchmarks.model_validate(benchmarks),
        decontaminated=tables or {},
        translated_from=translated_from,
    )


@pytest.fixture
def step(context: Callable[..., StepContext]) -> StepContext:
    return context("blend", {"review": reviewed(), "replay": replayed()})


def test_parts_are_the_steps_rows_and_each_has_validation_rows(step: StepContext) -> None:
    counts = run(step)
    assert (counts.kept, counts.dropped, counts.facts["held_out"]) == (70, {}, 7)
    assert {name: part["validation"] for name, part in counts.facts["parts"].items()} == {
        "generate": 4,
        "translate": 2,
        "replay": 1,
    }
    assert [one["id"] for one in rows_of(step.folder)] == [one.id for one in [*reviewed(), *replayed()]]


def test_no_prompt_stands_on_both_sides(context: Callable[..., StepContext], own: Pack) -> None:
    twice = [row("qa", f"سوال نمبر {n}", f"جواب {m}") for n in range(30) for m in range(3)]
    twice += [row("qa", f"سوال نمبر ۲{n}؟", "ایک اور", kind="translated") for n in range(9)]
    step = context("blend", {"review": twice, "replay": []})
    run(step, validation=0.3)
    held = {one["id"] for one in rows_of(step.folder, "held_out")}
    prompts: dict[bool, set[str]] = {True: set(), False: set()}
    for one in rows_of(step.folder):
        prompts[one["id"] in held].add(text.fold_text(one["instruction"], own))
    assert prompts[True]
    assert prompts[False]
    assert not prompts[True] & prompts[False]


def test_a_row_is_there_once_and_a_cap_draws_by_lot(step: StepContext, tmp_path: Path) -> None:
    same = [one.model_dump(mode="json") for one in reviewed()[:3]]
    other = [{"instruction": f"نیا سوال نمبر {n}", "output": "نیا جواب"} for n in range(9)]
    (tmp_path / "set.jsonl").write_text(
        "\n".join(json.dumps(one, ensure_ascii=False) for one in [*same, *other, *other]), encoding="utf-8"
    )
    parts = {
        "generate": settings.Part(rows=30),
        "more": settings.Part(source=("set.jsonl",), licence="CC0-1.0"),
    }
    counts = run(step, tmp_path, parts)
    assert counts.facts["parts"]["generate"]["drawn"] == 30
    assert counts.dropped["duplicate"] >= 9
    rows = rows_of(step.folder)
    assert len({one["id"] for one in rows}) == len(rows) == counts.kept
    more = [one for one in rows if one["origin"]["kind"] == "source"]
    assert {one["origin"]["licence"] for one in more} == {"CC0-1.0"}
    assert {one["language"] for one in more} == {"ur"}


def test_a_part_without_a_source_that_is_no_step_is_refused(step: StepContext) -> None:
    with pytest.raises(RecipeError, match=r"blend\.alpaca: no source"):
        run(step, parts={"alpaca": settings.Part()})


def test_questions_of_the_test_set_and_of_benchmarks_are_dropped(
    context: Callable[..., StepContext], own: Pack, tmp_path: Path
) -> None:
    first = rows_of(own.folder, "test")[0]
    copied = row("generation", first["instruction"].replace("ی", "ي") + "!!", "کچھ", first["input"])
    question = "Which of these animals lays eggs in the sand of a warm beach at night and swims away?"
    (tmp_path / "bench.jsonl").write_text(
        json.dumps({"question": question, "choices": ["a", "b"], "gold": 0}), encoding="utf-8"
    )
    inside = row("qa", f"Tell me: {question}", "the turtle", kind="replay", language="en")
    alike = row(
        "qa", "Which of these animals lays eggs in the sand?", "the turtle", kind="replay", language="en"
    )
    step = context("blend", {"review": [copied, *reviewed()], "replay": [inside, alike]})
    counts = run(step, tmp_path, multiple_choice="bench.jsonl")
    assert dict(counts.dropped) == {"contaminated": 2}
    evidence = [one["evidence"] for one in rows_of(step.folder, "dropped")]
    assert evidence[0] == "the prompt of test#1"
    assert evidence[1].startswith("13 words of bench.en#1: which of these")
    assert alike.id in {one["id"] for one in rows_of(step.folder)}


def test_questions_of_a_benchmark_with_columns_of_its_own_are_dropped(
    context: Callable[..., StepContext], tmp_path: Path
) -> None:
    (tmp_path / "sums.jsonl").write_text(json.dumps({"q": "سات اور پانچ؟", "a": "12"}), encoding="utf-8")
    columns = {"question": "q", "final": "a"}
    table = settings.BenchmarkTable(form="number", files=("sums.jsonl",), columns=columns)
    step = context(
        "blend", {"review": [row("qa", "سات اور پانچ؟", "بارہ"), *reviewed()], "replay": replayed()}
    )
    assert dict(run(step, tmp_path, tables={"sums": table}).dropped) == {"contaminated": 1}
    assert rows_of(step.folder, "dropped")[0]["evidence"] == "the prompt of sums#1"


def test_questions_of_the_packs_are_dropped(context: Callable[..., StepContext]) -> None:
    asked = rows_of(load_pack("en").folder, "choices")[0]
    copied = row("qa", asked["question"].upper(), "It may crack.", kind="replay", language="en")
    step = context("blend", {"review": reviewed(), "replay": [copied]})
    assert dict(run(step, multiple_choice="pack").dropped) == {"contaminated": 1}
    (dropped,) = rows_of(step.folder, "dropped")
    assert dropped["evidence"] == "the prompt of pack_choices.en#en-choice-001"


def test_nothing_written_for_the_demo_is_in_its_test_set(
    context: Callable[..., StepContext], own: Pack
) -> None:
    from tests.data.conftest import triples

    rows = [
        row(name, one["instruction"], one["output"], one["input"])
        for name, one in triples(own, "demo/candidates/*.jsonl")
    ]
    step = context("blend", {"review": rows, "replay": []})
    assert run(step).dropped == {}


def test_a_share_is_of_the_tokens_and_is_drawn_last(step: StepContext) -> None:
    parts = {"replay": settings.Part(share=0.04), "generate": settings.Part(), "translate": settings.Part()}
    found = run(step, parts=parts).facts["parts"]
    tokens = {name: part["tokens"] + part["validation_tokens"] for name, part in found.items()}
    assert 0.04 <= tokens["replay"] / sum(tokens.values()) < 0.05
    assert 0 < found["replay"]["drawn"] < 10
    assert found["generate"]["drawn"] == 40
    assert [one["language"] for one in rows_of(step.folder)][: found["replay"]["drawn"]] == ["en"] * found[
        "replay"
    ]["drawn"]


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"generate": {}, "replay": {"share": 0.9}}, r"blend\.replay\.share = 0\.9: .* its 10 rows have"),
        ({"generate": {"share": 0.5}, "replay": {"share": 0.5}}, "nothing is left of the mixture"),
        ({"generate": {"share": 0.5}}, "nothing is left of the mixture"),
    ],
)
def test_a_share_that_cannot_be_met_is_refused(
    step: StepContext, parts: dict[str, dict[str, Any]], said: str
) -> None:
    with pytest.raises(RecipeError, match=said):
        run(step, parts={name: settings.Part.model_validate(part) for name, part in parts.items()})


def test_a_part_is_repeated_in_several_wordings_and_validation_is_not(step: StepContext) -> None:
    wordings = ("{instruction}", "اردو میں جواب دیجیے: {instruction}")
    parts = {"generate": settings.Part(repeat=3, wordings=wordings), "replay": settings.Part()}
    counts = run(step, parts=parts)
    assert counts.kept == 50
    held = {one["id"] for one in rows_of(step.folder, "held_out")}
    made = [one for one in rows_of(step.folder) if one["language"] == "ur"]
    assert len(made) == 36 * 3 + 4
    assert all(one["instruction"].startswith("سوال") for one in made if one["id"] in held)
    begun = [one["instruction"].startswith("اردو") for one in made if one["id"] not in held]
    assert 30 < sum(begun) < 80
    edited = next(one for one in made if one["instruction"].startswith("اردو"))
    assert edited["origin"]["parents"]


def test_rows_that_were_translated_from_a_question_are_dropped(
    context: Callable[..., StepContext], tmp_path: Path
) -> None:
    question = "Natalia sold clips to 48 of her friends in April, and then half as many clips in May."
    original = {"question": question, "answer": "72 #### 72"}
    (tmp_path / "gsm8k.jsonl").write_text(json.dumps(original), encoding="utf-8")
    asked = {"question": "نتالیہ نے اپریل میں اڑتالیس کلپ بیچے۔ کل کتنے؟", "final": "72"}
    (tmp_path / "mgsm.jsonl").write_text(json.dumps(asked, ensure_ascii=False), encoding="utf-8")
    told = {"instruction": question, "output": "72"}
    sources = [told, {"instruction": "Name a fruit.", "output": "An apple."}]
    (tmp_path / "alpaca.jsonl").write_text("\n".join(map(json.dumps, sources)), encoding="utf-8")
    rows = [row("qa", f"ترجمہ شدہ سوال {n}", f"جواب {n}", kind="translated") for n in (1, 2)]
    rows = [
        one.model_copy(update={"origin": one.origin.model_copy(update={"source": f"alpaca#{n}"})})
        for n, one in enumerate(rows, 1)
    ]
    replay = row("other", question, "72", kind="replay", language="en")
    step = context("blend", {"review": [*rows, *reviewed()], "replay": [replay]})
    table = settings.BenchmarkTable(form="number", files=("mgsm.jsonl",), original=("gsm8k.jsonl",))
    translate = settings.Translate(source=("alpaca.jsonl",), rows=2)
    counts = run(step, tmp_path, tables={"mgsm": table}, translated_from={"translate": translate})
    assert dict(counts.dropped) == {"contaminated": 2}
    assert counts.facts["contaminated"] == {"mgsm": 2}
    evidence = [one["evidence"] for one in rows_of(step.folder, "dropped")]
    assert evidence == ["the prompt of mgsm#original 1, in alpaca#1", "the prompt of mgsm#original 1"]
    assert rows_of(step.folder, "dropped")[0]["nearest"]["text"] == question


def test_a_source_of_unknown_licence_and_a_row_of_a_megabyte_are_told_and_kept(
    step: StepContext, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = " ".join(f"گاؤں نمبر {n} کے دریا پر ایک پرانا پل ہے۔" for n in range(17_000))
    rows = [
        {"instruction": f"خلاصہ لکھیے: {words}", "output": "خلاصہ"},
        {"instruction": "گیت گائیے", "output": "لا"},
    ]
    (tmp_path / "set.jsonl").write_text(
        "\n".join(json.dumps(one, ensure_ascii=False) for one in rows), encoding="utf-8"
    )
    counts = run(step, tmp_path, {"more": settings.Part(source=("set.jsonl",))}, validation=0.5)
    assert (counts.rows_in, counts.kept, counts.facts["held_out"]) == (2, 2, 1)
    assert "2 of unknown licence: set blend.more.licence" in capsys.readouterr().err


def test_a_source_in_another_encoding_is_a_sentence_with_its_line(step: StepContext, tmp_path: Path) -> None:
    (tmp_path / "set.jsonl").write_bytes('{"instruction": "caf\u00e9", "output": "x"}'.encode("latin-1"))
    with pytest.raises(DataError, match=r"set\.jsonl:1: not UTF-8"):
        run(step, tmp_path, {"more": settings.Part(source=("set.jsonl",))})
