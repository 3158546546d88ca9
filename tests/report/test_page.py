"""The report: a page that loads nothing and escapes everything, right-to-left text, the JSON contract."""

from __future__ import annotations

import base64
import hashlib
import json
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from alif import store
from alif.errors import RecipeError
from alif.facts.data_facts import BlendFacts, BlendPartFacts
from alif.records import NOT_REVIEWED, STAGES, STEP_NAMES
from alif.report import page as report
from tests import made_up

VOID = {"meta", "br", "hr", "img", "input", "link", "wbr"}
EVIL = '"><img src=x onerror=alert(1)><script>alert(2)</script>{{ 7 * 7 }}</style></svg>'


class Page(HTMLParser):
    """What a page holds: its elements with their attributes, and whether they are closed in order."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.text = path.read_text(encoding="utf-8")
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> at {self.getpos()}"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_up.build(tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def page(run: Path) -> Page:
    return Page(report.write_report([run]))


def test_the_page_loads_nothing(page: Page) -> None:
    assert not {tag for tag, _ in page.elements} & {
        "link",
        "img",
        "iframe",
        "object",
        "video",
        "audio",
        "base",
        "form",
    }
    for tag, attributes in page.elements:
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            assert name not in ("src", "srcset", "data", "action"), (tag, name)
            if name.endswith("href"):
                assert value.startswith("#"), (tag, value)
    assert "@import" not in page.text
    assert page.text.count("url(") == page.text.count('url("data:font/') + page.text.count("url(#")
    assert "default-src 'none'" in page.text


def test_the_policy_lets_one_script_run_by_its_hash(page: Page) -> None:
    assert [tag for tag, _ in page.elements].count("script") == 1
    script = page.text.partition("<script>")[2].partition("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'; style-src" in page.text
    assert not {"fetch(", "innerHTML", "eval(", "import("} & {word for word in script.split() if "(" in word}


def test_the_page_is_well_formed(page: Page) -> None:
    assert page.open == []
    ids = Counter(attributes["id"] for _, attributes in page.elements if "id" in attributes)
    assert [name for name, count in ids.items() if count > 1] == []
    targets = {attributes["href"][1:] for tag, attributes in page.elements if tag == "a"}
    assert targets <= set(ids)


def test_direction_is_data(page: Page) -> None:
    assert "auto" not in {attributes.get("dir") for _, attributes in page.elements}
    urdu = [attributes for _, attributes in page.elements if attributes.get("lang") == "ur"]
    assert len(urdu) > 20
    assert {attributes["dir"] for attributes in urdu} == {"rtl"}
    assert '<bdi dir="ltr">120 - 45 = 75</bdi>' in page.text
    assert '<p dir="ltr">the the of and to the river 1350 the</p>' in page.text


def test_whatever_a_row_holds_is_inert(tmp_path: Path) -> None:
    run = made_up.build(tmp_path, until="evaluate")
    _poison(run / "seeds" / "examples.jsonl", "instruction", "input", "output")
    _poison(run / "generate" / "dropped.jsonl", "reason", "evidence")
    _poison(run / "evaluate" / "answers.jsonl", "instruction", "task", "reference")
    found = {EVIL: [EVIL, [[0, 9]]]}
    marks = {"accepted": None, "exact_match": False, "chrf++": 1.0, "faults": [EVIL], "finished": True}
    said = {"answers": {EVIL: EVIL + "\x00\u202e"}, "marks": {EVIL: marks | {"found": found}}}
    path = run / "evaluate" / "answers.jsonl"
    rows = [row | said | {"rubric": [EVIL]} for _, row in store.read_rows(path)]
    store.write_rows(path, rows)
    call = {"id": rows[0]["id"], "task": EVIL, "judge": EVIL, "a": EVIL, "b": EVIL, "reason": EVIL}
    store.write_rows(run / "judge" / "verdicts.jsonl", [call | {"verdict": "A"}, call | {"failure": EVIL}])
    _poison(run / "evaluate" / "scores.jsonl", "signature", "metric")
    part = BlendPartFacts(requested=0, available=1, dropped=0, drawn=1, validation=0)
    facts = BlendFacts(parts={EVIL: part}, held_out=0, benchmark_prompts=0)
    made_up.write_step(run, "blend", facts, 3, {EVIL: 1})
    text = (run / "recipe.toml").read_text().replace("the whole pipeline", "<script>alert(3)</script>")
    (run / "recipe.toml").write_text(text)
    page = Page(report.write_report([run]))
    assert not {tag for tag, _ in page.elements} & {"img"}
    assert [tag for tag, _ in page.elements].count("script") == 1
    assert not {"\x00", "\u202e"} & set(page.text)
    assert "alert(2)" in page.text
    assert "<script>alert" not in page.text
    markdown = (run / "report.md").read_text(encoding="utf-8")
    assert "<img" not in markdown.replace("\\<img", "")
    assert not {"\x00", "\u202e"} & set(markdown)
    assert all(not name.startswith("on") for _, attributes in page.elements for name in attributes)
    assert page.open == []
    assert "{{ 7 * 7 }}" in page.text


def _poison(path: Path, *keys: str) -> None:
    store.write_rows(path, [row | dict.fromkeys(keys, EVIL) for _, row in store.read_rows(path)])


def test_the_json_keeps_the_contract(run: Path, page: Page) -> None:
    found = json.loads((run / "report.json").read_text(encoding="utf-8"), parse_constant=pytest.fail)
    assert found["run"] == "demo"
    fields = {"stage", "benchmark", "metric", "language", "value", "low", "high", "n", "signature"}
    fields |= {"system", "provenance", "shots", "wording"}
    assert all(fields <= set(score) for score in found["scores"])
    assert [part["label"] for part in found["strip"]][:2] == ["Urdu", "English"]
    assert found["matrix"]["rows"][0]["system"] == "base"
    assert found["failures"]["signatures"][0]["name"] == "English lost"
    assert found["benchmarks"][0]["facts"]["provenance"] == "native"
    assert found["reproduction"]["fingerprints"]["evaluate"]
    held = Counter(
        (s["stage"], s["language"])
        for s in found["scores"]
        if (s["benchmark"], s["metric"]) == ("heldout", "bits_per_byte")
    )
    assert held == dict.fromkeys(((stage, code) for stage in STAGES for code in ("ur", "en")), 1)
    assert any(NOT_REVIEWED in notice for notice in found["notices"])
    assert found["verdicts"]["taught_text"] == "better"
    assert found["verdicts"]["known_retention"] == "lost"
    generated = next(step for step in found["steps"] if step["name"] == "generate")
    whole = found["funnel"]["whole"]
    assert generated["rows_in"] == whole["pieces"] == whole["accepted"] + sum(whole["dropped"].values())
    assert generated["dropped"] == whole["dropped"]
    replay = next(step for step in found["steps"] if step["name"] == "replay")
    assert replay["rows_in"] == replay["kept"] + replay["not_sampled"] == 70


@pytest.mark.parametrize("until", STEP_NAMES)
def test_a_run_can_be_told_at_any_time(tmp_path: Path, until: str) -> None:
    run = made_up.build(tmp_path, until=until)
    assert Page(report.write_report([run])).open == []
    assert [step["name"] for step in store.read_json(run / "report.json")["steps"]] == list(
        STEP_NAMES[: STEP_NAMES.index(until) + 1]
    )


def test_equal_runs_give_equal_pages(run: Path, page: Page, tmp_path: Path) -> None:
    again = made_up.build(tmp_path)
    assert report.write_report([again]).read_text(encoding="utf-8") == page.text
    assert (again / "report.json").read_bytes() == (run / "report.json").read_bytes()


def test_the_same_stands_in_markdown(run: Path, page: Page) -> None:
    found = (run / "report.md").read_text(encoding="utf-8")
    assert "- English: **lost** (+0.200 bits per byte" in found
    tables = [part.splitlines() for part in found.split("\n\n") if part.startswith("|")]
    assert len(tables) == 3
    assert all(len({line.count(" |") for line in table}) == 1 and len(table) > 2 for table in tables)
    assert all(f"## {title}" in found for title in ("Scores", "Failure signatures"))


def test_twenty_systems_on_fifteen_benchmarks_stay_under_5_mb(tmp_path: Path) -> None:
    root = made_up.build(tmp_path)
    folder = root / "evaluate"
    systems = [f"model-{number}" for number in range(17)]
    scores = [row for _, row in store.read_rows(folder / "scores.jsonl")]
    last = [row for row in scores if row["stage"] == "finetune"]
    chrf = next(row for row in last if row["metric"] == "chrf++")
    scores += [row | {"stage": name} for name in systems for row in last]
    stages = dict.fromkeys(row["stage"] for row in scores)
    for name in stages:
        scores += [chrf | {"stage": name, "benchmark": f"bench-{number}/p{part}".removesuffix("/p0")}
                   for number in range(10) for part in range(8)]  # fmt: skip
    store.write_rows(folder / "scores.jsonl", scores)
    row = next(row for _, row in store.read_rows(folder / "answers.jsonl"))
    mark = row["marks"]["base"] | {"found": {"repetition": ["x", [[0, 9], [20, 40]]]}}
    said = {"answers": dict.fromkeys(stages, row["reference"] * 9), "marks": dict.fromkeys(stages, mark)}
    answers = [row | said | {"id": f"q{number}", "sample": True} for number in range(36)]
    store.write_rows(folder / "answers.jsonl", answers)
    path = report.write_report([root])
    found = Page(path)
    assert [tag for tag, _ in found.elements].count("details") > 36
    assert len(store.read_json(root / "report.json")["matrix"]["rows"]) == 20
    assert len(store.read_json(root / "report.json")["matrix"]["columns"]) == 16
    assert path.stat().st_size < 5_000_000


def test_a_report_of_nothing_is_refused() -> None:
    with pytest.raises(RecipeError, match="needs a run"):
        report.write_report([])
