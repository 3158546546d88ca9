from __future__ import annotations

from types import SimpleNamespace

import pytest

from alif import recipe as recipes
from alif.errors import ModelError, RecipeError
from alif.settings import Pretrain, Recipe, StudentSettings
from alif.student.published import open_published
from alif.train.student_check import (
    base_problems,
    check_length,
    describe_training,
    prove_training,
    training_problems,
)
from tests.small_bases import CPU, MAMBA, chatty_tokenizer, random_model


def test_a_row_longer_than_the_base_reads_is_refused():
    text = SimpleNamespace(max_position_embeddings=1024)
    config = SimpleNamespace(get_text_config=lambda: text)
    check_length("x", config, "pretrain", Pretrain(max_seq_length=1024))
    with pytest.raises(RecipeError, match=r"pretrain\.max_seq_length = 2048, but x reads at most 1024"):
        check_length("x", config, "pretrain", Pretrain(max_seq_length=2048))


def test_a_hub_id_that_is_not_here_is_no_problem_while_nobody_is_asked():
    demo = recipes.shipped_recipes()["demo"]
    recipe = recipes.load_recipe(demo, ['student.base="nobody/nothing-at-all"'])
    assert base_problems(recipe, offline=True) == []


def test_how_a_base_is_trained_is_told_and_proved(tmp_path):
    tokenizer = chatty_tokenizer()
    model = random_model("qwen3", head_dim=16, vocab_size=len(tokenizer))
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    recipe = Recipe.model_validate({"name": "x", "language": {"pack": "ur"}, "adapter": {"targets": ["mlp"]}})
    base = open_published(StudentSettings(base=str(tmp_path)))
    told = describe_training(recipe, base)
    assert told.startswith("LoRA on gate_proj, up_proj, down_proj; prompts in its chat template")
    assert told.endswith("an answer ends with <|im_end|>; new tokens can be added")
    assert [one.message for one in training_problems(recipe, base)] == [
        f"{stage}.max_seq_length = 4096, but {tmp_path} reads at most 2048 tokens"
        for stage in ("pretrain", "finetune")
    ]
    prove_training(recipe, model, CPU)


def test_a_base_whose_packed_texts_see_each_other_is_found_by_running_it():
    recipe = Recipe.model_validate({"name": "x", "language": {"pack": "ur"}})
    with pytest.raises(ModelError, match="packed texts would see each other"):
        prove_training(recipe, random_model("falcon_h1", **MAMBA), CPU)
