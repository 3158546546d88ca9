"""Chat by messages: a GGUF file or a server, without torch; what is not there is a sentence."""

from __future__ import annotations

import http.server
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from alif.errors import DataError, MissingExtra, ModelError
from alif.release import chat
from alif.release.message_conversation import open_messages


@pytest.fixture
def server() -> Iterator[tuple[str, list[Any]]]:
    """An OpenAI-compatible server that answers with the number of messages, and what it was asked."""
    asked: list[Any] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.reply({"data": [{"id": "tiny"}]})

        def do_POST(self) -> None:
            asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            text = f" پیغام {len(asked[-1]['messages'])} "
            if text and asked[-1]["messages"][-1]["content"] == "x" * 9:
                self.send_error(400, "too long")
                return
            self.reply({"choices": [{"message": {"content": text}}]})

        def reply(self, content: object) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(content).encode())

        def log_message(self, *given: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}/v1", asked
        listening.shutdown()
        thread.join()


def test_a_server_is_asked_with_all_turns(server: tuple[str, list[Any]]) -> None:
    address, asked = server
    conversation = open_messages(f"{address}/")
    conversation.clear("مختصر")
    assert conversation.ask("سلام") == "پیغام 2"
    assert conversation.ask("کیسے ہو؟") == "پیغام 4"
    assert [message["role"] for message in asked[-1]["messages"]] == ["system", "user", "assistant", "user"]
    assert (asked[-1]["model"], asked[-1]["temperature"]) == ("tiny", 0.0)
    with pytest.raises(ModelError, match="answers 400"):
        conversation.ask("x" * 9)
    assert len(conversation.turns) == 4, "what got no answer is not remembered"


def test_chat_prints_a_servers_answer(
    server: tuple[str, list[Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    chat.chat_loop(server[0], "سلام", as_json=True)
    found = json.loads(capsys.readouterr().out)
    assert found == {"run": server[0], "turns": [{"question": "سلام", "answer": "پیغام 1"}]}


def test_what_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no model server answers there"):
        open_messages("http://127.0.0.1:9/v1")
    with pytest.raises(DataError, match="one GGUF file is needed, there is none"):
        open_messages(str(tmp_path))
    for name in ("a.gguf", "b.gguf"):
        (tmp_path / name).write_bytes(b"GGUF")
    with pytest.raises(DataError, match=r"there is a\.gguf, b\.gguf") as error:
        open_messages(str(tmp_path))
    assert error.value.hint == "Name the file."
    try:
        import llama_cpp  # noqa: F401
    except ImportError:
        with pytest.raises(MissingExtra, match="a GGUF file needs the llama-cpp extra"):
            open_messages(str(tmp_path / "a.gguf"))
    else:
        with pytest.raises(ModelError, match="cannot open it"):
            open_messages(str(tmp_path / "a.gguf"))


def test_what_names_no_run(tmp_path: Path) -> None:
    assert not chat.is_elsewhere("demo")
    assert not chat.is_elsewhere(str(tmp_path))
    (tmp_path / "a.gguf").touch()
    assert chat.is_elsewhere(str(tmp_path))
    assert chat.is_elsewhere("models/a.gguf")
    assert chat.is_elsewhere("http://127.0.0.1:8000/v1")


def test_a_gguf_folder_is_opened_without_torch(tmp_path: Path) -> None:
    """`alif chat FOLDER` where torch cannot be imported; a stand-in has the calls of llama.cpp."""
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "demo-q8_0.gguf").touch()
    stand_in = (
        "class Llama:\n"
        "    def __init__(self, path, **options): assert path.endswith('demo-q8_0.gguf')\n"
        "    def create_chat_completion(self, messages, **options):\n"
        "        return {'choices': [{'message': {'content': f'{len(messages)} پانی'}}]}\n"
    )
    (tmp_path / "llama_cpp.py").write_text(stand_in, encoding="utf-8")
    script = (
        "import sys\n"
        "sys.modules |= dict.fromkeys(('torch', 'transformers', 'peft'))\n"
        "from alif.cli import run_command\n"
        "sys.exit(run_command(['chat', 'model', 'کیا؟', '--json']))"
    )
    command = [sys.executable, "-c", script]
    asked = subprocess.run(
        command, cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=True
    )
    assert json.loads(asked.stdout)["turns"] == [{"question": "کیا؟", "answer": "1 پانی"}]
