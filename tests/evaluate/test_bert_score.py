"""BERTScore against its definition, computed text by text with the same encoder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from alif.errors import ModelError
from alif.evaluate import testset
from alif.evaluate.benchmark import GenerationRequest, ItemResult
from alif.evaluate.bert_score import BertScorer, open_encoder
from alif.language.pack import load_pack
from alif.runs import StepOutput
from alif.settings import Benchmarks, Evaluate, Runtime
from alif.student.device import setup_torch

TEXTS = ("کراچی ایک بڑا شہر ہے۔", "لاہور بھی بڑا شہر ہے", "پانی", "کراچی ایک بڑا شہر ہے۔ " * 5)


@pytest.fixture(scope="module")
def scorer(needs: Mapping[str, Path]) -> BertScorer:
    return BertScorer(needs["base"] / "model", -1, setup_torch(Runtime(device="cpu", threads=1)))


def vectors(folder: Path, text: str) -> torch.Tensor:
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder)
    encoded = tokenizer(text, return_special_tokens_mask=True, return_tensors="pt")
    with torch.no_grad():
        states = model(encoded["input_ids"], output_hidden_states=True).hidden_states[-1][0]
    return states[encoded["special_tokens_mask"][0] == 0]


def test_it_is_the_f1_of_the_nearest_tokens(scorer: BertScorer, needs: Mapping[str, Path]) -> None:
    pairs = [(one, other) for one in TEXTS for other in TEXTS]
    found = scorer.scores([one for one, _ in pairs], [other for _, other in pairs])
    for (one, other), score in zip(pairs, found, strict=True):
        left, right = (vectors(needs["base"] / "model", text) for text in (one, other))
        cosines = torch.nn.functional.cosine_similarity(left[:, None], right[None], dim=-1)
        precision, recall = cosines.max(dim=1).values.mean(), cosines.max(dim=0).values.mean()
        assert score == pytest.approx(float(2 * precision * recall / (precision + recall)), abs=1e-5)


def test_the_same_text_is_one_and_an_empty_one_zero(scorer: BertScorer) -> None:
    assert scorer.scores([TEXTS[0], "", " ", TEXTS[0]], [TEXTS[0], TEXTS[0], "", " "]) == pytest.approx(
        [1, 0, 0, 0]
    )
    assert scorer.scores([], []) == []


def test_a_text_that_is_too_long_is_cut(scorer: BertScorer) -> None:
    assert scorer.scores(["کراچی " * 50_000], ["کراچی"])[0] > 0


def test_the_signature_names_encoder_layer_and_rules(scorer: BertScorer) -> None:
    assert "layer -1" in scorer.signature
    assert "model " in scorer.signature
    assert "empty 0" in scorer.signature


def test_free_text_of_the_test_set_is_scored_where_the_recipe_names_an_encoder(
    needs: Mapping[str, Path], tmp_path: Path
) -> None:
    pack, known = load_pack("ur"), load_pack("en")
    evaluate = Evaluate(questions=16, bert_score=str(needs["base"] / "model"))
    runtime = Runtime(device="cpu", threads=1)
    with StepOutput(tmp_path) as output:
        asked = testset.read_test_questions(output, pack, "", Benchmarks(), evaluate)
    request = GenerationRequest(asked, "alpaca", 8)
    results = [ItemResult(id=row.id, text=row.output) for row in asked]
    for settings, wanted in ((evaluate, [1.0]), (Evaluate(), [])):
        encoder = open_encoder(settings, runtime)
        whole = testset.testset_benchmark(asked, pack, known, request, from_pack=True, encoder=encoder)
        found = [one for one in whole.score(results).metrics if one.metric == "bert_score"]
        assert [one.items.value for one in found] == pytest.approx(wanted)


def test_a_folder_without_an_encoder_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        BertScorer(tmp_path, -1, setup_torch(Runtime(device="cpu", threads=1)))
