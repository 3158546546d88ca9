"""Copies elsewhere: a run's backup, files on the Hugging Face Hub."""
