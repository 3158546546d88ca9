"""lm-eval's own metric functions on answers from standard input; run by the Python of its environment.

    {"answers": [{"answer": …, "reference": …}], "pairs": […]}  →  {"seconds": …, "accepted": …, "version": …}

`exact_match` is called for each answer, as the harness does, with ignore_case and ignore_punctuation; BLEU,
chrF and chrF++ are its corpus functions. Seconds are processor time. A pair is accepted where exact_match
is 1.
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
import time

from lm_eval.api import metrics

OPTIONS = {"ignore_case": True, "ignore_punctuation": True}
CORPUS = ("bleu", "chrf", "chrfpp")


def exact_match(answer: str, reference: str) -> bool:
    """Return lm-eval's exact match of one answer."""
    found = metrics.exact_match_fn(predictions=[answer], references=[reference], **OPTIONS)
    return bool(found["exact_match"] == 1)


def main() -> None:
    """Read the answers, print the times."""
    request = json.load(sys.stdin)
    answers, pairs = request["answers"], request["pairs"]
    times = {}
    began = time.process_time()
    for row in answers:
        exact_match(row["answer"], row["reference"])
    times["exact_match"] = time.process_time() - began
    for name in CORPUS:
        began = time.process_time()
        getattr(metrics, name)([(row["reference"], row["answer"]) for row in answers])
        times[name] = time.process_time() - began
    print(
        json.dumps(
            {
                "version": importlib.metadata.version("lm-eval"),
                "seconds": round(sum(times.values()), 1),
                "by_metric": {name: round(seconds, 1) for name, seconds in times.items()},
                "accepted": sum(exact_match(row["answer"], row["reference"]) for row in pairs),
            }
        )
    )


if __name__ == "__main__":
    main()
