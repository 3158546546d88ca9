from __future__ import annotations

import pytest

from alif.llm.retry_policy import RetryPolicy


@pytest.mark.parametrize("attempt", [0, 3, 6, 40, 5_000])
def test_waits_double_up_to_the_longest_less_a_seeded_jitter(attempt: int) -> None:
    policy = RetryPolicy(first_wait_s=1.0, longest_wait_s=60.0)
    most = min(60.0, 2.0**attempt) if attempt < 1_000 else 60.0
    wait_s = policy.wait_s("a request", attempt)
    assert most / 2 <= wait_s <= most
    assert wait_s == policy.wait_s("a request", attempt) != policy.wait_s("another", attempt)
