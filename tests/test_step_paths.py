"""The files that each step reads are all in its identity, by label."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from alif import recipe as recipes
from alif import step_paths
from alif.language.pack import load_pack
from alif.settings import Recipe

RUN = Path("runs/demo")


def demo(*overrides: str) -> Recipe:
    return recipes.load_recipe(recipes.shipped_recipes()["demo"], overrides)


@pytest.mark.parametrize(
    ("paths", "label"),
    [
        (step_paths.seed_paths, "pack/ur/seeds"),
        (step_paths.generate_paths, "prompts"),
        (step_paths.translate_paths, "pack/en/demo/rows.jsonl"),
        (step_paths.corpus_paths, "pack/en/demo/articles.jsonl"),
        (step_paths.blend_paths, "pack/ur/test.jsonl"),
        (step_paths.evaluate_paths, "pack/ur/test.jsonl"),
        (step_paths.pack_paths, "pack/ur/pack.toml"),
    ],
)
def test_what_a_step_reads_of_a_pack_is_named(
    paths: Callable[[Recipe, Path], Mapping[str, Path]], label: str
) -> None:
    found = paths(demo(), RUN)
    assert label in found
    assert all(path.exists() for path in found.values())


def test_passages_count_only_where_they_are_shown() -> None:
    label = "pack/ur/demo/articles.jsonl"
    # the scripted teacher reads articles in any case
    off = [f"teacher.{name}=false" for name in demo().teacher]
    none = ("generate.grounded_share=0.0", "generate.reverse_share=0.0")
    assert label in step_paths.generate_paths(demo(*off, *none), RUN)  # slots ground some
    none = (*none, "generate.slots=false")
    assert label not in step_paths.generate_paths(demo(*off, *none), RUN)
    assert label in step_paths.generate_paths(
        demo(*off, "generate.slots=false", "generate.grounded_share=0.5"), RUN
    )


def test_verdicts_count_once_they_are_there(tmp_path: Path) -> None:
    assert "verdicts" not in step_paths.review_paths(demo(), tmp_path)
    (tmp_path / "verdicts.jsonl").touch()
    assert step_paths.review_paths(demo(), tmp_path)["verdicts"] == tmp_path / "verdicts.jsonl"


def test_a_local_base_and_a_local_system_count_by_their_folders(tmp_path: Path) -> None:
    assert step_paths.base_paths(demo(), RUN) == {}
    assert step_paths.base_paths(demo(f'student.base="{tmp_path}"'), RUN) == {"base": tmp_path}
    systems = (f'system.here.model="{tmp_path}"', 'system.hub.model="somebody/model"')
    found = step_paths.evaluate_paths(demo(*systems), RUN)
    assert {label for label in found if label.startswith("system/")} == {"system/here"}


def test_a_file_of_ones_own_is_its_own_label(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text("{}\n", encoding="utf-8")
    found = step_paths.blend_paths(demo(f'blend.mine.source="{rows}"'), RUN)
    assert found[str(rows)] == rows


def test_questions_of_the_packs_are_declared_where_they_are_read() -> None:
    label, path = "pack/en/choices.jsonl", load_pack("en").folder / "choices.jsonl"
    for declare in (step_paths.blend_paths, step_paths.evaluate_paths):
        asked = declare(demo('benchmarks.multiple_choice=["pack"]'), RUN)
        assert asked[label] == path
        without = declare(demo("benchmarks.multiple_choice=[]"), RUN)
        origins = "pack/en/demo/rows.jsonl"  # of translated rows, where a benchmark asks in English
        assert without == {name: one for name, one in asked.items() if name not in (label, origins)}


@pytest.mark.parametrize("test", ['["pack"]', "[]"])
def test_the_test_set_is_declared_only_where_it_is_asked(test: str) -> None:
    declared = step_paths.evaluate_paths(demo(f"benchmarks.test={test}"), RUN)
    assert ("pack/ur/test.jsonl" in declared) == (test != "[]")
