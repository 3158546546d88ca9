"""Answer matching: how many hand-written answer pairs Alif, SQuAD's rule and lm-eval's rule judge correctly.

    python benchmarks/answer_matching.py            writes benchmarks/results/answer_matching.json

The pairs are in tests/language/answers/answers.CODE.jsonl, equal answers in other words and unequal answers
that look alike; a language model wrote them for this project, and no reader has reviewed them. The two other
rules are measured on the Urdu pairs alone. BEFORE was measured with the same pairs at an earlier commit.

The batches blind_N.CODE.jsonl were written by the same model, committed, and only then scored for the first
time: FIRST_TRY says how. The faults that they showed were mended, so that today's score is no blind one.

short_answers.CODE.jsonl is every second one of the pairs that another session of the model wrote: reasoning
and questions of fact, each judged by the exact match of its task. SHORT_BEFORE was measured before the faults
that they showed were mended.
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

from alif.evaluate.metrics import AnswerScores
from alif.language.answers.match import SIGNATURE, Match, compare_answers
from alif.language.pack import load_pack
from alif.language.text import final_answer

HERE = Path(__file__).parent
SETS = HERE.parent / "tests" / "language" / "answers"
LANGUAGES = ("ur", "bn", "sd", "sw")
BEFORE = {
    "commit": "efa3450",
    "by_language": {
        "ur": {"equal": [405, 513], "traps": [162, 250]},
        "bn": {"equal": [76, 120], "traps": [27, 68]},
        "sd": {"equal": [63, 113], "traps": [29, 66]},
        "sw": {"equal": [87, 141], "traps": [28, 69]},
    },
}
BATCHES = ("blind_1", "blind_2", "blind_3", "blind_4", "blind_5")
FIRST_TRY = {
    "blind_1": {
        "commit": "8bf3b9a",
        "ur": {"equal": [76, 82], "traps": [50, 54]},
        "bn": {"equal": [73, 78], "traps": [45, 48]},
        "sd": {"equal": [73, 80], "traps": [44, 47]},
        "sw": {"equal": [72, 85], "traps": [48, 51]},
    },
    "blind_2": {
        "commit": "after the mending of blind_1",
        "ur": {"equal": [34, 37], "traps": [24, 25]},
        "bn": {"equal": [36, 37], "traps": [22, 22]},
        "sd": {"equal": [35, 35], "traps": [21, 21]},
        "sw": {"equal": [39, 39], "traps": [25, 25]},
    },
    "blind_3": {
        "commit": "after the mending of blind_2",
        "ur": {"equal": [66, 72], "traps": [47, 49]},
        "bn": {"equal": [43, 47], "traps": [28, 31]},
        "sd": {"equal": [44, 47], "traps": [30, 31]},
        "sw": {"equal": [52, 57], "traps": [34, 35]},
    },
    "blind_4": {
        "commit": "a471889",
        "ur": {"equal": [57, 67], "traps": [40, 42]},
        "bn": {"equal": [43, 45], "traps": [23, 24]},
        "sd": {"equal": [41, 43], "traps": [21, 22]},
        "sw": {"equal": [51, 55], "traps": [26, 27]},
    },
    "blind_5": {
        "commit": "8991df7",
        "ur": {"equal": [62, 69], "traps": [38, 38]},
        "bn": {"equal": [24, 27], "traps": [14, 14]},
        "sd": {"equal": [22, 24], "traps": [13, 13]},
        "sw": {"equal": [29, 31], "traps": [15, 16]},
    },
}
SHORT = "short_answers"
SHORT_BEFORE = {
    "commit": "ab2a2be",
    "ur": {"equal": [123, 180], "traps": [94, 95]},
    "bn": {"equal": [41, 58], "traps": [29, 31]},
    "sd": {"equal": [46, 58], "traps": [29, 31]},
    "sw": {"equal": [46, 61], "traps": [29, 31]},
}
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


def read_pairs(code: str, batch: str = "answers") -> list[dict[str, Any]]:
    """Return the pairs of a language."""
    lines = (SETS / f"{batch}.{code}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def judge_language(code: str, batch: str = "answers") -> dict[str, object]:
    """Return [judged correctly, of] for equal pairs and traps, replies cut to their final answer."""
    pack = load_pack(code)
    counts = {"equal": [0, 0], "traps": [0, 0]}
    wrong = []
    for row in read_pairs(code, batch):
        task = pack.tasks[row.get("task", "reasoning")]
        if batch == SHORT:
            same = AnswerScores(row["answer"], row["reference"], task, pack).exact_match
        else:
            same = compare_answers(final_answer(row["answer"], task, pack), row["reference"], pack).equal
        right = same == row["equal"]
        count = counts["equal" if row["equal"] else "traps"]
        count[0], count[1] = count[0] + right, count[1] + 1
        wrong += [] if right else [row["id"]]
    return {**counts, "wrong": wrong}


def main() -> None:
    """Judge every pair and write the result."""
    options = measure.arguments(__doc__, "answer_matching").parse_args()
    pack = load_pack("ur")
    rows = read_pairs("ur")
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
        "sets": [f"answers.{code}.jsonl" for code in LANGUAGES],
        "signature": SIGNATURE,
        "by_language": {code: judge_language(code) for code in LANGUAGES},
        "before": BEFORE,
        "blind_first_try": FIRST_TRY,
        "blind_now": {batch: {code: judge_language(code, batch) for code in LANGUAGES} for batch in BATCHES},
        "short_before": SHORT_BEFORE,
        "short_now": {code: judge_language(code, SHORT) for code in LANGUAGES},
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
