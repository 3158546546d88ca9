"""`alif unread`: what nobody has read, the most important first."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from alif import store
from alif.commands.unread import list_unread, show_unread
from alif.language.pack import load_pack


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copied = tmp_path / "sw"
    shutil.copytree(load_pack("sw").folder, copied)
    return copied


def test_seeds_come_first_then_the_test_set_then_the_demo(folder: Path) -> None:
    found, rows = list_unread(load_pack(str(folder)))
    assert len(found) == rows
    parts = [Path(one["where"]).relative_to(folder).parts[0].partition(":")[0] for one in found]
    assert list(dict.fromkeys(parts)) == ["seeds", "test.jsonl", "demo"]


def test_of_the_seeds_first_those_that_most_requests_show(folder: Path) -> None:
    pack = load_pack(str(folder))
    heaviest = max(pack.tasks.values(), key=lambda task: task.weight)
    seeds = folder / "seeds" / f"{heaviest.name}.jsonl"
    store.write_rows(seeds, [row for _, row in store.read_rows(seeds)][:4])
    found, _ = list_unread(pack)
    assert [one["task"] for one in found[:5]][:4] == [heaviest.name] * 4
    assert found[4]["task"] != heaviest.name


def test_a_row_with_a_reader_is_no_longer_shown(folder: Path) -> None:
    pack = load_pack(str(folder))
    before, rows = list_unread(pack)
    path, _, number = before[0]["where"].rpartition(":")
    signed = [row for _, row in store.read_rows(Path(path))]
    signed[int(number) - 1]["reviewed_by"] = "Asha Mushi"
    store.write_rows(Path(path), signed)
    after, again = list_unread(pack)
    assert (len(after), again) == (len(before) - 1, rows)
    assert before[0]["row"] not in [one["row"] for one in after]


def test_a_row_is_shown_with_its_place_and_how_to_sign_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    show_unread(str(folder), n=1)
    printed = capsys.readouterr().out
    assert f"{folder}/seeds/" in printed
    assert "1 are shown" in printed
    assert "reviewed_by" in printed
