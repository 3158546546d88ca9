"""The page in a browser: axe-core finds nothing, filters work, and without script it is a plain list.

tests/axe.min.js is axe-core 4.14.1 of Deque Systems under the Mozilla Public License 2.0, unchanged.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from alif import store
from alif.report import page as report
from tests import made_up

AXE = Path(__file__).parents[1] / "axe.min.js"
FAULTS = """async () => { const found = await axe.run();
  return found.violations.flatMap(v => v.nodes.map(n => v.id + ": " + n.html.slice(0, 200))); }"""
VISIBLE = "[...document.querySelectorAll('details.item')].filter(one => one.offsetParent).length"


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("runs")
    one, two = (made_up.build(folder, name) for name in ("one", "two"))
    path = one / "evaluate" / "answers.jsonl"
    rows = [row for _, row in store.read_rows(path)]
    found = {"lookalike_letters": ["U+0643 ARABIC LETTER KAF ×1", [[0, 1]]]}
    changed = rows[0]["marks"]["finetune"] | {
        "accepted": True,
        "faults": ["lookalike_letters"],
        "found": found,
    }
    rows[0]["marks"] = rows[0]["marks"] | {"finetune": changed}
    rows[0]["marks"]["base"] = rows[0]["marks"]["base"] | {"accepted": False}
    store.write_rows(path, rows)
    call = {
        "id": rows[0]["id"],
        "task": "qa",
        "judge": "strict",
        "a": "base",
        "b": "finetune",
        "verdict": "A",
    }
    store.write_rows(one / "judge" / "verdicts.jsonl", [call, call | {"a": "finetune", "b": "base"}])
    return [report.write_report([one]), report.write_report([one, two])]


@pytest.mark.parametrize("width", [1360, 400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(browser: Any, paths: list[Path], width: int, scheme: str) -> None:
    for path in paths:
        viewport = {"width": width, "height": 900}
        page = browser.new_page(viewport=viewport, color_scheme=scheme, bypass_csp=True)
        page.goto(path.as_uri())
        page.add_script_tag(path=str(AXE))
        assert page.evaluate(FAULTS) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.close()


def test_the_answers_are_filtered(browser: Any, paths: list[Path]) -> None:
    page = browser.new_page()
    page.goto(paths[0].as_uri())
    every = page.evaluate(VISIBLE)
    assert page.text_content("#shown") == f"{every} of {every} questions"
    for name, value in (("check", "lookalike_letters"), ("differ", "systems"), ("differ", "judge")):
        page.select_option(f"[name={name}]", value)
        assert page.evaluate(VISIBLE) == 1
        page.select_option(f"[name={name}]", "")
    page.fill("[name=search]", "no such words anywhere")
    assert page.evaluate(VISIBLE) == 0
    page.fill("[name=search]", "")
    page.click("#filters button")
    assert page.evaluate("[...document.querySelectorAll('details.item')].every(one => one.open)")
    page.close()


def test_without_script_it_is_a_plain_list(browser: Any, paths: list[Path]) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(paths[0].as_uri())
    assert page.locator("#filters").is_hidden()
    assert page.locator("details.item").count() == 6
    assert page.locator("details.item").last.is_visible()
    context.close()
