"""Pictures: text stays text, colours are the page's, and in a browser no label lies on another."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from alif.report import page as report
from alif.report import plots
from alif.report.plots import PlotCross, PlotLine, PlotPoint
from tests import made_up

ROWS = {
    "Urdu: <all>": [PlotPoint(0, 3.0, 2.9, 3.1), PlotPoint(1, 2.2, 2.1, 2.3)],
    "اردو متن": [PlotPoint(0, 2.5, 2.5, 2.5)],
}


def test_text_stays_text_and_colours_are_the_pages() -> None:
    svg = plots.plot_intervals("text", 'About "it" & more', ROWS, "bits per byte")
    assert ">Urdu: &lt;all&gt;</text>" in svg
    assert "اردو متن" in svg
    assert 'aria-label="About &quot;it&quot; &amp; more"' in svg
    assert re.findall(r"#[0-9a-f]{6}\b", svg) == []
    assert "var(--base)" in svg
    assert "var(--one)" in svg
    for part in ("http", "<style", "<metadata", "<?xml"):
        assert part not in svg
    assert all(name.startswith("text-") for name in re.findall(r'\bid="([^"]+)"', svg))


def test_a_picture_is_the_same_each_time() -> None:
    assert plots.plot_intervals("a", "", ROWS, "x", zero=True) == plots.plot_intervals(
        "a", "", ROWS, "x", zero=True
    )


def test_odd_data_can_be_drawn() -> None:
    assert plots.plot_bars("b", "", {"qa": [0, 0]}, ("one", "other"), "candidates").endswith("</svg>\n")
    assert plots.plot_intervals("i", "", {}, "x") == plots.plot_lines("l", "", {}, "x") == ""
    assert plots.plot_tradeoff("t", "", {}, ("x", "y")) == ""
    alone = [PlotCross("0.5", (0.0, 0.0, 0.0), (0.0, 0.0, 0.0), "one")]
    assert ">0.5</text>" in plots.plot_tradeoff("t", "", {"": alone}, ("x", "y"))
    flat = {"base": [PlotLine([(1, 2.0), (2, 2.0)], "one", smooth=True)]}
    assert plots.plot_lines("c", "", flat, "loss").count("<text") > 4


def test_a_label_at_the_edge_stands_on_the_other_side_of_its_point() -> None:
    label = "both stages, 30 %"
    points = [
        PlotCross("a", (0.0, 0.0, 0.0), (0.0, 0.0, 0.0), "base"),
        PlotCross(label, (1.0, 1.0, 1.0), (1.0, 1.0, 1.0), "one"),
    ]
    found = re.search(
        rf' x="([0-9.]+)"[^>]*>{label}</text>', plots.plot_tradeoff("t", "", {"": points}, ("x", "y"))
    )
    assert found
    assert float(found[1]) + 72 * plots.LETTER_IN * len(label) < 72 * plots.WIDTH_IN


def test_a_legend_begins_again_after_the_last_colour() -> None:
    found = plots.legend({str(n): f"run {n}" for n in range(7)})
    assert found["0"][1:] == found["6"][1:] == ("base", "●")
    assert len({entry[1:] for entry in found.values()}) == 6


def test_smoothing_keeps_ends_and_length() -> None:
    values = [float(n) for n in range(100)]
    assert plots.running_mean(values) == pytest.approx(values)
    assert plots.running_mean([1.0]) == [1.0]


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("runs")
    one = made_up.build(folder, "one")
    merged = made_up.build(folder, "merged", weights=(0.4, 0.6, 0.8))
    both = report.write_report([one, made_up.build(folder, "two", replay=0)])
    return [report.write_report([one]), both, report.write_report([merged])]


OVERLAPS = """() => { const found = [];
  for (const svg of document.querySelectorAll("svg")) {
    const boxes = [...svg.querySelectorAll("text")].map(t => [t.textContent, t.getBoundingClientRect()]);
    const all = svg.getBoundingClientRect();
    boxes.forEach(([name, a], i) => {
      if (a.left < all.left - 1 || a.right > all.right + 1) found.push(name + " leaves the picture");
      boxes.slice(i + 1).forEach(([other, b]) => {
        const across = a.left < b.right - 1 && b.left < a.right - 1;
        const down = a.top < b.bottom - 3 && b.top < a.bottom - 3;
        if (across && down) found.push(name + " on " + other);
      }); }); }
  return found; }"""

VISUAL = """() => [...document.querySelectorAll("p[dir=rtl] bdi")]
  .filter(b => b.textContent == "120 - 45 = 75").map(b => {
  const text = b.firstChild;
  const at = (from, to) => { const r = document.createRange(); r.setStart(text, from); r.setEnd(text, to);
    return r.getBoundingClientRect().left; };
  return at(0, 3) < at(6, 8) && at(6, 8) < at(11, 13); })"""


@pytest.mark.parametrize("width", [1280, 400])
def test_in_a_browser(browser: Any, paths: list[Path], width: int) -> None:
    for path in paths:
        page = browser.new_page(viewport={"width": width, "height": 900})
        asked: list[str] = []
        errors: list[str] = []
        page.on("request", lambda request, asked=asked: asked.append(request.url))
        page.on("console", lambda message, errors=errors: errors.append(message.text))
        page.goto(path.as_uri())
        page.wait_for_timeout(100)
        assert [url for url in asked if not url.startswith("data:")] == [path.as_uri()]
        assert errors == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(OVERLAPS) == []
        if path is paths[0]:
            sums = page.evaluate(VISUAL)
            assert sums
            assert all(sums)
        page.close()
