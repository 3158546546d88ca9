"""Read a reply that is one text, a translation or a question, without what its teacher wrote around it.

    Here is the translation:        a heading, label or opening before it
    "…" ``` … ``` **…** 1. …        marks around all of it
    (Note: I kept the name.)        a note, an offer of help, a transliteration, the original beside it

What is taken away is no part of the text: its original has nothing like it. What is left and still looks as
if it stood around the text (several versions, a remark in its middle) is named, and the row is dropped.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from alif.language.pack import Pack
from alif.language.replies import reply_cleanup
from alif.language.replies.field_labels import label_styles, read_label
from alif.language.replies.no_input import says_no_input
from alif.language.replies.wrapping import (
    HEAD,
    MAX_HEAD_WORDS,
    MIN_REMARK_WORDS,
    Kind,
    Wrapping,
    filled_lines,
)
from alif.language.text import find_phrase, normalise_text, split_sentences, split_words
from alif.records import Dropped

__all__ = ["LoneText", "find_wrapping", "read_text", "strip_wrapping"]

_QUOTED = re.compile(r"""(["“”„«'‘「])(?P<inner>.+)(["”“»'’」])(?P<mark>[.!?،؛؟۔।]?)""", re.DOTALL)
_BRACED = re.compile(r"[(\[](?P<inner>[^()\[\]]+)[)\]]")
_QUOTES = "\"“”„«»'‘’「」"
_EMPHASIS = re.compile(r"(?P<mark>\*{1,3}|_{1,3}|`)(?P<inner>[^*_`].*?)(?P=mark)", re.DOTALL)
_FENCED = re.compile(r"```[\w-]*\n(?P<inner>.*?)\n?```", re.DOTALL)
_VALUED = re.compile(
    r'\{\s*"[^"\n]{1,40}"\s*:\s*"(?P<value>(?:[^"\\]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))+)"\s*\}'
)
_MARK = re.compile(r"</?[A-Za-z][\w:]*>|\\[A-Za-z]{2,}\{|[\U0001f300-\U0001faff\u2600-\u27bf]")
_LIST_MARK = re.compile(r"[ \t]*(?:[-*•–]|#{1,6}(?=\s+\D)|[(\[]?\d{1,2}[.):۔-])[ \t]+")
_RULE = re.compile(r"[\s\-*_=#`>]+")
_BRACKETED = re.compile(r"\s*[(\[（](?P<inner>[^()\[\]（）]{2,400})[)\]）](?P<mark>[\s.!?*_،؛؟۔।]*)\Z")


@dataclass(frozen=True)
class LoneText:
    """What a reply says, and what was taken away from around it."""

    text: str
    tolerances: tuple[str, ...] = ()


def read_text(reply: str, finish: str, own: Pack, known: Pack, source: str, kind: Kind) -> LoneText | Dropped:
    """Return the text that a reply consists of, or why there is none.

    `source` is the original of a translation, the answer to a question.
    """
    said, thought = reply_cleanup.strip_thinking(reply)
    if finish != "stop" or not said.strip():
        reason = "truncated" if finish != "stop" else "empty"
        return Dropped(raw=reply, reason=reason, evidence=f"finish: {finish}")
    whole = normalise_text(said, own).strip()
    text = strip_wrapping(whole, own, known, source, kind)
    return LoneText(text, ("thinking",) * thought + ("wrapping",) * (text != whole))


def strip_wrapping(text: str, own: Pack, known: Pack, source: str, kind: Kind) -> str:
    """Return a text without what stands around it; never an empty one."""
    around = Wrapping(own, known, source, kind)
    steps = (
        _strip_echo, _strip_fence, _strip_fields, _strip_head, _strip_lines, _strip_marks, _strip_line_marks,
        _strip_sentence, _strip_brackets,
    )  # fmt: skip
    before = ""
    while text not in (before, source):
        before = text
        for step in steps:
            text = step(around, text).strip() or text
    return text


def find_wrapping(text: str, own: Pack, known: Pack, source: str, kind: Kind) -> str:
    """Say what in a text still looks as if it stood around it, "" if nothing does."""
    around = Wrapping(own, known, source, kind)
    own_checks = (_find_mention, _find_lines) if kind == "translation" else (_find_no_question,)
    checks = (_find_label, _find_mark, *own_checks, _find_foreign_sentence) if text != source else ()
    return next((found for check in checks if (found := check(around, text))), "")


def _strip_echo(around: Wrapping, text: str) -> str:
    """Take away the original that the text begins with."""
    plain, shown = around.original.strip(f"{_QUOTES}.!? "), text.lstrip(_QUOTES)
    if not plain or not shown.startswith(plain):
        return text
    behind = shown[len(plain) :].lstrip(f"{_QUOTES}.!?*_ ")
    separated = behind.startswith(tuple("=→⇒:–—|-\n")) or len(split_words(plain, around.known)) > 2
    rest = behind.lstrip("=→⇒:–—|-> \n")
    return rest if separated and any(map(str.isalpha, rest)) else text


def _strip_fence(around: Wrapping, text: str) -> str:
    """Take the text out of a fence, or out of JSON with one value."""
    fenced = _FENCED.fullmatch(text)
    if fenced and reply_cleanup.FENCE not in around.original:
        return fenced["inner"]
    valued = _VALUED.fullmatch(text)
    return (
        str(json.loads(f'"{valued["value"]}"', strict=False))
        if valued and "{" not in around.original
        else text
    )


def _strip_fields(around: Wrapping, text: str) -> str:
    """Take the field that was asked for out of a reply that is an item."""
    field = "output" if around.kind == "translation" else "instruction"
    lines = text.split("\n")
    for style in label_styles(around.own):
        labels = [(n, found) for n, line in enumerate(lines) if (found := read_label(line, style))]
        if len(labels) <= sum(map(around.is_field, around.original.split("\n"))):
            continue
        rest = [*(n for n, _ in labels), len(lines)]
        texts = {
            label.field: "\n".join((label.rest, *lines[n + 1 : rest[place + 1]])).strip()
            for place, (n, label) in enumerate(labels)
        }
        given = texts.get("input", "") if around.kind == "question" else ""
        if says_no_input(given, around.own) and (field in texts or labels[0][0] > 0):
            return texts.get(field) or "\n".join(lines[: labels[0][0]])
    return text


def _strip_head(around: Wrapping, text: str) -> str:
    """Take away what announces the text: "Translation: …", "Here you are:" or a heading above it."""
    bare = text.lstrip(" \t*_#>`")
    head = HEAD.match(bare)
    rest = bare[head.end() :] if head else ""
    if head and rest.strip() and around.announces(head["head"]):
        mirrored = HEAD.match(around.original) is None or HEAD.match(rest.lstrip(" \n*_#")) is not None
        return rest if mirrored else text
    return text


def _strip_lines(around: Wrapping, text: str) -> str:
    """Take away lines before and behind the text that are headings, remarks or in another language."""
    lines = text.split("\n")
    while len(filled_lines("\n".join(lines))) > around.lines and _is_heading(around, lines):
        lines = lines[1:]
    while len(filled_lines("\n".join(lines))) > around.lines:
        begin = len(lines) - 1
        while begin and lines[begin - 1].strip():
            begin -= 1
        if begin and around.is_remark(lines[begin]):
            lines = lines[:begin]
        elif not lines[-1].strip() or _RULE.fullmatch(lines[-1]) or around.is_remark(lines[-1]):
            lines = lines[:-1]
        else:
            break
    return "\n".join(lines)


def _is_heading(around: Wrapping, lines: list[str]) -> bool:
    """Tell whether the first of several lines is no part of the text below it."""
    first = lines[0].strip()
    if not first or _RULE.fullmatch(first) or around.is_foreign(first, head=True):
        return True
    if around.names(first, "openings") and len(split_words(first, around.own)) <= MAX_HEAD_WORDS:
        return True
    if around.kind == "question" and first.endswith((":", "：")) and not lines[1].strip():
        return not _LIST_MARK.match("\n".join(lines[1:]).lstrip())
    return first[-1] not in around.own.sentences.marks and around.announces(first)


def _strip_marks(around: Wrapping, text: str) -> str:
    """Take away quotation marks, brackets and emphasis around the whole text."""
    original = around.original.strip()
    if original.strip(_QUOTES) == original:
        quoted = _QUOTED.fullmatch(text)
        if quoted and not set(_QUOTES) & set(quoted["inner"]):
            ended = quoted["inner"][-1] in f"{around.own.sentences.marks}."
            return quoted["inner"] + quoted["mark"] * (not ended)
        if sum(map(text.count, _QUOTES)) == 1 and not set(_QUOTES) & set(original):
            return text.strip('"')
    if not original.startswith(("(", "[")) and (braced := _BRACED.fullmatch(text)):
        return braced["inner"]
    marked = _EMPHASIS.fullmatch(text)
    bare = marked and marked["mark"] not in marked["inner"] and not original.startswith(marked["mark"][0])
    return marked["inner"] if marked and bare else text


def _strip_line_marks(around: Wrapping, text: str) -> str:
    """Take away the mark of a quotation, a heading or a list before a text that is all of it."""
    if not around.original.startswith(">") and all(line.startswith(">") for line in text.split("\n")):
        return "\n".join(line[1:].lstrip() for line in text.split("\n"))
    listed = _LIST_MARK.match(text)
    if not listed or len(filled_lines(text)) > 1 or _LIST_MARK.match(around.original):
        return text
    number = re.search(r"\d+", listed[0])
    return text if number and str(int(number[0])) in around.original else text[listed.end() :]


def _strip_sentence(around: Wrapping, text: str) -> str:
    """Take away an opening or an offer in the text's own line."""
    sentences = split_sentences(text, around.own)
    if len(sentences) < 2:
        return text
    first, last = sentences[0], sentences[-1]
    if around.names(last, "offers") and not around.names(around.source, "offers"):
        return text[: text.rindex(last)]
    opening = find_phrase(first, around.known.phrases.openings, around.known)
    if opening and len(split_words(first, around.own)) <= MIN_REMARK_WORDS and first not in around.source:
        return text[text.index(first) + len(first) :]
    return text


def _strip_brackets(around: Wrapping, text: str) -> str:
    """Take away a note, a transliteration or the original in brackets at the end."""
    found = _BRACKETED.search(text)
    if not found or not found.start() or _BRACKETED.search(around.original):
        return text
    words = split_words(found["inner"], around.own)
    foreign = around.is_foreign(found["inner"]) and len(words) >= MIN_REMARK_WORDS - 1
    echo = around.original and words == split_words(around.original, around.own)
    inner = found["inner"]
    named = around.is_labelled(inner) or around.names(inner, "offers") or around.names(inner, "translation")
    if not (foreign or echo or named):
        return text
    return text[: found.start()] + found["mark"].strip(" *_\n")


def _find_label(around: Wrapping, text: str) -> str:
    """Find a line that is labelled as a note, a version or a field, where the original has fewer."""
    labelled = [line for line in filled_lines(text) if around.is_labelled(line)]
    return labelled[0] if len(labelled) > sum(map(around.is_labelled, around.source.split("\n"))) else ""


def _find_mark(around: Wrapping, text: str) -> str:
    """Find a tag, a LaTeX command or a picture that the original does not have."""
    return next((mark for mark in _MARK.findall(text) if mark not in around.source), "")


def _find_mention(around: Wrapping, text: str) -> str:
    """Find that a translation speaks of itself or offers help, or has marks between versions."""
    for key in ("translation", "offers"):
        if around.names(text, key) and not around.names(around.source, key):
            return f"a word of {key}"
    marks = ("```", "|--", "→", " / ")
    return next((mark for mark in marks if mark in text and mark.strip() not in around.source), "")


def _find_lines(around: Wrapping, text: str) -> str:
    """Find more lines than the original has, unless each may be one of its sentences."""
    lines, most = len(filled_lines(text)), around.lines
    if text.count("\n\n") <= around.source.count("\n\n"):
        most = max(most, len(split_sentences(around.source, around.known)))
    return f"{lines} lines, the original has {around.lines}" if lines > most else ""


def _find_no_question(around: Wrapping, text: str) -> str:
    """Find several questions, or a paragraph that is neither the question nor a list of it."""
    lines = filled_lines(text)
    listed = [line for line in lines if _LIST_MARK.match(line)]
    if len(listed) > 1 and lines[0] in listed:
        return "several questions"
    later = [part for part in re.split(r"\n[ \t]*\n", text)[1:] if not _LIST_MARK.match(part)]
    return f"a second paragraph: {later[0]}" if later else ""


def _find_foreign_sentence(around: Wrapping, text: str) -> str:
    """Find a sentence in another language within a text that is not all in it."""
    sentences = split_sentences(text, around.own)
    foreign = [sentence for sentence in sentences if around.is_foreign(sentence)]
    long = (one for one in foreign if len(split_words(one, around.own)) >= MIN_REMARK_WORDS)
    return next(long, "") if len(foreign) < len(sentences) else ""
