"""The tables of a language pack's files, as a linguist fills them in: one class a table, one field a key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from alif.language.pack_fields import CharacterMap, Characters, NumberShapes, Patterns, ScriptName, Spellings
from alif.language.pack_numbers import Clock, Dates, Numbers
from alif.language.pack_slots import Length, SlotNames, Slots
from alif.records import FrozenModel

__all__ = ["RENAMED_KEYS", "Into", "Numbers", "PackFile", "PackTables", "TaskFile"]

RENAMED_KEYS = {
    "script.telling": "script.distinctive",
    "script.telling_share": "script.distinctive_share",
    "script.words": "script.function_words",
    "script.words_share": "script.function_word_share",
    "roman.words": "roman.function_words",
    "roman.words_share": "roman.function_word_share",
    "numbers.weak": "numbers.ambiguous",
    "choices.together": "choices.collective_words",
    "choices.beside": "choices.choice_nouns",
    "carriers": "request_templates",
}
"""Key of an older pack or task file → its name today."""

Phrasings = tuple[str, ...]


class Script(FrozenModel):
    """Which letters the language is written in."""

    name: ScriptName  # Unicode's name of the script: Arabic, Bengali
    letters: Characters  # every letter that a word of the language may hold
    distinctive: Characters = ""  # letters that the neighbours in the same script lack
    distinctive_share: float = Field(0.0, ge=0, le=1)
    """Least share of distinctive letters, of the letters in this script, that proves the language."""
    neighbours: tuple[str, ...] = ()
    """Languages that a reader could mistake it for (codes of py3langid)."""
    neighbour_words: Phrasings = ()
    """Function words of such languages, also of those that the classifier does not know: never this one's."""
    classified_as: tuple[str, ...] = ()
    """What py3langid calls most texts of this language, where it does not know it."""
    function_words: Phrasings = ()
    """Words that occur in nearly every text of this language and in none of its neighbours."""
    function_word_share: float = Field(0.0, ge=0, le=1)
    """Least share of these words in a sentence of this language."""


class Roman(FrozenModel):
    """The language in another script, as people type it where no keyboard has theirs."""

    code: str = Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]+)+$")
    """BCP 47 with the script: ur-Latn."""
    script: ScriptName = "Latin"  # Unicode's name of that script
    function_words: Phrasings
    """In all their spellings, without those of the source language and of others in that script."""
    function_word_share: float = Field(gt=0, le=1)
    """Least share of these words in a sentence."""


class Clean(FrozenModel):
    """Repairs of encoding that are safe in training text: another way to write the same letter."""

    presentation_forms: Characters = ""  # letters in a fixed shape, as in PDF files: made plain by NFKC
    personal_numbers: NumberShapes = ()  # that name a person: "#####-#######-#" is Pakistan's identity card


class Compare(FrozenModel):
    """What makes no difference when two texts are compared. Never written back into a text."""

    letters: CharacterMap = Field(default_factory=dict)
    """Letter → the letter that it counts as."""
    drop: Characters = ""  # characters that do not count: vowel marks, tatweel
    space: Characters = ""  # characters that count as a space
    compose: Mapping[str, str] = {}  # letter with a mark → the one letter that Unicode does not make of it
    spellings: Patterns = Field(default_factory=dict)
    """Whole words → how they count in answers: words written together or apart."""


class Style(FrozenModel):
    """The house style of the pack's own texts, named by `alif check`; never applied by itself."""

    marks: Mapping[str, str] = Field(default_factory=dict)
    """Mark → the one that the pack writes instead."""
    spellings: Patterns = Field(default_factory=dict)
    """Whole words → how the pack spells them."""


class Sentences(FrozenModel):
    """Where a sentence ends."""

    marks: Characters  # marks that end a sentence
    closers: Characters = ""  # quotes and brackets that may close after the mark


class Quoted(FrozenModel):
    """Stretches in a related language that keep its letters: Arabic verses in an Urdu text."""

    letters: Characters = ""  # letters of the related language
    words: int = Field(3, ge=1)
    """A stretch between punctuation of at least so many words with these letters only is a quotation."""
    brackets: tuple[str, ...] = ()
    """Pairs of marks; whatever is between them is a quotation."""
    phrases: Phrasings = ()  # shorter quotations, as they are written


class Choices(FrozenModel):
    """How the choices of a question are lettered in an answer."""

    letters: tuple[tuple[str, ...], ...] = ()
    """Series of letters, each in order: (A, B, C, D); the first of each series is one and the same choice."""
    words: Phrasings = ()
    """Words that may stand around the letter: answer, option, is, correct."""
    asks: Phrasings = ()
    """Phrases by which a question asks to choose: which of, the right answer."""
    collective_words: Phrasings = ()
    """Words by which a question is about a list as a whole, or about each item: these, all, order."""
    ordinals: tuple[Spellings, ...] = ()
    """Names of the choices by their order, from the first: first, second."""
    last: Phrasings = ()
    """Names of the last one."""
    choice_nouns: Phrasings = ()
    """Nouns beside an ordinal that names a choice: option, one. Not "answer": "the last answer" is final."""
    none_of: Phrasings = ()  # ways to say: none of these
    all_of: Phrasings = ()
    """Ways to say: all of these."""


class FilterPhrases(FrozenModel):
    """Phrases that filters look for, compared as words."""

    refusals: Phrasings = ()
    """A model speaks of itself, or excuses itself: no answer, however it goes on."""
    declines: Phrasings = ()
    """Somebody declines: no answer where little else is said, but one where reason and a way out follow."""
    openings: Phrasings = ()
    """Empty openings of an assistant: sure, here is. Before a lone text they are taken away."""
    offers: Phrasings = ()
    """What it says behind a lone text, a translation or a question: let me know if, hope this helps."""
    closings: Phrasings = ()
    """Remarks behind the tasks. Each names the tasks: a letter, too, ends in "let me know"."""
    negations: Phrasings = ()
    """Words that turn an answer into its opposite."""
    denials: Phrasings = ()
    """Those of them that can deny the number beside them, with longer forms; without any, all can."""
    negation_precedes: bool = False  # whether the denial stands before what it denies
    bounds: Phrasings = ()
    """Words beside a number that make it a bound: more than, at least."""
    reasons: Phrasings = ()
    """Words that begin a reason, or the parts of a total: because, of which."""
    corrections: Phrasings = ()
    """Words between what is denied and what is right instead: but rather."""
    opposites: tuple[tuple[Spellings, Spellings], ...] = ()
    """Pairs of words that cannot both be right: profit, loss."""
    alternatives: Phrasings = ()
    """Words between alternatives: or."""
    conjunctions: Phrasings = ()
    """Words between the items of a list: and."""


class Statements(FrozenModel):
    """How a short answer is said in a sentence, and what may stand beside it."""

    frame: Phrasings = ()
    """Words of a sentence that the answer alone may lack: is, was, this."""
    after: Phrasings = ()
    """Words right behind the answer in a sentence: is, by, called."""
    before: Phrasings = ()
    """Words right before an answer that ends its sentence: is."""
    verbless: bool = False  # whether a sentence may end with the answer without such a word
    kinds: tuple[Spellings, ...] = ()
    """Nouns that say what a name is of and may be left out, with synonyms: (river, stream), (city)."""
    titles: Phrasings = ()  # of people, which may be left out: doctor
    qualifiers: Phrasings = ()  # words before a name that make another of it: North
    letters: Phrasings = ()
    """The names of the Latin letters, A to Z, as abbreviations are spelled."""
    undecidable: Phrasings = ()  # ways to say that there is no answer: it cannot be told


class Keys(FrozenModel):
    """Translations of the labels Instruction, Input and Output, and of <noinput>, as teachers write them."""

    instruction: Phrasings = ()  # translations of Instruction
    input: Phrasings = ()  # translations of Input
    output: Phrasings = ()  # translations of Output
    no_input: Phrasings = ()  # translations of <noinput>: none, no input
    translation: Phrasings = ()
    """Words by which a teacher names its translation, in all forms; in the source language also those that
    are translated by such a word (interpretation)."""
    note: Phrasings = ()
    """Labels of a remark beside a translation: note, explanation, pronunciation."""
    version: Phrasings = ()
    """Labels of one of several translations: option, version, formal."""


class Headings(FrozenModel):
    """Labels at the beginning of a line that structure an answer."""

    answer: Phrasings = ()
    """The final answer follows."""
    other: Phrasings = ()
    """The working or the reason follows; it ends a final answer."""


class Into(FrozenModel):
    """Translation: phrases by which a request names the language that it wants."""

    own: Phrasings = ()
    """The pack's: into Urdu."""
    known: Phrasings = ()
    """The source language: into English."""


class TaskFile(FrozenModel):
    """tasks/NAME.toml: what kind of instruction this is."""

    title: str  # what the task is called in English
    native_title: str  # and in the language
    weight: int = Field(0, gt=0)
    """Its part of the accepted rows, relative to the other tasks'. Left out where there is a share."""
    share: float = Field(0.0, gt=0, lt=1)
    """Its part of all accepted rows, 0..1; the others share the rest by weight."""
    scope: Literal["instruction", "instruction+input"] = "instruction"  # what the pool compares
    answer: Literal["own", "known", "either"] = "own"
    """Language of the answer: the pack's, the source language, or whichever is asked for."""
    answer_script: Literal["own", "roman", "either"] = "own"
    """Script of such an answer: the pack's, that of its table `roman`, or whichever is asked for."""
    metric: Literal["exact", "chrf"] = "chrf"  # how an answer is scored against a reference
    facts: bool = False  # whether a short reference is a fact, which a sentence may state in its own words
    labels: tuple[str, ...] = ()
    """The only right answers, where they are fixed."""
    forms: Mapping[Length, SlotNames] = Field(default_factory=dict)
    """Slots: the lengths that its answers may have (short, middle, long) → the forms that such answers may
    have (table, list, letter …) → how a form is asked for."""
    world_share: float = Field(0.0, ge=0, le=1)
    """Slots: part of its requests that are about the wide world; the others are at home."""
    grounded_share: float = Field(0.0, ge=0, le=1)
    """Slots: part of its requests at home that are answered from a passage."""
    request_templates: tuple[str, ...] = ()
    """Translation: requests to translate an `input` in the source language."""
    into: Into = Into()
    headings: Headings = Headings()

    @model_validator(mode="after")
    def _has_weight_or_share(self) -> Self:
        if bool(self.weight) == bool(self.share):
            raise ValueError("a task has a weight or a share")
        return self


class PackTables(FrozenModel):
    """What pack.toml says of the language."""

    code: str = Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]+)*$")
    """BCP 47."""
    name: str  # what the language is called in English; prompts use it
    native_name: str  # what it calls itself
    direction: Literal["rtl", "ltr"]  # of writing
    licence: str = ""  # of the texts in this folder; empty where it is not stated
    script: Script
    clean: Clean = Clean()
    compare: Compare = Compare()
    numbers: Numbers
    dates: Dates = Dates()
    clock: Clock = Clock()
    style: Style = Style()
    sentences: Sentences
    lookalikes: CharacterMap = Field(default_factory=dict)
    """Wrong letter → right letter: they look alike in print."""
    quoted: Quoted = Quoted()
    choices: Choices = Choices()
    phrases: FilterPhrases = FilterPhrases()
    statements: Statements = Statements()
    keys: Keys = Keys()
    topics: Mapping[str, Phrasings] = Field(default_factory=dict)
    """Topic → words that indicate it, as they are inflected: for the report of what the rows are about."""
    registers: Mapping[str, Phrasings] = Field(default_factory=dict)
    """Register (polite, familiar) → words that indicate it."""
    slots: Slots | None = None  # what each item of a request is asked to be about
    roman: Roman | None = None  # how the language is written in another script

    @field_validator("slots")
    @classmethod
    def _names_are_the_pack_s(cls, slots: Slots | None, info: ValidationInfo) -> Slots | None:
        for table in ("topics", "registers") if slots else ():
            if other := sorted({*info.data.get(table, ())} ^ {*getattr(slots, table)}):
                raise ValueError(f"{other[0]} stands in only one of {table} and slots.{table}")
        return slots


class PackFile(PackTables):
    """pack.toml."""

    tasks: tuple[Annotated[str, Field(pattern=r"^\w[\w-]*$")], ...] = ()
    """Names of the tasks, in the order of requests and reports; files are named after them."""
