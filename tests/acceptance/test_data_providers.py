"""Faults B3, B4, B5, B7, B9, C8 and C9 of the data review: what real providers, proxies and gateways send.

One test for each kind, with the inputs that the review lists and neighbours of theirs.
"""

from __future__ import annotations

import email.utils
import json
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alif.llm.provider_error import from_status, retry_after
from alif.settings import Teacher
from tests.acceptance.provider_scene import ask_teacher
from tests.repeating_server import completion, http, repeating

TEXTS = [f"سوال {number}" for number in range(12)]
"""Urdu: "question 0" …"""
UPPER_USD = 0.02
"""More than the upper bound of one of these requests."""


def whole(text: str, tokens_out: int = 5) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(completion(text, f"chatcmpl-{text}"))
    body["usage"] = {"prompt_tokens": 7, "completion_tokens": tokens_out, "total_tokens": 7 + tokens_out}
    return body


def stream(text: str) -> bytes:
    chunks = [
        {"model": "m", "choices": [{"delta": {"content": text[:3]}, "finish_reason": None}]},
        {"model": "m", "choices": [{"delta": {"content": text[3:]}, "finish_reason": "stop"}]},
        {"model": "m", "choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 5}},
    ]
    return b"".join(b"data: " + json.dumps(one).encode() + b"\n\n" for one in chunks) + b"data: [DONE]\n\n"


def ollama(text: str) -> bytes:
    counts = {"prompt_eval_count": 7, "eval_count": 5, "done_reason": "stop"}
    return json.dumps({"model": "m", "message": {"content": text}, "done": True, **counts}).encode()


def responses(text: str) -> bytes:
    part = {"type": "output_text", "text": text}
    body = {"object": "response", "model": "m", "status": "completed", "error": None,
            "output": [{"type": "reasoning", "summary": []}, {"type": "message", "content": [part]}],
            "usage": {"input_tokens": 7, "output_tokens": 5}}  # fmt: skip
    return json.dumps(body).encode()


def plain(text: str) -> bytes:
    return json.dumps(whole(text), ensure_ascii=False).encode()


@pytest.mark.parametrize("workers", [4, 26])
def test_data_b3_the_cap_holds_where_thinking_is_not_counted_into_max_tokens(
    tmp_path: Path, workers: int, capsys: pytest.CaptureFixture[str]
) -> None:
    respond = lambda text, number: http(json.dumps(whole(f"{text} {number}", 20_000)).encode())  # noqa: E731
    with repeating(respond=respond) as server:
        first = ask_teacher(tmp_path, server.address, TEXTS * 3, max_cost_usd=0.9, max_concurrency=workers)
        sent = server.answered
        again = ask_teacher(tmp_path, server.address, [*TEXTS, "نیا"], max_cost_usd=0.9)
    assert 0.2 <= first.account.usd <= 0.9
    assert first.account.usd == pytest.approx(sent * 20_007 * 10 / 1e6), "the provider's bill"
    assert first.said.startswith("spent $")
    assert "20,000 out where max_tokens is 100" in capsys.readouterr().err.replace("\n", " ")
    assert again.account.usd == first.account.usd, "the bound is remembered: nothing more is sent"


def test_data_b3_one_reply_above_its_bound_raises_it_by_twice_the_excess(tmp_path: Path) -> None:
    respond = lambda text, number: http(json.dumps(whole(text, 2_000 if number == 3 else 5)).encode())  # noqa: E731
    with repeating(respond=respond) as server:
        asked = ask_teacher(tmp_path, server.address, TEXTS, max_cost_usd=5.0)
    assert asked.texts == TEXTS, "the run goes on while it can"


@pytest.mark.parametrize(
    "value", ["http://127.0.0.1:6153export", "http://user:pw-secret@host:99999", "http://host:abc"]
)
def test_data_b4_a_mistyped_proxy_variable_is_named_before_anything_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    set_proxy(monkeypatch, value)
    asked = ask_teacher(tmp_path, "https://api.openai.com/v1", TEXTS)
    assert "teacher.gpt: HTTPS_PROXY names a proxy that is no address: its port" in asked.said
    assert "pw-secret" not in asked.said
    assert (asked.account.attempts, asked.account.usd) == (0, 0.0)


def test_data_b4_a_proxy_that_cannot_be_reached_is_named_and_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    set_proxy(monkeypatch, f"http://me:pw-secret@127.0.0.1:{port}")
    asked = ask_teacher(tmp_path, "https://api.openai.com/v1", TEXTS)
    assert f"no connection to the proxy 127.0.0.1:{port} that HTTPS_PROXY names" in asked.said
    assert "pw-secret" not in asked.said
    assert asked.account.usd == 0.0


def test_data_b4_a_proxy_that_refuses_is_named_with_its_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        import threading

        def refuse() -> None:
            while True:
                try:
                    client = listener.accept()[0]
                except OSError:
                    return
                client.recv(10_000)
                client.sendall(http(b"", "407 Proxy Authentication Required"))
                client.close()

        threading.Thread(target=refuse, daemon=True).start()
        set_proxy(monkeypatch, f"http://me:pw-secret@127.0.0.1:{listener.getsockname()[1]}")
        asked = ask_teacher(tmp_path, "https://api.openai.com/v1", TEXTS[:1])
        listener.shutdown(socket.SHUT_RDWR)
    assert "that HTTPS_PROXY names refuses with status 407" in asked.said
    assert "pw-secret" not in asked.said
    assert asked.account.usd == 0.0


def set_proxy(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    for name in ("http", "https", "all", "no"):
        monkeypatch.delenv(f"{name}_proxy", raising=False)
        monkeypatch.delenv(f"{name}_proxy".upper(), raising=False)
    monkeypatch.setenv("HTTPS_PROXY", value)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")


@pytest.mark.parametrize(
    "body",
    [
        lambda text: b"\xef\xbb\xbf" + plain(text),
        lambda text: plain(text) + b"\n\ndata: [DONE]\n\n",
        lambda text: plain(text) + b"\0" * 12,
        lambda text: plain(text).decode().encode("utf-16"),
        stream,
        ollama,
        responses,
        lambda text: b": keep-alive\n\n" + stream(text),
        lambda text: b"data: " + plain(text) + b"\n\ndata: [DONE]\n\n",
        lambda text: json.dumps([whole(text)]).encode(),
        lambda text: json.dumps({"code": 0, "data": whole(text)}).encode(),
    ],
)
def test_data_b5_a_body_that_holds_a_reply_is_read_and_paid_once(
    tmp_path: Path, body: Callable[[str], bytes]
) -> None:
    with repeating(respond=lambda text, number: http(body(text))) as server:
        asked = ask_teacher(tmp_path, server.address, TEXTS)
    assert asked.texts == TEXTS
    assert (server.answered, asked.account.attempts) == (12, 12)
    assert asked.account.usd == pytest.approx(12 * 12 * 10 / 1e6)


def test_data_b5_streams_are_declined(tmp_path: Path) -> None:
    """9router and others stream unless a request says `"stream": false`."""
    bodies: list[dict[str, Any]] = []
    with repeating() as server:
        loads = json.loads
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(
                "tests.repeating_server.json.loads", lambda raw: bodies.append(loads(raw)) or loads(raw)
            )
            ask_teacher(tmp_path, server.address, TEXTS[:1])
    assert [body["stream"] for body in bodies if "messages" in body] == [False]


@pytest.mark.parametrize(
    ("body", "status", "words", "billed"),
    [
        (b'{"status": "queued", "id": 7}', "202 Accepted", '{"status": "queued", "id": 7}', True),
        (b"", "204 No Content", "an empty body", True),
        (b'{"error": "model runner has unexpectedly stopped"}', "200 OK", "unexpectedly stopped", False),
        (b'{"error": {"message": "all slots taken", "type": "odd"}}', "200 OK", "all slots taken", False),
        (b'{"detail": "no worker"}', "200 OK", "no worker", True),
        (b"<html><title>Sign in to the network</title>...</html>", "200 OK", "Sign in to the", False),
        (b'{"choices": [{"delta": {}}]}', "200 OK", "delta", True),
        (b"OK", "200 OK", "OK", True),
    ],
)
def test_data_b5_what_holds_no_reply_is_quoted_and_stops_after_a_few_tries(
    tmp_path: Path, body: bytes, status: str, words: str, billed: bool
) -> None:
    def respond(text: str, number: int) -> bytes:
        return http(body + b" " * number if body else b"", status)  # equal bodies look like repeated ones

    with repeating(respond=respond) as server:
        asked = ask_teacher(tmp_path, server.address, TEXTS, max_cost_usd=50.0)
    assert words in asked.said
    assert "4 times in a row" in asked.said
    assert server.answered <= 5, "one request alone finds it out, and a greeting"
    assert (asked.account.usd > 0.0) is billed
    assert asked.account.usd <= 5 * UPPER_USD


def test_data_b5_a_redirect_without_a_target_stops_at_once(tmp_path: Path) -> None:
    with repeating(respond=lambda text, number: http(b"", "302 Found")) as server:
        asked = ask_teacher(tmp_path, server.address, TEXTS)
    assert "status 302" in asked.said
    assert (server.answered, asked.account.usd) == (1, 0.0)


def test_data_b5_an_error_named_by_a_word_is_what_it_says(tmp_path: Path) -> None:
    busy = '{"error": {"code": "rate_limit_exceeded", "message": "slow down"}, "id": %d}'
    respond = lambda text, number: http((busy % number).encode() if number < 8 else plain(text))  # noqa: E731
    with repeating(respond=respond) as server:
        asked = ask_teacher(tmp_path, server.address, TEXTS[:3])
    assert asked.texts == TEXTS[:3], "a full minute passes"
    assert asked.account.usd == pytest.approx(3 * 12 * 10 / 1e6), "and costs nothing"
    nobody = http(b'{"error": {"code": "invalid_api_key", "message": "no such key"}}')
    with repeating(respond=lambda text, number: nobody) as server:
        asked = ask_teacher(tmp_path, server.address, TEXTS, run="other")
    assert "refuses a request without a key" in asked.said
    assert server.answered == 1


def test_data_b5_the_words_of_a_500_are_shown(tmp_path: Path) -> None:
    from dataclasses import replace

    from tests.acceptance.provider_scene import FAST

    failing = http(b'{"error": {"message": "CUDA out of memory"}}', "500 Internal Server Error")
    with repeating(respond=lambda text, number: failing) as server:
        asked = ask_teacher(tmp_path, server.address, TEXTS, policy=replace(FAST, give_up_s=0.1))
    assert "(last: 500: CUDA out of memory)" in asked.said
    assert asked.account.usd == 0.0


def test_data_b7_a_date_to_wait_for_is_compared_with_the_replys_own() -> None:
    ahead = time.time() + 1_200.0
    headers = {"date": email.utils.formatdate(ahead, usegmt=True)}
    headers["retry-after"] = email.utils.formatdate(ahead + 2, usegmt=True)
    assert retry_after(headers) == pytest.approx(2.0, abs=0.1)
    assert retry_after(headers | {"date": "soon"}) == pytest.approx(1_202.0, abs=5)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (
            429,
            {
                "message": "Budget has been exceeded! Current cost: 1.2, Max budget: 1.0",
                "type": "budget_exceeded",
            },
        ),
        (
            400,
            {"message": "ExceededBudget: User=u over budget. Spend=2, Budget=1", "type": "budget_exceeded"},
        ),
        (429, {"message": "Insufficient credits. Add more at the console."}),
        (403, {"message": "Your team has used all available credits or reached its monthly spending limit"}),
        (429, {"message": "Your account is suspended", "type": "exceeded_current_quota_error"}),
        (429, {"message": "余额不足或无可用资源包,请充值。", "code": "1113"}),
    ],
)
def test_data_b9_a_budget_or_balance_that_is_used_up_stops(status: int, error: dict[str, str]) -> None:
    body = json.dumps({"error": error}, ensure_ascii=False)
    found = from_status(status, {}, body, "teacher.gpt", Teacher(model="m"), api_key="")
    assert found.stop is not None
    assert "is used up" in found.stop.message
    assert found.for_all


@pytest.mark.parametrize(
    "message",
    [
        "Rate limit reached on tokens per minute (TPM): Limit 6000, Used 5900. Please try again in 7s.",
        "Request was throttled. Expected available in 3 seconds.",
        "Resource has been exhausted (e.g. check quota).",
    ],
)
def test_data_b9_a_full_minute_is_waited_for(message: str) -> None:
    found = from_status(
        429, {}, json.dumps({"error": {"message": message}}), "teacher.gpt", Teacher(model="m"), api_key=""
    )
    assert (found.stop, found.rate_limited) == (None, True)


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    if not shutil.which("openssl"):
        pytest.skip("no openssl here to make a certificate")
    folder = tmp_path_factory.mktemp("tls")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    made = [
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        *names,
        "-keyout",
        str(key),
        "-out",
        str(certificate),
    ]
    subprocess.run(["openssl", "req", "-x509", *made], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.certificate = certificate  # type: ignore[attr-defined]  # for the client
    return context


def test_data_c8_a_certificate_that_is_not_trusted_is_named_at_once(
    tmp_path: Path, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    with repeating(context=tls) as server:
        address = server.address.replace("http://127.0.0.1", "https://localhost")
        refused = ask_teacher(tmp_path, address, TEXTS)
        assert "the certificate of localhost:" in refused.said
        assert "is not trusted (self" in refused.said
        assert "SSL_CERT_FILE" in refused.said
        assert (refused.account.attempts, refused.account.usd) == (1, 0.0)
        monkeypatch.setenv("SSL_CERT_FILE", str(tls.certificate))  # type: ignore[attr-defined]
        assert ask_teacher(tmp_path, address, TEXTS).texts == TEXTS, "what the sentence says helps"
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "nowhere.pem"))
        assert "SSL_CERT_FILE: " in ask_teacher(tmp_path, address, ["x"]).said


def test_data_c9_plain_http_to_a_tls_port_and_the_reverse_are_named(
    tmp_path: Path, tls: ssl.SSLContext
) -> None:
    with repeating(context=tls) as server:
        plain_one = ask_teacher(tmp_path, server.address, TEXTS)
    assert "speaks TLS, and teacher.gpt.base_url begins with http://" in plain_one.said
    with socket.create_server(("127.0.0.1", 0)) as listener:
        import threading

        def answer() -> None:
            client = listener.accept()[0]
            client.recv(10_000)
            client.sendall(http(b"", "400 Bad Request"))
            client.close()

        threading.Thread(target=answer, daemon=True).start()
        other = ask_teacher(tmp_path, f"https://localhost:{listener.getsockname()[1]}/v1", TEXTS, run="other")
    assert "does not speak TLS, and teacher.gpt.base_url begins with https://" in other.said
    assert (plain_one.account.usd, other.account.usd) == (0.0, 0.0)
    assert (plain_one.account.attempts, other.account.attempts) == (1, 1)
