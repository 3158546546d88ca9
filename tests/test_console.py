"""The screen: results on standard output, everything else on standard error, plain where nobody looks."""

from __future__ import annotations

import json

import pytest

from alif import console


def test_results_and_progress_go_their_own_ways(capsys: pytest.CaptureFixture[str]) -> None:
    console.print_result("a result [not markup]")
    console.log("a remark", style="bold red")
    console.print_json({"word": "شہر", "n": 1})
    told = capsys.readouterr()
    first, _, document = told.out.partition("\n")
    assert first == "a result [not markup]"
    assert json.loads(document) == {"word": "شہر", "n": 1}
    assert "شہر" in told.out
    assert told.err == "a remark\n"


def test_a_table_aligns_numbers_to_the_right_and_has_no_trailing_space(
    capsys: pytest.CaptureFixture[str],
) -> None:
    console.print_table(("step", "rows", ""), [("seeds", 212, None), ("generate", 7, "x")], title="run demo")
    assert capsys.readouterr().out.splitlines() == [
        "run demo",
        "step      rows",
        "seeds      212",
        "generate     7  x",
    ]


def test_a_bar_without_a_terminal_is_a_line_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with console.progress_bar("train", 10, "steps") as bar:
        bar.to(1)
        assert capsys.readouterr().err == ""
        monkeypatch.setattr(console, "PLAIN_LINE_EVERY_S", 0.0)
        bar.advance(4, "loss 2.5")
    told = capsys.readouterr().err
    assert told.startswith("train: 5 of 10 steps, ")
    assert "loss 2.5" in told


def test_lines_of_a_sample_stand_below_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    console.print_sample("output", ["one", "two"])
    assert capsys.readouterr().out == "     output  one\n             two\n"
