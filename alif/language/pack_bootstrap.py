"""Measure a language from a sample text, and write a pack folder that a linguist can mend.

    measure(lines, "ha") → Sketch          letters, digits, punctuation, direction, little words, look-alikes, neighbours
    write(sketch, folder)                  pack.toml, tasks/, English prompts/, empty seeds/, demo/articles.jsonl, demo.toml

Nothing is asked that can be found out, and nothing is known of any language: letters and marks come from Unicode's properties,
words from counting, neighbours from the classifier's second choices. What was measured is written beside each value.
"""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import regex

from alif import store
from alif.errors import DataError, PackError
from alif.language import language_id as scripts
from alif.language import letter_inventory
from alif.language import pack as packs
from alif.language import text as texts

__all__ = ["Sketch", "measure_sample", "write_pack"]

BLANK = Path(__file__).parent / "blank"
FEWEST_LINES = 20
"""Shorter samples are refused: nothing can be measured."""
LITTLE = 60
"""Most little words."""
LINE_WORDS = 6
"""Words that a line needs before its share of little words is measured."""
CLASSIFIED = 600
"""Lines that the classifier is asked about."""
NEIGHBOURS = 8
ARTICLES, ARTICLE_WORDS = 60, 110
"""Most articles cut from the sample for the demo, and words in each."""

_WORD = regex.compile(r"[\p{L}\p{M}]+(?:['\u2019\u02bc\u2018\u200c][\p{L}\p{M}]+)*")
_GROUPED = regex.compile(r"\d(\p{P})(?=\d{3}(?!\d))")
_DECIMAL = regex.compile(r"(?<![\d\p{P}])\d+(\p{P})\d{1,2}(?![\d\p{P}])")


@dataclass(frozen=True)
class Sketch:
    """What a sample tells of its language. Counts are of words unless said otherwise."""

    code: str
    source: str
    line_count: int
    word_count: int
    direction: str
    script: str
    script_share: float
    letters: str
    fewest: int
    rare: Sequence[tuple[str, int, str]]
    """(letter, words, an example) of letters that were left out."""
    marks: Sequence[tuple[str, int]]
    alike: Sequence[tuple[str, str, int, str, str]]
    """(rare letter, usual letter, words, an example, the usual word): the two are exchanged in otherwise equal words."""
    foreign: Sequence[tuple[str, str, int, str]]
    """(letter of another script, the one that it seems to stand for or "", words, an example)."""
    words: Sequence[str]
    words_share: float
    neighbours: Sequence[str]
    known: bool
    recognised: float
    digits: Sequence[str]
    decimal: str
    group: str
    percent: str
    sentence_marks: str
    closers: str
    punctuation: Sequence[tuple[str, int]]
    articles: Sequence[str]


def measure_sample(path: Path, code: str) -> Sketch:
    """Measure the text of a file, one paragraph a line.

    Raises:
        DataError: it cannot be read, or is too short, or holds no letters.
    """
    lines = [unicodedata.normalize("NFC", line).strip() for _, line in store.read_lines(path)]
    lines = [line for line in lines if line]
    if len(lines) < FEWEST_LINES:
        raise DataError(
            f"{path}: {len(lines)} lines of text",
            f"A sample needs {FEWEST_LINES} lines or more; 2,000 are good.",
        )
    words = Counter(word for line in lines for word in _WORD.findall(line))
    name, share = letter_inventory.dominant_script(words)
    if not name:
        raise DataError(f"{path}: no letter of any script", "Give a text in the language.")
    letters, fewest, rare = letter_inventory.frequent_letters(words, name)
    everything = Counter("".join(lines))
    little = _little_words(lines, name, code)
    known, recognised, neighbours = _neighbours(lines, code)
    return Sketch(
        code=code,
        source=path.name,
        line_count=len(lines),
        word_count=words.total(),
        direction=letter_inventory.script_direction(everything),
        script=name,
        script_share=share,
        letters=letters,
        fewest=fewest,
        rare=rare,
        marks=[
            (char, count) for char, count in everything.most_common() if unicodedata.category(char) == "Mn"
        ][:40],
        alike=letter_inventory.lookalike_letters(words, letters),
        foreign=letter_inventory.out_of_inventory(words, name),
        words=little,
        words_share=_usual_share(lines, little),
        neighbours=neighbours,
        known=known,
        recognised=recognised,
        **_punctuation(lines, everything),
        articles=_articles(lines),
    )


def _little_words(lines: Sequence[str], script: str, code: str) -> list[str]:
    """Return the words that stand in most lines and in no other shipped pack of this script, the most frequent first."""
    inside: Counter[str] = Counter()
    for line in lines:
        inside.update({word.casefold() for word in _WORD.findall(line)})
    taken = {
        word
        for pack in map(packs.load_pack, packs.shipped_packs())
        if pack.code != code
        for word in _frequent(pack, script)
    }
    own = regex.compile(rf"(?:(?=\p{{Script={script}}})\p{{L}}|\p{{M}}|['\u2019\u02bc])+")
    fit = [
        word
        for word, _ in inside.most_common(4 * LITTLE)
        if own.fullmatch(word) and len(word) > 1 and word not in taken
    ]
    return fit[:LITTLE]


def _frequent(pack: packs.Pack, script: str) -> set[str]:
    """Return a shipped pack's most frequent words, if it is in this script."""
    path = pack.folder / "demo" / "articles.jsonl"
    if pack.script.name != script or not path.is_file():
        return set()
    counted = Counter(
        word for _, row in store.read_rows(path) for word in texts.split_words(str(row.get("text", "")), pack)
    )
    return {word for word, _ in counted.most_common(200)}


def _usual_share(lines: Sequence[str], little: Sequence[str]) -> float:
    """Return half the share of little words that 95 % of the lines reach."""
    wanted = frozenset(little)
    shares = []
    for line in lines:
        words = [word.casefold() for word in _WORD.findall(line)]
        if len(words) >= LINE_WORDS:
            shares.append(sum(word in wanted for word in words) / len(words))
    return round(sorted(shares)[len(shares) // 20] / 2, 3) if shares else 0.0


def _neighbours(lines: Sequence[str], code: str) -> tuple[bool, float, list[str]]:
    """Return (whether the classifier knows the language, share of lines that it names so, its other choices)."""
    classifier = scripts.language_classifier()
    longest = [line for line in lines if len(line) >= 40] or list(lines)
    asked = longest[:: max(1, len(longest) // CLASSIFIED)]
    first: Counter[str] = Counter()
    others: Counter[str] = Counter()
    for line in asked:
        ranked = [str(label) for label, _ in classifier.rank(line)[:3]]
        first[ranked[0]] += 1
        others.update(label for label in ranked if label != code)
    names = sorted(label for label, _ in others.most_common(NEIGHBOURS))
    return code in classifier.labels, first[code] / len(asked), names


def _punctuation(lines: Sequence[str], everything: Counter[str]) -> dict[str, Any]:
    joined = "\n".join(lines)
    used = [(char, count) for char, count in everything.most_common() if unicodedata.category(char)[0] == "P"]
    ends = [char for char, _ in used if regex.match(r"\p{Sentence_Terminal}", char)]
    zeros = sorted(
        {
            ord(char) - unicodedata.decimal(char)
            for char in everything
            if unicodedata.decimal(char, None) is not None
        }
    )
    group = Counter(_GROUPED.findall(joined)).most_common(1)
    point = [
        char
        for char, _ in Counter(_DECIMAL.findall(joined)).most_common()
        if char in ".,\u066b" and char != (group or [("", 0)])[0][0]
    ]
    return {
        "digits": [
            "".join(chr(zero + value) for value in range(10)) for zero in dict.fromkeys([0x30, *zeros])
        ],
        "group": group[0][0] if group else ",",
        "decimal": point[0] if point else "." if not group or group[0][0] != "." else ",",
        "percent": "".join(char for char in "%\u066a" if char == "%" or char in everything),
        "sentence_marks": " ".join(dict.fromkeys([*ends, "!", "?", "…", "."])),
        "closers": " ".join(
            dict.fromkeys(
                [char for char, _ in used if unicodedata.category(char) in ("Pe", "Pf")] + list("\"')]")
            )
        ),
        "punctuation": used[:25],
    }


def _articles(lines: Sequence[str]) -> list[str]:
    """Cut the sample into texts for the demo, neighbouring lines together, spread over the whole of it."""
    chunks: list[list[str]] = [[]]
    size = 0
    for line in lines:
        chunks[-1].append(line)
        size += len(_WORD.findall(line))
        if size >= ARTICLE_WORDS:
            chunks.append([])
            size = 0
    whole = ["\n".join(chunk) for chunk in chunks if chunk]
    return whole[:: max(1, len(whole) // ARTICLES)][:ARTICLES]


def write_pack(sketch: Sketch, folder: Path, name: str = "", native_name: str = "") -> list[Path]:
    """Write the pack folder; return its files.

    Raises:
        PackError: the folder is already there.
    """
    if folder.exists():
        raise PackError(f"{folder}: is already there", "Name another folder: alif new --pack CODE FOLDER.")
    facts = {
        "sketch": sketch,
        "language": name or sketch.code,
        "native_name": native_name or name or sketch.code,
        "folder": folder.as_posix(),
        "q": lambda value: json.dumps(value, ensure_ascii=False),
        "ord": ord,
    }
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined, autoescape=False, keep_trailing_newline=True
    )
    written = []
    for path in sorted(BLANK.rglob("*")):
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            target = folder / path.relative_to(BLANK)
            if (
                path.parent != BLANK / "prompts"
            ):  # prompts are templates themselves, filled in for each request
                text, target = environment.from_string(text).render(facts), target.with_suffix("")
            written.append((target, text))
    tasks = sorted(path.name.split(".")[0] for path in (BLANK / "tasks").iterdir())
    written += [(folder / "seeds" / f"{task}.jsonl", "") for task in tasks]
    for target, text in written:
        store.write_text(target, text)
    articles = folder / "demo" / "articles.jsonl"
    store.write_rows(articles, _rows(sketch))
    packs.load_pack(folder)  # what was written is a pack
    return [*(target for target, _ in written), articles]


def _rows(sketch: Sketch) -> Iterator[dict[str, str]]:
    for number, text in enumerate(sketch.articles, 1):
        yield {
            "id": f"{sketch.code}-article-{number:03}",
            "title": "",
            "text": text,
            "author": f"from {sketch.source}",
        }
