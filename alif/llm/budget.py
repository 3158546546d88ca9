"""A money cap that holds under concurrency: hold the most a request can cost, send, settle what it did cost.

    cap 10.00 ├── spent 6.20 ──┤── held 1.15 (in flight) ──┤── left 2.65 ──┤

A request that does not fit into what is left waits while others are in flight, since they settle below what they hold, and for
what an earlier try has under way, which counts as spent at its upper bound until then; when there is nothing left to wait for
it is refused. First come, first served: a dear request is not overtaken for ever by cheap ones.
Sums are kept in whole billionths of a dollar, so that no rounding can pass the cap.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from alif.errors import BudgetError, RecipeError
from alif.formatting import format_usd
from alif.llm.endpoint import hostname, is_local
from alif.llm.parse import ParsedReply
from alif.recipe import Teacher

__all__ = ["Budget", "Price", "Reservation", "price_of"]

TEMPLATE_TOKENS = 256
"""Tokens that a provider's chat template may add to a prompt; the longest one known (gpt-oss) adds fewer than 100."""


@dataclass(frozen=True)
class Price:
    """What a teacher's tokens cost, in dollars a million."""

    usd_per_million_in: float
    usd_per_million_out: float
    usd_per_million_cached: float

    def upper_usd(self, prompt_bytes: int, max_tokens: int) -> float:
        """Return the most that a request can cost: no tokenizer makes more tokens than there are bytes."""
        tokens_in = prompt_bytes + TEMPLATE_TOKENS
        dearest_in = max(self.usd_per_million_in, self.usd_per_million_cached)
        return (tokens_in * dearest_in + max_tokens * self.usd_per_million_out) / 1e6

    def cost_usd(self, reading: ParsedReply) -> float:
        """Return what a reply cost by the tokens that it reports."""
        fresh = reading.tokens_in - reading.tokens_cached
        return (
            fresh * self.usd_per_million_in
            + reading.tokens_cached * self.usd_per_million_cached
            + reading.tokens_out * self.usd_per_million_out
        ) / 1e6


def price_of(name: str, teacher: Teacher) -> Price:
    """Return a teacher's price; a local one costs nothing unless the recipe says otherwise.

    Raises:
        RecipeError: the price is unknown. It is never guessed.
    """
    prices = (teacher.usd_per_million_in, teacher.usd_per_million_out)
    if None in prices and not is_local(teacher.base_url):
        missing = "usd_per_million_in" if prices[0] is None else "usd_per_million_out"
        raise RecipeError(
            f"teacher.{name}.{missing}: the price of {teacher.model} at {hostname(teacher.base_url)} is unknown",
            "Look it up and set usd_per_million_in and usd_per_million_out; a price is never guessed.",
        )
    usd_in, usd_out = (usd or 0.0 for usd in prices)
    cached = teacher.usd_per_million_cached
    return Price(usd_in, usd_out, usd_in if cached is None else cached)


@dataclass
class Reservation:
    """Money set aside for one request. When the block ends, `usd` is what was spent."""

    usd: float = 0.0


async def _nothing() -> bool:
    """Say that no earlier try has anything under way."""
    return False


class Budget:
    """A cap and what of it is spent and held."""

    def __init__(
        self, cap_usd: float, spent_usd: float = 0.0, earlier: Callable[[], Awaitable[bool]] = _nothing
    ) -> None:
        """Start with what is spent already.

        Args:
            cap_usd: the cap.
            spent_usd: what is spent, or may be.
            earlier: waits until something settles that an earlier try has under way; False where nothing is.
        """
        self._cap = math.floor(cap_usd * 1e9)
        self._spent = _nano(spent_usd)
        self._earlier = earlier
        self._held = 0
        self._turn = asyncio.Lock()
        self._settled = asyncio.Event()

    @property
    def spent_usd(self) -> float:
        """What is spent, without what is held."""
        return self._spent / 1e9

    @asynccontextmanager
    async def hold(self, upper_usd: float) -> AsyncIterator[Reservation]:
        """Set `upper_usd` aside for the length of a block and settle at its end what `Hold.usd` says then.

        Raises:
            BudgetError: it does not fit under the cap and nothing is under way that could make room.
        """
        upper = _nano(upper_usd)
        async with self._turn:
            while upper and self._spent + self._held + upper > self._cap:
                if self._held:
                    self._settled.clear()
                    await self._settled.wait()
                elif not await self._earlier():
                    raise self._refusal(upper_usd)
            self._held += upper
        hold = Reservation()
        try:
            yield hold
        finally:
            self._held -= upper
            self._spent += _nano(hold.usd)
            self._settled.set()

    def give_back(self, usd: float) -> None:
        """Take back what was counted as spent before and turned out not to be: the rest of an upper bound."""
        self._spent -= math.floor(usd * 1e9)
        self._settled.set()

    def _refusal(self, upper_usd: float) -> BudgetError:
        spent, cap = format_usd(self.spent_usd), format_usd(self._cap / 1e9)
        return BudgetError(
            f"spent {spent} of {cap}; the next request could cost {format_usd(upper_usd)}",
            "Raise runtime.max_cost_usd and repeat the command: it goes on where it stopped.",
        )


def _nano(usd: float) -> int:
    """Return dollars as billionths, rounded up."""
    return math.ceil(usd * 1e9)
