"""An input that says that there is none is recognised, and named where it says so in other words."""

from __future__ import annotations

import pytest

from alif.language.pack import load_pack
from alif.language.replies.no_input import read_input, says_no_input, says_nothing

UR = load_pack("ur")


@pytest.mark.parametrize("said", ["", "<noinput>", "No input.", "N/A", "&lt;noinput&gt;", "(none)"])
def test_these_say_that_there_is_none(said: str) -> None:
    assert says_no_input(said)


@pytest.mark.parametrize(
    "said", ["None of them came.", "\\<noinput>", "none\nnone", "کوئی نہیں", "none " * 20]
)
def test_these_are_inputs_without_a_pack(said: str) -> None:
    assert not says_no_input(said)


def test_the_pack_has_more_words_and_each_but_the_asked_one_is_a_deviation() -> None:
    assert read_input("<کوئی نہیں>", UR) == ("", {"no_input_words"})
    assert read_input("<noinput>", UR) == ("", set())
    assert read_input("کوئی نہیں آیا", UR) == ("کوئی نہیں آیا", set())


@pytest.mark.parametrize("said", ["None of them came.", "…", "+", "?", "0", "خالی برتن", "No problem.", "Na"])
def test_an_answer_is_not_nothing(said: str) -> None:
    assert not says_nothing(said, UR)
    assert says_nothing("(empty)", UR)
