"""Every key of a recipe, typed, with its default, its unit and its source: one class a table.

Two halves: what is made (every table but one; part of each step's identity) and `Runtime`: how fast, at what
cost, on what.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from alif.records import FrozenModel
from alif.settings.benchmark_table import BenchmarkTable, BenchmarkTables
from alif.settings.data_tables import (
    Corpus,
    Endpoint,
    Filter,
    Generate,
    Language,
    Pool,
    Replay,
    Review,
    Seeds,
    Sources,
    Teacher,
    Translate,
)
from alif.settings.evaluation_tables import Benchmarks, Evaluate, ExternalSystem, Systems
from alif.settings.judge_tables import Judge, Judges, Judging
from alif.settings.mixture_tables import Pairs, Part, Split
from alif.settings.runtime_table import Runtime
from alif.settings.training_tables import (
    Adapter,
    Export,
    Finetune,
    Merge,
    Prefer,
    Pretrain,
    Stage,
    StudentSettings,
    Tiny,
)
from alif.settings.types import RunName

__all__ = [
    "Adapter", "BenchmarkTable", "Benchmarks", "Corpus", "Endpoint", "Evaluate", "Export", "ExternalSystem",
    "Filter", "Finetune", "Generate", "Judge", "Judging", "Language", "Merge", "Pairs", "Part", "Pool",
    "Prefer", "Pretrain", "Recipe", "Replay", "Review", "Runtime", "Seeds", "Sources", "Split", "Stage",
    "StudentSettings", "Teacher", "Tiny", "Translate",
]  # fmt: skip


class Recipe(FrozenModel):
    """All settings of a run."""

    name: RunName
    """The folder under runs/."""
    about: str = ""
    """One sentence for `alif ls`."""
    notes: tuple[str, ...] = ()
    """What `alif check` and the data card say of the recipe: licences, a paper's sums that do not add up."""
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
    pairs: Pairs = Pairs()
    corpus: Corpus = Corpus()
    student: StudentSettings = StudentSettings()
    tiny: Tiny = Tiny()
    adapter: Adapter = Adapter()
    pretrain: Pretrain = Pretrain()
    finetune: Finetune = Finetune()
    prefer: Prefer = Prefer()
    merge: Merge = Merge()
    benchmarks: Benchmarks = Benchmarks()
    benchmark: BenchmarkTables = Field(default={})
    """Questions with known answers, one table a benchmark: [benchmark.NAME]."""
    system: Systems = Field(default={})
    """Other models to measure, one table a system: [system.NAME]."""
    evaluate: Evaluate = Evaluate()
    judge: Judges = Field(default={})
    """Models that compare the answers, one table a judge: [judge.NAME]. None: nothing is judged."""
    judging: Judging = Judging()
    export: Export = Export()
    runtime: Runtime = Runtime()

    @property
    def decontaminated(self) -> Mapping[str, BenchmarkTable]:
        """The benchmarks whose questions never enter the blend, with what says which questions these are."""
        return {name: one.which_items() for name, one in self.benchmark.items() if one.decontaminate}

    @property
    def replay_model(self) -> Mapping[str, Teacher | StudentSettings]:
        """Who answers the prompts of `replay.source = "self"`: a teacher, or a model that runs here."""
        if "self" not in self.replay.source:
            return {}
        name, revision = self.replay.model, self.replay.revision
        if name in self.teacher:
            return {name: self.teacher[name]}
        if not name:
            name, revision = self.merge.instruct, self.merge.revision
        return {name: StudentSettings(base=name, revision=revision)} if name else {}

    @model_validator(mode="after")
    def check_names(self) -> Self:
        """Refuse names of teachers that are none, and two ways to say one thing."""
        back = self.translate.back_translator
        if back and back not in self.teacher:
            told = f"Translate.back_translator names {back}, which is no teacher of this recipe"
            raise PydanticCustomError("teacher", "{told}", {"told": told})
        if back and len(self.teacher) == 1:
            told = (
                "Translate.back_translator is the only teacher; another model has to check its translations"
            )
            raise PydanticCustomError("teacher", "{told}", {"told": told})
        if "self" in self.replay.source and not self.replay_model:
            told = (
                'Replay.source = "self" needs the base\'s instruct sibling in replay.model or merge.instruct'
            )
            raise PydanticCustomError("replay", "{told}", {"told": told})
        if self.replay.share and "replay" in self.blend and self.blend["replay"].rows:
            told = "Replay.share and blend.replay.rows both say how much is replayed; set one of them"
            raise PydanticCustomError("replay", "{told}", {"told": told})
        return self

    @property
    def translated_from(self) -> Mapping[str, Translate]:
        """What translated rows are made of, where a benchmark asks in that language; else nothing."""
        tables = self.decontaminated.values()
        asks = self.benchmarks.multiple_choice or any(one.language or one.original for one in tables)
        return {"translate": self.translate} if self.translate.rows and asks else {}

    @property
    def replay_part(self) -> Mapping[str, Part]:
        """The part of the mixture whose amount `replay.share` says; else nothing."""
        if not self.replay.share or "replay" not in self.blend:
            return {}
        return {"replay": self.blend["replay"].model_copy(update={"share": self.replay.share})}

    @property
    def kept_out(self) -> Mapping[str, Benchmarks | BenchmarkTable]:
        """The benchmarks whose questions never enter stage 1, the pack's test set as "test"; else nothing."""
        return {"test": self.benchmarks, **self.decontaminated} if self.corpus.decontaminate else {}

    def stages(self) -> dict[str, Stage]:
        """Return the stages that are trained on an adapter, by name, in order."""
        found: dict[str, Stage] = {"pretrain": self.pretrain, "finetune": self.finetune}
        return found | ({"prefer": self.prefer} if self.pairs.source else {})

    def systems(self) -> list[str]:
        """Return the names of what is measured, the base first."""
        return ["base", *self.stages(), *self.merge.pairs(), *self.system]
