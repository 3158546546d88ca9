"""The curve's numbers in a tracker, with a stand-in of its package on the path that keeps what it is told."""

from __future__ import annotations

import json
import sys
import textwrap

import pytest

from alif import store
from alif.errors import AlifError, MissingExtra
from alif.train.tracker import Tracker, numeric_values
from tests.train.conftest import RUNTIME
from tests.train.test_trainer import STAGE, run

STAND_IN = """
    import json, os

    def told(*what):
        with open(os.environ["TOLD"], "a") as file:
            file.write(json.dumps(what) + "\\n")

    class Settings(dict):
        def __init__(self, **given):
            super().__init__(given)

    def init(**given):
        print("* project initialized")
        if os.environ.get("REFUSES"):
            raise RuntimeError("No API key configured. Use `wandb login` to log in.")
        told("init", given)

    def log(row, step):
        if step == int(os.environ.get("FAILS_AT", 0)):
            raise OSError("the network is gone")
        told("log", step, row)

    def finish():
        print("* run finished")
        told("finish")
"""


@pytest.fixture
def told(tmp_path, monkeypatch):
    """Put packages called trackio and wandb on the path; return a function that reads what they were told."""
    for name in ("trackio", "wandb"):
        store.write_text(tmp_path / "packages" / f"{name}.py", textwrap.dedent(STAND_IN))
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.syspath_prepend(tmp_path / "packages")
    monkeypatch.setenv("TOLD", str(tmp_path / "told"))
    yield lambda: [json.loads(line) for line in (tmp_path / "told").read_text().splitlines()]
    for name in ("trackio", "wandb"):
        sys.modules.pop(name, None)


def runtime(kind):
    return RUNTIME.model_copy(update={"tracker": kind})


def train(house, kind):
    return run(house, runtime(kind))


@pytest.mark.parametrize("kind", ["trackio", "wandb"])
def test_the_tracker_is_told_what_the_curve_says_and_nothing_is_printed(house, told, kind, capsys):
    train(house, kind)
    (_, began), *rows, last = told()
    curve = [row for _, row in store.read_rows(house.root / "runtime/pretrain/curve.jsonl")]
    assert [(step, row["loss"]) for _, step, row in rows] == [(row["step"], row["loss"]) for row in curve]
    assert last == ["finish"]
    assert began["config"]["lr"] == STAGE.lr
    assert capsys.readouterr().out == ""


def test_weights_and_biases_is_given_nothing_of_the_machine(house, told):
    train(house, "wandb")
    settings = told()[0][1]["settings"]
    off = ("x_disable_meta", "x_disable_stats", "x_disable_machine_info", "disable_git", "disable_code")
    assert all(settings[key] for key in off)
    assert settings["x_save_requirements"] is False


def test_a_stage_that_goes_on_keeps_its_name_and_one_that_begins_anew_does_not(house, told):
    names = []
    for steps in (0, 3, 0):
        Tracker(house.context("pretrain", runtime=runtime("wandb")), STAGE).begin(steps)
        names.append(told()[-1][1]["name"])
        assert told()[-1][1]["id"] == names[-1]
    assert names[0] == names[1] != names[2]


def test_no_tracker_is_the_default_and_loads_nothing(house, told, tmp_path):
    run(house)
    assert not (tmp_path / "told").exists()
    assert "trackio" not in sys.modules
    assert "wandb" not in sys.modules


def test_texts_are_not_sent():
    row = {
        "step": 3,
        "loss": 1.5,
        "bits_per_byte": {"ur": 1.2},
        "samples": [{"prompt": "متن", "text": "متن"}],
        "lr": 0.1,
    }
    assert numeric_values(row) == {"loss": 1.5, "lr": 0.1, "bits_per_byte/ur": 1.2}


def test_a_tracker_that_is_not_installed_is_a_sentence(house, monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(MissingExtra, match=r'runtime.tracker = "wandb" needs the wandb extra') as caught:
        train(house, "wandb")
    assert caught.value.hint == 'In the checkout of Alif: pip install ".[wandb]"'


def test_a_tracker_that_refuses_stops_before_the_first_step(house, told, monkeypatch):
    monkeypatch.setenv("REFUSES", "1")
    with pytest.raises(AlifError, match=r"cannot begin \(No API key configured") as caught:
        train(house, "wandb")
    assert "wandb login" in caught.value.hint
    assert not (house.root / "runtime/pretrain/curve.jsonl").exists()


def test_a_tracker_that_fails_in_training_is_left_out_and_the_training_ends(house, told, monkeypatch, capsys):
    monkeypatch.setenv("FAILS_AT", "2")
    losses, _ = train(house, "trackio")
    assert [what for what, *_ in told()] == ["init", "log"]
    assert len(losses) > 2
    assert "trackio fails and is left out (the network is gone)" in capsys.readouterr().err
