from __future__ import annotations

import pytest

from alif.cost import gpus
from alif.errors import RecipeError


@pytest.mark.parametrize("name", gpus.GPUS)
def test_a_gpu_is_found_in_lower_and_in_upper_case(name):
    assert gpus.find_gpu(name) is gpus.find_gpu(name.upper()) is gpus.GPUS[name]


def test_another_one_is_refused_with_those_that_are_known():
    with pytest.raises(RecipeError, match="--gpu tpu: no such GPU") as caught:
        gpus.find_gpu("tpu")
    assert "a100, h100, h200" in caught.value.hint


@pytest.mark.parametrize("gpu", gpus.GPUS.values(), ids=lambda gpu: gpu.name)
def test_ranges_go_up_and_no_share_is_above_the_peak(gpu):
    assert 0 < gpu.reached[0] < gpu.reached[1] < 1
    assert gpu.usd_per_hour[0] < gpu.usd_per_hour[1]
    assert gpu.reached_mark in ("measured", "assumed")
