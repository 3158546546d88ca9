"""Bases of other architectures through both stages, export and a reload in plain transformers.

Each is a small random model in a folder as save_pretrained leaves it, with a tokenizer of its own kind.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForImageTextToText,
    AutoTokenizer,
    PreTrainedTokenizerBase,
)

from alif import recipe as recipes
from alif import store
from alif.records import Document, Example, Origin
from alif.release.conversation import Conversation, open_student
from alif.release.export import export
from alif.runs import Run, StepContext, make_context
from alif.runs.curves import CURVE, read_curve
from alif.settings import Adapter, Export, Finetune, Language, Pretrain, Runtime, StudentSettings, Tiny
from alif.student import encode_prompt, load_student, write_prompt
from alif.student import tiny as tinies
from alif.student.text_generation import GeneratedText, generate_texts
from alif.student.weights import read_weights
from alif.train.finetune import train_finetune
from alif.train.preflight import student_problems
from alif.train.prepare_base import prepare_base
from alif.train.pretrain import train_pretrain
from tests import made_up
from tests.small_bases import MAMBA, SIZES, TEXTS, byte_fallback_tokenizer, chatty_tokenizer

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")  # PEFT's own
RUNTIME = Runtime(device="cpu", threads=1)
STAGE: dict[str, Any] = {
    "epochs": 2, "lr": 1e-2, "embedding_lr": 1e-2, "warmup_steps": 0, "max_seq_length": 512, "batch_size": 1,
}  # fmt: skip
ARTICLES = {"ur": [TEXTS[0] * 2, "اردو ایک زبان ہے۔"], "en": [TEXTS[1] * 2]}
ROWS = [("پانی؟", "H2O"), ("لاہور؟", "ایک شہر"), ("آم؟", "ایک پھل"), ("What is water?", "H2O")]
ALL = ("attention", "mlp", "embeddings")


def byte_level() -> PreTrainedTokenizerBase:
    return tinies.train_tokenizer(TEXTS * 3, 320)


BYTES, PIECES, CHAT = byte_level, byte_fallback_tokenizer, chatty_tokenizer
"""BPE over bytes, BPE over sentencepiece's marks with bytes for the unknown, and one with a chat template."""
HEADS = {"head_dim": 16}
GEMMA = {**HEADS, "sliding_window": 16, "attn_logit_softcapping": 5.0, "final_logit_softcapping": 3.0}
GRANITE = {
    "logits_scaling": 4.0, "embedding_multiplier": 6.0, "residual_multiplier": 0.3,
    "attention_multiplier": 0.1,
}  # fmt: skip
VISION = {
    "hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2,
    "image_size": 28, "patch_size": 14,
}  # fmt: skip
EXPERTS = {**HEADS, "num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32}
TABLE: dict[str, tuple[str, Any, dict[str, Any]]] = {
    "llama untied": ("llama", BYTES, {"tie_word_embeddings": False}),
    "llama tied": ("llama", PIECES, {"tie_word_embeddings": True}),
    "llama with biases": ("llama", BYTES, {"attention_bias": True, "mlp_bias": True}),
    "mistral": ("mistral", PIECES, {"sliding_window": 16}),
    "qwen2": ("qwen2", CHAT, {"tie_word_embeddings": True}),
    "qwen3": ("qwen3", CHAT, HEADS),
    "gemma2": ("gemma2", PIECES, GEMMA),
    "gemma3": ("gemma3_text", PIECES, HEADS),
    "phi3": ("phi3", PIECES, {}),
    "granite": ("granite", BYTES, GRANITE),
    "olmo2": ("olmo2", BYTES, {}),
    "apertus": ("apertus", BYTES, {}),
    "cohere2": ("cohere2", BYTES, {"logit_scale": 0.25}),
    "glm4": ("glm4", BYTES, HEADS),
    "gpt_neox": ("gpt_neox", BYTES, {"tie_word_embeddings": False}),
    "gpt2": ("gpt2", BYTES, {"attn_pdrop": 0.0, "resid_pdrop": 0.0, "embd_pdrop": 0.0}),
}


def write_base(folder: Path, kind: str, tokenizer: PreTrainedTokenizerBase, keys: dict[str, Any]) -> None:
    """Write a base of `kind` as it is published."""
    torch.manual_seed(0)
    sizes = {**SIZES, "num_hidden_layers": 2, "vocab_size": len(tokenizer)}
    sizes |= {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
    model: Any = AutoModelForCausalLM.from_config(AutoConfig.for_model(kind, **sizes | keys))
    for parameter in model.parameters():
        if parameter.ndim > 1:
            parameter.data *= 3
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


class Stages:
    """A run folder whose steps are run one by one."""

    def __init__(self, root: Path, base: Path, targets: tuple[str, ...]) -> None:
        self.root, self.student = root, StudentSettings(base=str(base))
        self.adapter = Adapter(rank=4, alpha=8, targets=targets)  # type: ignore[arg-type]
        documents = [
            Document.make(code, text, title="") for code, texts in ARTICLES.items() for text in texts
        ]
        store.write_rows(root / "corpus" / "examples.jsonl", documents)
        rows = [Example.make("ur", "x", ask, "", answer, Origin(kind="seed")) for ask, answer in ROWS]
        store.write_rows(root / "blend" / "examples.jsonl", rows)
        for step in ("corpus", "blend"):
            store.write_rows(root / step / "held_out.jsonl", [])

    def problems(self) -> str:
        """Return what `alif check` finds."""
        demo = recipes.load_recipe(recipes.shipped_recipes()["demo"])
        recipe = demo.model_copy(update={"student": self.student, "adapter": self.adapter})
        return "\n".join(map(str, student_problems(recipe, offline=True)))

    def context(self, step: str, *needs: str) -> StepContext:
        (self.root / step).mkdir()
        inputs = {need: self.root / need for need in needs}
        return make_context(Run(self.root), step, RUNTIME, inputs=inputs, folder=self.root / step)

    def run(self, **changes: Any) -> None:
        """Go through base, both stages and export."""
        stage = STAGE | changes
        context = self.context("base", "corpus")
        with context.output:
            prepare_base(context, Language(), self.student, Tiny())
        context = self.context("pretrain", "base", "corpus")
        with context.output:
            train_pretrain(context, Language(), self.adapter, Pretrain(**stage))
        context = self.context("finetune", "base", "pretrain", "blend")
        with context.output:
            facts = train_finetune(context, Language(), self.adapter, Finetune(**stage))
        made_up.write_step(self.root, "finetune", facts)
        assert facts.first_loss
        assert facts.last_loss
        assert facts.last_loss < facts.first_loss
        export(self.context("export", "base", "finetune"), Export(dtype="float32"))


def check_reload(stages: Stages, base: Any) -> Any:
    """Compare the exported folder in plain transformers with base + adapter, which is no longer `base`."""
    folder = stages.root / "export" / "model"
    loaded, found = AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True)
    assert not found["missing_keys"]
    assert not found["unexpected_keys"]
    adapter = stages.root / "finetune" / "adapter"
    weights = read_weights(adapter / "adapter_model.safetensors")
    assert all(bool(weight.any()) for name, weight in weights.items() if "lora_B" in name)  # 0 at first
    student = load_student(stages.root / "base", adapter, RUNTIME, dtype=torch.float32)
    tokens = torch.tensor([AutoTokenizer.from_pretrained(folder)(TEXTS[0])["input_ids"]])
    with torch.inference_mode():
        before, trained, again = (one.eval()(tokens).logits for one in (base, student.model, loaded))
        scale = float(trained.abs().max())
        torch.testing.assert_close(again, trained, atol=1e-4 * scale, rtol=0)
        if type(base) is type(loaded):  # PEFT alone opens the adapter too
            alone = PeftModel.from_pretrained(base, adapter).eval()(tokens).logits
            torch.testing.assert_close(alone, trained, atol=1e-4 * scale, rtol=0)
    assert float((again - before).abs().max()) > 1e-2 * scale
    return loaded


@pytest.mark.parametrize("name", TABLE)
def test_a_base_goes_through_both_stages_and_opens_in_plain_transformers(name: str, tmp_path: Path) -> None:
    kind, tokenizer, keys = TABLE[name]
    write_base(tmp_path / "published", kind, tokenizer(), keys)
    stages = Stages(tmp_path, tmp_path / "published", ALL)
    assert stages.problems() == ""
    stages.run()
    check_reload(stages, AutoModelForCausalLM.from_pretrained(tmp_path / "published"))


def test_of_a_base_that_reads_images_the_language_tower_is_trained(tmp_path: Path) -> None:
    tokenizer = PIECES()
    torch.manual_seed(0)
    text = {**SIZES, **HEADS, "num_hidden_layers": 2, "vocab_size": len(tokenizer)}
    config = AutoConfig.for_model("gemma3", text_config=text, vision_config=VISION, mm_tokens_per_image=4)
    whole = AutoModelForImageTextToText.from_config(config).eval()
    whole.save_pretrained(tmp_path / "published")
    tokenizer.save_pretrained(tmp_path / "published")
    stages = Stages(tmp_path, tmp_path / "published", ALL)
    assert stages.problems() == ""
    stages.run()
    assert type(check_reload(stages, whole)).__name__ == "Gemma3ForCausalLM"
    student = load_student(stages.root / "base", None, RUNTIME)
    tokens = torch.tensor([tokenizer(TEXTS[0])["input_ids"]])
    with torch.inference_mode():
        assert torch.equal(student.model(tokens).logits, whole(tokens).logits)


@pytest.mark.parametrize(("kind", "keys"), [("qwen3_moe", EXPERTS), ("mixtral", {"num_local_experts": 4})])
def test_experts_are_refused_by_name_and_the_rest_of_their_base_is_trained(
    kind: str, keys: dict[str, Any], tmp_path: Path
) -> None:
    write_base(tmp_path / "published", kind, CHAT(), keys)
    stages = Stages(tmp_path, tmp_path / "published", ALL)
    assert "mixture of experts" in stages.problems()
    assert "model.layers.0.mlp.experts" in stages.problems()
    assert 'adapter.targets = ["attention", "embeddings"]' in stages.problems()
    stages = Stages(tmp_path, tmp_path / "published", ("attention", "embeddings"))
    assert stages.problems() == ""
    stages.run()
    check_reload(stages, AutoModelForCausalLM.from_pretrained(tmp_path / "published"))


def test_layers_that_hand_on_a_state_stay_frozen_and_go_padded(tmp_path: Path) -> None:
    write_base(tmp_path / "published", "falcon_h1", BYTES(), MAMBA)
    stages = Stages(tmp_path, tmp_path / "published", ALL)
    assert "FalconH1Mixer" in stages.problems()
    stages.run(packing="padded")
    check_reload(stages, AutoModelForCausalLM.from_pretrained(tmp_path / "published"))
    saved = store.read_json(stages.root / "finetune" / "adapter" / "adapter_config.json")
    assert not {"in_proj", "out_proj"} & set(saved["target_modules"])


def test_a_base_whose_turns_end_with_another_token_than_its_texts_stops_everywhere(tmp_path: Path) -> None:
    """As Qwen2.5's -Base: the template's <|im_end|> is learned, the tokenizer's end is another token."""
    tokenizer, answer = CHAT(), "جی ہاں۔"
    turn, text = tokenizer.convert_tokens_to_ids("<|im_end|>"), tokenizer.eos_token_id
    write_base(tmp_path / "published", "qwen2", tokenizer, {"tie_word_embeddings": True})
    settings = store.read_json(tmp_path / "published" / "generation_config.json")
    assert settings["eos_token_id"] == text
    store.write_json(tmp_path / "published" / "generation_config.json", settings | {"max_new_tokens": 2048})
    stages = Stages(tmp_path, tmp_path / "published", ALL)
    rows = [Example.make("ur", "x", ask, "", answer, Origin(kind="seed")) for ask, _ in ROWS]
    store.write_rows(tmp_path / "blend" / "examples.jsonl", rows)
    store.write_rows(tmp_path / "blend" / "held_out.jsonl", [{"id": rows[0].id}])
    stages.run(epochs=40, eval_steps=40)
    points = read_curve(tmp_path / "runtime" / "finetune" / CURVE)
    assert points[-1]["samples"][0]["text"] == answer
    ask = encode_prompt(write_prompt(ROWS[1][0], "", "auto", tokenizer), tokenizer)
    student = load_student(tmp_path / "base", tmp_path / "finetune" / "adapter", RUNTIME)
    assert generate_texts(student, [ask], 64) == [GeneratedText(answer, finished=True)]
    assert Conversation(open_student(tmp_path, RUNTIME)).ask(ROWS[1][0]) == answer
    folder = tmp_path / "export" / "model"
    written = store.read_json(folder / "generation_config.json")
    assert written["eos_token_id"] == sorted([turn, text])
    assert "max_new_tokens" not in written
    assert store.read_json(folder / "tokenizer_config.json")["chat_template"] == tokenizer.chat_template
    assert (folder / "chat_template.jinja").read_text() == tokenizer.chat_template
    plain = AutoModelForCausalLM.from_pretrained(folder)
    tokens = plain.generate(torch.tensor([ask]), max_new_tokens=64)[0, len(ask) :].tolist()
    assert tokens[-1] == turn
    assert tokenizer.decode(tokens[:-1]) == answer
