"""Answer matching: how many hand-written answer pairs Alif, SQuAD's rule and lm-eval's rule judge correctly.

    python benchmarks/answer_matching.py            writes benchmarks/results/answer_matching.json

The pairs are in tests/language/answers/answers.ur.jsonl: equal answers in other words, and unequal answers
that look alike. They were written in this project.
"""

from __future__ import annotations

import json
import re
import string
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import measure

from alif.language.answers.match import SIGNATURE, Match, compare_answers
from alif.language.pack import load_pack

HERE = Path(__file__).parent
PAIRS = HERE.parent / "tests" / "language" / "answers" / "answers.ur.jsonl"
TIERS = ("em", "em_nospace", "items", "contains", "number", "choice")


def squad(text: str) -> str:
    """Normalise as SQuAD 1.1's evaluate.py does."""
    text = "".join(char for char in text.lower() if char not in string.punctuation)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


def lm_eval(text: str) -> str:
    """Normalise as lm-eval's exact_match does with ignore_case and ignore_punctuation."""
    return "".join(char for char in text.lower() if char not in string.punctuation)


def score(rows: Iterable[dict[str, object]], judge: Callable[[str, str], bool]) -> dict[str, object]:
    """Return the numbers of equal and of unequal pairs judged correctly, and the ids of the others."""
    right: Counter[bool] = Counter()
    total: Counter[bool] = Counter()
    wrong = []
    for row in rows:
        equal = bool(row["equal"])
        total[equal] += 1
        if judge(str(row["answer"]), str(row["reference"])) == equal:
            right[equal] += 1
        else:
            wrong.append(row["id"])
    return {
        "equal_pairs": f"{right[True]} of {total[True]}",
        "traps": f"{right[False]} of {total[False]}",
        "right": round(right.total() / total.total(), 4),
        "wrong": wrong,
    }


def main() -> None:
    """Judge every pair and write the result."""
    options = measure.arguments(__doc__, "answer_matching").parse_args()
    pack = load_pack("ur")
    rows = [json.loads(line) for line in PAIRS.read_text(encoding="utf-8").splitlines()]
    matches: dict[str, Match] = {
        row["id"]: compare_answers(row["answer"], row["reference"], pack) for row in rows
    }
    by_tier = {
        tier: {
            "equal": sum(bool(getattr(matches[row["id"]], tier)) for row in rows if row["equal"]),
            "traps": sum(bool(getattr(matches[row["id"]], tier)) for row in rows if not row["equal"]),
        }
        for tier in TIERS
    }
    measured: dict[str, Any] = {
        "set": PAIRS.name,
        "signature": SIGNATURE,
        "alif": score(rows, lambda answer, reference: compare_answers(answer, reference, pack).equal),
        "squad_exact_match": score(rows, lambda answer, reference: squad(answer) == squad(reference)),
        "lm_eval_exact_match": score(rows, lambda answer, reference: lm_eval(answer) == lm_eval(reference)),
        "accepted_by_tier": by_tier,
        "pairs_by_kind": dict(sorted(Counter(row["kind"] for row in rows).items())),
    }
    for name in ("squad_exact_match", "lm_eval_exact_match"):
        del measured[name]["wrong"]
    measure.write(options.json, measure.result("answer_matching", measured, ("alif-llm", "regex")))
    print(json.dumps(measured, ensure_ascii=False, indent=2))


if __name__ == "__main__":
    main()
