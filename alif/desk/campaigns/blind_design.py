"""Who judges what: balanced incomplete blocks, sides that are random and balanced, some pairs shown twice.

    group of 3 prompts   seat 0   seat 1   seat 2    a random Latin square: each seat has each source once,
    prompt 1               b        a        c       and the answers to a prompt are of different seats
    prompt 2               a        c        b
    prompt 3               c        b        a

A seat holds one answer to every prompt, so whoever works along a seat sees no prompt twice. There are k
squares a group. Of pairs, the second square shows every pair the other way round. Groups make blocks of about
30 cards, in which sources and sides are balanced exactly; within a block each person has an order of their
own.
"""

from __future__ import annotations

import itertools
import random
from collections import defaultdict
from typing import NamedTuple

from alif.sampling import seeded_rng

__all__ = ["RUN_LENGTH", "PlannedBallot", "plan_ballots"]

RUN_LENGTH = 30
"""Cards in which a person sees every source equally often."""


class PlannedBallot(NamedTuple):
    """One wanted judgement."""

    prompt: int
    shown: tuple[int, ...]
    """The source, or the sources of the left and the right answer."""
    seat: int
    block: int
    twice: bool
    """Whether whoever judges it is shown it again, swapped."""


def plan_ballots(
    prompts: int, sources: int, k: int, seed: int, *, paired: bool, repeats: float
) -> list[PlannedBallot]:
    """Return every wanted judgement: each answer of each prompt, or each pair of them, `k` times."""
    rng = seeded_rng(seed, "ballots")
    contrasts = list(itertools.combinations(range(sources), 2 if paired else 1))
    size = len(contrasts)
    step = size * (1 + paired)
    per_block = max(RUN_LENGTH // step, 1) * (1 + paired)
    flips = [False] * size
    ballots: list[PlannedBallot] = []
    for group, start in enumerate(range(0, prompts, size)):
        flips = [not flip if group % 2 else paired and rng.random() < 0.5 for flip in flips]
        for layer in range(k):
            square = latin_square(size, rng)
            for row, columns in enumerate(square):
                for prompt, place in zip(range(start, min(start + size, prompts)), columns, strict=False):
                    swapped = paired and flips[place] ^ (layer % 2 == 1)
                    shown = contrasts[place][::-1] if swapped else contrasts[place]
                    ballots.append(
                        PlannedBallot(prompt, shown, layer * size + row, group // per_block, twice=False)
                    )
    return _mark_repeats(ballots, repeats, rng) if paired else ballots


def latin_square(size: int, rng: random.Random) -> list[list[int]]:
    """Return rows in which each number below `size` occurs once in each row and column."""
    rows, columns, numbers = (rng.sample(range(size), size) for _ in range(3))
    return [[numbers[(row + column) % size] for column in columns] for row in rows]


def _mark_repeats(ballots: list[PlannedBallot], share: float, rng: random.Random) -> list[PlannedBallot]:
    """Choose the same share of each seat's cards to be shown twice."""
    by_seat: dict[int, list[int]] = defaultdict(list)
    for place, one in enumerate(ballots):
        by_seat[one.seat].append(place)
    chosen = {
        place for places in by_seat.values() for place in rng.sample(places, round(share * len(places)))
    }
    return [one._replace(twice=place in chosen) for place, one in enumerate(ballots)]
