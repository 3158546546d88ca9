"""Faults A6, A7, A14, A15 and A23 of the language review: what enters the corpus, what repeats in a text.

With fault M10 of the reliability review, the corpus' memory.

One test for each input that the review lists, and neighbours of its kind.
"""

from __future__ import annotations

import json
import random
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from alif import settings, store
from alif.data.corpus.build_corpus import build_corpus
from alif.data.filters.filter_context import FilterContext
from alif.data.filters.rules import first_fault
from alif.evaluate.benchmark import ItemResult
from alif.evaluate.output_checks import find_faults
from alif.language.pack import load_pack
from alif.records import Counts
from alif.runs import Run, StepContext, make_context
from tests.data.conftest import LANGUAGE, context, row, rows_of, run_work

__all__ = ["context"]
Make = Callable[..., StepContext]
UR, EN = load_pack("ur"), load_pack("en")
URDU = [
    "بچے صحن میں کھیل رہے ہیں",
    "دریا کے کنارے ایک پرانا پل ہے اور اس پر سے روز گاڑیاں گزرتی ہیں۔",
    "آج بازار میں بہت رونق تھی، سب لوگ عید کی خریداری کر رہے تھے۔",
]
PUNJABI = [
    "منڈے کھیڈاں وچ حصہ لین لئی شہر گئے سن۔",
    "ساڈے پنڈ دے لوکاں نے رل کے نواں سکول بنایا۔",
    "میرا ناں علی اے تے میں لہور وچ رہنا واں۔",
    "توں کتھے جا رہیا ایں؟ مینوں وی نال لے جا۔",
    "اوہناں نوں آکھو پئی کل سویرے ویلے سر آ جان۔",
]


def corpus(step: StepContext, folder: Path, *texts: str, **keys: object) -> Counts:
    lines = (json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in texts)
    (folder / "a.jsonl").write_text("".join(lines), encoding="utf-8")
    table = settings.Corpus.model_validate({"source": "a.jsonl", "source_language_files": (), **keys})
    return run_work(build_corpus, step, LANGUAGE, settings.Sources(folder=str(folder)), table)


@pytest.mark.parametrize(
    "text",
    [
        *PUNJABI,
        " ".join(PUNJABI),
        "\n".join(PUNJABI),
        "ںیہ ےہر لیھک ںیم نحص ےچب",
        *(one[::-1] for one in URDU),
        " ".join(word[::-1] for word in URDU[1].split()),
        f"{URDU[1]} {PUNJABI[0]} {PUNJABI[1]}",
        f"{URDU[1]}\n{URDU[2][::-1]}\n{URDU[1][::-1]}",
    ],
)
def test_language_a6_what_is_not_surely_urdu_is_no_urdu_document(
    text: str, context: Make, tmp_path: Path
) -> None:
    step = context("corpus")
    counts = corpus(step, tmp_path, URDU[0], text)
    assert (counts.kept, counts.dropped.get("wrong_language")) == (1, 1)


def test_language_a6_a_longer_text_that_nothing_decides_is_dropped_as_such(
    context: Make, tmp_path: Path
) -> None:
    names = "احمد رضا، اسد امام، سلمان اختر، حامد رضوان، ناصر عباس، عمران فاروق، حسن جمال"
    step = context("corpus")
    counts = corpus(step, tmp_path, URDU[0], names)
    assert counts.kept == 1
    assert sum(counts.dropped.get(one, 0) for one in ("undecided_language", "wrong_language")) == 1


@pytest.mark.parametrize(
    "text",
    [
        *URDU,
        "پاکستان کرکٹ ٹیم کراچی روانہ",
        "میں نے Python میں ایک چھوٹا سا پروگرام لکھا ہے اور اسے GitHub پر رکھ دیا ہے۔",
        "ترے عشق کی انتہا چاہتا ہوں\nمری سادگی دیکھ کیا چاہتا ہوں",
        f"{URDU[1]} میرے دادا یہ مصرع پڑھتے تھے: رانجھا رانجھا کردی نی میں آپے رانجھا ہوئی۔ {URDU[2]}",
        "دريا كے كنارے ايک پرانا پل ہے اور اس پر سے روز گاڑياں گزرتي ہيں۔",
    ],
)
def test_language_a6_urdu_is_kept(text: str, context: Make, tmp_path: Path) -> None:
    assert corpus(context("corpus"), tmp_path, text).kept == 1


LOOPS = [
    "آج موسم بہت اچھا ہے " + "ہے" * 60,
    "آج موسم بہت اچھا ہے " + "۔" * 60,
    "آج موسم بہت اچھا ہے " + "ہا" * 40,
    "یہ " * 10,
    "ہا" * 40,
    "آج موسم بہت اچھا ہے " + "! " * 60,
    "آج موسم بہت اچھا ہے اور " + "بہت " * 12,
    "آج موسم " + "ہے" * 30 + " اور شام کو بارش ہوگی۔",
]
NO_LOOPS = [
    "ہا ہا، یہ تو بہت مزے کی بات ہے۔",
    "فہرست:\nباب اول ........................ 5\nباب دوم ........................ 19",
    "| شہر | بارش |\n|-----|-----|\n| لاہور | نہیں ہوئی |\n| کراچی | نہیں ہوئی |\n| پشاور | ہوئی |",
    "لب پہ آتی ہے دعا بن کے تمنا میری\nزندگی شمع کی صورت ہو خدایا میری\n"
    "دور دنیا کا مرے دم سے اندھیرا ہو جائے\nہر جگہ میرے چمکنے سے اجالا ہو جائے",
    "گھڑی چلتی رہی: ٹک ٹک ٹک ٹک، اور بچہ سو گیا۔",
]


@pytest.mark.parametrize("text", LOOPS)
def test_language_a7_a_loop_is_one_for_the_filter_and_for_evaluation(text: str) -> None:
    asked = row("qa", "آج موسم کیسا ہے؟", text)
    fault = first_fault(asked, FilterContext(UR, EN, settings.Filter()))
    assert fault
    assert fault[0] in ("repetition", "too_short")
    reference = row("qa", asked.instruction, "آج موسم بہت اچھا ہے۔")
    (faults,) = find_faults([reference], [ItemResult(id="a", text=text)], UR, EN)
    assert "repetition" in faults


@pytest.mark.parametrize("text", NO_LOOPS)
def test_language_a7_laughter_tables_leaders_and_refrains_are_no_loops(text: str) -> None:
    asked = row("qa", "آج موسم کیسا ہے؟", text)
    assert first_fault(asked, FilterContext(UR, EN, settings.Filter())) is None
    (faults,) = find_faults([asked], [ItemResult(id="a", text=text)], UR, EN)
    assert "repetition" not in faults


def test_language_a14_letters_of_an_arabic_keyboard_are_named_and_counted(
    context: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    typed = [one.translate(str.maketrans("یکہ", "يكه")) for one in URDU]
    quoted = "حدیث ہے: «إنما الأعمال بالنيات» یعنی اعمال کا دار و مدار نیت پر ہے۔"
    step = context("corpus")
    counts = corpus(step, tmp_path, URDU[0], *typed[1:], quoted)
    assert (counts.kept, counts.facts["sources"]["ur a"]["lookalikes"]) == (4, 2)
    assert "a: 2 of 4 documents have letters of another keyboard, such as" in capsys.readouterr().err
    assert [one["text"] for one in rows_of(step.folder)][1:3] == typed[1:], "no letter is changed"


def test_language_a15_documents_that_are_cut_are_counted(context: Make, tmp_path: Path) -> None:
    book = "\n".join(f"باب نمبر {n} میں دریا اور پہاڑ کا ذکر ہے" for n in range(300))
    counts = corpus(context("corpus"), tmp_path, book, *URDU, max_chars_per_source=2000)
    assert counts.facts["sources"]["ur a"]["truncated"] == 1


def bytes_per_line(folder: Path, different: int, **keys: object) -> float:
    """Return by how much the corpus' peak memory grows with each further line, of which so many differ."""
    articles = store.read_rows(UR.folder / "demo" / "articles.jsonl")
    words = [word for _, article in articles for word in str(article["text"]).split()]
    rng = random.Random(1)
    texts = [" ".join(rng.choices(words, k=12)) for _ in range(different)]
    peaks = {}
    for lines in (100, 1_000, 3_000):  # the first fills caches
        root = folder / str(lines)
        root.mkdir(parents=True)
        (root / "a.txt").write_text(
            "".join(f"{texts[n % different]}\n" for n in range(lines)), encoding="utf-8"
        )
        step = make_context(Run(root / "run"), "corpus", settings.Runtime(), folder=root / "corpus")
        table = settings.Corpus.model_validate({"source": "a.txt", "source_language_files": (), **keys})
        tracemalloc.start()
        try:
            counts = run_work(build_corpus, step, LANGUAGE, settings.Sources(folder=str(root)), table)
            peaks[lines] = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert counts.rows_in == lines
    return (peaks[3_000] - peaks[1_000]) / 2_000


@pytest.mark.parametrize("max_documents", [0, 50], ids=["streamed", "sampled"])
def test_language_a23_lines_that_repeat_take_no_memory(tmp_path: Path, max_documents: int) -> None:
    assert bytes_per_line(tmp_path, 60, max_documents=max_documents) < 200


@pytest.mark.parametrize("max_documents", [0, 50], ids=["streamed", "sampled"])
def test_reliability_m10_a_line_takes_a_digest_of_memory_beside_its_text(
    tmp_path: Path, max_documents: int
) -> None:
    """It took 2,400 to 3,100 bytes."""
    assert bytes_per_line(tmp_path, 3_000, max_documents=max_documents) < 400
