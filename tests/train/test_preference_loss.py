"""The losses are TRL's: by numbers that TRL 1.16.0 computed, and by TRL itself where it is installed."""

from __future__ import annotations

from collections import defaultdict
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from alif.settings import Adapter, Prefer
from alif.student import adapter as adapters
from alif.train.packing import PackedRows, Segment, collate, collate_trimmed, fill_rows, fit_rows
from alif.train.preference_loss import PreferenceLossModel, log_odds

LENGTH = 48
PROMPTS = ((5, 9, 12, 7, 30, 41), (8, 3, 27), (61, 17, 22, 40, 15))
CHOSEN = ((21, 33, 4, 60, 2), (50, 11, 2), (70, 18, 9, 44, 23, 31, 2))
REJECTED = ((44, 2), (90, 13, 37, 64, 2), (70, 18, 25, 2))
BY_TRL = {"orpo": 4.644023895263672, "dpo": 0.7900745868682861}
"""What `by_trl` returns for the three pairs with beta 0.1. Source: huggingface/trl@v1.16.0,
trl/experimental/orpo/orpo_trainer.py, get_batch_loss_metrics; trl/trainer/dpo_trainer.py, _compute_loss."""


@pytest.fixture
def made():
    """A tiny model with an adapter that changes it; its weights are sines, the same in every library."""
    config = LlamaConfig(
        vocab_size=96,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        bos_token_id=2,
        eos_token_id=2,
    )
    model = adapters.add_adapter(LlamaForCausalLM(config), Adapter(rank=4, alpha=8))
    with torch.no_grad():
        for number, (name, parameter) in enumerate(model.named_parameters()):
            wave = 0.3 * torch.sin(torch.arange(parameter.numel()) * 0.37 + number).view(parameter.shape)
            parameter.copy_(1 + wave if "norm" in name else wave)
    return model


def batch(numbers, collator=collate):
    pairs = [
        tuple(
            Segment(str(n), (*PROMPTS[n], *answer), ((len(PROMPTS[n]), len(PROMPTS[n]) + len(answer)),))
            for answer in (CHOSEN[n], REJECTED[n])
        )
        for n in numbers
    ]
    filled = fill_rows(fit_rows(pairs, LENGTH) if collator is collate else pairs, LENGTH, 2)
    rows = PackedRows(filled, np.arange(len(filled)))
    return collator([rows[at] for at in range(len(rows))])


def ours(model, loss, numbers=(0, 1, 2), collator=collate, counts=None, **settings):
    learner = PreferenceLossModel(model, prefer=Prefer(loss=loss, **settings))
    return learner(**batch(numbers, collator), num_items_in_batch=counts)["loss"]


def by_formula(model, loss, loss_on="all", beta=0.1):
    """The papers' equations, one text at a time."""

    def costs(number, answer):
        tokens = torch.tensor([[*PROMPTS[number], *answer]])
        return (
            -model(input_ids=tokens).logits[0, :-1].log_softmax(-1)[range(tokens.shape[1] - 1), tokens[0, 1:]]
        )

    terms, learned = [], []
    for number in range(3):
        size = len(PROMPTS[number]) - 1
        chosen, rejected = costs(number, CHOSEN[number]), costs(number, REJECTED[number])
        learned.append(chosen if loss_on == "all" else chosen[size:])
        if loss == "orpo":
            odds = [p / (1 - p) for p in (torch.exp(-one[size:].mean()) for one in (chosen, rejected))]
            terms.append(torch.log(odds[0] / odds[1]).sigmoid().log() * beta)
        else:
            with model.disable_adapter():
                before = costs(number, CHOSEN[number]), costs(number, REJECTED[number])
            gains = [(old - new)[size:].sum() for old, new in zip(before, (chosen, rejected), strict=True)]
            terms.append((beta * (gains[0] - gains[1])).sigmoid().log())
    nll = torch.cat(learned).mean() if loss == "orpo" else 0
    return nll - torch.stack(terms).mean()


def by_trl(model, loss, beta=0.1):
    """TRL's own code on the same pairs, padded as its collators do."""
    longest = max(
        len(p) + len(a) for answers in (CHOSEN, REJECTED) for p, a in zip(PROMPTS, answers, strict=True)
    )

    def padded(answers, filler, keep_prompt=True):
        rows = [
            [*(p if keep_prompt else [filler] * len(p)), *a] for p, a in zip(PROMPTS, answers, strict=True)
        ]
        return torch.tensor([row + [filler] * (longest - len(row)) for row in rows])

    accelerator = SimpleNamespace(
        device=torch.device("cpu"),
        gather_for_metrics=lambda x: x,
        gather=lambda x: x,
        unwrap_model=lambda x: x,
    )
    shared = {
        "beta": beta,
        "aux_loss_enabled": False,
        "accelerator": accelerator,
        "is_encoder_decoder": False,
    }
    texts = {"chosen": padded(CHOSEN, 0), "rejected": padded(REJECTED, 0)}
    masks = {"chosen": padded(CHOSEN, -1) != -1, "rejected": padded(REJECTED, -1) != -1}
    labels = {"chosen": padded(CHOSEN, -100, False), "rejected": padded(REJECTED, -100, False)}
    if loss == "orpo":
        orpo = pytest.importorskip("trl.experimental.orpo.orpo_trainer")
        trainer = object.__new__(orpo.ORPOTrainer)
        vars(trainer).update(shared, padding_value=0)
        given = {}
        for side in ("chosen", "rejected"):
            given[f"{side}_input_ids"] = texts[side]
            given[f"{side}_attention_mask"] = masks[side].long()
            given[f"{side}_labels"] = labels[side]
        return trainer.get_batch_loss_metrics(model, given)[0]
    dpo = pytest.importorskip("trl.trainer.dpo_trainer")
    trainer = object.__new__(dpo.DPOTrainer)
    args = SimpleNamespace(gradient_checkpointing_kwargs=None)
    vars(trainer).update(
        shared, model=model, ref_model=None, args=args, ld_alpha=None, precompute_ref_logps=False,
        f_divergence_type="reverse_kl", loss_types=["sigmoid"], loss_weights=[1.0], use_weighting=False,
        _metrics=defaultdict(lambda: defaultdict(list)), _total_train_tokens=0, _tp_size=1,
    )  # fmt: skip
    wanted = ("log_probs", "entropy", "mean_logits", "is_top1")
    dpo.add_fused_lm_head(model.get_base_model(), outputs=wanted)
    both = {
        "input_ids": torch.cat([texts["chosen"], texts["rejected"]]),
        "attention_mask": torch.cat([masks["chosen"], masks["rejected"]]).long(),
        "completion_mask": torch.cat([labels["chosen"] != -100, labels["rejected"] != -100]).long(),
    }
    return trainer._compute_loss(model, both, False)


@pytest.mark.parametrize("collator", [collate, collate_trimmed])
@pytest.mark.parametrize("loss", ["orpo", "dpo"])
def test_the_loss_of_a_batch_is_the_number_that_trl_computed(made, loss, collator):
    assert ours(made, loss, collator=collator).item() == pytest.approx(BY_TRL[loss], abs=1e-5)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("loss", ["orpo", "dpo"])
def test_the_loss_of_a_batch_is_trls_where_it_is_installed(made, loss):
    pytest.importorskip("trl", reason="TRL is not installed")
    mine = ours(made, loss)
    assert mine.item() == pytest.approx(by_trl(made, loss).item(), abs=1e-5)


@pytest.mark.parametrize(("loss", "loss_on"), [("orpo", "all"), ("orpo", "answer"), ("dpo", "all")])
def test_loss_and_gradients_are_those_of_the_papers_equations(made, loss, loss_on):
    trained = [parameter for parameter in made.parameters() if parameter.requires_grad]
    mine, plain = ours(made, loss, loss_on=loss_on), by_formula(made, loss, loss_on)
    torch.testing.assert_close(mine, plain)
    for one, other in zip(*(torch.autograd.grad(found, trained) for found in (mine, plain)), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("loss", ["orpo", "dpo"])
def test_passes_of_one_step_add_up_to_the_loss_of_its_pairs_together(made, loss):
    learner = PreferenceLossModel(made, prefer=Prefer(loss=loss))
    counts = learner.count_items(batch((0, 1, 2)))
    assert counts.tolist() == [sum(map(len, (*PROMPTS, *CHOSEN))) - 3, 3]
    parts = [ours(made, loss, (0,), counts=counts), ours(made, loss, (1, 2), counts=counts)]
    torch.testing.assert_close(sum(parts), ours(made, loss))


def test_margins_are_told_once_and_a_row_without_labels_costs_nothing(made):
    learner = PreferenceLossModel(made, prefer=Prefer(loss="dpo"))
    given = batch((0, 1, 2))
    learner(**given)
    told = learner.take_margins()
    assert told["margin"] == pytest.approx(float(learner(**given) and learner.margins[0].mean()))
    assert 0 <= told["preferred"] <= 1
    given["labels"] = torch.full_like(given["labels"], -100)
    empty = PreferenceLossModel(made, prefer=Prefer())
    loss = empty(**given, num_items_in_batch=torch.tensor([5, 1]))["loss"]
    loss.backward()
    assert loss == 0
    assert learner.take_margins()["margin"] == told["margin"]


def test_a_new_adapter_is_its_own_reference(made):
    fresh = adapters.add_adapter(made.merge_and_unload(), Adapter(rank=4))
    assert ours(fresh, "dpo").item() == pytest.approx(np.log(2), abs=1e-6)


def test_log_odds_stay_finite_where_a_likelihood_is_one():
    likelihood = torch.tensor([0.0, -1e-9, -0.5, -40.0], requires_grad=True)
    odds = log_odds(likelihood)
    odds.sum().backward()
    assert odds[2].item() == pytest.approx(np.log(np.exp(-0.5) / (1 - np.exp(-0.5))), rel=1e-6)
    assert odds[3].item() == pytest.approx(-40)
    assert odds.isfinite().all()
    assert likelihood.grad.isfinite().all()
