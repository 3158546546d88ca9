"""`alif bases`: three bases in one call, each kind of bad input as a row, and the table."""

from __future__ import annotations

import importlib.util
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from alif import console
from alif.cli import run_command
from alif.commands.bases import BaseRow
from alif.settings import Tiny
from alif.student import tiny as tinies
from tests.small_bases import CHATML, TEXTS, chatty_tokenizer, random_model
from tests.student.test_gguf_file import write_gguf

FEW = ("--documents", "2", "--questions", "2")


def words_tokenizer() -> PreTrainedTokenizerFast:
    """A tokenizer to which no tokens can be added: a list of words."""
    words = Tokenizer(models.WordLevel({"<unk>": 0, "</s>": 1, "water": 2, "پانی": 3}, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(tokenizer_object=words, eos_token="</s>", unk_token="<unk>")


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """Small random bases: folders, and GGUF files."""
    root = tmp_path_factory.mktemp("bases")
    plain = tinies.train_tokenizer(TEXTS * 3, 320)
    tokenizers = {"llama": plain, "qwen3": chatty_tokenizer(), "mixtral": plain, "words": words_tokenizer()}
    more: Mapping[str, Mapping[str, int]] = {"qwen3": {"head_dim": 16}, "mixtral": {"num_local_experts": 4}}
    found = {}
    for name, tokenizer in tokenizers.items():
        kind = "llama" if name == "words" else name
        model = random_model(kind, vocab_size=len(tokenizer), **more.get(name, {}))
        model.save_pretrained(root / name)
        tokenizer.save_pretrained(root / name)
        found[name] = root / name
    (root / "llama" / "README.md").write_text("---\nlicense: other\nlicense_name: llama3.2\n---\n")
    tiny = tinies.build_tiny(Tiny(width=32, feed_forward=48, tied=True), plain).eval()
    found["gguf"] = write_gguf(root / "tiny.gguf", tiny, plain, template=CHATML, rounded=True)
    found["no template"] = write_gguf(root / "plain.gguf", tiny, plain, template=None)
    found["unknown"] = write_gguf(root / "new.gguf", tiny, plain, architecture="perceptron9")
    found["cut"] = root / "cut.gguf"
    found["cut"].write_bytes(found["gguf"].read_bytes()[:-5000])
    return found


def test_three_bases_are_measured_and_the_others_go_on(
    document: Callable[..., Any], folders: Mapping[str, Path], tmp_path: Path
) -> None:
    names = ["package:no-such-brain", *(str(folders[name]) for name in ("qwen3", "gguf", "llama"))]
    rows = document("bases", "ur", *names, *FEW)
    assert {row["base"] for row in rows} == set(names)
    *opened, missing = rows
    assert missing["base"] == names[0]
    assert (missing["trainable"], missing["bits_per_byte"], missing["tokens_per_word"]) == (False, None, None)
    assert "pip install --no-deps no-such-brain" in missing["reason"]
    measured = [row["bits_per_byte"] for row in opened]
    assert measured == sorted(measured)
    for row in opened:
        assert row["trainable"] is True
        assert min(row["tokens_per_word"], row["tokens_per_word_source"]) > 1
        metrics = {score["metric"]: score for score in row["scores"]}
        assert set(metrics) == {"bits_per_byte", "answer_bits_per_byte", "accuracy"}
        assert metrics["bits_per_byte"]["value"] == row["bits_per_byte"]
        assert all(one["low"] <= one["value"] <= one["high"] for one in metrics.values())
        assert [one["n"] for one in metrics.values()] == [2, 2, 8]
        assert row["hours"]["low"] <= row["hours"]["mid"] <= row["hours"]["high"]
        assert row["memory_gb"] >= 0
        assert row["fits"] is True
    by_name = {row["base"]: row for row in opened}
    assert "an answer ends with <|im_end|>" in by_name[names[1]]["reason"]
    assert "in its chat template" in by_name[names[1]]["reason"]
    assert "q_proj, k_proj, v_proj, o_proj" in by_name[names[1]]["reason"]
    assert by_name[names[2]]["licence"] == "apache-2.0"
    assert "rounded to Q8_0" in by_name[names[2]]["reason"]
    assert 'begins with "Llama"' in by_name[names[3]]["duty"]
    assert list(tmp_path.iterdir()) == [], "nothing is kept"


@pytest.mark.parametrize(
    ("name", "recipe", "reason"),
    [
        ("cut", (), "not a whole GGUF file"),
        ("unknown", (), "perceptron9"),
        ("no template", ('[finetune]\nprompt_template = "chat"\n',), "no chat template"),
        ("words", ("[student]\nadded_tokens = 500\n",), "byte-pair encoding"),
        ("mixtral", (), "mixture of experts"),
        ("llama", ("[pretrain]\nmax_seq_length = 4096\n",), "reads at most 2048 tokens"),
    ],
)
def test_a_base_that_cannot_be_trained_is_told_why(
    document: Callable[..., Any], folders: Mapping[str, Path], name: str, recipe: tuple[str, ...], reason: str
) -> None:
    more: tuple[str, ...] = ()
    if recipe:
        Path("own.toml").write_text('name = "own"\n[language]\npack = "bn"\n' + recipe[0])
        more = ("--recipe", "own.toml")
    (row,) = document("bases", "ur", str(folders[name]), *FEW, *more)
    assert row["trainable"] is False
    assert reason in row["reason"]
    assert (row["bits_per_byte"] is None) == (name in ("cut", "unknown"))


def test_what_is_no_hindrance_is_told_too(document: Callable[..., Any], folders: Mapping[str, Path]) -> None:
    rows = document("bases", "ur", str(folders["words"]), str(folders["no template"]), "tiny", *FEW)
    told = {row["base"]: row["reason"] for row in rows}
    assert all(row["trainable"] for row in rows)
    assert "no tokens can be added" in told[str(folders["words"])]
    assert "Alpaca's headings, as it has no chat template" in told[str(folders["no template"])]
    assert "made from nothing" in told["tiny"]


def test_a_base_that_is_too_large_for_this_machine_is_judged_by_its_files(
    document: Callable[..., Any], folders: Mapping[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Memory:
        total = 1000

    monkeypatch.setattr("psutil.virtual_memory", Memory)
    (row,) = document("bases", "ur", str(folders["llama"]), *FEW)
    assert row["trainable"] is True
    assert row["bits_per_byte"] is None
    assert row["tokens_per_word"] > 1
    assert row["fits"] is True
    assert "not measured on this machine" in row["reason"]


def test_damaged_weights_are_a_row(
    document: Callable[..., Any], folders: Mapping[str, Path], tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folders["llama"], copy)
    (copy / "model.safetensors").write_bytes(b"no weights")
    (row,) = document("bases", "ur", str(copy), *FEW)
    assert row["trainable"] is False
    assert "safetensors" in row["reason"]


def test_tokens_that_the_model_has_no_row_for_are_a_row(
    document: Callable[..., Any], folders: Mapping[str, Path], tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folders["llama"], copy)
    random_model("llama", vocab_size=100).save_pretrained(copy)
    rows = document("bases", "ur", str(copy), str(folders["llama"]), *FEW)
    assert [row["trainable"] for row in rows] == [True, False]
    assert "index out of range" in rows[1]["reason"]


def test_the_table_fits_a_terminal(
    folders: Mapping[str, Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "_out", console._Screen(force_terminal=True, width=80, no_color=True))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.chdir(folders["llama"].parent)
    assert run_command(["bases", "ur", "llama", "qwen3", "package:no-such-brain", *FEW]) == 0
    table = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)
    assert max(map(len, table.splitlines())) <= 80
    for words in ("bits/byte", "tokens/word", "llama3.2", "less is better", "2604.11290", "25 % is chance"):
        assert words in table


def test_bad_arguments_are_sentences(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for arguments, words in (
        (["ur"], "no base named"),
        (["no-such-pack", "x"], "no-such-pack"),
        (["ur", "x", "--gpu", "abacus"], "abacus"),
        (["ur", "x", "--text", "gone.jsonl"], "gone.jsonl"),
        (["ur", "x", "--revision", "a", "--revision", "b"], "more revisions than bases"),
    ):
        assert run_command(["bases", *arguments]) == 1
        assert words in capsys.readouterr().err
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert run_command(["bases", "ur", "x"]) == 1
    assert 'pip install ".[train]"' in capsys.readouterr().err


def test_a_revision_belongs_to_the_base_in_its_place(
    document: Callable[..., Any], folders: Mapping[str, Path]
) -> None:
    rows = document("bases", "ur", "tiny", str(folders["gguf"]), "--revision", "", "--revision", "sha256:0")
    assert "student.revision is sha256:0" in rows[-1]["reason"]


def test_a_row_knows_its_scores() -> None:
    row = BaseRow(base="x", trainable=False, reason="y")
    assert row.score("accuracy") is None
