"""Faults A6, A7 and B8 of the data review, and what it asks of files: published sets as they are.

One test for each input that the review lists, and neighbours of its kind.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alif import pipeline, recipe, settings, sources
from alif.data import source_check
from alif.data.corpus.build_corpus import build_corpus
from alif.data.mixture.blend import build_blend
from alif.data.mixture.replay import sample_replay
from alif.data.synthesis.passages import read_passages
from alif.data.translation.translate import read_items, translate_rows
from alif.errors import AlifError, DataError
from alif.language.pack import load_pack
from alif.records import Counts, Dropped, Example
from alif.runs import Run, StepContext
from tests.data.conftest import LANGUAGE, SCRIPTED, context, rows_of, run_work

__all__ = ["context"]
UR, EN = load_pack("ur"), load_pack("en")
Make = Callable[..., StepContext]
ROPE = {
    "instruction": "Name two uses of a rope on a small boat.",
    "output": "Tie the boat and lift the sail.",
}
CITY = {"instruction": "لاہور کہاں ہے؟", "output": "لاہور پاکستان کا دوسرا بڑا شہر ہے۔"}
FRENCH = {"instruction": "Où se trouve la ville de Lyon ?", "output": "Lyon est une grande ville de France."}
HINDI = {"instruction": "दिल्ली शहर कहाँ है?", "output": "दिल्ली भारत की राजधानी है और उत्तर में है।"}
ARABIC = {"instruction": "أين تقع مدينة القاهرة؟", "output": "القاهرة عاصمة مصر وتقع على ضفاف نهر النيل."}
NOTHING = [
    "<noinput>", "No input", "N/A", '""', "''", "-", "—", "null", "nil", "empty", "(empty)", "<empty>", "[]",
    "خالی", "Not required", "No input provided", "No additional input", "none", "n/a.", "[NO INPUT]",
    "No further context is needed", "nan", "{}", "\u200b", "کوئی نہیں", "درکار نہیں",
]  # fmt: skip


def write(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def replay(step: StepContext, path: Path, rows: int = 100) -> Counts:
    table = settings.Replay(rows=rows, source=(path.name,))
    tables = (LANGUAGE, settings.Sources(folder=str(path.parent)), table, settings.Translate(rows=0))
    return run_work(sample_replay, step, *tables)


def blend(step: StepContext, path: Path) -> Counts:
    return run_work(
        build_blend, step, language=LANGUAGE, sources=settings.Sources(folder=str(path.parent)),
        blend={"set": settings.Part(source=(path.name,))}, split=settings.Split(validation_share=0),
        benchmarks=settings.Benchmarks(), decontaminated={},
    )  # fmt: skip


def translated(path: Path) -> list[Example | Dropped]:
    found = read_items(UR, EN, str(path.parent), settings.Translate(rows=10, source=(path.name,)))
    return [one if isinstance(one, Dropped) else one.row for one in found]


DOORS = {"replay": replay, "blend": blend}
every_door = pytest.mark.parametrize("door", DOORS)


@pytest.mark.parametrize(
    "lines",
    [
        ["سوال ایک\tج", "سوال دو\tج", "سوال تین\tج", 'سوال چار" کیا\tج', "سوال پانچ\tج"],
        ['"Hello, he began\tThe speech went on', "two\tb", 'three"\tc', "four\td"],
        ['"one\ta', '"two\tb', '"three"\t"c"', 'fo""ur\td'],
    ],
)
def test_data_a6_a_quotation_mark_in_a_tsv_is_text(tmp_path: Path, lines: list[str]) -> None:
    (tmp_path / "a.tsv").write_text("\n".join(["instruction\toutput", *lines]), encoding="utf-8")
    found = [row for row in sources.read_rows(("a.tsv",), str(tmp_path)) if isinstance(row, sources.Row)]
    assert [[row.values["instruction"], row.values["output"]] for row in found] == [
        line.split("\t") for line in lines
    ]
    assert [row.where.rpartition(":")[2] for row in found] == [
        str(2 + number) for number in range(len(lines))
    ]


def test_language_a3_a_quotation_mark_in_a_tsv_swallows_no_line(tmp_path: Path) -> None:
    lines = ["سوال ایک\tج", '"سوال دو\tج', "سوال تین\tج", 'سوال چار" کیا\tج', "سوال پانچ\tج"]
    (tmp_path / "a.tsv").write_text("\n".join(["instruction\toutput", *lines]), encoding="utf-8")
    found = list(sources.read_examples(["a.tsv"], str(tmp_path), language="ur", task="t", kind="source"))
    assert [one.instruction for one in found if isinstance(one, Example)] == [
        line.split("\t")[0] for line in lines
    ]


@pytest.mark.parametrize("broken", ['"Hello, he began,,out', 'a,"b,c', '"x"y,b,c', 'a,b,"c'])
def test_data_a6_an_unbalanced_quotation_mark_in_a_csv_is_named_and_swallows_no_row(
    tmp_path: Path, broken: str
) -> None:
    lines = ["instruction,input,output", "one,,1", broken, "two,,2", "three,,3", '"four, or 4",,4']
    (tmp_path / "a.csv").write_text("\n".join(lines), encoding="utf-8")
    found = list(sources.read_rows(("a.csv",), str(tmp_path)))
    dropped = [row.evidence for row in found if isinstance(row, Dropped)]
    kept = [row.values["output"] for row in found if isinstance(row, sources.Row)]
    assert kept == ["1", "2", "3", "4"]
    assert len(dropped) == 1
    assert "a.csv:3: " in dropped[0]


def test_data_a6_blank_lines_of_a_csv_are_no_rows(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("instruction,output\n\n  \n,\na,b\n\n", encoding="utf-8")
    assert len(list(sources.read_rows(("a.csv",), str(tmp_path)))) == 1


@every_door
def test_data_a7_words_for_no_input_are_no_input(door: str, context: Make, tmp_path: Path) -> None:
    rows = [
        ROPE | {"instruction": f"{ROPE['instruction']} ({n})", "input": one} for n, one in enumerate(NOTHING)
    ]
    step = context(door)
    counts = DOORS[door](step, write(tmp_path / "a.jsonl", *rows))
    assert counts.kept == len(NOTHING)
    assert {row["input"] for row in rows_of(step.folder)} == {""}


def test_data_a7_the_teacher_is_not_sent_a_word_for_no_input(tmp_path: Path) -> None:
    found = translated(write(tmp_path / "a.jsonl", *(ROPE | {"input": one} for one in NOTHING)))
    assert [one.input for one in found if isinstance(one, Example)] == [""] * len(NOTHING)


@every_door
@pytest.mark.parametrize("output", ["<No Output>", *(one for one in NOTHING if one != "")])
def test_data_a7_the_same_words_as_output_are_an_empty_output(
    door: str, output: str, context: Make, tmp_path: Path
) -> None:
    step = context(door)
    counts = DOORS[door](step, write(tmp_path / "a.jsonl", ROPE, CITY | ROPE | {"output": output}))
    assert (counts.kept, dict(counts.dropped)) == (1, {"empty": 1})
    (dropped,) = rows_of(step.folder, "dropped")
    assert "a.jsonl:2: " in dropped["evidence"]


@every_door
@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (
            ROPE | {"output": "Tie it.\n##\n18. Instruction: Name a knot.\n18. Output: The bowline."},
            "merged_items",
        ),
        (
            ROPE | {"output": "Tie it.\n\nInstruction: Name a knot.\nInput:\nOutput: The bowline."},
            "merged_items",
        ),
        ({"instruction": "   ", "output": "The sail is white."}, "empty"),
        (ROPE | {"output": "\u200b\u200f "}, "empty"),
        (ROPE | {"output": ""}, "missing_field"),
        (ROPE | {"output": "???? ?? ??????"}, "garbled_text"),
        ({"instruction": "؟ ??? ?????? ????", "output": "???? ?? ?????"}, "garbled_text"),
        (CITY | {"output": CITY["output"].encode().decode("latin-1")}, "garbled_text"),
        (ROPE | {"output": "It isn\u00e2\u20ac\u2122t tied yet."}, "garbled_text"),
        (ROPE | {"output": "Tie the b\ufffdat."}, "replacement_char"),
        (ROPE | {"output": "Tie the boat.<|im_end|>"}, "control_token"),
        (FRENCH, "wrong_language"),
        (HINDI, "wrong_language"),
        (ARABIC, "wrong_language"),
        (HINDI | {"language": "hi"}, "wrong_language"),
        (ROPE | {"language": "hi"}, "wrong_language"),
        (FRENCH | {"language": "en"}, "wrong_language"),
    ],
    ids=str,
)
def test_data_a7_language_a4_what_is_no_row_is_dropped(
    door: str, values: dict[str, str], reason: str, context: Make, tmp_path: Path
) -> None:
    counts = DOORS[door](context(door), write(tmp_path / "a.jsonl", ROPE, values))
    assert (counts.kept, dict(counts.dropped)) == (1, {reason: 1})
    _, found = translated(tmp_path / "a.jsonl")
    assert isinstance(found, Dropped)
    assert found.reason == reason


@every_door
@pytest.mark.parametrize(
    "values",
    [
        {"instruction": "Answer yes, no or none: is a rope food?", "output": "None"},
        {"instruction": "Which sign is used to add two numbers?", "output": "+"},
        {"instruction": "Ask politely whether the boat is ready to sail.", "output": "Is it ready?"},
        {
            "instruction": "Translate into French: the river is wide and deep.",
            "output": "La rivière est large.",
        },
        {
            "instruction": "Write two questions about boats.",
            "output": "Question: Why?\nAnswer: It floats well.",
        },
        {"instruction": "What is Na in chemistry?", "input": "Na", "output": "Sodium."},
    ],
    ids=str,
)
def test_data_a7_rows_that_only_look_so_are_kept(
    door: str, values: dict[str, str], context: Make, tmp_path: Path
) -> None:
    step = context(door)
    assert DOORS[door](step, write(tmp_path / "a.jsonl", values)).kept == 1
    assert rows_of(step.folder)[0]["input"] == values.get("input", "")


def test_language_a4_a_row_has_the_language_that_it_is_written_in(context: Make, tmp_path: Path) -> None:
    step = context("blend")
    rows = (CITY, ROPE, CITY | {"input": "a", "language": "Urdu"}, ROPE | {"input": "b", "language": "en-GB"})
    assert blend(step, write(tmp_path / "a.jsonl", *rows)).kept == 4
    assert [row["language"] for row in rows_of(step.folder)] == ["ur", "en", "ur", "en"]


EMPTY = {
    "empty.jsonl": "",
    "blank.jsonl": "\n \n\n",
    "array.jsonl": json.dumps([ROPE] * 3),
    "semicolon.csv": "instruction;input;output\nName a river;;The Indus\n",
    "no_header.csv": "Name a river,The Indus is a river\nName a city,Lahore\n",
    "no_header.tsv": "Name a river\tThe Indus\n",
    "other.jsonl": json.dumps({"frage": "a", "antwort": "b"}) + "\n",
    "nothing.jsonl": json.dumps(ROPE | {"output": "N/A"}) + "\n",
    "french.jsonl": json.dumps(FRENCH) + "\n",
    "header.csv": "instruction,output\n",
}


@pytest.mark.parametrize("name", EMPTY)
@pytest.mark.parametrize("step", ["replay", "blend", "translate", "corpus"])
def test_data_b8_a_source_of_which_nothing_is_left_is_an_error_in_every_step(
    step: str, name: str, context: Make, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_text(EMPTY[name], encoding="utf-8")
    place = settings.Sources(folder=str(tmp_path))
    works: dict[str, Callable[[], Counts]] = {
        "translate": lambda: run_work(
            translate_rows,
            context(step),
            LANGUAGE,
            place,
            SCRIPTED,
            settings.Translate(rows=5, source=(name,)),
        ),
        "corpus": lambda: run_work(
            build_corpus, context(step), LANGUAGE, place, settings.Corpus(source=(name,))
        ),
        **{one: lambda: DOORS[step](context(step), path) for one in DOORS},
    }
    with pytest.raises(DataError) as caught:
        works[step]()
    key = {"blend": "blend.set.source"}.get(step, f"{step}.source")
    assert caught.value.message.startswith((f"{key}: ", f"{path}:1: "))


@pytest.mark.parametrize("name", ["empty.jsonl", "blank.jsonl"])
def test_language_a5_a_corpus_source_without_a_row_is_refused(
    name: str, context: Make, tmp_path: Path
) -> None:
    """The other language's texts alone were "60 in, 60 kept"."""
    (tmp_path / name).write_text(EMPTY[name], encoding="utf-8")
    step, place = context("corpus"), settings.Sources(folder=str(tmp_path))
    with pytest.raises(DataError, match=r"corpus\.source: "):
        run_work(build_corpus, step, LANGUAGE, place, settings.Corpus(source=(name,)))


@pytest.mark.parametrize("name", ["semicolon.csv", "no_header.csv"])
@every_door
def test_language_a5_a_table_without_a_row_is_refused(
    door: str, name: str, context: Make, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(EMPTY[name], encoding="utf-8")
    with pytest.raises(DataError):
        DOORS[door](context(door), tmp_path / name)


UNREADABLE: dict[str, bytes] = {
    "object.json": b'{"frage": "a"}',
    "latin.jsonl": '{"instruction": "café", "output": "thé"}\n'.encode("latin-1"),
    "utf16.csv": "instruction,output\nسوال,جواب\n".encode("utf-16"),
    "damaged.jsonl.gz": gzip.compress(b'{"instruction": "a", "output": "b"}\n' * 99)[:30],
    "empty.jsonl": b"",
    "array.jsonl": b'[{"instruction": "a", "output": "b", "text": "c"}]',
    "bad.tsv": b"no header\tat all\n",
}


@pytest.mark.parametrize("name", UNREADABLE)
@pytest.mark.parametrize("key", ["corpus.source", "blend.own.source"])
def test_language_a19_check_opens_every_source(key: str, name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(UNREADABLE[name])
    tables = {"corpus": {"source": name}} if key == "corpus.source" else {"blend": {"own": {"source": name}}}
    values = {"name": "r", "sources": {"folder": str(tmp_path)}, **tables}
    (problem,) = source_check.find_problems(recipe.validate_recipe(values, "test"))
    assert problem.message.startswith(f"{key}: ")
    assert name in problem.message


def test_language_a19_a_run_refuses_a_source_before_a_step_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.jsonl").write_bytes(UNREADABLE["latin.jsonl"])
    line = 'blend={own = {source = "bad.jsonl"}}'
    loaded = recipe.load_recipe(recipe.find_recipe("demo"), [line, 'sources.folder="."'])
    with pytest.raises(AlifError, match=r"blend\.own\.source: .*bad\.jsonl"):
        pipeline.run_pipeline(loaded, Run(tmp_path / "runs" / "demo"))
    assert not (tmp_path / "runs" / "demo" / "seeds").exists()


@pytest.mark.parametrize("name", EMPTY)
def test_data_b8_check_names_it_before_the_teacher_is_paid(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(EMPTY[name], encoding="utf-8")
    for table in ("replay", "translate"):
        values = {"name": "r", "sources": {"folder": str(tmp_path)}, table: {"rows": 5, "source": name}}
        (problem,) = source_check.find_problems(recipe.validate_recipe(values, "test"))
        assert problem.message.startswith(f"{table}.source: {tmp_path / name}")


def test_data_b8_conversations_under_both_names_are_read(context: Make, tmp_path: Path) -> None:
    asked, said = ROPE["instruction"], ROPE["output"]
    sharegpt = {"conversations": [{"from": "human", "value": asked}, {"from": "gpt", "value": said}]}
    messages = {
        "messages": [{"role": "user", "content": f"{asked}!"}, {"role": "assistant", "content": said}]
    }
    assert replay(context("replay"), write(tmp_path / "a.jsonl", sharegpt, messages)).kept == 2


def test_data_b8_passages_that_are_none_are_an_error(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", {"text": CITY["output"]})
    table = settings.Generate(grounded_share=0.5, passages=("a.jsonl",))
    with pytest.raises(DataError, match=r"generate\.passages: no passage of 30 to 160 words"):
        read_passages(table, UR, str(tmp_path))
    assert read_passages(settings.Generate(passages=("a.jsonl",)), UR, str(tmp_path)) == []


@pytest.mark.parametrize("name", ["A.JSONL", "a.ndjson", "a.json", "a.parquet"])
def test_data_s4_files_under_every_usual_name_are_read(name: str, context: Make, tmp_path: Path) -> None:
    rows = [
        ROPE | {"input": "", "text": "Below is an instruction …"},
        {"instruction": "Name a knot.", "output": "Bowline."},
    ]
    path = tmp_path / name
    if name.endswith("parquet"):
        table = pytest.importorskip("pyarrow").Table.from_pylist(rows)
        pytest.importorskip("pyarrow.parquet").write_table(table, path)
    elif name.endswith(".json"):
        path.write_text(json.dumps(rows, indent=4), encoding="utf-8")
    else:
        write(path, *rows)
    assert replay(context("replay"), path).kept == 2


@pytest.mark.parametrize("end", ["\r", "\r\n", "\n"], ids=["cr", "crlf", "lf"])
def test_language_a21_lines_of_every_system_are_documents(end: str, tmp_path: Path) -> None:
    lines = ["پہلی سطر یہ ہے", "دوسری\u2028سطر یہ ہے", "تیسری\x85سطر یہ ہے"]
    (tmp_path / "a.txt").write_bytes(end.join(lines).encode())
    found = [
        row.values["text"]
        for row in sources.read_rows(("a.txt",), str(tmp_path))
        if isinstance(row, sources.Row)
    ]
    assert found == lines


@pytest.mark.parametrize("name", ["a.txt", "a.jsonl", "a.csv", "a.tsv", "a.json"])
def test_language_a20_utf16_is_named_by_its_mark(name: str, tmp_path: Path) -> None:
    for encoding in ("utf-16-le", "utf-16-be"):
        (tmp_path / name).write_bytes(("\ufefftext\n" + CITY["output"]).encode(encoding))
        with pytest.raises(AlifError, match=r"not UTF-8 but UTF-16"):
            list(sources.read_rows((name,), str(tmp_path)))
