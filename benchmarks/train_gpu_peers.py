"""The other trainers of train_gpu.py, each where it can be imported; they do not import alif."""

from __future__ import annotations

import tempfile
import time
from typing import Any

import torch
from train_gpu_case import Case, rates, texts, wait
from transformers import AutoModelForCausalLM, LlamaConfig


def trl(case: Case, config: dict[str, Any], steps: int, warm_up: int) -> dict[str, Any]:
    """Train with TRL's SFTTrainer: packing, completion-only loss, the same LoRA and trained copies."""
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import PreTrainedTokenizerFast, TrainerCallback
    from trl import SFTConfig, SFTTrainer

    cuda = torch.cuda.is_available()
    made = texts(case, config, round(1.1 * (steps + 1) * case.rows_per_step * case.length))
    rows = [{"input_ids": t, "completion_mask": [0] * prompt + [1] * (len(t) - prompt)} for t, prompt in made]
    curve: list[dict[str, Any]] = []

    class Counting(SFTTrainer):
        tokens, losses = 0, 0.0

        def training_step(self, model: Any, inputs: Any, *rest: Any, **more: Any) -> Any:
            self.tokens += int(inputs["input_ids"].numel())
            loss = super().training_step(model, inputs, *rest, **more)
            self.losses += float(loss)
            return loss

    class Marks(TrainerCallback):
        since = time.monotonic()

        def on_step_end(self, *args: Any, **kwargs: Any) -> None:
            wait()
            now = time.monotonic()
            curve.append(
                {"loss": trainer.losses, "tokens_per_s": round(trainer.tokens / (now - self.since), 1)}
            )
            trainer.tokens, trainer.losses, self.since = 0, 0.0, now

    with tempfile.TemporaryDirectory() as folder, torch.device("cuda" if cuda else "cpu"):
        kind = torch.bfloat16 if cuda else torch.float32
        model = AutoModelForCausalLM.from_config(LlamaConfig(**config), dtype=kind)
        trainer = Counting(
            model=model,
            args=SFTConfig(
                output_dir=folder, max_steps=steps, per_device_train_batch_size=1,
                gradient_accumulation_steps=case.rows_per_step, packing=True, packing_strategy="bfd",
                max_length=case.length, completion_only_loss=True, gradient_checkpointing=False,
                save_strategy="no", logging_strategy="no", report_to="none", disable_tqdm=True, bf16=cuda,
                use_cpu=not cuda, dataloader_pin_memory=False,
            ),
            train_dataset=Dataset.from_list(rows),
            processing_class=_letter_tokenizer(PreTrainedTokenizerFast),
            peft_config=LoraConfig(
                task_type="CAUSAL_LM", r=min(case.rank, config["hidden_size"] // 8), lora_alpha=32,
                target_modules=["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
                modules_to_save=["embed_tokens", "lm_head"], use_rslora=True,
            ),
            callbacks=[Marks()],
        )  # fmt: skip
        trainer.train()
    return rates(curve, warm_up)


def _letter_tokenizer(kind: Any) -> Any:
    """Return a tokenizer of single letters: the trainers want one, although the rows are token ids."""
    from tokenizers import Tokenizer, models

    vocabulary = {"<end>": 0, "<pad>": 1, **{chr(97 + index): 2 + index for index in range(26)}}
    return kind(
        tokenizer_object=Tokenizer(models.WordLevel(vocabulary, "<end>")),
        eos_token="<end>",
        pad_token="<pad>",
    )


def unsloth(case: Case, config: dict[str, Any], steps: int, warm_up: int) -> dict[str, Any]:
    """Train with Unsloth's patched TRL. It needs a GPU and has not been run yet."""
    from unsloth import FastLanguageModel  # isort: skip  # it must come before TRL
    from datasets import Dataset
    from transformers import PreTrainedTokenizerFast, TrainerCallback
    from trl import SFTConfig, SFTTrainer

    with tempfile.TemporaryDirectory() as folder:
        with torch.device("cuda"):
            AutoModelForCausalLM.from_config(LlamaConfig(**config), dtype=torch.bfloat16).save_pretrained(
                folder
            )
        _letter_tokenizer(PreTrainedTokenizerFast).save_pretrained(folder)
        torch.cuda.empty_cache()
        model, tokenizer = FastLanguageModel.from_pretrained(
            folder, max_seq_length=case.length, load_in_4bit=False
        )
        linear = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
        model = FastLanguageModel.get_peft_model(
            model,
            r=case.rank,
            lora_alpha=32,
            use_rslora=True,
            target_modules=[*linear, "embed_tokens", "lm_head"],
        )
        rows = [
            {"input_ids": t}
            for t, _ in texts(case, config, round(1.1 * steps * case.rows_per_step * case.length))
        ]
        curve: list[dict[str, Any]] = []

        class Marks(TrainerCallback):
            since, tokens = time.monotonic(), 0

            def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
                wait()
                now, seen = time.monotonic(), int(state.num_input_tokens_seen)
                curve.append({"loss": 0.0, "tokens_per_s": (seen - self.tokens) / (now - self.since)})
                self.since, self.tokens = now, seen

        SFTTrainer(
            model=model,
            processing_class=tokenizer,
            train_dataset=Dataset.from_list(rows),
            args=SFTConfig(
                output_dir=folder, max_steps=steps, per_device_train_batch_size=1, bf16=True, packing=True,
                gradient_accumulation_steps=case.rows_per_step, max_length=case.length, save_strategy="no",
                report_to="none", include_num_input_tokens_seen=True,
            ),
            callbacks=[Marks()],
        ).train()  # fmt: skip
    return rates(curve, warm_up)
