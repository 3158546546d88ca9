"""The self-test passes on what is shipped, and names the extractor in which a fault is planted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from alif import recipe as recipes
from alif import store
from alif.evaluate import metrics, self_test
from alif.evaluate.benchmark import Benchmark, ItemResult, LikelihoodRequest, PairScores
from alif.evaluate.compare import MetricValues
from alif.evaluate.stats import Items
from alif.facts.evaluation_facts import BenchmarkFacts
from alif.language.answers import choices, match
from alif.language.answers.choices import OfferedChoices
from alif.language.answers.values import Value
from alif.language.pack import Pack, load_pack
from alif.settings import Recipe

UR = load_pack("ur")


def demo(*overrides: str) -> Recipe:
    return recipes.load_recipe(
        recipes.find_recipe("demo", Path("runs")), ("evaluate.questions=96", *overrides)
    )


def failed(recipe: Recipe) -> set[tuple[str, str]]:
    """Return (answers, metric) of the checks that fail, of the test set as a whole."""
    found = self_test.run_self_test(recipe)
    assert found.passed == (not found.failed)
    return {(one.answers, one.metric.removeprefix("test: ")) for one in found.failed}


@pytest.mark.parametrize("code", ["ur", "bn", "sd", "sw"])
def test_the_scorers_of_each_pack_give_their_references_full_marks(code: str) -> None:
    found = self_test.run_self_test(demo(f'language.pack="{code}"', "evaluate.questions=24"))
    assert found.failed == ()
    assert found.not_checked == ()
    answers = {one.answers for one in found.checks}
    assert {"references", "empty", "another question's", "wrong"} < answers
    assert any("sentence mark" in one for one in answers)


def test_every_spelling_of_urdu_is_tried() -> None:
    answers = {one.answers for one in self_test.run_self_test(demo("evaluate.questions=24")).checks}
    assert {"digits ۰۱۲۳۴۵۶۷۸۹", "sentence mark ۔", "look-alike letters", "non-joiners"} < answers


def test_an_extractor_of_ascii_digits_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = match.stated_value

    def planted(answer: str, right: Value, pack: Pack) -> Value | None:
        return None if set("۰۱۲۳۴۵۶۷۸۹") & set(answer) else real(answer, right, pack)

    monkeypatch.setattr(match, "stated_value", planted)
    found = failed(demo())
    assert ("digits ۰۱۲۳۴۵۶۷۸۹", "number") in found
    assert {answers for answers, _ in found} == {"digits ۰۱۲۳۴۵۶۷۸۹"}


def test_an_extractor_that_reads_no_letter_of_the_language_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = choices.read_choice

    def planted(answer: str, offered: OfferedChoices, pack: Pack) -> int | None:
        return None if set(pack.lookalikes) & set(answer) else real(answer, offered, pack)

    monkeypatch.setattr(choices, "read_choice", planted)
    found = failed(demo())
    assert {("look-alike letters", "choice"), ("look-alike letters", "choice_unreadable")} <= found


def test_a_metric_that_takes_whatever_it_is_given_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics.matching, "contains_answer", lambda *_: True)
    assert {("empty", "contains"), ("wrong", "contains"), ("another question's", "contains")} <= failed(
        demo()
    )


def likelihood(best: Sequence[int]) -> Benchmark:
    """Return two questions of three choices; the scorer takes those of `best` as right."""

    def score(results: Sequence[ItemResult]) -> PairScores:
        right = [float(one.bits.index(min(one.bits)) == at) for one, at in zip(results, best, strict=True)]
        return PairScores(
            [MetricValues("two", "accuracy", "ur", Items.of(right), "", share=True, chance=1 / 3)]
        )

    facts = BenchmarkFacts(name="two", languages=("ur",), provenance="native", licence="", n=2, digest="d")
    return Benchmark(
        facts, ["a", "b"], LikelihoodRequest(lambda student: []), score, choices=((0, 3), (2, 3))
    )


def test_choices_by_log_probability_are_checked_without_a_model() -> None:
    assert all(one.passed for one in self_test.check_benchmark(likelihood([0, 2]), UR))
    (wrong,) = [one for one in self_test.check_benchmark(likelihood([0, 1]), UR) if not one.passed]
    assert (wrong.benchmark, wrong.answers, wrong.value, wrong.example) == ("two", "references", 0.5, "b")


def test_rows_without_an_answer_are_counted(tmp_path: Path) -> None:
    rows = [
        {"task": "qa", "instruction": "پانی کا فارمولا؟", "output": "H2O"},
        {"task": "qa", "instruction": "کیا؟"},
    ]
    store.write_rows(tmp_path / "mine.jsonl", rows)
    mine = demo(
        f'sources.folder="{tmp_path}"', 'benchmarks.test=["mine.jsonl"]', "benchmarks.multiple_choice=[]"
    )
    found = self_test.run_self_test(mine)
    assert (found.passed, found.dropped) == (True, {"missing_field": 1})
