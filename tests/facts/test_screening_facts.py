"""A reply's rows: those that were kept, and all that could be read."""

from __future__ import annotations

from alif.facts.screening_facts import ScreenedReply
from alif.records import Dropped, Example, Origin


def test_kept_rows_are_readable_too_and_what_is_no_row_is_neither() -> None:
    good, bad = (
        Example.make("ur", "qa", "پانی کیا ہے؟", "", answer, Origin(kind="teacher"))
        for answer in ("زندگی", "ي")  # "What is water?" "Life"
    )
    reply = ScreenedReply(
        (good, Dropped(row=bad, reason="lookalike_letters"), Dropped(raw="Sure!", reason="unparsable")), 0.1
    )
    assert reply.kept == [good]
    assert reply.readable == [good, bad]
