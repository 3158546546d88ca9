"""Translated rows: whole triples and exercises from sentences; protected text is checked in the reply."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from alif.data.translation import translate as room
from alif.data.translation.translate import TranslationItem, translate_rows
from alif.errors import ReplyError
from alif.facts.data_facts import TranslateFacts
from alif.language.pack import Pack
from alif.llm import Reply, parse
from alif.llm.ledger import Ledger
from alif.records import Counts, Dropped, Example
from alif.runs import StepContext
from alif.settings import Sources, Teacher, Translate
from tests.data.conftest import LANGUAGE, SCRIPTED, row, rows_of, run_work


def run(context: StepContext, folder: Path | str = "", teacher: Any = SCRIPTED, **settings: Any) -> Counts:
    return run_work(
        translate_rows,
        context,
        LANGUAGE,
        Sources(folder=str(folder)),
        teacher,
        Translate.model_validate(settings),
    )


def test_the_pack_s_rows_come_back_translated_or_with_a_reason(
    context: Callable[..., StepContext], own: Pack, known: Pack
) -> None:
    step = context("translate")
    counts = run(step, rows=70)
    assert counts.kept + sum(counts.dropped.values()) == 70 == counts.rows_in - counts.not_sampled
    assert counts.kept >= 55
    assert {"copies_prompt", "lost_number"} == counts.dropped.keys()
    english = {values["instruction"] for values in rows_of(known.folder / "demo", "rows")}
    for found in rows_of(step.folder):
        assert found["language"] == "ur"
        assert found["instruction"] not in english
        assert found["origin"]["kind"] == "translated"
        assert len(found["origin"]["parents"]) == 1


def test_rows_are_translated_back_by_another_teacher_and_rewritten(
    context: Callable[..., StepContext], own: Pack, known: Pack
) -> None:
    plain, whole = context("translate", run="plain"), context("translate", run="whole")
    kept = run(plain, rows=70).kept
    teachers = {**SCRIPTED, "other": Teacher(model="other", base_url="scripted", max_tokens=2048)}
    counts = run(whole, teacher=teachers, rows=70, rewrite=True, back_translator="other")
    facts = TranslateFacts.model_validate(counts.facts)
    back = facts.back_translation
    assert back is not None
    assert (facts.rewritten, back.rows, back.unread, back.flagged) == (kept, kept, 0, 0)
    assert back.chrf == 100, "the offline teacher knows the originals"
    assert {row["origin"]["strategy"] for row in rows_of(whole.folder)} == {"rewritten"}
    assert {row["origin"]["teacher"] for row in rows_of(whole.folder)} == {"scripted"}
    assert len(rows_of(whole.folder, "back_translations")) == kept
    with closing(Ledger(whole.ledger)) as ledger:
        assert ledger.account().attempts == 70 + 2 * kept


def test_no_rows_need_no_teacher(context: Callable[..., StepContext]) -> None:
    assert run(context("translate"), teacher={}, rows=0).rows_in == 0


def test_a_draw_by_lot_is_the_same_again(context: Callable[..., StepContext]) -> None:
    steps = [context("translate", run=name) for name in ("one", "two")]
    for step in steps:
        run(step, rows=20)
    assert (steps[0].folder / "examples.jsonl").read_bytes() == (
        steps[1].folder / "examples.jsonl"
    ).read_bytes()


def test_a_step_done_again_reads_what_is_stored_as_today_and_asks_nobody(
    context: Callable[..., StepContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    step = context("translate")
    with monkeypatch.context() as earlier:
        earlier.setitem(parse.FINISHES, "stop", "eos")
        with pytest.raises(ReplyError, match="16 of 16 replies are cut off, finish: eos"):
            run(step, rows=20)  # an alif that does not know the provider's word for the end
    again = run(context("translate"), rows=20)
    assert again.kept >= 15
    with closing(Ledger(step.ledger)) as ledger:
        assert ledger.account().attempts == 20


def test_sentences_become_exercises_answered_from_the_phrasebook(
    context: Callable[..., StepContext], tmp_path: Path, own: Pack
) -> None:
    pairs = [
        {"id": str(n), "en": f"The bridge number {n} is closed today.", "ur": f"پل نمبر {n} آج بند ہے۔"}
        for n in range(40)
    ]
    lines = [json.dumps(pair, ensure_ascii=False) for pair in [*pairs, {"id": "x", "en": ""}, {"id": "y"}]]
    (tmp_path / "pairs.jsonl").write_text("\n".join([*lines, "{half"]), encoding="utf-8")
    teacher = {"s": Teacher(model="scripted", base_url="scripted", parallel_files=("pairs.jsonl",))}
    step = context("translate")
    counts = run(step, tmp_path, teacher, source=("pairs.jsonl",), rows=100)
    assert counts.kept + counts.dropped["lost_number"] == 40
    assert (counts.dropped["unparsable"], counts.dropped["missing_field"], counts.dropped["empty"]) == (
        1,
        1,
        1,
    )
    carriers = {carrier for task in own.tasks.values() for carrier in task.request_templates}
    for found in rows_of(step.folder):
        number = found["origin"]["source"].removeprefix("pairs#")
        assert found["task"] == "translation"
        assert found["instruction"] in carriers
        assert found["input"] == pairs[int(number)]["en"]
        assert found["output"] == pairs[int(number)]["ur"]
    assert len({found["instruction"] for found in rows_of(step.folder)}) > 3


def back(
    own: Pack, known: Pack, text: str, finish: str = "stop", wanted: TranslationItem | None = None
) -> Example | Dropped:
    reply = Reply(text=text, finish=finish, model="m", request="r", tokens_in=1, tokens_out=1, cost_usd=0.0)
    return room.read_translation(wanted or ROW, "t", reply, own, known)


ROW = TranslationItem(
    row(
        "qa",
        "How do I run `make demo` on 2 cores?",
        "Open https://alif.example/run and write to help@alif.example.",
        "In 1,500 ms.",
        "source",
        language="en",
    )
)
FINE = (
    "Instruction: میں `make demo` کو 2 کور پر کیسے چلاؤں؟\nInput: ۱۵۰۰ ملی سیکنڈ میں۔\n"
    "Output: https://alif.example/run کھولیے اور help@alif.example پر لکھیے۔"
)


def test_a_translation_that_keeps_what_it_must_is_kept(own: Pack, known: Pack) -> None:
    found = back(own, known, FINE)
    assert isinstance(found, Example), found
    assert found.origin.parents == (ROW.row.id,)
    assert (found.language, found.task) == ("ur", "qa")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("`make demo`", "ڈیمو"), "lost_code"),
        (("https://alif.example/run", "ویب گاہ"), "lost_code"),
        (("help@alif.example", "ہمیں"), "lost_code"),
        (("۱۵۰۰", "۱۵۰"), "lost_number"),
        (("کو 2 کور", "کو 4 کور"), "lost_number"),
        (("Input: ۱۵۰۰ ملی سیکنڈ میں۔", "Input: <noinput>"), "missing_field"),
        (
            ("میں `make demo` کو 2 کور پر کیسے چلاؤں؟", "How do I run `make demo` on 2 cores?"),
            "copies_prompt",
        ),
        (
            ("میں `make demo` کو 2 کور پر کیسے چلاؤں؟", "Main `make demo` ko 2 cores par kaise chalaun?"),
            "wrong_language",
        ),
        (("Output:", "Nothing:"), "missing_field"),
        ((FINE, "معذرت"), "unparsable"),
        ((FINE, f"{FINE}\n###\n{FINE}"), "unparsable"),
        ((FINE, ""), "empty"),
    ],
)
def test_what_is_lost_on_the_way_is_named(
    own: Pack, known: Pack, change: tuple[str, str], reason: str
) -> None:
    found = back(own, known, FINE.replace(*change))
    assert isinstance(found, Dropped)
    assert found.reason == reason


def test_a_sentence_cut_off_is_no_translation(own: Pack, known: Pack) -> None:
    wanted = TranslationItem(
        row("translation", "c", "", "The bridge is closed.", "source", language="en"), "c"
    )
    found = back(own, known, "پل بند", "length", wanted)
    assert isinstance(found, Dropped)
    assert found.reason == "truncated"
    for reply in ("پل بند ہے۔", "<think>\nThe bridge…\n</think>\n\nپل بند ہے۔"):
        kept = back(own, known, reply, "stop", wanted)
        assert isinstance(kept, Example)
        assert (kept.instruction, kept.input, kept.output) == ("c", "The bridge is closed.", "پل بند ہے۔")
    silent = back(own, known, "<think>\nThe bridge…\n</think>", "stop", wanted)
    assert isinstance(silent, Dropped)
    assert silent.reason == "empty"


@pytest.mark.shared
def test_real_sentence_pairs_are_rarely_dropped_falsely(own: Pack, known: Pack, shared_data: Path) -> None:
    """Professional translations instead of a teacher's: a drop is a false alarm, or a fault of the data."""
    from alif import sources

    found = []
    for pair in sources.read_pairs(("parallel/ntrex.en-ur.jsonl.gz",), str(shared_data), "en", "ur"):
        assert isinstance(pair, sources.Pair)
        found.append(
            back(
                own,
                known,
                pair.own,
                "stop",
                TranslationItem(row("translation", "c", "", pair.known, "source", language="en"), "c"),
            )
        )
    reasons = [one.reason for one in found if isinstance(one, Dropped)]
    assert len(found) > 1000
    assert len(reasons) < 0.06 * len(found), {reason: reasons.count(reason) for reason in set(reasons)}
