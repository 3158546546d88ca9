"""Faults of translation that the review of the data half listed, each with neighbours of its kind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from alif import settings, sources
from alif.data.filters.filter_context import FilterContext
from alif.data.filters.rules import first_fault
from alif.data.synthesis.passages import Passage
from alif.data.synthesis.seeds import read_seeds
from alif.data.synthesis.strategies import read_question
from alif.data.translation.translate import TranslationItem, read_items, read_translation
from alif.language import pack as packs
from alif.language.replies.item_format import Candidate, write_item
from alif.llm import Reply
from alif.records import Dropped, Example, Origin
from alif.settings import Translate

ALPACA = "Task.\n### Instruction:\nName two uses of a rope.\n### Response:\nTie a boat."
TRIPLE = {"instruction": "Name two uses of a rope.", "input": "", "output": "Tie a boat."}
TALK = [{"role": "user", "content": "Where is the key?"}, {"role": "assistant", "content": "On the shelf."}]


def write_source(folder: Path, *rows: Any) -> tuple[str]:
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    (folder / "rows.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return ("rows.jsonl",)


def items_of(folder: Path, *rows: Any, pack: str = "ur") -> list[TranslationItem | Dropped]:
    asked = Translate(source=write_source(folder, *rows), rows=9)
    return list(read_items(packs.load_pack(pack), packs.load_pack("en"), str(folder), asked))


# --- A1: which shape a row has ---------------------------------------------------------------------------


def test_data_a1_a_triple_with_text_is_translated_as_a_triple(tmp_path: Path) -> None:
    [item] = items_of(tmp_path, {**TRIPLE, "text": ALPACA})
    assert isinstance(item, TranslationItem)
    assert not item.request_template
    assert (item.row.task, item.row.instruction, item.row.input) == ("other", TRIPLE["instruction"], "")
    assert item.row.output == "Tie a boat."


@pytest.mark.parametrize(
    "values",
    [
        {**TRIPLE, "text": ALPACA, "en": "Name two uses of a rope."},
        {"text": ALPACA, "prompt": ALPACA, **TRIPLE},
        {"question": "Name two uses of a rope.", "answer": "Tie a boat.", "text": "q a"},
        {"instruction": None, "prompt": TRIPLE["instruction"], "completion": "Tie a boat.", "text": "q"},
        {**TRIPLE, "output": None, "instances": [{"input": "", "output": "Tie a boat."}], "text": "q"},
        {"messages": [], "text": ALPACA, **TRIPLE},
        {"conversations": None, "text": ALPACA, **TRIPLE},
    ],
)  # fmt: skip
def test_data_a1_the_triple_wins_over_what_stands_beside_it(tmp_path: Path, values: dict[str, Any]) -> None:
    [item] = items_of(tmp_path, values)
    assert isinstance(item, TranslationItem)
    assert (item.row.instruction, item.row.output) == (TRIPLE["instruction"], TRIPLE["output"])


@pytest.mark.parametrize("key", ["messages", "conversations"])
@pytest.mark.parametrize("beside", [{"text": ALPACA}, TRIPLE, {**TRIPLE, "text": ALPACA, "en": "x"}])
def test_data_a1_a_conversation_wins_over_what_stands_beside_it(
    tmp_path: Path, key: str, beside: dict[str, Any]
) -> None:
    [item] = items_of(tmp_path, {**beside, key: TALK})
    assert isinstance(item, TranslationItem)
    assert (item.row.instruction, item.row.output) == ("Where is the key?", "On the shelf.")


@pytest.mark.parametrize(
    "values",
    [
        {"text": "The bridge is closed."},
        {"en": "The bridge is closed.", "text": "other"},
        {"en": None, "text": "The bridge is closed."},
        {"en": "", "text": "The bridge is closed."},
        {"text": "The bridge is closed.", "instruction": None, "output": None},
        {"text": "The bridge is closed.", "instruction": "", "input": "", "output": ""},
        {"text": "The bridge is closed.", "messages": []},
        {"text": "The bridge is closed.", "question": "What is closed?"},
        {"text": "The bridge is closed.", "prompt": "news"},
    ],
)
def test_data_a1_a_text_is_a_sentence_where_no_other_shape_is_whole(
    tmp_path: Path, values: dict[str, Any]
) -> None:
    [item] = items_of(tmp_path, values)
    assert isinstance(item, TranslationItem)
    assert item.request_template
    assert item.row.input == "The bridge is closed."


def test_data_a1_a_triple_without_its_output_is_dropped_and_not_read_as_its_text(tmp_path: Path) -> None:
    [item] = items_of(tmp_path, {**TRIPLE, "output": "", "text": ALPACA})
    assert isinstance(item, Dropped)
    assert item.reason == "missing_field"


def test_data_a1_the_last_turn_of_a_conversation_is_not_translated_alone(tmp_path: Path) -> None:
    [item] = items_of(tmp_path, {"messages": [*TALK, *TALK], "text": "x"})
    assert isinstance(item, Dropped)
    assert item.reason == "earlier_turns"


def test_data_a1_every_other_door_reads_the_same_shape(tmp_path: Path) -> None:
    rows = ({**TRIPLE, "text": ALPACA}, {"messages": TALK, "text": ALPACA, **TRIPLE})
    source = write_source(tmp_path, *rows)
    found = [*sources.read_examples(source, str(tmp_path), language="en", task="other", kind="replay")]
    asked = [one.instruction for one in found if isinstance(one, Example)]
    assert asked == [TRIPLE["instruction"], "Where is the key?"]
    source = write_source(tmp_path, {**TRIPLE, "text": ALPACA, "task": "qa"})
    assert [one.output for one in read_seeds(packs.load_pack("ur"), str(tmp_path), source)] == ["Tie a boat."]


# --- A2: what a teacher writes around a translation or a question ------------------------------------------

EN = "The bridge over the river is closed today for repair."
OWN = {
    "ur": "دریا کا پل آج مرمت کے لیے بند ہے۔",
    "sw": "Daraja lililo juu ya mto limefungwa leo kwa ukarabati.",
    "bn": "নদীর সেতুটি আজ মেরামতের জন্য বন্ধ।",
    "sd": "درياهه جي پل اڄ مرمت لاءِ بند آهي.",
}
OTHER = {
    "ur": "آج دریا پر بنا پل مرمت کی وجہ سے بند ہے۔",
    "sw": "Leo daraja la mto limefungwa kwa matengenezo.",
    "bn": "আজ নদীর উপরের সেতু মেরামতের কারণে বন্ধ আছে।",
    "sd": "اڄ درياهه واري پل مرمت سبب بند آهي.",
}
WORDS = {  # translation, note, the language's own name, an offer of help
    "ur": ("ترجمہ", "نوٹ", "اردو", "کیا میں آپ کی مزید مدد کر سکتا ہوں؟"),
    "sw": ("Tafsiri", "Kumbuka", "Kiswahili", "Je, kuna jambo lingine unalohitaji?"),
    "bn": ("অনুবাদ", "দ্রষ্টব্য", "বাংলা", "আপনার আর কোনো সাহায্য লাগলে জানাবেন।"),
    "sd": ("ترجمو", "نوٽ", "سنڌي", "ڇا مان توهان جي وڌيڪ مدد ڪري سگهان ٿو؟"),
}
ROMAN = {
    "ur": "Darya ka pul aaj marammat ke liye band hai.",
    "bn": "Nodir setuti aj meramoter jonno bondho.",
    "sd": "Darya ji pul ajj marammat lai band aahe.",
}
every_language = pytest.mark.parametrize("code", list(OWN))


def translated(code: str, source: str, text: str, task: str = "translation") -> Example | Dropped:
    """Return what becomes of a reply to a sentence, or of a triple's output where the task is another."""
    reply = Reply(text=text, finish="stop", model="m", request="r", tokens_in=1, tokens_out=1, cost_usd=0.0)
    own, known = packs.load_pack(code), packs.load_pack("en")
    origin = Origin(kind="source")
    if task == "translation":
        row = Example.make("en", task, "c", source, "", origin)
        return read_translation(TranslationItem(row, "c"), "t", reply, own, known)
    row = Example.make("en", task, "Write it.", "", source, origin)
    item = write_item(ASKED[code], "", text)
    return read_translation(TranslationItem(row), "t", reply.model_copy(update={"text": item}), own, known)


ASKED = {
    "ur": "یہ سب اس کے لیے لکھیے۔",
    "sw": "Andika haya yote kwa ajili yake.",
    "bn": "এটি তার জন্য এখনই লিখুন।",
    "sd": "هي سڀ هن لاءِ لکو.",
}


def assert_bare(code: str, *replies: str) -> None:
    """Each reply gives the sentence alone."""
    for reply in replies:
        found = translated(code, EN, reply)
        assert isinstance(found, Example), (reply, found)
        assert found.output == OWN[code], reply


def assert_bare_or_dropped(code: str, *replies: str) -> None:
    for reply in replies:
        found = translated(code, EN, reply)
        assert isinstance(found, Dropped) or found.output == OWN[code], reply


@every_language
def test_data_a2_a_preamble(code: str) -> None:
    x, name = OWN[code], packs.load_pack(code).name
    for said in (
        "Here is the translation:",
        "Here is the translation of the text into the language:",
        "Sure! Here's the translation:",
        f"Certainly! The {name} translation is:",
        "Voici la traduction :",
        "Here you go:",
        "The sentence translates to:",
    ):
        assert_bare(code, f"{said}\n\n{x}", f"{said}\n{x}", f"{said} {x}")
    assert_bare(code, f"Sure, I've written a translation for you.\n\n{x}", f"Of course!\n\n{x}", f"Sure! {x}")


@every_language
def test_data_a2_a_label(code: str) -> None:
    x, (translation, _, own_name, _) = OWN[code], WORDS[code]
    name = packs.load_pack(code).name
    for label in (translation, "Translation", "Translated text", name, own_name, f"{own_name} {translation}"):
        assert_bare(code, f"{label}: {x}", f"{label}:\n{x}", f"**{label}:** {x}", f"**{label}:**\n\n{x}")


@every_language
def test_data_a2_a_heading(code: str) -> None:
    x, name = OWN[code], packs.load_pack(code).name
    headings = (
        f"**{name} translation:**",
        "## Translation",
        f"### {WORDS[code][0]}",
        f"**{name} Translation**",
    )
    assert_bare(code, *(f"{heading}\n\n{x}" for heading in headings))


@every_language
def test_data_a2_quotation_marks_and_emphasis(code: str) -> None:
    x = OWN[code]
    assert_bare(code, f'"{x}"', f"“{x}”", f"«{x}»", f"'{x}'", f"‘{x}’", f"„{x}“", f'"{x}".')
    assert_bare(code, f"**{x}**", f"*{x}*", f"__{x}__", f"> {x}", f"- {x}", f"1. {x}")


@every_language
def test_data_a2_a_code_fence(code: str) -> None:
    x = OWN[code]
    assert_bare(code, f"```\n{x}\n```", f"```text\n{x}\n```", f"`{x}`", f'{{"translation": "{x}"}}')
    assert_bare(code, f"Here is the translation:\n\n```\n{x}\n```\n\nI hope this helps.")


@every_language
def test_data_a2_a_note(code: str) -> None:
    x, (_, note, _, _) = OWN[code], WORDS[code]
    for said in (
        "(Note: I kept the word order.)",
        "Note: I kept the word order.",
        "**Note:** The word for repair can be written in another way.",
        f"({note}: {OTHER[code]})",
        f"{note}: {OTHER[code]}",
        "Explanation:\n- bridge means this\n- repair means that",
        "(Literal translation: bridge closed)",
    ):
        assert_bare(code, f"{x}\n\n{said}", f"{x}\n{said}")
    assert_bare(code, f"{x} (Note: I kept the word order.)")


@every_language
def test_data_a2_a_closing_remark(code: str) -> None:
    x, offer = OWN[code], WORDS[code][3]
    for said in (
        "Let me know if you need anything else!",
        "I hope this helps!",
        "Feel free to ask more.",
        offer,
    ):
        assert_bare(code, f"{x}\n\n{said}", f"{x}\n{said}")
    assert_bare(code, f"{x} {offer}", f"{x}\n\n---\nLet me know!")
    assert_bare_or_dropped(code, f"{x} Let me know if you need anything else!")


@every_language
def test_data_a2_several_versions_are_dropped(code: str) -> None:
    x, y = OWN[code], OTHER[code]
    for reply in (
        f"Option 1: {x}\n\nOption 2: {y}",
        f"**Option 1:** {x}\n**Option 2:** {y}",
        f"1. {x}\n2. {y}",
        f"{x} / {y}",
        f"Formal: {x}\nInformal: {y}",
        f"{x}\n\n{y}",
    ):
        found = translated(code, EN, reply)
        assert isinstance(found, Dropped), reply
        assert found.reason == "wrapped"
    assert_bare_or_dropped(code, f"{x}\n\nAlternatively:\n{y}")


@pytest.mark.parametrize("code", list(ROMAN))
def test_data_a2_a_roman_transliteration(code: str) -> None:
    x, roman = OWN[code], ROMAN[code]
    for said in (f"({roman})", roman, f"Transliteration: {roman}", f"*{roman}*", f"Pronunciation: {roman}"):
        assert_bare(code, f"{x}\n\n{said}", f"{x}\n{said}")
    assert_bare(code, f"{x} ({roman})")


@every_language
def test_data_a2_the_english_sentence(code: str) -> None:
    x, name = OWN[code], packs.load_pack(code).name
    assert_bare(code, *(f"{EN}{sign}{x}" for sign in (" = ", " → ", ": ", "\n", "\n\n", " - ", " => ")))
    assert_bare(code, f"English: {EN}\n{name}: {x}", f"{x}\n\n({EN})", f"{x}\n\n{EN}", f"{x} ({EN})")
    assert_bare_or_dropped(
        code, f'"{EN}" translates to "{x}"', f"| English | {name} |\n|---|---|\n| {EN} | {x} |"
    )


@every_language
def test_data_a2_the_labels_of_an_item(code: str) -> None:
    x = OWN[code]
    assert_bare(code, f"Output: {x}", f"**Output:** {x}", f"Answer: {x}", f"Input: {EN}\nOutput: {x}")
    assert_bare(code, f"Instruction: Translate\nInput: {EN}\nOutput: {x}", f"{x}\nInput: <noinput>")


@every_language
def test_data_a2_around_a_field_of_a_triple(code: str) -> None:
    for text in (
        f"{OWN[code]}\n\n(Note: I kept the word order.)",
        f"{WORDS[code][0]}: {OWN[code]}",
        f'"{OWN[code]}"',
    ):
        found = translated(code, EN, text, "other")
        assert isinstance(found, Example), found
        assert found.output == OWN[code]


KEPT = {
    "ur": [
        ('"Come in," he said.', '"اندر آئیے،" اس نے کہا۔'),
        ('"The bridge is closed today."', '"پل آج بند ہے۔"'),
        ("He said: come here.", "اس نے کہا: یہاں آؤ۔"),
        ("Note: the bridge is closed today.", "نوٹ: پل آج بند ہے۔"),
        ("The bridge is closed. (Note: until Friday.)", "پل بند ہے۔ (نوٹ: جمعے تک۔)"),
        ("# Tips\n\n- Eat well.\n- Sleep early.", "# مشورے\n\n- اچھا کھائیے۔\n- جلدی سوئیے۔"),
        ("1. Wash the rice.", "1. چاول دھوئیے۔"),
        ("Wash the rice. Boil it. Serve it.", "چاول دھوئیے۔\nاسے ابالیے۔\nپیش کیجیے۔"),
        ("**The bridge is closed today.**", "**پل آج بند ہے۔**"),
        ("Translation: an art that needs patience.", "ترجمہ: ایک فن جسے صبر چاہیے۔"),
        ("The translation of this book is very good.", "اس کتاب کا ترجمہ بہت اچھا ہے۔"),
        ("Let me know if you need anything else.", "اگر آپ کو مزید مدد چاہیے تو مجھے بتائیے۔"),
        ("Option 1: tea. Option 2: milk.", "آپشن 1: چائے۔ آپشن 2: دودھ۔"),
        (
            "She works for the World Health Organization.",
            "وہ کئی سال سے عالمی ادارہ صحت (World Health Organization) کے دفتر میں ہے۔",
        ),
        ("Translate into French: I like tea.", "فرانسیسی میں ترجمہ کیجیے: I like tea."),
        ("Correct it:\n\nHe go to school.", "اسے درست کیجیے:\n\nHe go to school."),
        ("The train leaves at 10:30 today.", "ریل گاڑی آج 10:30 بجے روانہ ہوگی۔"),
        ("Question: where is it?\nAnswer: here.", "سوال: یہ کہاں ہے؟\nجواب: یہاں۔"),
        ("Good morning", "صبح بخیر"),
        ("Sure, I will come.", "ضرور، میں آؤں گا۔"),
        ("Tea and/or milk, please, today.", "آج چائے اور/یا دودھ دیجیے۔"),
        ("Dear Ali,\n\nI hope this helps.\n\nSara", "عزیز علی،\n\nامید ہے یہ مددگار ہوگا۔\n\nسارہ"),
        ("Urdu: the language of poets.", "اردو: شاعروں کی زبان۔"),
    ],
    "sw": [
        ('"Come in," he said.', '"Ingia ndani," alisema.'),
        ("Remember: the bridge is closed.", "Kumbuka: daraja limefungwa."),
        ("The interpretation of the law is hard.", "Tafsiri ya sheria ni ngumu."),
        ("1. Wash the rice.\n2. Boil it.", "1. Osha mchele.\n2. Uchemshe."),
        ("Install Python and VS Code.", "Sakinisha Python na VS Code."),
        ("Option 1: tea. Option 2: milk.", "Chaguo 1: chai. Chaguo 2: maziwa."),
        ("If you need help, call me.", "Ukihitaji msaada zaidi, nipigie simu."),
    ],
    "bn": [
        ('"Come in," he said.', '"ভেতরে আসুন," তিনি বললেন।'),
        ("Note: the bridge is closed today.", "দ্রষ্টব্য: সেতুটি আজ বন্ধ।"),
        ("The translation of this book is good.", "এই বইয়ের অনুবাদ ভালো।"),
        ("- Eat well.\n- Sleep early.", "- ভালো খান।\n- তাড়াতাড়ি ঘুমান।"),
        ("Another said: come at once today.", "আরেকজন বললেন: আজই চলে আসুন।"),
    ],
    "sd": [
        ("Note: the bridge is closed today.", "نوٽ: پل اڄ بند آهي."),
        ("The translation of this book is good.", "هن ڪتاب جو ترجمو سٺو آهي."),
        ('"The bridge is closed today."', '"پل اڄ بند آهي."'),
    ],
}


@pytest.mark.parametrize(("code", "pair"), [(code, pair) for code, pairs in KEPT.items() for pair in pairs])
@pytest.mark.parametrize("task", ["translation", "other"])
def test_data_a2_a_translation_that_mirrors_its_original_is_kept(
    code: str, pair: tuple[str, str], task: str
) -> None:
    found = translated(code, pair[0], pair[1], task)
    assert isinstance(found, Example), found
    assert found.output == pair[1]


QUESTION = {
    "ur": "دریاؤں کے کنارے پرانے شہر کیوں بسائے گئے؟",
    "sw": "Kwa nini miji ya kale ilijengwa kando ya mito?",
    "bn": "প্রাচীন শহরগুলো কেন নদীর তীরে গড়ে উঠেছিল?",
    "sd": "پراڻا شهر دريائن جي ڪنارن تي ڇو اڏيا ويا؟",
}


def asked(code: str, reply: str) -> Candidate | Dropped:
    passage = Passage.make(code, OWN[code], source="s")
    return read_question(reply, "stop", passage, packs.load_pack(code), packs.load_pack("en"))


@every_language
def test_data_a2_around_a_reverse_question(code: str) -> None:
    q = QUESTION[code]
    for reply in (
        q,
        f"Here is the question:\n\n{q}",
        f"Here is a question: {q}",
        f"Sure! Here is a suitable task:\n{q}",
        f'"{q}"',
        f"“{q}”",
        f"```\n{q}\n```",
        f"1. {q}",
        f"**{q}**",
        f"{q}\n\nLet me know if you need another question!",
        f"{q}\n\nI hope this helps.",
        f"{q}\n\n(Note: the text answers it word for word.)",
        f"{q}<|im_end|>",
        f"{q}\nInput: <noinput>",
        f"{q}\nInput: <noinput><|im_end|>",
        f"Instruction: {q}\nInput: <noinput>",
        f"Instruction: {q}\nInput: None\nOutput: {OWN[code]}",
        f"Question: {q}",
        f"**Task:** {q}",
        f'{{"question": "{q}"}}',
    ):
        found = asked(code, reply)
        assert isinstance(found, Candidate), (reply, found)
        assert (found.instruction, found.input, found.output) == (q, "", OWN[code]), reply
    for reply in (f"1. {q}\n2. {q}", f"{q}\n\n{OWN[code]}", f"Option 1: {q}\n\nOption 2: {q}"):
        assert isinstance(asked(code, reply), Dropped), reply


@pytest.mark.parametrize(
    ("code", "question"),
    [
        ("ur", '"آزادی" کا مطلب کیا ہے؟'),
        ("ur", "اس سوال کا جواب دیجیے: دریا کیوں اہم ہیں؟"),
        ("ur", "ان باتوں پر لکھیے:\n\n1. دریا\n2. پل"),
        ("ur", "دریا پر ایک مضمون لکھیے (سو الفاظ میں)۔"),
        ("ur", "آپ ایک استاد ہیں۔\nبچوں کو دریا کے بارے میں بتائیے۔"),
        ("ur", "UNESCO نے اس شہر کو کیوں چنا؟"),
        ("sw", "Eleza kwa kifupi: kwa nini daraja limefungwa?"),
        ("sw", 'Neno "daraja" lina maana gani?'),
        ("bn", "সংক্ষেপে বলুন: সেতুটি কেন বন্ধ?"),
        ("sd", "مختصر ٻڌايو: پل ڇو بند آهي؟"),
    ],
)
def test_data_a2_a_right_question_is_kept(code: str, question: str) -> None:
    found = asked(code, question)
    assert isinstance(found, Candidate), found
    assert found.instruction == question


# --- A3: code, formulas, tags, placeholders ---------------------------------------------------------------


def filtered(found: Example, code: str = "ur") -> tuple[str, str] | None:
    """Return the fault that the step `filter` finds in a row."""
    own, known = packs.load_pack(code), packs.load_pack("en")
    return first_fault(found, FilterContext(own, known, settings.Filter()))


@pytest.mark.parametrize(
    "output",
    [
        "def add(a, b):\n    return a + b",
        "SELECT name, city FROM customers WHERE age > 30;",
        "<html>\n<body>\n<h1>Welcome to my new page</h1>\n</body>\n</html>",
        "function add(first, second) {\n  return first + second;\n}",
        "for number in range(1, 11):\n    print(number)",
        "const total = prices.reduce((sum, price) => sum + price, 0);",
        '{"name": "John", "age": 30, "city": "New York"}',
        "git commit -am 'fix the bug in the parser'",
        "body {\n  color: red;\n  background: white;\n}",
        "$x^2 + y^2 = z^2 + w^2$",
        "a^2 + b^2 = c^2 + d^2",
        "```python\nprint('hello to all of you')\n```",
        '#include <stdio.h>\nint main() {\n    printf("Hello");\n    return 0;\n}',
        "https://example.org/a/very/long/path",
        "print('Hello to all of you')",
    ],
)
@every_language
def test_data_a3_bare_code_that_stays_is_right(code: str, output: str) -> None:
    found = translated(code, output, output, "other")
    assert isinstance(found, Example), found
    assert found.output == output
    assert filtered(found, code) is None


@pytest.mark.parametrize(
    ("output", "wrong"),
    [
        ("def add(a, b):\n    return a + b", "تعریف جمع(الف، ب):\n    واپس الف + ب"),
        ("SELECT * FROM users;", "منتخب کریں * صارفین سے؛"),
        ("SELECT name FROM users WHERE age > 18;", "SELECT نام FROM صارفین WHERE عمر > 18;"),
        ("<h1>Welcome</h1>", "<سرخی>خوش آمدید</سرخی>"),
        ("for i in range(1, 11):\n    print(i)", "برائے i میں حد(1, 11):\n    چھاپو(i)"),
        ("print('Hello World')", "چھاپو('ہیلو ورلڈ')"),
        ("const total = sum(a, b);", "مستقل کل = جمع(a, b);"),
        ("x^2 + y^2 = z^2", "ایکس مربع جمع وائی مربع برابر زیڈ مربع"),
        ("It is:\n\ndef f(x):\n    return x\n\nThat is all.", "یہ ہے:\n\nتعریف ف(x):\n    واپس x\n\nبس۔"),
    ],
)
def test_data_a3_translated_code_is_dropped(output: str, wrong: str) -> None:
    found = translated("ur", output, wrong, "other")
    assert isinstance(found, Dropped)
    assert found.reason in ("lost_code", "lost_number")


@pytest.mark.parametrize(
    ("source", "wrong", "span"),
    [
        ("Hello %s, you have %d messages.", "سلام، آپ کے پیغامات ہیں۔", "%s"),
        ("Hello {name}, welcome back.", "سلام {نام}، خوش آمدید۔", "{name}"),
        ("Hello {{user}}, welcome back.", "سلام، خوش آمدید۔", "{{user}}"),
        ("Click <b>Save</b> to go on.", "آگے بڑھنے کے لیے محفوظ کریں دبائیے۔", "<b>"),
        ("Solve $x^2 + y^2 = z^2$ for x.", "x کے لیے مساوات حل کیجیے۔", "$x^2 + y^2 = z^2$"),
        ("Use \\(a+b\\) here.", "یہاں جمع استعمال کیجیے۔", "\\(a+b\\)"),
        ("Run git commit -am now.", "اب گٹ کمٹ چلائیے۔", "git commit"),
        ("Run `git commit -am` now.", "اب گٹ کمٹ چلائیے۔", "`git commit -am`"),
        (
            "Run SELECT name FROM users to see them.",
            "انہیں دیکھنے کے لیے نام منتخب کیجیے۔",
            "SELECT name FROM users",
        ),
        ("It was -5.5 degrees.", "درجہ حرارت 5.5 تھا۔", "-5.5"),
        ("It was −3 at night.", "رات کو 3 تھا۔", "−3"),
        ("It grew by 20% this year.", "یہ اس سال 20 بڑھا۔", "20%"),
        ("Well done 🎉 my friend.", "شاباش میرے دوست۔", "🎉"),
        ("See https://a.org/x today.", "آج یہ دیکھیے۔", "https://a.org/x"),
        ("Open report_final.pdf first.", "پہلے رپورٹ کھولیے۔", "report_final.pdf"),
        ("Open notes.txt first.", "پہلے نوٹس کھولیے۔", "notes.txt"),
        (
            "The id is 550e8400-e29b-41d4-a716-446655440000.",
            "شناخت یہ ہے۔",
            "550e8400-e29b-41d4-a716-446655440000",
        ),
        ("Order ORD-12345 was sent.", "آرڈر 12345 بھیجا گیا۔", "ORD-12345"),
        ("Your order [ORDER_ID] was sent.", "آپ کا آرڈر بھیجا گیا۔", "[ORDER_ID]"),
        ("Hello %(name)s, welcome.", "سلام، خوش آمدید۔", "%(name)s"),
        ("It costs ${price} now.", "اب اس کی قیمت یہ ہے۔", "${price}"),
        ("Use the flag --force there.", "وہاں فورس استعمال کیجیے۔", "--force"),
        ("Run pip install requests first.", "پہلے ریکویسٹس نصب کیجیے۔", "pip install"),
        ("Call get_name() or maxItems.", "نام لیجیے۔", "get_name"),
        ("Edit /etc/nginx/nginx.conf first.", "پہلے فائل بدلیے۔", "/etc/nginx/nginx.conf"),
    ],
)
def test_data_a3_a_lost_span_is_named(source: str, wrong: str, span: str) -> None:
    for task in ("translation", "other"):
        found = translated("ur", source, wrong, task)
        assert isinstance(found, Dropped), source
        assert found.reason in ("lost_code", "lost_number")
        assert span in found.evidence


@pytest.mark.parametrize(
    ("source", "right"),
    [
        ("Hello %s, you have %d messages.", "سلام %s، آپ کے %d پیغامات ہیں۔"),
        ("Click <b>Save</b> to go on.", "آگے بڑھنے کے لیے <b>محفوظ کریں</b> دبائیے۔"),
        ("<h1>Welcome</h1>", "<h1>خوش آمدید</h1>"),
        ("It was -5.5 degrees.", "درجہ حرارت منفی ۵٫۵ تھا۔"),
        ("It was -5.5 degrees.", "درجہ حرارت −5.5 تھا۔"),
        ("It grew by 20% this year.", "یہ اس سال 20 فیصد بڑھا۔"),
        ("It grew by 20% this year.", "یہ اس سال ۲۰٪ بڑھا۔"),
        ("Pages 5-10 are missing now.", "صفحات 5 سے 10 اب غائب ہیں۔"),
        ("It costs $5 and $6 today.", "آج اس کی قیمت 5 اور 6 ڈالر ہے۔"),
        ("I have 5 apples (red & green) / 3 pears.", "میرے پاس 5 سیب (سرخ و سبز) / 3 ناشپاتیاں ہیں۔"),
        ("My iPhone is new.", "میرا آئی فون نیا ہے۔"),
        ("Profit = 500 - 300 = 200", "منافع = 500 - 300 = 200"),
        ("COVID-19 spread quickly.", "کووڈ-19 تیزی سے پھیلا۔"),
        ("If a < b and c > d, it holds.", "اگر a < b اور c > d ہو تو درست ہے۔"),
        ("Solve 3x + 2 = 5.", "3x + 2 = 5 حل کیجیے۔"),
        ("Select the best option from the list.", "فہرست سے بہترین چیز چنیے۔"),
        ("Well done 🎉 my friend.", "شاباش 🎉 میرے دوست۔"),
        (
            "It is:\n\ndef f(x):\n    return x\n\nThat is all.",
            "یہ ہے:\n\ndef f(x):\n    return x\n\nبس یہی ہے۔",
        ),
        (
            "def f(x):\n    # add one to it\n    return x + 1",
            "def f(x):\n    # اس میں ایک جمع کریں\n    return x + 1",
        ),
        ("Git is a version control system.", "گٹ ورژن سنبھالنے کا نظام ہے۔"),
    ],
)
def test_data_a3_what_keeps_its_spans_is_kept(source: str, right: str) -> None:
    for task in ("translation", "other"):
        found = translated("ur", source, right, task)
        assert isinstance(found, Example), found
        assert found.output == right


# --- A4: control tokens and thinking formats around one text ----------------------------------------------

FORMS = [
    "{x}<|im_end|>",
    "{x}</s>",
    "{x}<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\nThat is all!",
    "<|im_start|>assistant\n{x}<|im_end|>",
    "<start_of_turn>model\n{x}<end_of_turn>",
    "<answer>{x}</answer>",
    "<think>hm</think><answer>{x}</answer>",
    "<think>\nhm\n</think>\n\n{x}",
    "hm\n</think>\n{x}",
    "[THINK]hm[/THINK]{x}",
    "<reasoning>hm</reasoning>{x}",
    "<seed:think>hm</seed:think>{x}",
    "◁think▷hm◁/think▷{x}",
    "hm◁/think▷{x}",
    "<|channel>thought\n<channel|>{x}",
    "<|channel>thought\nhm<channel|>{x}<turn|>",
    "thought\nhm<channel|>{x}",
    "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>{x}<|return|>",
    "analysisWe need one text.assistantfinal{x}",
    "<|START_THINKING|>hm<|END_THINKING|><|START_RESPONSE|>{x}<|END_RESPONSE|>",
    "<unused94>thought\nhm<unused95>{x}",
]


@every_language
@pytest.mark.parametrize("form", FORMS)
def test_data_a4_tokens_and_thinking_are_no_part_of_a_lone_text(code: str, form: str) -> None:
    assert_bare(code, form.format(x=OWN[code]))
    found = asked(code, form.format(x=QUESTION[code]))
    assert isinstance(found, Candidate), found
    assert found.instruction == QUESTION[code]


@every_language
@pytest.mark.parametrize("token", ["<|im_end|>", "</s>", "<|channel>", "<think>", "[/INST]", "◁redacted▷"])
def test_data_a4_a_token_within_a_lone_text_drops_it(code: str, token: str) -> None:
    first, _, rest = OWN[code].partition(" ")
    assert isinstance(translated(code, EN, f"{first} {token} {rest}"), Dropped)
    first, _, rest = QUESTION[code].partition(" ")
    assert isinstance(asked(code, f"{first} {token} {rest}"), Dropped)


@pytest.mark.parametrize(
    "reply", ["<|channel>thought\nhm", "<think>hm", "<|channel|>analysis<|message|>hm", "◁think▷hm"]
)
def test_data_a4_thinking_without_an_end_says_nothing(reply: str) -> None:
    found = translated("ur", EN, reply)
    assert isinstance(found, Dropped)
    assert found.reason == "empty"
    assert isinstance(asked("ur", reply), Dropped)
