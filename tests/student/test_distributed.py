"""A single process is rank 0 of 1; tests/train/test_launch.py tests several processes."""

from __future__ import annotations

import pytest
import torch

from alif.errors import RecipeError
from alif.student import distributed


def test_alone_it_is_the_first_and_everything_stays_as_it_was():
    assert (distributed.world_size(), distributed.rank(), distributed.is_main_process()) == (1, 0, True)
    assert distributed.broadcast_from_rank0(lambda: "x") == "x"
    assert distributed.all_reduce_mean(0.1) == 0.1
    with distributed.main_process_first():
        distributed.barrier()
    value = torch.ones(3)
    assert distributed.gather_tensor({"a": [value, 1]})["a"][0] is value
    assert distributed.shard_like(value, torch.zeros(3)) is value


def test_numbers_that_cannot_be_shared_out_are_refused():
    layer = torch.nn.Linear(2, 2)
    with pytest.raises(RecipeError, match="does not go with float16"):
        distributed.apply_fsdp(layer, ("Linear",), torch.float16)
    layer.weight = torch.nn.Parameter(torch.zeros(2, 1, dtype=torch.uint8), requires_grad=False)
    with pytest.raises(RecipeError, match="a base in 4 bits"):
        distributed.apply_fsdp(layer, ("Linear",), torch.bfloat16)
