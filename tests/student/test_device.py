from __future__ import annotations

import pytest
import torch

from alif.errors import ModelError
from alif.settings import Runtime
from alif.student.device import half_precision, setup_torch


@pytest.mark.parametrize(
    ("capability", "numbers"),
    [((9, 0), torch.bfloat16), ((8, 0), torch.bfloat16), ((7, 5), torch.float16), ((7, 0), torch.float16)],
)
def test_a_gpu_trains_in_the_16_bits_that_it_has(capability, numbers):
    assert half_precision("a GPU", capability) is numbers


def test_a_gpu_that_is_too_old_is_told():
    with pytest.raises(
        ModelError, match=r"Tesla P100 is too old to train on \(compute capability 6.0, needed is 7.0\)"
    ):
        half_precision("Tesla P100", (6, 0))


def test_a_cpu_trains_in_float32():
    assert setup_torch(Runtime(device="cpu")).dtype is torch.float32
