"""Passages: whole sentences of a fair length, each used once before one comes again."""

from __future__ import annotations

from pathlib import Path

import pytest

from alif import settings
from alif.data.synthesis.passages import MAX_WORDS, MIN_WORDS, PassageSampler, read_passages
from alif.errors import DataError
from alif.language import text
from alif.language.pack import Pack

GROUNDED = settings.Generate(grounded_share=1.0)


def test_passages_are_whole_sentences_of_a_fair_length_and_are_not_read_unless_asked_for(own: Pack) -> None:
    found = read_passages(GROUNDED, own, "")
    assert len(found) > 50
    assert all(MIN_WORDS <= len(text.split_words(one.text, own)) <= MAX_WORDS for one in found)
    assert read_passages(settings.Generate(slots=False), own, "") == []
    assert len(read_passages(settings.Generate(), own, "")) == len(found), "slots ground questions at home"


def test_where_only_slots_ask_for_passages_none_is_no_fault(own: Pack, tmp_path: Path) -> None:
    nothing = tmp_path / "short.jsonl"
    nothing.write_text('{"text": "چھوٹا جملہ۔"}\n', encoding="utf-8")
    assert read_passages(settings.Generate(passages=str(nothing)), own, "") == []
    with pytest.raises(DataError, match="no passage of 30 to 160 words"):
        read_passages(settings.Generate(passages=str(nothing), grounded_share=0.1), own, "")


def test_half_of_the_questions_at_home_are_grounded_and_no_other_request(own: Pack) -> None:
    slots = settings.Generate()
    sampler = PassageSampler(read_passages(slots, own, ""), slots)

    def grounded(task: str, at_home: bool) -> int:
        drawn = (sampler.choose(own, task, 0, place, at_home)[0] for place in range(400))
        return sum(strategy == "grounded" for strategy in drawn)

    assert 160 < grounded("qa", at_home=True) < 240
    assert grounded("qa", at_home=False) == grounded("ethics", at_home=True) == 0


def test_passages_are_used_each_once_before_one_comes_again(own: Pack) -> None:
    passages = read_passages(GROUNDED, own, "")
    sampler = PassageSampler(passages, GROUNDED)
    chosen = [sampler.choose(own, "qa", 0, place) for place in range(len(passages))]
    assert {strategy for strategy, _, _ in chosen} == {"grounded"}
    assert {one.id for _, one, _ in chosen if one} == {one.id for one in passages}
    nothing = PassageSampler([], settings.Generate())
    assert nothing.choose(own, "qa", 0, 0) == ("plain", None, False)
    reverse = PassageSampler(passages, settings.Generate(reverse_share=1.0))
    assert reverse.choose(own, "qa", 0, 0)[0] == "plain", "only free writing"
