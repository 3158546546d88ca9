"""Forms of an exported model: complete with a record, or absent."""

from __future__ import annotations

from pathlib import Path

import pytest

from alif import recipe as recipes
from alif.errors import DataError, ModelError
from alif.facts.release_facts import FormFacts
from alif.release import forms, four_bit
from alif.release.adapter_export import digest_weights


def test_a_form_says_what_it_was_made_of(exported: Path) -> None:
    recipe = recipes.load_recipe(exported / "recipe.toml")
    folder, facts = forms.export_form(exported, recipe, "adapter", quant="q8_0")
    assert folder == exported / "export" / "adapter"
    assert facts.model_digest == digest_weights(exported / "export" / "model")
    assert facts.base == "tiny"
    assert facts.base_digest == digest_weights(folder / "base")
    assert forms.read_forms(exported) == {folder: facts}
    assert isinstance(facts, FormFacts)
    assert (
        facts.bytes
        == sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())
        - (folder / "form.json").stat().st_size
    )
    assert all(path.stat().st_mode & 0o044 for path in folder.rglob("*"))


def test_a_form_that_fails_leaves_the_old_one(exported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = recipes.load_recipe(exported / "recipe.toml")
    old = exported / "export" / "bnb4"
    old.mkdir()
    (old / "old").touch()

    def fail(model: Path, folder: Path) -> None:
        (folder / "half").touch()
        raise ModelError("no")

    monkeypatch.setattr(four_bit, "export_four_bit", fail)
    with pytest.raises(ModelError):
        forms.export_form(exported, recipe, "bnb4", quant="q8_0")
    assert [path.name for path in old.iterdir()] == ["old"]
    assert sorted(path.name for path in (exported / "export").iterdir()) == ["bnb4", "model"]


def test_without_a_merged_model_there_is_no_form(tiny_run: Path) -> None:
    recipe = recipes.load_recipe(tiny_run / "recipe.toml")
    with pytest.raises(DataError, match="no merged model") as error:
        forms.export_form(tiny_run, recipe, "gguf", quant="f16")
    assert error.value.hint == "alif export tiny makes it."
