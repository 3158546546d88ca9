"""Translate 1,000 real English rows through a loopback teacher that makes the faults of real ones.

    python benchmarks/translation_faults.py --data ../shared/data [--language ur]

The rows are made of real sentences of the parallel files: single sentences, and rows of several fields with
lists, tables, code, formulas, addresses and placeholders between them. The teacher knows the right answer to
each and gives it for half of them; in the other answers it makes one fault. The step `translate` asks it as
it asks any teacher, and another model translates back what it reads. A fault is caught where the row is
dropped, or where what is kept is the right translation (a preamble is taken away).

    measured: rows, faults_injected, caught, right_rows_lost, and the same by kind of fault
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import measure
import regex

from alif import settings
from alif.data.prompt_texts import PROMPTS_FOLDER
from alif.data.translation.translate import translate_rows
from alif.language import pack as packs
from alif.language.replies import item_format
from alif.language.text import normalise_text
from alif.language.text_repair import mend_lookalikes
from alif.llm import Message, ScriptedReply
from alif.llm.demo_server import serve_demo
from alif.records import Dropped
from alif.runs import Run, make_context

HERE = Path(__file__).resolve().parent
FILES = {"ntrex": 340, "tico19": 180, "sib200_flores": 180, "tatoeba": 60, "storybooks": 40}
"""Single sentences of each parallel file; the other rows are made of several sentences each."""
Texts = tuple[str, str, str]
CODE = "```python\ndef add(a, b):\n    return a + b\n```"
FORMULA = "$E = mc^2 + \\frac{a}{b}$"
ADDRESS = "https://example.org/docs/start?id=7"
SLOT = "{user_name}"


@dataclass
class Row:
    """A row, its right translation, and what the teacher answers."""

    source: Texts
    right: Texts
    sentence: bool
    names: Mapping[str, str] = field(default_factory=dict)
    answer: str = ""
    back: str = ""
    fault: str = ""


def read_pairs(data: Path, code: str) -> dict[str, list[tuple[str, str]]]:
    """Return the parallel sentences by file."""
    from alif import sources

    found = {}
    for name in FILES:
        pattern = f"parallel/{name}.*.jsonl.gz" if "flores" in name else f"parallel/{name}.en-{code}.jsonl.gz"
        if not list(data.glob(pattern)):
            continue
        pairs = sources.read_pairs((pattern,), str(data), "en", code)
        found[name] = [*{one.known: one.own for one in pairs if not isinstance(one, Dropped)}.items()]
    return found


def make_rows(pairs: Mapping[str, list[tuple[str, str]]], count: int, rng: random.Random) -> list[Row]:
    """Return single sentences and rows of several fields."""
    shuffled = {name: rng.sample(some, len(some)) for name, some in pairs.items()}
    rows = [
        Row(("", before, ""), ("", after, ""), sentence=True)
        for name, some in shuffled.items()
        for before, after in some[: FILES[name]]
    ]
    rest = [
        pair for name, some in shuffled.items() for pair in some[FILES[name] :] if 40 < len(pair[0]) < 400
    ]
    while len(rows) < count:
        rows.append(make_whole_row(rest, len(rows), rng))
    return rows[:count]


def make_whole_row(rest: list[tuple[str, str]], number: int, rng: random.Random) -> Row:
    """Return a row of four sentences with a structure around them."""
    four = [rest.pop(rng.randrange(len(rest))) for _ in range(4)]
    shapes: Sequence[Callable[[Sequence[str]], Texts]] = (
        lambda s: (s[0], "", "\n".join(f"- {one}" for one in s[1:])),
        lambda s: (
            s[0],
            "",
            f"| # | A | B |\n|---|---|---|\n| 1 | {s[1]} | {s[2]} |\n| 2 | {s[3]} | {s[0]} |",
        ),
        lambda s: (f"{s[0]}\n\n{CODE}", s[1], f"{s[2]}\n\n{s[3]}"),
        lambda s: (f"{s[0]} {ADDRESS}", "", f"{SLOT}: {s[1]} {s[2]}"),
        lambda s: (s[0], f"{s[1]} {FORMULA}", f"## {s[2]}\n\n**{s[3]}**"),
    )
    shape = shapes[number % len(shapes)]
    return Row(shape([one for one, _ in four]), shape([one for _, one in four]), sentence=False)


def write(texts: Texts, sentence: bool) -> str:
    """Return what a teacher is sent, or answers."""
    return texts[1] if sentence else item_format.write_item(*texts)


# --- faults: a row's right translation → another one, or None where the fault cannot be made there -------

Fault = Callable[[Row, random.Random, "Scene"], Texts | str | None]
DIGITS = regex.compile(r"\d+")


@dataclass
class Scene:
    """What faults are made of."""

    code: str
    others: Mapping[str, str]
    """A sentence in the other languages of a script, and in other scripts."""
    words: Mapping[str, str]
    """Names to the word that stands for them."""


def each(row: Row, change: Callable[[str], str | None]) -> Texts | None:
    """Change the first text of the translation in which there is something to change."""
    texts = list(row.right)
    for place in (1, 2, 0):
        if texts[place] and (changed := change(texts[place])) and changed != texts[place]:
            texts[place] = changed
            return texts[0], texts[1], texts[2]
    return None


def other_number(row: Row, rng: random.Random, scene: Scene) -> Texts | None:
    """Change the first number."""
    return each(row, lambda t: DIGITS.sub(lambda m: str(int(m[0]) + rng.randint(2, 9)), t, count=1))


def no_number(row: Row, rng: random.Random, scene: Scene) -> Texts | None:
    """Leave out a number of two digits or more."""
    plain = [one for one in DIGITS.findall("\n".join(row.source)) if len(one) > 1]
    return each(row, lambda t: regex.sub(r" ?\d{2,}", "", t, count=1) if plain else None)


def no_name(row: Row, rng: random.Random, scene: Scene) -> Texts | None:
    """Leave out a name."""
    source = "\n".join(row.source)
    known = [
        name
        for name in scene.words
        if regex.search(rf"(?<=\w |, ){name}\b", source) and len(regex.findall(name, source)) == 1
    ]
    return each(
        row, lambda t: next((t.replace(scene.words[n], "") for n in known if scene.words[n] in t), None)
    )


def half_left(row: Row, rng: random.Random, scene: Scene) -> Texts | None:
    """Leave the second half in English."""
    before, after = row.source[1] or row.source[2], row.right[1] or row.right[2]
    words, theirs = before.split(" "), after.split(" ")
    if len(words) < 8 or "|" in before or "\n" in before:
        return None
    half = " ".join([*theirs[: len(theirs) // 2], *words[len(words) // 2 :]])
    return (row.right[0], half, row.right[2]) if row.right[1] else (row.right[0], "", half)


def cut(row: Row, rng: random.Random, scene: Scene) -> Texts | None:
    """End before the end."""

    def shorten(value: str) -> str | None:
        words = value.split(" ")
        ended = value.rstrip()[-1] in "۔.!?؟।"  # a heading that lost its last third is a shorter heading
        share = rng.uniform(0.35, 0.75) if ended else rng.uniform(0.25, 0.42)
        return " ".join(words[: int(len(words) * share)]) if len(words) > 8 else None

    last = 2 if row.right[2] else 1
    shorter = shorten(row.right[last])
    first, given, end = row.right
    if not shorter:
        return None
    return (first, given, shorter) if last == 2 else (first, shorter, end)


def twice(row: Row, rng: random.Random, scene: Scene) -> Texts | None:
    """Say a text twice."""
    mark = rng.choice((" ", "\n", "\n\n"))
    return each(
        row, lambda t: f"{t}{mark}{t}" if len(t.split()) > 3 and "|" not in t and "\n" not in t else None
    )


def other_language(row: Row, rng: random.Random, scene: Scene) -> Texts | None:
    """Answer in another language."""
    told = rng.choice([*scene.others.values()])
    return each(row, lambda t: told if "\n" not in t and len(t) > 60 else None)


def other_letters(row: Row, rng: random.Random, scene: Scene) -> Texts | None:
    """Put a letter of another script into a word."""
    strange = rng.choice(("и", "中", "क" if scene.code == "bn" else "ক", "ا" if scene.code == "sw" else "ი"))
    return each(row, lambda t: regex.sub(r"(?<=\p{L})\p{L}(?=\p{L})", strange, t, count=1))


def swapped(row: Row, rng: random.Random, scene: Scene) -> Texts | None:
    """Exchange instruction and output."""
    longer = max(len(row.source[0]), len(row.source[2])) > 2.2 * min(len(row.source[0]), len(row.source[2]))
    return (row.right[2], row.right[1], row.right[0]) if not row.sentence and longer else None


def replaced(row: Row, part: str, other: str) -> Texts | None:
    """Replace a part."""
    return each(row, lambda t: t.replace(part, other) if part in t else None)


FAULTS: dict[str, Fault] = {
    "number changed": other_number,
    "number dropped": no_number,
    "name lost": no_name,
    "code altered": lambda row, rng, scene: replaced(row, "return a + b", "return a - b"),
    "code translated": lambda row, rng, scene: replaced(row, "def add(a, b)", "تعریف جمع(الف، ب)"),
    "fence lost": lambda row, rng, scene: replaced(row, CODE, CODE.strip("`").removeprefix("python\n")),
    "URL altered": lambda row, rng, scene: replaced(row, "/docs/start", rng.choice(("/docs", "/docs/begin"))),
    "placeholder translated": lambda row, rng, scene: replaced(row, SLOT, "{نام}"),
    "LaTeX altered": lambda row, rng, scene: replaced(
        row, "\\frac{a}{b}", rng.choice(("a/b", "\\frac{b}{a}"))
    ),
    "list items merged": lambda row, rng, scene: each(
        row, lambda t: " ".join(t.rsplit("\n- ", 1)) if t.count("\n- ") > 1 else None
    ),
    "table column lost": lambda row, rng, scene: each(
        row, lambda t: regex.sub(r"^(\|[^|]*)\|[^|]*", r"\1", t, flags=regex.M) if "|---" in t else None
    ),
    "heading lost": lambda row, rng, scene: replaced(row, "## ", ""),
    "untranslated copy": lambda row, rng, scene: (
        row.source if row.sentence and len(row.source[1].split()) > 1 else None
    ),
    "a field untranslated": lambda row, rng, scene: (
        None if row.sentence else (row.right[0], row.right[1], row.source[2])
    ),
    "half untranslated": half_left,
    "cut off": cut,
    "doubled": twice,
    "wrong language": other_language,
    "wrong script letters": other_letters,
    "swapped fields": swapped,
    "meta talk": lambda row, rng, scene: (
        f"{rng.choice(META)}\n\n{write(row.right, row.sentence)}" if row.sentence else None
    ),
    "note behind": lambda row, rng, scene: (
        f"{write(row.right, True)}\n\n{rng.choice(NOTES)}" if row.sentence else None
    ),
    "refusal": lambda row, rng, scene: "I'm sorry, but I can't help with that.",
    "a field lost": lambda row, rng, scene: (
        None if row.sentence or not row.right[1] else (row.right[0], "", row.right[2])
    ),
}
META = (
    "Here is the translation:", "Sure! Here's the translation of your text:", "**Translation:**",
    "Here is the text in the language that you asked for:",
)  # fmt: skip
NOTES = ("(Note: I kept the names as they are.)", "Let me know if you need anything else!")


def learn_names(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return names with the word that stands for them in nearly all translations."""
    name = regex.compile(r"(?<=[a-z,] )\p{Lu}\p{Ll}{3,}")
    plain = {word for before, _ in pairs for word in regex.findall(r"\b\p{Ll}+", before)}
    rows: dict[str, list[set[str]]] = defaultdict(list)
    frequency: Counter[str] = Counter()
    for before, after in pairs:
        words = set(regex.findall(r"[\p{L}\p{M}]+", after))
        frequency.update(words)
        for one in set(name.findall(before)):
            if one.lower() not in plain:
                rows[one].append(words)
    found = {}
    for one, some in rows.items():
        (word, times) = Counter(word for words in some for word in words if frequency[word] < 60).most_common(
            1
        )[0]
        if len(some) > 4 and times > 0.9 * len(some) and frequency[word] < 1.4 * len(some):
            found[one] = word
    return found


def inject(rows: list[Row], share: float, rng: random.Random, scene: Scene) -> None:
    """Give each row its answer: right, or with one fault, all kinds about equally often."""
    kinds: Counter[str] = Counter(dict.fromkeys(FAULTS, 0))
    for row in rows:
        row.answer, row.back = write(row.right, row.sentence), write(row.source, row.sentence)
        if rng.random() >= share:
            continue
        for kind in sorted(FAULTS, key=lambda one: (kinds[one], rng.random())):
            made = FAULTS[kind](row, rng, scene)
            answer = made if isinstance(made, str) or made is None else write(made, row.sentence)
            if answer and answer != row.answer:
                row.answer, row.fault = answer, kind
                kinds[kind] += 1
                if kind == "name lost":
                    lost = "|".join(scene.words)
                    row.back = regex.sub(rf"(?<=\w |, )({lost})\b", "someone", row.back)
                break


def teacher_of(rows: Sequence[Row], own: packs.Pack) -> Callable[[Sequence[Message], int], ScriptedReply]:
    """Return the teacher: a function of the messages."""
    known = packs.load_pack("en")
    forwards = {clean(write(row.source, row.sentence), known): row.answer for row in rows}
    backwards = {clean(row.answer, own): row.back for row in rows}

    def answer(messages: Sequence[Message], draw: int) -> ScriptedReply:
        system, user = messages[0].content, messages[-1].content
        if f"to {own.name} " in system:
            return ScriptedReply(text=forwards[clean(user, known)])
        return ScriptedReply(text=backwards.get(clean(user, own), "I'm sorry, but I cannot read that."))

    return answer


def clean(value: str, pack: packs.Pack) -> str:
    """Return a text as the steps clean it: what the teachers are asked."""
    lines = mend_lookalikes(normalise_text(value, pack), pack).split("\n")
    return "\n".join(line.strip() for line in lines).strip()


def run(
    rows: Sequence[Row], code: str, folder: Path
) -> tuple[dict[str, dict[str, Any]], list[dict[str, Any]]]:
    """Return the kept rows by the source's id, and the dropped ones."""
    lines = [
        {"id": str(n), "en": row.source[1]}
        if row.sentence
        else {"id": str(n), **dict(zip(("instruction", "input", "output"), row.source, strict=True))}
        for n, row in enumerate(rows)
    ]
    (folder / "rows.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    own = packs.load_pack(code)
    with serve_demo(teacher_of(rows, own)) as server:
        teachers = {
            name: settings.Teacher(
                model=name, base_url=server.address, usd_per_million_in=0, usd_per_million_out=0
            )
            for name in ("teacher", "back")
        }
        context = make_context(
            Run(folder / "run"), "translate", settings.Runtime(), inputs={},
            paths={"prompts": PROMPTS_FOLDER}, folder=folder / "run" / "translate",
        )  # fmt: skip
        with context.output:
            translate_rows(
                context,
                settings.Language(pack=code, source="en"),
                settings.Sources(folder=str(folder)),
                teachers,
                settings.Translate(source=("rows.jsonl",), rows=len(rows), back_translator="back"),
            )
    step = folder / "run" / "translate"
    kept = [json.loads(line) for line in (step / "examples.jsonl").read_text(encoding="utf-8").splitlines()]
    dropped = [json.loads(line) for line in (step / "dropped.jsonl").read_text(encoding="utf-8").splitlines()]
    return {row["origin"]["source"].partition("#")[2]: row for row in kept}, dropped


def measure_language(data: Path, code: str, count: int, seed: int) -> dict[str, Any]:
    """Return what was caught and lost in one language."""
    own, rng = packs.load_pack(code), random.Random(seed)
    pairs = read_pairs(data, code)
    every = [pair for some in pairs.values() for pair in some]
    rows = make_rows(pairs, count, rng)
    others = {one: text for one, text in OTHER_LANGUAGES.items() if one != code}
    inject(rows, 0.5, rng, Scene(code, others, learn_names(every)))
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        kept, dropped = run(rows, code, Path(name))
    seconds = time.perf_counter() - began
    kinds: dict[str, Counter[str]] = defaultdict(Counter)
    reason_of = {
        row["origin"]["source"].partition("#")[2]: f"{row['reason']}, {row['evidence']}"
        for row in dropped
        if "origin" in row
    }
    missed, lost = [], []
    for number, row in enumerate(rows):
        found = kept.get(str(number))
        right = found is not None and all(
            clean(one, own) == clean(there, own)
            for one, there in zip(
                (row.right[1],) if row.sentence else row.right,
                (found["output"],)
                if row.sentence
                else (found["instruction"], found["input"], found["output"]),
                strict=True,
            )
        )
        if row.fault:
            kinds[row.fault]["injected"] += 1
            kinds[row.fault]["caught"] += found is None or right
            if found is not None and not right:
                missed.append(
                    {"fault": row.fault, "source": write(row.source, row.sentence), "answer": row.answer}
                )
        elif not right:
            why = reason_of.get(str(number), "another text")
            lost.append({"why": why, "source": write(row.source, row.sentence), "answer": row.answer})
    injected = sum(row.fault != "" for row in rows)
    reasons = Counter(row["reason"] for row in dropped)
    print(
        json.dumps({"language": code, "missed": missed, "lost": lost}, ensure_ascii=False, indent=1),
        file=sys.stderr,
    )
    return {
        "rows": len(rows),
        "faults_injected": injected,
        "caught": sum(kind["caught"] for kind in kinds.values()),
        "right_rows": len(rows) - injected,
        "right_rows_lost": len(lost),
        "right_rows_lost_share": round(len(lost) / (len(rows) - injected), 4),
        "kinds": {kind: dict(kinds[kind]) for kind in sorted(kinds)},
        "reasons": dict(sorted(reasons.items())),
        "seconds": round(seconds, 1),
    }


OTHER_LANGUAGES = {
    "fa": "پل روی رودخانه امروز برای تعمیر بسته است و مردم باید از راه دیگری به شهر بروند.",
    "hi": "नदी पर बना पुल आज मरम्मत के लिए बंद है और लोगों को दूसरे रास्ते से जाना होगा।",
    "ar": "الجسر فوق النهر مغلق اليوم للإصلاح وعلى الناس أن يذهبوا إلى المدينة من طريق آخر.",
    "fr": "Le pont sur la rivière est fermé aujourd'hui et les gens doivent prendre une autre route.",
    "de": "Die Brücke über den Fluss ist heute gesperrt und die Leute müssen einen anderen Weg nehmen.",
    "ru": "Мост через реку сегодня закрыт на ремонт, и людям придётся ехать в город другой дорогой.",
}


def main() -> None:
    """Measure every language, and write the result."""
    parser = measure.arguments(__doc__, "translation_faults")
    parser.add_argument("--data", type=Path, default=HERE.parents[1] / "shared" / "data")
    parser.add_argument("--rows", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--languages", default="ur,bn,sw")
    options = parser.parse_args()
    first, *others = options.languages.split(",")
    measured = measure_language(options.data, first, options.rows, options.seed)
    beside = {code: measure_language(options.data, code, options.rows, options.seed) for code in others}
    content = measure.result(
        "translation_faults", {**measured, "language": first, "other_languages": beside}, ("alif-llm",)
    )
    measure.write(options.json, content)
    print(json.dumps(content["measured"], indent=2))


if __name__ == "__main__":
    main()
