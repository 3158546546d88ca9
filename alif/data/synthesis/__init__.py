"""Synthetic rows from a teacher: seeds, prompts, modified self-instruct."""
