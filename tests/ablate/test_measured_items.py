"""The system by which a run of a study is judged is what would be exported."""

from __future__ import annotations

from alif import recipe as recipes
from alif.ablate.measured_items import measured_system


def test_what_would_be_exported_is_measured() -> None:
    demo = recipes.find_recipe("demo")
    assert measured_system(recipes.load_recipe(demo, [])) == "finetune"
    merged = measured_system(recipes.load_recipe(demo, ["merge.weights=[0.25, 0.5]"]))
    assert merged.startswith("merge")
