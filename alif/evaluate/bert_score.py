"""BERTScore: how near each token of an answer comes to a token of the reference, in an encoder's eyes.

precision = mean over the answer's tokens of the best cosine with a token of the reference; recall the other
way round; F1 of both, 0..1. No idf, no rescaling: no baseline exists for most languages, so that differences
between systems say more than the value. An empty answer is 0 (the usual package breaks on it).

Source: Zhang et al. 2020, arXiv 1904.09675.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModel, AutoTokenizer

from alif import store
from alif.settings import Evaluate, Runtime
from alif.student.batching import split_batches
from alif.student.device import DeviceConfig, quiet_libraries, setup_torch
from alif.student.published import NO_CODE
from alif.student.weights import friendly_model_errors

__all__ = ["BertScorer", "open_encoder"]

MAX_TOKENS = 512
TOKENS_PER_BATCH = 16_384


def open_encoder(evaluate: Evaluate, runtime: Runtime) -> BertScorer | None:
    """Return the encoder that the recipe names, None if it names none.

    Raises:
        ModelError: the folder holds no encoder that can be opened.
    """
    if not evaluate.bert_score:
        return None
    return BertScorer(Path(evaluate.bert_score), evaluate.bert_score_layer, setup_torch(runtime))


class BertScorer:
    """An encoder in a local folder, and the layer whose vectors are compared."""

    def __init__(self, folder: Path, layer: int, device: DeviceConfig) -> None:
        """Load the encoder; `layer` counts from the embeddings (0), negative ones from the end.

        Raises:
            ModelError: the folder holds no encoder that can be opened.
        """
        quiet_libraries()
        with friendly_model_errors(str(folder)):
            self._tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="right", **NO_CODE)
            model: Any = AutoModel.from_pretrained(folder, dtype=torch.float32, **NO_CODE)
        if self._tokenizer.pad_token is None:
            self._tokenizer.pad_token = self._tokenizer.eos_token
        self._model = model.to(device.device).eval()
        self._layer = layer
        limit = getattr(model.config, "max_position_embeddings", None) or MAX_TOKENS
        self._max_tokens = min(MAX_TOKENS, limit - 2)  # RoBERTa's positions begin at 2
        self.signature = f"BERTScore F1|{folder.name} {store.sha256_tree(folder)[:16]}|layer {layer}|no idf|"
        self.signature += f"not rescaled|{self._max_tokens} tokens|empty 0"

    def scores(self, answers: Sequence[str], references: Sequence[str]) -> list[float]:
        """Return F1 of each answer with its reference, 0..1."""
        texts = [*dict.fromkeys(text for text in (*answers, *references) if text.strip())]
        vectors = dict(zip(texts, self._embed(texts), strict=True))
        return [
            _f1(vectors[answer], vectors[reference]) if answer.strip() and reference.strip() else 0.0
            for answer, reference in zip(answers, references, strict=True)
        ]

    @torch.no_grad()
    def _embed(self, texts: Sequence[str]) -> list[torch.Tensor]:
        """Return unit vectors of each text's tokens, special ones left out, shape (tokens, width)."""
        options = {"truncation": True, "max_length": self._max_tokens, "return_special_tokens_mask": True}
        encoded = [self._tokenizer(text, **options) for text in texts]
        sizes = [len(one["input_ids"]) for one in encoded]
        found: list[torch.Tensor] = [torch.empty(0)] * len(texts)
        order = sorted(range(len(texts)), key=lambda at: sizes[at])

        def fits(batch: Sequence[int]) -> bool:
            return len(batch) * max(sizes[at] for at in batch) <= TOKENS_PER_BATCH

        for batch in split_batches(order, fits):
            inputs = self._tokenizer.pad(
                {"input_ids": [encoded[at]["input_ids"] for at in batch]}, return_tensors="pt"
            ).to(self._model.device)
            states = self._model(**inputs, output_hidden_states=True).hidden_states[self._layer]
            for vectors, at in zip(states, batch, strict=True):
                own = torch.tensor(encoded[at]["special_tokens_mask"]) == 0
                kept = vectors[: sizes[at]].float().cpu()[own]
                found[at] = torch.nn.functional.normalize(kept, dim=-1)
        return found


def _f1(answer: torch.Tensor, reference: torch.Tensor) -> float:
    if not len(answer) or not len(reference):
        return 0.0
    cosines = answer @ reference.T
    precision, recall = (float(cosines.max(dim=dim).values.mean()) for dim in (1, 0))
    return 2 * precision * recall / (precision + recall) if precision + recall > 0 else 0.0
