"""Fixtures of the models room: a run's folder and teachers that lie on loopback."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import settings

from alif.llm.chat_model import ScriptedReply
from alif.llm.ledger import Ledger
from alif.llm.session import RetryPolicy
from alif.records import Message
from alif.runs import Run, StepContext, make_context
from alif.settings import Runtime, Teacher
from tests.fake_provider import FakeBatches

settings.register_profile("busy machine", deadline=None)
settings.load_profile("busy machine")

FAST = RetryPolicy(
    first_wait_s=0.005,
    longest_wait_s=0.02,
    unreached_s=0.05,
    silence_s=0.2,
    give_up_s=30.0,
    finish_s=0.5,
    first_poll_s=0.01,
    longest_poll_s=0.02,
    find_batch_s=0.05,
)


def echo(messages: Sequence[Message], draw: int) -> ScriptedReply:
    """A script that repeats the last message."""
    return ScriptedReply(text=f"{messages[-1].content} #{draw}")


def ask(text: str) -> list[Message]:
    return [Message(role="user", content=text)]


def raw_replies(ledger: Ledger) -> list[tuple[str, str]]:
    """Return (request hash, raw reply) of every stored reply, in the order they came."""
    return ledger.db.execute("SELECT request, raw FROM replies ORDER BY attempt").fetchall()


def scripted(**settings: object) -> Teacher:
    return Teacher.model_validate({"model": "parrot", "base_url": "scripted", **settings})


@pytest.fixture
def context(tmp_path: Path) -> Callable[..., StepContext]:
    """Return a function that builds what a step is handed, with its ledger under tmp_path."""

    def build(run: str = "run", step: str = "generate", **runtime: object) -> StepContext:
        root = tmp_path / run
        return make_context(
            Run(root), step, Runtime.model_validate({"timeout_s": 5.0, **runtime}), folder=root / "partial"
        )

    return build


@pytest.fixture
def lag_list(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """Return what lets a provider's list of batches lag: its first two looks are empty; looks are noted."""
    get, listed = FakeBatches.get, list[str]()

    def lagging(batches: FakeBatches, path: str) -> tuple[int, bytes]:
        if "limit=" in path:
            listed.append(path)
            if len(listed) < 3:
                return 200, b'{"data": []}'
        return get(batches, path)

    def lag() -> list[str]:
        monkeypatch.setattr(FakeBatches, "get", lagging)
        return listed

    return lag
