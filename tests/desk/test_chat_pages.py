"""The chat's page and calls: who may talk to what, hostile texts, directions, thumbs, seeds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from alif import recipe as recipes
from alif import store
from alif.desk.chat_pages import close_answers
from alif.desk.office import Office
from alif.llm.chat_model import ScriptedReply
from alif.records import Message
from tests.desk.conftest import HOSTILE, Browser, Site, serving
from tests.fake_provider import FakeProvider, serve_provider

WAIT_S = 30


def echo(messages: Sequence[Message], draw: int) -> ScriptedReply:
    return ScriptedReply(text=f"جواب: {messages[-1].content}")


@pytest.fixture
def server() -> Iterator[FakeProvider]:
    with serve_provider(echo) as found:
        yield found


@pytest.fixture
def site(make_office: Callable[..., Office]) -> Iterator[Site]:
    office = make_office(rows=[])
    with serving(office) as found:
        yield found
    close_answers(office)


def begin(browser: Browser, model: str = "address.ہمارا") -> int:
    status, _, headers = browser.post("/chat", model=model, language="ur", system="")
    assert status == 303
    return int(headers["location"].rpartition("/")[2])


def offer(site: Site, server: FakeProvider) -> None:
    lead = site.person("نگران", "lead")
    form = {"title": "ہمارا", "base_url": server.address, "model": "m"}
    assert lead.post("/chat/models", **form)[0] == 303


def ask(browser: Browser, chat: int, text: str, **more: Any) -> dict[str, Any]:
    """Ask and wait for the answer; return the last turn."""
    assert browser.call("chat/ask", chat=chat, text=text, **more)[0] == 200
    deadline = time.monotonic() + WAIT_S
    while (turn := browser.call("chat/look", chat=chat)[1]["turn"])["state"] in ("waiting", "writing"):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    found: dict[str, Any] = turn
    return found


def test_those_who_read_talk_and_only_to_what_a_lead_has_offered(site: Site, server: FakeProvider) -> None:
    office = site.office
    keys = f'teacher.far.model="secret-model"\nteacher.far.base_url="{server.address}"'
    named = recipes.load_recipe(recipes.shipped_recipes()["demo"], [keys, 'name="run"'])
    store.write_text(office.folder.root / "recipe.toml", recipes.dump_recipe(named))
    for role in ("judge", "viewer"):
        browser = site.person(role, role)
        assert browser.get("/chat")[0] == 403
        assert browser.call("chat/ask", chat=1, text="؟")[0] == 403
    annotator = site.person("آمنہ")
    assert annotator.post("/chat/models", title="x", base_url="http://10.0.0.1/v1", model="m")[0] == 403
    assert annotator.post("/chat", model="teacher.far", language="ur")[0] == 400
    assert "teacher.far" not in annotator.get("/chat")[1]
    offer(site, server)
    assert "teacher.far" in site.person("زید", "lead").get("/chat")[1]
    assert "ہمارا" in annotator.get("/chat")[1]
    for form in (
        {"model": "address.none", "language": "ur"},
        {"model": "address.ہمارا", "language": "xx"},
        {},
    ):
        assert annotator.post("/chat", **form)[0] == 400
    chat = begin(annotator)
    other = site.person("سارہ")
    assert other.get(f"/chat/{chat}")[0] == 404
    for name in ("ask", "look", "stop", "rate", "turn", "forget", "seed"):
        assert other.call(f"chat/{name}", chat=chat, turn=1, text="؟", part="answer", dir="ltr")[0] in (
            404,
            400,
            409,
        )
    assert other.post(f"/chat/{chat}/forget")[0] == 404


def test_an_answer_is_text_in_a_fixed_direction_with_its_runs_isolated(
    site: Site, server: FakeProvider
) -> None:
    offer(site, server)
    browser = site.person("آمنہ")
    chat = begin(browser)
    turn = ask(browser, chat, f"{HOSTILE} English first? 1350 - 130 = 1220")
    assert turn["answer"].startswith("جواب: <script>")
    paragraphs = turn["views"]["answer"]
    assert [one["dir"] for one in paragraphs] == ["rtl"]
    assert ["1350 - 130 = 1220", "ltr"] in [
        piece[:2] for piece in paragraphs[0]["spans"][0]["pieces"]
    ] or any(
        "1350 - 130 = 1220" in piece[0] and piece[1] == "ltr" for piece in paragraphs[0]["spans"][0]["pieces"]
    )
    assert [one["dir"] for one in turn["views"]["question"]] == ["rtl"], "of the language, not of the letters"
    turned = browser.call("chat/turn", chat=chat, turn=turn["id"], part="answer", dir="ltr")[1]["turns"][0]
    assert [one["dir"] for one in turned["views"]["answer"]] == ["ltr"]
    assert turned["dirs"] == {"question": "rtl", "answer": "ltr"}
    page = browser.get(f"/chat/{chat}")[1]
    assert "<img" not in page
    assert "<script>document" not in page


def test_sampling_is_kept_and_thumbs_edits_and_removals_are_the_authors(
    site: Site, server: FakeProvider
) -> None:
    offer(site, server)
    browser = site.person("آمنہ")
    chat = begin(browser)
    for wrong in ({"temperature": 3}, {"max_tokens": 0}, {"seed": -1}, {"max_tokens": 1.5}):
        assert browser.call("chat/ask", chat=chat, text="؟", sampling=wrong)[0] == 422
    how = {"temperature": 0.7, "max_tokens": 40, "seed": 9}
    first = ask(browser, chat, "ایک", sampling=how)
    assert first["sampling"] == {"model": "address.ہمارا", **how, "draw": 0}
    rated = browser.call("chat/rate", chat=chat, turn=first["id"], thumb=-1, text="غلط")[1]["turns"][0]
    assert (rated["thumb"], rated["reason"]) == (-1, "غلط")
    edited = ask(browser, chat, "ایک، بہتر", place=0)
    assert (edited["answer"], edited["sampling"]["draw"]) == ("جواب: ایک، بہتر", 1)
    assert browser.call("chat/forget", chat=chat, turn=edited["id"])[1] == {"turns": []}
    assert browser.post(f"/chat/{chat}/forget")[2]["location"] == "/chat"
    assert browser.get(f"/chat/{chat}")[0] == 404
    for body in ({"chat": "1"}, {"chat": -1}, {"chat": 2**60}, {"thumb": 2}, {"place": -1}):
        assert browser.call("chat/rate", **body)[0] == 400


def test_a_turn_becomes_a_proposed_seed_that_says_who_wrote_it(site: Site, server: FakeProvider) -> None:
    offer(site, server)
    browser = site.person("آمنہ")
    chat = begin(browser)
    turn = ask(browser, chat, "سمندر کے کنارے شام کا منظر دو جملوں میں لکھیے۔")
    assert browser.call("chat/seed", chat=chat, turn=turn["id"], task="no such task")[0] == 400
    assert browser.call("chat/seed", chat=chat, turn=turn["id"], task="generation") == (200, {})
    (seed,) = site.office.seeds.list_seeds()
    assert (seed.state, seed.row.instruction, seed.row.output) == (
        "waiting",
        turn["question"],
        turn["answer"],
    )
    assert seed.row.origin.source == "chat"
    assert "a model wrote the answer" in seed.row.origin.author
    assert browser.call("chat/seed", chat=chat, turn=turn["id"], task="generation")[0] == 409, (
        "proposed before"
    )


def test_a_forged_request_asks_nothing(site: Site, server: FakeProvider) -> None:
    offer(site, server)
    browser = site.person("آمنہ")
    chat = begin(browser)
    body = f'{{"chat": {chat}, "text": "؟"}}'
    for headers in ({}, {"Origin": "https://evil.example"}):
        assert browser.send("POST", "/api/chat/ask", body.encode(), **headers)[0] == 403
    assert server.served == []
