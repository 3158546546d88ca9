"""Parts of the cards: whatever a pack or row holds stays text, and nobody is named."""

from __future__ import annotations

from pathlib import Path

import jinja2
import pytest
import yaml

from alif import store
from alif.report import card_template
from alif.report.data_card import data_card
from alif.report.snapshot import read_run
from tests import made_up


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("/home/ayesha/models/urdu-8b", "urdu-8b"),
        ("~/ayesha/urdu-8b/", "urdu-8b"),
        ("C:\\Users\\Ayesha\\urdu-8b", "urdu-8b"),
        ("meta-llama/Llama-3.1-8B", "meta-llama/Llama-3.1-8B"),
        ("gpt-4o", "gpt-4o"),
    ],
)
def test_a_local_model_is_named_without_its_path(model: str, name: str) -> None:
    assert card_template.public_name(model) == name


@pytest.mark.parametrize(
    ("text", "inert"),
    [
        ("near_duplicate", "near_duplicate"),
        ("odd|reason", "odd\\|reason"),
        ("<script>alert(1)</script>", "\\<script\\>alert(1)\\</script\\>"),
        ("[text](javascript:alert)", "\\[text\\](javascript:alert)"),
        ("MIT\n\n# A heading", "MIT  # A heading"),
        ("_emphasis_ `code` *b*", "\\_emphasis\\_ \\`code\\` \\*b\\*"),
    ],
)
def test_text_of_others_is_inert_in_markdown(text: str, inert: str) -> None:
    assert card_template.escape_markdown(text) == inert


@pytest.mark.parametrize(
    "text", ["mit\nbase_model: evil", "no", 'a "b"', "x\u2028y: z", "اردو", "1.0", "a: b # c"]
)
def test_text_of_others_is_one_string_in_yaml(text: str) -> None:
    found = yaml.safe_load(f"license: {card_template.yaml_text(text)}")
    assert found == {"license": " ".join(text.splitlines())}


def test_every_value_of_a_template_is_escaped_and_none_may_be_missing(tmp_path: Path) -> None:
    run = made_up.build(tmp_path, until="corpus")
    made_up.write_step(run, "corpus", None, 3, {"odd|<b>reason</b>": 1})
    assert "1 odd\\|\\<b\\>reason\\</b\\>" in data_card(read_run(run))
    with pytest.raises(jinja2.UndefinedError):
        card_template.render_card("data_card.md.jinja", run=read_run(run))


def test_the_steps_show_what_a_sample_left_out(tmp_path: Path) -> None:
    lines = data_card(read_run(made_up.build(tmp_path))).splitlines()
    assert (
        lines[lines.index("## From replies to rows") + 2]
        == "| step | rows in | kept | not sampled | dropped |"
    )
    assert "| replay | 70 | 60 | 10 |  |" in lines
    assert "| blend | 325 | 321 | 0 | 4 contaminated |" in lines


def test_people_who_wrote_or_read_seeds_are_counted(tmp_path: Path) -> None:
    run = made_up.build(tmp_path, until="seeds")
    path = run / "seeds" / "examples.jsonl"
    rows = [row for _, row in store.read_rows(path)]
    rows[0]["origin"] |= {"author": "Ayesha Khan", "reviewed_by": "Bilal Ahmed"}
    store.write_rows(path, rows)
    sentence = str(card_template.common_values(read_run(run))["seeds_sentence"])
    assert "1 written by people" in sentence
    assert "1 of them were read" in sentence
    assert "Ayesha" not in sentence
