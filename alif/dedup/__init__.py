"""Duplicates and near-duplicates: the ROUGE-L index, near-duplicates by TF-IDF, word n-grams."""
