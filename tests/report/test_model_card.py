"""Cards: written from the run's records, without people's names."""

from pathlib import Path

import pytest

from alif import recipe as recipes
from alif import store
from alif.formatting import format_usd
from alif.records import NOT_REVIEWED
from alif.report import model_card
from alif.report import story as stories
from tests import made_up


def set_in_recipe(run: Path, table: str, **keys: object) -> None:
    found = recipes.load_recipe(run / "recipe.toml")
    changed = found.model_copy(update={table: getattr(found, table).model_copy(update=keys)})
    store.write_text(run / "recipe.toml", recipes.dump_recipe(changed))


def test_the_model_card_holds_what_a_reader_needs(tmp_path: Path) -> None:
    run = made_up.build(tmp_path)
    (run / "export" / "model").mkdir()
    data, model = model_card.write_cards(run)
    text = model.read_text(encoding="utf-8")
    assert data == run / "card.md"
    assert text.startswith("---\nlanguage: [ur, en]\n")
    for part in (
        NOT_REVIEWED,
        "3.020 (2.960 to 3.080)",
        "229,952 parameters",
        "| blend | 325 | 321 | 4 in_test_set |",
        "MIT",
    ):
        assert part in text, part


def test_the_data_card_tells_everything_that_a_user_of_the_rows_must_know(tmp_path: Path) -> None:
    run = made_up.build(tmp_path)
    record = store.read_json(run / "generate" / "step.json")
    record["counts"]["facts"] |= {
        "prompts": {"qa": ["0123456789abcdef", "0f1e2d3c4b5a6978"], "reverse": ["fedcba9876543210"]},
        "saturated": ["qa"],
    }
    store.write_json(run / "generate" / "step.json", record)
    text = model_card.write_cards(run)[0].read_text(encoding="utf-8")
    headings = [line for line in text.splitlines() if line.startswith("## ")]
    assert headings == [
        "## Licence", "## Seeds", "## Teachers and their terms", "## Prompts", "## From what was written to what was kept",
        "## Origins and licences", "## Cost", "## Known limits",
    ]  # fmt: skip
    funnel = record["counts"]["facts"]["funnel"]
    dear = funnel["teachers"]["dear"]
    for part in (
        "written in Arabic script, right to left",
        "`ur-Latn`",
        "The texts of the pack ur are MIT",
        "| ur | MIT | a language model | by nobody | 212 |",
        "| scripted | scripted | in this process | ",
        "| qa | 0123456789abcdef, 0f1e2d3c4b5a6978 |",
        "| reverse | fedcba9876543210 |",
        f"| dear | {dear['requests']} | {dear['pieces']} | {dear['parsed']} | {dear['accepted']} | ",
        f"{format_usd(dear['usd_per_accepted'])} |",
        f"A generated row that was accepted cost {format_usd(funnel['whole']['usd_per_accepted'])}",
        "Hardly anything on qa · law (0 rows)",
        "1 pairs of near copies in a sample of 99 rows",
        "nothing new: qa.",
        NOT_REVIEWED,
    ):
        assert part in text, part


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("/home/ayesha/models/urdu-8b", "urdu-8b"),
        ("~/ayesha/urdu-8b/", "urdu-8b"),
        ("C:\\Users\\Ayesha\\urdu-8b", "urdu-8b"),
        ("meta-llama/Llama-3.1-8B", "meta-llama/Llama-3.1-8B"),
        ("gpt-4o", "gpt-4o"),
    ],
)
def test_a_local_model_is_named_without_its_path(model: str, told: str) -> None:
    assert stories.public_name(model) == told


def test_the_model_card_has_no_path_of_this_machine(tmp_path: Path) -> None:
    run = made_up.build(tmp_path)
    (run / "export" / "model").mkdir()
    set_in_recipe(run, "student", base="/home/ayesha/llama")
    record = store.read_json(run / "export" / "step.json")
    record["counts"]["facts"]["base"] = "/home/ayesha/llama"
    store.write_json(run / "export" / "step.json", record)
    text = model_card.write_cards(run)[1].read_text(encoding="utf-8")
    assert "`llama`" in text
    assert "ayesha" not in text


def test_rows_that_people_read_are_not_said_to_be_read_by_nobody(tmp_path: Path) -> None:
    run = made_up.build(tmp_path)
    assert "nobody has checked the facts" in model_card.write_cards(run)[0].read_text(encoding="utf-8")
    set_in_recipe(run, "review", share=0.1)
    assert "by nobody but the reviewers" in model_card.write_cards(run)[0].read_text(encoding="utf-8")


def test_no_person_is_named(tmp_path: Path) -> None:
    run = made_up.build(tmp_path)
    path = run / "seeds" / "examples.jsonl"
    rows = [row for _, row in store.read_rows(path)]
    rows[0]["origin"] |= {"author": "Ayesha Khan", "reviewed_by": "Bilal Ahmed"}
    store.write_rows(path, rows)
    text = model_card.write_cards(run)[0].read_text(encoding="utf-8")
    assert "Ayesha" not in text
    assert "Bilal" not in text
    assert "1 written by people" in text
    assert "1 of them have been read" in text
    assert "ledger" not in text


def test_a_run_without_a_model_gets_a_data_card_only(tmp_path: Path) -> None:
    run = made_up.build(tmp_path, until="seeds")
    assert model_card.write_cards(run) == [run / "card.md"]


def test_a_bar_in_a_cell_does_not_break_the_table(tmp_path: Path) -> None:
    run = made_up.build(tmp_path, until="corpus")
    made_up.step(run, "corpus", 3, {"odd|reason": 1})
    assert "1 odd/reason" in model_card.write_cards(run)[0].read_text(encoding="utf-8")
