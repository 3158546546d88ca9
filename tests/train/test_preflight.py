from __future__ import annotations

import pytest

from alif import recipe as recipes
from alif.train.preflight import student_problems

DEMO = recipes.shipped_recipes()["demo"]


def problems(*sets, **options):
    return [one.message for one in student_problems(recipes.load_recipe(DEMO, list(sets)), **options)]


def test_the_demo_has_no_problem():
    assert problems(offline=True) == []


@pytest.mark.parametrize("with_base", [True, False])
def test_batch_and_tracker_are_looked_at_and_the_base_only_where_asked(with_base, monkeypatch):
    monkeypatch.setattr("alif.train.tracker.find_spec", lambda name: None)
    sets = ("finetune.micro_batch_size=3", 'runtime.tracker="wandb"', 'student.base="./nowhere"')
    found = problems(*sets, offline=True, with_base=with_base)
    assert len(found) == 2 + with_base
    assert "not a multiple" in found[0]
    assert "wandb" in found[1]


def test_without_torch_a_run_is_refused_and_a_check_is_not(monkeypatch):
    monkeypatch.setattr("alif.train.preflight.find_spec", lambda name: None)
    assert problems('student.base="./nowhere"', offline=True) == []
    assert "training" in problems('student.base="./nowhere"', offline=False)[0]


def test_dpo_on_a_base_in_4_bits_is_refused_before_anything_is_paid():
    sets = ('prefer.loss="dpo"', 'student.quantization="4bit"')
    assert problems(*sets, offline=True) == []
    (found,) = problems(*sets, 'pairs.source="review"', offline=True)
    assert "which rounds its reference" in found


def test_the_stage_of_pairs_is_looked_at_where_there_are_pairs():
    assert problems("prefer.batch_size=3", "prefer.micro_batch_size=2", offline=True) == []
    (found,) = problems(
        "prefer.batch_size=3", "prefer.micro_batch_size=2", 'pairs.source="p.jsonl"', offline=True
    )
    assert "prefer.batch_size = 3 is not a multiple" in found
