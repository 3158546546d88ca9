"""Answer the turns of all chats: one at a time, in the order in which they were asked, seen while they grow.

The run's own model answers from a process of its own; any other one at its address, through the door that
every request takes. What a free model is asked leaves no trace but the turn; what is paid for stays in the
run's ledger, under its cost cap, and is asked only while the run rests.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from alif import console
from alif.desk.chat_models import list_models
from alif.desk.chat_store import ChatTurn, Conversing, finish_turn, leave_unfinished, take_turn
from alif.desk.chat_student import StudentProcess, model_stamp
from alif.desk.database import Database
from alif.errors import AlifError, RecipeError
from alif.llm.chat_stream import BrokenOff, is_paid, stream_reply
from alif.runs import Run, make_context
from alif.settings import Recipe, Teacher

__all__ = ["ChatAnswers"]

IDLE_S = 600
"""After how long without a question the run's model is let go: a training may need the memory."""


@dataclass
class LiveAnswer:
    """An answer that is waited for."""

    text: str = ""
    stopped: threading.Event = field(default_factory=threading.Event)


class ChatAnswers:
    """The line of questions of one desk, and the thread that answers them."""

    def __init__(self, db: Database, run: Run, recipe: Callable[[], Recipe]) -> None:
        self._db, self._run, self._recipe = db, run, recipe
        self._queue: queue.Queue[int | None] = queue.Queue()
        self._live: dict[int, LiveAnswer] = {}
        self._student: StudentProcess | None = None
        leave_unfinished(db)
        self._thread = threading.Thread(target=self._work, name="chat", daemon=True)
        self._thread.start()

    def ask(self, turn_id: int) -> None:
        """Have a turn answered when its place in the line comes."""
        self._live[turn_id] = LiveAnswer()
        self._queue.put(turn_id)

    def look(self, turn_id: int) -> tuple[int, str]:
        """Return how many are before a turn in the line, and the text so far."""
        live = self._live.get(turn_id)
        before = [one for one in list(self._live) if one < turn_id]
        return len(before), live.text if live else ""

    def stop(self, turn_id: int) -> None:
        """End an answer as far as it is, or take its question out of the line."""
        if live := self._live.get(turn_id):
            live.stopped.set()
            finish_turn(self._db, turn_id, "stopped", live.text)

    def close(self) -> None:
        """End the thread and the model's process."""
        for live in list(self._live.values()):
            live.stopped.set()
        self._queue.put(None)
        self._thread.join()

    def _work(self) -> None:
        with contextlib.ExitStack() as ending:
            ending.callback(self._let_go)
            while True:
                try:
                    turn_id = self._queue.get(timeout=IDLE_S)
                except queue.Empty:
                    self._let_go()
                    continue
                if turn_id is None:
                    return
                live = self._live[turn_id]
                try:
                    self._answer(turn_id, live)
                except AlifError as error:
                    finish_turn(self._db, turn_id, "failed", f"{error.message}\n{error.hint}".strip())
                except Exception as error:  # a bug must not end the line of everybody
                    console.log(f"The chat could not answer: {error!r}", style="bold red")
                    finish_turn(self._db, turn_id, "failed", repr(error))
                finally:
                    del self._live[turn_id]

    def _answer(self, turn_id: int, live: LiveAnswer) -> None:
        taken = take_turn(self._db, turn_id)
        if taken is None or live.stopped.is_set():
            return
        chat, turn = taken

        def watch(text: str) -> bool:
            if not live.stopped.is_set():
                live.text = text
            return not live.stopped.is_set()

        models = {one.key: one for one in list_models(self._db, self._run, self._recipe())}
        model = models.get(chat.model)
        if model is None:
            raise RecipeError(f"{chat.model}: this model is not offered any more", "Begin another chat.")
        if model.settings is None:
            text = self._loaded().answer(chat.messages(turn.place), turn.sampling, watch)
        else:
            text = self._ask_address(chat, turn, model.settings, watch)
        finish_turn(self._db, turn_id, "done", text)

    def _loaded(self) -> StudentProcess:
        """Return the run's model, loaded anew where the run has a newer one."""
        if self._student and (not self._student.is_alive or self._student.stamp != model_stamp(self._run)):
            self._let_go()
        self._student = self._student or StudentProcess(self._run)
        return self._student

    def _let_go(self) -> None:
        if self._student:
            self._student.close()
            self._student = None

    def _ask_address(
        self, chat: Conversing, turn: ChatTurn, model: Teacher, watch: Callable[[str], bool]
    ) -> str:
        runtime = self._recipe().runtime.model_copy(update={"batch": False})
        sampled = {key: turn.sampling[key] for key in ("temperature", "max_tokens")}
        model = model.model_copy(update=sampled)
        draw = int(str(turn.sampling["draw"]))
        with contextlib.ExitStack() as block:
            if is_paid(model):
                run = self._run
                block.enter_context(run.locked())
            else:
                run = Run(Path(block.enter_context(tempfile.TemporaryDirectory())) / self._run.name)
                runtime = runtime.model_copy(update={"ledger": ""})
            context = make_context(run, "chat", runtime)
            asked = stream_reply(context, chat.model, model, chat.messages(turn.place), draw, watch)
            try:
                reply = asyncio.run(asked)
            except BrokenOff:
                return ""  # the turn was stopped, with the text so far
        if reply.unanswered:
            raise RecipeError(f"{chat.model}: no answer ({reply.finish})", "")
        return reply.text
