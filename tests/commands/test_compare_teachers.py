"""`alif estimate --compare`: a good teacher, and one that repeats itself in Arabic letters, on loopback."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from alif import store
from alif.cli import run_command
from alif.data.demo import demo_teacher
from alif.data.prompt_texts import load_prompt_texts
from alif.language import pack
from alif.language.replies.item_format import SEPARATOR, write_item
from alif.llm.chat_model import ReplyFunction, ScriptedReply
from alif.llm.ledger import Ledger
from alif.student import tiny as tinies
from tests.fake_provider import FakeProvider, serve_provider
from tests.small_bases import TEXTS, random_model

KEYS = {
    "teacher", "model", "requests", "items", "kept", "acceptance", "reasons", "distinct", "words", "fidelity",
    "bits_per_byte", "usd_per_kept_row", "against_first", "problem",
}  # fmt: skip
ROUNDS = ("--set", "generate.target_rows=84", "--set", "generate.requests_per_round=8")
PRICES = "usd_per_million_in=1.0, usd_per_million_out=2.0, max_tokens=2048"


def repeat_in_arabic_letters(messages: object, draw: int) -> ScriptedReply:
    """Answer the same three items, whatever is asked; two have ي and ك for Urdu's ی and ک."""
    items = (
        ("پانی کے بارے میں ایک جملہ لکھیں", "پانی زندگی کے لیے بہت ضروری ہے اور ہر جاندار کو چاہیے"),
        ("اپنے شہر کے موسم کا حال بتائیں", "ہمارے شہر ميں گرمي بہت پڑتی ہے اور بارش كم ہوتی ہے"),
        ("کتاب پڑھنے کا فائدہ کیا ہے", "کتاب پڑھنے سے علم بڑھتا ہے اور آدمي كي سوچ بہتر ہوتی ہے"),
    )  # water; the weather of my city; why read books
    return ScriptedReply(text=f"\n{SEPARATOR}\n".join(write_item(asked, "", said) for asked, said in items))


@pytest.fixture(scope="module")
def good_reply() -> ReplyFunction:
    own, known = pack.load_pack("ur"), pack.load_pack("en")
    answers = demo_teacher.load_demo_answers(own, known, (), "")
    return demo_teacher.demo_reply(own, known, load_prompt_texts(), answers)


@pytest.fixture
def good(good_reply: ReplyFunction) -> Iterator[FakeProvider]:
    with serve_provider(good_reply) as server:
        yield server


@pytest.fixture
def bad() -> Iterator[FakeProvider]:
    with serve_provider(repeat_in_arabic_letters) as server:
        yield server


def compare(*teachers: tuple[str, str], requests: int = 14, more: Sequence[str] = ()) -> list[str]:
    """Return the command that compares teachers, each with its fields."""
    sets = ["teacher.scripted=false", *(f"teacher.{name}={{{fields}}}" for name, fields in teachers)]
    flags = [part for one in sets for part in ("--set", one)]
    return ["estimate", "demo", "--compare", "--requests", str(requests), *ROUNDS, *flags, *more]


def at(server: FakeProvider, model: str = "m") -> str:
    return f'model="{model}", base_url="{server.address}", {PRICES}'


def test_a_good_teacher_and_one_that_repeats_itself_in_arabic_letters(
    document: Callable[..., Any], good: FakeProvider, bad: FakeProvider
) -> None:
    asked = compare(("good", at(good)), ("bad", at(bad)))
    fine, poor = document(*asked)["teachers"]
    lines = [values for _, values in store.read_rows(Path("runs/demo/runtime/teachers.jsonl"))]
    assert Counter(one["source"] for one in lines) == {"good": fine["kept"], "bad": poor["kept"]}
    assert len({(one["prompt"], one["source"]) for one in lines}) == len(lines)
    assert all(one["prompt"].startswith(f"{one['cluster']}.") and one["usd"] > 0 for one in lines)
    assert set(fine) == set(poor) == KEYS
    for row in (fine, poor):
        assert row["requests"] == 14
        assert row["items"] == row["kept"] + sum(row["reasons"].values())
        shares = [row["acceptance"], *row["distinct"].values(), *row["fidelity"].values()]
        assert all(0 <= one["low"] <= one["value"] <= one["high"] <= 1 for one in shares if one)
        assert row["bits_per_byte"] is None
    assert fine["against_first"] == {}
    assert fine["kept"] > 20
    assert (poor["items"], poor["kept"]) == (42, 1), "the first item of the first reply"
    assert poor["reasons"] == {"near_duplicate": 39, "lookalike_letters": 2}
    assert poor["fidelity"]["lookalike_letters"]["value"] == pytest.approx(28 / 42)
    assert poor["distinct"]["output_2"]["high"] < fine["distinct"]["output_2"]["low"]
    assert poor["words"]["output_median"] == {"value": 12, "low": 12, "high": 12}
    assert poor["usd_per_kept_row"]["value"] > 5 * fine["usd_per_kept_row"]["value"]
    assert {name: one["verdict"] for name, one in poor["against_first"].items()} == {
        "acceptance": "worse",
        "fidelity": "worse",
        "usd_per_kept_row": "cannot tell",  # of one kept row
    }
    assert len(good.served) == len(bad.served) == 14, "each is asked the same"
    assert {one.id for one in good.served} == {one.id for one in bad.served}

    assert document(*asked)["teachers"] == [fine, poor]
    assert len(good.served) == len(bad.served) == 14, "and nothing is paid twice"
    document("generate", "demo", *asked[5:], "--set", "translate.rows=0")
    asked_first = {
        row["request"]
        for _, row in store.read_rows(Path("runs/demo/generate/requests.jsonl"))
        if not row["round"]
    }
    compared, sent = attempts("rehearse"), attempts("generate")
    assert asked_first
    assert asked_first <= compared, "the run's first round was there"
    assert not compared & sent


def attempts(step: str) -> set[str]:
    """Return the requests that were sent for a step."""
    with closing(Ledger(Path("runs/demo/ledger.sqlite"))) as ledger:
        return {row[0] for row in ledger.db.execute("SELECT request FROM attempts WHERE step = ?", (step,))}


def test_a_teacher_that_fails_has_a_row_that_says_why_and_the_others_go_on(
    document: Callable[..., Any], good: FakeProvider, capsys: pytest.CaptureFixture[str]
) -> None:
    refuse = lambda messages, draw: ScriptedReply(text="no such model", status=404, code="model_not_found")  # noqa: E731
    mumble = lambda messages, draw: ScriptedReply(text="I will gladly help you with that.")  # noqa: E731
    with serve_provider(refuse) as gone, serve_provider(mumble) as dull:
        asked = compare(("good", at(good)), ("gone", at(gone, "m9")), ("dull", at(dull)), requests=6)
        fine, missing, mute = document(*asked, code=1)["teachers"]
        assert run_command(asked) == 1
    assert (fine["requests"], fine["problem"]) == (6, "")
    assert fine["kept"] > 10
    assert (missing["requests"], missing["items"], missing["acceptance"]) == (0, 0, None)
    assert "knows no model m9" in missing["problem"]
    assert (mute["requests"], mute["kept"], mute["reasons"]) == (6, 0, {"unparsable": 6})
    assert "6 of 6 replies cannot be read" in mute["problem"]
    assert mute["acceptance"]["value"] == 0
    assert mute["acceptance"]["high"] == pytest.approx(0.39, abs=0.01), "Wilson's, of six"
    told = capsys.readouterr()
    table, *_ = told.out.partition("\n\n")
    assert max(map(len, table.splitlines())) <= 80
    assert "gone: m9\n! teacher.gone: " in told.out
    assert "2 of 3 teachers failed: gone, dull" in told.err


def test_the_cap_stops_in_the_middle_and_a_higher_one_goes_on(
    document: Callable[..., Any], good: FakeProvider, bad: FakeProvider
) -> None:
    teachers = ("good", at(good)), ("bad", at(bad))
    rows = document(*compare(*teachers, more=("--set", "runtime.max_cost_usd=0.04")), code=4)["teachers"]
    assert [0 < row["requests"] < 14 for row in rows] == [True, True], rows
    assert all(row["items"] == row["kept"] + sum(row["reasons"].values()) for row in rows)
    assert all("the next request could cost" in row["problem"] for row in rows)
    rows = document(*compare(*teachers))["teachers"]
    assert [row["requests"] for row in rows] == [14, 14]
    assert len(good.served) == len(bad.served) == 14


@pytest.mark.parametrize(
    ("teachers", "more", "said"),
    [
        (("good",), (), "to compare teachers takes two, the recipe has: good"),
        (("good", "bad"), ("--set", "generate.target_rows=0"), "which asks nothing"),
        (("good", "bad"), ("--perplexity",), '--perplexity: student.base = "tiny" is made from nothing'),
        (("good", "unpriced"), (), "the price of m at api.example.org is unknown"),
    ],
)
def test_what_cannot_be_compared_is_a_sentence_before_anything_is_sent(
    good: FakeProvider,
    capsys: pytest.CaptureFixture[str],
    teachers: tuple[str, ...],
    more: tuple[str, ...],
    said: str,
) -> None:
    fields = {"unpriced": 'model="m", base_url="https://api.example.org/v1"'}
    named = [(name, fields.get(name, at(good))) for name in teachers]
    assert run_command(compare(*named, more=more)) == 1
    assert said in capsys.readouterr().err.replace("\n", " ")
    assert good.served == []


def test_perplexity_belongs_to_a_comparison(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["estimate", "demo", "--perplexity"]) == 1
    assert "Add --compare" in capsys.readouterr().err


def test_a_base_reads_the_kept_answers(
    document: Callable[..., Any], good: FakeProvider, tmp_path: Path
) -> None:
    tokenizer = tinies.train_tokenizer(TEXTS * 3, 320)
    random_model("llama", vocab_size=len(tokenizer)).save_pretrained(tmp_path / "base")
    tokenizer.save_pretrained(tmp_path / "base")
    base = ("--perplexity", "--set", f'student.base="{tmp_path / "base"}"')
    found = document(*compare(("good", at(good)), ("twin", at(good)), requests=3, more=base))["teachers"]
    bits = [row["bits_per_byte"] for row in found]
    assert bits[0] == bits[1], "one model under two names gives one answer"
    assert 0.5 < bits[0]["low"] <= bits[0]["value"] <= bits[0]["high"] < 20
    assert len(good.served) == 3
    assert {one["verdict"] for one in found[1]["against_first"].values()} == {"cannot tell"}
