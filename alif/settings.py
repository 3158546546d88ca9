"""Every setting of the toolkit, typed, with its default, its unit and its source: one class a table of the recipe.

Two halves: what is made (every table but one; part of each step's identity) and `Runtime`: how fast, how dear, on what.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, JsonValue
from pydantic_core import PydanticCustomError

from alif.records import FrozenModel

Files = Annotated[
    tuple[str, ...], BeforeValidator(lambda value: (value,) if isinstance(value, str) else value)
]
"""One source or several: "pack"; file patterns such as "ur_raw/*.jsonl.gz", relative to sources.folder; or
"hub:OWNER/NAME[:CONFIG][@REVISION][#SPLIT]"."""


def _one_positive(share: float | Mapping[str, float]) -> float | Mapping[str, float]:
    parts = tuple(share.values()) if isinstance(share, Mapping) else (share,)
    if not all(0 <= part < math.inf for part in parts) or not any(parts):
        raise PydanticCustomError("share", "Shares are numbers from 0 on, and not all are 0")
    return share


Share = Annotated[float | Mapping[str, float], AfterValidator(_one_positive)]
"""A teacher's part of the requests: one number, or a table by task."""

_VARIABLE = re.compile("[A-Za-z_][A-Za-z0-9_]{0,63}")
_LIKE_A_KEY = re.compile(
    "(?:(?:sk|gsk|csk|hf|fw|r8)_|AIza).*|[0-9a-fA-F]{32,}|(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9]).{32,}"
)
"""What a provider's key looks like that could be a variable's name too: by its beginning, or long and by lot."""


def _variable(name: str) -> str:
    if name and (not _VARIABLE.fullmatch(name) or _LIKE_A_KEY.fullmatch(name)):
        raise PydanticCustomError(
            "variable",
            "Here stands the name of an environment variable, such as OPENAI_API_KEY, never the key itself",
        )
    return name


Variable = Annotated[str, AfterValidator(_variable)]
"""The name of an environment variable; what is none is refused and never repeated, since it may be the key itself."""

RENAMED_KEYS = {
    "teacher.NAME.address": "teacher.NAME.base_url",
    "teacher.NAME.key": "teacher.NAME.api_key_env",
    "teacher.NAME.share": "teacher.NAME.weight",
    "teacher.NAME.batch_price": "teacher.NAME.batch_price_factor",
    "teacher.NAME.phrasebook": "teacher.NAME.parallel_files",
    "generate.accepted": "generate.target_rows",
    "generate.round": "generate.requests_per_round",
    "generate.items": "generate.rows_per_request",
    "generate.floor": "generate.min_acceptance",
    "generate.grounded": "generate.grounded_share",
    "generate.reverse": "generate.reverse_share",
    "generate.revise": "generate.revise_share",
    "language.known": "language.source",
    "filter.own_language": "filter.min_script_share",
    "filter.repetition": "filter.max_repeated_4gram_share",
    "corpus.documents": "corpus.max_documents",
    "corpus.characters": "corpus.max_chars_per_source",
    "corpus.held_out": "corpus.heldout_share",
    "corpus.known_source": "corpus.source_language_files",
    "split.validation": "split.validation_share",
    "tiny.tokens_per_row": "tiny.max_seq_length",
    "tiny.rows_per_step": "tiny.batch_size",
    "pretrain.tokens_per_row": "pretrain.max_seq_length",
    "pretrain.rows_per_step": "pretrain.batch_size",
    "pretrain.rows_at_once": "pretrain.micro_batch_size",
    "pretrain.layout": "pretrain.packing",
    "pretrain.look_steps": "pretrain.eval_steps",
    "pretrain.look_texts": "pretrain.eval_texts",
    "pretrain.look_samples": "pretrain.eval_samples",
    "pretrain.patience": "pretrain.early_stopping_patience",
    "adapter.copies": "adapter.embedding_dtype",
    "student.quantise": "student.quantization",
    "student.new_tokens": "student.added_tokens",
    "runtime.recompute": "runtime.gradient_checkpointing",
    "runtime.shard": "runtime.fsdp",
    "runtime.compile": "runtime.torch_compile",
    "runtime.workers": "runtime.max_concurrency",
    "runtime.mirror": "runtime.backup",
    "benchmarks.choices": "benchmarks.multiple_choice",
    "evaluate.answer_tokens": "evaluate.max_new_tokens",
    "evaluate.resamples": "evaluate.bootstrap_samples",
    "finetune.tokens_per_row": "finetune.max_seq_length",
    "finetune.rows_per_step": "finetune.batch_size",
    "finetune.rows_at_once": "finetune.micro_batch_size",
    "finetune.layout": "finetune.packing",
    "finetune.look_steps": "finetune.eval_steps",
    "finetune.look_texts": "finetune.eval_texts",
    "finetune.look_samples": "finetune.eval_samples",
    "finetune.patience": "finetune.early_stopping_patience",
    "finetune.loss": "finetune.loss_on",
    "finetune.start": "finetune.init_from",
    "finetune.template": "finetune.prompt_template",
}
"""Old key → new key: an old one is refused with a sentence that names the new one, for one release."""

NOT_IDENTITY: dict[str, JsonValue] = {"identity": False}
"""Marks a setting that cannot change what is made: changing it is no drift."""


class Language(FrozenModel):
    """Which language is taught, and which one the base model already speaks."""

    pack: str = "ur"
    """A shipped pack's name, or the path of a pack folder."""
    source: str = "en"
    """The pack of the language that the base model knows: replayed against forgetting and measured for retention."""


class Sources(FrozenModel):
    """Where data files lie."""

    folder: str = ""
    """Folder that data files are relative to; empty: the working directory."""


class Seeds(FrozenModel):
    """The human seeds."""

    source: Files = ("pack",)
    """"pack", or JSON Lines files in Alif's format or in Self-Instruct's."""


class Teacher(FrozenModel):
    """A chat model that writes rows."""

    model: str
    """The model as the provider names it."""
    base_url: str = "https://api.openai.com/v1"
    """Any OpenAI-compatible address, Anthropic's or Azure's; "scripted": the offline teacher, from the pack's demo folder."""
    protocol: Literal["auto", "openai", "anthropic", "azure"] = Field("auto", json_schema_extra=NOT_IDENTITY)
    """How the address is spoken to; auto: Anthropic's and Azure's own addresses in their protocols, all others in OpenAI's."""
    api_version: str = Field("2024-10-21", json_schema_extra=NOT_IDENTITY)
    """Azure's protocol only: the version of its interface. There `model` is the name of the deployment."""
    api_key_env: Variable = Field("", json_schema_extra=NOT_IDENTITY)
    """Name of the environment variable that holds the key, which itself never stands in a recipe; empty: by the protocol
    OPENAI_API_KEY, ANTHROPIC_API_KEY or AZURE_OPENAI_API_KEY."""
    weight: Share = 1.0
    """Its part of the requests, relative to the other teachers': one number, or a table by task, in which "other" is every task
    that is not named, and a task without a number gets none."""
    usd_per_million_in: float | None = Field(None, ge=0, json_schema_extra=NOT_IDENTITY)
    """Price of a million input tokens. Unknown (left out) is refused unless the address is local."""
    usd_per_million_out: float | None = Field(None, ge=0, json_schema_extra=NOT_IDENTITY)
    """Price of a million output tokens, reasoning tokens included."""
    usd_per_million_cached: float | None = Field(None, ge=0, json_schema_extra=NOT_IDENTITY)
    """Price of a million input tokens that the provider had in its cache; left out: as dear as any other input."""
    batch_price_factor: float = Field(0.5, gt=0, le=1, json_schema_extra=NOT_IDENTITY)
    """What a request in a batch costs, as a part of its price. Source: OpenAI, Azure and Anthropic ask for half."""
    temperature: float = Field(1.0, ge=0)
    """Source: traversaal-ai/alif-urdu-llm@67a6a01/Modified_Self_Instruct (temperature 1.0, top_p 1)."""
    max_tokens: int = Field(4096, gt=0)
    """Upper bound of a reply in tokens: with the price it bounds what a request can cost."""
    parallel_files: Files = ()
    """Scripted teacher only: files of sentence pairs from which it answers translations."""


class Generate(FrozenModel):
    """Modified self-instruct. Source: Alif, arXiv 2510.09051 (4 human + 2 machine seeds a request)."""

    target_rows: int = Field(51_686, ge=0)
    """Accepted rows to reach, split over the tasks by `weights`. Source: arXiv 2510.09051, Urdu-Instruct train."""
    weights: Literal["pack", "paper"] = "pack"
    """How the rows are split: "pack", tasks with a share of their own first (Roman script), the others by weight; "paper", the
    tasks with a weight alone, which in the Urdu pack are the paper's seven."""
    requests_per_round: int = Field(64, gt=0)
    """Requests asked before the pool is read again. Part of the identity, never tied to runtime.max_concurrency."""
    rows_per_request: int = Field(20, gt=0)
    """Rows asked for in one request. Source: the original's prompts ("List of 20 tasks")."""
    human_seeds: int = Field(4, ge=1)
    """Seeds shown in each request. Source: arXiv 2510.09051."""
    machine_seeds: int = Field(2, ge=0)
    """Accepted rows of the same task shown in each request, once the pool has so many. Source: arXiv 2510.09051."""
    passages: Files = ("pack",)
    """Native text for `grounded` and `reverse`: "pack" (the demo articles), files, or a hub id."""
    grounded_share: float = Field(0.0, ge=0, le=1)
    """Part of the requests whose answers must follow from a passage that is shown. Source: Updesh, arXiv 2509.21294."""
    reverse_share: float = Field(0.0, ge=0, le=1)
    """Part of the requests for free writing in which a passage is the answer, word for word, and the teacher writes the
    question. Source: MURI, arXiv 2409.12958."""
    revise_share: float = Field(0.0, ge=0, le=1)
    """Part of the requests whose draft the teacher criticises and writes again: three requests for one. Source: revision with
    demonstrations in the target language, arXiv 2506.12158."""
    min_acceptance: float = Field(0.02, ge=0, le=1)
    """Stop when less than this share of a round's candidates is accepted: the pool is saturated."""
    seed: int = 3407
    """Source: traversaal-ai/alif-urdu-llm@67a6a01/Training (3407)."""


class Pool(FrozenModel):
    """The global pool."""

    threshold: float = Field(0.7, gt=0, le=1)
    """Accepted if ROUGE-L F1 on the pack's words is below it. Source: Self-Instruct, arXiv 2212.10560, section 2.2."""
    scope: Literal["pack", "paper"] = "pack"
    """What is compared: the pack's choice per task, or as in the paper the instruction alone."""


class Translate(FrozenModel):
    """Rows of the known language, translated by the teacher."""

    source: Files = ("pack",)
    """"pack" (the known pack's demo rows), or files or a hub id: triples, or rows with one sentence each."""
    rows: int = Field(0, ge=0)
    """Rows to translate, drawn by lot; 0: none. The paper used 28,910 (arXiv 2510.09051)."""
    seed: int = 3407


class Filter(FrozenModel):
    """Plain checks of every row that a model wrote."""

    min_words: int = Field(3, ge=0)
    """Fewest words of an instruction with its input. Source: self-instruct drops 3 words or fewer."""
    max_words: int = Field(400, gt=0)
    """Most words of an answer. The original asks for at most 300 in its prompts."""
    min_script_share: float = Field(0.5, ge=0, le=1)
    """Least share of the answer's letters in the pack's script, where the task's answer is in the pack's language."""
    max_repeated_4gram_share: float = Field(0.5, ge=0, le=1)
    """Most share of an answer's word 4-grams that may be repeats."""
    arithmetic: bool = True
    """Recompute the equations of worked answers and drop rows with a false one."""


class Review(FrozenModel):
    """Reading by people."""

    share: float = Field(0.0, ge=0, le=1)
    """Part of the rows that people read, drawn by lot; 0: nobody."""
    reviewers: int = Field(1, ge=1)
    """Verdicts wanted for each of these rows."""
    verdicts: str = ""
    """JSON Lines file of verdicts; empty: runs/NAME/verdicts.jsonl."""
    seed: int = 3407


class Replay(FrozenModel):
    """Rows of the known language, against forgetting. Source: arXiv 2510.09051."""

    source: Files = ("pack",)
    """"pack" (the known pack's demo rows that are not translated), or files, or a hub id."""
    rows: int = Field(0, ge=0)
    """Rows, stratified by source and length; 0: no replay. The paper used 10,400 + 10,000."""
    seed: int = 3407


class Part(FrozenModel):
    """One part of the training mixture."""

    source: Files = ()
    """Empty: the rows of the step that the part is named after. Otherwise files, or a hub id."""
    rows: int = Field(0, ge=0)
    """Rows to draw; 0: all there are."""
    licence: str = ""
    """Licence of the source, kept in each row."""


class Split(FrozenModel):
    """Train and validation rows."""

    validation_share: float = Field(0.05, ge=0, lt=1)
    """Part of the distinct prompts held out; no prompt stands on both sides."""
    seed: int = 3407


class Corpus(FrozenModel):
    """Stage-1 text."""

    source: Files = ("pack",)
    """"pack" (the demo articles), files, or a hub id, of the language that is taught."""
    source_language_files: Files = ("pack",)
    """The same for the known language: the tiny base is trained on it, stage 1 may replay it."""
    max_documents: int = Field(0, ge=0)
    """Most documents of each language; 0: all."""
    max_chars_per_source: int = Field(0, ge=0)
    """Most characters of each source; 0: all. Keeps one large source from drowning the others."""
    heldout_share: float = Field(0.1, ge=0, lt=1)
    """Part of each source's documents that is never trained on."""
    min_words: int = Field(3, ge=0)
    """Shorter documents are dropped."""
    seed: int = 3407


class Student(FrozenModel):
    """The model that we train."""

    base: str = "meta-llama/Llama-3.1-8B"
    """A hub id (with @revision), a local folder, or "tiny": a small Llama made from nothing by the step base."""
    revision: str = ""
    """Revision of a hub id."""
    added_tokens: int = Field(0, ge=0)
    """Tokens to add to the base's vocabulary, learned from the corpus of the taught language; 0: none. The extended base is
    kept in the run's folder base/model. Compare in bits per byte, never in loss per token."""
    quantization: Literal["none", "4bit"] = "none"
    """QLoRA: the frozen base in 4 bits while training; needs a GPU and the low-memory extra. Source: arXiv 2305.14314 (NF4)."""


class Tiny(FrozenModel):
    """The demo's base model, made and trained on the known language in seconds; used where student.base is "tiny"."""

    vocabulary: int = Field(1024, ge=300)
    """Entries of its byte-level BPE, trained on both languages' corpus."""
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
    """What is trained on top of the base. Source: traversaal-ai/alif-urdu-llm@67a6a01/Training/train_cpt.py."""

    rank: int = Field(128, gt=0)
    alpha: int = Field(32, gt=0)
    rslora: bool = True
    """Scale by alpha / sqrt(rank) instead of alpha / rank."""
    dropout: float = Field(0.0, ge=0, lt=1)
    targets: tuple[Literal["attention", "mlp", "embeddings"], ...] = ("attention", "mlp", "embeddings")
    """LoRA on attention and MLP; "embeddings" trains full copies of input embeddings and head."""
    embedding_dtype: Literal["float32", "bfloat16"] = "float32"
    """Numbers of these copies. The original's were bfloat16, in which a rate of 1e-5 moves 14 to 38 % of the weights."""
    seed: int = 3407


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
    """Packed rows in one forward pass; the rest of the step is accumulated."""
    packing: Literal["packed", "padded"] = "packed"
    """packed: as many texts in a row as fit, long ones split. padded: the original's way, one text a row, cut off at the row's
    length and filled up to the longest of those that go through the model at once."""
    optimizer: Literal["adamw", "adamw_8bit"] = "adamw"
    """adamw_8bit, the original's, keeps its state in 8 bits; needs a GPU and the low-memory extra."""
    eval_steps: int = Field(0, ge=0)
    """Optimiser steps between two looks at held-out texts (bits per byte in each language, samples), kept in the stage's curve;
    0: none. A look changes nothing that is trained."""
    eval_texts: int = Field(32, gt=0)
    """Held-out texts of each language in a look."""
    eval_samples: int = Field(2, ge=0)
    """Texts that the model writes in a look."""
    early_stopping_patience: int = Field(0, ge=0)
    """Looks without a better one, in the taught language, after which the stage stops and takes its best weights; 0: never."""
    seed: int = 3407


class Pretrain(Stage):
    """Stage 1: continued pre-training on the corpus."""

    replay: float = Field(0.0, ge=0, lt=1)
    """Part of the stage's tokens that are known-language corpus text. Qalb (arXiv 2601.08141) uses 7 %."""


class Finetune(Stage):
    """Stage 2: instruction tuning."""

    epochs: float = Field(2.0, ge=0)
    lr: float = Field(5e-5, gt=0)
    weight_decay: float = Field(0.0, ge=0)
    prompt_template: Literal["auto", "alpaca", "chat"] = "auto"
    """How a prompt is written: the base's own chat template where it has one, Alpaca's headings otherwise."""
    loss_on: Literal["answer", "all"] = "answer"
    """Tokens that carry loss: the answer's, as the paper says, or the prompt's too, as its code does."""
    init_from: Literal["adapter", "merged"] = "adapter"
    """Go on with stage 1's adapter, as the original does, or merge it into the base and begin a new one."""


class Benchmarks(FrozenModel):
    """What is asked. Rows that overlap with it never enter the blend."""

    test: Files = ("pack",)
    """Test set of generated answers: "pack" or JSON Lines files of triples with `task`."""
    multiple_choice: Files = ()
    """Multiple-choice files (question, choices, gold), scored by log-probability."""


class Evaluate(FrozenModel):
    """What is measured before and after each stage."""

    documents: int = Field(0, ge=0)
    """Held-out documents per source and language for bits per byte; 0: all."""
    questions: int = Field(0, ge=0)
    """Questions of the test set, the same number from each task; 0: all."""
    max_new_tokens: int = Field(96, gt=0)
    """Longest generated answer, in tokens."""
    samples: int = Field(6, ge=0)
    """Answers shown side by side in the report."""
    questions_each: int = Field(0, ge=0)
    """Questions of each benchmark; 0: all."""
    bootstrap_samples: int = Field(1000, gt=0)
    """Bootstrap resamples behind an interval."""
    seed: int = 3407


class Export(FrozenModel):
    """The model that leaves the run."""

    dtype: Literal["float32", "bfloat16", "float16"] = "bfloat16"
    """The adapter is merged in float32 and cast once."""


class Runtime(FrozenModel):
    """How fast, how dear, on what. Never part of a step's identity."""

    max_cost_usd: float = Field(100.0, ge=0)
    """Money cap of the run; nothing is sent that could pass it."""
    max_concurrency: int = Field(16, gt=0)
    """Most requests in flight."""
    batch: bool = False
    """Ask through the providers' batch interfaces: cheaper, and each round takes up to a day. May be switched at any time. Four
    rounds are under way together: at 14 rows a request, 51,686 rows are 58 rounds of 64 requests, or 15 waits. A larger
    generate.requests_per_round makes fewer, and other rows: set it before the first request."""
    timeout_s: float = Field(120.0, gt=0)
    """How long one request may take before it is tried again. A server at home, which answers one after another, takes minutes
    for each that waits: give it 1800."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    threads: int = Field(0, ge=0)
    """CPU threads of training and asking; 0: one. More help a larger model on a machine that does nothing else."""
    gpus: int = Field(1, gt=0)
    """GPUs that both stages train on, each with as many forward passes of a step; where there is none, as many processes on the
    CPU. A step is the same rows either way."""
    fsdp: bool = False
    """On several GPUs: share weights, gradients and optimiser out among them (FSDP2), instead of a copy on each."""
    torch_compile: bool = True
    """On a GPU: have PyTorch translate the model's blocks, about 15 seconds at a stage's start, for a fifth more speed."""
    gradient_checkpointing: bool = False
    """Forget the inputs inside the layers and compute them again on the way back: far less memory, a third more work."""
    checkpoint_steps: int = Field(50, gt=0)
    """Optimiser steps between two checkpoints."""
    backup: str = ""
    """Where finished steps, checkpoints and the ledger are copied, for machines that vanish: a folder, or "hub:OWNER/NAME", a
    private repository, whose history keeps old checkpoints until you squash it. The same command on a new machine goes on."""
    tracker: Literal["", "trackio", "wandb"] = ""
    """Where the training curve is shown too, beside its file and the report: trackio (files here, or the Space that
    TRACKIO_SPACE_ID names) or Weights & Biases, each an extra of its name. Numbers and the stage's settings go there."""
    ledger: str = ""
    """Ledger file shared with other runs, relative to the working directory; empty: the run's own."""


class Recipe(FrozenModel):
    """All settings of a run."""

    name: str = Field(pattern=r"^[\w.-]+$")
    """The folder under runs/."""
    about: str = ""
    """One sentence for `alif ls`."""
    language: Language = Language()
    sources: Sources = Sources()
    seeds: Seeds = Seeds()
    teacher: Mapping[str, Teacher] = {}
    """One table a teacher: [teacher.NAME]."""
    generate: Generate = Generate()
    pool: Pool = Pool()
    translate: Translate = Translate()
    filter: Filter = Filter()
    review: Review = Review()
    replay: Replay = Replay()
    blend: Mapping[str, Part] = {"generate": Part(), "translate": Part(), "replay": Part()}
    """One table a part: [blend.NAME]; NAME is generate, translate, replay, or anything with a source."""
    split: Split = Split()
    corpus: Corpus = Corpus()
    student: Student = Student()
    tiny: Tiny = Tiny()
    adapter: Adapter = Adapter()
    pretrain: Pretrain = Pretrain()
    finetune: Finetune = Finetune()
    benchmarks: Benchmarks = Benchmarks()
    evaluate: Evaluate = Evaluate()
    export: Export = Export()
    runtime: Runtime = Runtime()
