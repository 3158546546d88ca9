"""Multiple choice: the choice and a whole sentence as targets of log-probability."""

from __future__ import annotations

from alif.evaluate.multiple_choice import encode_choice, encode_sentence
from alif.student import Student


def test_a_choice_follows_its_question_after_the_separator(student: Student) -> None:
    tokenizer = student.tokenizer
    for separator in (" ", "", "\n"):
        found = encode_choice("Predators eat", "bunnies", tokenizer, separator)
        whole = [*found.context, *found.target]
        assert tokenizer.decode(whole, skip_special_tokens=True) == f"Predators eat{separator}bunnies"
        assert found.target


def test_a_sentence_is_a_target_as_a_whole(student: Student) -> None:
    found = encode_sentence("یہ گھر ہے۔", student.tokenizer)
    assert len(found.context) == 1
    assert student.tokenizer.decode(found.target) == "یہ گھر ہے۔"
