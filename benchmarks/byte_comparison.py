"""Runs from before and after the renaming, compared: rows, texts and weights must be equal to the byte.

    python benchmarks/byte_comparison.py OLD NEW [OLD NEW …]      pairs of run folders of the same recipe

Only names may differ: drop reasons and the key `way` of a row's origin are mapped to their new names, line by
line. Files in which a run describes itself (step.json, lock.json, recipe.toml, report, cards, ledger,
runtime/) are left out.
"""

from __future__ import annotations

import json
from pathlib import Path

import measure

REASONS = {
    "too_near": "near_duplicate",
    "in_benchmark": "contaminated",
    "cut_off": "truncated",
    "damaged": "replacement_char",
    "wrong_letters": "lookalike_letters",
    "wrong_direction": "wrong_translation_direction",
    "unreadable": "unparsable",
    "longer_than_row": "too_many_tokens",
    "copy": "copies_prompt",
}
KEYS = {"way": "strategy"}
ABOUT_ITSELF = ("step.json", "lock.json", "recipe.toml", "README.md")


def rename(value: object) -> object:
    """Return a JSON value with old keys and drop reasons replaced by their new names."""
    if isinstance(value, list):
        return [rename(one) for one in value]
    if not isinstance(value, dict):
        return value
    renamed = {KEYS.get(key, key): rename(one) for key, one in value.items()}
    if isinstance(reason := renamed.get("reason"), str):
        renamed["reason"] = REASONS.get(reason, reason)
    return renamed


def is_equal(old: Path, new: Path) -> bool:
    """Return whether two files are equal to the byte after renaming."""
    if old.suffix != ".jsonl":
        return old.read_bytes() == new.read_bytes()
    rows = [
        json.dumps(rename(json.loads(line)), ensure_ascii=False)
        for line in old.read_text("utf-8").splitlines()
    ]
    return rows == new.read_text("utf-8").splitlines()


def compare_runs(old: Path, new: Path) -> dict[str, object]:
    """Return how many files of a run are equal, and the names of those that are not."""
    names = [
        path.relative_to(old)
        for path in sorted(old.rglob("*"))
        if path.is_file()
        and path.relative_to(old).parts[0] != "runtime"
        and path.name not in ABOUT_ITSELF
        and not path.name.startswith(("report", "card", "ledger"))
    ]
    different = [
        str(name) for name in names if not (new / name).is_file() or not is_equal(old / name, new / name)
    ]
    return {
        "run": old.name,
        "files": len(names),
        "equal": len(names) - len(different),
        "different": different,
    }


def main() -> None:
    """Compare the pairs of runs and write the result."""
    parser = measure.arguments(__doc__, "byte_comparison")
    parser.add_argument("folders", nargs="+", type=Path, help="OLD NEW [OLD NEW …]")
    options = parser.parse_args()
    pairs = zip(options.folders[::2], options.folders[1::2], strict=True)
    found = [compare_runs(old, new) for old, new in pairs]
    measure.write(
        options.json,
        measure.result("byte_comparison", {"runs": found}, ("alif-llm", "torch", "transformers")),
    )
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
