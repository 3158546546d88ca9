"""The recipe as a form: what is typed becomes a recipe that the command line reads, or is refused aloud."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from alif import recipe as recipes
from alif.desk.office import HERE, read_texts
from alif.desk.recipe_form import DRAFT, desk_recipe, list_form, read_form, read_text, save_recipe
from alif.errors import RecipeError
from alif.runs import Run
from alif.settings import Recipe


def shipped(name: str = "urdu-8b") -> Recipe:
    return recipes.load_recipe(recipes.shipped_recipes()[name])


@pytest.mark.parametrize("name", sorted(recipes.shipped_recipes()))
def test_a_form_that_nobody_touched_gives_the_same_recipe(name: str) -> None:
    recipe = shipped(name)
    tables = list_form(recipe)
    sent = {one.key: one.shown for keys in tables.values() for one in keys}
    assert read_form(recipe, sent) == recipe
    assert read_form(recipe, {}) == recipe


def test_numbers_choices_lists_and_texts_are_read_as_the_recipe_has_them() -> None:
    sent = {
        "teacher.gpt.temperature": "0.5", "generate.slots": "false", "translate.source": '["pack"]',
        "finetune.schedule": "linear", "pool.threshold": "", "about": "ایک جملہ: ../ اور /",
        "teacher.gpt.usd_per_million_in": "", "merge.weights": "[0.5]", "pretrain.replay_end": "0.1",
    }  # fmt: skip
    found = read_form(shipped(), sent)
    assert (found.teacher["gpt"].temperature, found.teacher["gpt"].usd_per_million_in) == (0.5, None)
    assert (found.generate.slots, found.finetune.schedule, found.pool.threshold) == (False, "linear", 0.7)
    assert (found.translate.source, found.merge.weights, found.about) == (("pack",), (0.5,), sent["about"])


@pytest.mark.parametrize(
    ("key", "typed"),
    [
        ("sources.folder", "/etc"),
        ("sources.folder", "~"),
        ("sources.folder", "data/../../other"),
        ("language.pack", "..\\packs"),
        ("runtime.ledger", "C:\\ledger.sqlite"),
        ("runtime.backup", "../elsewhere"),
        ("review.verdicts", "/tmp/verdicts.jsonl"),
        ("corpus.source", '["ok.jsonl", "a/../../b.jsonl"]'),
        ("student.base", "/models/x"),
        ("teacher.gpt.parallel_files", '["../x"]'),
        ("teacher.gpt.api_key_env", "HOME"),
        ("teacher.gpt.base_url", "http://user:secret@host/v1"),
        ("generate.target_rows", "-3"),
        ("generate.target_rows", "9" * 5000),
        ("generate.target_rows", "1_000_000_000_000_000"),
        ("pool.threshold", "nan"),
        ("pool.threshold", "0.7\nx = 1"),
        ("pool.threshold", "[" * 2000),
        ("finetune.schedule", "<script>alert(1)</script>"),
        ("runtime.max_cost_usd", "inf"),
        ("teacher.gpt.extra", '{ api_key = "x" }'),
    ],
)
def test_what_is_hostile_or_no_value_is_refused_with_its_key(key: str, typed: str) -> None:
    with pytest.raises(RecipeError) as error:
        read_form(shipped(), {key: typed})
    assert key in error.value.message
    assert "secret" not in str(error.value)
    assert len(str(error.value)) < 1000


def test_the_key_of_the_environment_does_not_follow_to_a_new_address() -> None:
    recipe = recipes.load_recipe(
        recipes.shipped_recipes()["urdu-8b"], ['teacher.gpt.api_key_env="GROQ_API_KEY"']
    )
    assert read_form(recipe, {"teacher.gpt.temperature": "0.1"}).teacher["gpt"].api_key_env == "GROQ_API_KEY"
    with pytest.raises(RecipeError, match="GROQ_API_KEY would go to another address"):
        read_form(recipe, {"teacher.gpt.base_url": "https://evil.example/v1"})


def test_a_path_that_the_recipe_had_before_may_stay() -> None:
    recipe = recipes.load_recipe(recipes.shipped_recipes()["demo"], ['sources.folder="/data/urdu"'])
    assert read_form(recipe, {"sources.folder": "/data/urdu", "replay.rows": "7"}).replay.rows == 7


def test_the_next_start_takes_the_form_until_the_run_has_moved_on(tmp_path: Path) -> None:
    run, recipe = Run(tmp_path / "demo"), shipped("demo")
    found, path = desk_recipe(run, recipe)
    assert (found, path) == (recipe, run.root / DRAFT)
    save_recipe(run, read_form(found, {"replay.rows": "7"}))
    assert desk_recipe(run, recipe)[0].replay.rows == 7
    run.write_header(recipe)  # as `alif run` does
    (run.root / "recipe.toml").touch()
    assert desk_recipe(run, recipe) == (recipe, run.root / "recipe.toml")


def test_a_whole_recipe_may_be_typed_and_nothing_is_written_unless_it_holds(tmp_path: Path) -> None:
    run, recipe = Run(tmp_path / "demo"), shipped("demo")
    text = 'extends = "demo"\nreplay.rows = 9\n[teacher.other]\nmodel = "m"\nbase_url = "http://localhost:1/v1"\n'
    found = read_text(run, recipe, text)
    assert (found.replay.rows, found.teacher["other"].model) == (9, "m")
    assert desk_recipe(run, recipe)[0] == found
    wrong = (
        'name = "other"\nextends = "demo"',
        "x = ",
        'extends = "/etc/passwd"',
        "replay.rws = 3",
        "a." * 60,
    )
    wrong = (*wrong, 'extends = "demo"\nseeds.source = "../x"', "\ud800", "\0", 'name = "../demo"')
    stolen = '[teacher.x]\nmodel = "m"\nbase_url = "https://x.example/v1"\napi_key_env = "DATABASE_PASSWORD"'
    wrong = (*wrong, f'extends = "demo"\n{stolen}')
    for one in wrong:
        with pytest.raises(RecipeError) as error:
            read_text(run, recipe, one)
        assert str(tmp_path) not in error.value.message
    assert desk_recipe(run, recipe)[0] == found
    assert re.fullmatch(r"desk_recipe\.toml", " ".join(path.name for path in run.root.iterdir()))


def test_every_key_has_help_in_both_languages() -> None:
    for texts in read_texts(HERE / "texts").values():
        keys = [key for key, _, about in recipes.list_keys() if not about]
        assert [key for key in keys if key.rpartition(".")[2] not in texts["key_help"]] == []
