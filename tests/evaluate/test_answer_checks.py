"""What is found in one answer is named and placed; which answers have faults is in test_output_checks."""

from __future__ import annotations

from alif.evaluate.answer_checks import AnswerChecks, AnswerFinding
from alif.evaluate.benchmark import ItemResult
from alif.language.pack import load_pack
from alif.language.text import split_words
from alif.records import Example, Origin

UR, EN = load_pack("ur"), load_pack("en")
GOOD = "لاہور پاکستان کا دوسرا بڑا شہر ہے اور دریائے راوی کے کنارے آباد ہے۔"


def findings(answer: str) -> list[AnswerFinding]:
    question = Example.make("ur", "qa", "لاہور کہاں ہے؟", "", GOOD, Origin(kind="source"))
    result = ItemResult(id="a", text=answer)
    return [*AnswerChecks(question, result, answer, split_words(answer, UR), UR, EN).findings()]


def test_what_was_found_is_named_and_placed() -> None:
    answer = f"{GOOD} شہر كراچي ہے"
    (one,) = findings(answer)
    assert one.evidence == "U+0643 ARABIC LETTER KAF ×1, U+064A ARABIC LETTER YEH ×1"
    assert [answer[start:end] for start, end in one.spans] == ["ك", "ي"]
    (run,) = findings(f"{GOOD} this is a city of gardens۔")
    assert run.evidence == "this is a city of gardens"
    assert f"{GOOD} this is a city of gardens۔"[slice(*run.spans[0])] == run.evidence
