"""Step `merge`: models between what was trained, its base and the base's instruct sibling.

    merged = base + w1 · (ours − base) + w2 · (instruct − base)

    runs/NAME/merge/merge-0.6/        w1 alone: the adapter with its LoRA times w1, its copies of embeddings
                                      and head between the base's and ours
    runs/NAME/merge/merge-0.6-0.4/    w1 and w2: see student/sibling.py

Training in one language costs knowledge of others and the manners that an instruct model has; part of both
comes back on the way to where it came from, and evaluate measures how much of the language that costs.
Sources: BYOL, arXiv 2601.10804 (w1 0.6, w2 0.4); arXiv 2603.28263; arXiv 2410.10739; ElChat, arXiv
2412.11704; without a sibling WiSE-FT, arXiv 2109.01903.
"""

from __future__ import annotations

from pathlib import Path

import torch

from alif import console, settings, store
from alif.errors import ModelError
from alif.facts import read_facts
from alif.facts.release_facts import ExportFacts
from alif.facts.training_facts import BaseFacts, MergeFacts
from alif.runs import StepContext, StepRecord
from alif.student import sibling as siblings
from alif.student.adapter import weigh_adapter
from alif.student.base import Base, read_base, record_base
from alif.student.published import PublishedBase, open_published
from alif.student.sibling import OWN, SIBLING, Sibling, open_tensors

__all__ = ["merge_models", "merge_tensor"]


def merge_models(context: StepContext, merge: settings.Merge) -> MergeFacts:
    """Run the step.

    Raises:
        ModelError: base or sibling cannot be read, or the sibling is of another base, family or vocabulary.
    """
    base, own = read_base(context.inputs["base"]), context.inputs["base"] / "model"
    source = str(own) if own.is_dir() else base.base
    published = open_published(settings.StudentSettings(base=source, revision=base.revision))
    names = {id(weight): name for name, weight in published.model.named_parameters()}  # a tied one once
    base_tensors, instruct, their_tensors = open_tensors(base.base, base.revision, own), None, None
    if merge.instruct:
        instruct = _record_sibling(context, merge, base, published)
        their_tensors = open_tensors(instruct.base, instruct.revision, context.folder / OWN / "model")
        siblings.check_related(base_tensors, their_tensors, published.model)
    trained = [folder / "adapter" for folder in context.inputs.values() if (folder / "adapter").is_dir()]
    for name, pair in merge.pairs().items():

        def merge_copy(parameter: str, ours: torch.Tensor, pair: tuple[float, float] = pair) -> torch.Tensor:
            stored = names[id(published.model.get_parameter(parameter))]
            theirs = their_tensors.read(stored) if their_tensors else None
            return merge_tensor(base_tensors.read(stored), ours, theirs, *pair)

        weigh_adapter(trained[-1], context.folder / name, pair[0], merge_copy)
        if instruct:
            record = instruct.model_dump(include={"revision", "digest"})
            sibling = Sibling(model=instruct.base, weight=pair[1], **record)
            store.write_json(context.folder / name / SIBLING, sibling.model_dump())
        console.log(f"merge: {name}")
    return MergeFacts(
        instruct=instruct.base if instruct else "",
        instruct_digest=instruct.digest if instruct else "",
        weights=merge.pairs(),
    )


def merge_tensor(
    base: torch.Tensor, ours: torch.Tensor, theirs: torch.Tensor | None, w1: float, w2: float
) -> torch.Tensor:
    """Return base + w1·(ours − base) + w2·(theirs − base); of tokens that `theirs` does not have, ours."""
    merged = torch.lerp(base, ours, w1)
    if theirs is not None:
        known = len(theirs)
        merged[:known] += w2 * (theirs - base[:known])
        merged[known:] = ours[known:]
    return merged


def _record_sibling(
    context: StepContext, merge: settings.Merge, base: Base, published: PublishedBase
) -> Base:
    """Return what pins the sibling; one in a GGUF file is dequantized into the step's folder.

    Raises:
        ModelError: it is no sibling of the base, as far as names, shapes, tokens and records tell.
    """
    step = StepRecord.model_validate(store.read_json(context.inputs["base"] / "step.json"))
    extended = read_facts(step.counts.facts, BaseFacts).extended is not None
    siblings.check_sibling(published, siblings.open_sibling(merge), extended=extended)
    student = settings.StudentSettings(base=merge.instruct, revision=merge.revision)
    found = record_base(student, context.folder / OWN / "model")
    made_from, exported = "", Path(merge.instruct).expanduser().parent / "step.json"
    if exported.parent.name == "export" and exported.is_file():  # another run's runs/NAME/export/model
        record = StepRecord.model_validate(store.read_json(exported))
        made_from = read_facts(record.counts.facts, ExportFacts).base_digest
    if found.digest == base.digest or made_from not in ("", base.digest):
        what = f"made of another base ({made_from[:12]}…)" if made_from else "the base itself"
        raise ModelError(
            f'merge.instruct = "{merge.instruct}": it is {what}', "Name the base's own instruct model."
        )
    return found
