"""ORPO's and DPO's loss over pairs of answers, both answers of all pairs of a batch in one forward pass.

    row   ┃ prompt chosen <|end|> ┃ prompt rejected <|end|> ┃ prompt chosen <|end|> ┃ … ┃ filler ┃
    label ┃        chosen <|end|> ┃        rejected <|end|> ┃        chosen <|end|> ┃ … ┃        ┃

Positions restart with each text and fillers carry no label, so the texts with labels are a chosen one, its
rejected one, the next chosen one and so on, packed in a row or with a row each.

Sources: ORPO, arXiv 2403.07691, equations 4 to 7; DPO, arXiv 2305.18290, equation 7. Both equal
huggingface/trl@v1.16.0, trl/experimental/orpo/orpo_trainer.py (`concatenated_forward`, `odds_ratio_loss`) and
trl/trainer/dpo_trainer.py (`_compute_loss`, "sigmoid"), for a batch in one forward pass. Where gradients are
accumulated TRL averages the passes, here the whole batch is one mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional

from alif.settings import Prefer
from alif.student import distributed
from alif.student.adapter import output_head, unwrap
from alif.train.loss import UNCHANGED, LogitTransform, token_losses
from alif.train.packing import IGNORE

__all__ = ["PreferenceLossModel", "log_odds"]

SMALLEST = 1e-7
"""Least distance of a mean log-likelihood from 0: there the odds are infinite, with a gradient of NaN."""


@dataclass(frozen=True)
class PairLayout:
    """Where the texts of a batch lie, its tokens counted end to end."""

    answers: torch.Tensor
    """[answer tokens] their places."""
    owners: torch.Tensor
    """[answer tokens] the number of their text: even ones are chosen, odd ones rejected."""
    learned: torch.Tensor
    """[tokens] the places whose likelihood ORPO raises."""
    pairs: int


class PreferenceLossModel(torch.nn.Module):
    """A causal model that returns the preference loss of a batch, for the Trainer."""

    accepts_loss_kwargs = True

    def __init__(
        self, model: torch.nn.Module, transform: LogitTransform = UNCHANGED, *, prefer: Prefer
    ) -> None:
        super().__init__()
        self.model, self.transform, self.prefer = model, transform, prefer
        self.margins: list[torch.Tensor] = []

    def count_items(self, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Return what the two sums of the loss are divided by: learned tokens, and pairs."""
        layout = self._layout(batch["labels"], batch["position_ids"])
        return torch.tensor([len(layout.learned), layout.pairs])

    def forward(
        self,
        input_ids: torch.Tensor,
        labels: torch.Tensor,
        position_ids: torch.Tensor,
        num_items_in_batch: torch.Tensor | None = None,
        **bounds: Any,
    ) -> dict[str, torch.Tensor]:
        """Return {"loss"}: sums over a batch [rows, length], divided by `count_items` of the whole step."""
        layout = self._layout(labels, position_ids)
        counts = (len(layout.learned), layout.pairs) if num_items_in_batch is None else num_items_in_batch
        tokens, pairs = counts
        inputs = {"input_ids": input_ids, "position_ids": position_ids, "use_cache": False, **bounds}
        losses = self._token_losses(inputs, layout)
        sums = _sum_texts(losses, layout)
        if self.prefer.loss == "orpo":
            chosen, rejected = (-sums / torch.bincount(layout.owners)).view(-1, 2).unbind(-1)
            margins = log_odds(chosen) - log_odds(rejected)
            loss = losses[layout.learned].sum() / tokens
            loss = loss - self.prefer.beta * functional.logsigmoid(margins).sum() / pairs
        else:
            model: Any = self.model
            with torch.no_grad(), model.disable_adapter():
                reference = _sum_texts(self._token_losses(inputs, layout), layout)
            chosen, rejected = (reference - sums).view(-1, 2).unbind(-1)
            margins = self.prefer.beta * (chosen - rejected)
            loss = -functional.logsigmoid(margins).sum() / pairs
        self.margins.append(margins.detach())
        return {"loss": loss}

    def take_margins(self) -> dict[str, float]:
        """Return the mean margin of the pairs since the last call, and the share of those above 0."""
        margins = torch.cat(self.margins)
        self.margins.clear()
        sums = (float(margins.sum()), float((margins > 0).sum()), float(len(margins)))
        margin, right, pairs = map(distributed.all_reduce_mean, sums)
        return {"margin": margin / pairs, "preferred": right / pairs}

    def _layout(self, labels: torch.Tensor, position_ids: torch.Tensor) -> PairLayout:
        flat, positions = labels.flatten(), position_ids.flatten()
        text = (positions == 0).cumsum(0)
        answers = (flat != IGNORE).nonzero().squeeze(-1)
        texts, owners = text[answers].unique(return_inverse=True)  # type: ignore[no-untyped-call]
        is_chosen = torch.isin(text, texts[::2])
        carries = positions > 0 if self.prefer.loss_on == "all" else flat != IGNORE
        return PairLayout(answers, owners, (is_chosen & carries).nonzero().squeeze(-1), len(texts) // 2)

    def _token_losses(self, inputs: Mapping[str, Any], layout: PairLayout) -> torch.Tensor:
        """Return the cross-entropy of each token of the batch, end to end; 0 where none is needed."""
        bare = unwrap(self.model)
        states = bare.base_model(**inputs).last_hidden_state.flatten(0, 1)
        weight, bias = output_head(bare)
        needed = layout.answers
        if self.prefer.loss == "orpo":
            needed = torch.cat([needed, layout.learned]).unique()  # type: ignore[no-untyped-call]
        found = token_losses(
            states.index_select(0, needed - 1),
            weight.to(states.dtype),
            bias,
            inputs["input_ids"].flatten().index_select(0, needed),
            self.transform,
        )
        return found.new_zeros(len(states)).index_copy(0, needed, found)


def _sum_texts(losses: torch.Tensor, layout: PairLayout) -> torch.Tensor:
    """Return the negative log-likelihood of each answer [2 pairs]: chosen, rejected, chosen and so on."""
    return losses.new_zeros(2 * layout.pairs).index_add(0, layout.owners, losses[layout.answers])


def log_odds(likelihood: torch.Tensor) -> torch.Tensor:
    """Return log(p / (1 - p)) of a mean log-likelihood log p."""
    below = likelihood.clamp(max=-SMALLEST)
    return below - torch.log(-torch.expm1(below))
