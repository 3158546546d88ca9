"""What bases are measured on, and that the numbers are those of the benchmarks."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from alif import store
from alif.errors import DataError
from alif.evaluate.base_measures import SHOTS, measure_base, read_base_texts
from alif.language.pack import load_pack
from alif.student import Student
from alif.student.likelihood import document_inputs, target_bits

OWN, KNOWN = load_pack("ur"), load_pack("en")


def test_each_question_follows_examples_of_its_own_task() -> None:
    texts = read_base_texts(OWN, KNOWN, ("pack",), 5, 2 * len(OWN.tasks))
    assert (len(texts.documents), texts.choices and len(texts.choices.items)) == (5, 8 * len(OWN.tasks))
    assert set(Counter(row.task for row in texts.answers).values()) == {2}
    for row in texts.answers:
        seeds = {str(one["output"]) for _, one in store.read_rows(OWN.folder / "seeds" / f"{row.task}.jsonl")}
        assert [turn.role for turn in row.turns] == ["user", "assistant"] * SHOTS
        assert {turn.content for turn in row.turns[1::2]} <= seeds


def test_the_scores_are_bits_of_the_model(student: Student) -> None:
    texts = read_base_texts(OWN, KNOWN, ("pack",), 3, 2)
    found = measure_base(student, texts, 128)
    written = [one.text for one in texts.documents]
    bits = sum(target_bits(student, document_inputs(written, student.tokenizer), 128))
    heldout, answers, choices = found
    assert heldout.value == pytest.approx(bits / sum(len(text.encode()) for text in written), abs=1e-5)
    assert [heldout.n, answers.n, choices.n] == [3, 2, 8]
    assert (answers.metric, choices.metric) == ("answer_bits_per_byte", "accuracy")


def test_own_text_takes_the_place_of_the_packs(tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    path.write_text("لاہور ایک بڑا شہر ہے۔\n", encoding="utf-8")
    texts = read_base_texts(OWN, KNOWN, (str(path),), 0, 1)
    assert texts.read == ["لاہور ایک بڑا شہر ہے۔"]


def test_a_pack_without_texts_is_told_and_one_without_questions_is_measured(tmp_path: Path) -> None:
    bare = OWN.model_copy(update={"folder": tmp_path})
    with pytest.raises(DataError, match="no demo articles"):
        read_base_texts(bare, KNOWN, ("pack",), 1, 1)
    path = tmp_path / "mine.txt"
    path.write_text("لاہور\n", encoding="utf-8")
    texts = read_base_texts(bare, bare, (str(path),), 1, 1)
    assert (texts.answers, texts.choices, texts.known_texts) == ([], None, [])


def test_a_base_is_measured_without_questions(student: Student, tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    path.write_text("لاہور ایک بڑا شہر ہے۔\n", encoding="utf-8")
    bare = OWN.model_copy(update={"folder": tmp_path})
    found = measure_base(student, read_base_texts(bare, bare, (str(path),), 1, 1), 128)
    assert [score.metric for score in found] == ["bits_per_byte"]
