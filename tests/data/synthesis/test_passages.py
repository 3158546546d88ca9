"""Passages: whole sentences of a fair length, each used once before one comes again."""

from __future__ import annotations

from alif import settings
from alif.data.synthesis.passages import MAX_WORDS, MIN_WORDS, PassageSampler, read_passages
from alif.language import text
from alif.language.pack import Pack

GROUNDED = settings.Generate(grounded_share=1.0)


def test_passages_are_whole_sentences_of_a_fair_length_and_are_not_read_unless_asked_for(own: Pack) -> None:
    found = read_passages(GROUNDED, own, "")
    assert len(found) > 50
    assert all(MIN_WORDS <= len(text.split_words(one.text, own)) <= MAX_WORDS for one in found)
    assert read_passages(settings.Generate(), own, "") == []


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
