"""Cards: written from the run's records, without people's names."""

from pathlib import Path

import made_up

from alif import store
from alif.ship import cards


def test_the_model_card_holds_what_a_reader_needs(tmp_path: Path) -> None:
    run = made_up.build(tmp_path)
    (run / "export" / "model").mkdir()
    data, model = cards.write(run)
    text = model.read_text(encoding="utf-8")
    assert data == run / "card.md"
    assert text.startswith("---\nlanguage: [ur, en]\n")
    for part in (
        cards.NOT_REVIEWED,
        "3.020 (2.960 to 3.080)",
        "229,952 parameters",
        "| blend | 325 | 321 | 4 in_test_set |",
        "MIT",
    ):
        assert part in text, part


def test_no_person_is_named(tmp_path: Path) -> None:
    run = made_up.build(tmp_path)
    path = run / "seeds" / "examples.jsonl"
    rows = [row for _, row in store.read_rows(path)]
    rows[0]["origin"] |= {"author": "Ayesha Khan", "reviewed_by": "Bilal Ahmed"}
    store.write_rows(path, rows)
    text = cards.write(run)[0].read_text(encoding="utf-8")
    assert "Ayesha" not in text
    assert "Bilal" not in text
    assert "1 written by people" in text
    assert "1 of them have been read" in text
    assert "ledger" not in text


def test_a_run_without_a_model_gets_a_data_card_only(tmp_path: Path) -> None:
    run = made_up.build(tmp_path, until="seeds")
    assert cards.write(run) == [run / "card.md"]


def test_a_bar_in_a_cell_does_not_break_the_table(tmp_path: Path) -> None:
    run = made_up.build(tmp_path, until="corpus")
    made_up.step(run, "corpus", 3, {"odd|reason": 1})
    assert "1 odd/reason" in cards.write(run)[0].read_text(encoding="utf-8")
