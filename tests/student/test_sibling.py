"""A sibling's tensors by the names of a model's parameters, in one file, in shards, and on the hub."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM

from alif.errors import ModelError
from alif.settings import Merge
from alif.student.sibling import add_sibling, check_sibling, open_sibling, open_tensors
from tests.hub_server import Hub, Repository
from tests.small_bases import chatty_tokenizer, random_model


def publish(folder: Path, **keys) -> Path:
    model = random_model("llama", **keys)
    tokenizer = chatty_tokenizer()
    model.resize_token_embeddings(len(tokenizer))
    model.save_pretrained(folder, max_shard_size="100KB")
    tokenizer.save_pretrained(folder)
    return folder


def test_every_tensor_of_a_sharded_folder_is_found(tmp_path: Path) -> None:
    folder = publish(tmp_path / "model")
    tensors = open_tensors(str(folder), "", tmp_path / "none")
    assert len({path for path, _ in tensors.places.values()}) > 2
    for name, parameter in AutoModelForCausalLM.from_pretrained(folder).named_parameters():
        assert torch.equal(tensors.read(name), parameter.float())
    with pytest.raises(ModelError, match=r"have no model\.nothing"):
        tensors.read("model.nothing")


def test_names_of_a_language_tower_and_names_without_their_prefix(tmp_path: Path) -> None:
    values = {
        "model.language_model.norm.weight": torch.ones(2), "h.0.ln_1.weight": torch.zeros(2),
        "model.visual.weight": torch.ones(3),
    }  # fmt: skip
    save_file(values, tmp_path / "model.safetensors")
    tensors = open_tensors("x", "", tmp_path)
    assert torch.equal(tensors.read("model.norm.weight"), torch.ones(2))
    assert torch.equal(tensors.read("transformer.h.0.ln_1.weight"), torch.zeros(2))


def test_a_damaged_file_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"{}")
    with pytest.raises(ModelError, match="damaged safetensors file"):
        open_tensors("x", "", tmp_path)


@pytest.mark.parametrize("shards", [False, True])
def test_a_sibling_on_the_hub_is_fetched(shards: bool, tmp_path: Path, stand_in_hub: Hub) -> None:
    folder = publish(tmp_path / "model")
    if not shards:
        AutoModelForCausalLM.from_pretrained(folder).save_pretrained(tmp_path / "whole")
        folder = tmp_path / "whole"
        chatty_tokenizer().save_pretrained(folder)
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    stand_in_hub.repositories["o/instruct"] = Repository(private=False, files=files)
    sibling = open_sibling(Merge(weights=[0.5], instruct="o/instruct"))
    assert sibling.commit == stand_in_hub.repositories["o/instruct"].sha
    check_sibling(sibling, sibling, extended=False)
    tensors, here = (
        open_tensors("o/instruct", sibling.commit, tmp_path / "none"),
        open_tensors("", "", folder),
    )
    assert tensors.places.keys() == here.places.keys()
    assert torch.equal(tensors.read("model.norm.weight"), here.read("model.norm.weight"))


def test_a_sibling_that_the_hub_does_not_have_is_named_by_its_key(stand_in_hub: Hub) -> None:
    with pytest.raises(ModelError, match=r'merge\.instruct = "o/none": o/none: cannot be opened'):
        open_sibling(Merge(weights=[0.5], instruct="o/none"))


def test_what_has_no_sibling_stays_as_it_is(tmp_path: Path) -> None:
    model = random_model("llama")
    before = {name: parameter.clone() for name, parameter in model.named_parameters()}
    add_sibling(model, tmp_path)
    assert all(torch.equal(parameter, before[name]) for name, parameter in model.named_parameters())
