from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from alif.settings import Adapter
from alif.student import adapter as adapters
from alif.student.trimming import largest_changes, revert_small_changes
from tests.small_bases import random_model


def changed_model(**keys):
    """Return a model whose copies are changed in some rows, and the base's embeddings and head."""
    base = random_model("llama", **keys)
    originals = [layer.weight.detach().clone() for layer in (base.get_input_embeddings(), base.lm_head)]
    model = adapters.add_adapter(base, Adapter(rank=2))
    for number, weight in enumerate(copies_of(model)):
        change = torch.randn(weight[:40].shape, generator=torch.Generator().manual_seed(number))
        weight.data[:40] += 0.1 * change  # the other rows are of tokens that never occurred
    return model, originals


def copies_of(model):
    bare = model.get_base_model()
    layers = (bare.get_input_embeddings(), bare.get_output_embeddings())
    return [layer.modules_to_save["default"].weight for layer in layers]


def test_the_share_that_changed_most_is_kept_and_the_rest_is_the_base():
    model, originals = changed_model()
    before = [weight.detach().clone() for weight in copies_of(model)]
    lora = {name: weight.clone() for name, weight in model.named_parameters() if "lora_" in name}
    changed = [int((own != base).sum()) for own, base in zip(before, originals, strict=True)]
    reverted = revert_small_changes(model, 0.3)
    assert reverted == sum(count - round(0.3 * count) for count in changed)
    for own, old, base, count in zip(copies_of(model), before, originals, changed, strict=True):
        kept = own != base
        assert int(kept.sum()) == round(0.3 * count)
        assert torch.equal(own[kept], old[kept])
        sizes = (old - base).abs()
        assert sizes[kept].min() >= sizes[~kept].max()
    for name, weight in model.named_parameters():
        assert name not in lora or torch.equal(weight, lora[name])


def test_a_tied_matrix_is_trimmed_once():
    model, (original, _) = changed_model(tie_word_embeddings=True)
    embeddings, head = copies_of(model)
    assert embeddings is head
    changed = int((embeddings != original).sum())
    assert revert_small_changes(model, 0.5) == changed - round(0.5 * changed)
    assert int((embeddings != original).sum()) == round(0.5 * changed)


@pytest.mark.parametrize("targets", [("attention", "mlp", "embeddings"), ("attention",)])
def test_nothing_is_reverted_where_all_is_kept_or_nothing_was_copied(targets):
    model = adapters.add_adapter(random_model("llama"), Adapter(rank=2, targets=targets))
    before = copy.deepcopy(model.state_dict())
    assert revert_small_changes(model, 0.5 if targets == ("attention",) else 1.0) == 0
    assert all(torch.equal(weight, before[name]) for name, weight in model.state_dict().items())


def test_a_copy_that_was_rounded_and_not_trained_has_not_changed():
    model = adapters.add_adapter(random_model("llama"), Adapter(rank=2, embedding_dtype="bfloat16"))
    assert revert_small_changes(model, 0.5) == 0


def test_of_equal_changes_the_first_are_kept():
    sizes = np.array([[0, 2, 1, 1], [1, 0, 1, 3]], dtype=np.float32)
    assert largest_changes(sizes, 0.5).tolist() == [[False, True, True, False], [False, False, False, True]]
    assert largest_changes(sizes, 1.0).sum() == 6
    assert largest_changes(np.zeros((2, 2), dtype=np.float32), 0.5).sum() == 0
