"""What a batch brought, written down: every result kept, every attempt settled, every held dollar given back or spent."""

from __future__ import annotations

from collections.abc import Sequence

from alif.llm.batch.batch_apis import BatchProgress, BatchResult
from alif.llm.batch.batch_store import Batch, BatchStore, Member
from alif.llm.budget import Reservation
from alif.llm.client import EndpointClient
from alif.llm.parse import ParsedReply
from alif.llm.provider_error import ProviderError

__all__ = ["BatchSettlement"]


class BatchSettlement:
    """The books of one teacher's batches."""

    def __init__(self, live: EndpointClient, book: BatchStore) -> None:
        self._live, self._book = live, book
        self.holds: dict[str, Reservation] = {}
        """Money set aside in this process, by request."""

    def gather(self, batch: Batch, progress: BatchProgress, results: Sequence[BatchResult]) -> None:
        """Keep every result and settle every attempt of a batch that is over, as a sibling run may be doing too."""
        open_ = {member.name: member for member in self._book.members(batch) if not member.settled}
        for result in results:
            member = open_.pop(result.name, None)
            if member is not None:
                self._settle(member, result)
        for member in open_.values():
            # what ended by itself and is in neither file may still be on the bill
            self._failed(member, f"batch {progress.word}", billed=progress.word == "completed")
        self._book.closed(batch, progress.word)

    def _settle(self, member: Member, result: BatchResult) -> None:
        if result.answer is None:
            self._failed(member, result.why, billed=False)
            return
        try:
            reading = self._live.understood(result.answer)
        except ProviderError as fault:
            self._failed(member, fault.why, fault.billed)
            if fault.stop:
                self._live.desk.tell(fault.stop.message)
            return
        cost_usd = self._cost_usd(member, reading)
        self._live.desk.ledger.answered(member.attempt, member.request, result.answer.text, reading, cost_usd)
        self._pay(member, cost_usd)

    def _cost_usd(self, member: Member, reading: ParsedReply) -> float:
        """Return what a reply counts: where it does not say, its upper bound; where nothing was written, the prompt alone."""
        price, share = self._live.price, self._live.teacher.batch_price_factor
        if reading.metered:
            return price.cost_usd(reading) * share
        return member.upper_usd if reading.written else price.upper_usd(member.size, 0) * share

    def _failed(self, member: Member, why: str, billed: bool) -> None:
        self._live.desk.ledger.failed(member.attempt, why, billed)
        self._pay(member, member.upper_usd if billed else 0.0)

    def _pay(self, member: Member, usd: float) -> None:
        """Settle the money of an attempt: what is held for it here, or what an earlier try of this run counts for it."""
        if hold := self.holds.pop(member.request, None):
            hold.usd = usd
        elif member.run == self._live.desk.run:
            self._live.desk.budget.give_back(member.upper_usd - usd)

    def refused(self, batch: Batch, why: str) -> None:
        """Close a batch that the provider never took; its requests cost nothing."""
        for member in self._book.members(batch):
            if not member.settled:
                self._failed(member, why, billed=False)
        self._book.closed(batch, "refused")

    def give_up(self, batch: Batch) -> None:
        """Close a batch that cannot be reached any more; its requests count at their upper bound and are asked again."""
        for member in self._book.members(batch):
            if not member.settled:
                self._failed(member, "batch gone", billed=True)
        self._book.closed(batch, "gone")
