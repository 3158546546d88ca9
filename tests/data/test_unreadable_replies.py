from __future__ import annotations

import pytest

from alif.data.unreadable_replies import ReadableReplies, describe_unreadable
from alif.errors import ReplyError
from alif.llm import Reply


def reply(text: str = "", finish: str = "stop", tokens_out: int = 0) -> Reply:
    return Reply(
        text=text, finish=finish, model="m", request="r", tokens_in=9, tokens_out=tokens_out, cost_usd=0.0
    )


@pytest.mark.parametrize(
    ("found", "said", "hint"),
    [
        (reply(finish="length", tokens_out=4096), "are empty, finish: length", "switch thinking off"),
        (reply(tokens_out=300), "are empty, finish: stop", "teacher.gpt.extra = {"),
        (reply("<think>Let me see.</think>"), "are empty, finish: stop", "raise teacher.gpt.max_tokens"),
        (reply(finish="content_filter"), "are missing, finish: content_filter", "another model or provider"),
        (reply(finish="unanswered: 500"), "are missing, finish: unanswered: 500", "another model"),
        (reply(finish="tool_calls"), "are empty, finish: tool_calls", "another model"),
        (reply("Instruction: a", "length"), "are cut off, finish: length", "generate.rows_per_request"),
        (reply("| a |\n| b |"), "cannot be read: '| a | | b |'", "keeps to the format"),
    ],
)
def test_each_fault_has_a_sentence_of_its_own(found: Reply, said: str, hint: str) -> None:
    error = describe_unreadable("teacher.gpt", [found, found, reply("odd", "weird")])
    assert error.message.startswith(f"teacher.gpt: 2 of 3 replies {said}")
    assert hint in error.hint


def test_a_teacher_of_which_nothing_can_be_read_is_refused_and_one_reply_proves_it() -> None:
    """Eight replies are no accident; four where nothing else was read; in the end any."""
    heard = ReadableReplies()
    for _ in range(3):
        heard.add("gpt", reply(), readable=False)
    heard.check()
    with pytest.raises(ReplyError, match="3 of 3"):
        heard.check(ended=True)
    heard.add("gpt", reply(), readable=False)
    with pytest.raises(ReplyError, match="4 of 4"):
        heard.check()
    heard.add("second", reply("fine"), readable=True)
    heard.check()
    for _ in range(4):
        heard.add("gpt", reply(), readable=False)
    with pytest.raises(ReplyError, match=r"teacher\.gpt: 8 of 8"):
        heard.check()
    heard.add("gpt", reply("fine"), readable=True)
    heard.check(ended=True)
