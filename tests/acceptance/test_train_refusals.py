"""The faults in training that are told by a base's files, before anything is paid, by their number."""

from __future__ import annotations

import contextlib
import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM

from alif import recipe as recipes
from alif.cost import architecture
from alif.errors import AlifError, ModelError
from alif.settings import Pretrain, Recipe, StudentSettings, Tiny
from alif.student.published import open_published
from alif.student.weights import digest_model, friendly_model_errors
from alif.train import mfu
from alif.train.preflight import student_problems
from alif.train.probe import choose_training_form
from tests.small_bases import CHATML, CPU, MAMBA, SIZES, packed_and_alone, random_model


def write_config(folder: Path, **config: Any) -> StudentSettings:
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    return StudentSettings(base=str(folder))


PUBLISHED = {
    "aya-expanse-8b": ({
        "model_type": "cohere", "vocab_size": 256000, "hidden_size": 4096, "intermediate_size": 14336,
        "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8,
    }, 8_028_033_024),
    "gemma2-2b": ({
        "model_type": "gemma2", "vocab_size": 256000, "hidden_size": 2304, "intermediate_size": 9216,
        "num_hidden_layers": 26, "num_attention_heads": 8, "num_key_value_heads": 4, "head_dim": 256,
    }, 2_614_341_888),
    "gemma3-1b": ({
        "model_type": "gemma3_text", "vocab_size": 262144, "hidden_size": 1152, "intermediate_size": 6912,
        "num_hidden_layers": 26, "num_attention_heads": 4, "num_key_value_heads": 1, "head_dim": 256,
    }, 999_885_952),
    "gemma3-1b as a tower": ({
        "model_type": "gemma3", "vision_config": {}, "text_config": {
            "model_type": "gemma3_text", "vocab_size": 262144, "hidden_size": 1152,
            "intermediate_size": 6912, "num_hidden_layers": 26, "num_attention_heads": 4,
            "num_key_value_heads": 1, "head_dim": 256,
        },
    }, 999_885_952),
    "phi-3-mini": ({
        "model_type": "phi3", "vocab_size": 32064, "hidden_size": 3072, "intermediate_size": 8192,
        "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 32,
    }, 3_821_079_552),
}  # fmt: skip


@pytest.mark.parametrize("name", PUBLISHED)
def test_train_6_the_plan_counts_the_model_that_is_there(name: str, tmp_path: Path) -> None:
    config, parameters = PUBLISHED[name]
    shape, _ = architecture.shape_of(write_config(tmp_path, **config), Tiny())
    assert shape.parameters == parameters
    assert shape.tie_word_embeddings == ("phi" not in name)


@pytest.mark.parametrize(
    "more",
    [
        {"model_type": "mixtral", "num_local_experts": 8},
        {"model_type": "qwen3_moe", "num_experts": 128},
        {"model_type": "falcon_h1", "mamba_d_ssm": 1536},
        {"model_type": "llama", "num_local_experts": 8},
        {"model_type": "gemma3", "text_config": {}},
    ],
)
def test_train_6_a_model_that_cannot_be_counted_is_refused(more: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        architecture.shape_of(write_config(tmp_path, **SIZES, **more), Tiny())


def recipe_of(base: object, *sets: str) -> Recipe:
    demo = recipes.shipped_recipes()["demo"]
    return recipes.load_recipe(demo, [f'student.base="{base}"', *sets])


def problems(base: object, *sets: str) -> str:
    return "\n".join(str(one) for one in student_problems(recipe_of(base, *sets), offline=True))


def test_train_7_a_good_base_has_no_problem(published: Path) -> None:
    assert problems(published) == ""


@pytest.mark.parametrize("name", ["./nope/qwen", "/none", "nope"])
def test_train_7_a_folder_that_is_not_there(name: str) -> None:
    assert "no such folder" in problems(name)


@pytest.mark.parametrize("harm", ["shard missing", "shard cut", "bin only"])
def test_train_7_weights_that_are_not_whole(harm: str, published: Path) -> None:
    path = published / "model.safetensors"
    if harm == "shard cut":
        path.write_bytes(path.read_bytes()[:-100])
    elif harm == "bin only":
        path.rename(published / "pytorch_model.bin")
    else:
        weight_map = {"a": "model.safetensors", "b": "model-00002-of-00002.safetensors"}
        (published / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))
    expected = {"shard missing": "model-00002-of-00002", "shard cut": "damaged", "bin only": "no weights"}
    assert expected[harm] in problems(published)


@pytest.mark.parametrize(
    ("sets", "expected"),
    [
        (["pretrain.max_seq_length=4096"], "reads at most 2048"),
        (['finetune.prompt_template="chat"'], "no chat template"),
        (["finetune.micro_batch_size=3"], "not a multiple"),
        (['runtime.tracker="wandb"'], "wandb"),
    ],
)
def test_train_7_settings_that_the_base_cannot_follow(
    sets: list[str], expected: str, published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alif.train.tracker.find_spec", lambda name: None)
    assert expected in problems(published, *sets)


def test_train_7_a_thinking_template_is_found_before_stage_1(published: Path) -> None:
    path = published / "tokenizer_config.json"
    thinking = CHATML.replace("assistant\n{% endif", "assistant\n<think>\n{% endif")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"chat_template": thinking}))
    assert "does not continue its own prompt" in problems(published)


@pytest.mark.parametrize(
    ("kind", "keys", "expected"),
    [
        ("mixtral", {}, "mixture of experts .*model.layers.0.mlp.experts, MixtralExperts"),
        ("qwen3_moe", {"head_dim": 16}, "mixture of experts .*Qwen3MoeExperts"),
        ("olmoe", {}, "mixture of experts .*OlmoeExperts"),
        ("gpt_oss", {"head_dim": 16}, "mixture of experts .*GptOssExperts"),
        ("falcon_h1", MAMBA, "packed texts would see each other"),
        ("qwen3_5_text", {}, "packed texts would see each other"),
    ],
)
def test_train_7_a_base_that_can_never_be_trained(
    kind: str, keys: dict[str, Any], expected: str, published: Path
) -> None:
    AutoConfig.for_model(kind, **SIZES, **keys).save_pretrained(published)
    assert re.search(expected, problems(published))


@pytest.mark.parametrize(
    ("kind", "keys", "targets"),
    [
        ("phi3", {}, ["attention", "mlp", "embeddings"]),
        ("glm4", {"head_dim": 16}, ["mlp"]),
        ("gemma2", {"head_dim": 16}, ["attention", "mlp", "embeddings"]),
        ("mixtral", {}, ["attention", "embeddings"]),
    ],
)
def test_train_7_a_base_of_another_form_that_can_be_trained(
    kind: str, keys: dict[str, Any], targets: list[str], published: Path
) -> None:
    AutoConfig.for_model(kind, **SIZES, **keys).save_pretrained(published)
    assert problems(published, f"adapter.targets={json.dumps(targets)}") == ""


def test_train_7_added_tokens_on_a_tokenizer_that_takes_none(published: Path) -> None:
    content = json.loads((published / "tokenizer.json").read_text())
    content["pre_tokenizer"] = None
    (published / "tokenizer.json").write_text(json.dumps(content))
    assert "student.added_tokens" in problems(published, "student.added_tokens=8")


def test_train_8_a_statistic_that_fails_stops_nothing() -> None:
    assert mfu.model_flops(random_model("llama"), 1.0, 100)
    mfu.model_flops(random_model("gemma4_text", head_dim=16), 1.0, 100)
    strange = torch.nn.Linear(2, 2)
    strange.config = SimpleNamespace(get_text_config=SimpleNamespace)  # type: ignore[assignment]
    assert mfu.model_flops(strange, 1.0, 100) is None


def test_train_8_gemma_4_trains_its_own_loss() -> None:
    packed, alone = packed_and_alone("gemma4_text", head_dim=16)
    assert packed == pytest.approx(alone, rel=1e-3)


def test_train_8_of_a_model_that_reads_images_the_language_tower_is_looked_at(published: Path) -> None:
    AutoConfig.for_model("gemma3").save_pretrained(published)
    assert problems(published) == ""
    AutoConfig.for_model("qwen2_5_vl").save_pretrained(published)
    assert "reads more than text" in problems(published)


def test_train_9_what_the_library_refuses_is_a_sentence() -> None:
    linear = {f"linear_{name}": 2 for name in ("num_key_heads", "num_value_heads")}
    model = random_model("qwen3_5_text", linear_key_head_dim=16, linear_value_head_dim=16, **linear)
    with pytest.raises(ModelError, match="library cannot run two packed texts"):
        choose_training_form(model, Pretrain(), CPU)


def test_train_14_the_code_of_a_model_is_neither_run_nor_asked_for(
    published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (published / "code.py").write_text(f"open({str(published / 'ran')!r}, 'w')")
    path = published / "config.json"
    own = {"model_type": "stranger", "auto_map": {"AutoConfig": "code.C", "AutoModelForCausalLM": "code.M"}}
    path.write_text(json.dumps(json.loads(path.read_text()) | own))
    monkeypatch.setattr("builtins.input", lambda *args: pytest.fail("asked"))
    with pytest.raises(AlifError, match="cannot be opened as a model"):
        open_published(StudentSettings(base=str(published)))
    assert not (published / "ran").exists()


@pytest.mark.parametrize("file", ["config.json", "tokenizer_config.json"])
def test_reliability_l5_the_code_of_a_model_or_tokenizer_is_neither_run_nor_asked_for(
    published: Path, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    (published / "code.py").write_text(f"open({str(published / 'ran')!r}, 'w')")
    own = {"auto_map": {"AutoConfig": "code.C", "AutoModelForCausalLM": "code.M", "AutoTokenizer": "code.T"}}
    own |= {"model_type": "stranger"} if file == "config.json" else {"tokenizer_class": "T"}
    path = published / file
    path.write_text(json.dumps(json.loads(path.read_text()) | own))
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda *args: pytest.fail("asked"))
    with contextlib.suppress(AlifError):
        open_published(StudentSettings(base=str(published)))
    assert not (published / "ran").exists()


def test_reliability_l5_pickled_weights_that_run_code_are_a_sentence(published: Path) -> None:
    class Hostile:
        def __reduce__(self) -> tuple[Any, ...]:
            return (open, (str(published / "ran"), "w"))

    (published / "model.safetensors").unlink()
    torch.save({"lm_head.weight": Hostile()}, published / "pytorch_model.bin")
    assert "no weights in safetensors" in problems(published)
    refused = pytest.raises(ModelError, match="cannot be opened as a model")
    with refused as error, friendly_model_errors("hub/base"):  # as of a hub's
        AutoModelForCausalLM.from_pretrained(published)
    assert "safetensors" in error.value.hint
    assert not (published / "ran").exists()


def test_train_18c_a_readme_or_a_cache_beside_the_weights_changes_nothing(published: Path) -> None:
    before = digest_model(published)
    (published / "README.md").write_text("later")
    (published / ".cache").mkdir()
    (published / ".cache" / "refs.json").write_text("{}")
    assert digest_model(published) == before


def test_train_18e_a_quantized_base_is_named_as_such(published: Path) -> None:
    path = published / "config.json"
    quantized = {"quantization_config": {"quant_method": "gptq", "bits": 4}}
    path.write_text(json.dumps(json.loads(path.read_text()) | quantized))
    assert "quantized already" in problems(published)
