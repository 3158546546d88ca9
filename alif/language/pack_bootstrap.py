"""Measure a language from a sample text, and write a pack folder for a linguist to complete.

    measure_sample(path, "ha") → SampleProfile   letters, digits, punctuation, function words, look-alikes
    write_pack(profile, folder)                  pack.toml, tasks/, English prompts/, seeds/, demo/

Nothing is known of any language: letters and marks come from Unicode's properties, words from counting,
neighbours from the classifier's second choices. What was measured is written beside each value.
"""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2
import regex

from alif import store
from alif.errors import DataError, PackError
from alif.language import letter_inventory
from alif.language.language_id import language_classifier
from alif.language.normalisation import split_words
from alif.language.pack import load_pack, shipped_packs

__all__ = ["SampleProfile", "measure_sample", "write_pack"]

BLANK = Path(__file__).parent / "blank"
MIN_LINES = 20
MAX_FUNCTION_WORDS = 60
MIN_LINE_WORDS = 6  # words that a line needs before its share of function words is measured
CLASSIFIED_LINES = 600
MAX_NEIGHBOURS = 8
MIN_NEARNESS = 0.4
"""Least score of a neighbour, from 0 (the last of all languages) to 1 (the first). Source: lines in 11
languages: creoles, that know nothing of a script, reach 0.33, neighbours in the same script 0.5 to 0.95."""
MIN_CLASSIFIED_SHARE = 0.02
"""Least share of the lines for what the classifier calls a language that it does not know."""
MAX_ARTICLES, ARTICLE_WORDS = 60, 110
"""Articles cut from the sample for the demo, and words in each."""

_WORD = regex.compile(r"[\p{L}\p{M}]+(?:['\u2019\u02bc\u2018\u200c][\p{L}\p{M}]+)*")
_GROUPED = regex.compile(r"\d(\p{P})(?=\d{3}(?!\d))")
_DECIMAL = regex.compile(r"(?<![\d\p{P}])\d+(\p{P})\d{1,2}(?![\d\p{P}])")


@dataclass(frozen=True)
class SampleProfile:
    """What was measured in a sample. Counts are of words unless said otherwise."""

    code: str
    source: str
    line_count: int
    word_count: int
    direction: str
    script: str
    script_share: float
    letters: str
    min_words: int  # words that a letter needs to be listed
    rare: Sequence[tuple[str, int, str]]  # (letter, words, an example) of letters that were left out
    marks: Sequence[tuple[str, int]]
    lookalikes: Sequence[tuple[str, str, int, str, str]]
    """(rare letter, usual letter, words, an example, the usual word): exchanged in otherwise equal words."""
    out_of_inventory: Sequence[tuple[str, str, int, str]]
    """(letter of another script, the one that it seems to stand for or "", words, an example)."""
    function_words: Sequence[str]
    function_word_share: float
    known: bool  # whether the classifier knows the language
    recognised: float  # share of the lines in which it finds the language
    neighbours: Sequence[str]  # its other choices that know the script
    classified_as: Sequence[str]  # what it calls the language that it does not know
    punctuation: Sequence[tuple[str, int]]
    sentence_marks: str
    closers: str
    percent: str
    digits: Sequence[str]
    group: str
    decimal: str
    articles: Sequence[str]


def measure_sample(path: Path, code: str) -> SampleProfile:
    """Measure the text of a file, one paragraph a line.

    Raises:
        DataError: it cannot be read, or is too short, or holds no letters.
    """
    lines = [unicodedata.normalize("NFC", line).strip() for _, line in store.read_lines(path)]
    lines = [line for line in lines if line]
    if len(lines) < MIN_LINES:
        hint = f"A sample needs {MIN_LINES} lines or more; 2,000 are good."
        raise DataError(f"{path}: {len(lines)} lines of text", hint)
    words = Counter(word for line in lines for word in _WORD.findall(line))
    script, share = letter_inventory.dominant_script(words)
    if not script:
        raise DataError(f"{path}: no letter of any script", "Give a text in the language.")
    letters, min_words, rare = letter_inventory.frequent_letters(words, script)
    characters = Counter("".join(lines))
    category = {char: unicodedata.category(char) for char in characters}
    function_words, function_word_share = _measure_function_words(lines, script, code)
    foreign = regex.compile(rf"[^\p{{Script={script}}}\p{{M}}\s]+")
    native = [foreign.sub(" ", line) for line in lines]
    known, recognised, neighbours, classified_as = _classify_lines(native, code)
    punctuation = [(char, count) for char, count in characters.most_common() if category[char][0] == "P"]
    ends = [char for char, _ in punctuation if regex.match(r"\p{Sentence_Terminal}", char)]
    closers = [char for char, _ in punctuation if category[char] in ("Pe", "Pf")]
    group, decimal = _number_marks("\n".join(lines))
    zeros = {
        ord(char) - unicodedata.decimal(char)
        for char in characters
        if unicodedata.decimal(char, None) is not None
    }
    return SampleProfile(
        code=code,
        source=path.name,
        line_count=len(lines),
        word_count=words.total(),
        direction=letter_inventory.script_direction(characters),
        script=script,
        script_share=share,
        letters=letters,
        min_words=min_words,
        rare=rare,
        marks=[(char, count) for char, count in characters.most_common() if category[char] == "Mn"][:40],
        lookalikes=letter_inventory.lookalike_letters(words, letters),
        out_of_inventory=letter_inventory.out_of_inventory(words, script),
        function_words=function_words,
        function_word_share=function_word_share,
        known=known,
        recognised=recognised,
        neighbours=neighbours,
        classified_as=classified_as,
        punctuation=punctuation[:25],
        sentence_marks=" ".join(dict.fromkeys([*ends, "!", "?", "…", "."])),
        closers=" ".join(dict.fromkeys([*closers, *"\"')]"])),
        percent="".join(char for char in "%\u066a" if char == "%" or char in characters),
        digits=["".join(chr(zero + n) for n in range(10)) for zero in dict.fromkeys([0x30, *sorted(zeros)])],
        group=group,
        decimal=decimal,
        articles=_cut_articles(lines),
    )


def _measure_function_words(lines: Sequence[str], script: str, code: str) -> tuple[list[str], float]:
    """Return the words of most lines that no other shipped pack of this script has, most frequent first.

    And half the share of them that 95 % of the lines reach.
    """
    taken: set[str] = set()
    for pack in map(load_pack, shipped_packs()):
        path = pack.folder / "demo" / "articles.jsonl"
        if pack.code != code and pack.script.name == script and path.is_file():
            rows = (str(row.get("text", "")) for _, row in store.read_rows(path))
            counted = Counter(word for text in rows for word in split_words(text, pack))
            taken.update(word for word, _ in counted.most_common(200))
    spoken = [[word.casefold() for word in _WORD.findall(line)] for line in lines]
    counted = Counter(word for line in spoken for word in dict.fromkeys(line))
    own = regex.compile(rf"(?:(?=\p{{Script={script}}})\p{{L}}|\p{{M}}|['\u2019\u02bc])+")
    common = (word for word, _ in counted.most_common(4 * MAX_FUNCTION_WORDS))
    fitting = [word for word in common if own.fullmatch(word) and len(word) > 1 and word not in taken]
    chosen = dict.fromkeys(fitting[:MAX_FUNCTION_WORDS])
    long = (line for line in spoken if len(line) >= MIN_LINE_WORDS)
    shares = sorted(sum(word in chosen for word in line) / len(line) for line in long)
    return [*chosen], round(shares[len(shares) // 20] / 2, 3) if shares else 0.0


def _classify_lines(lines: Sequence[str], code: str) -> tuple[bool, float, list[str], list[str]]:
    """Return (whether the classifier knows it, share of lines found, other choices, names of unknown ones).

    A label that knows nothing of the script comes second where no other knows it: it is no neighbour.
    """
    classifier = language_classifier()
    long = [line for line in lines if len(line) >= 40] or list(lines)
    asked = long[:: max(1, len(long) // CLASSIFIED_LINES)]
    first: Counter[str] = Counter()
    others: Counter[str] = Counter()
    for line in asked:
        ranked = classifier.rank(line)
        best, least = ranked[0][1], ranked[-1][1]
        if best - least < len(line):  # none knows the script
            continue
        first[str(ranked[0][0])] += 1
        near = (str(label) for label, score in ranked[:3] if score - least > MIN_NEARNESS * (best - least))
        others.update(label for label in near if label != code)
    neighbours = sorted(label for label, _ in others.most_common(MAX_NEIGHBOURS))
    known = code in classifier.labels
    common = [label for label, count in first.most_common() if count >= MIN_CLASSIFIED_SHARE * len(asked)]
    return known, first[code] / len(asked), neighbours, [] if known else common


def _number_marks(text: str) -> tuple[str, str]:
    """Return the marks between groups of digits and before decimals."""
    found = Counter(_GROUPED.findall(text)).most_common(1)
    group = found[0][0] if found else ""
    points = (char for char, _ in Counter(_DECIMAL.findall(text)).most_common())
    decimal = next(
        (char for char in points if char in ".,\u066b" and char != group), "," if group == "." else "."
    )
    return group or ",", decimal


def _cut_articles(lines: Sequence[str]) -> list[str]:
    """Cut the sample into texts for the demo, neighbouring lines together, spread over the whole of it."""
    chunks: list[list[str]] = [[]]
    size = 0
    for line in lines:
        chunks[-1].append(line)
        size += len(_WORD.findall(line))
        if size >= ARTICLE_WORDS:
            chunks.append([])
            size = 0
    texts = ["\n".join(chunk) for chunk in chunks if chunk]
    return texts[:: max(1, len(texts) // MAX_ARTICLES)][:MAX_ARTICLES]


def write_pack(sample: SampleProfile, folder: Path, name: str = "", native_name: str = "") -> list[Path]:
    """Write the pack folder; return its files.

    Raises:
        PackError: the folder is already there.
    """
    if folder.exists():
        raise PackError(f"{folder}: is already there", "Name another folder: alif new --pack CODE FOLDER.")
    language = name or sample.code
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined, autoescape=False, keep_trailing_newline=True
    )
    environment.globals.update(
        sample=sample,
        language=language,
        native_name=native_name or language,
        folder=folder.as_posix(),
        q=lambda value: json.dumps(value, ensure_ascii=False),
        ord=ord,
    )
    written: dict[Path, str] = {}
    for path in sorted(path for path in BLANK.rglob("*") if path.is_file()):
        text, target = path.read_text(encoding="utf-8"), folder / path.relative_to(BLANK)
        if path.parent == BLANK / "prompts":  # templates themselves, rendered for each request
            written[target] = text
        else:
            written[target.with_suffix("")] = environment.from_string(text).render()
    for path in sorted(BLANK.glob("tasks/*")):
        written[folder / "seeds" / f"{path.name.split('.')[0]}.jsonl"] = ""
    for target, text in written.items():
        store.write_text(target, text)
    articles = folder / "demo" / "articles.jsonl"
    rows = (
        {"id": f"{sample.code}-article-{n:03}", "title": "", "text": text, "author": f"from {sample.source}"}
        for n, text in enumerate(sample.articles, 1)
    )
    store.write_rows(articles, rows)
    load_pack(folder)  # what was written is a pack
    return [*written, articles]
