"""Settle a batch that is over: store its replies, settle every attempt, correct what the budget counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from alif.errors import ReplyError
from alif.llm.batch.batch_apis import BatchProgress, BatchResult
from alif.llm.batch.batch_store import Batch, BatchStore, Member, custom_id
from alif.llm.budget import Reservation
from alif.llm.client import EndpointClient
from alif.llm.provider_error import ProviderError

__all__ = ["BatchSettlement"]


class BatchSettlement:
    """Settles one batch; `reservation` is its money, or None where an earlier try counts that as spent."""

    def __init__(
        self, live: EndpointClient, store: BatchStore, batch: Batch, reservation: Reservation | None
    ) -> None:
        self._live, self._store, self._batch, self._reservation = live, store, batch, reservation

    def _open_members(self) -> dict[str, Member]:
        members = self._store.members(self._batch)
        return {custom_id(one.request, one.draw): one for one in members if not one.settled}

    def collect(self, progress: BatchProgress, results: Sequence[BatchResult]) -> None:
        """Store the results of the batch, as a sibling run may be doing too.

        Raises:
            ReplyError: a request is refused for a reason that the next batch would meet too.
        """
        price, factor = self._live.price, self._live.settings.batch_price_factor
        members = self._open_members()
        refusal: ReplyError | None = None
        for result in results:
            if (member := members.pop(result.name, None)) is None:
                continue
            if result.response is None:
                self._fail([member], result.reason, may_be_billed=False)
                continue
            try:
                parsed = self._live.parse_response(result.response)
            except ProviderError as error:
                usd = price.cost_usd(error.usage) * factor if error.usage else 0.0
                raw = result.response.text if error.unreadable else ""
                self._fail([member], error.reason, error.may_be_billed, usd, raw)
                if error.for_all:
                    refusal = error.stop
                elif error.stop:
                    self._live.context.log_once(error.stop.message)
                continue
            self._live.watch.answers += 1
            cost_usd = member.upper_usd
            if parsed.metered:
                cost_usd = price.cost_usd(parsed) * factor
                upper_usd = member.upper_usd / (factor or 1.0)
                self._live.check_bound(parsed, cost_usd / factor if factor else 0.0, upper_usd)
            elif not parsed.has_output:
                cost_usd = price.upper_usd(member.payload_bytes, 0) * factor
            ledger = self._live.context.ledger
            ledger.record_reply(member.attempt, member.request, result.response.text, parsed, cost_usd)
            self._correct_budget(member, cost_usd)
        # one that completed and is in neither file may still be on the bill
        self._fail(members.values(), f"batch {progress.state}", progress.state == "completed")
        self._store.mark_over(self._batch, progress.state)
        if refusal:
            raise refusal

    def close_unanswered(self, reason: str, state: str, *, may_be_billed: bool) -> None:
        """Close a batch that brings nothing; its requests are asked again."""
        self._fail(self._open_members().values(), reason, may_be_billed)
        self._store.mark_over(self._batch, state)

    def _fail(
        self,
        members: Iterable[Member],
        reason: str,
        may_be_billed: bool,
        cost_usd: float = 0.0,
        raw: str = "",
    ) -> None:
        ledger = self._live.context.ledger
        for member in members:
            ledger.record_failure(member.attempt, reason, may_be_billed, raw, cost_usd)
            self._correct_budget(member, member.upper_usd if may_be_billed else cost_usd)

    def _correct_budget(self, member: Member, usd: float) -> None:
        """Count `usd` for an attempt that was counted at its upper bound."""
        if self._reservation is not None:
            self._reservation.usd += usd - member.upper_usd
        elif member.run == self._live.context.run:
            self._live.context.budget.refund(member.upper_usd - usd)
