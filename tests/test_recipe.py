"""Recipes: every key typed, wrong ones answered, overrides, identity."""

from __future__ import annotations

import json
import traceback
from pathlib import Path

import pytest

from alif import recipe as recipes
from alif.errors import RecipeError
from alif.settings import Adapter, Recipe
from alif.settings.renamed import RENAMED_KEYS


def write(folder: Path, text: str) -> Path:
    path = folder / "r.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", recipes.shipped_recipes())
def test_shipped_recipes_load_and_come_back_from_their_dump(name: str, tmp_path: Path) -> None:
    loaded = recipes.load_recipe(recipes.shipped_recipes()[name])
    assert loaded.name == name
    assert loaded.about
    assert recipes.load_recipe(write(tmp_path, recipes.dump_recipe(loaded))) == loaded


@pytest.mark.parametrize(
    ("text", "complaint", "advice"),
    [
        ("[adapter]\nrnk = 3", "r.toml: adapter.rnk: no such key", "Did you mean adapter.rank?"),
        ("[teacher.a]\nmodle = 'x'", "r.toml: teacher.a.mod", "alif check"),
        (
            "[pool]\nthreshold = 1.5",
            r"r.toml: pool.threshold: input should be less than or equal to 1 \(it is 1.5\)",
            "",
        ),
        ("[pool]\nthreshold = 'x'", "r.toml: pool.threshold: input should be a valid number", ""),
        (
            "[adapter]\nlayers = '7-3'",
            r'adapter.layers: name layers and ranges .*"0-7,24-31" \(it is .7-3.\)',
            "",
        ),
        ("[adapter]\nlayers = '-1'", "r.toml: adapter.layers: name layers", ""),
        ("[adapter]\nlayers = '0-3,'", "r.toml: adapter.layers: name layers", ""),
        ("[finetune]\nema_decay = 1", r"finetune.ema_decay: input should be less than 1 \(it is 1\)", ""),
        ("name == 3", "r.toml: not TOML", ""),
        ("extends = 'nothing'", "r.toml: extends: 'nothing' is no shipped recipe", ""),
    ],
)
def test_a_wrong_recipe_is_answered_with_place_and_cure(
    tmp_path: Path, text: str, complaint: str, advice: str
) -> None:
    whole = text if text.startswith(("name", "extends")) else f'name = "r"\n{text}'
    with pytest.raises(RecipeError, match=complaint) as error:
        recipes.load_recipe(write(tmp_path, whole))
    assert advice in error.value.hint


def test_a_recipe_needs_a_name(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="name: field required"):
        recipes.load_recipe(write(tmp_path, "[pool]\nthreshold = 0.5"))


def test_overrides_are_toml_lines(tmp_path: Path) -> None:
    path = write(tmp_path, 'name = "r"\n[teacher.a]\nmodel = "m"')
    loaded = recipes.load_recipe(path, ["adapter.rank=16", 'name="s"', "teacher.a.weight=2"])
    assert (loaded.name, loaded.adapter.rank, loaded.teacher["a"].weight) == ("s", 16, 2.0)
    with pytest.raises(RecipeError, match="--set name=s: not a TOML line") as error:
        recipes.load_recipe(path, ["name=s"])
    assert """--set 'name="s"'""" in error.value.hint


def test_a_complaint_about_an_override_names_it_and_not_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, 'name = "r"\n[pool]\nthreshold = 0.8\n')
    with pytest.raises(RecipeError, match=r"^--set: pool\.threshold: input should be less"):
        recipes.load_recipe(path, ["pool.threshold=1.7"])
    with pytest.raises(RecipeError, match=r"^--set: teacher\.a\.weight: weights are numbers from 0 up"):
        recipes.load_recipe(path, ['teacher.a={model="m", weight=-1}'])


KEYS = (
    "sk-proj-SECRET1",
    "gsk_SECRET1",
    "AIzaSECRET1",
    "a5ec7e75" * 4,
    "SECRET" * 11,
    "s3" * 9 + "SECRETSECRETSECRET",
)


@pytest.mark.parametrize("secret", KEYS)
def test_a_key_in_place_of_its_variables_name_is_refused_and_never_repeated(
    tmp_path: Path, secret: str
) -> None:
    path = write(tmp_path, f'name = "r"\n[teacher.a]\nmodel = "m"\napi_key_env = "{secret}"')
    old = tmp_path / "old.toml"
    old.write_text(f'name = "r"\n[teacher.a]\nmodel = "m"\nkey = "{secret}"')
    plain = tmp_path / "plain.toml"
    plain.write_text('name = "r"\n[teacher.a]\nmodel = "m"')
    places = [
        (path, []),
        (old, []),
        (plain, [f'teacher.a.api_key_env="{secret}"']),
        (plain, [f"teacher.a.api_key_env={secret}-"]),
        (plain, [f'teacher.a={{model="m", key="{secret}"}}']),
        (plain, [f'teacher.a={{model="m", api_key_env="{secret}"}}']),
        (plain, [f'teacher.a.key="{secret}"']),
        (plain, [f"teacher.a.key={secret}"]),
        (plain, [f'teacher.a.api_key_env=["{secret}"]']),
        (plain, [f"teacher.a.api_key_env {secret}"]),
    ]
    for file, sets in places:
        with pytest.raises(RecipeError) as caught:
            recipes.load_recipe(file, sets)
        told = "".join(traceback.format_exception(caught.value))
        assert secret not in told
    with pytest.raises(RecipeError) as caught:
        recipes.load_recipe(old)
    assert caught.value.hint == "It is called teacher.a.api_key_env now."
    for name in ("OPENAI_API_KEY", "MyKey", "_key2"):
        assert (
            recipes.load_recipe(plain, [f'teacher.a.api_key_env="{name}"']).teacher["a"].api_key_env == name
        )


@pytest.mark.parametrize("old", RENAMED_KEYS)
def test_an_old_key_is_refused_with_the_name_of_the_new_one(old: str, tmp_path: Path) -> None:
    new, known = RENAMED_KEYS[old], {key for key, _, _ in recipes.list_keys()}
    assert new in known
    assert old not in known
    text = 'name = "r"\n[teacher.gpt]\nmodel = "m"\n'
    with pytest.raises(RecipeError, match="no such key") as caught:
        recipes.load_recipe(write(tmp_path, text), [f"{old.replace('NAME', 'gpt')}=1"])
    assert caught.value.hint == f"It is called {new.replace('NAME', 'gpt')} now."


@pytest.mark.parametrize("name", ["", ".", "..", ".hidden", "a/b", "../evil", "a\\b", "a b"])
def test_a_name_that_is_no_folder_under_runs_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="name: a name is one folder under runs/"):
        recipes.load_recipe(write(tmp_path, f"name = {json.dumps(name)}"))
    for right in ("demo", "urdu-8b.v2", "اردو"):
        assert recipes.load_recipe(write(tmp_path, f'name = "{right}"')).name == right


def test_a_recipe_is_found_as_path_then_run_then_shipped_name(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    assert recipes.find_recipe("demo", runs) == recipes.shipped_recipes()["demo"]
    (runs / "demo").mkdir(parents=True)
    stored = runs / "demo" / "recipe.toml"
    stored.write_text('name = "demo"')
    assert recipes.find_recipe("demo", runs) == stored
    assert recipes.find_recipe(str(stored), runs) == stored
    with pytest.raises(RecipeError, match="nothing: no such recipe"):
        recipes.find_recipe("nothing", runs)


def test_every_key_is_described_and_addressable() -> None:
    undescribed = [
        key for key, _, about in recipes.list_keys() if not about and not key.endswith((".seed", "device"))
    ]
    plain = {
        "tiny.width",
        "tiny.layers",
        "tiny.heads",
        "tiny.key_value_heads",
        "tiny.feed_forward",
        "tiny.epochs",
        "tiny.lr",
    }
    more = {"tiny.max_seq_length", "tiny.batch_size", "adapter.rank", "adapter.alpha", "adapter.dropout"}
    stages = {
        f"{stage}.{key}"
        for stage in ("pretrain", "finetune", "prefer")
        for key in ("lr", "schedule", "weight_decay", "epochs")
    }
    assert set(undescribed) <= plain | more | stages


def test_prices_and_keys_are_no_identity() -> None:
    loaded = recipes.validate_recipe(
        {"name": "r", "teacher": {"a": {"model": "m", "usd_per_million_in": 2.5}}}, "r"
    )
    found = recipes.identity_settings("teacher", loaded.teacher)
    assert found["teacher.a.model"] == "m"
    assert not [key for key in found if "usd" in key or key.endswith(".key")]


def test_a_table_of_the_extended_recipe_can_be_taken_out(tmp_path: Path) -> None:
    loaded = recipes.load_recipe(write(tmp_path, 'extends = "urdu-8b"\nname = "r"\n[teacher]\ngpt = false'))
    assert not loaded.teacher
    assert (
        loaded.generate.target_rows
        == recipes.load_recipe(recipes.shipped_recipes()["urdu-8b"]).generate.target_rows
    )
    assert not recipes.load_recipe(recipes.shipped_recipes()["urdu-8b"], ["teacher.gpt=false"]).teacher


def test_the_papers_mixture_adds_up_to_what_its_parts_do() -> None:
    paper = recipes.load_recipe(recipes.shipped_recipes()["urdu-8b"])
    assert paper.generate.target_rows + paper.translate.rows + paper.replay.rows == 100_996


def test_the_paper_asks_for_twenty_rows_that_nothing_steers_and_all_others_for_six_with_slots() -> None:
    for name, path in recipes.shipped_recipes().items():
        generate = recipes.load_recipe(path).generate
        expected = (20, False) if name == "urdu-8b-paper" else (6, True)
        assert (generate.rows_per_request, generate.slots) == expected, name


@pytest.mark.parametrize("name", ["urdu-8b-open", "urdu-local"])
def test_recipes_called_open_name_nothing_that_is_not_for_commerce(name: str) -> None:
    loaded = recipes.load_recipe(recipes.shipped_recipes()[name])
    sources = " ".join(
        (
            *loaded.translate.source,
            *loaded.replay.source,
            *(s for p in loaded.blend.values() for s in p.source),
        )
    )
    assert "alpaca" not in sources
    assert "urdu-instruct" not in sources
    assert not any("openai.com" in teacher.base_url for teacher in loaded.teacher.values())


def test_protections_that_are_off_count_in_no_identity_and_others_do() -> None:
    off = recipes.load_recipe(recipes.shipped_recipes()["demo"])
    keys = ("adapter.layers", "pretrain.replay_end", "pretrain.ema_decay", "pretrain.embedding_keep_share")
    values = ('"0"', "0.1", "0.9", "0.5")
    on = recipes.load_recipe(
        recipes.shipped_recipes()["demo"], [f"{key}={value}" for key, value in zip(keys, values, strict=True)]
    )

    def identity(recipe: Recipe) -> set[str]:
        tables = {"adapter": recipe.adapter, "pretrain": recipe.pretrain}
        return {key for name, table in tables.items() for key in recipes.identity_settings(name, table)}

    assert identity(on) - identity(off) == set(keys)
    assert identity(off) <= identity(on)
    assert off.adapter.model_dump_json().count("layers") == 0  # nor in what identifies a checkpoint
    shown = {key: value for key, value, _, _ in recipes.list_settings(off)}
    assert [shown[key] for key in keys] == ["", None, 0.0, 1.0]


def test_a_single_layer_and_several_ranges_are_layers() -> None:
    assert Adapter(layers="5").select_layers(8) == [5]
    assert Adapter(layers="6-7,0-1,1").select_layers(8) == [0, 1, 6, 7]
    assert list(Adapter().select_layers(3)) == [0, 1, 2]
