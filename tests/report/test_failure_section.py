"""The failure panel: values, real examples with the letters marked and named, causes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alif import store
from alif.report.failure_section import answer_marks, failure_panel
from alif.report.html import text_block
from alif.report.snapshot import read_run
from tests import made_up

HEH = "شہر کا نام هے کراچی"


def write_answer(root: Path, index: int, answer: str, **found: Any) -> None:
    """Let the last stage give this answer, with what its checks found: (evidence, spans)."""
    path = root / "evaluate" / "answers.jsonl"
    rows = [row for _, row in store.read_rows(path)]
    rows[index]["answers"]["finetune"] = answer
    marks = rows[index]["marks"]["finetune"] | {"faults": list(found), "found": found}
    rows[index]["marks"] = rows[index]["marks"] | {"finetune": marks}
    store.write_rows(path, rows)


def test_the_letter_is_marked_and_named(tmp_path: Path) -> None:
    root = made_up.build(tmp_path)
    place = HEH.index("ه")
    write_answer(root, 3, HEH, lookalike_letters=["U+0647 ARABIC LETTER HEH ×1", [[place, place + 1]]])
    panel = failure_panel(read_run(root))
    assert panel is not None
    lookalikes = next(one for one in panel.signatures if one.name == "lookalike_letters")
    assert (lookalikes.share, lookalikes.base) == ("17.0 %", "28.0 %, 95 % CI 20.0 to 36.0, n = 84")
    assert lookalikes.change.startswith("−11.0 points")
    assert lookalikes.tone == "good"
    example = lookalikes.examples[0]
    assert example.evidence == "U+0647 ARABIC LETTER HEH ×1"
    block = text_block(example.text, read_run(root).target, example.marks)
    assert '<mark title="lookalike letters: U+0647 ARABIC LETTER HEH">ه</mark>' in block
    assert [cause.recipe_key for cause in lookalikes.causes] == ["student.added_tokens", "corpus.source"]
    assert panel.signatures[0].name == "English lost"


def test_an_example_is_the_part_around_its_first_place(tmp_path: Path) -> None:
    root = made_up.build(tmp_path)
    answer = "اچھا۔\n" * 100 + HEH + " اچھا" * 100
    place = answer.index("ه")
    write_answer(root, 3, answer, lookalike_letters=["", [[place, place + 1]]])
    panel = failure_panel(read_run(root))
    assert panel is not None
    example = next(one for one in panel.signatures if one.name == "lookalike_letters").examples[0]
    (start, end, _), *_ = example.marks
    assert example.text[start:end] == "ه"
    assert example.text[0] == example.text[-1] == "…"
    assert "\n" not in example.text
    assert len(example.text) < 400


def test_examples_are_of_different_tasks_first(tmp_path: Path) -> None:
    root = made_up.build(tmp_path)
    for index in range(6):
        write_answer(root, index, HEH, lookalike_letters=["", []])
    panel = failure_panel(read_run(root))
    assert panel is not None
    examples = next(one for one in panel.signatures if one.name == "lookalike_letters").examples
    assert len(examples) == 3
    assert examples[0].task != examples[1].task


def test_places_of_an_answer_that_was_cut_are_left_out(tmp_path: Path) -> None:
    root = made_up.build(tmp_path)
    spans = [[0, 2], [15_000, 15_002], [3, 90]]
    write_answer(root, 0, "ab" * 20, repetition=["ab 20 times", spans])
    row = read_run(root).answers[0]
    assert list(answer_marks(row.marks["finetune"], row.answers["finetune"])) == [(0, 2, "repetition")]
    assert list(answer_marks(row.marks["finetune"], row.answers["finetune"], "empty")) == []


def test_there_is_no_panel_before_answers(tmp_path: Path) -> None:
    assert failure_panel(read_run(made_up.build(tmp_path, until="finetune"))) is None
