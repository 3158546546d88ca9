from __future__ import annotations

from alif.llm import protocol
from alif.records import Message
from alif.settings import Teacher

SYSTEM = [Message(role="system", content="Be brief."), Message(role="user", content="سلام")]


def test_bodies() -> None:
    own = protocol.request_body(
        Teacher(model="m", base_url="http://pc:1/v1", temperature=0.5, max_tokens=9), SYSTEM
    )
    assert own == {
        "model": "m",
        "messages": [m.model_dump() for m in SYSTEM],
        "temperature": 0.5,
        "max_tokens": 9,
    }
    azure = (
        "https://mine.services.ai.azure.com",
        "https://mine.openai.azure.com",
        "https://mine.openai.azure.com/openai/v1",
    )
    for where in ("https://api.openai.com/v1", *azure):
        assert "max_completion_tokens" in protocol.request_body(Teacher(model="m", base_url=where), SYSTEM), (
            where
        )
    claude = Teacher(model="c", base_url="https://api.anthropic.com", max_tokens=9)
    assert protocol.request_body(claude, SYSTEM) == {
        "model": "c",
        "max_tokens": 9,
        "messages": [{"role": "user", "content": "سلام"}],
        "system": "Be brief.",
    }
    assert protocol.request_body(claude.model_copy(update={"temperature": 0.3}), SYSTEM)["temperature"] == 0.3
    assert protocol.request_path(claude) == "/v1/messages"
