"""Faults L3, L6 and L14 of the reliability review: what files of others hold is no code, key or markup.

One test for each input that the review lists, and neighbours of its kind.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from alif import store
from alif.commands import listing, status
from alif.errors import DataError
from alif.report import dataset
from alif.report.data_card import data_card
from alif.report.snapshot import read_run
from tests import made_up
from tests.acceptance.test_data_daily import made
from tests.report.test_dataset import build, rows_of


@pytest.mark.parametrize("content", ["{}", "null", "[]", "[{}]", '"done"', "7", "{", ""])
@pytest.mark.parametrize("file", ["seeds/step.json", "runtime/seeds/state.json"])
def test_reliability_l3_other_json_than_expected_is_a_sentence_and_hides_no_other_run(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    file: str,
    content: str,
) -> None:
    made(tmp_path, "good")
    bad = made(tmp_path, "bad")
    monkeypatch.chdir(tmp_path)
    store.write_text(bad.root / file, content)
    if file.startswith("seeds/"):
        with pytest.raises(DataError, match="step\\.json"):
            status.show_status("bad")
    else:  # of a step that is done the state is not asked for
        status.show_status("bad")
    capsys.readouterr()
    listing.list_all(json=True)
    assert {run["name"] for run in json.loads(capsys.readouterr().out)["runs"]} == {"good", "bad"}


@pytest.mark.parametrize(
    ("licence", "plain"),
    [
        ("MIT\nextra_gated_prompt: <b>pay</b>\u2028x: y", "mit extra_gated_prompt: <b>pay</b> x: y"),
        ("MIT\r\n---\r\ngated: true", "mit --- gated: true"),
        ("MIT\x85base_model: evil", "mit base_model: evil"),
        ('MIT" \ntags: [x]', 'mit"  tags: [x]'),
    ],
)
def test_reliability_l6_a_licence_with_line_ends_adds_no_key_and_no_markup(
    tmp_path: Path, licence: str, plain: str
) -> None:
    run = build(tmp_path)
    rows = rows_of(run / "blend" / "examples.jsonl")
    for row in rows:
        row["origin"] |= {"licence": licence}  # type: ignore[operator]
        row["language"] = "no"
    store.write_rows(run / "blend" / "examples.jsonl", rows)
    text = (dataset.write_dataset(run) / "README.md").read_text(encoding="utf-8")
    front = yaml.safe_load(text.split("---\n")[1])
    assert front["license"] == plain
    assert front["language"] == ["no"], "a word that YAML reads as false"
    assert not {"extra_gated_prompt", "gated", "base_model"} & set(front)
    assert "<b>" not in text.split("---\n", 2)[2]


@pytest.mark.parametrize(
    ("reason", "inert"),
    [
        ("odd|<b>reason</b>", "odd\\|\\<b\\>reason\\</b\\>"),
        ("![x](http://evil.example/x.png)", "!\\[x\\](http://evil.example/x.png)"),
        ("# A heading\n\n<script>alert(1)</script>", "\\<script\\>alert(1)\\</script\\>"),
    ],
)
def test_reliability_l6_markup_of_others_is_text_in_a_card(tmp_path: Path, reason: str, inert: str) -> None:
    run = made_up.build(tmp_path, until="corpus")
    made_up.write_step(run, "corpus", None, 3, {reason: 1})
    assert inert in data_card(read_run(run))


def test_reliability_l14_every_constraint_is_one_version() -> None:
    """They have no hashes, for the reason that docs/footguns.md gives; the package of weights has."""
    root = Path(__file__).resolve().parents[2]
    lines = (root / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert len(pins) > 100
    assert [line for line in pins if not re.fullmatch(r"[A-Za-z0-9._-]+==[^\s;*<>,]+( *;.*)?", line)] == []
    assert "--hash=sha256:" in (root / "smollm.txt").read_text(encoding="utf-8")
