from __future__ import annotations

import pytest
import torch

from alif import store
from alif.errors import DataError, ModelError
from alif.recipe import Adapter, Language, Pretrain, Student
from alif.student import load, merge
from alif.student.base import open_base
from alif.student.device import place
from alif.train import base, pretrain

from .conftest import RUNTIME, TINY, articles

STUDENT = Student(base="tiny")


def test_the_tiny_base_is_recorded_and_opens(house):
    student = load(house.root / "base", None, RUNTIME)
    assert student.base.parameters == sum(p.numel() for p in student.model.parameters())
    assert student.base.digest == store.digest(house.root / "base" / "model")
    assert student.model.config.eos_token_id == student.tokenizer.eos_token_id


def test_made_again_it_is_the_same_bytes(house):
    given = house.given("again", "corpus")
    counts = base.prepare(given, Language(), STUDENT, TINY)
    assert counts.facts["digest"] == load(house.root / "base", None, RUNTIME).base.digest
    assert counts.facts["last_loss"] < counts.facts["first_loss"]
    assert counts.rows_in == counts.kept == 5  # of six English articles one is held out


def test_the_held_out_text_is_not_learned(house, tmp_path):
    """With another held-out document in its place the same model comes out."""
    corpus = tmp_path / "other"
    rows = list(store.read_rows(house.root / "corpus" / "examples.jsonl"))
    held_out = {row["id"] for _, row in store.read_rows(house.root / "corpus" / "held_out.jsonl")}
    changed = [{**row, "text": "quite another text"} if row["id"] in held_out else row for _, row in rows]
    store.write_rows(corpus / "examples.jsonl", changed)
    store.write_rows(corpus / "held_out.jsonl", [{"id": name} for name in sorted(held_out)])
    (house.root / "corpus").unlink()
    (house.root / "corpus").symlink_to(corpus)
    counts = base.prepare(house.given("again", "corpus"), Language(), STUDENT, TINY)
    assert counts.facts["digest"] == load(house.root / "base", None, RUNTIME).base.digest


def test_it_has_learned_the_known_language_only(house):
    student = load(house.root / "base", None, RUNTIME)

    def nats(language):
        tokens = student.tokenizer(articles(language, 1)[0].text, return_tensors="pt")["input_ids"][:, :200]
        with torch.inference_mode():
            logits = student.model(input_ids=tokens).logits[0, :-1]
        return float(torch.nn.functional.cross_entropy(logits, tokens[0, 1:]))

    assert nats("en") < nats("ur")


def test_a_corpus_without_the_known_language_is_told(house):
    corpus = house.root / "bare"
    store.write_rows(corpus / "examples.jsonl", articles("ur", 2))
    store.write_rows(corpus / "held_out.jsonl", [])
    (house.root / "corpus").unlink()
    (house.root / "corpus").symlink_to(corpus)
    with pytest.raises(DataError, match="no training document of the known language, en"):
        base.prepare(house.given("again", "corpus"), Language(), STUDENT, TINY)


def test_a_published_base_is_only_recorded(house):
    given = house.given("again", "corpus")
    folder = house.root / "base" / "model"
    counts = base.prepare(given, Language(), Student(base=str(folder)), TINY)
    assert sorted(path.name for path in given.folder.iterdir()) == ["base.json"]
    written = store.read_json(given.folder / "base.json")
    assert {key: counts.facts[key] for key in written} == written
    assert set(counts.facts["tokenizer"]["en"]) == {
        "tokens", "words", "tokens_per_word", "bytes_per_token", "unknown", "part_of_a_letter",
    }  # fmt: skip
    assert counts.facts["digest"] == store.digest(folder)


def test_an_unknown_base_is_told(house):
    with pytest.raises(ModelError, match="tinny"):
        base.prepare(house.given("again", "corpus"), Language(), Student(base="tinny"), TINY)


def test_with_new_tokens_the_taught_language_costs_less_and_the_run_goes_on(house):
    """The extended base is the run's own; both stages, loading and merging work on it as on any other."""
    (house.root / "base").unlink()
    given = house.given("base", "corpus")
    counts = base.prepare(given, Language(), Student(base="tiny", new_tokens=100), TINY)
    facts = counts.facts
    before, after = facts["tokenizer"]["ur"], facts["extended"]["tokenizer"]["ur"]
    assert after["tokens_per_word"] < 0.95 * before["tokens_per_word"]
    assert facts["extended"]["tokenizer"]["en"] == facts["tokenizer"]["en"]
    house.finish(given)
    student = load(house.root / "base", None, RUNTIME)
    assert len(student.tokenizer) == student.model.config.vocab_size == facts["vocabulary"] == 500
    given = house.given("pretrain", "base", "corpus")
    stage = Pretrain(epochs=1, lr=3e-3, embedding_lr=1e-3, tokens_per_row=128, rows_per_step=4)
    trained = pretrain.train(given, Language(), Adapter(rank=4, alpha=8), stage)
    assert trained.facts["last_loss"] < trained.facts["first_loss"]
    whole = load(house.root / "base", given.folder / "adapter", RUNTIME, dtype=torch.float32)
    tokens = student.tokenizer(articles("ur", 1)[0].text, return_tensors="pt")["input_ids"][:, :60]
    with torch.inference_mode():
        expected = whole.model(input_ids=tokens).logits
        torch.testing.assert_close(merge(whole)(input_ids=tokens).logits, expected, atol=1e-4, rtol=1e-4)


def test_a_published_base_with_new_tokens_is_kept_in_the_run(house):
    folder = house.root / "base" / "model"
    given = house.given("again", "corpus")
    counts = base.prepare(given, Language(), Student(base=str(folder), new_tokens=30), TINY)
    assert (given.folder / "model" / "model.safetensors").is_file()
    assert counts.facts["digest"] == store.digest(given.folder / "model")
    opened = load(house.finish(given), None, RUNTIME)
    assert opened.base.base == str(folder)
    assert len(opened.tokenizer) == 430


def test_a_base_in_4_bits_needs_a_gpu(house):
    folder = house.root / "base" / "model"
    given = house.given("again", "corpus")
    base.prepare(given, Language(), Student(base=str(folder), quantise="4bit"), TINY)
    house.finish(given)
    assert load(house.root / "again", None, RUNTIME).model.dtype == torch.float32  # only training is in 4 bits
    with pytest.raises(ModelError, match=r'student.quantise = "4bit" needs a GPU'):
        open_base(house.root / "again", place(RUNTIME), training=True)
