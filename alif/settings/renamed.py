"""Renamed recipe keys: an old one is refused with a sentence that names the new one, for one release."""

from __future__ import annotations

__all__ = ["RENAMED_KEYS"]

_STAGE = (
    "tokens_per_row=max_seq_length rows_per_step=batch_size rows_at_once=micro_batch_size layout=packing "
    "look_steps=eval_steps look_texts=eval_texts look_samples=eval_samples patience=early_stopping_patience"
)
_BY_TABLE = {
    "teacher.NAME": "address=base_url key=api_key_env share=weight batch_price=batch_price_factor "
    "phrasebook=parallel_files",
    "generate": "accepted=target_rows round=requests_per_round items=rows_per_request floor=min_acceptance "
    "grounded=grounded_share reverse=reverse_share revise=revise_share",
    "language": "known=source",
    "filter": "own_language=min_script_share repetition=max_repeated_4gram_share",
    "corpus": "documents=max_documents characters=max_chars_per_source held_out=heldout_share "
    "known_source=source_language_files",
    "split": "validation=validation_share",
    "tiny": "tokens_per_row=max_seq_length rows_per_step=batch_size",
    "adapter": "copies=embedding_dtype",
    "student": "quantise=quantization new_tokens=added_tokens",
    "pretrain": _STAGE,
    "finetune": f"{_STAGE} loss=loss_on start=init_from template=prompt_template",
    "benchmarks": "choices=multiple_choice",
    "evaluate": "answer_tokens=max_new_tokens resamples=bootstrap_samples",
    "runtime": "recompute=gradient_checkpointing shard=fsdp compile=torch_compile workers=max_concurrency "
    "mirror=backup",
}
RENAMED_KEYS = {
    f"{table}.{old}": f"{table}.{new}"
    for table, pairs in _BY_TABLE.items()
    for old, _, new in (pair.partition("=") for pair in pairs.split())
}
"""Old key → new key, with NAME in place of a teacher's name."""
