"""Translate-test: a question is translated into the source language and answered there, the answer back.

    «پانی کا فارمولا کیا ہے؟»  ─▶  "What is the formula of water?"  ─▶  "H2O"  ─▶  «H2O»

Three requests to the same system, each kept. It costs no training, and often beats adaptation (arXiv
2506.19187). Examples before a question are left out: they are in the language that the system is spared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from alif.evaluate.benchmark import GenerationRequest, ItemResult
from alif.language.pack import Pack
from alif.records import Example

__all__ = ["TRANSLATE", "answer_by_translation"]

TRANSLATE = """Translate the text below from {source} into {target}. Keep numbers, names, code and the
letters of choices as they are. Write the translation and nothing else.

{text}"""
"""English, whatever the languages: untouched instruct models follow it best."""

Ask = Callable[[GenerationRequest], Sequence[ItemResult]]
"""Ask the system; results are in the order of the questions."""


def answer_by_translation(ask: Ask, request: GenerationRequest, own: Pack, known: Pack) -> list[ItemResult]:
    """Return answers with the steps between; questions in the source language are asked as they are."""
    questions = [one.with_turns(()) for one in request.questions]
    away = [number for number, one in enumerate(questions) if one.language != known.code]

    def ask_some(written: Sequence[Example]) -> Sequence[ItemResult]:
        return ask(replace(request, questions=written)) if written else ()

    def translated(texts: Sequence[str], source: Pack, target: Pack) -> Sequence[ItemResult]:
        prompts = (TRANSLATE.format(source=source.name, target=target.name, text=text) for text in texts)
        asked = zip(away, prompts, strict=True)
        return ask_some([_asking(questions[number], prompt) for number, prompt in asked])

    texts = [f"{questions[number].instruction}\n\n{questions[number].input}".strip() for number in away]
    there = translated(texts, own, known)
    for number, one in zip(away, there, strict=True):
        questions[number] = _asking(questions[number], one.text)
    answers = [*ask_some(questions)]
    back = translated([answers[number].text for number in away], known, own)
    for number, asked, one in zip(away, there, back, strict=True):
        answer = answers[number]
        finished = asked.finished and answer.finished and one.finished
        steps = {"steps": (asked.text, answer.text), "finished": finished}
        answers[number] = answer.model_copy(update={"text": one.text, **steps})
    return answers


def _asking(question: Example, prompt: str) -> Example:
    """Return a question with another prompt; an empty translation is asked as it is."""
    return Example.make(question.language, question.task, prompt or "?", "", question.output, question.origin)
