"""Export: the merged model gives the logits of base + adapter; the folder has the prompts and end tokens."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from alif import store
from alif.errors import ModelError, RecipeError
from alif.records import Example, Message, Origin
from alif.release import export as exports
from alif.runs import StepContext
from alif.settings import Export
from alif.student import load_student, write_prompt
from alif.student.adapter import weigh_adapter
from alif.student.chat_template import encode_example_parts

QUESTION = "پانی کا فارمولا کیا ہے؟"


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_the_exported_model_answers_as_base_and_adapter(context: StepContext, dtype: str) -> None:
    facts = exports.export(context, Export(dtype=dtype))
    folder = context.folder / "model"
    student = load_student(
        context.inputs["base"], context.inputs["finetune"] / "adapter", context.runtime, dtype=torch.float32
    )
    again = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    prompt = torch.tensor([student.tokenizer(QUESTION)["input_ids"]])
    with torch.inference_mode():
        expected, found = student.model(prompt).logits, again(prompt).logits
    assert float((expected - found).abs().max()) < exports.TOLERANCE[dtype] * float(expected.abs().max())
    assert facts.merging_moved_logits_by < 1e-4
    assert facts.base_digest == student.base.digest
    assert json.loads((folder / "config.json").read_text())["dtype"] == dtype
    assert facts.parameters == student.base.parameters


def test_a_merged_model_is_exported_by_its_name(context: StepContext, tmp_path: Path) -> None:
    weigh_adapter(
        context.inputs["finetune"] / "adapter", tmp_path / "merge-0.5", 0.5, lambda name, copy: copy / 2
    )
    context = replace(context, inputs={**context.inputs, "merge": tmp_path})
    exports.export(context, Export(stage="merge-0.5", dtype="float32"))
    student = load_student(context.inputs["base"], tmp_path / "merge-0.5", context.runtime)
    again = AutoModelForCausalLM.from_pretrained(context.folder / "model", dtype=torch.float32).eval()
    prompt = torch.tensor([student.tokenizer(QUESTION)["input_ids"]])
    with torch.inference_mode():
        torch.testing.assert_close(again(prompt).logits, student.model(prompt).logits, atol=1e-4, rtol=0)
    with pytest.raises(RecipeError, match=r'"merge-0.7": the run has no such model') as error:
        exports.export(context, Export(stage="merge-0.7"))
    assert "It has merge-0.5" in error.value.hint


CONVERSATION = (
    Message(role="system", content="مختصر جواب دیں۔"),
    Message(role="user", content="سلام"),
    Message(role="assistant", content="وعلیکم السلام"),
    Message(role="user", content="کیسے ہو؟"),
    Message(role="assistant", content="ٹھیک ہوں۔"),
)


@pytest.mark.parametrize("turns", [(), CONVERSATION[:1], CONVERSATION[1:3], CONVERSATION])
def test_the_chat_template_writes_the_prompts_of_stage_2(
    context: StepContext, turns: tuple[Message, ...]
) -> None:
    exports.export(context, Export())
    tokenizer = AutoTokenizer.from_pretrained(context.folder / "model")
    messages = [message.model_dump() for message in (*turns, Message(role="user", content=QUESTION))]
    written = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    original = AutoTokenizer.from_pretrained(context.inputs["base"] / "model")
    assert written == write_prompt(QUESTION, "", "alpaca", original, turns)
    row = Example.make("ur", "chat", QUESTION, "", "H2O", Origin(kind="seed"))
    row = row.with_turns(turns) if turns else row
    parts = [encode_example_parts(row, "auto", tokenizer), encode_example_parts(row, "alpaca", original)]
    assert parts[0] == parts[1]


def test_equal_exports_are_equal_to_the_byte(context: StepContext) -> None:
    exports.export(context, Export())
    first = store.sha256_tree(context.folder / "model")
    exports.export(context, Export())
    assert store.sha256_tree(context.folder / "model") == first


def test_a_model_that_answers_differently_is_refused() -> None:
    logits = torch.randn(2, 3, 5)
    with pytest.raises(ModelError, match="answers differently"):
        exports.compare_logits(logits, logits + 1, "bfloat16", "the exported model")
    with pytest.raises(ModelError, match="answers differently"):
        exports.compare_logits(logits, logits * float("nan"), "bfloat16", "the exported model")
