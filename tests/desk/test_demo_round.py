"""A round of the demo: `alif run` waits for people, they read in a browser, `alif run` ends."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from alif import store
from tests.desk.conftest import PASSWORD
from tests.desk.test_browser import chromium, press
from tests.test_demo import SHORT, alif, finish

__all__ = ["chromium"]


@pytest.mark.slow
def test_a_run_that_waits_is_read_in_a_browser_and_ends(chromium: Any, tmp_path: Path) -> None:
    sets = [*SHORT, "review.share=0.3"]
    waiting = finish(tmp_path, sets)
    assert waiting.returncode == 3, waiting.stderr
    asked = list(store.read_rows(tmp_path / "runs" / "demo" / "review_requests.jsonl"))
    command = alif("desk", "demo", "--port", "0", "--json", sets=[])
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as desk:
        assert desk.stdout is not None
        text = ""
        while not text.endswith("}\n"):
            text += desk.stdout.readline() or "\n}\n"
        page = chromium.new_page()
        page.set_default_timeout(60_000)
        page.goto(json.loads(text)["link"])
        page.fill("[name=name]", "آمنہ")
        page.fill("[name=password]", PASSWORD)
        page.click("button.ok")
        title = page.locator("#title")
        for number in range(len(asked)):
            page.locator("#count").filter(has_text=f" {number} ·").wait_for()
            page.locator("#row .text").first.wait_for()
            press(page, "KeyV", "ط")
            press(page, "KeyN", "ن")  # mends letters where there are any to mend
            press(page, "KeyA", "ا")
        title.filter(has_text="شکریہ").wait_for()
        page.locator("#unsent:empty").wait_for(state="attached")
        page.close()
        desk.send_signal(signal.SIGINT)
        assert desk.wait(30) == 0
    finished = finish(tmp_path, sets)
    assert finished.returncode == 0, finished.stderr
    rows = store.read_rows(tmp_path / "runs" / "demo" / "review" / "examples.jsonl")
    assert sum(row["origin"]["reviewed_by"] == "آمنہ" for _, row in rows) >= len(asked) - 1
    assert (tmp_path / "runs" / "demo" / "report.html").is_file()
