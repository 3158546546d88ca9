"""Remove what teachers put around the items, only where it cannot be part of an answer.

    <think> … </think>          strip_thinking    reasoning before the answer, in every kind of request
    I hope these tasks help!    strip_remark      last paragraph, from the line with one of phrases.closings
    … answer ###                split_inline_separators
    **Task 2**                  strip_headings    numbered headings before the first item and the others alike
    ```                         strip_fences      fences around items, not those of an answer

Lists of lines come in and go out. Where items begin is found by `item_format`.
"""

from __future__ import annotations

import itertools
import re
from bisect import bisect_left
from collections.abc import Callable, Collection, Sequence

from alif.language.pack import Pack
from alif.language.replies.control_tokens import (
    THINKING_WORDS,
    may_hold_token,
    strip_answer_tags,
    strip_turn_tokens,
)
from alif.language.replies.field_labels import KEYS
from alif.language.text import find_phrase

__all__ = [
    "FENCE", "SEPARATOR", "split_inline_separators", "strip_fences", "strip_headings", "strip_remark",
    "strip_thinking",
]  # fmt: skip

FENCE, SEPARATOR = "```", "###"
MAX_HEADING_CHARS = 80
MAX_REMARK_CHARS = 400
RULE_CHARS = " \t#-*_=`"
"""A line of these alone separates paragraphs."""

_WORDS = rf"(?:[a-z]{{1,16}}:)?(?:{THINKING_WORDS})"
_OPENED = re.compile(
    rf"<{_WORDS}>|\[THINK\]|◁think▷|<\|channel>(?:thought|analysis)?|<unused94>(?:thought)?"
    r"|<\|(?:begin_of_thought|thinking|START_THINKING|think_start)\|>",
    re.IGNORECASE,
)
_CLOSING_TAG = rf"(?:</{_WORDS}>|\[/THINK\])"
_CLOSING_TOKEN = (
    r"(?:◁/think▷|<channel\|>|<unused95>|<\|(?:end_of_thought|/thinking|END_THINKING|think_end)\|>)"
)
_CLOSED = re.compile(f"{_CLOSING_TAG}|{_CLOSING_TOKEN}", re.IGNORECASE)
_CLOSED_ALONE = re.compile(
    rf"{_CLOSING_TAG}(?=[ \t]*$|[^\W\d_])|^[ \t]*{_CLOSING_TAG}|{_CLOSING_TOKEN}",
    re.IGNORECASE | re.MULTILINE,
)
_FINAL_CHANNEL = re.compile(
    r"<\|channel\|>\s*final(?:\s*<\|constrain\|>\w*)?\s*(?:<\|message\|>)?", re.IGNORECASE
)
_CHANNELS_IN_WORDS = re.compile(r"\s*(?:assistant)?analysis(?=\S)")
"""gpt-oss's channels where the server dropped their tokens: "analysisWe need …assistantfinal…"."""
_FINAL_IN_WORDS = "assistantfinal"
_LABELLED = re.compile(rf"(?:{'|'.join(KEYS.values())}):")
_DRAFT_END = re.compile(rf"\s*{KEYS['instruction']}:")
"""What follows the end of a draft: the answer's first item, without a separator."""
_NUMBERED = re.compile(r"(?P<shape>\D{0,30})(?P<number>\d{1,4})(?!\d)")


def strip_thinking(text: str) -> tuple[str, bool]:
    """Return the reply after its reasoning, and whether it had any; tokens and tags around it are removed.

    Some chat templates open the block themselves: then the reply has only its end, unless that stands on the
    line of a label. A block that is never closed reaches to the end.

    Source: Qwen3, DeepSeek-R1, Seed, Kimi, Magistral, gpt-oss, Gemma 4, Command A; a server without a
    reasoning parser leaves the block in the content.
    """
    if _FINAL_IN_WORDS not in text and not may_hold_token(text):
        return text, False
    thought = True
    if "<|channel|>" in text:  # gpt-oss: the answer is its final channel
        finals = list(_FINAL_CHANNEL.finditer(text))
        answer = text[finals[-1].end() :] if finals else ""
    elif _FINAL_IN_WORDS in text and _CHANNELS_IN_WORDS.match(text):
        answer = text.rpartition(_FINAL_IN_WORDS)[2]
    else:
        answer, thought = strip_turn_tokens(text), False
    while opened := _OPENED.match(answer.lstrip()):
        closed = _CLOSED.search(answer, len(answer) - len(answer.lstrip()) + opened.end())
        answer, thought = (answer[closed.end() :].lstrip() if closed else ""), True
    closed = None if thought else _CLOSED_ALONE.search(answer)
    if closed and not _OPENED.search(answer, 0, closed.start()):  # an item may mention the end of a block
        line_start = answer.rfind("\n", 0, closed.start()) + 1
        is_token = not closed[0].lstrip().startswith(("</", "[/"))
        if is_token or not _LABELLED.match(answer, line_start) or _DRAFT_END.match(answer, closed.end()):
            answer, thought = answer[closed.end() :].lstrip(), True
    return strip_answer_tags(strip_turn_tokens(answer)), thought


def strip_remark(lines: Sequence[str], is_label: Callable[[str], object], pack: Pack) -> list[str]:
    """Return the lines without a remark that ends the last paragraph: "I hope these tasks help".

    A paragraph with a label is no remark, nor is the first one.
    """

    def has_closing(some: Sequence[str]) -> bool:
        return find_phrase("\n".join(some), pack.phrases.closings, pack) is not None

    end = len(lines)
    while end and not lines[end - 1].strip():
        end -= 1
    begin = end
    while begin and lines[begin - 1].strip(RULE_CHARS):
        begin -= 1
    paragraph = kept = lines[begin:end]
    if not begin or len("\n".join(paragraph)) > MAX_REMARK_CHARS or any(map(is_label, paragraph)):
        return list(lines)
    while has_closing(
        kept
    ):  # a phrase may run over several lines: cut at the last line from which on there is one
        kept = kept[: max(start for start in range(len(kept)) if has_closing(kept[start:]))]
    return [*lines[:begin], *kept] if len(kept) < len(paragraph) else list(lines)


def split_inline_separators(lines: Sequence[str], starts_item: Callable[[str], bool]) -> list[str]:
    """Return the lines with a separator at the end of an item's last line on a line of its own."""
    parted: list[str] = []
    below = ""  # the next line that is not blank
    for line in reversed(lines):
        filled = line.rstrip(" \t")
        content = filled.rstrip("#")
        separated = len(filled) - len(content) >= len(SEPARATOR) and content.endswith((" ", "\t"))
        separated = separated and not filled.lstrip(" \t\\").startswith(
            "#"
        )  # a closed heading: ### Title ###
        parted += [SEPARATOR, content.rstrip()] if separated and (not below or starts_item(below)) else [line]
        below = line if filled else below
    return parted[::-1]


def strip_headings(lines: Sequence[str], starts: Sequence[int], breaks: Collection[int]) -> list[str]:
    """Return the lines without the headings that number the items.

    An answer may end in such a line too. So one must stand before the first item, and the others must equal
    it up to the number and count on as the items do. `starts` are the lines where items begin, `breaks` the
    separators.
    """
    found: dict[tuple[str, int], dict[int, int]] = {}
    for place, start in enumerate(starts):
        above = start - 1
        while above >= 0 and (
            above in breaks or not lines[above].strip() or lines[above].strip().startswith(FENCE)
        ):
            above -= 1
        heading = lines[above].strip() if above >= 0 else ""
        if len(heading) <= MAX_HEADING_CHARS and (match := _NUMBERED.match(heading)):
            found.setdefault((match["shape"], int(match["number"]) - place), {})[place] = above
    taken = {line for places in found.values() if 0 in places and len(places) > 1 for line in places.values()}
    return [line for number, line in enumerate(lines) if number not in taken]


def strip_fences(lines: Sequence[str], starts: Collection[int], breaks: Collection[int]) -> list[str]:
    """Return the lines without the fences around items, and without what stands behind one that closes.

    The fences of an answer come in pairs: an odd one in an item that began inside a fence closes that fence.
    """

    def only_fences(begin: int, end: int) -> bool:
        return all(not line.strip() or line.strip().startswith(FENCE) for line in lines[begin:end])

    fences = [number for number, line in enumerate(lines) if line.count(FENCE) % 2]
    taken: set[int] = set()
    inside = False
    for begin, end in itertools.pairwise(sorted({0, len(lines), *starts, *breaks}) if fences else ()):
        here = fences[bisect_left(fences, begin) : bisect_left(fences, end)]
        odd = bool(len(here) % 2)
        if begin not in starts:
            if end in starts or inside:
                taken.update(here)
                inside ^= odd
        elif inside and here and not odd and end in starts and only_fences(here[-2], end):
            taken.update(here[-2:])  # one closes, the next opens
        elif inside and odd and lines[here[-1]].strip() == FENCE:
            taken.update(range(here[-1], end))
            inside = False
        elif not inside and odd and end in starts and only_fences(here[-1], end):
            taken.add(here[-1])  # the first item had none
            inside = True
    return [line for number, line in enumerate(lines) if number not in taken]
