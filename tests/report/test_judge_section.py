"""The judge card, win rates, and each teacher's students by each judge, on the page and as JSON."""

from __future__ import annotations

from pathlib import Path

from alif import store
from alif.evaluate.judge_calibration import describe_status
from alif.facts.judge_facts import (
    FamilyWarning,
    JudgeCard,
    JudgedPair,
    JudgeFacts,
    JudgesAgreement,
    JudgeTrust,
    PanelOrder,
    RankAgreement,
    RateInterval,
    RubricScore,
)
from alif.llm.model_families import warn_of_families
from alif.report import page
from alif.report.judge_section import judge_document, teacher_judge_table
from alif.report.snapshot import read_run
from tests import made_up

MODELS = {"openai": "gpt-4.1", "anthropic": "claude-opus-4"}


def rate(value: float) -> RateInterval:
    return RateInterval(value=value, low=value - 0.05, high=value + 0.05)


def facts_of(rates: dict[str, float], teacher: str = "gpt-4o") -> JudgeFacts:
    """Two judges, the first of the teacher's family; what the biased judge of tests/evaluate gave."""
    judges = [
        JudgeCard(
            name=name,
            model=model,
            families=("gpt",) if name == "openai" else ("claude",),
            calls=600,
            asked_again=7,
            failures={"unparsable": 3} if name == "openai" else {},
            position_consistency=0.583333,
            first_share=0.638333,
            usd=1.25,
        )
        for name, model in MODELS.items()
    ]
    pairs = [
        JudgedPair(
            judge=name,
            stage="finetune",
            against="base",
            n=297,
            equal=2,
            unreadable=3,
            wins=137,
            losses=38,
            ties=122,
            inconsistent=122,
            shown_first=0.803333,
            shown_second=0.526667,
            both_orders=rate(0.665),
            controlled=rate(value),
            position_slope=1.7,
            length_slope=1.559671,
            markdown_slope=0.0,
        )
        for name, value in rates.items()
    ]
    warnings = [
        FamilyWarning(judge=name, model=model, teacher=whose, sentence=sentence)
        for name, model in MODELS.items()
        for whose, sentence in warn_of_families(name, model, [teacher])
    ]
    calibrated, status = describe_status([], None)
    agreement = JudgesAgreement(n=297, alpha=0.31, kappa={"openai, anthropic": 0.29})
    return JudgeFacts(
        questions=300,
        prompt_language="ur",
        prompts={"pair": "0123456789abcdef"},
        most_chars=8000,
        cut={"finetune": 2},
        judges=tuple(judges),
        pairs=tuple(pairs),
        rubric=(RubricScore(judge="openai", stage="finetune", n=184, points=rate(0.7)),),
        trust=JudgeTrust(
            calibrated=calibrated,
            status=status,
            calibration=(),
            agreement=agreement,
            people=None,
            human=0,
            human_unused=0,
        ),
        ranks=(RankAgreement(judge="openai", metric="test accepted", n=3, kendall=-0.33, spearman=-0.5),),
        families=tuple(warnings),
        teachers={"finetune": (teacher,)},
        panels=(
            PanelOrder(left_out="", rates={"finetune": 0.61, "base": 0.5}),
            PanelOrder(left_out="openai", rates={"base": 0.5, "finetune": 0.48}, changed=True),
            PanelOrder(left_out="anthropic", rates={"finetune": 0.66, "base": 0.5}),
        ),
    )


def judged(folder: Path, name: str, rates: dict[str, float], teacher: str = "gpt-4o") -> Path:
    run = made_up.build(folder, name)
    made_up.write_step(run, "judge", facts_of(rates, teacher), 300)
    return run


def test_a_run_without_judges_has_no_section(tmp_path: Path) -> None:
    run = made_up.build(tmp_path)
    assert judge_document(read_run(run)) == {}
    assert 'id="judges"' not in page.write_report([run]).read_text(encoding="utf-8")


def test_the_card_says_not_to_rank_and_shows_the_biases(tmp_path: Path) -> None:
    run = judged(tmp_path, "one", {"openai": 0.525, "anthropic": 0.5})
    text = page.write_report([run]).read_text(encoding="utf-8")
    part = text[text.index('id="judges"') : text.index('id="retention"')]
    for shown in (
        "Uncalibrated, do not rank",
        "gpt-4.1 is of the family gpt, as is the teacher gpt-4o",
        "80.3", "52.7", "66.5", "52.5",  # first, second, both orders, controlled
        "58.3",  # both orders agree
        "63.8",  # for the first
        "+1.560",  # length slope
        "3 of 600 judgements could not be read (unparsable 3)",
        "$1.25",
        "Without judge.openai the panel orders the systems otherwise.",
        "base 50.0 · stage 2 48.0</td><td><b class=\"bad\">changes</b>",
        "stage 2 66.0 · base 50.0</td><td>the same",
        "Prompts: ur",
        "2 of finetune",
        "openai, anthropic 0.290",
        "−0.330",
    ):  # fmt: skip
        assert shown in part, shown
    document = store.read_json(run / "report.json")["judges"]
    assert document["trust"]["status"].startswith("Uncalibrated")
    assert [one["judge"] for one in document["teacher_judge"]] == ["anthropic", "openai"]
    assert document["teacher_judge"][1]["family"] is True
    assert document["teacher_judge"][1]["interaction"] is None  # one teacher alone


def test_self_preference_is_what_is_left_of_a_cell(tmp_path: Path) -> None:
    """Each judge gives its own family's students ten points more than the other judge does."""
    one = judged(tmp_path, "gpt-run", {"openai": 0.6, "anthropic": 0.5})
    other = judged(tmp_path, "claude-run", {"openai": 0.5, "anthropic": 0.6}, "claude-sonnet-4")
    cells = teacher_judge_table([read_run(one), read_run(other)])
    found = {(cell.teacher, cell.judge): (cell.family, cell.interaction) for cell in cells}
    assert found == {
        ("gpt-4o", "openai"): (True, 0.05),
        ("gpt-4o", "anthropic"): (False, -0.05),
        ("claude-sonnet-4", "openai"): (False, -0.05),
        ("claude-sonnet-4", "anthropic"): (True, 0.05),
    }
    path = page.write_report([one, other])
    assert "+5.0" in path.read_text(encoding="utf-8")
    document = store.read_json(path.with_suffix(".json"))
    assert len(document["teacher_judge"]) == 4
    assert {row["run"] for row in document["teacher_judge"]} == {"gpt-run", "claude-run"}
