"""Stage-1 text: cleaned, once, capped by source, held out by document, with every document accounted for."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from alif import store
from alif.data.corpus.build_corpus import build_corpus
from alif.errors import DataError
from alif.language.pack import Pack
from alif.records import Counts, Document
from alif.runs import StepContext
from alif.settings import Benchmarks, Corpus, Sources
from tests.data.conftest import LANGUAGE, rows_of, run_work


def run(context: StepContext, folder: Path | str = "", **settings: object) -> Counts:
    return run_work(
        build_corpus, context, LANGUAGE, Sources(folder=str(folder)), Corpus.model_validate(settings)
    )


def test_the_packs_articles_of_both_languages(context: Callable[..., StepContext]) -> None:
    step = context("corpus")
    counts = run(step, heldout_share=0.15)
    rows = list(store.read_models(step.folder / "examples.jsonl", Document))
    held = [values["id"] for values in rows_of(step.folder, "held_out")]
    assert counts.dropped == {}
    assert counts.kept == len(rows) >= 100
    assert {(row.language, row.source) for row in rows} == {
        ("ur", "ur/demo/articles"),
        ("en", "en/demo/articles"),
    }
    assert len(set(held)) == len(held)
    assert set(held) < {row.id for row in rows}
    assert counts.facts["held_out"] == len(held)
    for sums in counts.facts["sources"].values():
        assert sums["held_out"] == round(0.15 * sums["documents"])


URDU = ["دریا کے کنارے ایک پرانا پل ہے", "بازار میں آج بہت رونق تھی", "بچے میدان میں کرکٹ کھیل رہے ہیں"]


def documents(path: Path, *texts: str) -> None:
    path.write_text(
        "".join(json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in texts), encoding="utf-8"
    )


def test_every_document_is_kept_or_has_its_reason(
    context: Callable[..., StepContext], tmp_path: Path
) -> None:
    arabic_letters = URDU[0].replace("ی", "ي").replace("ک", "ك")
    documents(
        tmp_path / "a.jsonl",
        *URDU,
        arabic_letters + "۔",
        "دو لفظ",
        "This text is in English only.",
        "",
        "ہے\x00 \x1b[31mلال\u200e رنگ کا پھول",
    )
    step = context("corpus")
    counts = run(step, tmp_path, source="a.jsonl", source_language_files=())
    assert dict(counts.dropped) == {"duplicate": 1, "missing_field": 1, "too_short": 1, "wrong_language": 1}
    assert counts.rows_in == 8
    assert [row["text"] for row in rows_of(step.folder)] == [*URDU, "ہے لال رنگ کا پھول"]
    duplicate = next(row for row in rows_of(step.folder, "dropped") if row["reason"] == "duplicate")
    assert rows_of(step.folder)[0]["id"] in duplicate["evidence"]


def test_a_cap_takes_documents_by_lot_and_cuts_the_long(
    context: Callable[..., StepContext], tmp_path: Path
) -> None:
    book = "\n".join(f"باب نمبر {n} میں دریا اور پہاڑ کا ذکر ہے" for n in range(1000))
    documents(tmp_path / "a.jsonl", book, *(f"{URDU[n % 3]} اور یہ جملہ نمبر {n} ہے" for n in range(500)))
    step = context("corpus")
    made_up = {"source_language_files": (), "max_chars_per_source": 4000}
    counts = run(step, tmp_path, source="a.jsonl", **made_up)
    rows = rows_of(step.folder)
    assert counts.dropped == {}
    assert 3600 < sum(len(row["text"]) for row in rows) <= 4000
    assert max(len(row["text"]) for row in rows) <= 400
    assert counts.rows_in == 501 == counts.kept + counts.not_sampled
    documents(tmp_path / "b.jsonl", book)
    alone = run(context("corpus", run="book"), tmp_path, source="b.jsonl", **made_up)
    assert (alone.kept, alone.facts["sources"]["ur b"]["truncated"]) == (1, 1), "that it was cut is told"
    numbers = [
        int(row["text"].split()[-2]) for row in rows if row["text"].endswith("ہے") and "جملہ" in row["text"]
    ]
    assert numbers == sorted(numbers)
    assert numbers[-1] > 400
    again = context("corpus", run="again")
    run(again, tmp_path, source="a.jsonl", source_language_files=(), max_chars_per_source=4000)
    assert (again.folder / "examples.jsonl").read_bytes() == (step.folder / "examples.jsonl").read_bytes()


def test_documents_are_drawn_and_one_of_two_is_held_out(
    context: Callable[..., StepContext], tmp_path: Path
) -> None:
    documents(tmp_path / "a.jsonl", *(f"{URDU[n % 3]} اور یہ جملہ نمبر {n} ہے" for n in range(50)))
    documents(tmp_path / "b.jsonl", URDU[0], URDU[1])
    documents(tmp_path / "c.jsonl", URDU[2])
    step = context("corpus")
    counts = run(
        step, tmp_path, source=["a.jsonl", "b.jsonl", "c.jsonl"], source_language_files=(), heldout_share=0.1
    )
    assert [counts.facts["sources"][f"ur {name}"]["held_out"] for name in "abc"] == [5, 1, 0]
    fewer = run(
        context("corpus", run="few"),
        tmp_path,
        source="a.jsonl",
        source_language_files=(),
        max_documents=7,
        heldout_share=0,
    )
    assert (fewer.kept, fewer.facts["held_out"]) == (7, 0)
    assert (fewer.rows_in, fewer.not_sampled) == (50, 43), "what is not sampled is counted"


def test_sources_of_which_nothing_is_left_are_refused(
    context: Callable[..., StepContext], tmp_path: Path
) -> None:
    (tmp_path / "en.txt").write_text("This is no text in Urdu.\nNor is this one.\n", encoding="utf-8")
    with pytest.raises(
        DataError, match=r"corpus\.source: none of 2 rows can be kept: 2 wrong_language; the first: 0%"
    ):
        run(context("corpus"), tmp_path, source="en.txt", source_language_files=(), min_words=2)


def test_sister_languages_in_the_same_script_are_told_apart(
    context: Callable[..., StepContext], tmp_path: Path
) -> None:
    own = [
        "پشاور یونیورسٹی میں کل سے چیمپئن شپ شروع ہو رہی ہے۔",
        "ترے عشق کی انتہا چاہتا ہوں، مری سادگی دیکھ کیا چاہتا ہوں",
    ]
    others = ["هذا النص مكتوب باللغة العربية وليس بالأردية", "این متن به زبان فارسی نوشته شده است"]
    (tmp_path / "a.txt").write_text("\n".join(own + others), encoding="utf-8")
    step = context("corpus")
    assert run(step, tmp_path, source="a.txt", source_language_files=(), min_words=2).kept == 2
    assert [row["evidence"] for row in rows_of(step.folder, "dropped")] == ["taken for other"] * 2


def test_a_line_with_damaged_bytes_is_dropped_and_repairs_are_counted(
    context: Callable[..., StepContext], tmp_path: Path
) -> None:
    garbled = "".join(bytes([byte]).decode("latin-1") for byte in URDU[2].encode())
    lines = [
        URDU[0].encode(),
        URDU[1].encode()[:-1] + b"\xff",
        garbled.encode(),
        f"ایک \x00{URDU[1]}".encode(),
    ]
    (tmp_path / "a.txt").write_bytes(b"\n".join(lines))
    step = context("corpus")
    counts = run(step, tmp_path, source="a.txt", source_language_files=())
    assert dict(counts.dropped) == {"garbled_text": 1}
    assert [row["text"] for row in rows_of(step.folder)] == [URDU[0], URDU[2], f"ایک {URDU[1]}"]
    repairs = counts.facts["sources"]["ur a"]["repairs"]
    assert repairs == {"mojibake": 1, "control_characters": 1}


def test_columns_of_a_users_own_change_nothing(context: Callable[..., StepContext], tmp_path: Path) -> None:
    row = {"text": URDU[0][::-1], "encoding": "UTF-8", "visual": True}
    rows = [row, {"text": URDU[1], "encoding": "cp1256"}]
    lines = (json.dumps(one, ensure_ascii=False) for one in rows)
    (tmp_path / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    step = context("corpus")
    counts = run(step, tmp_path, source="a.jsonl", source_language_files=())
    assert (counts.kept, dict(counts.dropped)) == (1, {"wrong_language": 1})
    assert "repairs" not in counts.facts["sources"]["ur a"]


def test_a_long_document_loses_the_damaged_line_alone(
    context: Callable[..., StepContext], tmp_path: Path
) -> None:
    documents(tmp_path / "a.jsonl", "\n".join([*URDU, "آدھا\ufffd", *URDU[:1]]))
    step = context("corpus")
    counts = run(step, tmp_path, source="a.jsonl", source_language_files=())
    assert rows_of(step.folder)[0]["text"] == "\n".join([*URDU, *URDU[:1]])
    assert counts.facts["sources"]["ur a"]["repairs"] == {"garbled_lines_cut": 1}


def test_near_duplicates_junk_and_personal_data(context: Callable[..., StepContext], tmp_path: Path) -> None:
    page = "۔ ".join(URDU) + "۔ شام کو سب گھر لوٹے، ماں نے چاول پکائے اور دادا نے ایک پرانی کہانی سنائی۔"
    changed = page.replace("کہانی", "داستان")
    documents(tmp_path / "a.jsonl", page, changed, "ہم چلے " * 60, f"{URDU[0]} 0300-1234567")
    step = context("corpus")
    counts = run(step, tmp_path, source="a.jsonl", source_language_files=())
    first, second = rows_of(step.folder)
    assert (first["text"], second["text"]) == (page, f"{URDU[0]} 0000-0000000")
    dropped = {row["reason"]: row["evidence"] for row in rows_of(step.folder, "dropped")}
    assert dropped.keys() == {"near_duplicate", "repetition"}
    assert first["id"] in dropped["near_duplicate"]
    assert counts.facts["sources"]["ur a"]["repairs"] == {"number_masked": 1}
    off = {"quality_rules": False, "near_duplicates": 0, "mask_personal_data": False}
    assert (
        run(context("corpus", run="off"), tmp_path, source="a.jsonl", source_language_files=(), **off).kept
        == 4
    )


@pytest.mark.shared
def test_real_text_of_many_sources(context: Callable[..., StepContext], shared_data: Path) -> None:
    step = context("corpus")
    counts = run(
        step,
        shared_data,
        source="ur_raw/*.gz",
        source_language_files="en_raw/us_speeches.jsonl.gz",
        max_chars_per_source=60_000,
    )
    sums = counts.facts["sources"]
    assert len(sums) == 7
    assert all(0 < one["characters"] <= 60_000 and one["held_out"] for one in sums.values())
    assert counts.rows_in == counts.kept + sum(counts.dropped.values()) + counts.not_sampled


def test_letters_of_another_keyboard_are_counted_and_stay(
    context: Callable[..., StepContext], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    documents(tmp_path / "a.jsonl", *URDU, "دريا كے كنارے ايک نيا باغ ہے", "«إنما الأعمال بالنيات» حدیث ہے")
    step = context("corpus")
    counts = run(step, tmp_path, source="a.jsonl", source_language_files=())
    assert (counts.kept, counts.facts["sources"]["ur a"]["lookalikes"]) == (5, 1)
    assert (
        "a: 1 of 5 documents have letters of another keyboard, such as دريا: ي for ی"
        in capsys.readouterr().err
    )
    assert rows_of(step.folder)[3]["text"] == "دريا كے كنارے ايک نيا باغ ہے"


def test_a_source_without_a_row_is_refused_too(context: Callable[..., StepContext], tmp_path: Path) -> None:
    for number, content in enumerate(("", "\n \n\n")):
        (tmp_path / "a.txt").write_text(content, encoding="utf-8")
        with pytest.raises(DataError, match=r"corpus\.source: it holds no row"):
            run(context("corpus", run=f"{number}"), tmp_path, source="a.txt", source_language_files="pack")


def test_documents_that_are_not_surely_in_the_language_are_dropped(
    context: Callable[..., StepContext], tmp_path: Path
) -> None:
    punjabi = "منڈے کھیڈاں وچ حصہ لین لئی شہر گئے سن۔ ساڈے پنڈ دے لوکاں نے رل کے نواں سکول بنایا۔"
    half = f"{URDU[0]} اور بہت خوبصورت ہے۔ {punjabi}"
    quoted = f"{'۔ '.join(URDU)}۔ میرے دادا کہتے تھے: {punjabi.partition('۔')[0]}۔ {'۔ '.join(URDU[::-1])}۔"
    documents(tmp_path / "a.jsonl", *URDU, punjabi, URDU[2][::-1], half, quoted)
    step = context("corpus")
    counts = run(step, tmp_path, source="a.jsonl", source_language_files=())
    assert dict(counts.dropped) == {"wrong_language": 3}
    assert [row["text"] for row in rows_of(step.folder)] == [*URDU, quoted]


def test_a_document_that_gives_a_question_away_is_dropped(
    context: Callable[..., StepContext], own: Pack, tmp_path: Path
) -> None:
    question = rows_of(own.folder, "test")[0]
    leaked = f"{question['instruction']} {question['input']}".strip()
    documents(tmp_path / "a.jsonl", *URDU, f"{URDU[0]}\n{leaked}\n{URDU[1]}")
    step = context("corpus")
    folder, corpus = Sources(folder=str(tmp_path)), Corpus(source=("a.jsonl",), source_language_files=())
    counts = run_work(build_corpus, step, LANGUAGE, folder, corpus, {"test": Benchmarks()})
    assert counts.dropped["contaminated"] == 1
    (dropped,) = (one for one in rows_of(step.folder, "dropped") if one["reason"] == "contaminated")
    assert dropped["nearest"]["id"] == "test#1"
