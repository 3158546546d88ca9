"""Duplicates and near-duplicates: the ROUGE-L index of accepted instructions."""
