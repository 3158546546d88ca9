"""Recipe tables of the model and its training: base, adapter, the three stages, merging, export."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from alif.errors import RecipeError
from alif.records import FrozenModel
from alif.settings.types import LayerRanges

Share = Annotated[float, Field(ge=0, le=1)]


class StudentSettings(FrozenModel):
    """The model that we train."""

    base: str = "meta-llama/Llama-3.1-8B"
    """A hub id (with @revision), a local folder, a .gguf file, "package:NAME" (with @version: the GGUF file
    inside an installed package), or "tiny": a small Llama trained from scratch by the step base."""
    revision: str = ""
    """Revision of a hub id; of a GGUF file "sha256:" and its digest."""
    added_tokens: int = Field(0, ge=0)
    """Tokens to add to the base's vocabulary, learned from the corpus of the taught language; 0: none. The
    extended base is kept in the run's folder base/model. Compare in bits per byte, never in loss per
    token."""
    quantization: Literal["none", "4bit"] = "none"
    """QLoRA: train on a frozen base in 4 bits (NF4); needs a GPU and the low-memory extra. Source: arXiv
    2305.14314."""


class Tiny(FrozenModel):
    """The demo's base model, pre-trained in seconds; used where student.base is "tiny"."""

    vocabulary: int = Field(1024, ge=300)
    """Size of its byte-level BPE vocabulary, trained on both languages' corpus."""
    width: int = Field(64, gt=0)
    layers: int = Field(2, gt=0)
    heads: int = Field(4, gt=0)
    key_value_heads: int = Field(2, gt=0)
    feed_forward: int = Field(172, gt=0)
    tied: bool = False
    """Whether input embeddings and head share one matrix; Llama-3.1-8B does not."""
    epochs: float = Field(4.0, gt=0)
    lr: float = Field(4e-3, gt=0)
    max_seq_length: int = Field(256, ge=16)
    batch_size: int = Field(4, gt=0)
    seed: int = 3407


class Adapter(FrozenModel):
    """The LoRA adapter. Source: traversaal-ai/alif-urdu-llm@67a6a01/Training/train_cpt.py."""

    rank: int = Field(128, gt=0)
    alpha: int = Field(32, gt=0)
    rslora: bool = True
    """Scale by alpha / sqrt(rank) instead of alpha / rank."""
    dropout: float = Field(0.0, ge=0, lt=1)
    targets: tuple[Literal["attention", "mlp", "embeddings"], ...] = ("attention", "mlp", "embeddings")
    """LoRA on attention and MLP; "embeddings" trains full copies of input embeddings and head."""
    layers: LayerRanges = Field("", exclude_if=lambda layers: not layers)
    """Layers of the base that get LoRA, counted from 0, both ends included: "0-7,24-31"; "": all. The others
    stay as they are."""
    embedding_dtype: Literal["float32", "bfloat16"] = "float32"
    """Of these copies. In bfloat16, the original's, a learning rate of 1e-5 changes only 14 to 38 % of the
    weights."""
    seed: int = 3407

    def select_layers(self, count: int) -> range | list[int]:
        """Return the numbers of the layers that get LoRA, of a base that has `count`.

        Raises:
            RecipeError: it has no such layer.
        """
        ends = [[int(end) for end in part.split("-")] for part in self.layers.split(",") if part]
        chosen = sorted(
            {number for first, *last in ends for number in range(first, (last or [first])[0] + 1)}
        )
        if chosen and chosen[-1] >= count:
            raise RecipeError(
                f'adapter.layers = "{self.layers}", but this base has {count} layers, 0 to {count - 1}',
                f'Name layers up to {count - 1}, or set adapter.layers = "" for all of them.',
            )
        return chosen or range(count)


class Stage(FrozenModel):
    """Settings that both training stages have."""

    epochs: float = Field(1.0, ge=0)
    """0: the stage trains nothing."""
    lr: float = Field(2e-5, gt=0)
    embedding_lr: float = Field(1e-5, gt=0)
    """Learning rate of the embedding copies."""
    weight_decay: float = Field(0.01, ge=0)
    warmup_steps: int = Field(50, ge=0)
    """Optimiser steps; at most a tenth of the stage. Source: train_cpt.py, train_ft.py."""
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    max_seq_length: int = Field(4096, ge=16)
    """Length of a packed row in tokens."""
    batch_size: int = Field(8, gt=0)
    """Packed rows in one optimiser step."""
    micro_batch_size: int = Field(1, gt=0)
    """Packed rows in one forward pass; gradients are accumulated over the batch."""
    packing: Literal["packed", "padded"] = "packed"
    """packed: as many texts in a row as fit, long ones split. padded: as in the original, one text a row,
    truncated to max_seq_length and padded to the longest of its micro batch."""
    optimizer: Literal["adamw", "adamw_8bit"] = "adamw"
    """adamw_8bit, the original's, keeps its state in 8 bits; needs a GPU and the low-memory extra."""
    eval_steps: int = Field(0, ge=0)
    """Optimiser steps between two evaluations on held-out texts (bits per byte in each language, samples),
    kept in the stage's curve; 0: none. An evaluation changes nothing that is trained."""
    eval_texts: int = Field(32, gt=0)
    """Held-out texts of each language in such an evaluation."""
    eval_samples: int = Field(2, ge=0)
    """Texts that the model generates in such an evaluation."""
    early_stopping_patience: int = Field(0, ge=0)
    """Evaluations without an improvement in the taught language after which the stage stops and restores its
    best weights; 0: never."""
    ema_decay: float = Field(0.0, ge=0, lt=1, exclude_if=lambda decay: not decay)
    """Keep the exponential moving average of what is trained, over the optimiser steps, instead of the last
    weights: 0.99 averages about the last 100 steps; 0: none. Source: arXiv 2506.00288 (less forgetting)."""
    embedding_keep_share: float = Field(1.0, gt=0, le=1, exclude_if=lambda share: share == 1)
    """Share of the changed weights of the embedding copies, those that changed most, that is kept after the
    stage; the others get the base's value back. 1: all. Source: arXiv 2306.01708 (TIES, its step "trim")."""
    seed: int = 3407


class Pretrain(Stage):
    """Stage 1: continued pre-training on the corpus."""

    replay: float = Field(0.0, ge=0, lt=1)
    """Share of the stage's tokens that are source-language corpus text. Qalb (arXiv 2601.08141) uses 7 %."""
    replay_end: float | None = Field(None, ge=0, lt=1, exclude_if=lambda share: share is None)
    """Share at the end of the stage, where replay is then the one at its start; between them it changes
    evenly. Left out: the same throughout. Source: arXiv 2506.00288 (English matters early in stage 1)."""

    @property
    def mean_replay(self) -> float:
        """Share of the whole stage's tokens."""
        return self.replay if self.replay_end is None else (self.replay + self.replay_end) / 2


class Finetune(Stage):
    """Stage 2: instruction tuning."""

    epochs: float = Field(2.0, ge=0)
    lr: float = Field(5e-5, gt=0)
    weight_decay: float = Field(0.0, ge=0)
    prompt_template: Literal["auto", "alpaca", "chat"] = "auto"
    """auto: the base's own chat template where it has one, Alpaca's headings otherwise."""
    loss_on: Literal["answer", "all"] = "answer"
    """Tokens that carry loss: the answer's, as the paper says, or the prompt's too, as its code does."""
    init_from: Literal["adapter", "merged"] = "adapter"
    """Continue with stage 1's adapter, as the original does, or merge it into the base and start a new
    one."""


class Prefer(Stage):
    """Stage 3, where pairs.source names pairs: of two answers the preferred one becomes the likelier."""

    loss: Literal["orpo", "dpo"] = "orpo"
    """orpo: likelihood and odds ratio, without a reference (arXiv 2403.07691). dpo: against a reference, the
    model of stage 2, which is the new adapter switched off (arXiv 2305.18290)."""
    beta: float = Field(0.1, gt=0)
    """Weight of ORPO's odds ratio (lambda in its paper); how near DPO stays to the reference."""
    loss_on: Literal["all", "answer"] = "all"
    """Tokens of the chosen text whose likelihood ORPO raises: all, as in TRL, or the answer's. The odds ratio
    and DPO are of answers alone."""
    lr: float = Field(5e-6, gt=0)
    """Source: huggingface/alignment-handbook@4231254, recipes/zephyr-7b-beta/dpo/config_qlora.yaml."""
    embedding_lr: float = Field(1e-6, gt=0)
    """Learning rate of the embedding copies."""
    weight_decay: float = Field(0.0, ge=0)
    max_seq_length: int = Field(4096, ge=16)
    """Length of a row in tokens; both answers of a pair, each behind its prompt, fit one row together."""


class Merge(FrozenModel):
    """Models between ours, the base and its instruct sibling: base + w1·(ours − base) + w2·(instruct − base).

    Sources: BYOL, arXiv 2601.10804 (w1 0.6, w2 0.4); arXiv 2603.28263; arXiv 2410.10739; ElChat, arXiv
    2412.11704; without a sibling WiSE-FT, arXiv 2109.01903.
    """

    weights: tuple[Share, ...] = ()
    """w1, one for each merged model, such as [0.4, 0.6, 0.8]; evaluate measures each as merge-W1, or as
    merge-W1-W2 with a sibling. Empty: none is made."""
    instruct: str = ""
    """The instruct model that was made of the same base: a folder, a hub id (with @revision) or as
    student.base. Empty: w2 is 0, and a smaller w1 goes back towards the base itself."""
    revision: str = ""
    """Revision of a hub id."""
    instruct_weights: tuple[Share, ...] = ()
    """w2, one for each of `weights`; empty: 1 − w1."""

    def pairs(self) -> Mapping[str, tuple[float, float]]:
        """Return (w1, w2) of each merged model, by its name."""
        found = {}
        for place, ours in enumerate(self.weights):
            instruct = self.instruct_weights[place] if self.instruct_weights else round(1 - ours, 3)
            shown = (ours, instruct) if self.instruct else (ours,)
            name = "-".join(["merge", *(f"{round(weight, 3):g}" for weight in shown)])
            found[name] = (ours, instruct if self.instruct else 0.0)
        return found

    @model_validator(mode="after")
    def check_pairs(self) -> Self:
        """Refuse weights that are no pairs, and the same model twice."""
        if self.instruct and not self.weights:
            raise PydanticCustomError("merge", "Instruct is named without weights: nothing would be merged")
        paired = self.instruct and len(self.instruct_weights) == len(self.weights)
        if self.instruct_weights and not paired:
            needs = "Instruct_weights needs instruct, and one number for each of weights"
            raise PydanticCustomError("merge", needs)
        if len(self.pairs()) < len(self.weights):
            raise PydanticCustomError("merge", "The same weights stand there twice (three decimals count)")
        return self


class Export(FrozenModel):
    """The model that leaves the run."""

    stage: str = Field("", pattern=r"^(merge-[0-9.]+(-[0-9.]+)?)?$", exclude_if=lambda stage: not stage)
    """A merged model by its name, such as "merge-0.6"; empty: the model of the last stage."""
    dtype: Literal["float32", "bfloat16", "float16"] = "bfloat16"
    """The adapter is merged in float32 and cast once."""
