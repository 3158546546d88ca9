"""TRL's part of train_cpu.py, which runs it in an environment with trl; it does not import alif.

The last line of its output is {"rate": useful tokens per CPU second, "versions": {…}}. Packing makes batches
without padding, so every token of a batch is useful.
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import LoraConfig
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
from trl import SFTConfig, SFTTrainer

LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


class Counting(SFTTrainer):
    """TRL's trainer with a count of the tokens it trained on."""

    tokens = 0

    def training_step(self, model: Any, inputs: Any, *rest: Any, **more: Any) -> Any:
        self.tokens += int(inputs["input_ids"].numel())
        return super().training_step(model, inputs, *rest, **more)


class Marks(TrainerCallback):
    """Records CPU time and tokens at the end of each step."""

    def __init__(self) -> None:
        self.trainer: Counting | None = None
        self.marks: list[tuple[float, int]] = []

    def on_step_end(self, *args: Any, **kwargs: Any) -> None:
        assert self.trainer is not None
        self.marks.append((time.process_time(), self.trainer.tokens))


def main() -> None:
    """Train with the settings of train_cpu.py and print the rate."""
    settings = json.loads(sys.argv[1])
    torch.set_num_threads(1)
    data = [json.loads(line) for line in Path(settings["rows"]).read_text().splitlines()]
    marks = Marks()
    with tempfile.TemporaryDirectory() as folder:
        arguments = SFTConfig(
            output_dir=folder,
            max_steps=settings["steps"],
            per_device_train_batch_size=settings["rows_at_once"],
            gradient_accumulation_steps=settings["rows_per_step"] // settings["rows_at_once"],
            learning_rate=settings["lr"],
            packing=True,
            packing_strategy="bfd",
            max_length=settings["length"],
            completion_only_loss=True,
            gradient_checkpointing=False,
            save_strategy="no",
            logging_strategy="no",
            report_to="none",
            disable_tqdm=True,
            use_cpu=True,
            bf16=False,
            dataloader_pin_memory=False,
            optim="adamw_torch",
        )
        trainer = Counting(
            model=AutoModelForCausalLM.from_pretrained(settings["base"], dtype=torch.float32),
            args=arguments,
            train_dataset=Dataset.from_list(data),
            processing_class=AutoTokenizer.from_pretrained(settings["base"]),
            peft_config=LoraConfig(
                task_type="CAUSAL_LM",
                r=settings["rank"],
                lora_alpha=settings["alpha"],
                use_rslora=True,
                target_modules=LINEAR,
                modules_to_save=["embed_tokens", "lm_head"],
            ),
            callbacks=[marks],
        )
        marks.trainer = trainer
        trainer.train()
    (began, before), (ended, after) = marks.marks[settings["warm_up"] - 1], marks.marks[-1]
    names = ("trl", "torch", "transformers", "peft", "accelerate", "datasets")
    versions = {name: importlib.metadata.version(name) for name in names}
    print(json.dumps({"rate": (after - before) / (ended - began), "versions": versions}))


if __name__ == "__main__":
    main()
