"""Code and mathematics are told from text: by a column, or by what the row holds."""

from __future__ import annotations

from typing import Any

import pytest

from alif.data.mixture.replay_kinds import find_kind
from alif.records import Example, Origin
from alif.sources import Row


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ({"output": "Tie a boat."}, ""),
        ({"output": "Tie a boat.", "category": "coding"}, "code"),
        ({"output": "Four.", "kind": "Math word problems"}, "mathematics"),
        ({"output": "```python\nx = 1\n```"}, "code"),
        ({"output": "def f(x):\n    return x + 1"}, "code"),
        ({"output": "So $x^2 = 9$ and x is 3."}, "mathematics"),
        ({"output": "2 + 3 = 5\n5 * 4 = 20\nIt is 20."}, "mathematics"),
        ({"output": "He has 48/2 = <<48/2=24>>24 clips, and 48+24 = <<48+24=72>>72."}, "mathematics"),
        ({"output": "In 2020 it cost $5, in 2021 $6."}, ""),
        ({"output": "A list:\n- tea\n- milk", "category": "closed_qa"}, ""),
    ],
)
def test_the_kind_of_a_row(values: dict[str, Any], kind: str) -> None:
    example = Example.make("en", "other", "Do it.", "", values["output"], Origin(kind="replay"))
    assert find_kind(Row("a:1", "a", "1", values), example) == kind
