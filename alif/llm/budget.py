"""A money cap that holds under concurrency: reserve the upper bound, send, settle at the cost.

    cap 10.00 ├── spent 6.20 ──┤── reserved 1.15 (in flight) ──┤── left 2.65 ──┤

A request that does not fit waits while others are in flight, since they settle below what they reserved, and
for batches of an earlier try, which count at their upper bound until they end. When there is nothing left to
wait for, it is refused. First come, first served, so that cheap requests do not overtake an expensive one for
ever. Sums are whole billionths of a dollar, so that no rounding can pass the cap.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from alif.errors import BudgetError, RecipeError
from alif.formatting import format_usd
from alif.llm.endpoint import hostname, is_local
from alif.llm.parse import ParsedReply
from alif.settings import Endpoint

__all__ = ["Budget", "Overrun", "Price", "Reservation", "cap_error", "price_of"]

TEMPLATE_TOKENS = 256
"""Tokens that a provider's chat template may add to a prompt; the longest one known (gpt-oss) adds fewer than
100."""


@dataclass(frozen=True)
class Price:
    """What an endpoint's tokens cost, in dollars a million."""

    usd_per_million_in: float
    usd_per_million_out: float
    usd_per_million_cached: float

    def upper_usd(self, prompt_bytes: int, max_tokens: int) -> float:
        """Return the most that a request can cost: no tokenizer makes more tokens than there are bytes."""
        tokens_in = prompt_bytes + TEMPLATE_TOKENS
        highest_in = max(self.usd_per_million_in, self.usd_per_million_cached)
        return (tokens_in * highest_in + max_tokens * self.usd_per_million_out) / 1e6

    def cost_usd(self, reply: ParsedReply) -> float:
        """Return what a reply cost by the tokens that it reports."""
        uncached = reply.tokens_in - reply.tokens_cached
        return (
            uncached * self.usd_per_million_in
            + reply.tokens_cached * self.usd_per_million_cached
            + reply.tokens_out * self.usd_per_million_out
        ) / 1e6


def price_of(key: str, endpoint: Endpoint) -> Price:
    """Return an endpoint's price; a local one costs nothing unless the recipe says otherwise.

    Args:
        key: the recipe key of its table, such as "teacher.gpt".
        endpoint: its settings.

    Raises:
        RecipeError: the price is unknown. It is never guessed.
    """
    prices = (endpoint.usd_per_million_in, endpoint.usd_per_million_out)
    if None in prices and not is_local(endpoint.base_url):
        missing = "usd_per_million_in" if prices[0] is None else "usd_per_million_out"
        raise RecipeError(
            f"{key}.{missing}: the price of {endpoint.model} at {hostname(endpoint.base_url)} is unknown",
            "Look it up and set usd_per_million_in and usd_per_million_out; a price is never guessed.",
        )
    usd_in, usd_out = (usd or 0.0 for usd in prices)
    cached = endpoint.usd_per_million_cached
    return Price(usd_in, usd_out, usd_in if cached is None else cached)


@dataclass
class Overrun:
    """How much more than its prompt and max_tokens a request to one model may cost, by what its replies cost.

    Some providers do not count thinking into max_tokens, or add a prompt of their own.
    """

    usd: float = 0.0

    def raise_by(self, excess_usd: float) -> None:
        """Count a reply that cost so much more than its upper bound: the next may cost twice that."""
        self.usd += 2 * excess_usd


class Reservation:
    """Money set aside for the length of a block; at its end, `usd` is what was spent."""

    def __init__(self, budget: Budget, upper_nano: int) -> None:
        self.usd = 0.0
        self._budget, self._upper_nano = budget, upper_nano

    def __enter__(self) -> Reservation:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self, task: object = None) -> None:
        """Replace the amount set aside by what was spent; also a callback of a task that is done."""
        self._budget.settle(self._upper_nano, self.usd)


class Budget:
    """A cap, and how much of it is spent and reserved."""

    def __init__(
        self,
        cap_usd: float,
        spent_usd: float = 0.0,
        wait_earlier: Callable[[], Awaitable[bool]] | None = None,
    ) -> None:
        """Start with what is spent already.

        Args:
            cap_usd: the cap.
            spent_usd: what is spent, or may be.
            wait_earlier: waits until something of an earlier try settles; returns False where nothing is
                open.
        """
        self.cap_usd = cap_usd
        self._cap = math.floor(cap_usd * 1e9)
        self._spent = _nano(spent_usd)
        self._wait_earlier = wait_earlier
        self._reserved = 0
        self._turn = asyncio.Lock()
        self._settled = asyncio.Event()

    @property
    def spent_usd(self) -> float:
        """What is spent, without what is reserved."""
        return self._spent / 1e9

    async def reserve(self, upper_usd: float) -> Reservation:
        """Set `upper_usd` aside, for use in a `with` block.

        Raises:
            BudgetError: it does not fit under the cap and nothing is under way that could make room.
        """
        return (await self.reserve_first([upper_usd]))[1]

    async def reserve_first(self, upper_usd: Sequence[float]) -> tuple[int, Reservation]:
        """Wait until the first of several amounts fits; reserve as many from the start as fit then.

        Returns:
            How many fit, and the reservation of their sum.
        """
        amounts = [_nano(usd) for usd in upper_usd]
        async with self._turn:
            while amounts[0] > max(0, free := self._cap - self._spent - self._reserved):
                if self._reserved:
                    self._settled.clear()
                    await self._settled.wait()
                elif self._wait_earlier is None or not await self._wait_earlier():
                    raise cap_error(self.spent_usd, self.cap_usd, upper_usd[0])
            count, total = 1, amounts[0]
            while count < len(amounts) and total + amounts[count] <= max(free, 0):
                total += amounts[count]
                count += 1
            self._reserved += total
        return count, Reservation(self, total)

    def settle(self, reserved_nano: int, usd: float) -> None:
        """Replace a reservation by what was spent."""
        self._reserved -= reserved_nano
        self._spent += _nano(usd)
        self._settled.set()

    def refund(self, usd: float) -> None:
        """Take back what was counted as spent and was not: the rest of an upper bound."""
        self._spent -= math.floor(usd * 1e9)
        self._settled.set()


def cap_error(spent_usd: float, cap_usd: float, upper_usd: float) -> BudgetError:
    """Return the error for a request that could pass the cap."""
    return BudgetError(
        f"spent {format_usd(spent_usd)} of {format_usd(cap_usd)}; "
        f"the next request could cost {format_usd(upper_usd)}",
        "Raise runtime.max_cost_usd and repeat the command: it continues where it stopped.",
    )


def _nano(usd: float) -> int:
    """Return dollars as billionths, rounded up."""
    return math.ceil(usd * 1e9)
