"""The exported adapter: LoRA alone on a base that it names by digest; another base is refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from transformers import AutoModelForCausalLM, AutoTokenizer

from alif import store
from alif.errors import DataError, ModelError
from alif.release.adapter_export import AdapterBase, digest_weights, export_adapter, merge_exported
from alif.release.export import TOLERANCE, export, sample_logits
from alif.runs import Run, StepContext, make_context
from alif.settings import Adapter, Export
from alif.student import adapter as adapters
from alif.student.base import read_base
from tests.release.conftest import CPU, SMALL


@pytest.fixture(params=["untied", "tied", "linear layers alone"])
def steps(request: pytest.FixtureRequest, tiny_run: Path, tmp_path: Path) -> StepContext:
    """What `export` is handed: embeddings of their own or shared, trained or not."""
    kind = str(request.param)
    run = tmp_path / "run"
    shutil.copytree(tiny_run, run)
    if kind != "untied":
        tokenizer = AutoTokenizer.from_pretrained(run / "base" / "model")
        model = adapters_base(kind, tokenizer, run)
        targets = ["attention", "mlp"] if kind != "tied" else Adapter().targets
        wrapped = adapters.add_adapter(model, Adapter(rank=4, alpha=8, targets=targets))
        torch.manual_seed(1)
        for parameter in wrapped.parameters():
            if parameter.requires_grad:
                parameter.data += 0.05 * torch.randn_like(parameter)
        shutil.rmtree(run / "finetune" / "adapter")
        adapters.save_adapter(wrapped, run / "finetune" / "adapter", "tiny")
    folder = run / "export"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    inputs = {name: run / name for name in ("base", "finetune")}
    context = make_context(Run(run), "export", CPU, inputs=inputs, folder=folder)
    export(context, Export())
    return context


def adapters_base(kind: str, tokenizer: object, run: Path) -> torch.nn.Module:
    """Replace the run's base by one of another kind, in the run or as a published folder; return it."""
    from alif.student import tiny

    model = tiny.build_tiny(SMALL.model_copy(update={"tied": kind == "tied"}), tokenizer)
    place = run / "base" / "model"
    if kind == "linear layers alone":
        shutil.rmtree(place)
        place = run.parent / "published"
    model.save_pretrained(place)
    tokenizer.save_pretrained(place)
    base = read_base(run / "base").model_copy(update={"base": str(place), "digest": store.sha256_tree(place)})
    store.write_json(run / "base" / "base.json", base.model_dump(mode="json"))
    return model


def write(context: StepContext) -> Path:
    folder = context.folder / "adapter"
    folder.mkdir()
    export_adapter(context.inputs, Export(), CPU, context.folder / "model", folder)
    return folder


def test_it_merges_on_its_base_to_the_exported_model(steps: StepContext, tmp_path: Path) -> None:
    folder = write(steps)
    named = AdapterBase.model_validate(store.read_json(folder / "adapter_base.json"))
    settings = store.read_json(folder / "adapter_config.json")
    with safe_open(folder / "adapter_model.safetensors", framework="pt") as file:
        assert all(".lora_" in name for name in file.keys())  # noqa: SIM118  # vLLM refuses more
    assert settings["modules_to_save"] is None
    own = (folder / "base").is_dir()
    assert own == (named.base == "base")
    place = folder / "base" if own else tmp_path / "published"
    assert named.digest == digest_weights(place)
    assert str(tmp_path) not in (folder / "adapter_config.json").read_text()
    merge_exported(folder, place, tmp_path / "merged")
    found, expected = (
        AutoModelForCausalLM.from_pretrained(one, dtype=torch.float32).eval()
        for one in (tmp_path / "merged", steps.folder / "model")
    )
    logits = [sample_logits(model, 500) for model in (found, expected)]
    assert float((logits[0] - logits[1]).abs().max()) < TOLERANCE["bfloat16"] * float(logits[1].abs().max())
    assert found.config.tie_word_embeddings == expected.config.tie_word_embeddings
    for name in ("generation_config.json", "chat_template.jinja"):
        assert store.read_text(tmp_path / "merged" / name) == store.read_text(steps.folder / "model" / name)
    tokenizers = [AutoTokenizer.from_pretrained(one) for one in (tmp_path / "merged", steps.folder / "model")]
    assert tokenizers[0].get_vocab() == tokenizers[1].get_vocab()


def test_another_base_is_refused(steps: StepContext, tmp_path: Path) -> None:
    folder = write(steps)
    with pytest.raises(ModelError, match="not the base of this adapter: its weights are sha256:") as error:
        merge_exported(folder, steps.folder / "model", tmp_path / "merged")
    assert "garbage" in error.value.hint
    assert not (tmp_path / "merged").exists()


def test_what_is_no_adapter_or_has_no_base_is_a_sentence(tiny_run: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no adapter_base\.json: not an exported adapter"):
        merge_exported(tiny_run / "base", None, tmp_path / "merged")
    named = AdapterBase(base="org/model", revision="abc", digest="0" * 64)
    store.write_json(tmp_path / "adapter_base.json", named.model_dump(mode="json"))
    with pytest.raises(DataError, match="no such folder") as error:
        merge_exported(tmp_path, None, tmp_path / "merged")
    assert error.value.hint == "Its base is org/model at abc: name the folder."
    with pytest.raises(ModelError, match="no weights in safetensors"):
        merge_exported(tmp_path, tiny_run / "seeds", tmp_path / "merged")
    with pytest.raises(DataError, match="is there already"):
        merge_exported(tmp_path, None, tiny_run)
