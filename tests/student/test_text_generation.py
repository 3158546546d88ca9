"""The same answer alone and in a batch; greedy decoding by default; generation stops at every end token."""

from __future__ import annotations

import copy

import pytest
import torch

from alif.student import Student, encode_prompt, text_generation
from alif.student.text_generation import GeneratedText, end_tokens, generate_texts

PROMPTS = ("پانی", "What is the formula of water? " * 6, "لاہور ایک شہر ہے۔ " * 3, "1")


@pytest.fixture
def prompts(student: Student) -> list[list[int]]:
    return [encode_prompt(prompt, student.tokenizer) for prompt in PROMPTS]


def test_an_answer_is_the_same_alone_and_in_a_batch(
    student: Student, prompts: list[list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    together = generate_texts(student, prompts, 24)
    monkeypatch.setattr(text_generation, "PROMPTS_PER_BATCH", 1)
    assert generate_texts(student, prompts, 24) == together
    assert len({answer.text for answer in together}) > 1
    assert generate_texts(student, [], 24) == []


def test_greedy_answers_are_the_likeliest_tokens(student: Student, prompts: list[list[int]]) -> None:
    tokens = list(prompts[2])
    for _ in range(12):
        tokens.append(int(student.model(input_ids=torch.tensor([tokens])).logits[0, -1].argmax()))
    expected = student.tokenizer.decode(tokens[len(prompts[2]) :], skip_special_tokens=True)
    assert generate_texts(student, prompts, 12)[2].text == str(expected).strip()


def test_a_published_models_own_settings_do_not_count(
    student: Student, prompts: list[list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = generate_texts(student, prompts, 8)
    changes = {"repetition_penalty": 5.0, "do_sample": True, "temperature": 2.0, "min_new_tokens": 8}
    for name, value in changes.items():
        monkeypatch.setattr(student.model.generation_config, name, value)
    assert generate_texts(student, prompts, 8) == before


def test_sampling_is_repeatable_and_leaves_the_global_generator(
    student: Student, prompts: list[list[int]]
) -> None:
    state = torch.get_rng_state()
    first, again, other = (
        generate_texts(student, prompts[:1], 16, temperature=1.0, seed=seed) for seed in (1, 1, 2)
    )
    assert first == again != other
    assert torch.equal(torch.get_rng_state(), state)


def test_an_answer_ends_at_each_end_token_of_the_model(
    student: Student, prompts: list[list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not generate_texts(student, prompts[:1], 6)[0].finished
    first = int(student.model(input_ids=torch.tensor([prompts[0]])).logits[0, -1].argmax())
    monkeypatch.setattr(student.model.generation_config, "eos_token_id", [first])
    assert generate_texts(student, prompts[:1], 6) == [GeneratedText("", finished=True)]


def test_end_tokens_are_end_of_text_those_of_the_model_and_the_end_of_turn(
    student: Student, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenizer = copy.deepcopy(student.tokenizer)
    assert end_tokens(student.model, tokenizer) == [tokenizer.eos_token_id]
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|im_start|>", "<|im_end|>"]})
    tokenizer.chat_template = (
        "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    monkeypatch.setattr(student.model.generation_config, "eos_token_id", [7, tokenizer.eos_token_id])
    end_of_turn = tokenizer.convert_tokens_to_ids("<|im_end|>")
    assert end_tokens(student.model, tokenizer) == [tokenizer.eos_token_id, 7, end_of_turn]


def test_a_watcher_sees_the_answer_grow_and_may_end_it(student: Student, prompts: list[list[int]]) -> None:
    seen: list[str] = []

    def watch(text: str) -> bool:
        seen.append(text)
        return len(seen) < 6

    (whole,) = generate_texts(student, prompts[2:3], 24)
    (ended,) = generate_texts(student, prompts[2:3], 24, watch=watch)
    assert len(seen) == 6
    assert whole.text.startswith(ended.text.rstrip("\ufffd"))
    assert ended.text.startswith(seen[-1].strip())
    assert not any(text.endswith("\ufffd") for text in seen)
    (all_of_it,) = generate_texts(student, prompts[2:3], 24, watch=lambda text: True)
    assert all_of_it == whole
