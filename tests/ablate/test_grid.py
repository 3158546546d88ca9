"""The siblings of a study: names, seeds, overrides, and what is refused before anything is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from alif import recipe as recipes
from alif.ablate.grid import StudyRun, expand_study
from alif.ablate.study import Study
from alif.errors import RecipeError

DEMO = recipes.shipped_recipes()["demo"]


def expand(study: Study, *overrides: str, name: str = "s") -> StudyRun:
    return expand_study(name, study, DEMO, list(overrides), Path("runs"))


def test_a_sibling_is_named_by_its_settings_and_seed() -> None:
    found = expand(Study(over={"adapter.rank": (8, 16)}, seeds=2))
    names = [sibling.run.name for sibling in found.siblings]
    assert names == [f"adapter.rank-{rank}-seed-{seed}" for rank in (16, 8) for seed in (3407, 3408)]
    assert found.reference == "16"  # the recipe's own comes first: what others link is made there
    last = found.siblings[-1].recipe
    assert (last.adapter.rank, last.adapter.seed, last.pretrain.seed, last.finetune.seed) == (
        8,
        3408,
        3408,
        3408,
    )
    assert last.tiny.seed == last.split.seed == last.generate.seed == 3407
    assert last.runtime.ledger == "runs/s/ledger.sqlite"


def test_names_stay_apart_where_letters_had_to_go() -> None:
    found = expand(Study(over={"adapter.targets": (["attention"], ["mlp"])}, seeds=1))
    sources = expand(Study(over={"replay.source": ("a/b.jsonl", "a_b.jsonl", "ا" * 300)}, seeds=1))
    for one in (found, sources):
        names = [sibling.run.name for sibling in one.siblings]
        assert len(set(names)) == len(names)
        assert all(len(name.encode()) <= 200 for name in names)


def test_a_key_is_varied_in_the_recipe_with_its_overrides() -> None:
    found = expand(Study(over={"pretrain.replay": (0.0, 0.2)}, seeds=1), "adapter.rank=4", "adapter.seed=7")
    assert {sibling.recipe.adapter.rank for sibling in found.siblings} == {4}
    assert {sibling.recipe.adapter.seed for sibling in found.siblings} == {7}
    assert found.reference == "0.2"


def test_a_factor_is_of_the_recipes_own_number() -> None:
    half = {"pretrain.epochs": "0.5 * pretrain.epochs", "blend.generate.rows": "0.25 * generate.target_rows"}
    found = expand(Study(point=({}, half), seeds=1))
    assert [sibling.recipe.pretrain.epochs for sibling in found.siblings] == [6.0, 3.0]
    assert found.siblings[1].recipe.blend["generate"].rows == 88
    assert found.siblings[0].run.name == "recipe-seed-3407"
    for key in ("pretrain.schedule", "adapter.rslora", "nothing.there"):
        with pytest.raises(RecipeError, match=f"{key} is no number"):
            expand(Study(point=({"pretrain.lr": f"2 * {key}"},)))


def test_each_teacher_alone() -> None:
    second = 'teacher.other={model="scripted", base_url="scripted"}'
    found = expand(Study(over={"teacher": ("each",)}, seeds=1), second)
    assert [list(sibling.recipe.teacher) for sibling in found.siblings] == [["scripted"], ["other"]]
    with pytest.raises(RecipeError, match="the recipe has no teacher gpt"):
        expand(Study(over={"teacher": ("scripted", "gpt")}))


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"adapter.rnk": (1, 2)}, "--over: adapter.rnk: no such key"),
        ({"adapter": (1, 2)}, "--over: adapter: "),
        ({"adapter.rank": (16, "many")}, "--over: adapter.rank: input should be a valid integer"),
        ({"adapter.rank": (16, 0)}, "--over: adapter.rank: input should be greater than 0"),
        ({"adapter.rank": (16, [8])}, "--over: adapter.rank: input should be a valid integer"),
        ({"adapter.rank.x": (1, 2)}, "--over: adapter.rank: "),
        ({"runtime.threads": (1, 2)}, "--over runtime.threads: it changes no score"),
        ({"name": ("a", "b")}, "--over name: it changes no score"),
        ({"export.dtype": ("float32", "float16")}, "--over export.dtype: it changes no score"),
        ({"merge.weights": ([0.5], [0.5, 0.5])}, "--over: merge"),
    ],
)
def test_what_cannot_be_varied_is_a_sentence(settings: dict[str, tuple[object, ...]], told: str) -> None:
    with pytest.raises(RecipeError) as refused:
        expand(Study.model_validate({"over": settings, "seeds": 1}))
    assert refused.value.message.startswith(told), refused.value.message


def test_the_reference_is_one_of_the_points_and_something_is_varied() -> None:
    with pytest.raises(RecipeError, match="no point has"):
        expand(Study(over={"adapter.rank": (8, 16)}, reference={"adapter.rank": 128}))
    with pytest.raises(RecipeError, match="nothing is varied"):
        expand(Study())


@pytest.mark.parametrize("name", ["../up", "a/b", ".hidden", ""])
def test_a_study_is_one_folder_under_runs(name: str) -> None:
    with pytest.raises(RecipeError, match="--name"):
        expand(Study(over={"adapter.rank": (8, 16)}), name=name)


def test_a_run_is_never_taken_for_a_study(tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "recipe.toml").write_text("")
    with pytest.raises(RecipeError, match="there is a run of this name"):
        expand_study("demo", Study(over={"adapter.rank": (8, 16)}), DEMO, [], tmp_path)
