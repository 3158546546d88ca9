"""The architecture of a base model from its config alone: parameters by part, and what an adapter adds.

    bases/llama-3.1-8b.json    {"names": [hub ids], "licence": …, "parameters": 8030261248, "config": {…}}

The `config` is the part of the base's config.json that decides its size. Nothing here needs torch or a
network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field, JsonValue

from alif import settings, store
from alif.cost.model_types import MODEL_TYPES, UNCOUNTED_KEYS
from alif.errors import ModelError
from alif.records import FrozenModel

__all__ = [
    "BASES", "KnownBase", "ModelShape", "TrainedParameters", "count_trained", "known_bases", "shape_of",
]  # fmt: skip

BASES = Path(__file__).parent / "bases"

QK_NORMS = tuple(name for name, kind in MODEL_TYPES.items() if kind.qk_norm)
"""Model types with a norm on queries and keys."""


class KnownBase(FrozenModel):
    """One shipped architecture file."""

    names: tuple[str, ...]
    """Hub ids of this architecture."""
    licence: str
    gated: bool
    parameters: int
    """As the hub states; a test compares it with the computed count."""
    config: Mapping[str, JsonValue]


class ModelShape(FrozenModel):
    """The numbers that decide a decoder's size."""

    model_type: str = "llama"
    vocab_size: int = Field(gt=0)
    hidden_size: int = Field(gt=0)
    intermediate_size: int = Field(gt=0)
    num_hidden_layers: int = Field(gt=0)
    num_attention_heads: int = Field(gt=0)
    num_key_value_heads: int = Field(gt=0)
    head_dim: int = Field(gt=0)
    max_position_embeddings: int = 0
    tie_word_embeddings: bool = False

    @property
    def queries(self) -> int:
        """Width of all queries of a token together."""
        return self.num_attention_heads * self.head_dim

    @property
    def keys(self) -> int:
        """Width of all keys of a token together."""
        return self.num_key_value_heads * self.head_dim

    @property
    def linear(self) -> Mapping[str, tuple[tuple[int, int], ...]]:
        """(inputs, outputs) of the linear layers of one block, by kind."""
        h, f, q, k = self.hidden_size, self.intermediate_size, self.queries, self.keys
        if MODEL_TYPES[self.model_type].fused:
            return {"attention": ((h, q + 2 * k), (q, h)), "mlp": ((h, 2 * f), (f, h))}
        return {"attention": ((h, q), (h, k), (h, k), (q, h)), "mlp": ((h, f), (h, f), (f, h))}

    @property
    def blocks(self) -> int:
        """Parameters of all linear layers of all blocks."""
        return self.num_hidden_layers * sum(a * b for layers in self.linear.values() for a, b in layers)

    @property
    def matrix(self) -> int:
        """Parameters of the input embeddings; the head has as many, or is the same matrix."""
        return self.vocab_size * self.hidden_size

    @property
    def vocabulary(self) -> int:
        """Parameters of embeddings and head together."""
        return self.matrix if self.tie_word_embeddings else 2 * self.matrix

    @property
    def parameters(self) -> int:
        """All parameters, norms included."""
        kind, layers = MODEL_TYPES[self.model_type], self.num_hidden_layers
        vectors = (kind.norms * layers + 1) * self.hidden_size
        if kind.qk_norm == "head":
            vectors += 2 * layers * self.head_dim
        elif kind.qk_norm == "all":
            vectors += layers * (self.queries + self.keys)
        if kind.qkv_bias:
            vectors += layers * (self.queries + 2 * self.keys)
        return self.vocabulary + self.blocks + vectors


@dataclass(frozen=True)
class TrainedParameters:
    """What an adapter trains, in parameters."""

    lora: int
    copies: int
    """Full copies of embeddings and head; a tied matrix once."""
    base: int

    @property
    def trainable(self) -> int:
        return self.lora + self.copies

    @property
    def percent(self) -> float:
        """Of base and adapter together, the paper's way of counting."""
        return 100 * self.trainable / (self.base + self.trainable)


def count_trained(shape: ModelShape, adapter: settings.Adapter) -> TrainedParameters:
    """Count what `adapter` trains: rank x (inputs + outputs) of each linear layer, and copies.

    Raises:
        RecipeError: it names layers that the base does not have.
    """
    sides = sum(a + b for kind, layers in shape.linear.items() if kind in adapter.targets for a, b in layers)
    copies = shape.vocabulary if "embeddings" in adapter.targets else 0
    layers = len(adapter.select_layers(shape.num_hidden_layers))
    return TrainedParameters(layers * adapter.rank * sides, copies, shape.parameters)


def known_bases() -> dict[str, KnownBase]:
    """Return the shipped architectures by hub id."""
    files = [KnownBase.model_validate(store.read_json(path)) for path in sorted(BASES.glob("*.json"))]
    return {name: file for file in files for name in file.names}


def shape_of(student: settings.StudentSettings, tiny: settings.Tiny) -> tuple[ModelShape, str]:
    """Return a base's shape and its origin: "recipe" (tiny), "measured" (a local folder) or "shipped".

    Raises:
        ModelError: a hub id of which no architecture is shipped, or a folder without a usable config.json.
    """
    if student.base == "tiny":
        shape = ModelShape(
            vocab_size=tiny.vocabulary,
            hidden_size=tiny.width,
            intermediate_size=tiny.feed_forward,
            num_hidden_layers=tiny.layers,
            num_attention_heads=tiny.heads,
            num_key_value_heads=tiny.key_value_heads,
            head_dim=tiny.width // tiny.heads,
            tie_word_embeddings=tiny.tied,
        )
        return shape, "recipe"
    name = student.base.partition("@")[0]
    folder = Path(name).expanduser()
    if folder.is_dir():
        return _read_config(store.read_json(folder / "config.json"), str(folder)), "measured"
    if name in known_bases():
        return _read_config(known_bases()[name].config, name), "shipped"
    raise ModelError(
        f"{name}: no architecture of this base is shipped, and it is not a folder here",
        f"Download its config.json into a folder and name that, or use one of: {', '.join(known_bases())}.",
    )


def _read_config(config: Mapping[str, JsonValue], where: str) -> ModelShape:
    """Read a config.json; what it leaves out is as in transformers.

    Raises:
        ModelError: a size is missing, or the type's parameters cannot be counted from it.
    """
    tower = config.get("text_config")  # of a model that reads images too; it alone is trained
    config = tower if isinstance(tower, dict) else config
    needed = ("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads")
    sizes = {key: value for key in needed if isinstance(value := config.get(key), int)}
    if missing := [key for key in needed if key not in sizes]:
        raise ModelError(
            f"{where}: config.json has no {', '.join(missing)}",
            "The plan knows decoders of Llama's architecture (Llama, Qwen …).",
        )
    name = str(config.get("model_type", "llama"))
    more = [key for key in UNCOUNTED_KEYS if config.get(key) not in (None, 0, 1)]
    if name not in MODEL_TYPES or more:
        raise ModelError(
            f"{where}: the size of a {name} model{f' with {more[0]}' if more else ''} is not counted here",
            f"The plan knows dense decoders of these types: {', '.join(MODEL_TYPES)}.",
        )
    kind, heads = MODEL_TYPES[name], sizes["num_attention_heads"]
    defaults: dict[str, JsonValue] = {
        "num_key_value_heads": heads,
        "head_dim": kind.head_dim or sizes["hidden_size"] // heads,
        "tie_word_embeddings": kind.tied,
    }
    found = {key: config[key] for key in ModelShape.model_fields if config.get(key) is not None}
    return ModelShape.model_validate(defaults | found)
