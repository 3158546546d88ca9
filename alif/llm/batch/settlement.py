"""Settle a batch that is over: store its replies, settle every attempt, correct what the budget counts."""

from __future__ import annotations

from collections.abc import Sequence

from alif.llm.batch.batch_apis import BatchProgress, BatchResult
from alif.llm.batch.batch_store import Batch, BatchStore, Member
from alif.llm.budget import Reservation
from alif.llm.client import EndpointClient
from alif.llm.provider_error import ProviderError

__all__ = ["BatchSettlement"]


class BatchSettlement:
    """Settles the batches of one endpoint.

    `reservation` is the money of a batch of this session; without one, an earlier try counts it as spent.
    """

    def __init__(self, live: EndpointClient, store: BatchStore) -> None:
        self._live, self._store = live, store

    def collect(
        self,
        batch: Batch,
        progress: BatchProgress,
        results: Sequence[BatchResult],
        reservation: Reservation | None,
    ) -> None:
        """Store the results of a batch that is over, as a sibling run may be doing too."""
        members = {member.name: member for member in self._store.members(batch) if not member.settled}
        for result in results:
            if (member := members.pop(result.name, None)) is not None:
                self._settle_result(member, result, reservation)
        # one that completed and is in neither file may still be on the bill
        billed = progress.state == "completed"
        self._fail(list(members.values()), f"batch {progress.state}", billed, reservation)
        self._store.mark_over(batch, progress.state)

    def close_unanswered(
        self,
        batch: Batch,
        reason: str,
        state: str,
        may_be_billed: bool,
        reservation: Reservation | None = None,
    ) -> None:
        """Close a batch that brings nothing; its requests are asked again."""
        members = [member for member in self._store.members(batch) if not member.settled]
        self._fail(members, reason, may_be_billed, reservation)
        self._store.mark_over(batch, state)

    def _settle_result(self, member: Member, result: BatchResult, reservation: Reservation | None) -> None:
        if result.response is None:
            self._fail([member], result.reason, False, reservation)
            return
        try:
            parsed = self._live.parse_response(result.response)
        except ProviderError as error:
            self._fail([member], error.reason, error.may_be_billed, reservation)
            if error.stop:
                self._live.context.log_once(error.stop.message)
            return
        price, factor = self._live.price, self._live.settings.batch_price_factor
        if parsed.metered:
            cost_usd = price.cost_usd(parsed) * factor
        else:
            cost_usd = (
                member.upper_usd if parsed.has_output else price.upper_usd(member.payload_bytes, 0) * factor
            )
        ledger = self._live.context.ledger
        ledger.record_reply(member.attempt, member.request, result.response.text, parsed, cost_usd)
        self._correct(member, cost_usd, reservation)

    def _fail(
        self, members: Sequence[Member], reason: str, may_be_billed: bool, reservation: Reservation | None
    ) -> None:
        for member in members:
            self._live.context.ledger.record_failure(member.attempt, reason, may_be_billed)
            self._correct(member, member.upper_usd if may_be_billed else 0.0, reservation)

    def _correct(self, member: Member, usd: float, reservation: Reservation | None) -> None:
        """Count `usd` for an attempt that was counted at its upper bound."""
        if reservation is not None:
            reservation.usd += usd - member.upper_usd
        elif member.run == self._live.context.run:
            self._live.context.budget.refund(member.upper_usd - usd)
