"""Step merge: every parameter of a merged model is what the formula says, computed here on whole models."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from alif import store
from alif.errors import ModelError
from alif.facts.release_facts import ExportFacts
from alif.facts.training_facts import BaseFacts, FertilityFacts, MergeFacts
from alif.runs import Run, StepContext, make_context
from alif.settings import Adapter, Merge, Runtime
from alif.student import Base, load_student, merge_adapter
from alif.student import adapter as adapters
from alif.student.base import extend_base
from alif.train.merge import merge_models
from tests import made_up
from tests.small_bases import TEXTS, chatty_tokenizer, random_model
from tests.student.test_gguf_file import write_gguf

CPU = Runtime(device="cpu", threads=1)
NO_FERTILITY = FertilityFacts(tokenizer={}, tokenizer_cost=None)
TOKENS = torch.arange(3, 27).reshape(2, 12)


@dataclass
class Scene:
    """A run with a base and a trained adapter, and a sibling of the base in a folder of three shards."""

    run: Path
    sibling: Path
    context: StepContext

    def merge(self, **keys) -> MergeFacts:
        return merge_models(self.context, Merge.model_validate(keys))

    def parameters(self, adapter: Path | None) -> dict[str, torch.Tensor]:
        """All parameters of the base with an adapter, merged."""
        model = merge_adapter(load_student(self.run / "base", adapter, CPU, dtype=torch.float32))
        return {name: parameter.clone() for name, parameter in model.named_parameters()}


def build(
    folder: Path, kind: str = "llama", added: int = 0, targets=("attention", "mlp", "embeddings"), **keys
):
    model, tokenizer = random_model(kind, **keys), chatty_tokenizer()
    model.resize_token_embeddings(len(tokenizer))
    published = folder / "published"
    model.save_pretrained(published)
    tokenizer.save_pretrained(published)
    generator = torch.Generator().manual_seed(5)
    for parameter in model.parameters():
        parameter.data += 0.1 * parameter.data.std() * torch.randn(parameter.shape, generator=generator)
    sibling = folder / "sibling"
    model.save_pretrained(sibling, max_shard_size="100KB")
    tokenizer.save_pretrained(sibling)
    run = folder / "run"
    own = run / "base" / "model"
    shutil.copytree(published, own)
    base = Base(base=str(published), parameters=1, digest=store.sha256_tree(own))
    if added:
        base = extend_base(base, TEXTS * 9, added, own)
    store.write_json(run / "base" / "base.json", base.model_dump())
    facts = BaseFacts(
        **base.model_dump(), **NO_FERTILITY.model_dump(), extended=NO_FERTILITY if added else None
    )
    made_up.write_step(run, "base", facts)
    start = AutoModelForCausalLM.from_pretrained(own, dtype=torch.float32)
    wrapped = adapters.add_adapter(start, Adapter(rank=4, targets=targets))
    for parameter in wrapped.parameters():
        if parameter.requires_grad:
            parameter.data += 0.05 * torch.randn(parameter.shape, generator=generator)
    adapters.save_adapter(wrapped, run / "finetune" / "adapter", str(published))
    inputs = {step: run / step for step in ("base", "finetune")}
    return Scene(run, sibling, make_context(Run(run), "merge", CPU, inputs=inputs, folder=run / "merge"))


@pytest.fixture(params=[False, True], ids=["untied", "tied"])
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Scene:
    return build(tmp_path, tie_word_embeddings=request.param)


def logits(model) -> torch.Tensor:
    with torch.inference_mode():
        return model(TOKENS).logits


def test_its_ends_are_the_base_and_the_fine_tuned_model(scene: Scene) -> None:
    scene.merge(weights=[0, 1])
    base, own = scene.run / "base", scene.run / "finetune" / "adapter"
    for merged, end in (("merge-1", own), ("merge-0", None)):
        found = load_student(base, scene.run / "merge" / merged, CPU)
        assert torch.equal(logits(found.model), logits(load_student(base, end, CPU).model)), merged
    assert scene.parameters(own).keys() == scene.parameters(None).keys()


def test_between_base_and_ours_every_parameter_is_between(scene: Scene) -> None:
    facts = scene.merge(weights=[0.6])
    assert facts == MergeFacts(instruct="", instruct_digest="", weights={"merge-0.6": (0.6, 0.0)})
    adapter = scene.run / "merge" / "merge-0.6"
    assert sorted(path.name for path in adapter.iterdir()) == [
        "adapter_config.json", "adapter_model.safetensors",
    ]  # fmt: skip
    base, ours = scene.parameters(None), scene.parameters(scene.run / "finetune" / "adapter")
    for name, found in scene.parameters(adapter).items():
        torch.testing.assert_close(found, base[name] + 0.6 * (ours[name] - base[name]), msg=name)


@pytest.mark.parametrize(
    "keys",
    [{}, {"targets": ("attention",)}, {"added": 12}, {"added": 12, "tie_word_embeddings": True},
     {"kind": "gpt2"}, {"kind": "qwen2", "tie_word_embeddings": True}],
    ids=lambda keys: "-".join(map(str, keys.values())) or "plain",
)  # fmt: skip
def test_with_a_sibling_every_parameter_is_what_the_formula_says(keys, tmp_path: Path) -> None:
    scene = build(tmp_path, **keys)
    assert len(list(scene.sibling.glob("*.safetensors"))) > 1
    scene.merge(weights=[0.6, 1], instruct=str(scene.sibling), instruct_weights=[0.3, 0])
    base, ours = scene.parameters(None), scene.parameters(scene.run / "finetune" / "adapter")
    sibling = dict(
        AutoModelForCausalLM.from_pretrained(scene.sibling, dtype=torch.float32).named_parameters()
    )
    assert sibling.keys() == base.keys()
    for name, found in scene.parameters(scene.run / "merge" / "merge-0.6-0.3").items():
        known = len(sibling[name])
        start = base[name][:known]
        expected = start + 0.6 * (ours[name][:known] - start) + 0.3 * (sibling[name] - start)
        torch.testing.assert_close(found[:known], expected, msg=name)
        if known < len(found):  # added tokens: the sibling has none
            assert keys.get("added")
            torch.testing.assert_close(found[known:], ours[name][known:], msg=name)
    plain = logits(load_student(scene.run / "base", scene.run / "finetune" / "adapter", CPU).model)
    merged = load_student(scene.run / "base", scene.run / "merge" / "merge-1-0", CPU)
    torch.testing.assert_close(logits(merged.model), plain)


def test_a_sibling_that_was_changed_is_refused_when_it_is_opened(tmp_path: Path) -> None:
    scene = build(tmp_path)
    scene.merge(weights=[0.6], instruct=str(scene.sibling))
    (scene.sibling / "config.json").write_text((scene.sibling / "config.json").read_text() + " ")
    with pytest.raises(ModelError, match=r"not the model that merge-0\.6-0\.4 was merged with"):
        load_student(scene.run / "base", scene.run / "merge" / "merge-0.6-0.4", CPU)


def refuse(scene: Scene, sibling: Path, message: str) -> None:
    with pytest.raises(ModelError, match=message) as error:
        scene.merge(weights=[0.6], instruct=str(sibling))
    assert "merge.instruct" in error.value.message


def test_another_family_shape_vocabulary_or_base_is_refused(tmp_path: Path) -> None:
    scene = build(tmp_path)
    others = {
        "model_type is mistral, and the base's is llama": ("mistral", {}),
        "num_attention_heads is 8": ("llama", {"num_attention_heads": 8, "num_key_value_heads": 4}),
        r"mlp\.gate_proj\.weight has the shape \[80, 64\], and has \[96, 64\]": (
            "llama", {"intermediate_size": 80},
        ),
        r"layers\.3\.\S+ is not there": ("llama", {"num_hidden_layers": 3}),
        r"it has model\.layers\.4": ("llama", {"num_hidden_layers": 5}),
        "tie_word_embeddings|lm_head.weight is not there": ("llama", {"tie_word_embeddings": True}),
        r"embed_tokens\.weight has the shape \[318, 64\]": ("llama", {"rows": 318}),
    }  # fmt: skip
    tokenizer = AutoTokenizer.from_pretrained(scene.sibling)
    for number, (message, (kind, keys)) in enumerate(others.items()):
        rows = keys.pop("rows", len(tokenizer))
        model = random_model(kind, **keys)
        model.resize_token_embeddings(rows)
        model.save_pretrained(tmp_path / str(number))
        tokenizer.save_pretrained(tmp_path / str(number))
        refuse(scene, tmp_path / str(number), message)


def test_another_vocabulary_of_the_same_size_is_refused(tmp_path: Path) -> None:
    scene = build(tmp_path)
    path = scene.sibling / "tokenizer.json"
    text = store.read_json(path)
    by_number = {number: token for token, number in text["model"]["vocab"].items()}
    text["model"]["vocab"] |= {by_number[300]: 301, by_number[301]: 300}
    store.write_json(path, text)
    refuse(scene, scene.sibling, r"another vocabulary: token 30[01]")


def test_a_stranger_of_the_same_shape_is_refused_and_so_is_the_base_itself(tmp_path: Path) -> None:
    scene = build(tmp_path)
    stranger = AutoModelForCausalLM.from_pretrained(scene.sibling)
    for parameter in stranger.parameters():
        parameter.data = torch.randn(parameter.shape) * parameter.data.std()
    stranger.save_pretrained(tmp_path / "stranger")
    AutoTokenizer.from_pretrained(scene.sibling).save_pretrained(tmp_path / "stranger")
    refuse(scene, tmp_path / "stranger", r"made of another base: \S+ has a cosine of -?0\.0")
    refuse(scene, scene.run / "base" / "model", "it is the base itself")


def test_an_export_of_a_run_on_another_base_is_refused_by_its_record(tmp_path: Path) -> None:
    scene = build(tmp_path)
    other = tmp_path / "other" / "export"
    shutil.copytree(scene.sibling, other / "model")
    facts = ExportFacts(
        base="x", base_revision="", base_digest="ab" * 32, dtype="float32", parameters=1, bytes=1,
        largest_logit=1.0, merging_moved_logits_by=0.0, export_moved_logits_by=0.0, same_next_token=1.0,
    )  # fmt: skip
    made_up.write_step(other.parent, "export", facts)
    refuse(scene, other / "model", r"made of another base \(abababababab…\)")
    own = store.read_json(scene.run / "base" / "base.json")["digest"]
    made_up.write_step(other.parent, "export", facts.model_copy(update={"base_digest": own}))
    assert scene.merge(weights=[0.6], instruct=str(other / "model")).instruct == str(other / "model")


@pytest.mark.parametrize("instruct", ["./nowhere", "tiny", "package:no-such-package"])
def test_a_sibling_that_is_not_there_is_a_sentence(instruct: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"merge\.instruct"):
        build(tmp_path).merge(weights=[0.6], instruct=instruct)


def test_a_sibling_in_a_gguf_file_is_dequantized_once(tmp_path: Path) -> None:
    scene = build(tmp_path)
    model = AutoModelForCausalLM.from_pretrained(scene.sibling)
    file = write_gguf(tmp_path / "sibling.gguf", model, AutoTokenizer.from_pretrained(scene.sibling))
    scene.merge(weights=[0.6], instruct=str(file))
    adapter = scene.run / "merge" / "merge-0.6-0.4"
    base, ours = scene.parameters(None), scene.parameters(scene.run / "finetune" / "adapter")
    file.unlink()
    sibling = dict(model.named_parameters())
    for name, found in scene.parameters(adapter).items():
        expected = base[name] + 0.6 * (ours[name] - base[name]) + 0.4 * (sibling[name] - base[name])
        torch.testing.assert_close(found, expected, msg=name)
