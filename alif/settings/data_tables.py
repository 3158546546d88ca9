"""Recipe tables of the data steps: languages, teachers, generation, filters, review, mixture, corpus."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from alif.records import FrozenModel
from alif.settings.types import NOT_IDENTITY, EnvironmentVariable, Files, FreeFields, Licences, Weight

Share = Annotated[float, Field(ge=0, le=1)]


class Language(FrozenModel):
    """Which language is taught, and which one the base model already speaks."""

    pack: str = "ur"
    """The target language: a shipped pack's name, or the path of a pack folder."""
    source: str = "en"
    """The pack of the language that the base model knows: replayed against forgetting and measured for
    retention."""


class Sources(FrozenModel):
    """Where data files lie."""

    folder: str = ""
    """Folder that data files are relative to; empty: the working directory."""


class Seeds(FrozenModel):
    """The human seeds."""

    source: Files = ("pack",)
    """"pack", or JSON Lines files in Alif's format or in Self-Instruct's."""


class Endpoint(FrozenModel):
    """A chat model behind an address: how it is reached and what it costs."""

    model: str
    """The model as the provider names it."""
    base_url: str = "https://api.openai.com/v1"
    """Any OpenAI-compatible address, Anthropic's or Azure's; "scripted": the offline teacher, from the pack's
    demo folder."""
    protocol: Literal["auto", "openai", "anthropic", "azure"] = Field("auto", json_schema_extra=NOT_IDENTITY)
    """Protocol of the address; auto: Anthropic's and Azure's own addresses in their protocols, all others in
    OpenAI's."""
    api_version: str = Field("2024-10-21", json_schema_extra=NOT_IDENTITY)
    """Azure's protocol only: the version of its API. There `model` is the name of the deployment."""
    api_key_env: EnvironmentVariable = Field("", json_schema_extra=NOT_IDENTITY)
    """Name of the environment variable that holds the API key, which itself never stands in a recipe; empty:
    by the protocol OPENAI_API_KEY, ANTHROPIC_API_KEY or AZURE_OPENAI_API_KEY."""
    usd_per_million_in: float | None = Field(None, ge=0, json_schema_extra=NOT_IDENTITY)
    """Price of a million input tokens. Unknown (left out) is refused unless the address is local."""
    usd_per_million_out: float | None = Field(None, ge=0, json_schema_extra=NOT_IDENTITY)
    """Price of a million output tokens, reasoning tokens included."""
    usd_per_million_cached: float | None = Field(None, ge=0, json_schema_extra=NOT_IDENTITY)
    """Price of a million input tokens from the provider's cache; left out: the price of any other input."""
    extra: FreeFields = Field({}, exclude_if=lambda extra: not extra)
    """Fields of the provider's own, sent with each request as they are: { reasoning_effort = "low" },
    { chat_template_kwargs = { enable_thinking = false } }, { provider = { order = ["deepinfra"] } },
    { top_p = 0.9 }. Another value is another request."""
    system_role: bool = Field(True, exclude_if=bool)
    """Whether the model takes a system message; false: its text is put before the user's. Gemma 1 and 2 take
    none."""
    max_tokens_field: Literal["auto", "max_tokens", "max_completion_tokens"] = Field(
        "auto", json_schema_extra=NOT_IDENTITY
    )
    """What the server calls the bound of a reply; auto: max_completion_tokens at OpenAI and Azure, else
    max_tokens. Either way it is the value of max_tokens."""
    stream: bool = Field(False, json_schema_extra=NOT_IDENTITY)
    """Ask for replies in pieces, for models that send them in no other way."""


class Teacher(Endpoint):
    """A chat model that writes rows."""

    weight: Weight = 1.0
    """Its share of the requests, relative to the other teachers: one number, or a table by task, in which
    "other" is every task that is not named, and a task without a number gets none."""
    batch_price_factor: float = Field(0.5, gt=0, le=1, json_schema_extra=NOT_IDENTITY)
    """Price of a request in a batch, as a share of the live price. Source: OpenAI, Azure and Anthropic ask
    for half."""
    temperature: float = Field(1.0, ge=0)
    """Source: traversaal-ai/alif-urdu-llm@67a6a01/Modified_Self_Instruct (temperature 1.0, top_p 1)."""
    max_tokens: int = Field(4096, gt=0)
    """Upper bound of a reply in tokens: with the price it bounds what a request can cost."""
    json_schema: bool = Field(False, exclude_if=lambda wanted: not wanted)
    """Ask for new rows as JSON by a schema (`response_format`), which OpenAI, vLLM, Ollama and others take;
    false: in the text format of the pack's prompts."""
    parallel_files: Files = ()
    """Scripted teacher only: files of sentence pairs from which it answers translations."""


class Generate(FrozenModel):
    """Modified self-instruct. Source: Alif, arXiv 2510.09051 (4 human + 2 machine seeds a request)."""

    target_rows: int = Field(51_686, ge=0)
    """Accepted rows to reach, split over the tasks by `weights`. Source: arXiv 2510.09051, Urdu-Instruct
    train."""
    weights: Literal["pack", "paper"] = "pack"
    """How the rows are split: "pack", tasks with a share of their own first (Roman script), the others by
    weight; "paper", only the tasks with a weight, which in the Urdu pack are the paper's seven."""
    requests_per_round: int = Field(64, gt=0)
    """Requests sent before the pool is read again. Part of the identity, never tied to
    runtime.max_concurrency."""
    rows_per_request: int = Field(6, gt=0)
    """Rows asked for in one request. The original's prompts ask for 20 ("List of 20 tasks")."""
    slots: bool = True
    """Whether a request says of each row what it is about, as the pack's table slots has it: topic, region,
    who asks, difficulty, length, form; drawn by program, most often where rows are missing. Source: the
    taxonomy of GLAN, arXiv 2402.13064; the original has none."""
    human_seeds: int = Field(4, ge=1)
    """Seeds shown in each request. Source: arXiv 2510.09051."""
    machine_seeds: int = Field(2, ge=0)
    """Accepted rows of the same task shown in each request, once the pool has so many. Source: arXiv
    2510.09051."""
    passages: Files = ("pack",)
    """Native text for grounded and reverse requests: "pack" (the demo articles), files, or a hub id."""
    grounded_share: float = Field(0.0, ge=0, le=1)
    """Share of the requests whose answers must follow from a passage that is shown; with slots at least the
    share that the pack names for a task: half of the questions of fact about matters at home. Source: Updesh,
    arXiv 2509.21294."""
    reverse_share: float = Field(0.0, ge=0, le=1)
    """Share of the requests for free writing in which a passage is the answer, word for word, and the teacher
    writes the question. Source: MURI, arXiv 2409.12958."""
    revise_share: float = Field(0.0, ge=0, le=1)
    """Share of the requests whose draft the teacher criticises and rewrites: three requests for one. Source:
    revision with demonstrations in the target language, arXiv 2506.12158."""
    min_acceptance: float = Field(0.02, ge=0, le=1)
    """Stop when less than this share of a round's candidates is accepted: the pool is saturated."""
    seed: int = 3407
    """Source: traversaal-ai/alif-urdu-llm@67a6a01/Training (3407)."""


class Pool(FrozenModel):
    """The global pool."""

    threshold: float = Field(0.7, gt=0, le=1)
    """A candidate is accepted if its ROUGE-L F1 on the pack's words with every accepted row is below the
    threshold. Source: Self-Instruct, arXiv 2212.10560, section 2.2."""
    scope: Literal["pack", "paper"] = "pack"
    """What is compared: the pack's choice per task, or as in the paper the instruction alone."""


class Translate(FrozenModel):
    """Rows of the source language, translated by the teacher."""

    source: Files = ("pack",)
    """"pack" (the source language pack's demo rows), or files or a hub id: triples, or rows of one sentence
    each."""
    rows: int = Field(0, ge=0)
    """Rows to sample and translate; 0: none. The paper used 28,910 (arXiv 2510.09051)."""
    licence: Licences = Field("", exclude_if=lambda licence: not licence)
    """Licence of the sources, kept in each row that names none: one, or a table by source."""
    request: Literal["row", "text"] = Field("row", exclude_if=lambda request: request == "row")
    """What a request holds: "row", all fields of a row, so that their terms agree; "text", one text alone,
    for a translation model (NLLB, MADLAD, IndicTrans) behind an address. Long rows are split."""
    rewrite: bool = Field(False, exclude_if=lambda rewrite: not rewrite)
    """Have translated rows rewritten, natural and at home in the language's own culture, and answered anew: a
    second request for each. Source: The Art of Asking, arXiv 2510.19806."""
    back_translator: str = Field("", exclude_if=lambda name: not name)
    """A teacher of this recipe that translates what the others translated back: lost numbers and names drop a
    row, a low chrF++ flags it. Empty: nobody. Source: arXiv 2209.07351 (with copies ruled out)."""
    seed: int = 3407


class Filter(FrozenModel):
    """Rule-based checks of every row that a model wrote."""

    min_words: int = Field(3, ge=0)
    """Fewest words of an instruction with its input. Source: self-instruct drops 3 words or fewer."""
    max_words: int = Field(400, gt=0)
    """Most words of an answer. The original asks for at most 300 in its prompts."""
    min_script_share: float = Field(0.5, ge=0, le=1)
    """Least share of the answer's letters in the pack's script, where the task's answer is in the pack's
    language."""
    max_repeated_4gram_share: float = Field(0.5, ge=0, le=1)
    """Largest share of an answer's word 4-grams that may be repeats."""
    arithmetic: bool = True
    """Recompute the equations of worked answers and drop rows with a false one."""


class Review(FrozenModel):
    """Reading by people."""

    share: float = Field(0.0, ge=0, le=1)
    """Share of the rows that people read, sampled; 0: none."""
    reviewers: int = Field(1, ge=1)
    """Verdicts wanted for each of these rows."""
    lot_rows: int = Field(0, ge=0, exclude_if=lambda rows: not rows)
    """Rows of a lot: rows of one teacher and task, one after another. Unread rows of a lot are accepted or
    dropped by what people find in rows that are drawn from it. 0: no lots, unread rows pass."""
    lot_sample: int = Field(40, ge=1, exclude_if=lambda rows: rows == 40)
    """Rows drawn from each lot, and drawn again while that decides nothing."""
    max_faulty: float = Field(0.1, gt=0, lt=1, exclude_if=lambda share: share == 0.1)
    """Share of rows that are rejected or edited, below which a lot is accepted and above which it is dropped,
    by Wilson's 95 % interval: 40 rows without a fault are enough for 0.1, and 1 fault in 80."""
    verdicts: str = ""
    """JSON Lines file of verdicts; empty: runs/NAME/verdicts.jsonl."""
    seed: int = 3407


class Replay(FrozenModel):
    """Rows of the source language, against forgetting. Source: arXiv 2510.09051."""

    source: Files = ("pack",)
    """"pack" (the source language pack's demo rows that are not translated), files, or a hub id; "self": the
    prompts of `prompts`, answered by the base's own instruct sibling. Source: self-generated samples, arXiv
    2605.26097."""
    rows: int = Field(0, ge=0)
    """Rows, stratified by source, kind and length; 0: no replay. The paper used 10,400 + 10,000."""
    share: float = Field(0.0, ge=0, lt=1, exclude_if=lambda share: not share)
    """Share of the mixture's tokens: 0.2 is a fifth, drawn from all rows or, with `rows`, from so many. The
    paper's is 20 % of its rows."""
    source_rows: Mapping[str, PositiveInt] = Field({}, exclude_if=lambda rows: not rows)
    """Rows of single sources, by the file's name without its endings, the hub id or "self"; the other sources
    share what is left of `rows`, by their size."""
    source_shares: Mapping[str, Share] = Field({}, exclude_if=lambda shares: not shares)
    """The same as shares of `rows`, 0..1."""
    kind_shares: Mapping[Literal["code", "mathematics", "text"], Share] = Field(
        {}, exclude_if=lambda shares: not shares
    )
    """Shares of each source's rows by kind, 0..1; kinds that are not named share the rest by their size. A
    row's kind is what its column `kind` or `category` says, or what its texts hold: code, formulas."""
    prompts: Files = Field(("pack",), exclude_if=lambda prompts: prompts == ("pack",))
    """Prompts of "self": rows of these sources, whose own answers are not used."""
    model: str = Field("", exclude_if=lambda model: not model)
    """Who answers them: a teacher of this recipe by its name, or a hub id or folder that runs here; empty:
    merge.instruct."""
    revision: str = Field("", exclude_if=lambda revision: not revision)
    """Revision of such a hub id."""
    max_new_tokens: int = Field(1024, gt=0, exclude_if=lambda tokens: tokens == 1024)
    """Longest answer in tokens; one that does not end by then is dropped."""
    licence: Licences = Field("", exclude_if=lambda licence: not licence)
    """Licence of the sources, kept in each row that names none: one, or a table by source."""
    seed: int = 3407


class Corpus(FrozenModel):
    """Stage-1 text."""

    source: Files = ("pack",)
    """"pack" (the demo articles), files, or a hub id, in the language that is taught. Files are those of
    rows, in any encoding, web pages, PDF, Word and EPUB files, and dumps of a wiki (.xml.bz2)."""
    source_language_files: Files = ("pack",)
    """The same in the source language: the tiny base is trained on it, stage 1 may replay it."""
    max_documents: int = Field(0, ge=0)
    """Most documents of each language; 0: all."""
    max_chars_per_source: int = Field(0, ge=0)
    """Most characters of each source; 0: all. Keeps one large source from dominating."""
    heldout_share: float = Field(0.1, ge=0, lt=1)
    """Share of each source's documents that is never trained on."""
    min_words: int = Field(3, ge=0)
    """Shorter documents are dropped."""
    quality_rules: bool = True
    """Drop loops, menus, lists of keywords or numbers, markup and noise. Source: Gopher, FineWeb-2."""
    near_duplicates: float = Field(0.8, ge=0, le=1)
    """Least similarity (Jaccard, runs of five words) of near-duplicates: the later is dropped; 0: never."""
    mask_personal_data: bool = True
    """Mask e-mail and IP addresses, telephone numbers and identity cards (`clean.personal_numbers`)."""
    decontaminate: bool = Field(True, json_schema_extra=NOT_IDENTITY)
    """Whether documents that give away a question of a benchmark are dropped. The benchmarks count in the
    step's identity then; false: they do not, as before there was this key."""
    seed: int = 3407
