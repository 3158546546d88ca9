from __future__ import annotations

import email.utils
import json
import time

import multidict
import pytest

from alif.llm.provider_error import ProviderError, from_status, retry_after
from alif.settings import Teacher

TEACHER = Teacher(model="gpt-4o")
KEY = "sk-very-secret"


def status(
    code: int, message: str = "", error_code: str = "", headers: dict[str, str] | None = None
) -> ProviderError:
    body = json.dumps({"error": {"message": message, "code": error_code}})
    return from_status(code, multidict.CIMultiDict(headers or {}), body, "teacher.gpt", TEACHER, api_key=KEY)


@pytest.mark.parametrize("code", [408, 409, 425, 429, 500, 502, 503, 504, 529])
def test_what_is_tried_again(code: int) -> None:
    fault = status(code, "Rate limit reached for requests per min. Limit: 3 / min.")
    assert fault.stop is None
    assert fault.rate_limited == (code in (429, 529))
    assert fault.may_be_billed == (code in (408, 502, 504)), (
        "a gateway that stopped waiting may have been answered"
    )


@pytest.mark.parametrize(
    ("code", "message", "error_code", "said"),
    [
        (401, f"Incorrect API key provided: {KEY}", "invalid_api_key", "refuses the key from OPENAI_API_KEY"),
        (403, f"no access with {KEY}", "", "does not let the key from OPENAI_API_KEY use gpt-4o"),
        (404, "The model `gpt-4o` does not exist", "model_not_found", "knows no model gpt-4o"),
        (400, "max_tokens is\n too large", "", "status 400 (max_tokens is too large)"),
        (402, "Insufficient Balance", "", "used up"),
        (429, "You exceeded your current quota", "insufficient_quota", "used up (You exceeded"),
        (429, "Rate limit exceeded: free-models-per-day", "", "no more for now"),
        (400, "Your credit balance is too low to access the API", "", "used up"),
    ],
)
def test_what_is_refused_for_good_is_one_sentence_without_the_key(
    code: int, message: str, error_code: str, said: str
) -> None:
    fault = status(code, message, error_code)
    assert fault.stop is not None
    assert not fault.may_be_billed
    assert said in fault.stop.message
    assert "api.openai.com" in fault.stop.message
    assert KEY not in str(fault.stop)
    assert "\n" not in fault.stop.message


@pytest.mark.parametrize(
    ("body", "knows_the_path"),
    [
        ({"error": {"message": "The model `gpt-4o` does not exist", "code": "model_not_found"}}, True),
        (
            {
                "error": {
                    "code": "DeploymentNotFound",
                    "message": "The API deployment for this resource does not exist.",
                }
            },
            True,
        ),
        ({"type": "error", "error": {"type": "not_found_error", "message": "model: gpt-4o"}}, True),
        ({"error": {"message": "No endpoints found for gpt-4o.", "code": 404}}, True),
        ({"error": {"message": "There is no such thing", "code": "model_not_found"}}, True),
        ({"error": {"message": "Invalid URL (POST /chat/completions)", "code": None}}, False),
        ({"error": {"message": "no such path: /openai/deployments/gpt-4o/chat/completions"}}, False),
        ({"detail": "Not Found"}, False),
        ("<html>404: this page shows a model</html>", False),
    ],
)
def test_a_path_that_is_not_there_is_told_from_a_model_that_is_not_known(
    body: object, knows_the_path: bool
) -> None:
    raw = body if isinstance(body, str) else json.dumps(body)
    url = "https://api.openai.com/openai/deployments/gpt-4o/chat/completions"
    stop = from_status(404, {}, raw, "teacher.gpt", TEACHER, api_key=KEY, url=url).stop
    assert stop is not None
    assert ("knows no model gpt-4o" in stop.message) is knows_the_path
    assert (f"nothing at {url}," in stop.message) is not knows_the_path


def test_a_short_wait_is_waited_and_a_long_one_is_told() -> None:
    short = status(429, "requests per day (RPD): Limit 10000", headers={"Retry-After": "9"})
    assert (short.stop, short.wait_s) == (None, 9.0)
    long = status(429, "tokens per day (TPD)", headers={"Retry-After": "7200"})
    assert long.stop is not None
    assert "it asks to wait 2 h" in long.stop.message


def test_a_balance_that_is_there_and_under_way_is_waited_for() -> None:
    """OpenRouter: https://openrouter.ai/docs/api/reference/limits, in-flight spending budget."""
    full = status(
        402, "In-flight budget exhausted: insufficient credits for more", headers={"Retry-After": "5"}
    )
    assert (full.stop, full.rate_limited, full.may_be_billed, full.wait_s) == (None, True, False, 5.0)


def test_retry_after_in_all_its_forms() -> None:
    assert retry_after({"retry-after": "2.5"}) == 2.5
    assert retry_after({"retry-after-ms": "250", "retry-after": "9"}) == 0.25
    assert retry_after(
        {"retry-after": email.utils.formatdate(time.time() + 60, usegmt=True)}
    ) == pytest.approx(60, abs=2)
    assert retry_after({"retry-after": email.utils.formatdate(time.time() - 60, usegmt=True)}) == 0.0
    for nonsense in ("", "soon", "nan", "inf", "-1"):
        assert retry_after({"retry-after": nonsense}) is None
    assert retry_after({}) is None


def test_gemini_says_how_long_to_wait_in_its_body_and_which_quota_is_used_up() -> None:
    def body(quota: str) -> str:
        violation = {
            "@type": "type.googleapis.com/google.rpc.QuotaFailure",
            "violations": [{"quotaId": quota}],
        }
        delay = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.07s"}
        message = "You exceeded your current quota, please check your plan."
        return json.dumps([{"error": {"code": 429, "message": message, "details": [violation, delay]}}])

    per_minute = from_status(
        429, {}, body("GenerateRequestsPerMinutePerProjectPerModel"), "teacher.g", TEACHER, api_key=KEY
    )
    assert (per_minute.stop, per_minute.wait_s) == (None, 34.07)
    per_day = from_status(
        429, {}, body("GenerateRequestsPerDayPerProjectPerModel-FreeTier"), "teacher.g", TEACHER, api_key=KEY
    )
    assert per_day.stop is not None
    assert "gives no more for now (You exceeded your current quota" in per_day.stop.message
    assert "Repeat the command later" in per_day.stop.hint


def test_an_overloaded_provider_is_a_full_one() -> None:
    fault = from_status(
        529,
        {},
        '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}',
        "teacher.a",
        TEACHER,
        api_key=KEY,
    )
    assert (fault.rate_limited, fault.stop, fault.may_be_billed) == (True, None, False)


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "no such thing"}},
        [{"error": {"message": "no such thing"}}],
        {"error": "no such thing"},
        {"message": "no such thing"},
        {"detail": "no such thing"},
        {"detail": [{"loc": ["body", "model"], "msg": "no such thing", "type": "missing"}]},
    ],
)
def test_the_providers_words_are_found_in_every_form(body: object) -> None:
    fault = from_status(400, {}, json.dumps(body), "teacher.gpt", TEACHER, api_key=KEY)
    assert fault.stop is not None
    assert "(no such thing)" in fault.stop.message
