"""A demo page for a published model, ready to be pushed as a Space: Gradio, from right to left."""

from __future__ import annotations

__all__ = ["space_files"]

APP = '''"""Chat with {repository}."""

import gradio as gr
from transformers import pipeline

ask = pipeline("text-generation", "{repository}")


def answer(message, history):
    turns = [{{"role": turn["role"], "content": turn["content"]}} for turn in history]
    turns.append({{"role": "user", "content": message}})
    return ask(turns, max_new_tokens=256, return_full_text=False)[0]["generated_text"]


chat = gr.Chatbot(type="messages", rtl=True)
gr.ChatInterface(answer, type="messages", chatbot=chat, title="{name}").launch()
'''
README = """---
title: {name}
sdk: gradio
app_file: app.py
models: [{repository}]
---

A demo of [{repository}](https://huggingface.co/{repository}).
"""


def space_files(repository: str) -> dict[str, str]:
    """Return the files of a Space that chats with the model OWNER/NAME."""
    named = {"repository": repository, "name": repository.rpartition("/")[2]}
    return {
        "app.py": APP.format(**named),
        "requirements.txt": "gradio>=5,<6\ntorch\ntransformers>=5\n",
        "README.md": README.format(**named),
    }
