"""A power cut or a changed file never passes for a finished step (reliability fault H2, M4, L2).

One short demo is run in this process while every fsync and every rename is recorded; the other tests use
copies of it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from alif import pipeline, store
from alif import recipe as recipes
from alif.report.model_card import write_cards
from alif.report.page import write_report
from alif.runs import Run
from alif.train import token_cache
from alif.train.packing import Segment, pack_segments
from tests.test_demo import SHORT

TRAINED = ("base", "pretrain", "finetune")


@dataclass
class Published:
    """What was so when a step's folder got its name."""

    not_flushed: list[str]
    """Files and folders in it that were written after their last flush, or never flushed."""
    disposable: set[str]
    """What training goes on from, in the step's scratch folder."""
    flushed_after: list[int] = field(default_factory=list)
    """Inodes of what was flushed from then on, until the next step got its name."""


class Recorder:
    """Records flushes and renames of this process."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.published: dict[str, Published] = {}
        self._flushed: dict[tuple[int, int], tuple[int, int]] = {}
        self._fsync, self._rename = os.fsync, os.rename
        patch.setattr(os, "fsync", self.fsync)
        patch.setattr(os, "rename", self.rename)

    def fsync(self, handle: int) -> None:
        found = os.fstat(handle)
        self._fsync(handle)
        self._flushed[found.st_dev, found.st_ino] = (found.st_size, found.st_mtime_ns)
        for last in list(self.published.values())[-1:]:
            last.flushed_after.append(found.st_ino)

    def rename(self, source: Any, target: Any) -> None:
        path = Path(source)
        if path.name == "partial":
            late = [
                str(one.relative_to(path)) for one in (path, *path.rglob("*")) if not self._is_flushed(one)
            ]
            left = {one.name for pattern in pipeline.DISPOSABLE for one in path.parent.glob(pattern)}
            self.published[Path(target).name] = Published(late, left)
        self._rename(source, target)

    def _is_flushed(self, path: Path) -> bool:
        found = path.stat()
        return self._flushed.get((found.st_dev, found.st_ino)) == (found.st_size, found.st_mtime_ns)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Published]]:
    """A folder with a finished short demo, and what was so when each step got its name."""
    folder = tmp_path_factory.mktemp("recorded")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        recorder = Recorder(patch)
        assert pipeline.run_pipeline(
            recipes.load_recipe(recipes.shipped_recipes()["demo"], SHORT), Run(Path("runs/demo"))
        ) == len(pipeline.PIPELINE)
    return folder, recorder.published


@pytest.fixture
def copied(recorded: tuple[Path, dict[str, Published]], tmp_path: Path) -> Path:
    """A copy of that folder to change, with other times and other inodes."""
    shutil.copytree(recorded[0], tmp_path / "copied", copy_function=shutil.copyfile)
    return tmp_path / "copied"


def alif(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "alif", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_reliability_h2_every_file_is_flushed_before_a_step_gets_its_name(recorded) -> None:
    _, published = recorded
    assert list(published) == [step.name for step in pipeline.PIPELINE]
    assert {step: found.not_flushed for step, found in published.items() if found.not_flushed} == {}


def test_reliability_h2_the_new_name_is_flushed_too(recorded) -> None:
    folder, published = recorded
    root = folder / "runs" / "demo"
    for step, found in published.items():
        for changed in (root, root / "runtime" / step):
            assert changed.stat().st_ino in found.flushed_after, f"{changed} after {step}"


def test_reliability_h2_checkpoints_go_after_the_step_has_its_name(recorded) -> None:
    folder, published = recorded
    assert {step for step, found in published.items() if "checkpoints" in found.disposable} == set(TRAINED)
    assert "tokens" in published["pretrain"].disposable
    left = [
        path
        for pattern in pipeline.DISPOSABLE
        for path in (folder / "runs/demo/runtime").glob(f"*/{pattern}")
    ]
    assert left == []


def test_reliability_h2_checkpoints_left_by_a_kill_after_the_rename_do_no_harm(copied: Path) -> None:
    left = copied / "runs/demo/runtime/pretrain/checkpoints/step-2"
    store.write_text(left / "trained.safetensors", "left")
    done = alif(copied, "run", "demo")
    assert (done.returncode, "Nothing to do" in done.stdout) == (0, True), done.stderr
    assert not left.parent.exists()


def test_reliability_h2_a_shard_of_tokens_is_flushed_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed, real, late = set[int](), os.replace, list[str]()
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: flushed.add(os.fstat(handle).st_ino) or fsync(handle))

    def replace(source: Any, target: Any) -> None:
        if Path(source).stat().st_ino not in flushed:
            late.append(Path(target).name)
        real(source, target)

    monkeypatch.setattr(os, "replace", replace)
    token_cache.write_shard(tmp_path / "a.npy", [[1, 2], [3]])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.ends.npy", "a.npy"]
    assert late == []
    assert tmp_path.stat().st_ino in flushed


def test_reliability_m4_a_copied_run_is_as_good_as_the_first(copied: Path, recorded) -> None:
    root, export = copied / "runs/demo", Path("export/model/model.safetensors")
    whole = (root / export).read_bytes()
    shutil.rmtree(root / "export")
    done = alif(copied, "run", "demo")
    assert done.returncode == 0, done.stderr
    assert (root / export).read_bytes() == whole
    assert alif(copied, "run", "demo").returncode == 0  # with report and cards written into it


def test_reliability_m4_rows_cut_off_at_a_line_end_are_named(copied: Path) -> None:
    path = copied / "runs/demo/generate/examples.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(lines[: len(lines) // 3]), encoding="utf-8")
    shutil.rmtree(copied / "runs/demo/export")
    done = alif(copied, "run", "demo")
    assert done.returncode == 1
    assert "runs/demo/generate/examples.jsonl was changed after the step was finished" in done.stderr
    assert "remove the folder runs/demo/generate" in done.stderr
    assert "Traceback" not in done.stderr
    shutil.rmtree(path.parent)
    assert alif(copied, "run", "demo").returncode == 0  # as the hint says: from the stored replies
    assert path.read_text(encoding="utf-8") == "".join(lines)


@pytest.mark.parametrize("at", [0, 1, -1], ids=["header", "middle", "end"])
def test_reliability_m4_one_flipped_byte_of_an_adapter_is_named(copied: Path, at: int) -> None:
    path = copied / "runs/demo/finetune/adapter/adapter_model.safetensors"
    content = bytearray(path.read_bytes())
    content[len(content) // 2 if at == 1 else at] ^= 1
    path.write_bytes(content)
    shutil.rmtree(copied / "runs/demo/export")
    done = alif(copied, "export", "demo")
    assert done.returncode == 1
    assert "adapter/adapter_model.safetensors was changed after the step was finished" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (copied / "runs/demo/export").exists()


def test_reliability_m4_a_run_of_an_older_alif_is_accepted(copied: Path) -> None:
    for path in (copied / "runs/demo").glob("*/step.json"):
        record = store.read_json(path)
        assert record.pop("files") or not record["counts"]["rows_in"]
        store.write_json(path, record)
    shutil.rmtree(copied / "runs/demo/export")
    done = alif(copied, "run", "demo")
    assert done.returncode == 0, done.stderr


def test_reliability_m4_the_models_card_is_not_part_of_the_record(copied: Path) -> None:
    assert alif(copied, "report", "demo").returncode == 0
    record = store.read_json(copied / "runs/demo/export/step.json")
    assert "model/model.safetensors" in record["files"]
    assert "model/README.md" not in record["files"]


FILLED = """
mount -t tmpfs -o size=$1k none "$2" || exit 77
[ -z "$3" ] || cp -r "$3" "$2" || exit 78
cd "$2"
shift 3
exec "$@"
"""
PACK = """
import sys
from pathlib import Path
from alif.errors import AlifError
from alif.train.packing import Segment, pack_segments
try:
    pack_segments([Segment("a", [1] * 1000)] * 100, 1000, 0, Path("packs"))
except AlifError as error:
    sys.exit(error.message)
"""


def on_a_small_disk(
    kilobytes: int, mount: Path, content: str, *arguments: str
) -> subprocess.CompletedProcess[str]:
    """Run Python on a file system of so many KB that holds a copy of `content`."""
    if not shutil.which("unshare"):
        pytest.skip("a full disk needs unshare, of util-linux")
    command = [
        "unshare",
        "-rm",
        "sh",
        "-c",
        FILLED,
        "sh",
        str(kilobytes),
        str(mount),
        content,
        sys.executable,
        *arguments,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip("this system lets nobody mount a disk of their own")
    return done


def test_reliability_l2_packed_rows_on_a_full_disk_are_a_sentence(tmp_path: Path) -> None:
    """Mapped pages of a sparse file ended the process with a bus error."""
    done = on_a_small_disk(200, tmp_path, "", "-c", PACK)
    assert done.returncode == 1, done.stderr
    assert "the disk is full" in done.stderr


@pytest.mark.parametrize("free", [40, 112], ids=["no weights fit", "no tokenizer fits"])
def test_reliability_l2_an_export_on_a_full_disk_is_a_sentence(
    copied: Path, tmp_path: Path, free: int
) -> None:
    shutil.rmtree(copied / "runs/demo/export")
    files = [path for path in (copied / "runs").rglob("*") if path.is_file()]
    used = sum(-(-path.stat().st_size // 4096) * 4 for path in files)
    (tmp_path / "disk").mkdir()
    done = on_a_small_disk(
        used + free, tmp_path / "disk", str(copied / "runs"), "-m", "alif", "export", "demo"
    )
    assert done.returncode == 1, done.stderr
    assert "the disk is full" in done.stderr
    assert "Traceback" not in done.stderr


def test_reliability_l2_packed_rows_on_disk_are_those_in_memory(tmp_path: Path) -> None:
    pieces = [
        Segment(str(size), list(range(1, size + 1)), labelled=((size // 2, size),)) for size in (5, 3, 7, 2)
    ]
    mapped, held = pack_segments(pieces, 8, 0, tmp_path / "packs"), pack_segments(pieces, 8, 0)
    for name in ("tokens", "labels", "positions"):
        assert getattr(mapped, name).tolist() == getattr(held, name).tolist()
    assert mapped.digest() == held.digest()


def contents(folder: Path) -> dict[str, Any]:
    """Return what a demo holds outside runtime/, without what docs/house.md says may differ: times."""
    root, found = folder / "runs" / "demo", {}
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        name = str(path.relative_to(root))
        if name.startswith("runtime/") or name in ("lock.json", "report.html") or "ledger.sqlite" in name:
            continue
        if name in ("card.md", "export/model/README.md"):
            found[name] = re.sub(r"[\d.,]+ (s|min) of work", "", path.read_text(encoding="utf-8"))
        elif path.name in ("step.json", "report.json"):
            found[name] = json.loads(
                path.read_text(encoding="utf-8"),
                object_hook=lambda row: {key: value for key, value in row.items() if key != "seconds"},
            )
        else:
            found[name] = path.read_bytes()
    return found


def test_reliability_l1_two_equal_runs_are_equal_to_the_byte_but_for_times(
    copied: Path, undisturbed: Path
) -> None:
    root = copied / "runs" / "demo"
    write_cards(root)  # as the command does at its end
    write_report([root])
    first, second = contents(copied), contents(undisturbed)
    assert set(first) == set(second)
    assert {name for name, content in first.items() if second[name] != content} == set()
    assert "export/model/model.safetensors" in first
