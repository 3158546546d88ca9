"""What is asked for can be read: the demonstrations of a request and the form that each wording shows."""

from __future__ import annotations

from alif.data.prompt_texts import load_prompt_texts
from alif.data.synthesis import prompts
from alif.language.pack import Pack
from alif.language.replies import item_format
from alif.records import Example, Origin
from tests.data.conftest import triples
from tests.language.replies.test_item_format import texts


def test_the_demonstrations_of_a_request_are_in_the_format_that_is_read(own: Pack) -> None:
    rows = [
        Example.make("ur", task, r["instruction"], r["input"], r["output"], Origin(kind="seed"))
        for task, r in triples(own, "seeds/*.jsonl")
    ]
    for name, task in own.tasks.items():
        shown = [row for row in rows if row.task == name][:6]
        for wording in range(len(task.templates)):
            system, user = prompts.synthesis_messages(load_prompt_texts(), task, own, shown, 20, wording)
            assert "20" in system.content
            assert "{{" not in system.content
            body = user.content.partition("\n\n")[2].rpartition("\n\n")[0]
            assert texts(item_format.read_items(body, "stop", own)) == [
                (row.instruction, row.input, row.output) for row in shown
            ]


def test_the_form_that_each_wording_shows_is_one_and_the_same_and_is_read(own: Pack) -> None:
    for task in own.tasks.values():
        for wording in range(len(task.templates)):
            lines = prompts.render_task_prompt(task, own, 20, wording).split("\n")
            separator = lines.index("###")
            assert lines[separator - 3 : separator + 4] == FORMAT
            assert texts(
                item_format.read_items("\n".join(lines[separator - 3 : separator + 4]), "stop", own)
            ) == [("…", "", "…"), ("…", "…", "…")]
            keys = [
                line.partition(":")[0]
                for line in lines
                if line.startswith(("Instruction:", "Input:", "Output:"))
            ]
            assert keys == ["Instruction", "Input", "Output"] * 3


FORMAT = ["Instruction: …", "Input: <noinput>", "Output: …", "###", "Instruction: …", "Input: …", "Output: …"]
