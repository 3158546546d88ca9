"""Measures of teachers: values counted by hand, intervals that cover, verdicts on what both answered."""

from __future__ import annotations

import numpy as np
import pytest

from alif.errors import ReplyError
from alif.evaluate.stats import Bootstrap, bootstrap_interval
from alif.evaluate.teacher_measures import linearise_ratio, measure_teachers
from alif.facts.screening_facts import ScreenedReply, ScreenedTeacher
from alif.language import pack as packs
from alif.records import Dropped, Example, Origin

OWN, KNOWN, BOOTSTRAP = packs.load_pack("ur"), packs.load_pack("en"), Bootstrap(400, 1)
WORDS = [
    "پانی", "کتاب", "شہر", "دن", "رات", "سورج", "چاند", "زمین", "ہوا", "درخت",
    "پھول", "دریا", "پہاڑ", "راستہ", "گاؤں", "کھیت", "بازار", "گھر", "دروازہ", "کھڑکی",
]  # fmt: skip
"""Urdu: water, book, city, day, night …"""


def row(output: str, instruction: str = "ایک جملہ لکھیں") -> Example:
    return Example.make("ur", "generation", instruction, "", output, Origin(kind="teacher"))


def teacher(name: str, *replies: ScreenedReply, problem: ReplyError | None = None) -> ScreenedTeacher:
    return ScreenedTeacher(name, "m", dict(enumerate(replies)), problem)


def reply(kept: int, dropped: int, usd: float = 0.01, output: str = "پانی زندگی ہے") -> ScreenedReply:
    lost = [Dropped(row=row(output), reason="near_duplicate")] * dropped
    return ScreenedReply((*[row(output)] * kept, *lost), usd)


def test_a_ratio_of_sums_is_kept_to_the_last_digit_and_none_of_nothing_is_none() -> None:
    items = linearise_ratio([(3, 4), (0, 0), (1, 8)])
    assert items is not None
    assert items.value == pytest.approx(4 / 12)
    assert len(items) == 3
    assert linearise_ratio([(0.01, 0), (0.02, 0)]) is None
    assert linearise_ratio([]) is None


def test_the_interval_of_a_ratio_covers_where_sizes_differ_and_rows_of_a_reply_are_alike() -> None:
    """60 requests of 1 to 12 rows; each has its own rate around 0.6."""
    random, hits = np.random.default_rng(5), 0
    for run in range(300):
        sizes = random.integers(1, 13, size=60)
        kept = random.binomial(sizes, random.beta(3, 2, size=60))
        items = linearise_ratio(zip(kept, sizes, strict=True))
        assert items is not None
        found = bootstrap_interval(items, Bootstrap(300, run))
        hits += found.low <= 0.6 <= found.high
    assert 0.91 <= hits / 300 <= 0.98


def test_shares_prices_and_words_are_those_counted_by_hand() -> None:
    replies = reply(2, 1, 0.03), reply(1, 0, 0.01), reply(0, 2, 0.02)
    one, two = measure_teachers([teacher("a", *replies), teacher("b", *replies)], OWN, KNOWN, BOOTSTRAP, None)
    assert (one.requests, one.items, one.kept, one.reasons) == (3, 6, 3, {"near_duplicate": 3})
    assert one.acceptance is not None
    assert one.acceptance.value == 0.5
    assert one.usd_per_kept_row is not None
    assert one.usd_per_kept_row.value == pytest.approx(0.02)
    assert one.usd_per_kept_row.low >= 0
    assert {name: found and found.value for name, found in one.words.items()} == {
        "instruction_median": 3, "instruction_cv": 0, "output_median": 3, "output_cv": 0,
    }  # fmt: skip
    assert set(one.distinct.values()) == {None}, "18 words are too few"
    assert two.against_first["acceptance"].difference == 0
    assert {found.verdict for found in two.against_first.values()} == {"cannot tell"}


def test_where_all_rows_are_alike_the_interval_is_wilsons() -> None:
    perfect, none = measure_teachers(
        [teacher("a", *[reply(2, 0)] * 10), teacher("b", *[reply(0, 2)] * 10)], OWN, KNOWN, BOOTSTRAP, None
    )
    assert perfect.acceptance is not None
    assert none.acceptance is not None
    assert (perfect.acceptance.high, none.acceptance.low) == (1, 0)
    assert perfect.acceptance.low == pytest.approx(0.839, abs=0.001)
    assert none.acceptance.high == pytest.approx(0.161, abs=0.001)
    assert none.usd_per_kept_row is None
    assert {name: found.verdict for name, found in none.against_first.items()} == {
        "acceptance": "worse", "fidelity": "cannot tell",
    }  # fmt: skip


def test_wrong_letters_and_loops_are_counted_of_all_rows_that_can_be_read() -> None:
    arabic = reply(0, 4, output="ہمارے شہر ميں گرمي بہت پڑتی ہے")
    loop = reply(0, 4, output="بہت اچھا ہے اور " * 12)
    english = reply(0, 4, output="This is written in English, which nobody asked for at all.")
    good, bad = measure_teachers(
        [teacher("good", *[reply(4, 0)] * 9), teacher("bad", *[arabic, loop, english] * 3)],
        OWN, KNOWN, BOOTSTRAP, None,
    )  # fmt: skip
    assert {name: found and found.value for name, found in good.fidelity.items()} == dict.fromkeys(
        good.fidelity, 0.0
    )
    found = {name: one.value for name, one in bad.fidelity.items() if one and one.value}
    third = pytest.approx(1 / 3)
    assert found == {
        "any": 1, "wrong_language": third, "lookalike_letters": third, "repetition": third,
    }  # fmt: skip
    assert bad.against_first["fidelity"].verdict == "worse"


def test_distinct_words_are_of_as_many_words_of_each_teacher() -> None:
    """Both use 20 words at random; ten times as many rows do not make one less varied."""
    random = np.random.default_rng(7)

    def some(count: int) -> list[ScreenedReply]:
        texts = [" ".join(random.choice(WORDS, size=15)) for _ in range(count)]
        return [ScreenedReply((row(one, one),), 0.0) for one in texts]

    short, long, few = measure_teachers(
        [teacher("short", *some(12)), teacher("long", *some(120)), teacher("few", *some(3))],
        OWN, KNOWN, BOOTSTRAP, None,
    )  # fmt: skip
    for name in ("instruction_1", "output_1"):
        one, other = short.distinct[name], long.distinct[name]
        assert one is not None
        assert other is not None
        assert one.value == other.value == pytest.approx(20 / 180)
        assert few.distinct[name] is None, "45 words say nothing, and do not hold up the others"


def test_teachers_are_compared_on_the_requests_that_both_answered() -> None:
    first = teacher("first", *[reply(3, 1)] * 12, *[reply(0, 4)] * 12)
    stopped = ReplyError("teacher.b: gone", "Wait.")
    _, half, none = measure_teachers(
        [first, teacher("b", *[reply(3, 1)] * 12, problem=stopped), teacher("c", problem=stopped)],
        OWN, KNOWN, BOOTSTRAP, None,
    )  # fmt: skip
    assert (half.against_first["acceptance"].n, half.against_first["acceptance"].difference) == (12, 0)
    assert half.problem == "teacher.b: gone. Wait."
    assert (none.requests, none.acceptance, dict(none.against_first)) == (0, None, {})
    assert none.words["output_median"] is None
