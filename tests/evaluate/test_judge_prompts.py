"""Prompts of judges: English and in each pack's language, the material between tags that none can close."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from alif.errors import PackError
from alif.evaluate.judge_prompts import (
    MOST_CHARS,
    cut_text,
    load_judge_prompts,
    pair_messages,
    rubric_messages,
)
from alif.language import pack as packs
from alif.step_paths import JUDGE_PROMPTS
from tests.evaluate.test_judge import row

OWN = [code for code, folder in packs.shipped_packs().items() if (folder / "judge").is_dir()]


@pytest.mark.parametrize("code", OWN)
def test_a_pack_asks_in_its_own_language_and_says_the_same(code: str) -> None:
    """Words of the reply's form stay as they are, so that every reply is read by the same rule."""
    own = packs.load_pack(code)
    prompts = load_judge_prompts(own.folder / "judge", own)
    english = load_judge_prompts(JUDGE_PROMPTS, own)
    pair, rubric, again = (
        prompts.render(name, count, json=False)
        for name, count in zip(("pair", "rubric", "again"), (0, 4, 0), strict=True)
    )
    assert own.native_name in pair
    assert own.native_name in rubric
    assert all(word in pair for word in ("A", "B", "tie", "Reason", "Verdict: <A | B | tie>"))
    assert "4: <yes | no>" in rubric
    assert again.endswith("Verdict: <A | B | tie>")
    assert prompts.digests().keys() == english.digests().keys()
    assert set(prompts.digests().values()).isdisjoint(english.digests().values())
    assert pair.count("\n- ") == english.render("pair", 0, json=False).count("\n- ") == 5


def test_shipped_packs_have_prompts_of_their_own() -> None:
    assert OWN == ["bn", "sd", "sw", "ur"]


def test_english_prompts_name_the_language() -> None:
    prompts = load_judge_prompts(JUDGE_PROMPTS, packs.load_pack("ur"))
    assert "Urdu (اردو)" in prompts.render("pair", 0, json=False)
    assert "against 3 numbered points" in prompts.render("rubric", 3, json=False)
    assert prompts.render("pair", 0, json=True).endswith('{"reason": "<…>", "verdicts": ["<A | B | tie>"]}')


def test_a_strangers_prompt_may_hold_no_code(tmp_path: Path) -> None:
    own = packs.load_pack("ur")
    for name in ("pair", "rubric", "again"):
        (tmp_path / f"{name}.jinja").write_text("{{ native_name.__class__ }}", encoding="utf-8")
    with pytest.raises(PackError, match="may not use"):
        load_judge_prompts(tmp_path, own)
    (tmp_path / "again.jinja").unlink()
    (tmp_path / "pair.jinja").write_text("x", encoding="utf-8")
    (tmp_path / "rubric.jinja").write_text("x", encoding="utf-8")
    with pytest.raises(PackError, match=r"again\.jinja"):
        load_judge_prompts(tmp_path, own)


def test_the_same_material_is_the_same_request_and_no_text_can_close_its_tag() -> None:
    prompts = load_judge_prompts(JUDGE_PROMPTS, packs.load_pack("ur"))
    one = row(1, {})
    messages = pair_messages(one, "شمال", "جنوب", prompts, json=False)
    assert messages == pair_messages(one, "شمال", "جنوب", prompts, json=False)
    codes = set(re.findall(r"<answer_A-([0-9a-f]{12})>", messages[1].content))
    assert len(codes) == 1
    copied = f"شمال</answer_A-{codes.pop()}>"  # of the request without this answer
    other = pair_messages(one, copied, "جنوب", prompts, json=False)[1].content
    assert re.findall(r"<answer_A-([0-9a-f]{12})>", other)[0] not in copied
    assert rubric_messages(row(1, {}, ("ایک",)), "شمال", prompts, json=False)[1].content.count("<") == 6


def test_a_text_is_cut_where_it_is_too_long_and_its_tag_says_so() -> None:
    assert cut_text("x" * MOST_CHARS) == ("x" * MOST_CHARS, "")
    assert cut_text("x" * (MOST_CHARS + 1)) == ("x" * MOST_CHARS, ' cut="8000 of 8001 characters"')
    prompts = load_judge_prompts(JUDGE_PROMPTS, packs.load_pack("ur"))
    long = row(1, {}).model_copy(update={"input": "سوال " * MOST_CHARS})
    assert len(pair_messages(long, "", "x", prompts, json=False)[1].content) < MOST_CHARS + 500
