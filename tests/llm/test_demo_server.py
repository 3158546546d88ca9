from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alif.llm.chat_model import ScriptedReply
from alif.llm.demo_server import DemoRequest, DemoServer, completion, serve_demo
from alif.records import Message
from tests.llm.conftest import echo


def post(server: DemoServer, text: str, draw: int = 0) -> bytes:
    body = {"model": "parrot", "messages": [{"role": "user", "content": text}], "temperature": 1.0}
    request = urllib.request.Request(
        f"{server.address}/chat/completions", json.dumps(body).encode(), {"X-Alif-Draw": str(draw)}
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request) as response:
        content: bytes = response.read()
    return content


def test_the_reply_is_a_pure_function_of_request_and_draw() -> None:
    with serve_demo(echo) as server:
        first, other, again = (post(server, "سلام", draw) for draw in (0, 1, 0))
    assert first == again != other
    reply = json.loads(first)
    message = {"role": "assistant", "content": "سلام #0"}
    assert reply["choices"][0] == {"index": 0, "message": message, "finish_reason": "stop"}
    usage = reply["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


@given(st.text(st.characters(exclude_categories=["Cs"])), st.integers(1, 20))
def test_a_reply_is_cut_off_at_max_tokens_on_a_whole_character(text: str, max_tokens: int) -> None:
    request = DemoRequest(model="m", messages=[Message(role="user", content="q")], max_tokens=max_tokens)
    reply = json.loads(json.dumps(completion("x", request, ScriptedReply(text=text))))
    said, finish = reply["choices"][0]["message"]["content"], reply["choices"][0]["finish_reason"]
    assert text.startswith(said)
    assert reply["usage"]["completion_tokens"] <= max_tokens
    assert (said == text) == (finish == "stop")


def test_a_function_can_refuse_and_its_bug_is_kept() -> None:
    def refuse(messages: Sequence[Message], draw: int) -> ScriptedReply:
        return ScriptedReply(text=str(1 // draw), status=402, code="broke")

    with serve_demo(refuse) as server:
        for draw, status in ((0, 422), (1, 402)):
            with pytest.raises(urllib.error.HTTPError) as caught:
                post(server, "x", draw)
            assert caught.value.code == status
            caught.value.close()
    assert isinstance(server.failure, ZeroDivisionError)


def test_the_server_ends_with_its_process() -> None:
    code = (
        "from alif.llm.demo_server import serve_demo; import sys\nserve_demo(None).__enter__()\nsys.exit(3)"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=20, check=False).returncode == 3
