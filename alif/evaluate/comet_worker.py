"""Score translations with COMET; run by a Python of its own, which knows nothing of Alif.

PYTHON comet_worker.py MODEL < requests > scores       one JSON object a line
{"src": "The house is old.", "mt": "گھر پرانا ہے۔", "ref": "مکان پرانا ہے۔"} → {"score": 0.87}
"""

from __future__ import annotations

import importlib
import json
import sys


def score_lines(model_name: str) -> None:
    """Read requests from standard input, and write their scores in the same order."""
    comet = importlib.import_module("comet")
    model = comet.load_from_checkpoint(comet.download_model(model_name))
    rows = [json.loads(line) for line in sys.stdin]
    scores = model.predict(rows, batch_size=16, gpus=0, progress_bar=False)["scores"]
    sys.stdout.writelines(f"{json.dumps({'score': float(score)})}\n" for score in scores)


if __name__ == "__main__":
    score_lines(sys.argv[1])
