"""A run whose machine vanishes goes on from its mirror."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from alif import mirror, store
from alif.errors import AlifError


def run(folder: Path) -> Path:
    root = folder / "machine" / "r"
    store.write_json(root / "corpus" / "step.json", {"a": 1})
    store.write_text(root / "corpus" / "examples.jsonl", "{}\n")
    store.write_text(root / "runtime" / "pretrain" / "checkpoints" / "step-5" / "weights", "5")
    return root


def test_parts_are_copied_whole_and_come_back_on_a_new_machine(tmp_path: Path) -> None:
    root, there = run(tmp_path), str(tmp_path / "mirror")
    for part in ("corpus", "runtime/pretrain/checkpoints/step-5"):
        mirror.send(root, part, there)
    new = tmp_path / "other" / "r"
    assert mirror.restore(new, there) == ["corpus", "runtime/pretrain/checkpoints"]
    assert store.digest(new / "corpus") == store.digest(root / "corpus")
    assert (new / "runtime/pretrain/checkpoints/step-5/weights").read_text() == "5"


def test_a_run_that_has_begun_here_is_left_alone(tmp_path: Path) -> None:
    root, there = run(tmp_path), str(tmp_path / "mirror")
    mirror.send(root, "corpus", there)
    store.write_text(root / "recipe.toml", 'name = "r"\n')
    (root / "corpus").rename(tmp_path / "removed to build it again")
    assert mirror.restore(root, there) == []
    assert not (root / "corpus").exists()


def test_old_checkpoints_go_from_the_mirror_too(tmp_path: Path) -> None:
    root, there = run(tmp_path), str(tmp_path / "mirror")
    part = "runtime/pretrain/checkpoints"
    mirror.send(root, f"{part}/step-5", there)
    (root / part / "step-5").rename(root / part / "step-9")
    mirror.send(root, f"{part}/step-9", there)
    mirror.forget(root, part, there)
    assert [path.name for path in (tmp_path / "mirror" / "r" / part).iterdir()] == ["step-9"]


def test_the_ledger_is_copied_while_it_is_written(tmp_path: Path) -> None:
    root, there = run(tmp_path), tmp_path / "mirror"
    live = sqlite3.connect(root / "ledger.sqlite")
    live.execute("PRAGMA journal_mode=wal")
    live.execute("CREATE TABLE t (a)")
    with mirror.keeping(root, str(there)):
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
    with mirror.keeping(root, str(there)) as send_ledger:
        send_ledger()
        first = copy.stat().st_ino
        send_ledger()
        assert copy.stat().st_ino == first


def test_a_mirror_without_room_is_a_sentence_and_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, there = run(tmp_path), str(tmp_path / "mirror")
    mirror.send(root, "corpus", there)
    before = store.digest(tmp_path / "mirror")
    monkeypatch.setattr(mirror.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 1})())
    with pytest.raises(AlifError, match="the disk is full") as caught:
        mirror.send(root, "corpus", there)
    assert "runtime.mirror" in caught.value.hint
    assert store.digest(tmp_path / "mirror") == before


def test_no_mirror_does_nothing(tmp_path: Path) -> None:
    root = run(tmp_path)
    mirror.send(root, "corpus", "")
    mirror.forget(root, "corpus", "")
    assert mirror.restore(tmp_path / "new" / "r", "") == []
