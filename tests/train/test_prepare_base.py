from __future__ import annotations

import pytest
import torch

from alif import store
from alif.errors import DataError, ModelError
from alif.settings import Adapter, Language, Pretrain, StudentSettings
from alif.student import load_student, merge_adapter
from alif.student.base import open_base
from alif.student.device import setup_torch
from alif.train import prepare_base, pretrain
from tests.train.conftest import RUNTIME, TINY, articles

STUDENT = StudentSettings(base="tiny")


def test_the_tiny_base_is_recorded_and_opens(house):
    student = load_student(house.root / "base", None, RUNTIME)
    assert student.base.parameters == sum(p.numel() for p in student.model.parameters())
    assert student.base.digest == store.sha256_tree(house.root / "base" / "model")
    assert student.model.config.eos_token_id == student.tokenizer.eos_token_id


def test_made_again_it_is_the_same_bytes(house):
    context = house.context("again", "corpus")
    counts = prepare_base.prepare_base(context, Language(), STUDENT, TINY)
    assert counts.digest == load_student(house.root / "base", None, RUNTIME).base.digest
    assert counts.training.last_loss < counts.training.first_loss
    assert context.output.rows_in == context.output.kept == 5  # of six English articles one is held out


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
    counts = prepare_base.prepare_base(house.context("again", "corpus"), Language(), STUDENT, TINY)
    assert counts.digest == load_student(house.root / "base", None, RUNTIME).base.digest


def test_it_has_learned_the_known_language_only(house):
    student = load_student(house.root / "base", None, RUNTIME)

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
    with pytest.raises(DataError, match="no training document of the source language, en"):
        prepare_base.prepare_base(house.context("again", "corpus"), Language(), STUDENT, TINY)


def test_a_published_base_is_only_recorded(house):
    context = house.context("again", "corpus")
    folder = house.root / "base" / "model"
    counts = prepare_base.prepare_base(context, Language(), StudentSettings(base=str(folder)), TINY)
    assert sorted(path.name for path in context.folder.iterdir()) == ["base.json"]
    written = store.read_json(context.folder / "base.json")
    assert {key: getattr(counts, key) for key in written} == written
    assert set(counts.tokenizer["en"].model_dump()) == {
        "tokens", "words", "tokens_per_word", "bytes_per_token", "unknown", "part_of_a_letter",
    }  # fmt: skip
    assert counts.digest == store.sha256_tree(folder)


def test_an_unknown_base_is_told(house):
    with pytest.raises(ModelError, match="tinny"):
        prepare_base.prepare_base(
            house.context("again", "corpus"), Language(), StudentSettings(base="tinny"), TINY
        )


def test_with_new_tokens_the_taught_language_costs_less_and_the_run_goes_on(house):
    """The extended base is the run's own; both stages, loading and merging work on it as on any other."""
    (house.root / "base").unlink()
    context = house.context("base", "corpus")
    counts = prepare_base.prepare_base(
        context, Language(), StudentSettings(base="tiny", added_tokens=100), TINY
    )
    facts = counts
    before, after = facts.tokenizer["ur"], facts.extended.tokenizer["ur"]
    assert after.tokens_per_word < 0.95 * before.tokens_per_word
    assert facts.extended.tokenizer["en"] == facts.tokenizer["en"]
    house.finish(context)
    student = load_student(house.root / "base", None, RUNTIME)
    assert len(student.tokenizer) == student.model.config.vocab_size == facts.vocabulary == 500
    context = house.context("pretrain", "base", "corpus")
    stage = Pretrain(epochs=1, lr=3e-3, embedding_lr=1e-3, max_seq_length=128, batch_size=4)
    trained = pretrain.train_pretrain(context, Language(), Adapter(rank=4, alpha=8), stage)
    assert trained.last_loss < trained.first_loss
    whole = load_student(house.root / "base", context.folder / "adapter", RUNTIME, dtype=torch.float32)
    tokens = student.tokenizer(articles("ur", 1)[0].text, return_tensors="pt")["input_ids"][:, :60]
    with torch.inference_mode():
        expected = whole.model(input_ids=tokens).logits
        torch.testing.assert_close(
            merge_adapter(whole)(input_ids=tokens).logits, expected, atol=1e-4, rtol=1e-4
        )


def test_a_published_base_with_new_tokens_is_kept_in_the_run(house):
    folder = house.root / "base" / "model"
    context = house.context("again", "corpus")
    counts = prepare_base.prepare_base(
        context, Language(), StudentSettings(base=str(folder), added_tokens=30), TINY
    )
    assert (context.folder / "model" / "model.safetensors").is_file()
    assert counts.digest == store.sha256_tree(context.folder / "model")
    opened = load_student(house.finish(context), None, RUNTIME)
    assert opened.base.base == str(folder)
    assert len(opened.tokenizer) == 430


def test_a_base_in_4_bits_needs_a_gpu(house):
    folder = house.root / "base" / "model"
    context = house.context("again", "corpus")
    prepare_base.prepare_base(
        context, Language(), StudentSettings(base=str(folder), quantization="4bit"), TINY
    )
    house.finish(context)
    assert (
        load_student(house.root / "again", None, RUNTIME).model.dtype == torch.float32
    )  # only training is in 4 bits
    with pytest.raises(ModelError, match=r'student.quantization = "4bit" needs a GPU'):
        open_base(house.root / "again", setup_torch(RUNTIME), training=True)
