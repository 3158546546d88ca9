"""Urdu instructions without end, made from the real text in ../shared/data, with near-duplicates.

    35 %  a template and a real span        "… کے بارے میں ایک مضمون لکھیں۔": many shared words, the hard case
    20 %  a real sentence                   each once, until they are used up; then the trigram model
    35 %  text of a trigram model           new sentences with the words and the word order of the real ones
    10 %  an edit of an earlier text        words left out, changed or added: the near-duplicates

The same seed gives the same texts.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from alif import sources
from alif.language import text
from alif.language.pack import Pack
from alif.records import Dropped

__all__ = ["FRAMES", "SHARED", "Trigrams", "instructions", "sentences"]

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
"""The data folder beside the checkout."""

FILES = ("ur_raw/*.jsonl.gz", "ur_raw/*.txt.gz")
FRAMES = (
    "{} کے بارے میں ایک مختصر مضمون لکھیں۔",
    "{} پر پانچ جملوں کا پیراگراف لکھیے۔",
    "بتائیے کہ {} سے کیا مراد ہے۔",
    "{} کی وضاحت ایک بچے کو سمجھانے کے انداز میں کریں۔",
    "درج ذیل عبارت کا خلاصہ تین جملوں میں لکھیں: {}",
    "اس جملے کا مطلب سادہ اردو میں بیان کیجیے: {}",
    "نیچے دی گئی عبارت میں سے اہم نکات نکالیں: {}",
    "{} کے فائدے اور نقصان بیان کریں۔",
    "{} پر اپنے دوست کے نام ایک خط لکھیں۔",
    "کیا یہ بات درست ہے؟ دلیل کے ساتھ جواب دیں: {}",
    "{} کے موضوع پر ایک مکالمہ تحریر کریں۔",
    "اس عبارت کے لیے ایک مناسب عنوان تجویز کریں: {}",
    "{} کے متعلق تین سوال بنائیں اور ان کے جواب بھی لکھیں۔",
    "اس عبارت کا لہجہ رسمی بنائیں: {}",
    "{} کی ایک مثال روزمرہ زندگی سے دیجیے۔",
    "اگر کوئی شخص کہے کہ {} تو آپ کیا جواب دیں گے؟",
    "ایک استاد کی حیثیت سے سمجھائیں کہ {}",
    "{} پر ایک تقریر کا آغاز لکھیے۔",
    "اس جملے کو سوالیہ جملے میں بدلیں: {}",
    "اس عبارت میں کون سا جذبہ ظاہر ہوتا ہے، مثبت یا منفی؟ {}",
    "{} کے بارے میں ایک کہانی سنائیں جس کا انجام خوشگوار ہو۔",
    "مرحلہ وار بتائیں کہ {}",
    "{} اور اس کے متضاد کا فرق واضح کریں۔",
    "درج ذیل جملے کو مکمل کریں: {}",
    "{} کے حوالے سے ایک اخبار کی خبر لکھیں۔",
    "اس سوال کا جواب دو جملوں میں دیں: {}",
    "{} سے ہمیں کیا سبق ملتا ہے؟",
    "اس عبارت کے مشکل الفاظ کے معنی لکھیں: {}",
    "{} پر چار مصرعوں کی نظم لکھیں۔",
    "ایک رپورٹ تیار کریں جس میں {} کا ذکر ہو۔",
)
SPAN_WORDS = (3, 10)
"""Words of the span in a template."""
SENTENCE_WORDS = (5, 40)
MADE_WORDS = (6, 24)
"""Words of a text of the trigram model."""
AT_ONCE = 20_000
"""Texts of the trigram model that are made together."""

Split = Callable[[str], list[str]]
"""Splits a sentence into words: the pack's normalised words, or the words as they are written."""


def sentences(folder: Path, pack: Pack, split: Split) -> list[list[str]]:
    """Return the sentences of the real Urdu text, each once, in the order of the files."""
    found: dict[tuple[str, ...], None] = {}
    for document in sources.read_documents(FILES, str(folder), language=pack.code):
        if isinstance(document, Dropped):
            continue
        for sentence in text.split_sentences(text.normalise_text(document.text, pack), pack):
            words = tuple(split(sentence))
            if SENTENCE_WORDS[0] <= len(words) <= SENTENCE_WORDS[1]:
                found.setdefault(words)
    return [list(words) for words in found]


class Trigrams:
    """A trigram model: from a random place, continue after another place with the same two words."""

    def __init__(self, real: Sequence[Sequence[str]], seed: int) -> None:
        self._words = sorted({word for sentence in real for word in sentence})
        codes = {word: code for code, word in enumerate(self._words)}
        self._codes = np.array([codes[word] for sentence in real for word in sentence], dtype=np.int64)
        pairs = self._codes[:-2] * len(codes) + self._codes[1:-1]
        self._places = np.argsort(pairs, kind="stable")
        ordered = pairs[self._places]
        self._first = np.searchsorted(ordered, pairs, "left")
        self._count = np.searchsorted(ordered, pairs, "right") - self._first
        self._rng = np.random.default_rng(seed)

    def texts(self) -> Iterator[list[str]]:
        """Yield texts without end."""
        while True:
            lengths = self._rng.integers(*MADE_WORDS, size=AT_ONCE, endpoint=True)
            for row, length in zip(self._walk(), lengths, strict=True):
                yield [self._words[code] for code in row[:length]]

    def _walk(self) -> npt.NDArray[np.int64]:
        """Return AT_ONCE rows of MADE_WORDS[1] word codes."""
        last = len(self._first) - 1
        places = self._rng.integers(0, last, size=AT_ONCE)
        columns = []
        for _ in range(MADE_WORDS[1]):
            chosen = self._first[places] + (self._rng.random(AT_ONCE) * self._count[places]).astype(np.int64)
            places = self._places[chosen]
            columns.append(self._codes[places + 2])
            places = np.minimum(places + 1, last)
        return np.stack(columns, axis=1)


def instructions(real: Sequence[list[str]], split: Split, seed: int) -> Iterator[list[str]]:
    """Yield instructions without end, each as its words; `real` was split with the function `split`."""
    rng = random.Random(seed)
    made = Trigrams(real, seed).texts()
    unused = rng.sample(range(len(real)), len(real))
    frames = [tuple(split(part) for part in frame.split("{}")) for frame in FRAMES]
    earlier: list[list[str]] = []
    while True:
        kind = rng.random()
        if kind < 0.35:
            before, after = rng.choice(frames)
            words = [*before, *_span(rng.choice(real), rng), *after]
        elif kind < 0.55 and unused:
            words = real[unused.pop()]
        elif kind < 0.90 or not earlier:
            words = next(made)
        else:
            words = _edited(earlier[int(rng.random() * len(earlier))], real, rng)
        earlier.append(words)
        yield words


def _span(sentence: list[str], rng: random.Random) -> list[str]:
    length = rng.randint(*SPAN_WORDS)
    start = rng.randrange(max(len(sentence) - length, 0) + 1)
    return sentence[start : start + length]


def _edited(words: list[str], real: Sequence[list[str]], rng: random.Random) -> list[str]:
    """Return a text with about every seventh word left out, changed, or followed by another."""
    result: list[str] = []
    for word in words:
        change = rng.random()
        if change > 0.05:
            result.append(word if change > 0.10 else rng.choice(rng.choice(real)))
        if change > 0.95:
            result.append(rng.choice(rng.choice(real)))
    return result or words
