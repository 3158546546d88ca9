"""The two sieves let the same rows through, compiled or not, and the pool decides the same with either."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from alif.dedup import kernels
from alif.dedup import rouge_index as pools
from alif.dedup.kernels import LENGTH_SHIFT, ROW_BITS, Sieve, scan_loop, scan_numpy
from tests.dedup.test_rouge_index import assert_same


@pytest.fixture
def compiled() -> Sieve:
    pytest.importorskip("numba", reason="the extra fast, pip install 'alif-llm[fast]', is not installed")
    found = kernels.compile_scan()
    assert found is not None
    return found


@pytest.fixture
def fresh() -> Iterator[None]:
    """Nothing of what is found out in a test is remembered after it."""
    kernels.compile_scan.cache_clear()
    yield
    kernels.compile_scan.cache_clear()


def same_rows(one: Sieve, two: Sieve) -> None:
    """Compare two sieves on postings of any length, partner and row."""
    draw = random.Random(1)
    for size in (1, 2, 7, 30, 300):
        left, right = (np.array([draw.getrandbits(64) for _ in range(50)], dtype=np.uint64) for _ in range(2))
        room = np.array([draw.randrange(130) for _ in range(2 * size)] + [0], dtype=np.uint8)
        packed = np.array(
            [
                draw.randrange(4 * size) << LENGTH_SHIFT
                | draw.randrange(3 * size) << ROW_BITS
                | draw.randrange(50)
                for _ in range(400)
            ],
            dtype=np.int64,
        )
        packed.flags.writeable = False
        rest = (packed, size, room, left, right, draw.getrandbits(64), draw.getrandbits(64))
        assert one(*rest).tolist() == two(*rest).tolist()


def test_the_loop_lets_the_same_rows_through() -> None:
    same_rows(scan_numpy, scan_loop)


def test_so_does_the_compiled_loop(compiled: Sieve) -> None:
    same_rows(scan_numpy, compiled)


def pool_decides_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "FIRST_RANKING", 4)
    monkeypatch.setattr(pools, "COMPILED_FROM", 8)
    draw = random.Random(2)
    texts: list[list[str]] = []
    for _ in range(120):
        text = [str(min(int(draw.paretovariate(0.6)), 60)) for _ in range(draw.choice([1, 3, 8, 14, 40]))]
        if texts and draw.random() < 0.4:
            text = [word for word in draw.choice(texts) if draw.random() < 0.8] or ["1"]
        texts.append(text)
    assert_same(0.7, texts)


def test_a_large_pool_takes_the_compiled_loop_and_decides_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0

    def counting(*rest: object) -> object:
        nonlocal asked
        asked += 1
        return scan_loop(*rest)  # type: ignore[arg-type]

    monkeypatch.setattr(kernels, "compiled", lambda: counting)
    pool_decides_the_same(monkeypatch)
    assert asked > 50


@pytest.mark.usefixtures("compiled")
def test_so_it_does_with_numba(monkeypatch: pytest.MonkeyPatch) -> None:
    pool_decides_the_same(monkeypatch)


@pytest.mark.usefixtures("fresh")
def test_a_numba_that_refuses_this_numpy_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "numba.py").write_text('raise ImportError("Numba needs NumPy 2.1 or less")', encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "numba", raising=False)
    assert kernels.compile_scan() is None


@pytest.mark.usefixtures("fresh")
def test_without_numba_a_large_pool_stays_with_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numba", None)
    assert kernels.compile_scan() is None
    pool_decides_the_same(monkeypatch)
