"""Every value of the Urdu pack that the review names, by section and number, with its right reading."""

from __future__ import annotations

import pytest
import regex

from alif import store
from alif.data.pack_lint_rows import LintRow, lint_rows
from alif.data.synthesis.coverage import Coverage
from alif.language.answers.match import compare_answers
from alif.language.answers.value_reader import find_values
from alif.language.language_id import identify_language
from alif.language.pack import load_pack
from alif.language.text import find_phrase, find_refusal, parse_number
from alif.records import Example, Origin

URDU, ENGLISH = load_pack("ur"), load_pack("en")


def is_same(one: str, other: str) -> bool:
    """Judge two answers, each as the reference of the other."""
    given = compare_answers(one, other, URDU).equal, compare_answers(other, one, URDU).equal
    assert given[0] == given[1]
    return given[0]


def tagged(instruction: str) -> tuple[str, str]:
    """Return topic and register of a request."""
    coverage = Coverage(URDU)
    coverage.add(Example.make("ur", "qa", instruction, "", "ٹھیک ہے۔", Origin(kind="seed")))
    facts = coverage.facts()
    axes = facts.topics["qa"], facts.registers["qa"]
    topic, register = (next(name for name, count in axis.items() if count) for axis in axes)
    return topic, register


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("دو بلین", 2 * 10**9),
        ("تین بلین ڈالر", 3 * 10**9),
        ("پانچ ملین", 5 * 10**6),
        ("دو نیل", 2 * 10**13),
        ("ایک پدم", 10**15),
    ],
)
def test_urdu_6_1_billion_neel_and_padam(text: str, value: int) -> None:
    assert parse_number(text, URDU) == value


def test_urdu_6_1_the_nile_is_no_number() -> None:
    assert find_values("دریائے نیل", URDU) == ()
    assert compare_answers("سب سے لمبا دریا نیل ہے، جو 6650 کلومیٹر لمبا ہے۔", "نیل", URDU).equal
    assert not is_same("دریائے سندھ", "دریائے نیل")


@pytest.mark.parametrize(
    ("text", "value"),
    [("3 درجن", 36), ("تین درجن", 36), ("ڈیڑھ درجن", 18), ("آدھا درجن", 6), ("دو کوڑی", 40), ("3 کوڑی", 60)],
)
def test_urdu_6_2_dozen_and_score(text: str, value: int) -> None:
    assert parse_number(text, URDU) == value


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("آدھ کلو", "500 گرام"),
        ("ڈیڑھ پاؤ", "375 گرام"),
        ("ایک پاؤ", "250 گرام"),
        ("آدھ پاؤ", "125 گرام"),
        ("سوا پاؤ", "1.25 پاؤ"),
        ("چالیسواں حصہ", "1/40"),
        ("چالیسواں حصہ", "ڈھائی فیصد"),
        ("چھٹا حصہ", "1/6"),
        ("ساتواں حصہ", "1/7"),
        ("نواں حصہ", "1/9"),
        ("بارھواں حصہ", "1/12"),
        ("بیسویں حصے", "1/20"),
        ("چوبیسواں حصہ", "1/24"),
        ("دو تہائی", "ثلثان"),
        ("دو ثلث", "2/3"),
        ("سدس", "چھٹا حصہ"),
        ("آٹھواں حصہ", "ثمن"),
    ],
)
def test_urdu_6_3_quarter_kilograms_and_parts(one: str, other: str) -> None:
    assert is_same(one, other)


def test_urdu_6_3_other_parts_differ() -> None:
    assert not is_same("چھٹا حصہ", "آٹھواں حصہ")
    assert not is_same("ڈیڑھ پاؤ", "ڈیڑھ کلو")


def test_urdu_6_4_a_region_and_an_ordinal_are_no_numbers() -> None:
    assert find_values("ہزارہ", URDU) == ()
    assert find_values("اکیانویں", URDU) == ()
    assert not is_same("ہزارہ", "1000")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("36 گز", "36 میٹر"),
        ("89500 ریال", "89500 روپے"),
        ("89500 درہم", "89500 روپے"),
        ("300 مربع فٹ", "300 مربع میٹر"),
        ("120 مربع گز", "120 مربع میٹر"),
        ("3 سیر", "3 کلو"),
        ("2 چھٹانک", "2 تولے"),
        ("5 ٹن", "5 من"),
        ("200 یونٹ", "200 واٹ"),
        ("4 بیگھے", "4 کنال"),
        ("500 کیوسک", "500 لیٹر"),
        ("12 بوریاں", "12 من"),
        ("40 رن", "40 وکٹیں"),
        ("30 درجے", "30 میٹر"),
    ],
)
def test_urdu_6_5_another_unit_is_another_answer(one: str, other: str) -> None:
    assert not is_same(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1 گھنٹا", "60 منٹ"),
        ("1 مہینا", "1 ماہ"),
        ("3 مہینے", "3 مہینا"),
        ("50 پیسا", "50 پیسے"),
        ("1 پیسا", "0.01 روپے"),
        ("4 بوری", "4 بوریاں"),
        ("3 رنز", "3 رن"),
    ],
)
def test_urdu_6_5_units_in_the_house_spelling(one: str, other: str) -> None:
    assert is_same(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("12:15", "12 بج کر 15 منٹ"),
        ("12:15", "دوپہر سوا بارہ بجے"),
        ("شام 5:40 بجے", "5 بج کر 40 منٹ"),
        ("2۔5 کلو", "ڈھائی کلو"),
        ("۲۔۵", "2.5"),
        ("99۔5 فیصد", "99.5%"),
        ("14۔8۔1947", "14 اگست 1947"),
        ("پونے سات گھنٹے", "6 گھنٹے 45 منٹ"),
    ],
)
def test_urdu_6_6_clock_and_decimals_of_the_newspapers(one: str, other: str) -> None:
    assert is_same(one, other)


def test_urdu_6_6_elsewhere_the_full_stop_is_one() -> None:
    assert [value.value for value in find_values("کل 5 بچے آئے۔ 3 گئے۔ 2", URDU)] == [5, 3, 2]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("تمھارا گھر", "تمہارا گھر"),
        ("تمھاری", "تمہاری"),
        ("مہینا", "مہینہ"),
        ("گھنٹا", "گھنٹہ"),
        ("پیسا", "پیسہ"),
        ("چولھا", "چولہا"),
        ("چولھے", "چولہے"),
        ("دولھا", "دلہا"),
        ("دولہا", "دلہا"),
        ("ڈبا", "ڈبہ"),
        ("اسکول", "سکول"),
        ("اسکولوں", "سکولوں"),
        ("ہسپتال", "اسپتال"),
        ("بھروسا", "بھروسہ"),
        ("دکاندار", "دکان دار"),
        ("ایماندار", "ایمان دار"),
        ("ٹھٹہ", "ٹھٹھہ"),
        ("اورنگزیب", "اورنگ زیب"),
        ("انھیں", "انہیں"),
        ("محکمۂ صحت", "محکمہ صحت"),
        ("براہِ کرم", "براہ کرم"),
        ("اینٹی بایوٹک", "اینٹی بائیوٹک"),
        ("ہو گا", "ہوگا"),
        ("وہ ھے", "وہ ہے"),
        ("ھیں", "ہیں"),
        ("ھو گا", "ہوگا"),
        ("وھاں", "وہاں"),
        ("نھیں", "نہیں"),
        ("لیکر آئے", "لے کر آئے"),
        ("دیکر", "دے کر"),
        ("کرینگے", "کریں گے"),
        ("ہونگے", "ہوں گے"),
        ("جاؤنگا", "جاؤں گا"),
        ("کیونکہ", "کیوں کہ"),
        ("چونکہ", "چوں کہ"),
        ("گذشتہ", "گزشتہ"),
    ],
)
def test_urdu_6_7_two_spellings_of_a_word_are_one(one: str, other: str) -> None:
    assert is_same(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("دلی مبارک باد", "دہلی مبارک باد"), ("رحم دلی", "رحم دہلی"), ("مانگا", "ماں گا"), ("سینگ", "سی ںگ")],
)
def test_urdu_6_7_other_words_stay_apart(one: str, other: str) -> None:
    assert not is_same(one, other)


def test_urdu_6_7_the_city_is_still_found() -> None:
    assert is_same("دلی", "دہلی")
    assert compare_answers("وہ دلی سے آیا", "دہلی", URDU).equal


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("پیر", "سوموار"),
        ("پیر کے دن", "سوموار"),
        ("بروز پیر", "سوموار"),
        ("ہفتہ", "سنیچر"),
        ("ہفتے کا دن", "سنیچر"),
        ("جمعہ", "جمعے کو"),
        ("جمعۃ المبارک", "جمعہ"),
        ("جمعرات کا دن", "جمعرات"),
        ("اتوار کو", "ایتوار"),
        ("منگل کے روز", "منگل"),
    ],
)
def test_urdu_6_8_days(one: str, other: str) -> None:
    assert is_same(one, other)


def test_urdu_6_8_other_days_differ() -> None:
    assert not is_same("جمعے کو", "جمعرات کو")
    assert not is_same("پیر", "منگل")


@pytest.mark.parametrize(
    ("instruction", "topic", "register"),
    [
        ("یہ سب کب ہوا؟", "other", "plain"),
        ("میرے پاس بس یہی ہے۔", "other", "other"),
        ("دل کی بات سنا دو", "other", "familiar"),
        ("وہ کپڑے مجھے فٹ نہیں آتے تو واپس ہوں گے۔", "other", "other"),
        ("دو سطریں لکھیں", "other", "plain"),
        ("وائی فائی نہیں چل رہا", "computers", "other"),
        ("ای میل کیسے بھیجوں", "computers", "plain"),
        ("پاس ورڈ بھول گیا", "computers", "other"),
        ("فٹ بال کے اصول", "sport", "other"),
        ("براہِ کرم مدد کریں", "other", "polite"),
        ("تمھارے گاؤں کا نام", "places", "familiar"),
    ],
)
def test_urdu_6_9_topics_and_registers(instruction: str, topic: str, register: str) -> None:
    assert tagged(instruction) == (topic, register)


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("سنتیس", 37),
        ("پنتیس", 35),
        ("تنتالیس", 43),
        ("پنتالیس", 45),
        ("سنتالیس", 47),
        ("پنسٹھ", 65),
        ("تیراسی", 83),
        ("انّاسی", 79),
        ("بارا", 12),
        ("تیرا", 13),
        ("گیارا", 11),
        ("اکتیس", 31),
    ],
)
def test_urdu_6_low_number_words_without_nun_and_with_alif(word: str, value: int) -> None:
    assert parse_number(word, URDU) == value


def test_urdu_6_low_no_number_word_stands_twice() -> None:
    for words in URDU.numbers.words.values():
        assert len(set(words)) == len(words)


def test_urdu_6_low_thine_is_no_thirteen_beside_a_number() -> None:
    assert compare_answers("تیرا حصہ 40 روپے ہے", "40 روپے", URDU).equal


@pytest.mark.parametrize(
    "reply",
    ["معذرت، میں اس درخواست میں مدد نہیں کر سکتا۔", "معذرت، میں اس درخواست میں آپ کی مدد نہیں کر سکتی۔"],
)
def test_urdu_6_low_declining(reply: str) -> None:
    assert find_refusal(reply, URDU)


@pytest.mark.parametrize(
    "head",
    [
        "یقیناً! ذیل میں ترجمہ ہے:",
        "بالکل! ذیل میں متن:",
        "ذیل میں ترجمہ پیش ہے:",
        "ترجمہ درج ذیل ہے:",
        "ذیل میں پیش ہے",
    ],
)
def test_urdu_6_low_empty_openings(head: str) -> None:
    assert find_phrase(head, URDU.phrases.openings, URDU)


def test_urdu_6_low_a_sentence_that_begins_so_is_no_opening() -> None:
    assert not find_phrase("یقیناً وہ کل آئے گا۔", URDU.phrases.openings, URDU)
    assert not find_phrase("بالکل سیدھی سڑک پر چلیے۔", URDU.phrases.openings, URDU)


def test_urdu_6_low_guillemets_and_other_spellings_are_named() -> None:
    def row(place: str, output: str) -> LintRow:
        return LintRow(
            place, {}, Example.make("ur", "qa", f"سوال {place} کیا ہے؟", "", output, Origin(kind="seed"))
        )

    rows = [
        row("a:1", "اس کا نام «بانگِ درا» ہے۔"),
        row("b:2", "تمہارا سکول ہوگا۔"),
        row("c:3", "تمھارا اسکول ہو گا۔"),
    ]
    said = [f"{one.where} {one.what}" for one in lint_rows(URDU, ENGLISH, rows, ())]
    assert "a:1 « where the pack writes “ (1 rows in all)" in said
    assert {
        "b:2 تمہارا where the pack writes تمھارا (1 rows in all)",
        "b:2 سکول where the pack writes اسکول (1 rows in all)",
        "b:2 ہوگا where the pack writes ہو گا (1 rows in all)",
    } <= {*said}
    assert not [one for one in said if one.startswith("c:3")]


def test_urdu_6_low_roman_words() -> None:
    assert identify_language("yar mera kam krdo, file nae mil rahi", (URDU, ENGLISH)) == "ur-Latn"
    assert identify_language("bhai form jama krden jaldi, deadline nae rahi", (URDU, ENGLISH)) == "ur-Latn"
    assert identify_language("Let h be the height, m the mass and k a constant.", (URDU, ENGLISH)) == "en"


def test_urdu_6_low_an_en_dash_between_numbers_is_a_range() -> None:
    assert is_same("10 – 12", "10 سے 12")


def test_urdu_6_low_ordinals_go_on_past_nine() -> None:
    assert [value.kind for value in find_values("دسواں", URDU)] == ["ordinal"]
    assert is_same("دسواں", "دسویں")
    assert is_same("پندرھواں", "15واں")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("12 ربیع الاول", "بارہ ربیع الاوّل"),
        ("10 محرم", "10 محرم الحرام"),
        ("27 رمضان", "27 رمضان المبارک"),
        ("15 بیساکھ", "15 وساکھ"),
        ("1 ہاڑ", "1 اساڑھ"),
    ],
)
def test_urdu_6_low_months_of_other_calendars(one: str, other: str) -> None:
    assert is_same(one, other)
    assert not is_same(one, "15 ساون")


PROMPTS = {
    (name, wording): source
    for name, task in URDU.tasks.items()
    for wording, source in enumerate(task.templates)
}


@pytest.mark.parametrize("prompt", PROMPTS, ids=str)
def test_urdu_5_every_prompt_names_place_marks_requests_and_self_check(prompt: tuple[str, int]) -> None:
    source = PROMPTS[prompt]
    assert any(name in source for name in ("Pakistan", "پاکستان"))
    assert "“ ”" in source
    assert any(words in source for words in ("digits 0 to 9", "ہندسے 0 سے 9"))
    assert "کیلئے" in source
    assert "«" not in source
    assert any(words in source for words in ("as an editor", "مدیر کی نظر سے"))
    for translated in (
        "زبانی ماڈل",
        "کوڈ کی باڑ",
        "موٹے حروف",
        "پیمانے اور سکے",
        "کس کا برا",
        "حقیقی عام آدمی",
        "complete, 40 to 250",
        "in 10 to 120",
        "in 30 to 150",
        "from one step to five",
    ):
        assert translated not in source


def test_urdu_5_no_sentiment_prompt_always_asks_for_a_reason() -> None:
    for (name, _), source in PROMPTS.items():
        if name == "sentiment":
            assert any(
                words in source for words in ("In half of the tasks", "Every second one", "آدھی مشقوں میں")
            )


def test_urdu_5_undecidable_problems_have_one_answer() -> None:
    assert all("معلومات ناکافی ہیں" in source for (name, _), source in PROMPTS.items() if name == "reasoning")


def demo_rows(code: str, *files: str) -> list[dict[str, str]]:
    """Return the rows of files of a pack's demo folder, those with planted faults left out."""
    folder = load_pack(code).folder / "demo"
    return [row for file in files for path in sorted(folder.glob(file)) for _, row in store.read_rows(path)]


def test_urdu_k5_k7_demo_texts_have_one_set_of_marks_and_no_semicolon() -> None:
    rows = demo_rows("ur", "candidates/*.jsonl", "articles.jsonl", "questions.jsonl", "translations.jsonl")
    assert not [row for row in rows if any(mark in str(row) for mark in "«»؛")]


def test_urdu_k6_demo_texts_keep_the_house_spelling() -> None:
    rows = demo_rows("ur", "candidates/*.jsonl")
    found = [
        (row["output"], pattern)
        for row in rows
        for pattern in URDU.style.spellings
        if regex.search(rf"(?<![\p{{L}}\p{{M}}])(?:{pattern})(?![\p{{L}}\p{{M}}])", row["output"])
    ]
    assert found == []


@pytest.mark.parametrize(
    ("code", "heading", "asked"),
    [
        ("ur", "وجہ:", "وجہ|دلیل|کیوں|سبب|reason"),
        ("bn", "কারণ:", "কারণ|কেন|যুক্তি"),
        ("sd", "سبب:", "سبب|ڇو|دليل"),
        ("sw", "Sababu:", "[Ss]ababu|[Kk]wa ?nini|[Ee]leza"),
    ],
)
def test_urdu_k4_demo_gives_a_reason_where_it_is_asked_for(code: str, heading: str, asked: str) -> None:
    rows = demo_rows(code, "candidates/sentiment.jsonl")
    assert not [
        row for row in rows if heading in row["output"] and not regex.search(asked, row["instruction"])
    ]


def test_urdu_12_2_demo_candidates_work_on_texts_and_have_every_length() -> None:
    words = {}
    for task in URDU.tasks:
        rows = demo_rows("ur", f"candidates/{task}.jsonl")
        words[task] = [len(row["output"].split()) for row in rows]
        assert [row for row in rows if row["input"]], task
    assert min(words["qa"]) == 1
    assert max(words["generation"]) > 250
    assert any("|---|" in row["output"] for row in demo_rows("ur", "candidates/*.jsonl"))


@pytest.mark.parametrize(
    ("code", "file", "gone", "there"),
    [
        ("ur", "candidates/reasoning.jsonl", "پانچ سو گرام والے حصے", "سو سو گرام کے حصے"),
        ("ur", "candidates/translation.jsonl", "کرایہ دار مالک مکان کو خالی", "مالک مکان کو تحریری نوٹس"),
        ("ur", "candidates/generation.jsonl", "بندوق کھولے", "بندوق تولے"),
        ("ur", "candidates/generation.jsonl", "یخ بستہ ہے زمانہ", "رنگ سنہرا"),
        ("ur", "candidates/classification.jsonl", "آخر میں ذال نہیں", "انشاء پرداذی"),
        ("ur", "candidates/ethics.jsonl", "سالوں پرانی", "برسوں پرانی"),
        ("ur", "candidates/sentiment.jsonl", "سودا برا نہیں", "دل بھرا ہوا ہے"),
        ("ur", "articles.jsonl", "ملاکھڑا کا میدان", "ملاکھڑے کا میدان"),
        ("ur", "articles.jsonl", " بھلن ", " بلھن "),
        ("sd", "articles.jsonl", "جھ", "جهومندي"),
        ("sd", "articles.jsonl", "ٻئي ڪنهن به درياهه ۾ ائين", "بياس"),
        ("bn", "articles.jsonl", "উনিশ শতকে শুরুতে", "উনিশ শতকে ট্রাম প্রথমে"),
        ("bn", "articles.jsonl", "টের পেলে ঘরের ভেতরে থাকলে", "কাঁপুনির সময়"),
        ("bn", "articles.jsonl", "২০১৬ সালে ইউনেসকোর", "বর্ষবরণ আনন্দ শোভাযাত্রা"),
    ],
)
def test_urdu_7_8_9_rows_of_the_demo(code: str, file: str, gone: str, there: str) -> None:
    said = "\n".join(map(str, demo_rows(code, file)))
    assert gone not in said
    assert there in said
