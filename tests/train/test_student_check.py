from __future__ import annotations

from types import SimpleNamespace

import pytest

from alif import recipe as recipes
from alif.errors import RecipeError
from alif.settings import Pretrain
from alif.train.student_check import base_problems, check_length


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
