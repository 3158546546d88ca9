"""What is varied: axes as people type them, studies as files, points with labels."""

from __future__ import annotations

from pathlib import Path

import pytest

from alif.ablate import study as studies
from alif.ablate.study import Study, parse_axis
from alif.errors import RecipeError


@pytest.mark.parametrize(
    ("text", "key", "values"),
    [
        ("adapter.rank=16,32", "adapter.rank", (16, 32)),
        (" pretrain.replay = 0, 0.1 ", "pretrain.replay", (0, 0.1)),
        ("finetune.loss_on=answer,all", "finetune.loss_on", ("answer", "all")),
        ('replay.source="a b.jsonl","c.jsonl"', "replay.source", ("a b.jsonl", "c.jsonl")),
        ("merge.weights=[0.4],[0.4, 0.6]", "merge.weights", ([0.4], [0.4, 0.6])),
        ("adapter.rslora=true,false", "adapter.rslora", (True, False)),
        ("translate.rows=8,2024-01-01", "translate.rows", (8, "2024-01-01")),
    ],
)
def test_an_axis_is_read_as_people_type_it(text: str, key: str, values: tuple[object, ...]) -> None:
    assert parse_axis(text) == (key, values)


@pytest.mark.parametrize(
    "text", ["adapter.rank", "=16", "adapter.rank=", "", "adapter.rank=16,16", "a.b=0.1,0.10"]
)
def test_an_axis_without_key_or_values_or_with_one_twice_is_refused(text: str) -> None:
    with pytest.raises(RecipeError, match="--over"):
        parse_axis(text)


def test_a_grid_has_all_combinations_and_counts_them_before_it_makes_them() -> None:
    found = Study(over={"a.x": (1, 2), "b.y": ("p", "q", "r")}, seeds=2)
    assert found.runs == 12
    assert found.points()["2, q"] == {"a.x": 2, "b.y": "q"}
    huge = Study(over={f"k{number}.v": tuple(range(100)) for number in range(5)})
    assert huge.runs == 3 * 10**10


def test_single_points_have_labels_and_no_label_stands_twice() -> None:
    found = Study(point=({"label": "none"}, {"pretrain.replay": 0.1}, {"replay.rows": 0.1}))
    assert list(found.points()) == ["none", "pretrain.replay 0.1", "replay.rows 0.1"]
    assert found.points()["none"] == {}
    with pytest.raises(RecipeError, match="none stands there twice"):
        Study(point=({"label": "none"}, {"label": "none", "a.b": 1})).points()


def test_every_shipped_study_says_what_it_asks_and_who_left_it_open() -> None:
    assert len(studies.shipped_studies()) >= 11
    for name in studies.shipped_studies():
        found = studies.find_study(name)
        assert found, name
        assert all((found.question.endswith("?"), "arXiv" in found.source, found.recipe)), name
        assert len(found.points()) > 1 or found.over.get("teacher") == ("each",)


def test_a_file_is_a_study_where_it_varies_something(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('recipe = "demo"\n[over]\n"adapter.rank" = [4, 8]\n')
    found = studies.find_study(str(path))
    assert found
    assert found.over == {"adapter.rank": (4, 8)}
    path.write_text('name = "a recipe"\n')
    assert studies.find_study(str(path)) is None
    assert studies.find_study("demo") is None
    path.write_text('[over]\n"adapter.rank" = 4\n')
    with pytest.raises(RecipeError, match=r"mine.toml: over.adapter.rank"):
        studies.find_study(str(path))
