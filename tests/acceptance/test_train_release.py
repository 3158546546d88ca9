"""Faults 18a, 18d, 18g and 18j of training: chat, the adapter's base, generation settings, several runs.

One test for each input that the review lists.
"""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from peft import AutoPeftModelForCausalLM
from transformers import AutoModelForCausalLM, AutoTokenizer

from alif import store
from alif.release import chat
from alif.release.export import export
from alif.report import page
from alif.runs import StepContext
from alif.settings import Adapter, Export, Language, Pretrain, StudentSettings
from alif.student.text_generation import end_tokens
from alif.train import prepare_base, pretrain
from tests import made_up
from tests.release.conftest import context, exported, tiny_run
from tests.train.conftest import TINY, House, built, house

__all__ = ["built", "context", "exported", "house", "tiny_run"]
TOO_LONG = "کتاب " * 3000


@pytest.mark.parametrize("as_json", [True, False])
def test_train_18a_a_piped_line_that_is_too_long_ends_no_session(
    exported: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"سلام\n{TOO_LONG}\nلاہور کہاں ہے؟\n"))
    chat.chat_loop(exported, as_json=as_json)
    said = capsys.readouterr()
    assert "more than the model can read" in said.err
    if as_json:
        turns = json.loads(said.out)["turns"]
        assert [turn["question"] for turn in turns] == ["سلام", TOO_LONG.strip(), "لاہور کہاں ہے؟"]
        assert [bool(turn["answer"]) for turn in turns] == [True, False, True]


@pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning")  # PEFT's own
def test_train_18d_the_adapter_names_the_base_with_the_added_tokens(house: House) -> None:
    """PEFT alone opens it: of the base without them it said "size mismatch"."""
    own = (house.root / "base" / "model").resolve()
    (house.root / "base").unlink()
    base = house.context("base", "corpus")
    prepare_base.prepare_base(base, Language(), StudentSettings(base=str(own), added_tokens=30), TINY)
    house.finish(base)
    stage = house.context("pretrain", "base", "corpus")
    settings = Pretrain(epochs=0, max_seq_length=128)
    pretrain.train_pretrain(stage, Language(), Adapter(rank=4, alpha=8), settings)
    extended = house.root / "base" / "model"
    named = store.read_json(stage.folder / "adapter" / "adapter_config.json")["base_model_name_or_path"]
    assert named == str(extended)
    model = AutoPeftModelForCausalLM.from_pretrained(stage.folder / "adapter")
    assert model.config.vocab_size == len(AutoTokenizer.from_pretrained(extended)) == 430


def test_train_18g_the_generation_config_bounds_no_answer(context: StepContext) -> None:
    export(context, Export())
    folder = context.folder / "model"
    found = store.read_json(folder / "generation_config.json")
    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    assert found["eos_token_id"] == sorted(end_tokens(model, tokenizer))
    assert found["do_sample"] is False
    assert not {"max_new_tokens", "max_length"} & set(found)


def test_train_18j_a_report_of_several_runs_says_whose_a_caveat_is(tmp_path: Path) -> None:
    runs = [made_up.build(tmp_path, "small"), made_up.build(tmp_path, "half", until="corpus")]
    text = page.write_report(runs).read_text(encoding="utf-8")
    assert "<li>All runs: The base is a tiny model made in this run" in text
    assert "<li>half: The run is not finished" in text
