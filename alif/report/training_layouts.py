"""The rows that a run has made, as other trainers read them: messages, LLaMA-Factory, Axolotl.

    runs/demo/dataset/messages/train.jsonl           {"messages": [{"role": "user", "content": …}, …]}
    runs/demo/dataset/llama-factory/train.json       the same in one list, beside dataset_info.json
    runs/demo/dataset/axolotl/train.jsonl            the same, beside datasets.yaml

The rows are those of `alif export-data`; instruction and input are one message, as in training. Source:
LLaMA-Factory's data/README.md (sharegpt with tags), Axolotl's documentation of `type: chat_template`.
"""

from __future__ import annotations

import json
from pathlib import Path

from alif import store
from alif.records import Example
from alif.report.dataset import read_made_rows

__all__ = ["to_messages", "write_layout"]

TAGS = {"role_tag": "role", "content_tag": "content", "user_tag": "user", "assistant_tag": "assistant"}
SHAREGPT = {
    "formatting": "sharegpt",
    "columns": {"messages": "messages"},
    "tags": {**TAGS, "system_tag": "system"},
}
"""Of dataset_info.json: the layout of a file of messages."""
AXOLOTL = """  - path: {file}
    ds_type: json
    type: chat_template
    field_messages: messages
    roles_to_train: [assistant]
"""


def to_messages(row: Example) -> list[dict[str, str]]:
    """Return a row as messages: earlier turns, the question with its input, the answer."""
    question = "\n\n".join(filter(None, (row.instruction, row.input)))
    turns = [message.model_dump(include={"role", "content"}) for message in row.turns]
    last = {"role": "user", "content": question}, {"role": "assistant", "content": row.output}
    return [*turns, *last]


def write_layout(root: Path, layout: str) -> Path:
    """Write the data set of a run in a layout and return its folder.

    Raises:
        DataError: the mixture is not made yet, or holds no row that the run has made.
    """
    folder = root / "dataset" / layout
    splits = {
        name: [{"messages": to_messages(row)} for row in rows]
        for name, rows in read_made_rows(root).items()
        if rows
    }
    if layout == "llama-factory":
        for name, rows in splits.items():
            store.write_text(folder / f"{name}.json", json.dumps(rows, ensure_ascii=False, indent=1) + "\n")
        entries = {f"{root.name}_{name}": {"file_name": f"{name}.json", **SHAREGPT} for name in splits}
        store.write_json(folder / "dataset_info.json", entries)
        return folder
    for name, rows in splits.items():
        store.write_rows(folder / f"{name}.jsonl", rows)
    if layout == "axolotl":
        keys = {"train": "datasets", "validation": "test_datasets"}
        text = "".join(f"{keys[name]}:\n{AXOLOTL.format(file=f'{name}.jsonl')}" for name in splits)
        store.write_text(folder / "datasets.yaml", text)
    return folder
