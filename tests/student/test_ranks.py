"""A process that is alone is the first of one; what several tell each other is shown by tests/train/test_launch.py."""

from __future__ import annotations

import pytest
import torch

from alif.errors import RecipeError
from alif.student import ranks


def test_alone_it_is_the_first_and_everything_stays_as_it_was():
    assert (ranks.count(), ranks.rank(), ranks.first()) == (1, 0, True)
    assert ranks.told(lambda: "x") == "x"
    assert ranks.mean(0.1) == 0.1
    with ranks.first_goes_first():
        ranks.wait()
    value = torch.ones(3)
    assert ranks.whole({"a": [value, 1]})["a"][0] is value
    assert ranks.part(value, torch.zeros(3)) is value


def test_numbers_that_cannot_be_shared_out_are_refused():
    layer = torch.nn.Linear(2, 2)
    with pytest.raises(RecipeError, match="does not go with float16"):
        ranks.share_out(layer, ("Linear",), torch.float16)
    layer.weight = torch.nn.Parameter(torch.zeros(2, 1, dtype=torch.uint8), requires_grad=False)
    with pytest.raises(RecipeError, match="a base in 4 bits"):
        ranks.share_out(layer, ("Linear",), torch.bfloat16)
