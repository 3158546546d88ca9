"""Wordings: templates of the rows' columns, lettered choices, faults as sentences."""

from __future__ import annotations

import pytest

from alif.benchmark_items import Item
from alif.errors import RecipeError
from alif.evaluate.question_sets import QuestionSet
from alif.evaluate.wordings import choice_letters, list_variants, write_prompts
from alif.language.pack import load_pack
from alif.settings import BenchmarkTable

UR = load_pack("ur")
ROW = {"premise": "سب آئے۔", "hypothesis": "کوئی نہیں آیا۔", "1.x": 1}
ITEM = Item("a", "سب آئے۔\nکوئی نہیں آیا۔", ("ہاں", "نہیں"), 1, columns=ROW)


def written(*wordings: str, item: Item = ITEM) -> list[str]:
    table = BenchmarkTable(form="choice", files=("x",), wordings=wordings)
    asked = QuestionSet("b", table, [item], UR)
    return [prompt.question for prompt in write_prompts(asked, list_variants(table, written=True))]


def test_a_wording_may_name_every_column_and_the_lettered_choices() -> None:
    assert written("{{ premise }} کیا {{ hypothesis }}", "{{ question }}\n{{ options }}") == [
        "سب آئے۔ کیا کوئی نہیں آیا۔",
        "سب آئے۔\nکوئی نہیں آیا۔\nA) ہاں\nB) نہیں",
    ]


@pytest.mark.parametrize(
    ("wording", "fault"),
    [
        ("{{ premis }}", r"benchmark\.b\.wordings, number 2: 'premis' is undefined"),
        ("{{ premise ", r"benchmark\.b\.wordings, number 2: unexpected end of template"),
        ("{{ premise.__class__.__mro__ }}", r"access to attribute '__class__'"),
        ("{{ premise + 1 }}", r"can only concatenate"),
    ],
)
def test_a_wording_that_does_not_fit_is_a_sentence(wording: str, fault: str) -> None:
    with pytest.raises(RecipeError, match=fault):
        written("{{ premise }}", wording)


def test_plain_wordings_have_the_options_only_where_a_text_is_asked_for() -> None:
    table = BenchmarkTable(form="choice", files=("x",))
    assert [list_variants(table, written=written)[0].template for written in (False, True)] == [
        "{{ question }}",
        "{{ question }}\n{{ options }}",
    ]


def test_many_choices_have_letters() -> None:
    assert choice_letters(2, UR) == ("A", "B")
    assert choice_letters(10, UR) == tuple("ABCDEFGHIJ")


def test_a_row_may_have_any_column_name_and_a_template_as_text() -> None:
    item = Item("a", "x", ("ہاں", "نہیں"), 1, columns={"question": "{{ 7 * 7 }}", "self": "s", "range": "r"})
    assert written("{{ range }} {{ question }}", item=item) == ["r x"]
