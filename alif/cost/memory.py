"""Memory of a training stage, by part, computed from shapes alone.

    base           the frozen model: 2 bytes a parameter on a GPU, 4 on a CPU, or linear layers in 4 bits
    trained        what is trained, in float32 (adapter.embedding_dtype)     gradients    as much again
    optimiser      twice as much, or two bytes a parameter (adamw_8bit)
    average        what is trained once more in float32, where its moving average is kept (ema_decay)
    half copies    what is trained in float32 once more in 16 bits, for the products (GPU only)
    dequantised    the largest 4-bit matrix in 16 bits, in the backward pass
    activations    what the backward pass needs: `saved_bytes` of each block, with checkpointing of one block
    loss           logits of one chunk of tokens; on a GPU their softmax and gradient too

The peak is in the middle of a step that accumulates: gradients of earlier rows, activations of these.
`saved_bytes` was counted in transformers' Llama under PEFT; the constants of `_activations` were fitted on
one family of small shapes. How accurate it is (live tensors on a CPU, tests/cost/test_memory.py): the whole
peak of other shapes is predicted within 10 %, mostly too low; its moving part alone (activations, loss) up to
a third too low with gradient checkpointing or a large vocabulary. For a GPU the terms of compiled blocks and
of the loss were set after four peaks of Llama-3.1-8B's shape had been measured on an H200: that these come
out within 4 % is a fit. Predicted before it were 97 % of the plain peak, 110 % of the compiled one, and 93 %
of the one with gradient checkpointing. No other shape was measured on a GPU.
"""

from __future__ import annotations

from dataclasses import dataclass

from alif import settings
from alif.cost.architecture import QK_NORMS, ModelShape, TrainedParameters, count_trained

__all__ = [
    "CPU_CHUNK", "GPU_CHUNK", "MemoryLoad", "evaluation_bytes", "export_bytes", "memory_parts",
    "saved_bytes",
]  # fmt: skip

CPU_CHUNK, GPU_CHUNK = 256, 4096
"""Labelled tokens whose logits exist at once: `loss.CHUNK`, in a module that loads torch; a test compares
them."""

ANSWER_TOKENS = 65_536
"""Most tokens in one batch of answers: `text_generation.TOKENS_PER_BATCH`; a test compares them."""

FULL, HALF = 4, 2
"""Bytes of a number."""
FOUR_BIT = 1 / 2 + 1 / 64 + FULL / (64 * 256)
"""Bytes of a weight in NF4, doubly quantised: half a byte, a scale of 8 bits for each 64 weights, one of 32
bits for each 256 scales. Counted in the tensors of bitsandbytes 0.50.2. Linear layers only: embeddings, head
and norms keep 16 bits."""
EIGHT_BIT = 2 * (1 + FULL / 256)
"""Bytes of AdamW's two states of a parameter in 8 bits, with a scale of 32 bits for each 256 of either.
Counted in those of bitsandbytes 0.50.2, which keeps matrices of fewer than 4,096 numbers in 32 bits: no base
for a GPU has such."""


@dataclass(frozen=True)
class MemoryLoad:
    """One stage on one device."""

    shape: ModelShape
    adapter: settings.Adapter
    stage: settings.Stage
    gradient_checkpointing: bool = False
    gpu: bool = True
    gpus: int = 1
    fsdp: bool = False
    """Weights, gradients and optimizer state are sharded over the GPUs; activations never are."""
    quantized: bool = False
    """The base's linear layers are in 4 bits."""
    compiled: bool = False
    """On a GPU: the blocks are compiled (student/compiled.py)."""

    @property
    def trained(self) -> TrainedParameters:
        return count_trained(self.shape, self.adapter)

    @property
    def copy_bytes(self) -> int:
        """Bytes of a weight of the embedding copies, and of its gradient."""
        return FULL if self.adapter.embedding_dtype == "float32" else HALF

    @property
    def tokens(self) -> int:
        """Tokens in one forward pass."""
        return self.stage.micro_batch_size * self.stage.max_seq_length

    @property
    def accumulates(self) -> bool:
        return self.stage.batch_size > self.stage.micro_batch_size * self.gpus


def memory_parts(load: MemoryLoad) -> dict[str, float]:
    """Return the bytes of each part at the stage's peak."""
    own, shape = load.trained, load.shape
    small = HALF if load.gpu else FULL
    shards = load.gpus if load.fsdp else 1
    trained = own.lora * FULL + own.copies * load.copy_bytes
    states = own.trainable * EIGHT_BIT if load.stage.optimizer == "adamw_8bit" else 2.0 * trained
    frozen = (
        shape.blocks * FOUR_BIT + (shape.parameters - shape.blocks) * small
        if load.quantized
        else shape.parameters * small
    )
    found: dict[str, float] = {
        "base": frozen / shards,
        "trained": trained / shards,
        "gradients": trained / shards,
        "optimiser": states / shards,
    }
    if load.stage.ema_decay:
        found["average"] = own.trainable * FULL / shards
    if load.gpus > 1:
        largest = max(shape.blocks / shape.num_hidden_layers, 2.0 * shape.matrix) * small
        found["between GPUs"] = largest if load.fsdp else trained  # what is gathered; buckets of gradients
    if load.gpu:
        head = shape.matrix if own.copies and load.copy_bytes == FULL else 0
        found["half copies"] = (own.lora + head) * HALF
    if load.quantized:
        found["dequantised"] = max(a * b for layers in shape.linear.values() for a, b in layers) * small
    found["activations"] = _activations(load)
    found["loss"] = _loss(load)
    if own.copies and load.accumulates and not load.gradient_checkpointing:
        found["new gradient"] = (
            shape.matrix * load.copy_bytes
        )  # of head or embeddings, before it is added to the sum
    if not load.accumulates:  # a step of one pass: its gradients come as its activations go
        matrix = (
            shape.matrix * load.copy_bytes if own.copies else 0.0
        )  # the head's gradient comes with the loss
        if matrix + found["activations"] + found["loss"] < found["gradients"] + 2 * matrix:
            found["activations"], found["loss"], found["optimiser step"] = 0.0, 0.0, 2 * matrix
        else:
            found["gradients"] = matrix
    return found


def evaluation_bytes(load: MemoryLoad) -> float:
    """Return the bytes of the model in 16 bits with its adapter, and of a full batch of answers.

    A base in 4 bits is opened in 16 for this.
    """
    own, shape = load.trained, load.shape
    cache = ANSWER_TOKENS * 2 * shape.keys * shape.num_hidden_layers
    return HALF * (shape.parameters + own.copies + cache) + FULL * own.lora


def export_bytes(load: MemoryLoad) -> float:
    """Return the bytes of base and adapter in float32, in which they are merged."""
    return FULL * float(load.shape.parameters + load.trained.trainable)


def saved_bytes(load: MemoryLoad, *, has_lora: bool = True) -> float:
    """Return the bytes that one block, with LoRA on it or without, keeps of one token for the backward pass.

    On a CPU everything is float32, and keys and values are kept once for each query. On a GPU the norms keep
    a float32 copy of their input, and the rest is 16 bits; compiled, they keep it in 16 bits, and MLP's
    activation is recomputed.
    """
    shape = load.shape
    h, f, q, k = shape.hidden_size, shape.intermediate_size, shape.queries, shape.keys
    targets = load.adapter.targets if has_lora else ()
    modules = sum(len(layers) for kind, layers in shape.linear.items() if kind in targets)
    ranks = modules * load.adapter.rank
    per_head = shape.num_attention_heads + 2  # sums of softmax and norms, float32
    if shape.model_type in QK_NORMS:
        per_head += q + k  # what these norms keep of their input
    inputs = sum(width for kind, width in (("attention", h + q), ("mlp", h + f)) if kind in targets)
    if not load.gpu:
        return FULL * (2 * h + inputs + 3 * q + 3 * f + ranks + per_head)
    if load.compiled:
        return FULL * per_head + HALF * (2 * h + inputs + 2 * q + 2 * k + 2 * f + ranks)
    return FULL * (2 * h + per_head) + HALF * (inputs + 2 * q + 2 * k + 3 * f + ranks)


def _activations(load: MemoryLoad) -> float:
    shape, block = load.shape, saved_bytes(load)
    small = HALF if load.gpu else FULL
    ends = (3.5 * shape.hidden_size + 2 * shape.head_dim) * FULL  # last norm, labelled states, angles
    if load.trained.copies:
        ends += shape.hidden_size * FULL  # the embeddings' own output
    chosen = load.adapter.select_layers(shape.num_hidden_layers)
    layers = shape.num_hidden_layers
    if not load.trained.copies:
        layers -= chosen[0]  # no gradient goes below the first layer that has LoRA
    if not load.gradient_checkpointing:
        plain = (layers - len(chosen)) * saved_bytes(load, has_lora=False)
        return load.tokens * (len(chosen) * block + plain + ends)
    back = small * (2 * shape.intermediate_size + shape.hidden_size)  # gradients inside one block
    return load.tokens * (
        layers * small * shape.hidden_size + ends + max(block + back - _loss(load) / load.tokens, 0.0)
    )


def _loss(load: MemoryLoad) -> float:
    chunk = min(GPU_CHUNK if load.gpu else CPU_CHUNK, load.tokens)
    return chunk * load.shape.vocab_size * FULL * (3 if load.gpu else 1)
