"""Tokens and tags of chat templates that a server left in a reply: taken off its ends, found in its rows.

    <|im_start|>assistant … <|im_end|>      headers before the answer, and whatever follows its end
    <answer> … </answer>                    tags around the whole answer
    Output: yes<|im_end|>                   within a row: `find_control_token` names it, the row is dropped

A token that is left in a row could be encoded as itself in training: an end of turn within an answer.

Source: the templates of Llama 2 to 4, Qwen, Gemma 2 to 4, gpt-oss, Mistral, DeepSeek, Kimi, Command A,
EXAONE and GLM.
"""

from __future__ import annotations

import re

from alif.language.replies.field_labels import KEYS
from alif.language.replies.no_input import NO_INPUT

__all__ = [
    "THINKING_WORDS", "find_control_token", "may_hold_token", "strip_answer_tags", "strip_turn_tokens",
]  # fmt: skip

THINKING_WORDS = "think|thinking|thoughts?|reasoning"
_NAMED = rf"</?(?:[a-z]{{1,16}}:)?(?:{THINKING_WORDS}|answer|final_answer|tool_calls?|tool_response)>"
"""Between two spaces such a tag is spoken of: "Write </think> and so on"."""
_CONTROL = re.compile(
    r"<\|[^\s|<>]{1,60}\|>"  # <|im_end|>
    r"|<\|/?[a-z_]{2,30}>|<[a-z_]{2,30}\|>"  # <|channel> and <channel|>
    r"|<｜[^\s<>]{1,60}｜>"  # DeepSeek's, with wide bars
    r"|</?(?:bos|eos|pad|unk)>|</?(?:start|end)_of_[a-z_]{1,20}>"
    r"|<(?:unused|extra_id_|reserved_|special_)[0-9]{1,5}>|<0x[0-9a-f]{2}>"
    rf"|(?<![ \t]){_NAMED}|{_NAMED}(?![ \t.,;:،؛۔])"
    r"|<</?SYS>>|\[/?(?:INST|THINK|SYSTEM_PROMPT|TOOL_CALLS|gMASK|EOS|BOS)\]|\[\|[a-z]{1,30}\|\]"
    r"|◁[^\s◁▷]{1,30}▷",
    re.IGNORECASE,
)
_STRUCK_OUT = re.compile(r"<s>(?:(?!</?s>).)*</s>", re.IGNORECASE | re.DOTALL)
"""HTML's struck-out text, which is written with the names of Llama 2's tokens."""
_SENTENCE = re.compile(r"</?s>", re.IGNORECASE)

_ROLE = r"(?:assistant|model|user|system|human|tool)"
_HEADER = (
    rf"(?:<\|im_start\|>{_ROLE}?|<\|start_header_id\|>{_ROLE}<\|end_header_id\|>"
    rf"|<\|header_start\|>{_ROLE}<\|header_end\|>"
    rf"|<start_of_turn>{_ROLE}?|<\|turn>{_ROLE}?|<\|start\|>{_ROLE}?"
    r"|<\|(?:assistant|user|system|bot)\|>"
    rf"|<\|start_of_role\|>{_ROLE}<\|end_of_role\|>|\[\|{_ROLE}\|\]|<｜(?:Assistant|User)｜>"
    r"|\[/?INST\]|<\|message\|>"
    r"|<\|START_OF_TURN_TOKEN\|>(?:<\|[A-Z_]+_TOKEN\|>)?|<\|im_(?:assistant|user|system|middle)\|>"
    r"|<s>|<bos>|<\|begin_of_text\|>|<\|startoftext\|>|<｜begin▁of▁sentence｜>|\[gMASK\]|<sop>)"
)
_END = (
    r"(?:<\|im_end\|>|<\|eot_id\|>|<\|eot\|>|<\|eom_id\|>|<\|eom\|>|</s>|<eos>|<end_of_turn>|<turn\|>"
    r"|<\|end\|>|<\|return\|>|<\|call\|>|<\|endoftext\|>|<\|end_of_text\|>|<\|end_of_role\|>"
    r"|<\|END_OF_TURN_TOKEN\|>|<\|END_RESPONSE\|>|<\|end_of_solution\|>|<｜end▁of▁sentence｜>"
    r"|\[\|endofturn\|\]|<\|endofturn\|>|\[EOS\]"
    r"|<end_of_utterance>|<pad>|<\|pad\|>)"
)
_HEADERS = re.compile(rf"\s*(?:{_HEADER}[ \t]*\n*)+", re.IGNORECASE)
_TURN_END = re.compile(rf"{_END}(?=\s*(?:{_END}|{_HEADER}|\Z))", re.IGNORECASE)
"""An end of turn with nothing behind it, or with another turn: the model went on by itself."""
_NEXT_TURN = re.compile(rf"\n+{_HEADER}", re.IGNORECASE)
_ITEM_END = re.compile(rf"[ \t]*{_END}(?=\s*\n[ \t]*#{{3,}})", re.IGNORECASE)
"""The same before a separator: the teacher ends each of its items so."""
_ANSWER = r"(?:<{0}(?:answer|final_answer)>|<\|{1}_of_solution\|>|<\|{2}_RESPONSE\|>)"
_OPENED = re.compile(_ANSWER.format("", "begin", "START"), re.IGNORECASE)
_CLOSED = re.compile(_ANSWER.format("/", "end", "END") + r"\s*\Z", re.IGNORECASE)
_LABEL = re.compile(rf"^(?:{'|'.join(KEYS.values())}):", re.MULTILINE)
_MARK = re.compile(rf"<(?!{NO_INPUT[1:]})|[\[◁]")


def may_hold_token(text: str) -> bool:
    """Tell whether a text has a character that every token and tag begins with: most replies have none."""
    return _MARK.search(text) is not None


def find_control_token(*texts: str) -> str:
    """Return the first control token, thinking tag or answer tag in the texts, "" if they have none."""
    for text in texts:
        if may_hold_token(text):
            found = _CONTROL.search(text)
            if found is None and "s>" in text.casefold():
                found = _SENTENCE.search(_STRUCK_OUT.sub("", text))
            if found:
                return found[0]
    return ""


def strip_turn_tokens(text: str) -> str:
    """Return a reply without the tokens around it, and without turns that follow its own."""
    if not may_hold_token(text):
        return text
    begin, struck = _HEADERS.match(text), _STRUCK_OUT.match(text)
    if begin and not (struck and struck.end() < len(text.rstrip()) and "\n" not in struck[0]):
        text = text[begin.end() :]
    ends = (
        one
        for one in _TURN_END.finditer(text)
        if one[0].casefold() != "</s>" or _SENTENCE.search(_STRUCK_OUT.sub("", text[: one.end()]))
    )
    if end := next(ends, None):
        text = text[: end.start()]
    elif "<|" in text and (turn := _NEXT_TURN.search(text)) and turn[0].lstrip("\n").startswith("<|"):
        text = text[: turn.start()]
    return _ITEM_END.sub("", text)


def strip_answer_tags(text: str) -> str:
    """Return a reply without tags around the whole answer; what stands before them is no part of it."""
    if "<" not in text:
        return text
    if end := _CLOSED.search(text):
        text = text[: end.start()]
    begin = _OPENED.search(text)
    is_first = begin is not None and not text[: begin.start()].strip()
    if begin and (is_first or (end and not _LABEL.search(text, 0, begin.start()))):
        text = text[begin.end() :].lstrip()
    return text
