"""Items of benchmarks: every form, every way to say which choice is right, bad rows by name."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from alif import store
from alif.benchmark_items import Item, benchmark_language, read_examples, read_items, short_form_tables
from alif.errors import DataError, RecipeError
from alif.language.pack import load_pack
from alif.recipe import load_recipe, shipped_recipes
from alif.records import Dropped
from alif.settings import BenchmarkTable

EN, UR, SW = load_pack("en"), load_pack("ur"), load_pack("sw")


def read(folder: Path, rows: Sequence[Mapping[str, Any]], form: str, **keys: Any) -> list[Item | Dropped]:
    store.write_rows(folder / "b.jsonl", rows)
    table = BenchmarkTable.model_validate({"form": form, "files": "b.jsonl", **keys})
    return list(read_items("b", table, str(folder), EN))


def one(folder: Path, row: Mapping[str, Any], form: str, **keys: Any) -> Item:
    (found,) = read(folder, [row], form, **keys)
    assert isinstance(found, Item)
    return found


@pytest.mark.parametrize(
    ("gold", "keys", "place"),
    [
        (1, {}, 1),
        ("1", {}, 1),
        (1, {"first": 1}, 0),
        ("3", {"first": 1}, 2),
        ("C", {}, 2),
        ("blue", {}, 2),
        (" wet ", {}, 1),
    ],
)
def test_the_right_choice_is_told_by_number_letter_or_text(
    tmp_path: Path, gold: object, keys: dict[str, object], place: int
) -> None:
    row = {"question": "Water is", "choices": ["dry", "wet", "blue"], "gold": gold}
    assert one(tmp_path, row, "choice", **keys).gold == place


@pytest.mark.parametrize("gold", [3, -1, "D", "green", True])
def test_a_right_answer_outside_the_choices_is_a_counted_drop(tmp_path: Path, gold: object) -> None:
    good = {"question": "Water is", "choices": ["dry", "wet", "blue"], "gold": 0}
    _, dropped = read(tmp_path, [good, {**good, "gold": gold}], "choice")
    assert isinstance(dropped, Dropped)
    assert dropped.reason == "gold_outside"
    assert dropped.evidence.startswith(f"{tmp_path}/b.jsonl:2: the right answer, {gold}, is none of 3")


def test_columns_may_have_other_names_be_several_or_lie_within_one(tmp_path: Path) -> None:
    """The shapes of Belebele, CommonsenseQA and XNLI."""
    belebele = {"flores_passage": "P", "question": "Q", "mc_answer1": "a", "mc_answer2": "b", "num": "2"}
    columns = {
        "question": ("flores_passage", "question"),
        "choices": ("mc_answer1", "mc_answer2"),
        "gold": "num",
    }
    found = one(tmp_path, belebele, "choice", columns=columns, first=1)
    assert (found.question, found.choices, found.right) == ("P\nQ", ("a", "b"), "b")
    nested = {"question": "Q", "choices": {"label": ["A", "B"], "text": ["a", "b"]}, "answerKey": "B"}
    found = one(tmp_path, nested, "choice", columns={"choices": "choices.text", "gold": "answerKey"})
    assert found.right == "b"
    xnli = {"premise": "P", "hypothesis": "H", "label": 2}
    columns = {"question": ("premise", "hypothesis"), "gold": "label"}
    found = one(tmp_path, xnli, "label", columns=columns, labels={"0": "ہاں", "1": "شاید", "2": "نہیں"})
    assert (found.choices, found.right) == (("ہاں", "شاید", "نہیں"), "نہیں")


def test_a_pair_is_the_better_sentence_first(tmp_path: Path) -> None:
    found = one(tmp_path, {"good": "I am.", "bad": "I is."}, "pair")
    assert (found.question, found.choices, found.gold) == ("I am.", ("I am.", "I is."), 0)


def test_a_worked_answer_ends_with_its_number(tmp_path: Path) -> None:
    found = one(
        tmp_path, {"question": "Q", "answer": "2 + 70 = 72\n#### 72"}, "number", columns={"final": "answer"}
    )
    assert (found.answers, found.right) == (("72",), "2 + 70 = 72\n72")
    plain = one(
        tmp_path,
        {"question": "Q", "final": 72, "answer": "a\n#### 72"},
        "number",
        columns={"worked": "answer"},
    )
    assert (plain.answers, plain.right) == (("72",), "a\n#### 72")


def test_aliases_and_references_are_all_right(tmp_path: Path) -> None:
    short = one(tmp_path, {"question": "Q", "final": "Karachi", "aliases": ["Kurrachee"]}, "short")
    assert short.answers == ("Karachi", "Kurrachee")
    columns = {"question": "en", "references": ("ur", "ur2")}
    translation = one(
        tmp_path,
        {"en": "yes", "ur": "ہاں", "ur2": "جی"},
        "translation",
        columns=columns,
        wordings=["{{ en }}"],
    )
    assert (translation.answers, translation.right) == (("ہاں", "جی"), "ہاں")


@pytest.mark.parametrize(
    ("row", "reason", "fault"),
    [
        ({"question": "Q"}, "no_gold", "no final (the row has question)"),
        ({"question": "Q", "final": ""}, "no_gold", "no final"),
        ({"question": "Q", "final": None}, "no_gold", "no final"),
        ({"question": "Q", "final": "many"}, "no_gold", "many is no number"),
        ({"final": "1"}, "missing_field", "no question"),
        ({"question": " ", "final": "1"}, "missing_field", "no question"),
        ({"id": "1", "question": "Q", "final": "2"}, "duplicate", "the id 1 was there before"),
    ],
)
def test_a_bad_row_is_dropped_with_its_place(
    tmp_path: Path, row: dict[str, object], reason: str, fault: str
) -> None:
    _, dropped = read(tmp_path, [{"id": "1", "question": "P", "final": "1"}, row], "number")
    assert isinstance(dropped, Dropped)
    assert dropped.reason == reason
    assert f"b.jsonl:2: {fault}" in dropped.evidence


def test_a_file_of_which_nothing_can_be_used_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"benchmark\.b: there is no row"):
        read(tmp_path, [], "number")
    with pytest.raises(DataError, match=r"no ques \(the row has question, final\)"):
        read(tmp_path, [{"question": "Q", "final": "1"}], "number", columns={"question": "ques"})


def test_files_that_count_from_one_are_told_apart(tmp_path: Path) -> None:
    row = {"question": "Q", "final": "1"}
    store.write_rows(tmp_path / "a.jsonl", [row, row])
    store.write_rows(tmp_path / "c.jsonl", [row])
    table = BenchmarkTable(form="number", files=("*.jsonl",))
    assert [found.id for found in read_items("b", table, str(tmp_path), EN) if isinstance(found, Item)] == [
        "1", "2", "c#1",
    ]  # fmt: skip


def test_a_hub_data_set_needs_a_revision_and_a_folder_of_one_does_not(tmp_path: Path) -> None:
    table = BenchmarkTable(form="number", hub="juletxara/mgsm")
    with pytest.raises(RecipeError, match=r"benchmark.mgsm: juletxara/mgsm has no revision"):
        list(read_items("mgsm", table, "", EN))
    pytest.importorskip("datasets")
    folder = tmp_path / "owner" / "mgsm"
    folder.mkdir(parents=True)
    store.write_rows(folder / "test.jsonl", [{"question": "Q", "answer_number": 7}])
    store.write_rows(folder / "train.jsonl", [{"question": "P", "answer_number": 8, "worked": "so 8"}])
    table = BenchmarkTable(
        form="number",
        hub=str(folder),
        columns={"final": "answer_number"},
        shots=(0, 1),
        examples_split="train",
    )
    (item,) = read_items("mgsm", table, "", EN)
    assert isinstance(item, Item)
    assert (item.question, item.answers) == ("Q", ("7",))
    assert [found.right for found in read_examples("mgsm", table, "", EN)] == ["so 8"]


def test_examples_are_a_files_rows_or_the_packs_seeds(tmp_path: Path) -> None:
    store.write_rows(tmp_path / "train.jsonl", [{"question": "Q", "final": "7"}, {"question": "bad"}])
    table = BenchmarkTable(form="number", files=("x",), shots=(0, 1), examples=("train.jsonl",))
    assert [(found.question, found.right) for found in read_examples("b", table, str(tmp_path), EN)] == [
        ("Q", "7")
    ]
    table = BenchmarkTable(
        form="number", files=("x",), shots=(2,), examples=("pack",), examples_task="reasoning"
    )
    seeds = read_examples("b", table, "", UR)
    assert len(seeds) > 20
    assert all(found.question and found.right for found in seeds)
    many = BenchmarkTable(form="number", files=("x",), shots=(3,), examples=("train.jsonl",))
    with pytest.raises(RecipeError, match="1 examples, 3 shots"):
        read_examples("b", many, str(tmp_path), EN)


def test_a_language_that_is_not_the_recipes_is_a_sentence() -> None:
    table = BenchmarkTable(form="number", files=("x",), language="bn")
    with pytest.raises(RecipeError, match=r'benchmark\.b\.language = "bn": no language of this recipe'):
        benchmark_language("b", table, UR, EN)
    assert benchmark_language("b", BenchmarkTable(form="number", files=("x",)), UR, EN) is UR


ROW = {"id": "a", "question": "Predators eat", "choices": ["bunnies", "lions"], "gold": 0}


def short(folder: Path, source: tuple[str, ...] = ("*.jsonl",)) -> dict[str, tuple[str, int]]:
    """Return language and number of items of each benchmark that the short form names."""
    found = {}
    for name, table in short_form_tables(source, str(folder), UR, EN).items():
        pack = benchmark_language(name, table, UR, EN)
        found[name] = (table.language, len(list(read_items(name, table, str(folder), pack))))
    return found


def test_the_short_form_is_a_table_a_file_by_benchmark_and_language(tmp_path: Path) -> None:
    names = ("mmlu_test.en", "mmlu_dev.en", "_test.en", "small.ur", "small.en", "plain.v2")
    for name in names:
        store.write_rows(tmp_path / f"{name}.jsonl", [ROW])
    assert short(tmp_path) == {
        "_test.en": ("en", 1), "mmlu_dev.en": ("en", 1), "mmlu.en": ("en", 1), "plain.v2.en": ("en", 1),
        "small.en": ("en", 1), "small.ur": ("ur", 1),
    }  # fmt: skip


def test_pack_in_the_short_form_is_the_questions_of_both_packs(tmp_path: Path) -> None:
    own = tmp_path / "hausa"
    shutil.copytree(SW.folder, own)
    store.write_rows(own / "choices.jsonl", [ROW])
    store.write_rows(tmp_path / "small.en.jsonl", [ROW])
    tables = short_form_tables(("small.en.jsonl", "pack"), str(tmp_path), load_pack(own), EN)
    assert {
        name: len(list(read_items(name, table, str(tmp_path), load_pack(own if ".sw" in name else "en"))))
        for name, table in tables.items()
    } == {"pack_choices.sw": 1, "pack_choices.en": 200, "small.en": 1}
    with pytest.raises(DataError, match=r"ur/choices.jsonl and .*sw/choices.jsonl: no such file"):
        short_form_tables(("pack",), "", UR, SW)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("file", "language", "form", "count"),
    [
        ("mgsm.bn", "bn", "number", 122), ("gsm8k_test.en", "en", "number", 632),
        ("svamp.en", "en", "number", 149), ("triviaqa.en", "en", "short", 959),
        ("arc_easy.en", "en", "choice", 1211), ("boolq.en", "en", "choice", 473),
        ("arc_challenge.en", "en", "choice", 568), ("commonsense_qa.en", "en", "choice", 623),
        ("copa.en", "en", "choice", 51), ("openbookqa.en", "en", "choice", 240),
        ("piqa.en", "en", "choice", 916), ("mmlu_test.en", "en", "choice", 1133),
    ],
)  # fmt: skip
def test_every_shared_benchmark_is_read_whole(
    shared_data: Path, file: str, language: str, form: str, count: int
) -> None:
    table = BenchmarkTable.model_validate({"form": form, "files": f"bench/{file}.jsonl.gz"})
    found = list(read_items(file, table, str(shared_data), load_pack(language)))
    assert sum(isinstance(item, Item) for item in found) == len(found) == count


@pytest.mark.parametrize(
    ("name", "row", "right"),
    [
        (
            "urdu_mmlu",
            {
                "id": 0,
                "question": "مقبرہ شاہ رکن عالمؒ کس شہر میں ہے؟",
                "options": {"A": "لاہور", "B": "ساہیوال", "C": "سیالکوٹ", "D": "ملتان", "E": None},
                "correct_key": "D",
            },
            "ملتان",
        ),
        ("multiblimp", {"sen": "بچہ کھیلتا ہے۔", "wrong_sen": "بچہ کھیلتی ہے۔"}, "بچہ کھیلتا ہے۔"),
        ("math500", {"urdu_problem": "۶ اور ۷ کا حاصلِ ضرب؟", "urdu_answer": "42", "unique_id": "a/1"}, "42"),
    ],
)
def test_rows_of_the_catalogue_are_read_as_their_cards_describe_them(
    tmp_path: Path, name: str, row: dict[str, Any], right: str
) -> None:
    table = load_recipe(shipped_recipes()["urdu-8b-benchmarks"]).benchmark[name]
    store.write_rows(tmp_path / "b.jsonl", [row])
    (found,) = read_items(
        name, table.model_copy(update={"hub": "", "files": ("b.jsonl",)}), str(tmp_path), UR
    )
    assert isinstance(found, Item)
    assert found.right == right
    assert len(found.choices) == {"urdu_mmlu": 4, "multiblimp": 2, "math500": 0}[name]
