"""Alif: take an open language model to your own language."""
