"""What surrounds an answer is removed where it can be no part of it."""

from __future__ import annotations

import pytest

from alif.language import pack as packs
from alif.language.replies.reply_cleanup import strip_fences, strip_headings, strip_remark, strip_thinking


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ("<think>\nhm\n</think>\n\nyes", "yes"),
        ("\n<THINK>hm</think>yes", "yes"),
        ("[THINK]hm[/THINK]yes", "yes"),
        ("<think>\n</think>\n", ""),
        ("<think>\nhm, cut", ""),
        ("hm\n</think>\nyes", "yes"),
        ("hm</think>\nyes", "yes"),
        ("hm\n</think>\nOutput: </think>\nyes", "Output: </think>\nyes"),
    ],
)
def test_thinking_is_not_said(reply: str, said: str) -> None:
    assert strip_thinking(reply) == (said, True)


@pytest.mark.parametrize(
    "reply",
    [
        "yes",
        "",
        "Write <think>…</think>\nso.",
        "The tag </think> ends it.",
        "a </thinker>\nb",
        "Instruction: Explain </think>\nInput: <noinput>",
        "Instruction: a\nInput: [/THINK]\nOutput: b",
    ],
)
def test_a_text_about_thinking_is_an_answer(reply: str) -> None:
    assert strip_thinking(reply) == (reply, False)


def test_lines_without_a_remark_stay_as_they_are() -> None:
    lines = ["a", "", "b", "", ""]
    assert strip_remark(lines, lambda line: None, packs.load_pack("ur")) == lines


def test_a_number_counts_as_a_heading_only_where_the_first_item_has_one() -> None:
    numbered = ["Task 1", "ask", "a", "Task 2", "ask", "b", "Task 3", "ask", "c"]
    assert strip_headings(numbered, [1, 4, 7], ()) == ["ask", "a", "ask", "b", "ask", "c"]
    assert strip_headings(numbered[1:], [0, 3, 6], ()) == numbered[1:], (
        "nothing tells them from the ends of answers"
    )
    skipped = ["Task 1", "ask", "Task 7", "ask"]
    assert strip_headings(skipped, [1, 3], ()) == skipped


def test_the_fence_around_an_item_takes_along_what_follows_it() -> None:
    lines = ["```", "ask", "say", "```py", "x", "```", "```", "Done.", "###", "```", "ask", "say", "```"]
    assert strip_fences(lines, {1, 10}, {8}) == ["ask", "say", "```py", "x", "```", "###", "ask", "say"]
    unclosed = ["```", "ask", "say", "```py", "x", "```"]
    assert strip_fences(unclosed, {1}, set()) == unclosed[1:]
