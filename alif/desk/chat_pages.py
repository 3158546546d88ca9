"""Talk to the run's model, or to another that a lead has added: the page, and what its module asks.

An answer is shown as text while it grows. Its direction is fixed by the chat's language before the first word
and switched by hand alone; sums, dates and Latin words keep their own order in it.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.responses import JSONResponse, Response

from alif.desk import chat_store
from alif.desk.chat_answers import ChatAnswers
from alif.desk.chat_models import STUDENT, ChatModelEntry, list_models, read_address
from alif.desk.chat_store import ChatTurn, Conversing
from alif.desk.office import Office
from alif.desk.people import WATCHER, Refused
from alif.desk.run_watch import stored_recipe
from alif.desk.visit import Page, Visit
from alif.language.bidi import Direction
from alif.language.marked_text import MarkedParagraph, mark_text
from alif.settings import Recipe

__all__ = ["PAGES", "answers_of", "close_answers"]

SHOWN_CHARS = 60
"""Of a first question in the list of chats."""
DIRECTIONS: dict[str, Direction] = {"rtl": "rtl", "ltr": "ltr"}
_opening = threading.Lock()
_answers: dict[Path, ChatAnswers] = {}
"""Of the desks of this process, by the run's folder."""


class Sampling(BaseModel):
    """How an answer is drawn; kept with it."""

    model_config = ConfigDict(frozen=True)
    temperature: float = Field(0.0, ge=0, le=2)
    max_tokens: int = Field(256, gt=0, le=4096)
    seed: int = Field(3407, ge=0, lt=2**31)


class Asked(BaseModel):
    """What the page's module sends."""

    model_config = ConfigDict(frozen=True, strict=True)
    chat: int = Field(0, ge=0, lt=2**53)
    turn: int = Field(0, ge=0, lt=2**53)
    text: str = ""
    place: int | None = Field(None, ge=0, lt=2**31)
    sampling: Mapping[str, float] = {}
    model: str = ""
    language: str = ""
    part: str = ""
    dir: str = ""
    thumb: int = Field(0, ge=-1, le=1)
    task: str = ""


def recipe_of(office: Office) -> Recipe:
    """Return the run's recipe as it is now."""
    return stored_recipe(office.folder) or office.recipe


def answers_of(office: Office) -> ChatAnswers:
    """Return the line of questions of a desk, opened at the first."""
    root = office.folder.root
    with _opening:
        if root not in _answers:
            _answers[root] = ChatAnswers(office.db, office.folder, lambda: recipe_of(office))
        return _answers[root]


def close_answers(office: Office) -> None:
    """End what answers a desk's questions."""
    with _opening:
        found = _answers.pop(office.folder.root, None)
    if found:
        found.close()


def list_offered_models(visit: Visit) -> list[ChatModelEntry]:
    """Return the models that the visitor may choose: not the recipe's where somebody reads blind."""
    office = visit.office
    found = list_models(office.db, office.folder, recipe_of(office))
    watches = visit.person.may(WATCHER)
    return [one for one in found if watches or one.key == STUDENT or one.key.startswith("address.")]


def show_chat(visit: Visit) -> Response:
    """Show a chat of the visitor's, or the form of a new one."""
    office, number = visit.office, visit.request.path_params.get("chat")
    found = None if number is None else chat_store.find_chat(office.db, visit.person, number)
    models, recipe = list_offered_models(visit), recipe_of(office)
    return visit.page(
        "chat.html",
        chat=found,
        turns=[render_turn(office, found, one) for one in found.turns] if found else [],
        way=chat_direction(office, found.language) if found else "",
        title=next(
            (one.title for one in models if found and one.key == found.model), found.model if found else ""
        ),
        chats=[
            (number, mark_text(question[:SHOWN_CHARS].partition("\n")[0], None))
            for number, question in chat_store.list_chats(office.db, visit.person)
        ],
        models=models,
        addresses=chat_store.list_addresses(office.db),
        template=recipe.finetune.prompt_template,
        sampling=Sampling(),
    )


def chat_direction(office: Office, language: str) -> Direction:
    """Return the direction of a chat's language."""
    pack = office.packs.get(language)
    return pack.direction if pack else "ltr"


def render_turn(office: Office, chat: Conversing, turn: ChatTurn) -> dict[str, object]:
    """Return a turn as the browser gets it."""
    answers = answers_of(office)
    before, text = answers.look(turn.id)
    answer = text if turn.state in ("waiting", "writing") else turn.answer

    def view(part: str, shown: str) -> list[MarkedParagraph]:
        fixed = DIRECTIONS.get(turn.directions.get(part, "")) or chat_direction(office, chat.language)
        return mark_text(shown, office.packs.get(chat.language), fixed)

    return {
        "id": turn.id, "place": turn.place, "question": turn.question, "answer": answer, "state": turn.state,
        "views": {"question": view("question", turn.question), "answer": view("answer", answer)},
        "before": before, "sampling": turn.sampling, "thumb": turn.thumb, "reason": turn.reason,
        "dirs": {
            part: turn.directions.get(part) or chat_direction(office, chat.language)
            for part in ("question", "answer")
        },
    }  # fmt: skip


def read_asked(visit: Visit) -> Asked:
    """Return what was sent.

    Raises:
        Refused: it is no such thing.
    """
    try:
        return Asked.model_validate(dict(visit.json))
    except ValidationError as error:
        raise Refused("not_understood", 400) from error


def begin_chat(visit: Visit) -> Response:
    """Begin a chat with a model in a language."""
    form = visit.form
    model, language = form.get("model", ""), form.get("language", "")
    if model not in {one.key for one in list_offered_models(visit)} or language not in visit.office.packs:
        raise Refused("not_understood", 400)
    number = chat_store.create_chat(visit.office.db, visit.person, model, language, form.get("system", ""))
    return visit.redirect(f"/chat/{number}")


def ask_model(visit: Visit) -> Response:
    """Put a question into the line; at the place of an earlier one it is asked again, or edited."""
    sent, office = read_asked(visit), visit.office
    try:
        sampling = Sampling.model_validate(dict(sent.sampling))
    except ValidationError as error:
        raise Refused("bad_sampling") from error
    chat = chat_store.find_chat(office.db, visit.person, sent.chat)
    if chat.model not in {one.key for one in list_offered_models(visit)}:
        raise Refused("model_gone", 409)
    line = answers_of(office)  # which leaves what an earlier desk did not end
    how = {"model": chat.model, **sampling.model_dump()}
    if chat.model == STUDENT:
        how["template"] = recipe_of(office).finetune.prompt_template
    number = chat_store.add_turn(office.db, visit.person, sent.chat, sent.text, how, sent.place)
    line.ask(number)
    return answer_chat(visit, sent.chat)


def answer_chat(visit: Visit, number: int) -> Response:
    """Answer a chat's turns as they are now."""
    chat = chat_store.find_chat(visit.office.db, visit.person, number)
    return JSONResponse({"turns": [render_turn(visit.office, chat, one) for one in chat.turns]})


def read_answer(visit: Visit) -> Response:
    """Answer how far the last turn is."""
    chat = chat_store.find_chat(visit.office.db, visit.person, read_asked(visit).chat)
    last = [render_turn(visit.office, chat, one) for one in chat.turns[-1:]]
    return JSONResponse({"turn": last[0] if last else None})


def stop_answer(visit: Visit) -> Response:
    """End the answer that is being written."""
    sent, office = read_asked(visit), visit.office
    chat = chat_store.find_chat(office.db, visit.person, sent.chat)
    for one in chat.turns:
        if one.state in chat_store.OPEN:
            answers_of(office).stop(one.id)
    return answer_chat(visit, sent.chat)


def rate_answer(visit: Visit) -> Response:
    """Keep a thumb up or down with its reason."""
    sent = read_asked(visit)
    changes = {"thumb": sent.thumb, "reason": sent.text[: chat_store.MOST_REASON]}
    chat_store.change_turn(visit.office.db, visit.person, sent.turn, changes)
    return answer_chat(visit, sent.chat)


def change_direction(visit: Visit) -> Response:
    """Show a question or an answer in the other direction, from now on."""
    sent, office = read_asked(visit), visit.office
    chat = chat_store.find_chat(office.db, visit.person, sent.chat)
    found = next((one for one in chat.turns if one.id == sent.turn), None)
    if found is None or sent.part not in ("question", "answer") or sent.dir not in DIRECTIONS:
        raise Refused("not_understood", 400)
    directions = {**found.directions, sent.part: sent.dir}
    chat_store.change_turn(office.db, visit.person, sent.turn, {"directions": directions})
    return answer_chat(visit, sent.chat)


def remove_turn(visit: Visit) -> Response:
    """Remove a turn of the author's with its earlier answers."""
    sent = read_asked(visit)
    chat_store.forget_turn(visit.office.db, visit.person, sent.turn)
    return answer_chat(visit, sent.chat)


def remove_chat(visit: Visit) -> Response:
    """Remove a whole chat."""
    chat_store.forget_chat(visit.office.db, visit.person, visit.request.path_params["chat"])
    return visit.redirect("/chat")


def make_seed(visit: Visit) -> Response:
    """Propose a turn as a seed, which a second person must approve; it says that a model wrote the answer."""
    sent, office = read_asked(visit), visit.office
    chat = chat_store.find_chat(office.db, visit.person, sent.chat)
    found = next((one for one in chat.turns if one.id == sent.turn and one.state == "done"), None)
    if found is None or chat.language != office.pack.code:
        raise Refused("no_seed", 409)
    texts = {"task": sent.task, "instruction": found.question, "output": found.answer}
    row = office.seeds.read_seed(visit.person, texts)
    author = f"{visit.person.name}; a model wrote the answer"
    origin = row.origin.model_copy(update={"source": "chat", "author": author})
    office.seeds.propose(visit.person, row.model_copy(update={"origin": origin}))
    return JSONResponse({})


def add_model(visit: Visit) -> Response:
    """Offer a model at an OpenAI-compatible address to everybody who may chat."""
    title, model = read_address(visit.form)
    fields = model.model_dump(include={"model", "base_url", "usd_per_million_in", "usd_per_million_out"})
    chat_store.add_address(visit.office.db, title, fields)
    return visit.redirect("/chat")


def drop_model(visit: Visit) -> Response:
    """Offer a model no more."""
    chat_store.remove_address(visit.office.db, visit.form.get("title", ""))
    return visit.redirect("/chat")


PAGES: list[Page] = [
    ("GET", "/chat", show_chat, "annotator"),
    ("GET", "/chat/{chat:int}", show_chat, "annotator"),
    ("POST", "/chat", begin_chat, "annotator"),
    ("POST", "/chat/{chat:int}/forget", remove_chat, "annotator"),
    ("POST", "/chat/models", add_model, "lead"),
    ("POST", "/chat/models/drop", drop_model, "lead"),
    ("POST", "/api/chat/ask", ask_model, "annotator"),
    ("POST", "/api/chat/look", read_answer, "annotator"),
    ("POST", "/api/chat/stop", stop_answer, "annotator"),
    ("POST", "/api/chat/rate", rate_answer, "annotator"),
    ("POST", "/api/chat/turn", change_direction, "annotator"),
    ("POST", "/api/chat/forget", remove_turn, "annotator"),
    ("POST", "/api/chat/seed", make_seed, "annotator"),
]
