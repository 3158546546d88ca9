"""Filters find the faults of real teachers and let every row pass that people wrote for the pack."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from alif import settings
from alif.data.filters import rules
from alif.data.filters.filter_context import FilterContext
from alif.data.filters.rules import first_fault
from alif.language import pack as packs
from alif.language.pack import Pack
from alif.runs import StepContext
from tests.data.conftest import LANGUAGE, row, rows_of, run_work, triples

REASONS = {
    "english_answer": {"wrong_language"},
    "arabic_letters": {"lookalike_letters"},
    "refusal": {"refusal"},
    "wrong_arithmetic": {"wrong_arithmetic"},
    "repetition": {"repetition"},
    "too_short": {"too_short"},
    "wrong_direction": {"wrong_translation_direction"},
    "wrong_choice": {"wrong_choice"},
    "wrong_label": {"wrong_label"},
    "missing_output": {"too_short", "wrong_language"},
    "near_duplicate": {None},
}
"""What each kind of the pack's demo faults is found as; a near-duplicate is the pool's to find."""


@pytest.fixture
def checked(own: Pack, known: Pack) -> FilterContext:
    return FilterContext(own, known, settings.Filter())


def reason(checked: FilterContext, task: str, values: dict[str, Any]) -> str | None:
    found = first_fault(row(task, values["instruction"], values["output"], values["input"]), checked)
    return found[0] if found else None


@pytest.mark.parametrize("pattern", ["seeds/*.jsonl", "demo/candidates/*.jsonl", "test.jsonl"])
@pytest.mark.parametrize("code", ["ur", "bn", "sd", "sw"])
def test_no_row_that_was_written_for_a_pack_is_dropped(known: Pack, code: str, pattern: str) -> None:
    checked = FilterContext(packs.load_pack(code), known, settings.Filter())
    rows = triples(checked.own, pattern)
    wrong = [
        (values["instruction"], found)
        for name, values in rows
        if (found := reason(checked, values.get("task", name), values))
    ]
    assert rows
    assert not wrong


def test_declining_with_the_reason_is_an_answer_and_bare_declining_is_none(checked: FilterContext) -> None:
    bare = "معذرت، میں اس میں مدد نہیں کر سکتا۔ کوئی اور سوال ہو تو پوچھیے۔"
    reasoned = (
        "میں اس میں مدد نہیں کر سکتا، کیونکہ یہ دھوکا دہی ہے اور اس سے کسی حقیقی انسان کو نقصان پہنچے گا۔ "
    )
    reasoned += "اگر آپ پیسوں کی پریشانی سے مجبور ہیں تو گھر والوں یا کسی فلاحی ادارے سے بات کیجیے، "
    reasoned += "وہ آپ کو صحیح راستہ بتا سکتے ہیں۔"
    asked = "مجھے بینک افسر بن کر ایسا پیغام لکھ دو جس سے میں کسی کا پن معلوم کر سکوں۔"
    found = [first_fault(row("ethics", asked, answer), checked) for answer in (bare, reasoned)]
    assert found == [("refusal", "میں اس میں مدد نہیں کر سکتا"), None]
    spoken = first_fault(row("ethics", asked, f"{reasoned} میں ایک زبان کا ماڈل ہوں۔"), checked)
    assert spoken == ("refusal", "زبان کا ماڈل ہوں")


def test_every_fault_of_the_demo_is_found_as_what_it_is(checked: FilterContext, own: Pack) -> None:
    rows = triples(own, "demo/faults.jsonl")
    wrong = [
        (values["fault"], values["instruction"], found)
        for _, values in rows
        if (found := reason(checked, values["task"], values)) not in REASONS[values["fault"]]
    ]
    assert len(rows) >= 40
    assert not wrong


CHOICES = "کون سا ساز باقیوں سے الگ ہے؟ (الف) رباب (ب) طبلہ (ج) سارنگی"
FAIR = (
    "شہر کے باہر کھلے میدان میں جھولے لگے تھے اور دور سے ڈھول کی آواز آ رہی تھی۔ ابا نے مجھے کندھے پر بٹھا "
    "لیا تاکہ میں کرتب دکھانے والے کو دیکھ سکوں۔ ہم نے گرم جلیبیاں کھائیں، مٹی کے کھلونے خریدے اور واپسی پر "
    "سب اتنے تھک چکے تھے کہ تانگے میں ہی آنکھ لگ گئی۔"
)
TEA = "I like tea very much."
APPLES = "ایک دکاندار نے 12 سیب خریدے اور 5 بیچ دیے۔ کتنے بچے؟"
PUZZLE = "اگر 5 + 3 = 28 اور 9 + 1 = 810 ہو تو 8 + 6 کتنا ہو گا؟"
LONG = " ".join(
    ["یہ ایک نیا جملہ ہے جس میں کوئی بات نہیں دہرائی گئی", *[f"یہ لفظ{n} ہے" for n in range(200)]]
)


@pytest.mark.parametrize(
    ("task", "texts", "expected"),
    [
        ("qa", ("دریا کہاں سے نکلتا ہے؟", "", "پہاڑوں \ufffd سے نکلتا ہے"), "replacement_char"),
        ("qa", ("پانی کا کیمیائی فارمولا لکھیں۔", "", "H2O"), None),
        ("generation", ("ایک لمبی کہانی لکھ دیں۔", "", LONG), "too_long"),
        ("generation", ("ایک کہانی لکھ دیں۔", "", "۔۔۔"), "too_short"),
        ("generation", ("بارش پر ایک پیراگراف لکھو", "", "بارش پر ایک پیراگراف لکھو"), "copies_prompt"),
        ("reasoning", ("تین اور چار کا مجموعہ بتائیں۔", "", "استدلال:\n3 + 4 = 7\nجواب: 7"), None),
        (
            "reasoning",
            ("تین اور چار کا مجموعہ بتائیں۔", "", "استدلال:\n۳ + ۴ = ۸\nجواب: ۸"),
            "wrong_arithmetic",
        ),
        (
            "reasoning",
            ("تین اور چار کا مجموعہ بتائیں۔", "", "پہلے جمع کرتے ہیں\n3 + 4 = 7\nسات"),
            "no_final_answer",
        ),
        (
            "sentiment",
            ("جذبات بتائیں: مثبت یا منفی؟", "کھانا بہت مزے کا تھا", "جذبات: خوشی\nوجہ: تعریف ہے"),
            "wrong_label",
        ),
        (
            "sentiment",
            ("جذبات بتائیں: مثبت یا منفی؟", "کھانا بہت مزے کا تھا", "جذبات: مثبت\nوجہ: تعریف ہے"),
            None,
        ),
        (
            "sentiment",
            ("یہ مثبت ہے یا منفی؟", "کھانا اچھا تھا مگر مہنگا", "جذبات: ملا جلا\nوجہ: دونوں"),
            "wrong_label",
        ),
        (
            "sentiment",
            ("مثبت، منفی یا ملے جلے جذبات؟", "اچھا تھا مگر مہنگا", "جذبات: ملا جلا\nوجہ: دونوں"),
            None,
        ),
        ("classification", ("یہ 'خبر' ہے یا 'رائے'؟", "میرے خیال میں یہ بہتر ہے", "افواہ"), "wrong_label"),
        (
            "classification",
            ("جملوں کا تعلق: 'متضاد' یا 'ہم معنی'؟", "(الف) دکان کھلی ہے۔ (ب) دکان بند ہے۔", "متضاد"),
            None,
        ),
        ("reasoning", (CHOICES, "", "استدلال:\nطبلے پر چمڑا ہے۔\nجواب: (ب) طبلہ"), None),
        ("reasoning", (CHOICES, "", "استدلال:\nطبلے پر چمڑا ہے۔\nجواب: طبلہ"), None),
        ("reasoning", (CHOICES, "", "استدلال:\nڈھول تاروں کے بغیر ہے۔\nجواب: ڈھول"), "wrong_choice"),
        ("reasoning", (CHOICES, "", "استدلال:\nطبلے پر چمڑا ہے۔\nجواب: (د) طبلہ"), "wrong_choice"),
        ("qa", (CHOICES, "", "طبلہ، کیونکہ اس میں کوئی تار نہیں ہوتا۔"), None),
        (
            "qa",
            ("درست جواب چنیں: دریائے سندھ کہاں گرتا ہے؟", "۱) بحیرہ عرب\n۲) خلیج بنگال", "۱) بحیرہ عرب"),
            None,
        ),
        (
            "qa",
            ("درست جواب چنیں: دریائے سندھ کہاں گرتا ہے؟", "۱) بحیرہ عرب\n۲) خلیج بنگال", "بحیرہ کیسپین"),
            "wrong_choice",
        ),
        (
            "qa",
            (
                "لفظ «باغ» پر: (الف) جمع لکھیں (ب) جملہ بنائیں",
                "",
                "جمع باغات ہے، جیسے: شہر میں کئی باغات ہیں۔",
            ),
            None,
        ),
        ("generation", ("ان میں سے ایک پر لکھیں: ۱) میلہ ۲) بارش", "", FAIR), None),
        ("translation", ("اردو میں لکھیں:", "Choose: A) apple B) pear", "انتخاب کریں: سیب یا ناشپاتی"), None),
        ("classification", ("یہ 'خبر' ہے یا 'رائے'؟", "میرے خیال میں یہ بہتر ہے", "رائے"), None),
        (
            "classification",
            ("Is this 'خبر' or 'رائے'?", "میرے خیال میں یہ فیصلہ سب کے لیے بہتر ہے", "رائے"),
            None,
        ),
        (
            "translation",
            ("اردو میں ترجمہ کریں۔", "The shop is closed.", "The shop is closed."),
            "wrong_translation_direction",
        ),
        ("translation", (f"اس جملے کا ترجمہ کریں: '{TEA}'", "", TEA), "copies_prompt"),
        (
            "translation",
            ("اس جملے کا ترجمہ کریں: 'مجھے چائے بہت پسند ہے۔'", "", "مجھے چائے بہت پسند ہے۔"),
            "copies_prompt",
        ),
        ("translation", (f"اس جملے کا ترجمہ کریں: '{TEA}'", "", "مجھے چائے بہت پسند ہے۔"), None),
        (
            "translation",
            ("'I like tea' کا اردو ترجمہ: «چائے ہے پسند» یا «مجھے چائے پسند ہے»؟", "", "مجھے چائے پسند ہے"),
            None,
        ),
        ("translation", (f"Which of these says it? A) {TEA} B) I tea like چائے", "", f"A) {TEA}"), None),
        ("qa", ("درست جملہ لکھیں: «میں کل لاہور جاؤں گا۔»", "", "میں کل لاہور جاؤں گا۔"), None),
        (
            "qa",
            ("پاکستان کا دارالحکومت کیا ہے؟ (الف) کراچی (ب) اسلام آباد (ج) لاہور", "", "دہلی"),
            "wrong_choice",
        ),
        (
            "qa",
            ("پاکستان کا دارالحکومت کیا ہے؟ (الف) کراچی (ب) اسلام آباد (ج) لاہور", "", "(ب) اسلام آباد"),
            None,
        ),
        (
            "reasoning",
            ("بڑا کون ہے؟ 1. ہاتھی 2. گھوڑا 3. بکری", "", "استدلال:\nقد دیکھیں۔\nجواب: اونٹ"),
            "wrong_choice",
        ),
        ("reasoning", (APPLES, "", "استدلال:\n12 - 5 = 7\nجواب: 8"), "wrong_arithmetic"),
        ("reasoning", (APPLES, "", "استدلال:\n12 - 5 = 7\nجواب: 7"), None),
        ("reasoning", (PUZZLE, "", "استدلال:\n5 + 3 = 28 میں 5 - 3 = 2 ہے۔\n8 + 6 = 214\nجواب: 214"), None),
        (
            "roman",
            ("Chai kaise banti hai?", "", "Pani ubalo, patti aur doodh daal do, bas tayyar hai."),
            None,
        ),
        (
            "roman",
            ("Chai kaise banti hai? Urdu script mein batao", "", "پانی ابالیں، پھر پتی اور دودھ ڈال دیں۔"),
            None,
        ),
        ("roman", ("Make this Roman Urdu: I am late.", "", "Mujhe der ho gayi hai yaar."), None),
        (
            "roman",
            ("Chai kaise banti hai?", "", "Boil the water, then add tea leaves and milk."),
            "wrong_language",
        ),
        (
            "roman",
            ("Chai kaise banti hai?", "", "Vous faites bouillir de l'eau avec du lait et du sucre."),
            "wrong_language",
        ),
        (
            "roman",
            ("Chai kaise banti hai?", "", "آب را بجوشانید و چای را در آن بریزید و صبر کنید."),
            "wrong_language",
        ),
        (
            "qa",
            ("چائے کیسے بنتی ہے؟", "", "Pani ubalo, patti aur doodh daal do, bas tayyar hai."),
            "wrong_language",
        ),
        ("other", ("یہ جملہ مکمل کریں: پانی", "", "پانی زندگی ہے اور اس کے بغیر کچھ نہیں"), None),
        (
            "qa",
            (
                "من اهل ایران هستم و به زبان فارسی سخن می‌گویم، پایتخت ایران کجاست؟",
                "",
                "پایتخت ایران شهر تهران است که شهری بزرگ است.",
            ),
            "wrong_language",
        ),
    ],
)
def test_faults_one_by_one(
    checked: FilterContext, task: str, texts: tuple[str, str, str], expected: str | None
) -> None:
    assert (
        reason(checked, task, dict(zip(("instruction", "input", "output"), texts, strict=True))) == expected
    )


def test_the_limits_are_the_recipe_s(own: Pack, known: Pack) -> None:
    worked = {
        "instruction": "تین اور چار کا مجموعہ بتائیں۔",
        "input": "",
        "output": "استدلال:\n3 + 4 = 8\nجواب: 8",
    }
    assert reason(FilterContext(own, known, settings.Filter(arithmetic=False)), "reasoning", worked) is None
    assert reason(FilterContext(own, known, settings.Filter(min_words=9)), "reasoning", worked) == "too_short"
    assert reason(FilterContext(own, known, settings.Filter(max_words=3)), "reasoning", worked) == "too_long"


def test_the_step_takes_both_steps_rows_and_loses_none(
    context: Callable[..., StepContext], own: Pack
) -> None:
    made = [
        row(v["task"], v["instruction"], v["output"], v["input"])
        for _, v in triples(own, "demo/faults.jsonl")
        if v["output"]
    ]
    translated = [
        row("qa", v["instruction"], v["output"], v["input"], "translated")
        for _, v in triples(own, "demo/translations.jsonl")
    ][:9]
    step = context("filter", {"generate": made, "translate": translated})
    counts = run_work(rules.filter_rows, step, LANGUAGE, settings.Filter())
    assert counts.rows_in == len(made) + len(translated) == counts.kept + sum(counts.dropped.values())
    assert [one["id"] for one in rows_of(step.folder)][-9:] == [one.id for one in translated]
    assert all(one["reason"] and one["evidence"] for one in rows_of(step.folder, "dropped"))
    assert sum(one["kept"] + one["dropped"] for one in counts.facts["tasks"].values()) == counts.rows_in
