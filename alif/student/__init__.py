"""The model that is trained: a base, its tokenizer, the adapter on top, and how a prompt is written for it.

student = load_student(run / "base", run / "finetune" / "adapter", runtime)
prompt = write_prompt("پانی کیا ہے؟", "", "auto", student.tokenizer)     ("What is water?")
"""

from __future__ import annotations

from alif.student.base import Base, Student, load_student, merge_adapter
from alif.student.chat_template import encode_answer, encode_documents, encode_prompt, write_prompt

__all__ = [
    "Base", "Student", "encode_answer", "encode_documents", "encode_prompt", "load_student",
    "merge_adapter", "write_prompt",
]  # fmt: skip
