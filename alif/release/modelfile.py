"""Ollama's Modelfile for a GGUF file of a run: the prompt of stage 2, the end tokens, and no sampling.

    ollama create demo -f Modelfile && ollama run demo

Ollama knows the chat templates of published instruct models by their text, and the file itself carries that.
It does not know the headings that a base without a template is trained with, so these are written out in its
own language.
"""

from __future__ import annotations

from pathlib import Path

from alif import store
from alif.student.chat_template import ALPACA_PREAMBLE

__all__ = ["write_modelfile"]


def write_modelfile(model_folder: Path, gguf: Path) -> Path:
    """Write a Modelfile beside `gguf`, from the tokenizer and generation settings of `model_folder`."""
    names = {
        token["id"]: token["content"]
        for token in store.read_json(model_folder / "tokenizer.json")["added_tokens"]
    }
    ends = store.read_json(model_folder / "generation_config.json")["eos_token_id"]
    tokenizer = store.read_json(model_folder / "tokenizer_config.json")
    lines = [f"FROM ./{gguf.name}", "PARAMETER temperature 0"]
    stops = [names[end] for end in (ends if isinstance(ends, list) else [ends]) if end in names]
    lines += [f'PARAMETER stop "{stop}"' for stop in stops]
    if "### Response:" in tokenizer.get("chat_template", ""):
        lines += [
            f'TEMPLATE """{{{{ if not .System }}}}{ALPACA_PREAMBLE}{{{{ end }}}}{{{{ range .Messages }}}}'
            '{{ if eq .Role "assistant" }}### Response:\n{{ .Content }}'
            f"{tokenizer['eos_token']}\n\n"
            '{{ else if eq .Role "system" }}{{ .Content }}\n\n'
            "{{ else }}### Instruction:\n{{ .Content }}\n\n{{ end }}{{ end }}### Response:\n"
            '"""'
        ]
    path = gguf.with_name("Modelfile")
    store.write_text(path, "\n".join(lines) + "\n")
    return path
