"""`alif desk RUN --port 0 --json`: an address and a one-time link, from the command to a page and back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

from alif import store
from tests.desk.conftest import ROWS


def test_the_command_prints_an_address_and_a_link_that_opens(tmp_path: Path) -> None:
    root = tmp_path / "runs" / "small"
    store.write_rows(root / "review_requests.jsonl", ROWS)
    store.write_text(root / "recipe.toml", 'extends = "demo"\nname = "small"\nreview.share = 1.0\n')
    command = [sys.executable, "-m", "alif", "desk", "small", "--port", "0", "--json"]
    served = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}
    )
    assert served.stdout is not None
    try:
        text = ""
        while not text.endswith("}\n"):
            text += served.stdout.readline() or "\n}\n"
        facts = json.loads(text)
        assert facts["link"].startswith(f"{facts['address']}/invite/")
        with urllib.request.urlopen(facts["link"], timeout=30) as page:
            assert b'name="password"' in page.read()
        served.send_signal(signal.SIGINT)
        assert served.wait(30) == 0
        assert served.stdout.read() == ""
    finally:
        served.kill()
        served.wait()
        served.stdout.close()
