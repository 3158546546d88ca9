from __future__ import annotations

import json

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM

from alif import recipe as recipes
from alif.cost import architecture
from alif.errors import ModelError
from alif.settings import Adapter, StudentSettings, Tiny
from alif.student import adapter as adapters

FILES = {file.names[0]: file for file in architecture.known_bases().values()}


def on_meta(config):
    with torch.device("meta"):
        kind = config["model_type"]
        return AutoModelForCausalLM.from_config(
            AutoConfig.for_model(kind, **{k: v for k, v in config.items() if k != "model_type"})
        )


@pytest.mark.parametrize("name", FILES)
def test_a_shipped_architecture_counts_what_the_hub_and_transformers_count(name):
    shape, where = architecture.shape_of(StudentSettings(base=name), Tiny())
    assert where == "shipped"
    assert shape.parameters == FILES[name].parameters
    assert adapters.count_parameters(on_meta(FILES[name].config)).total == shape.parameters


@pytest.mark.parametrize("name", recipes.shipped_recipes())
def test_every_shipped_recipe_is_built_dry_and_trains_the_share_that_is_told(name):
    recipe = recipes.load_recipe(recipes.shipped_recipes()[name])
    if recipe.student.base == "tiny":
        shape, _ = architecture.shape_of(recipe.student, recipe.tiny)
        config = shape.model_dump()
    else:
        config = architecture.known_bases()[recipe.student.base].config
        shape, _ = architecture.shape_of(recipe.student, recipe.tiny)
        assert len(recipe.student.revision.removeprefix("sha256:")) in (40, 64)
        for stage in (recipe.pretrain, recipe.finetune):
            assert stage.max_seq_length <= config["max_position_embeddings"]
            assert stage.batch_size % stage.micro_batch_size == 0
    with torch.device("meta"):
        share = adapters.count_parameters(adapters.add_adapter(on_meta(config), recipe.adapter))
    told = architecture.count_trained(shape, recipe.adapter)
    assert (share.trainable, share.total) == (told.trainable, told.base + told.trainable)
    assert share.percent == pytest.approx(told.percent)


def test_the_papers_numbers():
    told = architecture.count_trained(architecture.shape_of(StudentSettings(), Tiny())[0], Adapter())
    assert (told.trainable, round(told.percent, 2)) == (1_386_217_472, 14.72)
    assert round(100 * told.trainable / told.base, 2) == 17.26


def test_a_base_that_nobody_knows_is_a_sentence(tmp_path):
    with pytest.raises(ModelError, match="no architecture of this base is shipped"):
        architecture.shape_of(StudentSettings(base="nobody/nothing"), Tiny())
    (tmp_path / "config.json").write_text(json.dumps({"hidden_size": 8}))
    with pytest.raises(ModelError, match="has no vocab_size"):
        architecture.shape_of(StudentSettings(base=str(tmp_path)), Tiny())


def test_a_folder_is_read_and_what_it_leaves_out_follows(tmp_path):
    config = {
        "vocab_size": 100,
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    shape, where = architecture.shape_of(StudentSettings(base=str(tmp_path)), Tiny())
    assert where == "measured"
    assert (shape.head_dim, shape.num_key_value_heads, shape.tie_word_embeddings) == (4, 4, False)
