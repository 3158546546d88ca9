"""Faults A5, B1, B2, C10 and C11 of the data review: what a teacher is paid for and does not say.

One test for each input that the review lists, and for neighbours of its kind.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from alif import store
from alif.data.synthesis import generate, seeds
from alif.data.translation.translate import translate_rows
from alif.errors import RecipeError, ReplyError
from alif.language import pack as packs
from alif.llm.chat_model import ReplyFunction
from alif.llm.ledger import Account, Ledger
from alif.recipe import validate_recipe
from alif.records import Counts
from alif.runs import StepContext
from alif.settings import Generate, Pool, Sources, Teacher, Translate
from tests.data.conftest import LANGUAGE, context, run_work
from tests.fake_provider import FakeProvider, ServedRequest, serve_provider
from tests.llm.conftest import FAST
from tests.test_faults import teacher

__all__ = ["context", "teacher"]

Build = Callable[..., StepContext]
Body = dict[str, Any]
Respond = Callable[[Body], tuple[int, Any] | None]
SENTENCES = [
    "The bridge is closed.",
    "Bring two ropes.",
    "The well is deep.",
    "It may rain.",
    "Tea is ready.",
]
LONG = "The road to the village goes over the old bridge and past the mill. " * 65
TOO_LONG = [
    {"error": {"message": "This model's maximum context length is 4096 tokens. However, your messages "
     "resulted in 5021 tokens.", "type": "invalid_request_error", "code": "context_length_exceeded"}},
    {"object": "error", "message": "This model's maximum context length is 4096 tokens. However, you "
     "requested 7069 tokens.", "type": "BadRequestError", "code": 400},
]  # fmt: skip
FILTERED = {"choices": [], "usage": {"prompt_tokens": 900, "completion_tokens": 0, "total_tokens": 900}}
NO_SYSTEM = {"error": {"message": "System role not supported", "type": "BadRequestError", "code": 400}}


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alif.llm.session.RetryPolicy", lambda: FAST)


@pytest.fixture
def provider(teacher: ReplyFunction, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Return a block's provider of the demo's answers; `respond` answers a body otherwise, or with None."""

    @contextmanager
    def serve(
        respond: Respond = lambda body: None, change: Callable[[Body], None] = lambda content: None
    ) -> Iterator[FakeProvider]:
        with serve_provider(teacher) as server:
            handler: Any = server.RequestHandlerClass
            live, answer, numbers = handler._live, handler._answer, itertools.count()

            def live_or_not(self: Any, body: Body, anthropic: bool) -> None:
                if (found := respond(body)) is None:
                    live(self, body, anthropic)
                    return
                self.server.served.append(ServedRequest("", 0, str(found[0])))
                status, content = found
                self._send(status, content | {"id": f"chatcmpl-{next(numbers)}"})

            def changed(self: Any, content: Body, fault: str) -> None:
                change(content)
                answer(self, content, fault)

            monkeypatch.setattr(handler, "_live", live_or_not)
            monkeypatch.setattr(handler, "_answer", changed)
            yield server

    return serve


def at(server: FakeProvider, **settings: Any) -> dict[str, Teacher]:
    values = {"model": "parrot", "base_url": server.address, "max_tokens": 2048, **settings}
    return {"gpt": Teacher.model_validate({"usd_per_million_in": 1.0, "usd_per_million_out": 10.0} | values)}


def generated(step: StepContext, teachers: dict[str, Teacher], **settings: Any) -> Counts:
    table = Generate.model_validate(
        {"target_rows": 70, "requests_per_round": 8, "rows_per_request": 6} | settings
    )
    tables = {"language": LANGUAGE, "sources": Sources(), "generate": table, "pool": Pool()}
    return run_work(generate.generate, step, teacher=teachers, **tables)


def generate_step(context: Build, **runtime: Any) -> StepContext:
    return context("generate", {"seeds": seeds.read_seeds(packs.load_pack("ur"))}, **runtime)


def translated(step: StepContext, folder: Path, teachers: dict[str, Teacher], texts: list[str]) -> Counts:
    lines = [json.dumps({"id": str(number), "en": text}) for number, text in enumerate(texts)]
    (folder / "pairs.jsonl").write_text("\n".join(lines), encoding="utf-8")
    table = Translate(source=("pairs.jsonl",), rows=len(texts))
    return run_work(translate_rows, step, LANGUAGE, Sources(folder=str(folder)), teachers, table)


def account(step: StepContext) -> Account:
    with closing(Ledger(step.ledger)) as ledger:
        return ledger.account()


def dropped(step: StepContext) -> list[dict[str, Any]]:
    return [row for _, row in store.read_rows(step.folder / "dropped.jsonl")]


def says(text: str) -> Respond:
    """Return a provider that always answers `text`, with finish "stop"."""
    choice = {"message": {"content": text}, "finish_reason": "stop"}
    return lambda body: (200, {"choices": [choice], "usage": {"prompt_tokens": 50, "completion_tokens": 9}})


def urdu(body: Body) -> tuple[int, Any]:
    return says("پل بند ہے۔")(body) or (500, {})


@pytest.mark.parametrize("written", [2048, 2049])
def test_data_a5_a_last_row_that_took_all_tokens_is_cut_off_whatever_the_finish_says(
    context: Build, provider: Any, written: int
) -> None:
    def cut(content: Body) -> None:
        choice = content["choices"][0]
        choice["message"]["content"] = choice["message"]["content"][:-25]
        content["usage"]["completion_tokens"] = written

    step = generate_step(context)
    with provider(change=cut) as server:
        counts = generated(step, at(server), target_rows=35)
        asked = len(server.served)
        assert counts.dropped["truncated"] >= asked - 1, "the last piece of every reply that has one"
        again = generated(generate_step(context), at(server), target_rows=35)
        assert (again.kept, again.dropped) == (counts.kept, counts.dropped), (
            "also as it is read from the ledger"
        )
        assert len(server.served) == asked


@pytest.mark.parametrize(
    "refusal",
    [
        (400, TOO_LONG[0]),
        (400, TOO_LONG[1]),
        (413, {"error": {"message": "Request too large"}}),
        (422, {"detail": "Input validation error: inputs must have less than 4096 tokens"}),
        (403, {"error": {"message": "Request blocked by the firewall"}}),
        (500, {"error": {"message": "model runner has unexpectedly stopped"}}),
        (200, FILTERED),
        (200, FILTERED | {"choices": None}),
        (200, {"choices": [{"finish_reason": "stop", "index": 0}], "usage": FILTERED["usage"]}),
    ],
    ids=lambda refusal: str(refusal[0]),
)
def test_data_b1_one_row_that_is_never_answered_is_named_and_the_others_are_translated(
    context: Build, provider: Any, tmp_path: Path, refusal: tuple[int, Any]
) -> None:
    def respond(body: Body) -> tuple[int, Any]:
        return refusal if "old bridge" in body["messages"][-1]["content"] else urdu(body)

    step = context("translate")
    texts = [LONG, *SENTENCES]
    with provider(respond) as server:
        counts = translated(step, tmp_path, at(server), texts)
        (row,) = [row for row in dropped(step) if row["reason"] == "unanswered"]
        assert row["origin"]["source"].endswith("#0")
        assert str(refusal[0]) in row["evidence"] or "without choices" in row["evidence"]
        assert counts.dropped["unanswered"] == 1
        assert account(step).unsettled_usd == 0.0
        asked = len(server.served)
        again = translated(context("translate"), tmp_path, at(server), texts)
        assert again.dropped == counts.dropped
        assert len(server.served) == asked, "it is not asked again"


def test_data_b1_a_prompt_that_its_filter_names_is_an_answer_at_once(
    context: Build, provider: Any, tmp_path: Path
) -> None:
    choice = {"finish_reason": "content_filter: PROHIBITED_CONTENT", "index": 0}
    blocked = {"choices": [choice], "usage": FILTERED["usage"]}

    def respond(body: Body) -> tuple[int, Any]:
        return (200, blocked) if "old bridge" in body["messages"][-1]["content"] else urdu(body)

    step = context("translate")
    with provider(respond) as server:
        counts = translated(step, tmp_path, at(server), [*SENTENCES, LONG])
        assert len(server.served) == len(SENTENCES) + 1
    assert counts.dropped["unanswered"] == 1
    assert account(step).usd == pytest.approx((900 + 5 * 50) * 1e-6 + 5 * 9 * 10e-6)


@pytest.mark.parametrize("status", [200, 500])
def test_data_b1_a_third_of_the_prompts_is_never_answered_and_the_run_ends(
    context: Build, provider: Any, status: int
) -> None:
    def respond(body: Body) -> tuple[int, Any] | None:
        poison = sum(body["messages"][-1]["content"].encode()) % 3 == 0
        return (status, FILTERED if status == 200 else {"error": {"message": "oops"}}) if poison else None

    step = generate_step(context)
    with provider(respond) as server:
        counts = generated(step, at(server), target_rows=35)
        tries = sum(one.fault == str(status) for one in server.served)
    assert counts.kept == 35
    assert counts.dropped["unanswered"] > 0
    evidence = [row["evidence"] for row in dropped(step) if row["reason"] == "unanswered"]
    assert all(re.match(r"request [0-9a-f]{12}, finish: unanswered: ", one) for one in evidence)
    assert account(step).unsettled_usd == 0.0
    paid = account(step).tokens_in * 1e-6 + account(step).tokens_out * 10e-6
    assert account(step).usd == pytest.approx(paid + (tries * 900e-6 if status == 200 else 0.0))


@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        ((400, TOO_LONG[0]), "status 400 .*maximum context length"),
        ((422, {"detail": "no such field"}), "status 422 .*no such field"),
        ((500, {"error": {"message": "CUDA out of memory"}}), "CUDA out of memory"),
        ((200, FILTERED), "without choices"),
    ],
    ids=["400", "422", "500", "filtered"],
)
def test_data_b1_a_refusal_of_all_prompts_stops_the_run_and_sets_none_aside(
    context: Build,
    provider: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    refusal: tuple[int, Any],
    said: str,
) -> None:
    monkeypatch.setattr(
        "alif.llm.session.RetryPolicy", lambda: FAST.__class__(first_wait_s=0.001, give_up_s=0.2)
    )
    step = context("translate")
    with provider(lambda body: refusal) as server, pytest.raises(ReplyError, match=said):
        translated(step, tmp_path, at(server), SENTENCES)
    assert account(step).replies == 0
    with provider(urdu) as server:
        assert (
            translated(context("translate"), tmp_path, at(server), SENTENCES).dropped.get("unanswered")
            is None
        )


def test_data_b1_prompts_that_are_all_too_long_are_told_from_a_greeting_that_is_not(
    context: Build, provider: Any, tmp_path: Path
) -> None:
    """max_tokens leaves no room for any prompt of the recipe: nothing is set aside."""

    def respond(body: Body) -> tuple[int, Any]:
        short = all(len(message["content"]) < 20 for message in body["messages"])
        return urdu(body) if short else (400, TOO_LONG[0])

    step = context("translate")
    with provider(respond) as server, pytest.raises(ReplyError, match="maximum context length"):
        translated(step, tmp_path, at(server), SENTENCES)
    assert "unanswered" not in json.dumps(stored_finishes(step))


def test_data_b1_a_run_that_stopped_at_its_last_prompt_before_goes_past_it(
    context: Build, provider: Any, tmp_path: Path
) -> None:
    with provider(urdu) as server:
        translated(context("translate"), tmp_path, at(server), SENTENCES)
        address = server.server_port

    def respond(body: Body) -> tuple[int, Any]:
        greeted = body["messages"][-1]["content"] == "Say yes."
        return urdu(body) if greeted else (400, TOO_LONG[1])

    step = context("translate")
    with closing(Ledger(step.ledger)) as ledger:
        assert ledger.has_answers("gpt", "parrot", "Say yes."), address
    with provider(respond) as server:
        counts = translated(step, tmp_path, at(server), [LONG])
    assert counts.dropped == {"unanswered": 1}


def stored_finishes(step: StepContext) -> list[str]:
    with closing(Ledger(step.ledger)) as ledger:
        return [finish for (finish,) in ledger.db.execute("SELECT finish FROM replies")]


THOUGHT = {"role": "assistant", "content": "", "reasoning": "They want tasks. Let me think about each."}


@pytest.mark.parametrize(
    ("message", "finish", "said"),
    [
        (THOUGHT, "stop", "8 of 8 replies are empty, finish: stop"),
        (THOUGHT | {"content": None}, "length", "8 of 8 replies are empty, finish: length"),
        (
            {"content": "<think>Let me think about each task."},
            "length",
            "8 of 8 replies are empty, finish: length",
        ),
        ({"content": None, "refusal": "I cannot help."}, "stop", "8 of 8 replies are empty, finish: stop"),
        ({"content": None, "tool_calls": []}, "tool_calls", "8 of 8 replies are empty, finish: tool_calls"),
        (
            {"content": "| task | answer |\n|---|---|\n| a | b |"},
            "stop",
            "8 of 8 replies cannot be read: '| task",
        ),
        ({"content": "Instruction: ایک"}, "length", "8 of 8 replies are cut off, finish: length"),
    ],
    ids=["reasoning", "length", "thinking", "refusal", "tools", "table", "cut off"],
)
def test_data_b2_a_first_round_of_which_nothing_can_be_read_stops_with_what_to_change(
    context: Build, provider: Any, message: Body, finish: str, said: str
) -> None:
    usage = {"prompt_tokens": 300, "completion_tokens": 200}
    reply = {"choices": [{"message": message, "finish_reason": finish}], "usage": usage}
    with provider(lambda body: (200, reply)) as server:
        with pytest.raises(ReplyError) as caught:
            generated(generate_step(context), at(server), target_rows=400)
        assert len(server.served) == 8, "the second round is not sent"
    assert f"teacher.gpt: {said}" in caught.value.message
    assert caught.value.hint
    if finish == "length" or message is THOUGHT:
        assert (
            "raise teacher.gpt.max_tokens" in caught.value.hint.lower()
            or "Raise teacher" in caught.value.hint
        )
    if "empty" in said and finish in ("stop", "length"):
        assert "switch thinking off" in caught.value.hint


def test_data_b2_translations_that_are_all_empty_stop_with_what_to_change(
    context: Build, provider: Any, tmp_path: Path
) -> None:
    texts = [f"{text} {number}" for text in SENTENCES for number in range(2, 12)]
    with provider(says("")) as server:
        with pytest.raises(ReplyError, match="16 of 16 replies are empty, finish: stop"):
            translated(context("translate"), tmp_path, at(server), texts)
        assert len(server.served) == 16


def test_data_b2_a_teacher_with_nothing_new_is_saturated_as_ever(
    context: Build, provider: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    item = "Instruction: چائے بنانے کا طریقہ بتائیں۔\nInput: <noinput>\nOutput: پانی ابالیں اور پتی ڈالیں۔"
    with provider(says(item)) as server:
        counts = generated(generate_step(context), at(server), target_rows=30)
    assert counts.kept == 1
    assert "next to nothing new" in " ".join(capsys.readouterr().err.split())


def test_data_b2_one_teacher_of_two_that_says_nothing_is_named(context: Build, provider: Any) -> None:
    def respond(body: Body) -> tuple[int, Any] | None:
        return says("")(body) if body["model"] == "mute" else None

    with provider(respond) as server:
        both = at(server) | {"mute": at(server, model="mute")["gpt"]}
        with pytest.raises(ReplyError, match=r"teacher\.mute: \d+ of \d+ replies are empty"):
            generated(generate_step(context), both, target_rows=400, requests_per_round=24)


def test_data_b2_free_fields_are_sent_and_another_value_is_another_request(
    context: Build, provider: Any, tmp_path: Path
) -> None:
    bodies: list[Body] = []

    def respond(body: Body) -> tuple[int, Any]:
        bodies.append(body)
        return urdu(body)

    extra = {
        "reasoning_effort": "low",
        "chat_template_kwargs": {"enable_thinking": False},
        "provider": {"order": ["deepinfra"], "allow_fallbacks": False},
        "top_p": 0.9,
    }
    with provider(respond) as server:
        for fields in ({}, extra, extra, extra | {"top_p": 0.8}):
            translated(context("translate"), tmp_path, at(server, extra=fields), SENTENCES[:2])
    sent = [{key: body[key] for key in extra if key in body} for body in bodies]
    assert sent == [{}] * 2 + [extra] * 2 + [extra | {"top_p": 0.8}] * 2, "the third time from the ledger"


@pytest.mark.parametrize("field", ["model", "messages", "stream", "max_tokens", "max_completion_tokens", "n"])
def test_data_b2_a_free_field_overwrites_none_of_alif_s_own(field: str) -> None:
    with pytest.raises(RecipeError, match=f"{field} is no free field"):
        validate_recipe({"name": "t", "teacher": {"gpt": {"model": "m", "extra": {field: 1}}}}, "t.toml")


@pytest.mark.parametrize("status", [400, 500])
def test_data_c10_a_model_without_a_system_role_is_named_and_served(
    context: Build, provider: Any, tmp_path: Path, status: int
) -> None:
    def respond(body: Body) -> tuple[int, Any]:
        return (status, NO_SYSTEM) if body["messages"][0]["role"] == "system" else urdu(body)

    with provider(respond) as server:
        with pytest.raises(ReplyError) as caught:
            translated(context("translate"), tmp_path, at(server), SENTENCES)
        assert "write teacher.gpt.system_role = false" in caught.value.hint
        counts = translated(context("translate"), tmp_path, at(server, system_role=False), SENTENCES)
    assert "unanswered" not in counts.dropped


def test_data_c11_a_server_with_another_name_for_the_bound_is_named_and_served(
    context: Build, provider: Any, tmp_path: Path
) -> None:
    words = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."

    def respond(body: Body) -> tuple[int, Any]:
        return (400, {"error": {"message": words}}) if "max_tokens" in body else urdu(body)

    with provider(respond) as server:
        with pytest.raises(ReplyError) as caught:
            translated(context("translate"), tmp_path, at(server), SENTENCES)
        assert 'write teacher.gpt.max_tokens_field = "max_completion_tokens"' in caught.value.hint
        named = at(server, max_tokens_field="max_completion_tokens")
        assert "unanswered" not in translated(context("translate"), tmp_path, named, SENTENCES).dropped


def test_data_c11_a_model_that_only_streams_is_named_and_read(
    context: Build, provider: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    words = "This model only support stream mode, please enable the stream parameter to access the model."
    pieces = [{"choices": [{"delta": {"content": piece}}]} for piece in ("پل", " بند ہے۔")]
    last = {"choices": [{"delta": {}, "finish_reason": "stop"}], "model": "parrot"}
    usage = {"choices": [], "usage": {"prompt_tokens": 50, "completion_tokens": 9}}
    numbers = itertools.count()
    with provider() as server:

        def live(self: Any, body: Body, anthropic: bool) -> None:
            if body["stream"]:
                assert body["stream_options"] == {"include_usage": True}
                first = {"id": f"chatcmpl-{next(numbers)}", "choices": []}
                sent = "".join(f"data: {json.dumps(one)}\n\n" for one in (first, *pieces, last, usage))
                self._send_bytes(200, f"{sent}data: [DONE]\n\n".encode())
            else:
                self._send(400, {"error": {"message": words}})

        monkeypatch.setattr(server.RequestHandlerClass, "_live", live)
        with pytest.raises(ReplyError) as caught:
            translated(context("translate"), tmp_path, at(server), SENTENCES)
        assert "write teacher.gpt.stream = true" in caught.value.hint
        step = context("translate")
        counts = translated(step, tmp_path, at(server, stream=True), SENTENCES)
    assert "unanswered" not in counts.dropped
    assert account(step).usd == pytest.approx(5 * (50e-6 + 90e-6)), "the usage comes with the last piece"
