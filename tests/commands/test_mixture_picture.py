"""The picture of a mixture at 80 columns, and the sums of a recipe."""

from __future__ import annotations

import re

import pytest

from alif.commands.mixture_picture import list_sums, print_mixture
from alif.facts.data_facts import BlendFacts, BlendPartFacts
from alif.recipe import find_recipe, load_recipe


def part(drawn: int, tokens: int, **more: object) -> BlendPartFacts:
    known = {"requested": 0, "available": drawn, "dropped": 0, "validation": 0}
    return BlendPartFacts.model_validate({**known, "drawn": drawn, "tokens": tokens, **more})


def test_parts_are_bars_of_rows_and_tokens_in_80_columns(capsys: pytest.CaptureFixture[str]) -> None:
    parts = {
        "generate": part(51_686, 14_100_000, validation=517, validation_tokens=141_000),
        "translate": part(28_910, 7_900_000, licences={"CC BY-NC 4.0": 28_910}),
        "a-part-with-a-long-name": part(120, 40_000, repeat=3, dropped=7, requested=200, licences={"": 120}),
    }
    print_mixture(BlendFacts(parts=parts, held_out=517, benchmark_prompts=570, contaminated={"mgsm": 7}))
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines()[:6])) <= 80
    assert re.search(r"^generate +51,169 63\.6% █{14}  14,100,000 64\.0% █{14}$", shown, re.M)
    assert re.search(r"^a-part-with-a… +360 +0\.4% ", shown, re.M)
    assert re.search(r"^all +80,439 +22,040,000$", shown, re.M)
    assert "120 of 120 rows drawn, each 3 times, 7 dropped, 80 fewer than asked for; licence" in shown
    assert "give one away: mgsm 7." in shown


def test_nothing_drawn_has_no_bar(capsys: pytest.CaptureFixture[str]) -> None:
    print_mixture(BlendFacts(parts={"replay": part(0, 0)}, held_out=0, benchmark_prompts=0))
    assert "█" not in capsys.readouterr().out


def test_the_papers_mixture_adds_up_to_what_it_documents() -> None:
    recipe = load_recipe(find_recipe("urdu-8b-paper"))
    found = list_sums(recipe)
    assert [row[:3] for row in found] == [
        ("generate", "51,686", "51.2%"),
        ("translate", "28,910", "28.6%"),
        ("replay", "20,400", "20.2%"),
        ("all", "100,996", ""),
    ]
    assert any("100,996" in note and "105K" in note for note in recipe.notes)
    assert any("CC BY-NC" in note for note in recipe.notes)


def test_shares_repeats_and_unknown_sizes_are_told_in_the_recipes_words() -> None:
    lines = ["blend.replay.share=0.2", "blend.generate.repeat=2", 'blend.more.source="more.jsonl"']
    found = {row[0]: row[1] for row in list_sums(load_recipe(find_recipe("small"), lines))}
    assert found == {"generate": "420", "replay": "20% of the tokens", "more": "all", "all": "420"}
