from __future__ import annotations

import json

import pytest

from alif.errors import ModelError
from alif.settings import StudentSettings
from alif.student.published import open_published


@pytest.fixture
def folder(model, tokenizer, tmp_path):
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    return tmp_path


def test_a_folder_is_opened_without_its_weights(folder, model):
    found = open_published(StudentSettings(base=str(folder)))
    assert (found.folder, found.commit) == (folder, "")
    assert {parameter.device.type for parameter in found.model.parameters()} == {"meta"}
    assert found.model.num_parameters() == model.num_parameters()
    assert found.tokenizer.eos_token == "<|end|>"


def test_a_shard_that_the_index_lists_and_the_folder_lacks_is_named(folder):
    index = {"weight_map": {"a": "model.safetensors", "b": "model-2.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(ModelError, match=r"no model-2\.safetensors, which"):
        open_published(StudentSettings(base=str(folder)))


def test_offline_a_hub_id_that_is_not_here_is_not_asked_for():
    with pytest.raises(ModelError, match="cannot be reached"):
        open_published(StudentSettings(base="nobody/nothing-at-all"), offline=True)
