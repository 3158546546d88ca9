"""What is spent is read from the ledger alone, also where nothing may be written."""

from __future__ import annotations

from pathlib import Path

from alif import recipe
from alif.llm.ledger import Ledger, LedgerRequest
from alif.llm.money_status import money_status
from alif.llm.parse import ParsedReply
from alif.runs import Run

DEMO = Path(__file__).parents[2] / "alif/recipes/demo.toml"


def test_spent_and_unsettled_are_told_apart_by_step_and_role(tmp_path: Path) -> None:
    run, loaded = Run(tmp_path / "demo"), recipe.load_recipe(DEMO)
    assert money_status(run, loaded)["spent_usd"] == 0.0
    assert not run.root.exists()
    ledger = Ledger(run.root / "ledger.sqlite")
    requests = [LedgerRequest.of("gpt", "https://x.org", "m", [], {}, draw=draw) for draw in range(3)]
    for request, step in zip(requests, ("generate", "chat", "generate"), strict=True):
        number = ledger.record_sent(request, "demo", step, 0.5, "teacher")
        if request is not requests[2]:
            parsed = ParsedReply("x", "stop", "m", 1, 0, 1, 0, metered=True)
            ledger.record_reply(number or 0, request.hash, "{}", parsed, 0.25)
    ledger.close()
    found = money_status(run, loaded)
    assert (found["spent_usd"], found["cap_usd"]) == (0.5, 1.0)
    assert found["steps"] == {"chat": 0.25, "generate": 0.75}
    assert (found["unsettled"]["requests"], found["unsettled"]["usd"]) == (1, 0.5)
