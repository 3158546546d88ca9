"""A private repository as a folder, against a stand-in of the Hub."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from alif import store
from alif.errors import AlifError
from alif.remote import backup, hub
from tests.hub_server import LARGE, Hub, Repository

pytestmark = pytest.mark.filterwarnings(
    "ignore:Use 'content=<...>':DeprecationWarning"
)  # huggingface_hub's own, in LFS

NAME = "somebody/runs"
WHERE = f"hub:{NAME}"


def send(root: Path, part: str, where: str) -> None:
    backup.upload_path(root / part, f"{root.name}/{part}", where)


def step(root: Path, name: str = "corpus") -> Path:
    store.write_json(root / name / "step.json", {"a": 1})
    store.write_text(root / name / "examples.jsonl", "ا" * LARGE)
    return root


def test_a_step_is_put_in_one_commit_and_comes_back_on_a_new_machine(
    stand_in_hub: Hub, tmp_path: Path
) -> None:
    root = step(tmp_path / "r")
    send(root, "corpus", WHERE)
    repository = stand_in_hub.repositories[NAME]
    assert repository.private
    assert repository.commits == ["initial", "alif: r/corpus"]
    assert repository.large == {"r/corpus/examples.jsonl"}
    new = tmp_path / "new" / "r"
    assert backup.restore_run(new, WHERE) == ["corpus"]
    assert store.sha256_tree(new / "corpus") == store.sha256_tree(root / "corpus")
    assert [path.name for path in new.iterdir() if path.name != "runtime"] == ["corpus"]
    assert not (new / "runtime" / "backup" / "hub").exists()  # nothing lies there twice


def test_a_run_whose_name_begins_alike_stays_where_it_is(stand_in_hub: Hub, tmp_path: Path) -> None:
    for name in ("r", "r-paper"):
        send(step(tmp_path / name), "corpus", WHERE)
    backup.restore_run(tmp_path / "new" / "r", WHERE)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["r"]


def test_a_step_that_was_built_again_holds_nothing_of_the_old_one(stand_in_hub: Hub, tmp_path: Path) -> None:
    root = step(tmp_path / "r")
    store.write_text(root / "corpus" / "old.jsonl", "{}\n")
    send(root, "corpus", WHERE)
    (root / "corpus" / "old.jsonl").unlink()
    send(root, "corpus", WHERE)
    assert "r/corpus/old.jsonl" not in stand_in_hub.repositories[NAME].files


def test_what_has_not_changed_makes_no_commit(stand_in_hub: Hub, tmp_path: Path) -> None:
    root = step(tmp_path / "r")
    send(root, "corpus", WHERE)
    send(root, "corpus", WHERE)
    assert len(stand_in_hub.repositories[NAME].commits) == 2


def test_old_checkpoints_go(stand_in_hub: Hub, tmp_path: Path) -> None:
    root, part = tmp_path / "r", "runtime/pretrain/checkpoints"
    for number in (5, 9):
        store.write_text(root / part / f"step-{number}" / "weights", "w" * LARGE)
        send(root, f"{part}/step-{number}", WHERE)
    (root / part / "step-5").rename(tmp_path / "old")
    backup.prune_backup(root / part, f"{root.name}/{part}", WHERE)
    assert list(hub.list_files(NAME, f"r/{part}")) == ["step-9/weights"]


def test_a_run_that_was_never_sent_begins(stand_in_hub: Hub, tmp_path: Path) -> None:
    assert backup.restore_run(tmp_path / "r", WHERE) == []
    assert stand_in_hub.repositories[NAME].private


def test_a_public_repository_is_refused(stand_in_hub: Hub, tmp_path: Path) -> None:
    stand_in_hub.repositories[NAME] = Repository(private=False)
    for act in (
        lambda: send(step(tmp_path / "r"), "corpus", WHERE),
        lambda: backup.restore_run(tmp_path / "n", WHERE),
    ):
        with pytest.raises(AlifError, match="is public"):
            act()
    assert list(stand_in_hub.repositories[NAME].files) == [".gitattributes"]


def test_a_forgotten_token_stops_a_new_machine_before_it_pays_again(
    stand_in_hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(step(tmp_path / "r"), "corpus", WHERE)
    monkeypatch.setenv("HF_TOKEN", "hf_another")
    with pytest.raises(AlifError, match="cannot be reached") as caught:
        backup.restore_run(tmp_path / "new" / "r", WHERE)
    assert "HF_TOKEN" in caught.value.hint
    assert "hf_another" not in str(caught.value)
    monkeypatch.setattr(
        hub.time, "sleep", lambda seconds: pytest.fail("a token does not become right by waiting")
    )
    with pytest.raises(AlifError, match="cannot be reached"):
        send(tmp_path / "r", "corpus", WHERE)


def test_a_hub_that_is_away_for_a_moment_is_asked_again(
    stand_in_hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = step(tmp_path / "r")
    send(root, "corpus", WHERE)
    store.write_text(root / "corpus" / "more.jsonl", "{}\n")
    waited = []

    def comes_back(seconds: float) -> None:
        waited.append(seconds)
        stand_in_hub.refused = ""

    monkeypatch.setattr(hub.time, "sleep", comes_back)
    stand_in_hub.refused = "commit"
    send(root, "corpus", WHERE)
    assert waited == [hub.RETRY_WAITS_S[0]]
    assert "r/corpus/more.jsonl" in stand_in_hub.repositories[NAME].files
    (root / "corpus" / "more.jsonl").unlink()
    stand_in_hub.refused = "commit"
    backup.prune_backup(root / "corpus", "r/corpus", WHERE)
    assert waited == [hub.RETRY_WAITS_S[0]] * 2
    assert "r/corpus/more.jsonl" not in stand_in_hub.repositories[NAME].files


def test_a_step_stands_there_when_it_is_there_as_it_is_here(stand_in_hub: Hub, tmp_path: Path) -> None:
    root = step(tmp_path / "r")
    assert backup.up_to_date_steps(root, WHERE) == set()
    send(root, "corpus", WHERE)
    assert backup.up_to_date_steps(step(root, "blend"), WHERE) == {"corpus"}
    store.write_json(root / "corpus" / "step.json", {"a": "built again"})
    assert backup.up_to_date_steps(root, WHERE) == set()


def test_a_hub_that_is_away_is_a_sentence(
    stand_in_hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "RETRY_WAITS_S", ())
    root = step(tmp_path / "r")
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(
        AlifError, match=r"hub:somebody/runs: the backup cannot be reached \(.*Connection refused"
    ):
        send(root, "corpus", WHERE)


def test_a_disk_that_is_full_is_not_the_hubs_fault(
    stand_in_hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(step(tmp_path / "r"), "corpus", WHERE)

    def full(*given: object, **more: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("huggingface_hub.snapshot_download", full)
    with pytest.raises(AlifError, match="the disk is full"):
        backup.restore_run(tmp_path / "new" / "r", WHERE)


def test_a_ledger_is_sent_where_it_has_changed(stand_in_hub: Hub, tmp_path: Path) -> None:
    root = step(tmp_path / "r")
    with backup.background_backup(root, WHERE) as send_ledger:
        send_ledger()
        assert stand_in_hub.commits(NAME) == []  # there is none
        live = sqlite3.connect(root / "ledger.sqlite")
        live.execute("CREATE TABLE replies (text)")
        for _ in range(2):
            send_ledger()
        assert stand_in_hub.commits(NAME) == ["initial", "alif: r/ledger.sqlite"]
        live.execute("INSERT INTO replies VALUES ('paid for')")
        live.commit()
        live.close()
    assert stand_in_hub.commits(NAME)[2:] == ["alif: r/ledger.sqlite"]
    backup.restore_run(tmp_path / "new" / "r", WHERE)
    copy = sqlite3.connect(tmp_path / "new" / "r" / "ledger.sqlite")
    assert copy.execute("SELECT text FROM replies").fetchall() == [("paid for",)]
    copy.close()
