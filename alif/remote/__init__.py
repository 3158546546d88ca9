"""Copies elsewhere: a run's backup, and the Hugging Face Hub as a place for it."""
