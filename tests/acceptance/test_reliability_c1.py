"""Fault C1 of the reliability review: a foreign language pack ran any code, hung, or read any file.

One test for each input that the review lists.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from alif.errors import PackError
from alif.language.answers import answer_words, match
from alif.language.pack import load_pack, validation_errors
from alif.language.prompt_templates import load_prompt, render_prompt

UR = load_pack("ur")
SECRET = "OPENAI_API_KEY=sk-secret"
RUNS_A_COMMAND = (
    "{% for c in ''.__class__.__mro__[1].__subclasses__() if c.__name__ == '_wrap_close' %}"
    "{{ c.__init__.__globals__['system']('id > PWNED; env | grep KEY >> PWNED') }}{% endfor %}"
)


@pytest.fixture
def evil(tmp_path: Path) -> Path:
    """A copy of the Urdu pack to put an attack into."""
    copy = tmp_path / "evil"
    shutil.copytree(UR.folder, copy)
    return copy


def put(folder: Path, template: str, name: str = "qa.jinja") -> Path:
    path = folder / "prompts" / name
    path.write_text(template, encoding="utf-8")
    return path


def refused(folder: Path, complaint: str) -> None:
    """Both ways to read a pack refuse it with this sentence, and soon."""
    began = time.perf_counter()
    with pytest.raises(PackError, match=complaint) as caught:
        load_pack(folder)
    assert str(folder) in caught.value.message
    assert caught.value.hint
    told = [error.message for error in validation_errors(folder)]
    assert any(error == caught.value.message for error in told), told
    assert time.perf_counter() - began < 20, "refused too late"


def check(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "alif", "check", "--pack", folder.name]
    return subprocess.run(
        command, cwd=folder.parent, capture_output=True, text=True, check=False, timeout=120
    )


@pytest.mark.parametrize("name", ["qa.jinja", "_format.jinja", "qa.evil.jinja"])
def test_reliability_c1_check_runs_no_code_of_a_pack(evil: Path, name: str) -> None:
    put(evil, RUNS_A_COMMAND, name)
    done = check(evil)
    assert not list(evil.parent.rglob("PWNED"))
    assert done.returncode == 1
    assert f"evil/prompts/{name}:1: Jinja code that a prompt may not use (For)" in done.stdout
    assert "Traceback" not in done.stderr


def test_reliability_c1_a_run_with_a_pack_runs_no_code_of_it(evil: Path) -> None:
    put(evil, RUNS_A_COMMAND)
    command = [
        sys.executable,
        "-m",
        "alif",
        "run",
        "demo",
        "--until",
        "generate",
        "--set",
        f'language.pack="{evil}"',
    ]
    done = subprocess.run(command, cwd=evil.parent, capture_output=True, text=True, check=False, timeout=120)
    assert not list(evil.parent.rglob("PWNED"))
    assert done.returncode == 1
    assert "Jinja code that a prompt may not use (For)" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("template", "complaint"),
    [
        ("{% set x = 7**(7**12) %}", r"qa\.jinja:1: Jinja code .*\(Assign\)"),
        ("{{ 7**(7**12) }}", r"qa\.jinja:1: .*\(Pow\)"),
        ("{{ 'a' * 10**10 }}", r"qa\.jinja:1: .*\(Mul\)"),
        (
            "text\n\n{% for a in items %}{% for b in items %}x{% endfor %}{% endfor %}",
            r"qa\.jinja:3: .*\(For\)",
        ),
        ('{% extends "_format.jinja" %}', r"qa\.jinja:1: .*\(Extends\)"),
        ('{% import "_format.jinja" as f %}', r"qa\.jinja:1: .*\(Import\)"),
        ('{% from "_format.jinja" import f %}', r"qa\.jinja:1: .*\(FromImport\)"),
        ("{% macro m() %}x{% endmacro %}", r"qa\.jinja:1: .*\(Macro\)"),
        ("{% block b %}x{% endblock %}", r"qa\.jinja:1: .*\(Block\)"),
        ("{% if items %}x{% endif %}", r"qa\.jinja:1: .*\(If\)"),
        ("{% filter upper %}x{% endfilter %}", r"qa\.jinja:1: .*\(FilterBlock\)"),
        ("{% with %}x{% endwith %}", r"qa\.jinja:1: .*\(With\)"),
        ("{{ language.__class__ }}", r"qa\.jinja:1: .*\(Getattr\)"),
        ("{{ language['__class__'] }}", r"qa\.jinja:1: .*\(Getitem\)"),
        ("{{ language() }}", r"qa\.jinja:1: .*\(Call\)"),
        ("{{ language | upper }}", r"qa\.jinja:1: .*\(Filter\)"),
        ("{{ language ~ language }}", r"qa\.jinja:1: .*\(Concat\)"),
        ("{{ 'x' if items }}", r"qa\.jinja:1: .*\(CondExpr\)"),
        ("{{ 'x' }}", r"qa\.jinja:1: .*\(Const\)"),
        ("{{ self }}", r"qa\.jinja:1: no such variable: self"),
        ("{{ cycler.__init__.__globals__ }}", r"qa\.jinja:1: .*\(Getattr\)"),
        ("{{ " + "(" * 5000 + "items" + ")" * 5000 + " }}", r"qa\.jinja: not a Jinja template"),
        ("{{ " + "7" * 5000 + " }}", r"qa\.jinja: not a Jinja template"),
        ("{% if items %}" * 4000, r"qa\.jinja(:\d+)?: not a Jinja template"),
    ],
)
def test_reliability_c1_code_in_a_prompt_is_a_sentence(evil: Path, template: str, complaint: str) -> None:
    put(evil, template)
    refused(evil, complaint)


@pytest.mark.parametrize(
    "include",
    [
        '{% include "../x" %}',
        '{% include "../pack.toml" %}',
        '{% include "/etc/passwd" %}',
        '{% include "_x.txt" %}',
        '{%- include "_format.jinja" %}',
        '{% include "_format.jinja" -%}',
        '{%+ include "_format.jinja" %}',
        '{% include "_format.jinja" ignore missing %}',
        '{% include "_format.jinja" without context %}',
        '{% include ["_format.jinja", "_other.jinja"] %}',
        "{% include language %}",
        '{% include "_for" "mat.jinja" %}',
    ],
)
def test_reliability_c1_another_form_of_include_is_a_sentence(evil: Path, include: str) -> None:
    put(evil, f"{{{{ items }}}}\n{include}\n")
    refused(evil, r"qa\.jinja:2: an include that is not allowed")


def test_reliability_c1_an_include_cannot_change_how_the_text_around_it_is_parsed(evil: Path) -> None:
    put(evil, "{# {% endraw %}{{ ''.__class__ }}{% raw %} #}", "_a.jinja")
    put(evil, '{% raw %}{% include "_a.jinja" %}{% endraw %}')
    refused(evil, r"qa\.jinja: with its includes written out: Jinja code .*\(Getattr\)")
    put(evil, "{ ''.__class__ }}", "_a.jinja")
    put(evil, '{{% include "_a.jinja" %}')
    refused(evil, r"qa\.jinja: with its includes written out: Jinja code .*\(Getattr\)")


def test_reliability_c1_includes_in_a_circle_are_a_sentence(evil: Path) -> None:
    put(evil, '{% include "qa.jinja" %}')
    refused(evil, r"qa\.jinja: includes lead in a circle, back to qa\.jinja")
    put(evil, '{% include "_a.jinja" %}')
    put(evil, '{% include "_b.jinja" %}', "_a.jinja")
    (evil / "prompts" / "_b.jinja").symlink_to("qa.jinja")
    refused(evil, r"_b\.jinja: includes lead in a circle, back to _a\.jinja")


def test_reliability_c1_includes_that_double_are_refused_at_once(evil: Path) -> None:
    for level in range(40):
        put(evil, f'{{% include "_d{level + 1}.jinja" %}}\n' * 2, f"_d{level}.jinja")
    put(evil, "text\n", "_d40.jinja")
    put(evil, '{% include "_d0.jinja" %}')
    refused(evil, r"_d\d+\.jinja: more than 8 includes within each other")


@pytest.mark.parametrize("text", ["text " * 100, ""])
def test_reliability_c1_includes_that_grow_are_bounded(evil: Path, text: str) -> None:
    for level in range(7):
        put(evil, f'{{% include "_d{level + 1}.jinja" %}}' * 2000, f"_d{level}.jinja")
    put(evil, text, "_d7.jinja")
    path = put(evil, '{% include "_d0.jinja" %}')
    began = time.perf_counter()
    if text:
        refused(evil, r"_d6\.jinja: over 65,536 bytes with its includes written out")
    else:
        assert load_prompt(path, evil) == ""
    assert time.perf_counter() - began < 20, "as many includes are read as the tree has leaves"


def test_reliability_c1_a_prompt_is_at_most_64_kib(evil: Path) -> None:
    put(evil, "a" * 65_537)
    refused(evil, r"qa\.jinja: 65,537 bytes, at most 65,536 are read")


@pytest.mark.parametrize(
    "file",
    ["tasks/qa.toml", "prompts/qa.jinja", "prompts/_format.jinja", "seeds/qa.jsonl", "test.jsonl",
     "demo/articles.jsonl", "demo/candidates/qa.jsonl", "card.md"],
)  # fmt: skip
def test_reliability_c1_a_pipe_is_a_sentence_and_does_not_hang(evil: Path, file: str) -> None:
    (evil / file).unlink()
    os.mkfifo(evil / file)
    refused(evil, f"{file}: is not a regular file")
    if file == "seeds/qa.jsonl":
        done = check(evil)
        assert done.returncode == 1
        assert f"evil/{file}: is not a regular file" in done.stdout


def test_reliability_c1_a_pipe_in_place_of_pack_toml_is_a_sentence(evil: Path) -> None:
    (evil / "pack.toml").unlink()
    os.mkfifo(evil / "pack.toml")
    with pytest.raises(PackError, match="no such language pack"):
        load_pack(evil)
    assert "no pack.toml" in validation_errors(evil)[0].message


@pytest.mark.parametrize(
    "file",
    ["pack.toml", "tasks/qa.toml", "prompts/qa.jinja", "prompts/_format.jinja", "seeds/qa.jsonl",
     "test.jsonl", "demo/articles.jsonl", "demo/candidates/qa.jsonl", "card.md"],
)  # fmt: skip
def test_reliability_c1_a_symlink_to_a_file_outside_is_not_followed(evil: Path, file: str) -> None:
    (evil.parent / "private").write_text(SECRET, encoding="utf-8")
    (evil / file).unlink()
    (evil / file).symlink_to(evil.parent / "private")
    refused(evil, f"{file}: lies outside the pack's folder")
    assert all("sk-secret" not in str(error) for error in validation_errors(evil))


def test_reliability_c1_a_symlink_s_text_is_not_included(evil: Path) -> None:
    (evil.parent / "private").write_text(SECRET, encoding="utf-8")
    (evil / "prompts" / "_s.jinja").symlink_to("../../private")
    put(evil, '{% include "_s.jinja" %}')
    done = check(evil)
    assert done.returncode == 1
    assert "evil/prompts/_s.jinja: lies outside the pack's folder" in done.stdout
    assert "sk-secret" not in done.stdout + done.stderr


@pytest.mark.parametrize("folder", ["prompts", "seeds", "demo", "demo/candidates", "tasks"])
def test_reliability_c1_a_symlink_to_a_folder_outside_is_not_followed(evil: Path, folder: str) -> None:
    shutil.move(evil / folder, evil.parent / "private")
    (evil / folder).symlink_to(evil.parent / "private")
    refused(evil, rf"{folder}/.*: lies outside the pack's folder")


def test_reliability_c1_devices_and_circles_of_symlinks_are_sentences(evil: Path) -> None:
    seeds = evil / "seeds" / "qa.jsonl"
    seeds.unlink()
    seeds.symlink_to("/dev/zero")
    refused(evil, r"qa\.jsonl: lies outside the pack's folder")
    seeds.unlink()
    seeds.symlink_to("qa.jsonl")
    refused(evil, r"qa\.jsonl: cannot be read \(Too many levels of symbolic links\)")


def test_reliability_c1_a_task_cannot_name_a_file_elsewhere(evil: Path) -> None:
    tables = evil / "pack.toml"
    text = tables.read_text(encoding="utf-8")
    for name in ("../../private", "/etc/passwd", "q*a", ""):
        tables.write_text(text.replace('"qa"', json.dumps(name), 1), encoding="utf-8")
        refused(evil, r"pack\.toml:\d+: tasks: ")


def test_reliability_c1_a_symlink_within_the_pack_is_fine(evil: Path) -> None:
    put(evil, (evil / "prompts" / "qa.jinja").read_text(encoding="utf-8"), "qa.same.jinja")
    (evil / "prompts" / "qa.jinja").unlink()
    (evil / "prompts" / "qa.jinja").symlink_to("qa.same.jinja")
    (evil.parent / "link").symlink_to(evil)
    assert load_pack(evil.parent / "link").tasks["qa"].templates[0] == UR.tasks["qa"].templates[0]


def test_reliability_c1_comments_raw_text_and_includes_are_rendered(evil: Path) -> None:
    put(evil, "{{ native_name }}\n", "_a.jinja")
    path = put(
        evil,
        '{# a note #}{{ items }} {% raw %}{{ x }}{% endraw %}{{language}}\n{% include "_a.jinja" %}\nEnd\n',
    )
    assert (
        render_prompt(load_prompt(path, evil), "Urdu", "{{ items }}", 3) == "3 {{ x }}Urdu\n{{ items }}\nEnd"
    )


def test_reliability_c1_the_sandbox_refuses_what_the_allowlist_would_let_through() -> None:
    with pytest.raises(Exception, match="unsafe"):
        render_prompt("{{ language.__class__.__mro__ }}", "Urdu", "اردو", 1)


@pytest.mark.parametrize(
    ("toml", "complaint"),
    [
        (".".join(["a"] * 20_000) + " = 1\n", r"pack\.toml:1: more than 200 full stops in a line"),
        ("a = " + "[" * 20_000 + "]" * 20_000 + "\n", r"pack\.toml: lists or tables nested too deeply"),
        ("a = " + "7" * 5_000 + "\n", r"pack\.toml: a number that cannot be read"),
        ("#" + "a" * 300_000 + "\n", r"pack\.toml: \d+,\d+ bytes, at most 262,144 are read"),
    ],
)
def test_reliability_l8_tables_are_read_in_bounded_memory(evil: Path, toml: str, complaint: str) -> None:
    tables = evil / "pack.toml"
    tables.write_text(toml + tables.read_text(encoding="utf-8"), encoding="utf-8")
    refused(evil, complaint)


def test_reliability_l8_a_number_of_a_pack_is_not_computed_without_limit(evil: Path) -> None:
    tables = evil / "pack.toml"
    text = tables.read_text(encoding="utf-8")
    assert "[numbers.words]\n" in text
    tables.write_text(
        text.replace("[numbers.words]\n", '[numbers.words]\n"1e999999999" = "x"\n', 1), encoding="utf-8"
    )
    refused(evil, r'numbers\.words: "1e999999999" is not a number')


def test_reliability_l8_a_pattern_that_backtracks_is_a_sentence(
    evil: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = evil / "pack.toml"
    text = tables.read_text(encoding="utf-8")
    assert "[compare.spellings]\n" in text
    pattern = r"'(?:\w|\w\w|\w\w\w)+[xyz]' = 'a'"
    tables.write_text(
        text.replace("[compare.spellings]\n", f"[compare.spellings]\n{pattern}\n", 1), encoding="utf-8"
    )
    monkeypatch.setattr(answer_words, "MAX_SPELLING_S", 0.5)
    with pytest.raises(PackError, match=r"compare\.spellings: .* takes over 0\.5 s"):
        match.compare_answers("ا" * 60, "ب" * 60, load_pack(evil))
