"""Every input of the list of faults in reading answers and languages, by its number, with its right value."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from alif import store
from alif.commands.new import copy_recipe
from alif.data.pack_lint import lint_pack
from alif.language.answers.match import compare_answers
from alif.language.answers.quantities import find_quantities
from alif.language.language_id import identify_language
from alif.language.normalisation import split_words
from alif.language.pack import Pack, load_pack, shipped_packs
from alif.language.pack_bootstrap import measure_sample, write_pack
from alif.language.text import final_answer
from alif.settings import Language

EVERY = [load_pack(name) for name in shipped_packs()]


def is_right(answer: str, reference: str, code: str = "ur") -> bool:
    """Judge a reply to a word problem."""
    pack = load_pack(code)
    task = pack.tasks["reasoning"]
    return compare_answers(final_answer(answer, task, pack), final_answer(reference, task, pack), pack).equal


@pytest.mark.parametrize(
    ("code", "text", "value"),
    [
        ("ur", "Rs.500", 500),
        ("ur", "Rs.1,250", 1250),
        ("ur", "Rs. 500", 500),
        ("ur", "Rs 500", 500),
        ("ur", "No.5", 5),
        ("ur", "صفحہ نمبر.12", 12),
        ("bn", "Tk.750", 750),
        ("sw", "Sh.2000", 2000),
        ("sd", "Rs.500", 500),
        ("en", "Rs.500", 500),
        ("en", "No.5", 5),
    ],
)
def test_language_a1_a_point_behind_a_word_is_no_decimal_point(code: str, text: str, value: int) -> None:
    assert [quantity.value for quantity in find_quantities(text, load_pack(code))] == [value]


def test_language_a1_an_amount_written_with_a_point_is_equal() -> None:
    assert is_right("Rs.500", "500 روپے")
    assert is_right("Tk.750", "৭৫০ টাকা", "bn")
    assert is_right("Sh.2,000", "shilingi elfu mbili", "sw")
    assert not is_right("Rs.500", "0.5")


@pytest.mark.parametrize(
    "text",
    [
        "نبی کریم ﷺ مکہ میں پیدا ہوئے تھے۔",
        "حضرت محمد ﷺ کہاں پیدا ہوئے؟",
        "حضرت محمد ﷺ مکہ میں پیدا ہوئے۔",
        *(f"حضرت محمد {chr(sign)} مکہ میں پیدا ہوئے۔" for sign in range(0xFDF0, 0xFDFE)),
    ],
)
def test_language_a2_a_ligature_makes_no_other_language(text: str) -> None:
    assert identify_language(text, EVERY) == "ur"


@pytest.mark.parametrize(
    ("code", "answer", "reference"),
    [
        ("ur", "یہ ایک مشکل سوال ہے۔", "1"),
        ("ur", "مجھے بتا دو", "2"),
        ("ur", "یہ کام بہتر ہے", "72"),
        ("bn", "এটা একটি কঠিন প্রশ্ন", "1"),
        ("bn", "এক বার", "12"),
        ("sd", "اهو هڪ سوال آهي", "1"),
    ],
)
def test_language_a9_a_word_that_mostly_means_something_else_is_no_answer(
    code: str, answer: str, reference: str
) -> None:
    assert not is_right(answer, reference, code)


def test_language_a9_the_same_word_alone_is_the_number() -> None:
    assert is_right("ایک", "1")
    assert is_right("جواب: بہتر", "72")
    assert is_right("উত্তর: একটি", "১", "bn")


@pytest.mark.parametrize(
    ("answer", "reference"),
    [
        ("25 %", "25 روپے"),
        ("30 %", "30 کلو"),
        ("30°C", "30°F"),
        ("1/2/2020", "2/4/2020"),
        ("60 کلومیٹر فی گھنٹہ", "60 کلومیٹر"),
        ("60 کلومیٹر", "60 کلومیٹر فی گھنٹہ"),
        ("صبح 8 بجے", "رات 8 بجے"),
    ],
)
def test_language_a10_the_same_value_of_another_kind_is_another_answer(answer: str, reference: str) -> None:
    assert not is_right(answer, reference)


@pytest.mark.parametrize(
    ("code", "answer", "reference"),
    [
        ("ur", "30°C", "30 ڈگری سیلسیس"),
        ("bn", "৫ কি.মি.", "৫ কিলোমিটার"),
        ("bn", "১৫ সে.মি.", "১৫ সেন্টিমিটার"),
        ("sw", "500/=", "shilingi 500"),
        ("ur", "14/8/1947", "14 اگست 1947"),
        ("ur", "60 km/h", "60 کلومیٹر فی گھنٹہ"),
    ],
)
def test_language_a10_every_name_of_a_unit_is_read(code: str, answer: str, reference: str) -> None:
    assert is_right(answer, reference, code)
    (quantity,) = find_quantities(answer, load_pack(code))[:1]
    assert quantity.unit or "/" in answer


@pytest.mark.parametrize(
    ("answer", "reference"), [("جواب 42 نہیں ہے", "42"), ("5 سے 10", "10"), ("جواب: 41 یا 42", "42")]
)
def test_language_a11_a_denial_a_range_and_a_choice_are_no_number(answer: str, reference: str) -> None:
    assert not is_right(answer, reference)


@pytest.mark.parametrize(
    ("answer", "right", "wrong"),
    [
        ("جواب: 42\n\nیہ حل 2 مرحلوں میں نکالا گیا ہے۔", "42", "2"),
        ("جواب: 42 روپے، کیونکہ 6 کتابیں 7 روپے فی کتاب ہیں۔", "42 روپے", "7"),
        ("جواب: 42\nپڑتال: 42 ÷ 7 = 6", "42", "6"),
        ("جواب: 42 (صفحہ 7)", "42", "7"),
    ],
)
def test_language_a12_what_follows_the_final_answer_does_not_decide(
    answer: str, right: str, wrong: str
) -> None:
    assert is_right(answer, right)
    assert not is_right(answer, wrong)


GEORGIAN = """თბილისი საქართველოს დედაქალაქია და მდებარეობს მდინარე მტკვრის ნაპირას.
დილით ბებია ბაღში გავიდა და ვაშლები დაკრიფა.
ჩემი ძმა სკოლაში დადის და მათემატიკა ძალიან უყვარს.
ზამთარში მთებში ბევრი თოვლი მოდის და გზები იკეტება.
ბავშვები ეზოში თამაშობდნენ, როცა წვიმა დაიწყო.
მეზობელმა ახალი პური გამოაცხო და ჩვენც გაგვიმასპინძლდა.
მატარებელი დილის რვა საათზე გადის ბათუმისკენ.
ექიმმა თქვა, რომ ავადმყოფს დასვენება სჭირდება.
ეს წიგნი მოგვითხრობს ძველი ქალაქის ისტორიას.
სოფელში ყველამ იცოდა, რომ წყარო ზაფხულში შრება.
მასწავლებელმა დაფაზე ახალი გაკვეთილის თემა დაწერა.
ბაზარში ხილი იაფია, მაგრამ ყველი გაძვირდა.
ღამით ცა მოწმენდილი იყო და ვარსკვლავები ჩანდა.
მამა სახლში გვიან დაბრუნდა და ძალიან დაღლილი იყო.
ამ ხიდზე ადრე მხოლოდ ცხენები და ურმები დადიოდნენ.
მეგობარმა წერილი გამომიგზავნა და ფოტოც ჩადო.
ზღვა დღეს მშვიდია და ნავები ნაპირიდან შორს არიან.
კატა ფანჯარასთან ზის და ჩიტებს უყურებს.
გაზაფხულზე ატმის ხეები პირველი ყვავის.
ბიბლიოთეკა საღამოს ექვს საათამდე ღიაა და უფასოა."""


@pytest.fixture
def georgian(tmp_path: Path) -> Pack:
    """A pack as `alif new` writes it for a script of one language."""
    (tmp_path / "ka.txt").write_text(GEORGIAN, encoding="utf-8")
    write_pack(measure_sample(tmp_path / "ka.txt", "ka"), tmp_path / "ka")
    return load_pack(tmp_path / "ka")


def test_language_a26_a_language_without_the_script_is_no_neighbour(
    georgian: Pack, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert georgian.script.neighbours == ()
    copy_recipe(str(tmp_path / "new"), pack="ka", from_=tmp_path / "ka.txt")
    assert "near to no other language" in capsys.readouterr().out


def test_language_a26_languages_with_the_script_still_are(tmp_path: Path) -> None:
    rows = (row["text"] for _, row in store.read_rows(load_pack("bn").folder / "demo" / "articles.jsonl"))
    (tmp_path / "bn.txt").write_text("\n".join(map(str, rows)), encoding="utf-8")
    assert list(measure_sample(tmp_path / "bn.txt", "bn").neighbours) == ["as"]


@pytest.mark.parametrize(
    "line", ["ცივი წყალი", "გილოცავთ დაბადების დღეს!", "მწვანე ვაშლი, წითელი ატამი, ყვითელი მსხალი"]
)
def test_language_a27_a_short_line_without_function_words_is_kept(georgian: Pack, line: str) -> None:
    assert identify_language(line, (georgian, load_pack("en"))) in ("ka", "undecided")


@pytest.mark.parametrize("line", ["Kitabu kizuri sana", "Watoto wanacheza mpira", "Karibu nyumbani"])
def test_language_a27_without_distinctive_letters_a_short_line_is_undecided(line: str) -> None:
    sw = load_pack("sw")
    bare = sw.model_copy(update={"script": sw.script.model_copy(update={"distinctive": ""})})
    assert identify_language(line, (bare, load_pack("en"))) in ("sw", "undecided")
    assert identify_language("Wir haben heute keine Zeit dafür gehabt", (bare, load_pack("en"))) == "other"


def test_language_a28_a_language_unknown_to_the_classifier_leaves_neighbours_out() -> None:
    ur = load_pack("ur")
    script = {
        "distinctive": "",
        "neighbours": ("fa", "ar", "ps"),
        "classified_as": ("ur",),
        "function_words": (*ur.script.function_words, "از", "به", "که", "را", "در"),
        "letters": ur.script.letters + "هكي",
    }
    pack = ur.model_copy(update={"code": "qaa", "script": ur.script.model_copy(update=script)})
    packs = (pack, load_pack("en"))
    assert identify_language("بچے صحن میں کھیل رہے ہیں اور ان کی ماں کھانا پکا رہی ہے۔", packs) == "qaa"
    persian = "این کتاب را از بازار خریدم و به خانه آوردم که در شب آن را بخوانم"
    assert identify_language(persian, packs) == "other"
    near = pack.model_copy(update={"script": pack.script.model_copy(update={"neighbours": ("ur", "fa")})})
    assert identify_language("بچے صحن میں کھیل رہے ہیں اور ان کی ماں کھانا پکا رہی ہے۔", (near,)) != "other"


@pytest.fixture
def urdu(tmp_path: Path) -> Path:
    """A copy of the Urdu pack to spoil, without its demo rows."""
    ignored = shutil.ignore_patterns("candidates", "translations.jsonl", "seeds")
    return shutil.copytree(load_pack("ur").folder, tmp_path / "pack", ignore=ignored)


def lint(folder: Path) -> list[str]:
    return [f"{one.kind} {one.where}: {one.what}" for one in lint_pack(str(folder), Language())]


def test_language_a28_check_reads_the_pack_s_own_articles(urdu: Path) -> None:
    assert not any("paragraphs" in one for one in lint(urdu))
    path = urdu / "demo" / "articles.jsonl"
    persian = "من اهل ایران هستم و هر روز صبح با مادرم چای می‌نوشم و نان می‌خورم."
    rows = [json.dumps({"text": persian}, ensure_ascii=False)] * 3
    path.write_text("\n".join([*path.read_text(encoding="utf-8").splitlines()[:4], *rows]), encoding="utf-8")
    assert any("wrong" in one and "taken for another language" in one for one in lint(urdu))


def test_language_a28_check_names_a_stale_share_of_function_words(urdu: Path) -> None:
    path = urdu / "pack.toml"
    words = re.compile(r"function_words = \[.*?\]", re.S)
    few = words.sub('function_words = ["نے", "تھا"]', path.read_text("utf-8"), count=1)
    path.write_text(few, encoding="utf-8")
    assert any("script.function_word_share" in one and "have less than 0.15" in one for one in lint(urdu))


def test_language_a28_check_names_a_shipped_neighbour_that_is_taken_in(urdu: Path) -> None:
    path = urdu / "pack.toml"
    path.write_text(path.read_text("utf-8").replace('code = "ur"', 'code = "qaa"', 1), encoding="utf-8")
    assert any("paragraphs of the pack ur are taken for Urdu" in one for one in lint(urdu))


def test_language_a29_check_names_what_alif_new_left_open(georgian: Pack) -> None:
    told = "\n".join(lint(georgian.folder))
    for key in (
        "pack.toml: licence: none",
        "sentiment.toml: labels: empty",
        "translation.toml: request_templates: empty",
        "translation.toml: into.known: empty",
        "phrases.refusals: only phrases in English",
        "phrases.closings: only phrases in English",
        "choices.asks: only phrases in English",
        "choices.ordinals: only phrases in English",
        'tasks/qa.toml:3: 1 comments "mend:" are left',
    ):
        assert key in told


def test_language_a29_what_was_filled_in_is_not_named(urdu: Path) -> None:
    told = "\n".join(lint(urdu))
    assert not any(part in told for part in ("licence", "empty", "only phrases", "mend:"))


@pytest.mark.parametrize(
    ("broken", "whole"),
    [
        ("نہی\u200cں", "نہیں"),
        ("کتابی\u200cں", "کتابیں"),
        ("بچ\u200cوں", "بچوں"),
        ("لڑکی\u200cاں", "لڑکیاں"),
        ("ب\u200cھی", "بھی"),
        ("میں\u200cنے", "میں نے"),  # two words
        ("ٹھیک\u200cٹھاک", "ٹھیک ٹھاک"),
        ("علم\u200cو\u200cادب", "علم و ادب"),
    ],
)
def test_language_a30_a_stray_non_joiner_does_not_break_a_word(broken: str, whole: str) -> None:
    assert split_words(broken, load_pack("ur")) == split_words(whole, load_pack("ur"))
    assert is_right(broken, whole)
