"""The short ways of folding give what the long way gives: all letters looked at one by one."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from alif.language import normalisation
from alif.language.pack import Pack, load_pack, shipped_packs

PACKS = [load_pack(name) for name in shipped_packs()]
BY_NAME = [pack.code for pack in PACKS]
any_text = st.text(
    st.sampled_from("اآبپیيئىکكهہۂةأٱءۓےABzé'0۴٤٬٫।ৎক")
    | st.sampled_from("\u064e\u0651\u0653\u0654\u0655\u0670\u09bc\u09be\u0301\u1161\u11a8\ufe0f")
    | st.sampled_from("\u200b\u200c\u200d\u200e\u2028\xa0\t\n\r\x00 ـﷺﮨﻼ✅💁½ﬃ\u0340\u1100가")
    | st.characters()
)


def the_long_way(text: str, pack: Pack) -> tuple[str, list[str]]:
    never = normalisation._Exchange("a", lambda char: None)
    tables = dataclasses.replace(normalisation._tables(pack), folded=never, spoken=never)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(normalisation, "_tables", lambda _: tables)
        return normalisation.fold_text(text, pack), list(
            normalisation._words.__wrapped__(text, pack)
        )  # not what is remembered


@given(any_text)
@settings(max_examples=400, deadline=None)
@example("ی\u0654 ه\u0654 ي\u0654")
@example("کِتابيں A'B ✅")
@example("\u1100\u1161\u11a8")
def test_folding_and_cutting(text: str) -> None:
    for pack in PACKS:
        assert (normalisation.fold_text(text, pack), normalisation.split_words(text, pack)) == the_long_way(
            text, pack
        )


@pytest.mark.parametrize("pack", PACKS, ids=BY_NAME)
def test_most_text_of_a_language_takes_the_short_way(pack: Pack) -> None:
    tables = normalisation._tables(pack)
    sentence = "".join(char for char in pack.script.letters if tables.folded.of(char) == char)
    assert len(sentence) >= 20
    assert tables.spoken.of(f"{sentence} ({sentence}), 42!\n") == f"{sentence}  {sentence}   42  "
