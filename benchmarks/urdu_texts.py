"""Any number of Urdu instructions, built from the real text of ../shared/data, varied and repetitive like a teacher's.

    35 %  a frame and a real span           "… کے بارے میں ایک مختصر مضمون لکھیں۔": many shared words, the hard case
    20 %  a real sentence                   each once, until they are used up; then the trigram model
    35 %  text of a trigram model           new sentences in the words and the order of words of the real ones
    10 %  an edit of an earlier text        words left out, changed or added: the near-duplicates

The same seed gives the same texts. Source of the mixture: shared/design/pool.md, section 2.
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
"""The real data beside the checkout."""

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
"""Words of a span in a frame."""
SENTENCE_WORDS = (5, 40)
MADE_WORDS = (6, 24)
"""Words of a text of the trigram model."""
AT_ONCE = 20_000
"""Texts of the trigram model made in one go."""

Cut = Callable[[str], list[str]]
"""How a sentence becomes words: the pack's folded words, or the words as they are written."""


def sentences(folder: Path, pack: Pack, cut: Cut) -> list[list[str]]:
    """Return the sentences of the real Urdu text, each once, in the order of the files."""
    found: dict[tuple[str, ...], None] = {}
    for document in sources.read_documents(FILES, str(folder), language=pack.code):
        if isinstance(document, Dropped):
            continue
        for sentence in text.split_sentences(text.normalise_text(document.text, pack), pack):
            words = tuple(cut(sentence))
            if SENTENCE_WORDS[0] <= len(words) <= SENTENCE_WORDS[1]:
                found.setdefault(words)
    return [list(words) for words in found]


class Trigrams:
    """New texts: from any place in the real text go on behind a place, drawn by lot, where the same two words stand."""

    def __init__(self, real: Sequence[Sequence[str]], seed: int) -> None:
        self._words = sorted({word for sentence in real for word in sentence})
        codes = {word: code for code, word in enumerate(self._words)}
        self._codes = np.array([codes[word] for sentence in real for word in sentence], dtype=np.int64)
        pairs = self._codes[:-2] * len(codes) + self._codes[1:-1]
        self._places = np.argsort(pairs, kind="stable")
        ordered = pairs[self._places]
        self._first = np.searchsorted(ordered, pairs, "left")
        self._count = np.searchsorted(ordered, pairs, "right") - self._first
        self._numbers = np.random.default_rng(seed)

    def texts(self) -> Iterator[list[str]]:
        """Yield texts for ever."""
        while True:
            lengths = self._numbers.integers(*MADE_WORDS, size=AT_ONCE, endpoint=True)
            for row, length in zip(self._walk(), lengths, strict=True):
                yield [self._words[code] for code in row[:length]]

    def _walk(self) -> npt.NDArray[np.int64]:
        """Return AT_ONCE rows of MADE_WORDS[1] word codes."""
        last = len(self._first) - 1
        places = self._numbers.integers(0, last, size=AT_ONCE)
        columns = []
        for _ in range(MADE_WORDS[1]):
            chosen = self._first[places] + (self._numbers.random(AT_ONCE) * self._count[places]).astype(
                np.int64
            )
            places = self._places[chosen]
            columns.append(self._codes[places + 2])
            places = np.minimum(places + 1, last)
        return np.stack(columns, axis=1)


def instructions(real: Sequence[list[str]], cut: Cut, seed: int) -> Iterator[list[str]]:
    """Yield instructions for ever, each as its words. `cut` is the one that `real` was cut with."""
    numbers = random.Random(seed)
    made = Trigrams(real, seed).texts()
    unused = numbers.sample(range(len(real)), len(real))
    frames = [tuple(cut(part) for part in frame.split("{}")) for frame in FRAMES]
    earlier: list[list[str]] = []
    while True:
        kind = numbers.random()
        if kind < 0.35:
            before, after = numbers.choice(frames)
            words = [*before, *_span(numbers.choice(real), numbers), *after]
        elif kind < 0.55 and unused:
            words = real[unused.pop()]
        elif kind < 0.90 or not earlier:
            words = next(made)
        else:
            words = _edited(earlier[int(numbers.random() * len(earlier))], real, numbers)
        earlier.append(words)
        yield words


def _span(sentence: list[str], numbers: random.Random) -> list[str]:
    length = numbers.randint(*SPAN_WORDS)
    start = numbers.randrange(max(len(sentence) - length, 0) + 1)
    return sentence[start : start + length]


def _edited(words: list[str], real: Sequence[list[str]], numbers: random.Random) -> list[str]:
    """Return a text with about every seventh word left out, changed, or followed by another."""
    result: list[str] = []
    for word in words:
        change = numbers.random()
        if change > 0.05:
            result.append(word if change > 0.10 else numbers.choice(numbers.choice(real)))
        if change > 0.95:
            result.append(numbers.choice(numbers.choice(real)))
    return result or words
