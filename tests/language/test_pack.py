"""The shipped packs are whole; whatever is wrong in a pack is told with its path and line."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import jinja2
import pytest

from alif import store
from alif.dedup.ngrams import word_ngrams
from alif.dedup.rouge_index import RougeLIndex
from alif.errors import PackError
from alif.language.language_id import find_lookalikes, script_share
from alif.language.pack import SHIPPED, Pack, load_pack, prompt_variants, shipped_packs
from alif.language.text import check_equations, final_answer, find_phrase, normalise_text, split_words

UR = load_pack("ur")


def test_a_pack_is_read_once_and_found_by_name_or_folder() -> None:
    assert load_pack("ur") is UR
    assert load_pack(SHIPPED / "ur") is UR
    assert {"ur", "en"} <= shipped_packs().keys()
    assert (UR.code, UR.native_name, UR.direction) == ("ur", "اردو", "rtl")
    assert not load_pack("en").tasks


def test_an_edited_pack_is_read_again(folder: Path) -> None:
    before = load_pack(folder)
    assert load_pack(folder) is before
    replaced("pack.toml", 'name = "Urdu"', 'name = "Urdu (edited)"')(folder)
    assert load_pack(folder).name == "Urdu (edited)"
    prompt = folder / "prompts" / "qa.other.jinja"
    prompt.write_text("Write {{ items }}.", encoding="utf-8")
    assert "Write {{ items }}." in load_pack(folder).tasks["qa"].templates
    assert before.name == "Urdu"


@pytest.mark.parametrize(
    ("file", "new", "old"),
    [
        ("pack.toml", "function_word_share = 0.15", "words_share = 0.15"),
        ("pack.toml", "choice_nouns", "beside"),
        ("pack.toml", "ambiguous", "weak"),
        ("tasks/translation.toml", "request_templates", "carriers"),
    ],
)
def test_a_key_of_an_older_pack_is_answered_with_its_new_name(
    folder: Path, file: str, new: str, old: str
) -> None:
    replaced(file, f"\n{new}", f"\n{old}")(folder)
    key, name = old.partition(" ")[0], new.partition(" ")[0]
    with pytest.raises(PackError, match=rf"{file}:\d+: [\w.]*{key}: is called [\w.]*{name} now"):
        load_pack(folder)


def test_weights_are_the_papers() -> None:
    weighed = [name for name, task in UR.tasks.items() if task.weight]
    assert weighed == [
        "generation",
        "reasoning",
        "ethics",
        "qa",
        "translation",
        "classification",
        "sentiment",
    ]
    assert sum(task.weight for task in UR.tasks.values()) == 51_686
    assert {name: task.share for name, task in UR.tasks.items() if name not in weighed} == {"roman": 0.05}
    assert (UR.tasks["roman"].answer, UR.tasks["roman"].answer_script) == ("own", "either")


def test_what_the_pool_compares() -> None:
    assert UR.tasks["qa"].compared_text("کیا؟", "یہ") == "کیا؟"
    assert split_words(UR.tasks["translation"].compared_text("ترجمہ کریں:", "Hello there"), UR) == [
        "ترجمہ",
        "کریں",
        "hello",
        "there",
    ]


def test_parts_are_the_files_that_decide_what_is_made() -> None:
    parts = UR.identity_files()
    assert {
        "ur/pack.toml",
        "ur/tasks/qa.toml",
        "ur/prompts/qa.jinja",
        "ur/prompts/_format.jinja",
    } <= parts.keys()
    assert all(path.is_file() for path in parts.values())
    assert not any("seeds" in label or "demo" in label for label in parts)


@pytest.mark.parametrize(
    ("name", "wording"),
    [(name, place) for name in UR.tasks for place in range(len(UR.tasks[name].templates))],
)
def test_every_wording_asks_for_the_format(name: str, wording: int) -> None:
    task = UR.tasks[name]
    template = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False).from_string(
        task.templates[wording]
    )
    prompt = template.render(language=UR.name, native_name=UR.native_name, items=17)
    for wanted in ("اردو", "17", "\nInstruction: ", "\nInput: <noinput>\n", "\nOutput: ", "\n###\n"):
        assert wanted in prompt
    assert "{" not in prompt
    for heading in (*task.headings.answer[:1], *task.headings.other[:1], *task.labels):
        assert heading in prompt


@pytest.mark.parametrize("name", UR.tasks)
def test_a_task_is_asked_for_in_several_wordings_one_of_them_in_urdu(name: str) -> None:
    templates = UR.tasks[name].templates
    assert len(set(templates)) == len(templates) >= 3
    assert sum(script_share(template, UR) > 0.6 for template in templates) == 1
    first = (UR.folder / "prompts" / f"{name}.jinja").read_text(encoding="utf-8").splitlines()[0]
    assert templates[0].startswith(first)
    assert [path.name.partition(".")[0] for path in prompt_variants(UR.folder, name)] == [name] * len(
        templates
    )


def test_carriers_differ_from_each_other() -> None:
    pool = RougeLIndex(0.7)
    assert len(UR.tasks["translation"].request_templates) >= 6
    for template in UR.tasks["translation"].request_templates:
        assert pool.nearest(split_words(template, UR)) is None
        pool.add(template, split_words(template, UR))


def test_every_seed_is_accepted_in_order_and_right() -> None:
    pool = RougeLIndex(0.7)
    for task in UR.tasks.values():
        rows = [row for _, row in store.read_rows(UR.folder / "seeds" / f"{task.name}.jsonl")]
        assert len(rows) >= 14
        for number, row in enumerate(rows, 1):
            name = f"{task.name}:{number}"
            text = split_words(task.compared_text(row["instruction"], row["input"]), UR)
            assert pool.nearest(text) is None, name
            pool.add(name, text)
            for key in ("instruction", "input", "output"):
                assert normalise_text(row[key], UR) == row[key], name
                assert not find_lookalikes(row[key], UR), name
            assert all(holds for _, holds in check_equations(row["output"], UR)), name
            assert find_phrase(row["output"], UR.phrases.refusals, UR) is None, name
            assert not task.labels or final_answer(row["output"], task, UR) in task.labels, name
            assert row["author"]
            assert "reviewed_by" in row


# What can be wrong in a folder.


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the Urdu pack to spoil."""
    copy = tmp_path / "spoiled"
    shutil.copytree(UR.folder, copy, ignore=shutil.ignore_patterns("seeds", "demo"))
    return copy


def replaced(file: str, old: str, new: str) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        text = (folder / file).read_text(encoding="utf-8")
        assert old in text
        (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")

    return spoil


def bytes_replaced(file: str, old: bytes, new: bytes) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        raw = (folder / file).read_bytes()
        assert old in raw
        (folder / file).write_bytes(raw.replace(old, new, 1))

    return spoil


def without_roman(folder: Path) -> None:
    text = (folder / "pack.toml").read_text(encoding="utf-8")
    (folder / "pack.toml").write_text(text.partition("[roman]")[0], encoding="utf-8")


def removed(file: str) -> Callable[[Path], None]:
    return lambda folder: (folder / file).unlink()


def test_an_unspoiled_copy_is_fine(folder: Path) -> None:
    assert load_pack(folder).tasks.keys() == UR.tasks.keys()


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (removed("pack.toml"), "no such language pack"),
        (removed("tasks/qa.toml"), r"tasks/qa\.toml: cannot be read"),
        (removed("prompts/qa.jinja"), r"prompts/qa\.jinja: cannot be read"),
        (removed("prompts/_format.jinja"), r"prompts/_format\.jinja: cannot be read"),
        (
            replaced("pack.toml", "[numbers]", "[nombers]"),
            r"pack\.toml.*: n[ou]mbers: (is missing|no such key)",
        ),
        (
            replaced("pack.toml", "[sentences]\nmarks", "[sentences]\nmark"),
            r"pack\.toml:\d+: sentences.marks?: (is missing|no such key)",
        ),
        (replaced("pack.toml", 'direction = "rtl"', 'direction = "up"'), r"pack\.toml:10: direction: .*rtl"),
        (
            replaced("pack.toml", 'name = "Arabic"', 'name = "Arabish"'),
            r"pack\.toml:\d+: script\.name: .*Unicode script",
        ),
        (replaced("pack.toml", "آ ا ب پ", "آ ا ب ب پ"), r"pack\.toml:\d+: script\.letters: .*listed twice"),
        (
            replaced("pack.toml", "آ ا ب پ", "آ ا ب x پ"),
            r"script\.letters: x \(U\+0078\) is not of the script Arabic",
        ),
        (replaced("pack.toml", "آ ا ب پ", "آ ا ب ي پ"), r"lookalikes: ي .*cannot be a wrong letter"),
        (
            replaced("pack.toml", 'distinctive = "ٹ', 'distinctive = "ټ'),
            r"script\.distinctive: ټ .*not among script\.letters",
        ),
        (replaced("pack.toml", '"ك" = "ک"', '"ك" = "کک"'), r"pack\.toml:\d+: compare\.letters: .*one letter"),
        (replaced("pack.toml", '"ڪ" = "ک"', '"ڪ" = "ك"'), r"compare\.letters: .*itself to be replaced"),
        (
            replaced("pack.toml", '"۰۱۲۳۴۵۶۷۸۹"', '"۰۱۲۳۴۵۶۷۹۸"'),
            r"pack\.toml:\d+: numbers\.digits: .*ten digits",
        ),
        (replaced("pack.toml", "U+0640", "U+64"), r"pack\.toml:\d+: compare\.drop: .*not a code point"),
        (replaced("pack.toml", 'code = "ur"', "code = ur"), r"pack\.toml:7: not TOML"),
        (replaced("pack.toml", '"qa", "translation"', '"qa", "qa"'), r"pack\.toml: tasks: qa is named twice"),
        (replaced("pack.toml", '"qa", "translation"', '"qa"'), r"translation\.toml: not a task of the pack"),
        (replaced("tasks/qa.toml", "weight = 8177", "weight = 0"), r"qa\.toml:4: weight"),
        (replaced("tasks/qa.toml", "weight = 8177", ""), r"qa\.toml:1: .*a task has a weight or a share"),
        (
            replaced("tasks/qa.toml", "weight = 8177", "weight = 1\nshare = 0.1"),
            r"qa\.toml:1: .*a weight or a share",
        ),
        (
            replaced("tasks/qa.toml", "weight = 8177", "share = 0.97"),
            r"pack\.toml: tasks: their shares are 1\.02",
        ),
        (replaced("tasks/qa.toml", "weight", "wait"), r"qa\.toml.*: wait: no such key"),
        (replaced("tasks/roman.toml", '"either"', '"latin"'), r"roman\.toml:7: answer_script"),
        (replaced("pack.toml", "[roman]\n", "[quoted2]\n"), r"pack\.toml:\d+: quoted2: no such key"),
        (without_roman, r"roman\.toml: answer_script: pack\.toml has no table roman"),
        (replaced("tasks/qa.toml", '"own"', '"mine"'), r"qa\.toml:6: answer"),
        (replaced("prompts/qa.jinja", "{{ items }}", "{{ items"), r"qa\.jinja:1: not a Jinja template"),
        (
            replaced("prompts/qa.jinja", "{{ items }}", "{{ number }}"),
            r"qa\.jinja:1: no such variable: number",
        ),
        (
            replaced("prompts/qa.ur.jinja", "{{ items }}", "{{ number }}"),
            r"qa\.ur\.jinja:1: no such variable: number",
        ),
        (
            replaced("prompts/_format.jinja", "Write {{ items }}", "Write {{ count }}"),
            r"_format\.jinja:\d+: no such variable: count",
        ),
        (
            bytes_replaced("pack.toml", b"# The", b"\xef\xbb\xbf# The"),
            r"pack\.toml:1: begins with a byte-order mark",
        ),
        (
            bytes_replaced("pack.toml", b'code = "ur"\n', b'code = "ur"\r\n'),
            r"pack\.toml:7: a Windows line end",
        ),
        (bytes_replaced("tasks/qa.toml", b"# Questions", b"# Q\xffuestions"), r"qa\.toml:1: not UTF-8"),
        (replaced("tasks/qa.toml", "سوال و جواب", "سوال ا\u0653"), r"qa\.toml:3: decomposed letters"),
    ],
)
def test_faults_are_told_in_a_sentence_with_their_place(
    folder: Path, spoil: Callable[[Path], None], complaint: str
) -> None:
    spoil(folder)
    with pytest.raises(PackError, match=complaint) as caught:
        load_pack(folder)
    assert str(folder) in caught.value.message
    assert caught.value.hint


def _runs(row: dict[str, str], pack: Pack) -> set[tuple[str, ...]]:
    """Return every run of eight words of a row; labels, which a question has to name, are passed over."""
    labels = {
        word for task in pack.tasks.values() for label in task.labels for word in split_words(label, pack)
    }
    found = set()
    for field in ("instruction", "input", "output", "text"):
        told = [word for word in split_words(row.get(field, ""), pack) if word not in labels]
        found |= {tuple(told[start : start + 8]) for start in range(len(told) - 7)}
    return found


@pytest.mark.parametrize("name", [name for name in shipped_packs() if load_pack(name).tasks])
def test_no_test_question_shares_eight_words_with_seeds_or_demo(name: str) -> None:
    pack = load_pack(name)
    shown = {
        run: f"{path}:{number}"
        for path in (*pack.folder.glob("seeds/*"), *pack.folder.glob("demo/**/*.jsonl"))
        for number, row in store.read_rows(path)
        for run in _runs(row, pack)
    }
    for number, row in store.read_rows(pack.folder / "test.jsonl"):
        given_away = [(shown[run], " ".join(run)) for run in _runs(row, pack) if run in shown]
        assert not given_away, f"test.jsonl:{number}"


def test_the_english_questions_give_their_answers_away_neither_by_place_nor_by_length() -> None:
    rows = [row for _, row in store.read_rows(SHIPPED / "en" / "choices.jsonl")]
    assert len(rows) == len({row["id"] for row in rows}) == len({row["question"] for row in rows}) == 200
    assert [sum(row["gold"] == place for row in rows) for place in range(4)] == [50] * 4
    right, wrong, longest = [], [], 0.0
    for row in rows:
        sizes = [len(choice) for choice in row["choices"]]
        assert len(set(row["choices"])) == 4
        assert all(choice == choice.strip() for choice in row["choices"])
        longest += (sizes[row["gold"]] == max(sizes)) / sizes.count(max(sizes))
        right.append(sizes.pop(row["gold"]))
        wrong += sizes
    assert sum(right) / len(right) == pytest.approx(sum(wrong) / len(wrong), rel=0.05)
    assert longest / len(rows) == pytest.approx(0.25, abs=0.05)
    assert {(row["provenance"], row["licence"], row["author"]) for row in rows} == {
        ("native", "MIT", "language model")
    }


def test_no_english_question_stands_in_the_demo_that_it_is_asked_after() -> None:
    english = load_pack("en")
    demo = [row for path in (english.folder / "demo").glob("*.jsonl") for _, row in store.read_rows(path)]
    texts = [split_words("\n".join(map(str, row.values())), english) for row in demo]
    runs = {run for words in texts for run in word_ngrams(words, 8)}
    for _, row in store.read_rows(english.folder / "choices.jsonl"):
        words = split_words(f"{row['question']} {row['choices'][row['gold']]}", english)
        assert not runs & set(word_ngrams(words, 8)), row["question"]
        assert words not in texts
