"""What we train: a base model, its tokenizer, the adapter on top, and how a prompt is written for it.

student = load(run / "base", run / "finetune" / "adapter", runtime)
prompt = write_prompt("پانی کا فارمولا کیا ہے؟", "", "auto", student.tokenizer)     ("What is the formula of water?")
"""

from __future__ import annotations

from alif.student.base import Base, Student, load, merge
from alif.student.device import quiet
from alif.student.prompts import encode_answer, encode_documents, encode_prompt, write_prompt

__all__ = [
    "Base",
    "Student",
    "encode_answer",
    "encode_documents",
    "encode_prompt",
    "load",
    "merge",
    "write_prompt",
]

quiet()
