"""Language identification of each sentence of NTREX, TICO-19 and SIB-200, in all their languages.

    python benchmarks/language_id.py [../shared/data] [--json PATH]

Measured twice: with the packs of a run (Urdu and English), and with all packs that are shipped. Three more
sets are Urdu typed with Arabic letters (right language, wrong letters), Roman Urdu, and lines of Shahmukhi
Punjabi that were written in this project. Speed is that of one process, per second of its CPU time.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import measure

from alif import store
from alif.language.language_id import find_lookalikes, identify_language
from alif.language.pack import Pack, load_pack, shipped_packs

HERE = Path(__file__).parent
SETS = ("ntrex.en-*.jsonl.gz", "tico19.en-*.jsonl.gz", "sib200_flores.multi.jsonl.gz")
FACTS = ("id", "doc", "split", "category", "labels")
NEAR = ("fa", "ar", "ps", "hi")
PACKAGES = ("alif-llm", "py3langid", "regex", "numpy")


def sentences(folder: Path) -> dict[str, dict[str, list[str]]]:
    """Return {set: {language: sentences}}, English once per set."""
    found: dict[str, dict[str, list[str]]] = {}
    for pattern in SETS:
        name = pattern.partition(".")[0]
        languages: dict[str, list[str]] = found.setdefault(name, {})
        for path in sorted((folder / "parallel").glob(pattern)):
            english: list[str] = []
            for _, row in store.read_rows(path):
                for key, text in row.items():
                    if key in FACTS or not isinstance(text, str):
                        continue
                    (english if key == "en" else languages.setdefault(key, [])).append(text)
            languages.setdefault("en", english)
    return found


def confusion(
    texts: dict[str, dict[str, list[str]]], packs: Sequence[Pack]
) -> tuple[dict[str, dict[str, int]], float]:
    """Return {language: {identified as: sentences}}, and sentences per CPU second."""
    table: dict[str, Counter[str]] = {}
    began, total = time.process_time(), 0
    for languages in texts.values():
        for language, several in languages.items():
            table.setdefault(language, Counter()).update(identify_language(text, packs) for text in several)
            total += len(several)
    seconds = time.process_time() - began
    return {name: dict(counts.most_common()) for name, counts in sorted(table.items())}, total / seconds


def accepted_shares(table: dict[str, dict[str, int]], code: str) -> dict[str, object]:
    """Return which share of the sentences of each language is accepted as `code`."""
    accepted = {name: counts.get(code, 0) / sum(counts.values()) for name, counts in table.items()}
    own = accepted.pop(code)
    worst = max(accepted, key=lambda name: accepted[name])
    return {
        "own_accepted": round(own, 4),
        "near_accepted": {name: round(accepted[name], 4) for name in NEAR if name in accepted},
        "worst_other": {"language": worst, "accepted": round(accepted[worst], 4)},
    }


def mistyped(texts: dict[str, dict[str, list[str]]], packs: Sequence[Pack]) -> dict[str, int]:
    """Type sentences of the first pack's language with look-alike letters; count those recognised."""
    own = packs[0]
    keyboard = {ord(right): wrong for wrong, right in reversed(list(own.lookalikes.items()))}
    several = [text for languages in texts.values() for text in languages.get(own.code, [])]
    typed = [text.translate(keyboard) for text in several]
    return {
        "sentences": len(several),
        "recognised_with_wrong_letters": sum(identify_language(text, packs) == own.code for text in typed),
        "wrong_letters_named": sum(bool(find_lookalikes(text, own)) for text in typed),
        "wrong_letters_named_as_published": sum(bool(find_lookalikes(text, own)) for text in several),
    }


def identify_rows(path: Path, key: str, packs: Sequence[Pack]) -> dict[str, int]:
    """Count the languages that the rows of a file are identified as."""
    return dict(Counter(identify_language(row[key], packs) for _, row in store.read_rows(path)).most_common())


def main() -> None:
    """Measure and write the result."""
    parser = measure.arguments(__doc__, "language_id")
    parser.add_argument(
        "folder", nargs="?", type=Path, default=HERE.parents[1] / "shared" / "data", help="the data's folder"
    )
    options = parser.parse_args()
    folder: Path = options.folder
    texts = sentences(folder)
    if not all(texts.values()):
        parser.error(f"{folder / 'parallel'}: some of {', '.join(SETS)} are missing")
    pair = [load_pack("ur"), load_pack("en")]
    every = [load_pack(name) for name in shipped_packs()]
    for packs in (pair, every):  # fill the caches before the clock runs
        confusion({"warm": {name: several[:50] for name, several in texts["ntrex"].items()}}, packs)
    table, speed = confusion(texts, pair)
    wide, wide_speed = confusion(texts, every)
    measured = {
        "sentences": {
            name: {language: len(several) for language, several in languages.items()}
            for name, languages in texts.items()
        },
        "urdu_and_english": {
            "sentences_per_cpu_second": round(speed),
            **accepted_shares(table, "ur"),
            "confusion": table,
        },
        "every_pack": {
            "packs": [pack.code for pack in every],
            "sentences_per_cpu_second": round(wide_speed),
            "accepted": {pack.code: accepted_shares(wide, pack.code) for pack in every if pack.code in wide},
            "confusion": wide,
        },
        "urdu_typed_with_lookalikes": mistyped(texts, pair),
        "roman_urdu": identify_rows(folder / "urdu_tasks" / "sentiment_roman_urdu.jsonl.gz", "text", pair),
        "shahmukhi_written_for_this_project": identify_rows(HERE / "shahmukhi.jsonl", "text", pair),
    }
    measure.write(options.json, measure.result("language_id", measured, PACKAGES))
    print(json.dumps({key: measured[key] for key in measured if key != "sentences"}, ensure_ascii=False))


if __name__ == "__main__":
    main()
