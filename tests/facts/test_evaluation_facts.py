"""Facts of the evaluation that are told in words."""

from __future__ import annotations

from alif.facts.evaluation_facts import InContextFinding


def test_a_stage_that_no_longer_learns_from_examples_is_told_with_both_gains_and_the_key_to_turn() -> None:
    finding = InContextFinding(
        stage="pretrain", benchmark="arc_easy", metric="accuracy", shots=4, base_gain=0.082, gain=-0.0104
    )

    sentence = finding.sentence

    assert sentence.startswith(
        "pretrain no longer learns from examples: 4 of them raise accuracy of arc_easy"
    )
    assert "by -0.010, the base's by 0.082" in sentence
    assert sentence.endswith("pretrain.replay.")
