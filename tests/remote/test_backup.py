"""A run whose machine vanishes goes on from its mirror."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from alif import pipeline, store
from alif import recipe as recipes
from alif.errors import AlifError, BudgetError
from alif.facts import NoFacts
from alif.remote import backup
from alif.runs import Run, Step, StepContext


def send(root: Path, part: str, there: str) -> None:
    backup.upload_path(root / part, f"{root.name}/{part}", there)


def run(folder: Path) -> Path:
    root = folder / "machine" / "r"
    store.write_json(root / "corpus" / "step.json", {"a": 1})
    store.write_text(root / "corpus" / "examples.jsonl", "{}\n")
    store.write_text(root / "runtime" / "pretrain" / "checkpoints" / "step-5" / "weights", "5")
    return root


def test_parts_are_copied_whole_and_come_back_on_a_new_machine(tmp_path: Path) -> None:
    root, there = run(tmp_path), str(tmp_path / "mirror")
    for part in ("corpus", "runtime/pretrain/checkpoints/step-5"):
        send(root, part, there)
    new = tmp_path / "other" / "r"
    assert backup.restore_run(new, there) == ["corpus", "runtime/pretrain/checkpoints"]
    assert store.sha256_tree(new / "corpus") == store.sha256_tree(root / "corpus")
    assert (new / "runtime/pretrain/checkpoints/step-5/weights").read_text() == "5"


def test_of_a_finished_step_the_curve_comes_back_and_what_was_to_go_on_from_does_not(tmp_path: Path) -> None:
    root, there = run(tmp_path), str(tmp_path / "mirror")
    store.write_json(root / "pretrain" / "step.json", {"a": 1})
    store.write_text(root / "runtime" / "pretrain" / "curve.jsonl", "{}\n")
    for part in ("pretrain", "runtime/pretrain/checkpoints/step-5", "runtime/pretrain/curve.jsonl"):
        send(root, part, there)
    assert backup.restore_run(tmp_path / "other" / "r", there) == ["pretrain", "runtime/pretrain/curve.jsonl"]


def test_a_run_that_has_begun_here_is_left_alone(tmp_path: Path) -> None:
    root, there = run(tmp_path), str(tmp_path / "mirror")
    send(root, "corpus", there)
    store.write_text(root / "recipe.toml", 'name = "r"\n')
    (root / "corpus").rename(tmp_path / "removed to build it again")
    assert backup.restore_run(root, there) == []
    assert not (root / "corpus").exists()


def test_old_checkpoints_go_from_the_mirror_too(tmp_path: Path) -> None:
    root, there = run(tmp_path), str(tmp_path / "mirror")
    part = "runtime/pretrain/checkpoints"
    send(root, f"{part}/step-5", there)
    (root / part / "step-5").rename(root / part / "step-9")
    send(root, f"{part}/step-9", there)
    backup.prune_backup(root / part, f"{root.name}/{part}", there)
    assert [path.name for path in (tmp_path / "mirror" / "r" / part).iterdir()] == ["step-9"]


def test_the_ledger_is_copied_while_it_is_written(tmp_path: Path) -> None:
    root, there = run(tmp_path), tmp_path / "mirror"
    live = sqlite3.connect(root / "ledger.sqlite")
    live.execute("PRAGMA journal_mode=wal")
    live.execute("CREATE TABLE t (a)")
    with backup.background_backup(root, str(there)):
        live.execute("INSERT INTO t VALUES (7)")
        live.commit()
    copy = sqlite3.connect(there / "r" / "ledger.sqlite")
    assert copy.execute("SELECT a FROM t").fetchall() == [(7,)]
    copy.close()
    live.close()


def test_the_ledger_is_copied_when_a_step_is_done_and_only_where_it_has_changed(tmp_path: Path) -> None:
    root, there = run(tmp_path), tmp_path / "mirror"
    copy = there / "r" / "ledger.sqlite"
    with sqlite3.connect(root / "ledger.sqlite") as live:
        live.execute("CREATE TABLE t (a)")
    live.close()
    with backup.background_backup(root, str(there)) as send_ledger:
        send_ledger()
        first = copy.stat().st_ino
        send_ledger()
        assert copy.stat().st_ino == first


def test_a_mirror_without_room_is_a_sentence_and_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, there = run(tmp_path), str(tmp_path / "mirror")
    send(root, "corpus", there)
    before = store.sha256_tree(tmp_path / "mirror")
    monkeypatch.setattr(backup.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 1})())
    with pytest.raises(AlifError, match="the disk is full") as caught:
        send(root, "corpus", there)
    assert "runtime.backup" in caught.value.hint
    assert store.sha256_tree(tmp_path / "mirror") == before


def test_what_is_told_is_why_a_run_stopped_and_not_that_the_mirror_is_away_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root, there = run(tmp_path), str(tmp_path / "mirror")
    sqlite3.connect(root / "ledger.sqlite").close()

    def away(*context: object) -> None:
        raise AlifError("the mirror is away")

    monkeypatch.setattr(backup, "upload_path", away)
    with pytest.raises(BudgetError, match="the cap is reached"), backup.background_backup(root, there):
        raise BudgetError("the cap is reached")
    assert "the ledger there lacks its last minutes (the mirror is away)" in capsys.readouterr().err
    with pytest.raises(AlifError, match="the mirror is away"), backup.background_backup(root, there):
        pass


def test_a_step_that_the_mirror_lacks_is_sent_by_the_next_command(tmp_path: Path) -> None:
    def work(context: StepContext) -> NoFacts:
        context.output.require("examples.jsonl")
        return NoFacts()

    steps = (Step("one", work, ""), Step("two", work, ""))
    there = tmp_path / "mirror"
    plain = recipes.load_recipe(recipes.shipped_recipes()["demo"])
    mirrored = recipes.load_recipe(recipes.shipped_recipes()["demo"], [f'runtime.backup="{there}"'])
    folder = Run(tmp_path / "runs" / "demo")
    assert pipeline.run_pipeline(plain, folder, steps) == 2
    assert pipeline.run_pipeline(mirrored, folder, steps) == 0
    assert backup.up_to_date_steps(folder.root, str(there)) == {"one", "two"}
    (there / "demo" / "two" / "step.json").unlink()
    assert pipeline.run_pipeline(mirrored, folder, steps) == 0
    assert backup.up_to_date_steps(folder.root, str(there)) == {"one", "two"}


def test_no_mirror_does_nothing(tmp_path: Path) -> None:
    root = run(tmp_path)
    send(root, "corpus", "")
    backup.prune_backup(root / "corpus", "r/corpus", "")
    assert backup.restore_run(tmp_path / "new" / "r", "") == []
