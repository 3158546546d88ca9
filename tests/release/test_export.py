"""Export: the merged model answers as base and adapter do, and a broken one does not leave the house."""

from __future__ import annotations

import json

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from alif import store
from alif.errors import ModelError
from alif.release import export as exports
from alif.runs import StepContext
from alif.settings import Export
from alif.student import load_student, write_prompt

QUESTION = "پانی کا فارمولا کیا ہے؟"


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_the_exported_model_answers_as_base_and_adapter(context: StepContext, dtype: str) -> None:
    counts = exports.export(context, Export(dtype=dtype))
    folder = context.folder / "model"
    student = load_student(
        context.inputs["base"], context.inputs["finetune"] / "adapter", context.runtime, dtype=torch.float32
    )
    again = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    prompt = torch.tensor([student.tokenizer(QUESTION)["input_ids"]])
    with torch.inference_mode():
        expected, found = student.model(prompt).logits, again(prompt).logits
    assert float((expected - found).abs().max()) < exports.TOLERANCE[dtype] * float(expected.abs().max())
    assert counts.facts["merging_moved_logits_by"] < 1e-4
    assert counts.facts["base_digest"] == student.base.digest
    assert json.loads((folder / "config.json").read_text())["dtype"] == dtype
    assert counts.facts["parameters"] == student.base.parameters


def test_the_chat_template_writes_the_prompt_of_stage_2(context: StepContext) -> None:
    exports.export(context, Export())
    tokenizer = AutoTokenizer.from_pretrained(context.folder / "model")
    told = tokenizer.apply_chat_template(
        [{"role": "user", "content": QUESTION}], tokenize=False, add_generation_prompt=True
    )
    original = AutoTokenizer.from_pretrained(context.inputs["base"] / "model")
    assert told == write_prompt(QUESTION, "", "alpaca", original)


def test_equal_exports_are_equal_to_the_byte(context: StepContext) -> None:
    exports.export(context, Export())
    first = store.sha256_tree(context.folder / "model")
    exports.export(context, Export())
    assert store.sha256_tree(context.folder / "model") == first


def test_a_model_that_answers_differently_is_refused() -> None:
    logits = torch.randn(2, 3, 5)
    with pytest.raises(ModelError, match="answers differently"):
        exports._compare(logits, logits + 1, "bfloat16", "the exported model")
    with pytest.raises(ModelError, match="answers differently"):
        exports._compare(logits, logits * float("nan"), "bfloat16", "the exported model")
