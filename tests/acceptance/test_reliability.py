"""Faults M6, M8, L4, L7 and L13 of the reliability review.

One test for each input that the review lists; the readers' own (M8) are in test_data_files.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from alif import console, recipe, sources, store
from alif.commands import status
from alif.commands.money import money_status
from alif.errors import AlifError, DataError, RecipeError
from alif.llm.ledger import Ledger
from tests.acceptance.test_data_daily import alif, made
from tests.fake_provider import InjectedFaults
from tests.test_faults import Place, account, finished, place, refused_as, teacher

__all__ = ["place", "teacher"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGHUP, and ends a process without a signal")
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)], ids=str
)
def test_reliability_m6_a_signal_to_stop_waits_for_replies_on_their_way(
    place: Place, number: signal.Signals, code: int
) -> None:
    place.tables["runtime"] = {"max_concurrency": 16}
    place.server.chaos = InjectedFaults(slow=1.0, slow_s=1.5)
    process = place.start("t")
    deadline = time.monotonic() + 60
    while not place.server.served and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.3)
    process.send_signal(number)
    _, told = process.communicate(timeout=60)
    assert process.returncode == code, told
    assert "Stopped. Repeat the command" in told
    assert "Traceback" not in told
    books = account(place.ledger("t"), "t")
    assert books.replies == books.attempts == len(place.server.served) > 0, "nothing was thrown away"
    assert books.unsettled_usd == 0
    place.server.chaos = InjectedFaults()
    finished(place.generate("t"))
    assert account(place.ledger("t"), "t").replies == len(place.server.served), "nothing was paid twice"


@pytest.mark.skipif(os.name == "nt", reason="a shell's nohup")
def test_reliability_m6_nohup_keeps_a_run_going_when_the_terminal_closes(place: Place) -> None:
    place.server.chaos = InjectedFaults(slow=1.0, slow_s=0.5)
    process = place.start("t", "nohup")
    deadline = time.monotonic() + 60
    while not place.server.served and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGHUP)
    process.communicate(timeout=120)
    assert process.returncode == 0


@pytest.mark.parametrize(
    "text",
    [
        "extends = []",
        "extends = {}",
        "extends = 3",
        'extends = "no"',
        "seeds.seed = " + "9" * 5_000,
        "about = " + "[" * 5_000 + "]" * 5_000,
        "a" + ".a" * 20_000 + " = 1",
        "teacher = " + "{a=" * 3_000 + "1" + "}" * 3_000,
        'about = "' + "x" * 2_000_000 + '"',
        "runtime.timeout_s = inf",
        "name = 3",
        "\x00",
    ],
    ids=lambda text: text[:14],
)
def test_reliability_m8_recipes_that_nothing_could_read_are_a_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "r.toml"
    path.write_text(text, encoding="utf-8")
    began = time.monotonic()
    with pytest.raises(RecipeError) as caught:
        recipe.load_recipe(path)
    assert len(caught.value.message) < 600
    assert time.monotonic() - began < 5


@pytest.mark.skipif(sys.platform != "linux", reason="names of bytes")
def test_reliability_m8_a_file_name_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.jsonl")
    store.write_rows(path, [{"instruction": "a", "output": "b"}])
    with pytest.raises(DataError, match="its name is not UTF-8"):
        list(sources.read_rows(["caf*.jsonl"], str(tmp_path)))
    assert len(store.sha256_tree(tmp_path)) == 64
    (tmp_path / "t.toml").write_text(
        'extends = "demo"\nname = "t"\n[replay]\nrows = 1\nsource = "caf*"\n[sources]\nfolder = "."\n'
    )
    refused_as(alif(tmp_path, "replay", "t.toml"), "caf\\xe9.jsonl: its name is not UTF-8")


@pytest.mark.parametrize("backup", ["file", "file/below", "x" * 300], ids=lambda name: name[:10])
def test_reliability_m8_a_backup_that_cannot_be_a_folder_is_a_sentence(tmp_path: Path, backup: str) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    told = alif(tmp_path, "seeds", "demo", "--set", f'runtime.backup="{backup}"')
    refused_as(told, backup[:20], "a part of this path" if "file" in backup else "too long")


@pytest.mark.skipif(sys.platform != "linux", reason="ulimit")
@pytest.mark.parametrize("files", [12, 20, 30, 40])
def test_reliability_l13_too_few_open_files_are_a_sentence(tmp_path: Path, files: int) -> None:
    command = [
        "bash",
        "-c",
        f'ulimit -n {files}; "$@"',
        "bash",
        sys.executable,
        "-m",
        "alif",
        "seeds",
        "demo",
    ]
    told = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    if told.returncode:
        assert "Traceback" not in told.stderr, told.stderr


def test_reliability_l13_a_report_is_written_again_whatever_the_clock_says(tmp_path: Path) -> None:
    run = made(tmp_path)
    store.write_json(run.root / "report.json", {"steps": [], "scores": []})
    (run.root / "report.html").write_text("old", encoding="utf-8")
    ahead = time.time() + 1e6
    os.utime(run.root / "report.json", (ahead, ahead))
    assert status.is_report_stale(run)
    record = run.record("seeds")
    assert record is not None
    store.write_json(run.root / "report.json", {"steps": [{"name": "seeds", "seconds": record.seconds}]})
    os.utime(run.root / "report.json", (1, 1))
    assert not status.is_report_stale(run)
    for damaged in ("{}", "[]", "", "null"):
        (run.root / "report.json").write_text(damaged, encoding="utf-8")
        assert status.is_report_stale(run)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="changes the user in a child")
def test_reliability_l13_status_of_a_run_that_cannot_be_written(tmp_path: Path) -> None:
    run = made(tmp_path)
    ledger = Ledger(run.root / "ledger.sqlite")
    ledger.close()
    for path in (*run.root.rglob("*"), run.root):
        path.chmod(0o555 if path.is_dir() else 0o444)
    for folder in (tmp_path, *tmp_path.parents[:-2]):
        folder.chmod(folder.stat().st_mode | 0o055)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            if os.getuid() == 0:
                os.setuid(65534)  # root may write everywhere
            found = money_status(run, recipe.load_recipe(run.root / "recipe.toml"))
            code = 0 if found["spent_usd"] == 0 and not os.access(run.root, os.W_OK) else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    for path in (run.root, *run.root.rglob("*")):
        path.chmod(0o755)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("command", [("ls",), ("ls", "--json"), ("check", "demo"), ("--help",)])
def test_reliability_l13_output_that_cannot_be_written_is_a_sentence(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    told = alif(tmp_path, *command, shell="> /dev/full")
    refused_as(told, "The output cannot be written: No space left on device.")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_reliability_l13_progress_that_cannot_be_written_stops_no_run(tmp_path: Path) -> None:
    assert alif(tmp_path, "seeds", "demo", shell="2> /dev/full").returncode == 0


def test_reliability_l4_a_pack_is_not_written_outside_under_a_code_that_is_a_path(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (inner / "text.txt").write_text("some text\n" * 50, encoding="utf-8")
    told = alif(inner, "new", "--pack", "../../evil", "--from", "text.txt")
    refused_as(told, "no language code")
    assert not (tmp_path / "evil").exists()
    assert sorted(path.name for path in inner.iterdir()) == ["text.txt"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("\x9b31m", "\\x9b31m"),
        ("a\rb\bc", "a\\x0db\\x08c"),
        ("a\u202eb", "a\\u202eb"),
        ("a\u2066b", "a\\u2066b"),
        ("a\u2069b\u2066", "a\\u2069b\\u2066"),
        ("\u2067شہر\u2069", "\u2067شہر\u2069"),
        ("two\nlines", "two\nlines"),
        ("\udce9", "\\xe9"),
        ("\ud800", "\\ud800"),
    ],
)
def test_reliability_l7_control_characters_of_others_are_inert(
    text: str, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    console.print_result(text)
    console.log(text)
    console.print_table(("cell",), [(text,)], title=text)
    console.print_json({"text": text})
    told = capsys.readouterr()
    assert shown in told.out
    assert shown in told.err
    assert "\x1b" not in told.out + told.err
    document = told.out[told.out.index("{\n") :]
    assert json.loads(document)["text"] == text


def test_reliability_l7_names_of_a_pack_and_files_reach_the_terminal_inert(tmp_path: Path) -> None:
    evil = tmp_path / "evil\x1b[31m\u202e.toml"
    evil.write_text("broken = [", encoding="utf-8")
    told = alif(tmp_path, "check", evil.name)
    refused_as(told, "evil\\x1b[31m\\u202e.toml: not TOML")
    assert "\x1b" not in told.stderr


def test_reliability_m8_os_errors_are_sentences(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(AlifError, match="a part of this path is a file"):
        store.write_text(tmp_path / "file" / "below" / "x", "")
    with pytest.raises(AlifError, match="the name is too long"):
        store.write_text(tmp_path / ("x" * 300), "")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere" / "at all")
    with pytest.raises(AlifError, match="a link to a place that does not exist"):
        store.write_text(tmp_path / "link" / "x", "")
    refused_as(alif(tmp_path, "check", "--pack", "x" * 300), "the name is too long")
