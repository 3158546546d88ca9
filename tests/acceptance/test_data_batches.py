"""Fault B6 of the data review: an odd line of a batch's results costs that line, and a used-up balance stops.

The results are what a provider's file holds, byte for byte.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from alif.llm.batch.batch_apis import AnthropicBatchApi, BatchProgress, BatchResult, OpenAIBatchApi
from alif.llm.chat_model import ScriptedReply
from alif.llm.http import HttpResponse
from alif.llm.provider_error import ProviderError
from alif.records import Message
from tests.acceptance.provider_scene import ask_teacher
from tests.fake_provider import serve_provider
from tests.repeating_server import completion

DONE = BatchProgress("completed", True, 3, ("/files/out/content",))
GOOD = {
    "custom_id": "good",
    "response": {"status_code": 200, "body": json.loads(completion("yes", "c"))},
    "error": None,
}


def read(api: type[OpenAIBatchApi | AnthropicBatchApi], file: bytes) -> dict[str, BatchResult]:
    async def send(path: str, **_: object) -> HttpResponse:
        return HttpResponse(200, {}, file)

    return {one.name: one for one in asyncio.run(api(send).results(DONE))}


@pytest.mark.parametrize(
    ("line", "status", "text"),
    [
        (b'{"custom_id": "x", "response": {"body": {"choices": []}}}', 200, '{"choices":[]}'),
        (
            b'{"custom_id": "x", "response": {"status_code": 200, "body": "{\\"a\\": 1}"}}',
            200,
            '"{\\"a\\": 1}"',
        ),
        (b'{"custom_id": "x", "response": {"status_code": 200, "body": null}}', 200, "null"),
        (b'{"custom_id": "x", "response": {"choices": []}}', 200, '{"choices":[]}'),
        (b'{"custom_id": "x", "response": {"status_code": "?", "body": {}}, "error": "odd"}', 500, "{}"),
        (b'{"custom_id": "x", "response": null, "error": "server error"}', None, "server error"),
        (b'{"custom_id": "x", "response": null, "error": ["odd"]}', None, "no response"),
        (b'{"custom_id": "x", "response": {"status_code": 200, "bo', None, None),
        (b"null", None, None),
        (b"[" * 100_000, None, None),
    ],
)
def test_data_b6_an_odd_line_costs_that_line_only(line: bytes, status: int | None, text: str | None) -> None:
    found = read(OpenAIBatchApi, json.dumps(GOOD).encode() + b"\n" + line)
    assert found["good"].response is not None
    assert found["good"].response.status == 200
    if text is None:
        assert set(found) == {"good"}, "its request counts as one without a result"
    elif status is None:
        assert (found["x"].response, found["x"].reason) == (None, text)
    else:
        response = found["x"].response
        assert response is not None
        assert (response.status, response.text) == (status, text)


@pytest.mark.parametrize(
    ("result", "status"),
    [
        (b'{"type": "succeeded"}', 200),
        (b'{"type": "errored", "error": "odd"}', 500),
        (b'{"type": "errored", "error": {"type": "error", "error": {"type": "overloaded_error"}}}', 529),
        (b'{"type": "errored", "error": {"message": "Your credit balance is too low"}}', 402),
        (b'"odd"', None),
        (b"null", None),
    ],
)
def test_data_b6_an_odd_result_of_anthropic_costs_itself_only(result: bytes, status: int | None) -> None:
    good = {"custom_id": "good", "result": {"type": "succeeded", "message": {"type": "message"}}}
    file = json.dumps(good).encode() + b'\n{"custom_id": "x", "result": ' + result + b"}\n"
    found = read(AnthropicBatchApi, file)
    assert found["good"].response is not None
    assert (found["x"].response.status if found["x"].response else None) == status


def test_data_b6_a_file_without_any_object_is_fetched_again() -> None:
    with pytest.raises(ProviderError):
        read(OpenAIBatchApi, b"<html>busy</html>\n")


@pytest.mark.parametrize(
    "errors",
    [
        [{"code": "token_limit_exceeded", "message": "too much"}],
        {"data": [{"code": "token_limit_exceeded", "message": "too much"}]},
        {"code": "token_limit_exceeded", "message": "too much"},
    ],
)
def test_data_b6_errors_of_a_batch_are_an_object_or_a_list(errors: object) -> None:
    async def send(path: str, **_: object) -> HttpResponse:
        counts = {"completed": None, "failed": "?"}
        body = {"id": "b", "status": "failed", "errors": errors, "request_counts": counts}
        return HttpResponse(200, {}, json.dumps(body).encode())

    found = asyncio.run(OpenAIBatchApi(send).status("b"))
    assert (found.refusal, found.queue_full, found.done) == ("too much", True, 0)


@pytest.mark.parametrize("protocol", ["openai", "anthropic"])
def test_data_b6_a_used_up_balance_inside_a_batch_stops_before_a_second_one(
    tmp_path: Path, protocol: str
) -> None:
    def script(messages: Sequence[Message], draw: int) -> ScriptedReply:
        if messages[-1].content == "0":
            return ScriptedReply(text="yes")
        return ScriptedReply(text="insufficient credits", status=402, code="billing_error")

    with serve_provider(script) as server:
        asked = ask_teacher(
            tmp_path, server.address, list("01234"), settings={"protocol": protocol}, batch=True
        )
        assert len(server.batches.held) == 1
    assert "is used up" in asked.said
    assert (asked.account.replies, asked.account.unsettled_usd) == (1, 0.0)
