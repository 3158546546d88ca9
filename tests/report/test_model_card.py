"""The model card: written from the run's records, without people's names and paths."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from alif import store
from alif.facts.release_facts import ExportFacts
from alif.records import NOT_REVIEWED, Example, Origin, PreferencePair
from alif.report import model_card
from alif.report.snapshot import read_run
from tests import made_up
from tests.report.conftest import set_in_recipe


@pytest.fixture
def run(tmp_path: Path) -> Path:
    root = made_up.build(tmp_path)
    (root / "export" / "model").mkdir()
    return root


def test_the_model_card_holds_what_a_reader_needs(run: Path) -> None:
    data, model = model_card.write_cards(run)
    text = model.read_text(encoding="utf-8")
    assert data == run / "card.md"
    assert yaml.safe_load(text.split("---\n")[1])["language"] == ["ur", "en"]
    for part in (
        NOT_REVIEWED,
        "3.020 (2.960 to 3.080)",
        "229,952 parameters",
        "| blend | 325 | 321 | 0 | 4 contaminated |",
        "| parameters | 229952 |",
        "Intervals cover the choice of test items",
        "MIT",
    ):
        assert part in text, part


def test_a_third_stage_is_told_with_the_licences_of_its_pairs(run: Path) -> None:
    assert "stage 3" not in (text := model_card.write_cards(run)[1].read_text(encoding="utf-8"))
    assert "pair of answers" not in text
    origin = Origin(kind="source", licence="CC0")
    pair = PreferencePair.of(Example.make("ur", "other", "برف کیا ہے؟", "", "پانی۔", origin), "آگ۔")
    store.write_rows(run / "pairs" / "examples.jsonl", [pair])
    made_up.write_step(run, "prefer", None, 1)
    text = model_card.write_cards(run)[1].read_text(encoding="utf-8")
    assert "and from 1 pairs which of two answers is preferred (stage 3)" in text
    assert "| ur | source, pair of answers | CC0 | 1 |" in text


def test_the_model_card_has_no_path_of_this_machine(run: Path) -> None:
    set_in_recipe(run, "student", base="/home/ayesha/llama")
    facts = read_run(run).facts("export", ExportFacts)
    assert facts is not None
    made_up.write_step(run, "export", facts.model_copy(update={"base": "/home/ayesha/llama"}))
    text = model_card.write_cards(run)[1].read_text(encoding="utf-8")
    assert "llama (229,952 parameters), taught Urdu" in text
    assert "base_model" not in text
    assert "ayesha" not in text


def test_a_published_base_is_named_in_the_front_matter(run: Path) -> None:
    set_in_recipe(run, "student", base="meta-llama/Llama-3.1-8B@main")
    text = model_card.write_cards(run)[1].read_text(encoding="utf-8")
    assert yaml.safe_load(text.split("---\n")[1])["base_model"] == "meta-llama/Llama-3.1-8B"


def test_a_run_without_a_model_gets_a_data_card_only(tmp_path: Path) -> None:
    run = made_up.build(tmp_path, until="seeds")
    assert model_card.write_cards(run) == [run / "card.md"]


def test_what_a_power_cut_left_of_a_card_is_removed(run: Path) -> None:
    leftover = run / "export" / "model" / ".README.md.4711"
    leftover.write_text("---\nlicen", encoding="utf-8")
    model_card.write_cards(run)
    assert not leftover.exists()


def test_a_merged_model_says_of_what_it_is_made(run: Path) -> None:
    set_in_recipe(run, "merge", weights=(0.6,), instruct="o/instruct")
    set_in_recipe(run, "export", stage="merge-0.6-0.4")
    text = model_card.write_cards(run)[1].read_text(encoding="utf-8")
    assert "merge-0.6-0.4: base + 0.6 · (trained − base) + 0.4 · (o/instruct − base)." in text
    assert "and so does that of o/instruct" in text


def test_failures_energy_and_script_are_told_with_what_they_assume(run: Path) -> None:
    snapshot = read_run(run)
    assert model_card.known_failures(snapshot) == ["lookalike letters: 17% of 84 answers in ur (9% to 25%)"]
    assert "at 65 W, the design power assumed for a processor" in model_card.estimate_energy(snapshot)
    text = model_card.model_card(snapshot)
    assert "Arabic script, written right to left" in text
    assert "- lookalike letters: 17%" in text
    assert "nothing was metered" in text


def test_a_published_card_names_licence_forms_and_repository(run: Path) -> None:
    published = model_card.Publication("org/Urdu", "other", "", ("gguf-q8_0", "adapter", "bnb4"))
    text = model_card.model_card(read_run(run), published)
    front = yaml.safe_load(text.split("---\n")[1])
    assert (front["license"], front["license_name"]) == ("other", "see-the-card")
    assert "\n# Urdu\n" in text
    assert "`gguf-q8_0/`: `ollama create demo -f Modelfile`" in text
    assert "`vllm serve adapter/base --enable-lora" in text
