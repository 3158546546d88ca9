"""The public API: the list of its names, their documentation, and every example of docs/api.md."""

from __future__ import annotations

import doctest
import inspect
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import alif
from alif import api

PAGE = Path(__file__).resolve().parents[1] / "docs" / "api.md"
NAMES = {
    "AlifError", "Example", "LoadedRun", "Pack", "Recipe", "RougeLIndex", "check_equations", "compare",
    "compare_answers", "identify_language", "load", "load_pack", "read_recipe", "run", "split_words",
}  # fmt: skip
MY_RECIPE = """
extends = "demo"
name = "my"
[generate]
target_rows = 14
requests_per_round = 2
[translate]
rows = 4
[replay]
rows = 8
[tiny]
vocabulary = 400
width = 32
feed_forward = 64
epochs = 1
[pretrain]
epochs = 1
[finetune]
epochs = 1
max_seq_length = 256
[evaluate]
max_new_tokens = 8
bootstrap_samples = 50
"""
"""The demo, shortened."""


@pytest.fixture(autouse=True)
def folder_with_a_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my.toml").write_text(MY_RECIPE, encoding="utf-8")


def test_the_public_names_are_exactly_these() -> None:
    assert set(alif.__all__) == set(dir(alif)) == NAMES
    assert len(NAMES) <= 15
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        alif.nothing  # noqa: B018


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_public_name_is_typed_documented_and_has_an_example(name: str) -> None:
    found = getattr(alif, name)
    assert found.__doc__
    if inspect.isfunction(found):
        hints = inspect.signature(found)
        assert hints.return_annotation is not inspect.Signature.empty
        assert all(one.annotation is not inspect.Parameter.empty for one in hints.parameters.values())
    examples = "\n".join(re.findall(r"^(?:>>>|\.\.\.) (.*)$", PAGE.read_text(encoding="utf-8"), re.M))
    assert f"alif.{name}" in examples


def test_importing_alif_is_light() -> None:
    script = "import sys, json, alif; print(json.dumps(sorted(sys.modules)))"
    asked = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(json.loads(asked.stdout))
    assert {name for name in loaded if name.startswith("alif")} == {"alif"}
    assert not loaded & {"torch", "numpy", "pydantic", "cyclopts", "rich"}


def test_the_examples_of_the_page_give_what_they_say() -> None:
    pytest.importorskip("torch")
    text = PAGE.read_text(encoding="utf-8").replace("```python\n", "\n").replace("```\n", "\n")
    test = doctest.DocTestParser().get_doctest(text, {}, "api.md", str(PAGE), 0)
    assert len(test.examples) > 25
    told: list[str] = []
    results = doctest.DocTestRunner(optionflags=doctest.FAIL_FAST).run(test, out=told.append)
    assert results.failed == 0, "".join(told)


def test_a_pair_of_scores_tells_the_difference_and_whether_the_intervals_overlap() -> None:
    def pair(first: tuple[float, float, float], second: tuple[float, float, float]) -> api.ScorePair:
        facts = {
            "stage": "finetune",
            "benchmark": "b",
            "metric": "m",
            "language": "ur",
            "n": 9,
            "signature": "s",
        }
        made = [api.Score(value=value, low=low, high=high, **facts) for value, low, high in (first, second)]
        return api.ScorePair(*made)

    apart = pair((1.0, 0.9, 1.1), (2.0, 1.9, 2.1))
    assert (apart.difference, apart.intervals_overlap) == (1.0, False)
    assert pair((1.0, 0.9, 1.5), (1.4, 1.2, 1.6)).intervals_overlap


def test_what_is_not_there_is_a_sentence() -> None:
    with pytest.raises(alif.AlifError, match="nothing: no such run"):
        alif.load("nothing")
    recipe = alif.read_recipe("my.toml")
    with pytest.raises(alif.AlifError, match="baking: no such step"):
        alif.run(recipe, until="baking")
    seeded = alif.run(recipe, until="seeds")
    assert seeded.scores() == []
    with pytest.raises(alif.AlifError, match=r"blend/examples\.jsonl: no such file"):
        seeded.rows("blend")
