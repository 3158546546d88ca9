"""A prompt is text, three variables and includes; nothing else of Jinja passes."""

from __future__ import annotations

from pathlib import Path

import pytest

from alif.errors import PackError
from alif.language.pack_files import MAX_PROMPT_BYTES
from alif.language.prompt_templates import load_prompt, render_prompt


def write(folder: Path, **sources: str) -> Path:
    for name, source in sources.items():
        (folder / f"{name}.jinja").write_text(source, encoding="utf-8")
    return folder / "qa.jinja"


def test_includes_are_written_out_and_variables_filled_in(tmp_path: Path) -> None:
    path = write(tmp_path, qa='Write {{ items }}.\n{% include "_f.jinja" %}\nEnd.', _f="In {{ language }}.\n")
    source = load_prompt(path, tmp_path)
    assert source == "Write {{ items }}.\nIn {{ language }}.\nEnd."
    assert render_prompt(source, "Urdu", "اردو", 3) == "Write 3.\nIn Urdu.\nEnd."


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("a\n{{ number }}", r"qa\.jinja:2: no such variable: number"),
        ("{{ items.real }}", r"qa\.jinja:1: Jinja code that a prompt may not use \(Getattr\)"),
        ("{% for a in items %}{% endfor %}", r"may not use \(For\)"),
        ("{% include items %}", "an include that is not allowed"),
        ("{{ items", r"qa\.jinja:1: not a Jinja template"),
        ('{% include "qa.jinja" %}', "includes lead in a circle"),
        ("x" * (MAX_PROMPT_BYTES // 2) + '{% include "_big.jinja" %}' * 2, "with its includes written out"),
    ],
)
def test_what_is_not_allowed_is_named(tmp_path: Path, source: str, complaint: str) -> None:
    path = write(tmp_path, qa=source, _big="y" * (MAX_PROMPT_BYTES // 3))
    with pytest.raises(PackError, match=complaint):
        load_prompt(path, tmp_path)


def test_an_include_cannot_change_how_the_text_around_it_is_parsed(tmp_path: Path) -> None:
    path = write(tmp_path, qa='{% include "_a.jinja" %}{ items.real }}', _a="{")
    with pytest.raises(PackError, match="written out: Jinja code"):
        load_prompt(path, tmp_path)
