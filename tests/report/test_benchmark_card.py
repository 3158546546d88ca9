"""The data card of a benchmark, and the reproduction block."""

from __future__ import annotations

from pathlib import Path

from alif import store
from alif.report.benchmark_card import describe_reproduction, list_benchmark_cards
from alif.report.snapshot import read_run
from tests import made_up


def test_a_card_tells_origin_reading_and_contamination(tmp_path: Path) -> None:
    root = made_up.build(tmp_path)
    path = root / "evaluate" / "scores.jsonl"
    rows = [row for _, row in store.read_rows(path)]
    read = {"metric": "number_read", "value": 0.75, "low": 0.6, "high": 0.9, "n": 12}
    unread = read | {"metric": "choice_unreadable", "value": 0.1, "low": 0.0, "high": 0.2}
    chrf = next(row for row in rows if (row["stage"], row["metric"]) == ("finetune", "chrf++"))
    store.write_rows(path, [*rows, chrf | read, chrf | unread])
    (card,) = list_benchmark_cards(read_run(root))
    assert (card.title, card.facts.provenance, card.facts.licence) == ("Test questions", "native", "MIT")
    assert card.extraction == (
        "a number from 75.0 % of 12 (95 % CI 60.0 to 90.0), "
        "a choice from 90.0 % of 12 (95 % CI 80.0 to 100.0)"
    )
    assert card.contamination == "0 of 84 questions stand in the training rows"


def test_shared_words_are_counted_by_benchmark(tmp_path: Path) -> None:
    root = made_up.build(tmp_path)
    path = root / "evaluate" / "step.json"
    record = store.read_json(path)
    overlap = {"benchmark": "test", "ngram": 8, "n": 84, "short": 30, "hits": 3}
    overlaps = [overlap, overlap | {"ngram": 13, "hits": 1}, overlap | {"benchmark": "other"}]
    card = {"rows": 300, "documents": 88, "benchmarks": overlaps, "scores": []}
    record["counts"]["facts"]["contamination"] = card
    store.write_json(path, record)
    (found,) = list_benchmark_cards(read_run(root))
    assert found.contamination == (
        "3 of 84 items share 8 words in a row, 1 of 84 items share 13 words in a row with training texts"
    )


def test_a_run_says_how_to_compute_its_numbers_again(tmp_path: Path) -> None:
    block = describe_reproduction(read_run(made_up.build(tmp_path)))
    assert block.commands == ("alif run demo", "alif report demo")
    assert block.fingerprints["evaluate"] == "evaluate"
    assert block.made_with == {"machine": "Linux", "python": "3.11.2", "commit": "5b31c18"}
    assert block.seeds["evaluate.seed"] == 3407
    assert block.signatures["test, chrf++"] == "chrf++|bootstrap 1000"
    early = describe_reproduction(read_run(made_up.build(tmp_path, "early", until="seeds")))
    assert (early.commands, early.signatures) == (("alif run early",), {})
