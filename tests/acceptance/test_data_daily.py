"""Faults A9, B8, C12 to C15, C19 and C20 of the data review: daily accidents with runs, sources and screens.

One test for each input that the review lists.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import tomli_w

from alif import pipeline, recipe, sources, store
from alif.commands import listing, rows, status
from alif.data import source_check
from alif.errors import AlifError, DataError, DriftError, RecipeError
from alif.runs import Run
from tests.pipeline_steps import step_by_name
from tests.test_faults import Place, account, finished, place, refused_as, teacher

__all__ = ["place", "teacher"]
ARTICLE = "لاہور میں آج موسم خوشگوار رہا۔ شام کو شہر کے مختلف علاقوں میں ہلکی بارش ہوئی۔"
"""Urdu: "The weather in Lahore was pleasant today. In the evening light rain fell in parts of the city." """


def alif(
    folder: Path, *arguments: str, env: Mapping[str, str] | None = None, shell: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run a command in `folder`; `shell` follows it in a pipe or a redirection."""
    command = [sys.executable, "-m", "alif", *arguments]
    line = ["bash", "-o", "pipefail", "-c", f'"$@" {shell}', "bash", *command] if shell else command
    environment = {"PATH": "/usr/bin:/bin", **(env or {})}
    return subprocess.run(
        line,
        cwd=folder,
        env=environment,
        capture_output=True,
        check=False,
        encoding="utf-8",
        errors="replace",
    )


def made(folder: Path, name: str = "t", until: str = "seeds", **tables: object) -> Run:
    """Make a run in `folder` by the API."""
    values = {"extends": "demo", "name": name, **tables}
    path = folder / f"{name}.toml"
    path.write_text(tomli_w.dumps(values), encoding="utf-8")
    run = Run(folder / "runs" / name)
    steps = pipeline.required_steps(step_by_name(until))
    pipeline.run_pipeline(recipe.load_recipe(path), run, steps)
    return run


@pytest.mark.parametrize("copied", [False, True], ids=["renamed", "copied"])
def test_data_a9_a_renamed_or_copied_run_is_continued_where_it_lies_and_pays_nothing_twice(
    place: Place, copied: bool
) -> None:
    finished(place.generate("t"))
    asked, runs = len(place.server.served), place.folder / "runs"
    spent = account(runs / "t" / "ledger.sqlite", "t").usd
    (shutil.copytree if copied else shutil.move)(runs / "t", runs / "t-v1")
    shutil.rmtree(runs / "t-v1" / "generate")
    again = alif(place.folder, "generate", "t-v1")
    assert again.returncode == 0, again.stderr
    assert len(place.server.served) == asked, "every reply was stored"
    assert {path.name for path in runs.iterdir()} == ({"t", "t-v1"} if copied else {"t-v1"})
    assert (runs / "t-v1" / "generate" / "examples.jsonl").is_file()
    shown = json.loads(alif(place.folder, "status", "t-v1", "--json").stdout)
    assert shown["money"]["spent_usd"] == pytest.approx(spent)
    assert recipe.load_recipe(runs / "t-v1" / "recipe.toml").name == "t-v1"
    assert Run(runs / "t-v1").ledger_name == "t", "also after its recipe was written anew"
    capped = alif(place.folder, "generate", "t-v1", "--set", "generate.target_rows=140", "--set",
                  f"runtime.max_cost_usd={spent}")  # fmt: skip
    assert capped.returncode in (1, 4), "drift, or the cap that the copy's spending has reached"
    assert len(place.server.served) == asked


def test_data_a9_the_recipe_of_a_run_that_was_renamed_does_not_start_it_anew(place: Place) -> None:
    finished(place.generate("t"))
    asked = len(place.server.served)
    (place.folder / "runs" / "t").rename(place.folder / "runs" / "t-v1")
    refused_as(place.generate("t"), "t-v1 is the run t under another name", "alif run t-v1")
    assert len(place.server.served) == asked
    assert not (place.folder / "runs" / "t").exists()


def test_data_a9_a_run_that_was_moved_elsewhere_does_not_start_anew(place: Place) -> None:
    finished(place.generate("t"))
    asked = len(place.server.served)
    (place.folder / "archive").mkdir()
    (place.folder / "runs" / "t").rename(place.folder / "archive" / "t-v1")
    told = alif(place.folder, "generate", "archive/t-v1/recipe.toml")
    refused_as(told, "archive/t-v1 is a run that lies outside runs/", "Move the folder to runs/t-v1")
    (place.folder / "archive" / "t-v1").rename(place.folder / "runs" / "t-v1")
    finished(alif(place.folder, "generate", "t-v1"))
    assert len(place.server.served) == asked


def test_data_a9_a_run_of_a_version_that_kept_no_name_is_recognised_by_its_recipe(tmp_path: Path) -> None:
    run = made(tmp_path)
    lock = store.read_json(run.root / "lock.json")
    del lock["run"]
    store.write_json(run.root / "lock.json", lock)
    moved = Run(run.root.rename(run.root.with_name("t-v1")))
    assert moved.ledger_name == "t"
    moved.write_header(recipe.load_recipe(moved.root / "recipe.toml"))
    assert moved.ledger_name == "t"
    assert 'name = "t-v1"' in (moved.root / "recipe.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("address", ["hub:owner/name@", "hub:owner/name#", "hub:owner/name:", "hub:"])
def test_data_b8_a_hub_address_that_is_not_understood_is_refused(address: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no address of a hub data set"):
        list(sources.read_rows([address], str(tmp_path)))
    with pytest.raises(RecipeError, match="no address of a hub data set") as caught:
        made(tmp_path, until="replay", replay={"rows": 10, "source": address})
    assert caught.value.message.startswith("replay.source: ")
    assert not (tmp_path / "runs" / "t" / "recipe.toml").exists()


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("empty.jsonl", "", "the file is empty"),
        ("blank.jsonl", "\n\n", "the file is empty"),
        ("array.jsonl", json.dumps([{"instruction": "a", "output": "b"}] * 3, indent=1), "can be used"),
        ("half.csv", "instruction;input;output\nName a river;;The Indus\n", "separated by"),
        ("columns.jsonl", '{"frage": "a", "antwort": "b"}\n' * 3, "none of its 3 rows can be used"),
        ("broken.jsonl", "{broken\n" * 3, "none of its 3 rows can be used"),
    ],
)
def test_data_b8_a_source_of_which_nothing_is_left_is_an_error_before_anything_is_written(
    tmp_path: Path, name: str, content: str, complaint: str
) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    table = {"rows": 1000, "source": name}
    with pytest.raises(RecipeError, match=complaint) as caught:
        made(tmp_path, until="replay", replay=table, sources={"folder": str(tmp_path)})
    assert caught.value.message.startswith("replay.source: ")
    assert not (tmp_path / "runs" / "t" / "recipe.toml").exists()
    found = source_check.find_problems(recipe.load_recipe(tmp_path / "t.toml"))
    assert [one.message for one in found] == [caught.value.message], "alif check says the same"


def test_data_b8_a_corpus_in_another_language_is_an_error(tmp_path: Path) -> None:
    english = "The bridge over the river is closed today, and the people have to walk to the other side.\n"
    (tmp_path / "a.txt").write_text(english * 6, encoding="utf-8")
    with pytest.raises(
        RecipeError, match=r"corpus.source: .*a.txt: none of its first texts is ur; most are en"
    ):
        made(tmp_path, until="corpus", corpus={"source": "a.txt"}, sources={"folder": str(tmp_path)})


def test_data_b8_check_says_of_every_file_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(
        "".join(json.dumps({"text": ARTICLE, "title": str(n)}) + "\n" for n in range(7)) + '{"text": ""}\n',
        encoding="utf-8",
    )
    values = {"extends": "demo", "name": "t", "corpus": {"source": "a.jsonl"}, "sources": {"folder": "."}}
    (tmp_path / "t.toml").write_text(tomli_w.dumps(values), encoding="utf-8")
    found = json.loads(alif(tmp_path, "check", "t.toml", "--json").stdout)
    (told,) = found["sources"]
    assert (told["key"], told["rows"], told["usable"]) == ("corpus.source", 8, 7)
    assert (told["columns"], told["languages"]) == (["text", "title"], {"ur": 7})
    assert not found["problems"]


def test_data_c12_rows_of_a_finished_step_that_were_deleted_or_cut_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = made(tmp_path)
    monkeypatch.chdir(tmp_path)
    path = run.folder("seeds") / "examples.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    with pytest.raises(DriftError, match=r"examples\.jsonl was changed") as caught:
        rows.show_rows("t", "seeds")
    assert "remove the folder" in caught.value.hint
    path.unlink()
    with pytest.raises(DriftError, match=r"examples\.jsonl was removed") as caught:
        rows.show_rows("t", "seeds")
    assert "remove the folder" in caught.value.hint


@pytest.mark.parametrize("content", ["{}", "null", "[]", "", "3", "{", '"x"', "[" * 100_000, '{"step": 1}'])
def test_data_c13_a_damaged_step_is_a_sentence_and_hides_no_other_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], content: str
) -> None:
    made(tmp_path, "good")
    bad = made(tmp_path, "bad")
    monkeypatch.chdir(tmp_path)
    (bad.folder("seeds") / "step.json").write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=r"step\.json") as caught:
        status.show_status("bad")
    assert "Remove that folder" in caught.value.hint
    with pytest.raises(AlifError, match=r"step\.json"):
        pipeline.run_pipeline(recipe.load_recipe(tmp_path / "bad.toml"), bad, (pipeline.SEEDS,))
    capsys.readouterr()
    listing.list_all(json=True)
    states = {one["name"]: one["state"] for one in json.loads(capsys.readouterr().out)["runs"]}
    assert states["good"] == "1 of 13 steps done"
    assert states["bad"].startswith("damaged: ")


@pytest.mark.parametrize("content", ["null", "[]", "", "3", '{"seconds": "x"}'])
def test_data_c13_a_damaged_note_of_a_step_is_a_sentence(tmp_path: Path, content: str) -> None:
    run = made(tmp_path)
    path = run.scratch("generate") / "state.json"
    store.write_text(path, content)
    with pytest.raises(DataError, match=r"generate/state\.json") as caught:
        run.state("generate")
    assert "Remove that file" in caught.value.hint


@pytest.mark.parametrize(
    "name", [".", "..", "../x", "a/b", "a\\b", "", " ", "x" * 300, "ل" * 150, "a\nb", "a\0b"]
)
def test_data_c14_c15_a_name_is_one_folder_under_runs(tmp_path: Path, name: str) -> None:
    path = tmp_path / "r.toml"
    path.write_text(tomli_w.dumps({"extends": "demo", "name": name}), encoding="utf-8")
    with pytest.raises(RecipeError, match="name: a name is one folder under runs"):
        recipe.load_recipe(path)


@pytest.mark.parametrize("command", ["status", "run", "show", "report", "check", "settle"])
def test_data_c15_a_name_of_300_letters_on_the_command_line_is_a_sentence(
    tmp_path: Path, command: str
) -> None:
    arguments = ["x" * 300, *(["seeds"] if command == "show" else [])]
    refused_as(alif(tmp_path, command, *arguments), "no such")


def test_data_c15_runs_that_is_a_file_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("", encoding="utf-8")
    refused_as(alif(tmp_path, "seeds", "demo"), "runs")


def test_data_c15_a_run_that_is_a_link_to_nowhere_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "demo").symlink_to(tmp_path / "unplugged" / "disk")
    refused_as(alif(tmp_path, "seeds", "demo"), "a link to a place that does not exist")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_data_c19_a_screen_that_lacks_letters_gets_escapes(tmp_path: Path, encoding: str) -> None:
    made(tmp_path)
    told = alif(tmp_path, "show", "t", "seeds", env={"PYTHONIOENCODING": encoding})
    assert told.returncode == 0, told.stderr
    assert "\\u06" in told.stdout
    document = alif(tmp_path, "show", "t", "seeds", "--json", env={"PYTHONIOENCODING": encoding})
    assert json.loads(document.stdout)[0]["instruction"]
    assert alif(tmp_path, "ls", env={"PYTHONIOENCODING": encoding}).returncode == 0


@pytest.mark.parametrize(
    "command", [("ls",), ("show", "t", "seeds", "-n", "200"), ("check", "demo"), ("ls", "--json")]
)
def test_data_c20_a_reader_that_leaves_is_no_failure(tmp_path: Path, command: tuple[str, ...]) -> None:
    made(tmp_path)
    told = alif(tmp_path, *command, shell="| head -1")
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout
