"""Validation rows share no prompt, no source and no near-duplicate with the rows that are trained on."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from alif import settings
from alif.data.mixture.validation_split import fold_prompt, sample_validation
from alif.language.pack import Pack
from alif.records import Example, Origin


def rows(count: int, of: str = "سوال", each: int = 1, source: str = "") -> list[Example]:
    """Return rows whose prompts share too few words to be near-duplicates; `each` rows of one source."""
    return [
        Example.make(
            "ur",
            "qa",
            f"{of}{n} کیا{n} ہے؟",
            "",
            "جواب",
            Origin(kind="teacher", source=source and f"{source}#{n // each}"),
        )
        for n in range(count)
    ]


def split(members: Sequence[Example], pack: Pack, share: float = 0.2) -> tuple[set[str], dict[str, int]]:
    return sample_validation({"generate": members}, settings.Split(validation_share=share), pack)


def test_rows_of_one_passage_stand_on_one_side(own: Pack) -> None:
    members = rows(60, each=3, source="udhr")
    held, missing = split(members, own)
    assert (len(held), missing) == (12, {})
    sides: dict[str, set[bool]] = {}
    for row in members:
        sides.setdefault(row.origin.source, set()).add(row.id in held)
    assert all(len(one) == 1 for one in sides.values())


def test_a_translation_and_its_replayed_source_stand_on_one_side(own: Pack) -> None:
    replay = rows(20, "what", source="alpaca")
    parts = {"translate": rows(20, "ترجمہ", source="alpaca"), "replay": replay}
    held, _ = sample_validation(parts, settings.Split(validation_share=0.2), own)
    sides = [[row.id in held for row in members] for members in parts.values()]
    assert sides[0] == sides[1]
    assert sum(sides[0]) == 4


def test_near_duplicates_are_trained_on(own: Pack) -> None:
    twins = [
        Example.make("ur", "qa", f"پنجاب کا سب سے بڑا دریا کون سا {end}", "", "راوی", Origin(kind="teacher"))
        for end in ("بتائیے", "لکھیے", "")
    ]
    held, missing = split([*rows(3), *twins], own, 0.9)
    assert held == {row.id for row in rows(3)}
    assert missing == {"generate": 2}


@pytest.mark.parametrize(
    ("count", "share", "wanted"), [(10, 0.0, 0), (1, 0.5, 0), (2, 0.01, 1), (50, 0.1, 5)]
)
def test_a_share_of_the_prompts_and_at_least_one_of_two(
    own: Pack, count: int, share: float, wanted: int
) -> None:
    assert len(split(rows(count), own, share)[0]) == wanted


def test_spelling_makes_no_other_prompt(own: Pack) -> None:
    one, other = (
        Example.make("ur", "qa", text, "", "ب", Origin(kind="teacher")) for text in ("كيا ہے", "کیا ہے")
    )
    assert fold_prompt(one, own) == fold_prompt(other, own)
