"""Small random bases and tokenizers of the kinds that are published."""

from __future__ import annotations

import json
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from torch.nn import functional
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast

from alif.settings import Adapter, Pretrain
from alif.student import tiny as tinies
from alif.student.adapter import add_adapter
from alif.student.device import DeviceConfig
from alif.train.loss import ChunkedLossModel
from alif.train.packing import PackedRows, Segment, collate, pack_segments
from alif.train.probe import choose_training_form, training_attention

SIZES: dict[str, Any] = {
    "vocab_size": 320, "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 4,
    "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 2048,
    "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2,
}  # fmt: skip
MAMBA = {
    "mamba_d_ssm": 64, "mamba_n_heads": 4, "mamba_d_head": 16, "mamba_d_state": 16, "mamba_n_groups": 1,
}  # fmt: skip
CPU = DeviceConfig(torch.device("cpu"), torch.float32)
TEXTS = ("پانی زندگی ہے۔ لاہور ایک بڑا شہر ہے۔", "Water is life. Lahore is a city.", "1797 + 56 = 1853")
CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def random_model(kind: str, **keys: Any) -> Any:
    """Return a small random model whose logits are not all alike."""
    torch.manual_seed(0)
    model: Any = AutoModelForCausalLM.from_config(AutoConfig.for_model(kind, **SIZES | keys))
    for parameter in model.parameters():
        if parameter.ndim > 1:
            parameter.data *= 3
    return model.eval()


def packed_and_alone(kind: str, **keys: Any) -> tuple[float, float]:
    """Return training's loss of two texts in one row, and the library's of each alone."""
    model = random_model(kind, **keys)
    wrapped = add_adapter(model, Adapter(rank=4))
    form = choose_training_form(wrapped, Pretrain(), CPU)
    texts = [torch.randint(3, 320, (length,)).tolist() for length in (40, 23)]
    rows = PackedRows(pack_segments([Segment(str(n), text) for n, text in enumerate(texts)], 80, 0), [0])
    with torch.no_grad():
        with training_attention(wrapped, form.attention):
            packed = float(ChunkedLossModel(wrapped, form.transform)(**collate([rows[0]]))["loss"])
        alone = sum(
            float(functional.cross_entropy(model(tokens[None]).logits[0, :-1], tokens[1:], reduction="sum"))
            for tokens in map(torch.tensor, texts)
        )
    return packed, alone


def chatty_tokenizer() -> PreTrainedTokenizerFast:
    """A tokenizer as Qwen's bases have it: its end of text is not the end of a turn."""
    tokenizer = tinies.train_tokenizer(TEXTS * 3, 320)
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|im_start|>", "<|im_end|>"]})
    tokenizer.chat_template = CHATML
    return tokenizer


def byte_fallback_tokenizer() -> PreTrainedTokenizerFast:
    """A tokenizer as Llama-2's: unknown characters are bytes, spaces a mark before words."""
    bpe = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    bpe.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=True)
    bpe.decoder = decoders.Sequence(
        [
            decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0),
        ]
    )  # fmt: skip
    special = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    trainer = trainers.BpeTrainer(
        vocab_size=360, special_tokens=special, limit_alphabet=40, show_progress=False
    )
    bpe.train_from_iterator(
        ["پانی زندگی ہے لاہور ایک شہر ہے", "Water is life. Lahore is a city."] * 5, trainer
    )
    content = json.loads(bpe.to_str())
    content["added_tokens"] = [one for one in content["added_tokens"] if not one["content"].startswith("<0x")]
    bpe = Tokenizer.from_str(json.dumps(content))
    bpe.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return PreTrainedTokenizerFast(tokenizer_object=bpe, bos_token="<s>", eos_token="</s>", unk_token="<unk>")
