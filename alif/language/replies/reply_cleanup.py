"""What teachers put around what was asked for; it is taken away only where it can be no part of an answer.

    <think> … </think>          answer             what a model tells itself before it answers, in every kind of request
    I hope these tasks help!    without_remark     the last paragraph's end, from the line on with one of phrases.closings
    **Task 2**                  without_headings   the number of the item that follows, before this one and the others alike
    ```                         without_fences     a fence that opened before an item; an answer keeps those that it opened

Lines come in and lines go out. Where an item begins is told by whoever reads the items.
"""

from __future__ import annotations

import itertools
import re
from bisect import bisect_left
from collections.abc import Callable, Collection, Sequence

from alif.language import text as texts
from alif.language.pack import Pack
from alif.language.replies.field_labels import KEYS

__all__ = ["strip_fences", "strip_headings", "strip_remark", "strip_thinking"]

FENCE = "```"
LONGEST_HEADING = 80
"""Characters. A longer line is no heading."""
LONGEST_REMARK = 400
"""Characters. A longer paragraph is no remark."""
BETWEEN = " \t#-*_=`"
"""What lines are made of that part paragraphs."""

_TAG = r"(?:<{}(?:think|thinking|thought|reasoning)>|\[{}THINK\])"
_OPENED = re.compile(_TAG.format("", ""), re.IGNORECASE)
_CLOSED = re.compile(_TAG.format("/", "/"), re.IGNORECASE)
_CLOSED_LINE = re.compile(_TAG.format("/", "/") + r"[ \t]*$", re.IGNORECASE | re.MULTILINE)
_KEYED = re.compile(rf"(?:{'|'.join(KEYS.values())}):")
_NUMBERED = re.compile(r"(?P<shape>\D{0,30})(?P<number>\d{1,4})(?!\d)")


def strip_thinking(text: str) -> tuple[str, bool]:
    """Return what a reply says after its thinking, and whether it has thought aloud.

    Some templates open the thinking themselves: then only its end is in the reply. One that never ends is thinking to its end.
    Where none opened, a closing tag on the line of a key is the item's own.

    Source: Qwen3's and DeepSeek-R1's chat templates; a server without a reasoning parser leaves the block in the content.
    """
    if _OPENED.match(text.lstrip()):
        end = _CLOSED.search(text)
        return (text[end.end() :].lstrip() if end else ""), True
    end = (
        _CLOSED_LINE.search(text) if "</" in text or "[/" in text else None
    )  # which is seldom, and soon seen
    if (
        end
        and not _OPENED.search(text, 0, end.start())
        and not _KEYED.match(text, text.rfind("\n", 0, end.start()) + 1)
    ):
        return text[end.end() :].lstrip(), True
    return text, False


def strip_remark(lines: Sequence[str], is_key: Callable[[str], object], pack: Pack) -> list[str]:
    """Return the lines without "I hope these tasks help" or the like in their last paragraph, and what follows it there.

    Args:
        lines: a reply's that ended by itself.
        is_key: tells whether a line begins a field; a paragraph with one is no remark, nor is one above which nothing stands.
        pack: has the phrases.
    """
    end = len(lines)
    while end and not lines[end - 1].strip():
        end -= 1
    begin = end
    while begin and lines[begin - 1].strip(BETWEEN):
        begin -= 1
    paragraph = lines[begin:end]
    if not begin or len("\n".join(paragraph)) > LONGEST_REMARK or any(map(is_key, paragraph)):
        return list(lines)
    kept = _unremarked(paragraph, pack)
    return [*lines[:begin], *kept] if len(kept) < len(paragraph) else list(lines)


def _unremarked(paragraph: Sequence[str], pack: Pack) -> Sequence[str]:
    """Return the lines above the one in which the first closing phrase begins; a phrase may run over several."""

    def closes(lines: Sequence[str]) -> bool:
        return texts.find_phrase("\n".join(lines), pack.phrases.closings, pack) is not None

    while closes(paragraph):
        paragraph = paragraph[: max(begin for begin in range(len(paragraph)) if closes(paragraph[begin:]))]
    return paragraph


def strip_headings(lines: Sequence[str], starts: Sequence[int], breaks: Collection[int]) -> list[str]:
    """Return the lines without those that number the item that begins after them.

    An answer may end in such a line too. So one must stand before the first item, where no answer is, and the others must look
    like it up to the number and count on from it as the items do.

    Args:
        lines: a reply's.
        starts: where items begin, in order.
        breaks: the lines that part items; a heading may stand above one too.
    """
    found: dict[tuple[str, int], dict[int, int]] = {}
    for place, start in enumerate(starts):
        above = start - 1
        while above >= 0 and (
            above in breaks or not lines[above].strip() or lines[above].strip().startswith(FENCE)
        ):
            above -= 1
        heading = lines[above].strip() if above >= 0 else ""
        if len(heading) <= LONGEST_HEADING and (match := _NUMBERED.match(heading)):
            found.setdefault((match["shape"], int(match["number"]) - place), {})[place] = above
    taken = {line for places in found.values() if 0 in places and len(places) > 1 for line in places.values()}
    return [line for number, line in enumerate(lines) if number not in taken]


def strip_fences(lines: Sequence[str], starts: Collection[int], breaks: Collection[int]) -> list[str]:
    """Return the lines without the fences around items, and without what stands behind one that closes.

    The fences of an answer come in pairs. One more in an item that began inside a fence is the end of that fence.

    Args:
        lines: a reply's.
        starts: where items begin.
        breaks: the lines that part items.
    """
    fences = [number for number, line in enumerate(lines) if line.count(FENCE) % 2]
    taken: set[int] = set()
    inside = False
    for begin, end in itertools.pairwise(sorted({0, len(lines), *starts, *breaks}) if fences else ()):
        here = fences[bisect_left(fences, begin) : bisect_left(fences, end)]
        if begin not in starts:
            if end in starts or inside:
                taken.update(here)
                inside ^= bool(len(here) % 2)
        elif inside and here and len(here) % 2 == 0 and end in starts and not _filled(lines, here[-2], end):
            taken.update(here[-2:])  # one closes, the next opens
        elif inside and len(here) % 2 and lines[here[-1]].strip() == FENCE:
            taken.update(range(here[-1], end))
            inside = False
        elif not inside and len(here) % 2 and end in starts and not _filled(lines, here[-1], end):
            taken.add(here[-1])  # the first item had none
            inside = True
    return [line for number, line in enumerate(lines) if number not in taken]


def _filled(lines: Sequence[str], begin: int, end: int) -> bool:
    """Tell whether anything but fences stands there."""
    return any(line.strip() and not line.strip().startswith(FENCE) for line in lines[begin:end])
