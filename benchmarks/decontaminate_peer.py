"""lm-eval's own decontamination on rows from standard input; run by the Python of its environment.

    {"items": [text …], "rows": [text …]}  →  {"found": [bool …], "seconds": …, "version": …}

Its Janitor keeps the runs of 13 words of the items; a row is found where it has one of them, which is what
its `clean_python` cuts out. Seconds are processor time of one process.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import io
import json
import sys
import time

with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
    from lm_eval.decontamination.janitor import Janitor, word_ngrams_indices


def main() -> None:
    """Read the rows, print what is found."""
    request = json.load(sys.stdin)
    janitor, began = Janitor(), time.process_time()
    for item in request["items"]:
        janitor.register_contaminant_python(item)
    found = [
        any(
            janitor.normalize_string(ngram) in janitor.dirt_ngrams
            for ngram, _ in word_ngrams_indices(row, janitor.ngram_n)
        )
        for row in request["rows"]
    ]
    print(
        json.dumps(
            {
                "version": importlib.metadata.version("lm-eval"),
                "seconds": round(time.process_time() - began, 1),
                "found": found,
            }
        )
    )


if __name__ == "__main__":
    main()
