"""What stands around a text is told from it by its original."""

from __future__ import annotations

from alif.language.pack import load_pack
from alif.language.replies.wrapping import HEAD, Wrapping, filled_lines

UR, SW, EN = load_pack("ur"), load_pack("sw"), load_pack("en")


def test_a_head_announces_by_the_words_of_both_packs() -> None:
    around = Wrapping(UR, EN, "The bridge is closed.", "translation")
    for head in (
        "Translation",
        "اردو ترجمہ",
        "Urdu",
        "Sure! Here is the text",
        "Output",
        "Voici la traduction",
    ):
        assert around.announces(head), head
    for head in ("پل", "اس نے کہا", ""):
        assert not around.announces(head), head


def test_words_of_the_original_are_not_foreign() -> None:
    around = Wrapping(UR, EN, "Install Visual Studio Code now.", "translation")
    assert not around.is_foreign("Visual Studio Code انسٹال کریں")
    assert not around.is_foreign("`let me know`")
    assert around.is_foreign("Let me know if it works.")
    assert Wrapping(SW, EN, "Open the door.", "translation").is_foreign("Let me know if it works.")
    assert not Wrapping(SW, EN, "Open the door.", "translation").is_foreign("Fungua mlango wa nyumba.")


def test_remarks_and_labels_are_told_by_their_words() -> None:
    around = Wrapping(UR, EN, "The bridge is closed.", "translation")
    assert around.is_remark("(نوٹ: پل کا نام نہیں بدلا۔)")
    assert around.is_remark("کیا میں آپ کی مزید مدد کر سکتا ہوں؟")
    assert not around.is_remark("پل بند ہے۔")
    assert around.is_labelled("**Option 2:** پل")
    assert not around.is_labelled("پل: بند ہے")


def test_a_head_ends_at_its_colon() -> None:
    match = HEAD.match("**Note:** it stays")
    assert match is not None
    assert match["head"] == "**Note"
    assert HEAD.match("10:30 is late") is None
    assert filled_lines("a\n\n b") == ["a", " b"]
