from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from alif import settings, store
from alif.errors import ModelError
from alif.settings import Adapter, Runtime, Tiny
from alif.student import adapter as adapters
from alif.student import base as bases
from alif.student import load_student, merge_adapter, tiny
from alif.student.base import Base
from tests.hub_server import Repository

TOKENS = torch.arange(20).reshape(2, 10)


@pytest.fixture
def published(model, tokenizer, tmp_path):
    """A folder as save_pretrained leaves it."""
    folder = tmp_path / "llama"
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def base(published, tmp_path):
    """A finished step `base` of a published base."""
    folder = tmp_path / "base"
    found = bases.record_base(settings.StudentSettings(base=str(published)), Path("unused"))
    store.write_json(folder / "base.json", found.model_dump(mode="json"))
    return folder


def test_a_local_folder_is_recorded_by_digest_and_size(published, model):
    found = bases.record_base(settings.StudentSettings(base=str(published)), Path("unused"))
    assert found.parameters == model.num_parameters()
    assert found.digest == store.sha256_tree(published)


def test_loading_gives_the_models_own_logits(base, model):
    student = load_student(base, None, Runtime(device="cpu"))
    assert not student.model.training
    assert not any(p.requires_grad for p in student.model.parameters())
    with torch.inference_mode():
        assert torch.equal(student.model(input_ids=TOKENS).logits, model(input_ids=TOKENS).logits)


def test_base_and_adapter_merge_to_the_same_logits(base, model, tmp_path):
    wrapped = adapters.add_adapter(model, Adapter(rank=4))
    for parameter in wrapped.parameters():
        if parameter.requires_grad:
            parameter.data += 0.05 * torch.randn(parameter.shape)
    adapters.save_adapter(wrapped, tmp_path / "adapter", "x")
    student = load_student(base, tmp_path / "adapter", Runtime(device="cpu"), dtype=torch.float32)
    with torch.inference_mode():
        before = student.model(input_ids=TOKENS).logits
        merged = merge_adapter(student)
        torch.testing.assert_close(merged(input_ids=TOKENS).logits, before, atol=1e-5, rtol=0)
    assert not any("lora" in name for name, _ in merged.named_parameters())


def test_in_bfloat16_it_can_be_asked_but_not_merged(base, model, tmp_path):
    adapters.save_adapter(adapters.add_adapter(model, Adapter(rank=4)), tmp_path / "adapter", "x")
    student = load_student(base, tmp_path / "adapter", Runtime(device="cpu"), dtype=torch.bfloat16)
    with torch.inference_mode():
        assert torch.isfinite(student.model(input_ids=TOKENS).logits).all()
    with pytest.raises(ValueError, match="merge in float32"):
        merge_adapter(student)


def test_another_model_in_the_bases_place_is_refused(base, published, tokenizer):
    tiny.build_tiny(Tiny(seed=1), tokenizer).save_pretrained(published)
    with pytest.raises(ModelError, match="not the model that this run began with"):
        load_student(base, None, Runtime(device="cpu"))


def test_a_name_that_is_neither_folder_nor_hub_id():
    with pytest.raises(ModelError, match="no such folder, and not a hub id"):
        bases.record_base(settings.StudentSettings(base="tinny"), Path("unused"))


def test_a_hub_id_without_network(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError, match=r"nobody/nothing: cannot be opened as a model") as caught:
        bases.record_base(settings.StudentSettings(base="nobody/nothing@main"), Path("unused"))
    assert "network" in caught.value.hint


@pytest.mark.parametrize(
    ("pattern", "what"),
    [("config.json", "configuration"), ("model.safetensors", "weights"), ("tokenizer*", "tokenizer")],
)
def test_a_folder_that_lacks_a_part(published, pattern, what):
    for path in published.glob(pattern):
        path.unlink()
    with pytest.raises(ModelError, match=f"no {what}"):
        bases.record_base(settings.StudentSettings(base=str(published)), Path("unused"))


def test_a_tokenizer_without_an_end_is_refused(published):
    path = published / "tokenizer_config.json"
    config = json.loads(path.read_text())
    del config["eos_token"]
    path.write_text(json.dumps(config))
    with pytest.raises(ModelError, match="no end-of-text token"):
        bases.record_base(settings.StudentSettings(base=str(published)), Path("unused"))


@pytest.mark.parametrize(
    "harm", [lambda whole: whole[:-100], lambda whole: b"", lambda whole: b"version https://git-lfs"]
)
def test_a_damaged_file_is_named_before_anything_is_recorded(published, harm):
    path = published / "model.safetensors"
    path.write_bytes(harm(path.read_bytes()))
    with pytest.raises(ModelError, match=r"llama/model.safetensors: a damaged safetensors file"):
        bases.record_base(settings.StudentSettings(base=str(published)), Path("unused"))


def other_config(published, base, **values):
    path = published / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))
    found = store.read_json(base / "base.json") | {"digest": store.sha256_tree(published)}
    store.write_json(base / "base.json", found)


def test_a_weight_that_is_missing_is_not_drawn_by_lot(published, base):
    other_config(published, base, num_hidden_layers=3)
    with pytest.raises(ModelError, match=r"it has no model\.layers\.2\.\S+ and 8 more weights") as caught:
        load_student(base, None, Runtime(device="cpu"))
    assert "from one place" in caught.value.hint


def test_a_weight_of_another_shape_is_told(published, base):
    other_config(published, base, intermediate_size=64)
    with pytest.raises(ModelError, match=r"it has another shape of model\.layers\.0\.mlp\.down_proj"):
        load_student(base, None, Runtime(device="cpu"))


def test_a_base_that_the_machine_cannot_hold_is_refused_before_it_is_read(base):
    found = store.read_json(base / "base.json") | {"parameters": 70_553_706_496_000}
    store.write_json(base / "base.json", found)
    with pytest.raises(
        ModelError, match=r"does not fit: 70,553,706,496,000 parameters in float32 are 282,215 GB"
    ) as caught:
        load_student(base, None, Runtime(device="cpu"))
    assert "alif plan RECIPE --gpu" in caught.value.hint


def test_a_tokenizer_without_padding_is_enough(published):
    assert "pad_token" not in json.loads((published / "tokenizer_config.json").read_text())
    bases.record_base(settings.StudentSettings(base=str(published)), Path("unused"))


def test_a_hub_id_that_is_not_there(stand_in_hub):
    with pytest.raises(ModelError, match=r"nobody/nothing: cannot be opened as a model") as caught:
        bases.record_base(settings.StudentSettings(base="nobody/nothing"), Path("unused"))
    assert "Check the name" in caught.value.hint


def test_a_gated_hub_id_says_how_to_get_in(stand_in_hub):
    stand_in_hub.repositories["meta-llama/Llama-9"] = Repository(
        private=False, gated=True, files={"config.json": b"{}"}
    )
    with pytest.raises(ModelError, match=r"meta-llama/Llama-9: cannot be opened") as caught:
        bases.record_base(settings.StudentSettings(base="meta-llama/Llama-9"), Path("unused"))
    assert caught.value.hint == "Accept its licence on the hub, and set HF_TOKEN to a token of that account."


def test_a_public_hub_id_is_pinned_by_its_commit(stand_in_hub, published, model):
    files = {path.name: path.read_bytes() for path in published.iterdir()}
    repository = Repository(private=False, files=files)
    stand_in_hub.repositories["somebody/llama"] = repository
    found = bases.record_base(settings.StudentSettings(base="somebody/llama"), Path("unused"))
    assert (found.revision, found.parameters) == (repository.sha, model.num_parameters())


def test_damaged_weights_are_told(published, tmp_path):
    path = published / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    found = Base(base=str(published), parameters=1, digest=store.sha256_tree(published))
    store.write_json(tmp_path / "base" / "base.json", found.model_dump(mode="json"))
    with pytest.raises(ModelError, match="damaged safetensors"):
        load_student(tmp_path / "base", None, Runtime(device="cpu"))


def test_a_gpu_that_is_not_there(base):
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(ModelError, match="finds no GPU"):
        load_student(base, None, Runtime(device="cuda"))
