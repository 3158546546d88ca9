"""A translated row is rewritten and answered anew; what fails a check stays as it was translated."""

from __future__ import annotations

import pytest

from alif.data.translation.rewrite import Rewrites, rewrite_messages
from alif.language.pack import load_pack
from alif.llm import Reply
from alif.records import Example
from tests.data.conftest import row

EN, UR = load_pack("en"), load_pack("ur")
ROW = row("qa", "جان کو نیویارک جانے کے لیے `go` کیسے چلانا چاہیے؟", "ایسے چلائیے۔", kind="translated")
ANSWER = "وہ یہ حکم چلائے اور راستہ دیکھ لے۔"
BETTER = f"Instruction: عائشہ کو لاہور جانے کے لیے `go` کیسے چلانا چاہیے؟\nInput: <noinput>\nOutput: {ANSWER}"


def rewrite(text: str, finish: str = "stop") -> tuple[Example, Rewrites]:
    rewrites = Rewrites(UR, EN)
    talk = rewrites.rewrite_row(ROW, "t")
    assert next(talk).messages == rewrite_messages(ROW, UR, EN)
    reply = Reply(text=text, finish=finish, model="m", request="r2", tokens_in=1, tokens_out=1, cost_usd=0.0)
    with pytest.raises(StopIteration) as end:
        talk.send(reply)
    found = end.value.value
    assert isinstance(found, Example)
    return found, rewrites


def test_the_new_prompt_has_a_new_answer_and_says_where_it_comes_from() -> None:
    found, rewrites = rewrite(BETTER)
    assert found.instruction.startswith("عائشہ کو لاہور")
    assert found.output == "وہ یہ حکم چلائے اور راستہ دیکھ لے۔"
    assert (found.origin.strategy, found.origin.request, found.origin.kind) == (
        "rewritten",
        "r2",
        "translated",
    )
    assert (rewrites.rewritten, dict(rewrites.refused)) == (1, {})


def test_the_teacher_is_not_shown_the_old_answer() -> None:
    system, user = rewrite_messages(ROW, UR, EN)
    assert ROW.output not in user.content
    assert user.content.endswith("Input: <noinput>")
    assert "Urdu" in system.content


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (BETTER.replace("`go`", "گو"), "lost_code"),
        (BETTER.replace("<noinput>", "یہ متن دیکھیے۔"), "missing_field"),
        (
            BETTER.replace("وہ یہ حکم چلائے اور راستہ دیکھ لے۔", "She runs this command and looks."),
            "wrong_language",
        ),
        ("I'm sorry, but I can't help with that.", "refusal"),
        ("", "empty"),
        (f"{BETTER}\n###\n{BETTER}", "unparsable"),
    ],
)
def test_a_faulty_one_leaves_the_row_as_it_was(text: str, reason: str) -> None:
    found, rewrites = rewrite(text)
    assert found == ROW
    assert dict(rewrites.refused) == {reason: 1}
